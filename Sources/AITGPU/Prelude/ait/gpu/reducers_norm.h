// Norms: the number of x that are not 0, Σ|x|, √Σx², max|x| and min|x|, for the orders 0, 1, 2, ±∞.
#pragma once

#include "ait/gpu/math.h"
#include "ait/gpu/reducers.h"

namespace ait {

template <class T>
AIT_DEVICE T magnitudeOf(T x) {
  return x < 0 ? -x : x;
}

/// The number of elements that are not 0.
template <class T>
struct CountRule : SumRule<T> {
  static AIT_DEVICE T map(T x) { return x != 0 ? T(1) : T(0); }
};
template <class T>
struct MagnitudeSumRule : SumRule<T> {
  static AIT_DEVICE T map(T x) { return magnitudeOf(x); }
};
template <class T>
struct EuclideanRule : SumRule<T> {
  static AIT_DEVICE T map(T x) { return x * x; }
  static AIT_DEVICE T finish(T total, int64_t) { return ait::sqrt(total); }
};

template <class T>
struct LargestMagnitudeRule : MaximumRule<T> {
  static AIT_DEVICE T neutral() { return 0; }
  static AIT_DEVICE T map(T x) { return magnitudeOf(x); }
};
template <class T>
struct SmallestMagnitudeRule : MinimumRule<T> {
  static AIT_DEVICE T map(T x) { return magnitudeOf(x); }
};

template <class T>
using CountReducer = Fold<CountRule<T>>;
template <class T>
using MagnitudeSumReducer = Fold<MagnitudeSumRule<T>>;
template <class T>
using EuclideanReducer = Fold<EuclideanRule<T>>;
template <class T>
using LargestMagnitudeReducer = Fold<LargestMagnitudeRule<T>>;
template <class T>
using SmallestMagnitudeReducer = Fold<SmallestMagnitudeRule<T>>;

}  // namespace ait
