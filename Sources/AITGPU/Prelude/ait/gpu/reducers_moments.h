// Reducers whose terms are relative to a number that all elements decide: variance, and the
// logarithm of a sum of exponentials. Elements are taken in groups, each relative to its own
// number.
#pragma once

#include "ait/gpu/reducers.h"

namespace ait {

/// What is known of some elements: their number, their mean, and the sum of squared distances from
/// it. Groups are brought together by the formula of Chan, Golub and LeVeque.
template <class T>
struct Moments {
  T mean;
  T squares;
  uint32_t count;

  /// The moments of the first `count` of some elements, from two passes over them.
  template <int kCount>
  static AIT_DEVICE Moments of(const T (&x)[kCount], int count) {
    const int number = count < kCount ? count : kCount;
    T sum = 0;
    AIT_UNROLL
    for (int i = 0; i < kCount; ++i) sum += i < count ? x[i] : T(0);
    const T mean = count >= kCount ? sum * (T(1) / kCount) : sum / static_cast<T>(number);
    T squares = 0;
    AIT_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const T distance = i < count ? x[i] - mean : T(0);
      squares += distance * distance;
    }
    return {mean, squares, static_cast<uint32_t>(number)};
  }

  AIT_DEVICE void merge(const Moments& other) {
    if (other.count == 0) return;
    const T share =
        static_cast<T>(other.count) / (static_cast<T>(count) + static_cast<T>(other.count));
    const T distance = other.mean - mean;
    squares += other.squares + distance * distance * static_cast<T>(count) * share;
    mean += distance * share;
    count += other.count;
  }
};

/// Σ(x − mean)² / (count − correction), in T. A result has fewer than 2^32 elements.
template <class T, class Parameters>
struct VarianceReducer {
  using State = Moments<T>;
  using Result = T;

  static AIT_DEVICE State none() { return {0, 0, 0}; }

  template <int kCount, class Index>
  static AIT_DEVICE void take(State& state, const T (&x)[kCount], int count, Index, Index) {
    if (count > 0) state.merge(State::of(x, count));
  }
  static AIT_DEVICE void merge(State& state, const State& other) { state.merge(other); }
  static AIT_DEVICE T finish(const State& state, int64_t length) {
    const T freedom = static_cast<T>(length) - static_cast<T>(Parameters::kCorrection);
    return state.squares / (freedom > 0 ? freedom : T(0));
  }
};

}  // namespace ait
