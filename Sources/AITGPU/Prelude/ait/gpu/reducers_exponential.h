// Reducers of exponentials: the logarithm of their sum, and norms of any order.
#pragma once

#include "ait/gpu/math.h"
#include "ait/gpu/reducers_norm.h"

namespace ait {

// MARK: - The logarithm of a sum of exponentials

/// max + log Σ exp(x − max), the maxima of groups brought together as they come.
template <class T>
struct LogSumExpReducer {
  struct State {
    T top;
    T sum;

    /// The sum relative to another maximum, not below this one; the same if both are infinite.
    AIT_DEVICE T relativeTo(T larger) const {
      return top == larger ? sum : sum * ait::exp(top - larger);
    }
  };
  using Result = T;

  /// The number that exponents are relative to: the maximum, or 0 where that is infinite.
  static AIT_DEVICE T shiftOf(T top) { return top - top == 0 ? top : T(0); }

  static AIT_DEVICE State none() { return {lowestOf<T>(), 0}; }

  // A NaN is no maximum; it makes the sum one.
  template <int kCount, class Index>
  static AIT_DEVICE void take(State& state, const T (&x)[kCount], int count, Index, Index) {
    T top = state.top;
    AIT_UNROLL
    for (int i = 0; i < kCount; ++i) top = i < count && x[i] > top ? x[i] : top;
    state.sum = state.relativeTo(top);
    state.top = top;
    const T shift = shiftOf(top);
    T terms = 0;
    AIT_UNROLL
    for (int i = 0; i < kCount; ++i) terms += i < count ? ait::exp(x[i] - shift) : T(0);
    state.sum += terms;
  }

  static AIT_DEVICE void merge(State& state, const State& other) {
    const T top = other.top > state.top ? other.top : state.top;
    state.sum = state.relativeTo(top) + other.relativeTo(top);
    state.top = top;
  }

  static AIT_DEVICE T finish(const State& state, int64_t) {
    return ait::log(state.sum) + shiftOf(state.top);
  }
};

// MARK: - Norms

/// (Σ|x|^p)^(1/p).
template <class T, class Parameters>
struct PowerNormRule : SumRule<T> {
  static AIT_DEVICE T map(T x) {
    return ait::power(magnitudeOf(x), static_cast<T>(Parameters::kOrder));
  }
  static AIT_DEVICE T finish(T total, int64_t) {
    return ait::power(total, static_cast<T>(1 / Parameters::kOrder));
  }
};

template <class T, class Parameters>
using PowerNormReducer = Fold<PowerNormRule<T, Parameters>>;

}  // namespace ait
