// Reducers that find where an extreme element stands.
#pragma once

#include "ait/cpu/reducers_state.h"

namespace ait {

/// The position of the first extreme element; the first NaN is one.
template <class T, bool kIsMaximum>
struct ArgReducer {
  using Result = int64_t;
  static constexpr int kPasses = 1;

  /// Whether `x` takes the place of `value` where it comes later.
  template <int W>
  static AIT_INLINE Vec<bool, W> takes(Vec<T, W> x, Vec<T, W> value) {
    if constexpr (__is_floating_point(T)) {
      // A comparison with NaN is false, so its opposite is true.
      return !(kIsMaximum ? x <= value : x >= value) & (value == value);
    } else {
      return kIsMaximum ? x > value : x < value;
    }
  }

  static constexpr T worst() { return kIsMaximum ? lowestOf<T>() : greatestOf<T>(); }

  template <int W>
  struct Total {
    Vec<T, W> value = broadcast<W, T>(worst());
    Vec<int64_t, W> position = broadcast<W, int64_t>(greatestOf<int64_t>());

    AIT_INLINE void merge(const Total& other) {
      const auto isBetter = takes(other.value, value);
      const auto isEarlier = !takes(value, other.value) & (other.position < position);
      const auto isTaken = isBetter | isEarlier;
      value = select(isTaken, other.value, value);
      position = select(isTaken, other.position, position);
    }

    AIT_INLINE Total<1> collapsed() const {
      const T best = kIsMaximum ? horizontalMax(value) : horizontalMin(value);
      const auto isBest = !takes(broadcast<W, T>(best), value);
      const auto last = broadcast<W, int64_t>(greatestOf<int64_t>());
      const int64_t first = horizontalMin(select(isBest, position, last));
      return {broadcast<1, T>(best), broadcast<1, int64_t>(first)};
    }

    AIT_INLINE Vec<int64_t, W> finish(int64_t) const { return position; }
  };

  template <int W>
  struct Partial {
    Vec<T, W> value = broadcast<W, T>(worst());
    Vec<int32_t, W> index = broadcast<W, int32_t>(0);
    Vec<int32_t, W> next = broadcast<W, int32_t>(0);

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x) {
      const auto isTaken = takes(x, value);
      value = select(isTaken, x, value);
      index = select(isTaken, next, index);
      next += constant<int32_t, W>(1);
    }

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x0, Vec<T, W> x1, Vec<T, W> x2, Vec<T, W> x3) {
      step<kPass>(x0);
      step<kPass>(x1);
      step<kPass>(x2);
      step<kPass>(x3);
    }

    // Lanes beyond the row stay the worst, at positions behind all that are as bad.
    template <int kPass>
    AIT_INLINE void stepFirst(Vec<T, W> x, int64_t count) {
      step<kPass>(select(firstLanes<W>(count), x, broadcast<W, T>(worst())));
    }

    AIT_INLINE void nextPass() {}

    AIT_INLINE Total<W> total(BlockPlace place) const {
      const auto lanes = iota<int64_t, W>() * constant<int64_t, W>(place.lane);
      const auto steps = convert<int64_t>(index) * constant<int64_t, W>(place.step);
      return {value, constant<int64_t, W>(place.first) + steps + lanes};
    }
  };
};

}  // namespace ait
