// Reducers that find where an extreme element stands.
#pragma once

#include "ait/gpu/reducers.h"

namespace ait {

/// The position of the first extreme element; the first NaN is one. Positions are counted in
/// `Index`.
template <class T, class Index, bool kIsMaximum>
struct ArgReducer {
  using Value = typename SelectedOf<T>::Type;
  struct State {
    Value value;
    Index position;
  };
  using Result = int64_t;

  /// Whether `x` is more extreme than `value`.
  static AIT_DEVICE bool beats(Value x, Value value) {
    if constexpr (kIsFloating<T>) {
      // A comparison with NaN is false, so its opposite is true.
      return !(kIsMaximum ? x <= value : x >= value) && value == value;
    } else {
      return kIsMaximum ? x > value : x < value;
    }
  }

  static AIT_DEVICE State none() {
    return {kIsMaximum ? lowestOf<T>() : greatestOf<T>(), greatestOf<Index>()};
  }

  static AIT_DEVICE void merge(State& state, const State& other) {
    const bool isEarlier = other.position < state.position && !beats(state.value, other.value);
    if (beats(other.value, state.value) || isEarlier) state = other;
  }

  // Elements come in the order of their positions, so most groups are done with their extreme.
  template <int kCount>
  static AIT_DEVICE void take(State& state, const T (&x)[kCount], int count, Index position,
                              Index step) {
    State found = none();
    AIT_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const State element = {static_cast<Value>(x[i]), position + static_cast<Index>(i) * step};
      const bool isFirst = i == 0;
      if (i < count && (isFirst || beats(element.value, found.value))) found = element;
    }
    const bool isNone = state.position == greatestOf<Index>();
    if (count > 0 && (isNone || beats(found.value, state.value))) state = found;
  }
  static AIT_DEVICE int64_t finish(const State& state, int64_t) { return state.position; }
};

}  // namespace ait
