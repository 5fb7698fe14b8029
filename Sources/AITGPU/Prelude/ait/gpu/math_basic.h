// Signs, roundings, extremes, roots and classes of numbers: what every other part of math.h uses.
// The compiler's builtins are instructions here, on every device: none of them is a call.
#pragma once

#include "ait/gpu/lanes.h"

namespace ait {

// MARK: - Tools of the other functions

template <class To, class From>
AIT_INLINE To bitCast(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  __builtin_memcpy(&y, &x, sizeof(To));
  return y;
}

/// `a * b + c`, rounded once.
AIT_INLINE float mulAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
AIT_INLINE double mulAdd(double a, double b, double c) { return __builtin_fma(a, b, c); }

/// c0 + c1 x + c2 x² …, by Horner's rule.
template <class F>
AIT_INLINE F polynomial(F, F c0) {
  return c0;
}
template <class F, class... C>
AIT_INLINE F polynomial(F x, F c0, C... rest) {
  return mulAdd(polynomial(x, static_cast<F>(rest)...), x, c0);
}

template <class F>
inline constexpr F kInfinityOf = static_cast<F>(__builtin_huge_val());
template <class F>
AIT_INLINE F notANumber() {
  return static_cast<F>(__builtin_nanf(""));
}

// MARK: - Signs

AIT_INLINE float abs(float x) { return __builtin_fabsf(x); }
AIT_INLINE double abs(double x) { return __builtin_fabs(x); }
/// Of the least integer, itself.
template <class T>
AIT_INLINE Lane<T> abs(Lane<T> x) {
  return x.isNegative() ? -x : x;
}

/// The magnitude of one number with the sign of another; zeros and NaNs have signs too.
AIT_INLINE float copysign(float magnitude, float sign) {
  return __builtin_copysignf(magnitude, sign);
}
AIT_INLINE double copysign(double magnitude, double sign) {
  return __builtin_copysign(magnitude, sign);
}

/// Whether the sign bit is set: of −0 and of some NaNs, too.
AIT_INLINE bool hasSignBit(float x) { return bitCast<int32_t>(x) < 0; }
AIT_INLINE bool hasSignBit(double x) { return bitCast<int64_t>(x) < 0; }

/// −1, 0 or 1; of NaN 0, as in PyTorch.
template <class F>
AIT_INLINE F sign(F x) {
  return x > F(0) ? F(1) : x < F(0) ? F(-1) : F(0);
}
template <class T>
AIT_INLINE Lane<T> sign(Lane<T> x) {
  return static_cast<T>((x.value != T(0)) - 2 * x.isNegative());
}

// MARK: - Extremes
//
// NaN if either is. Of zeros of both signs the device may take either: max(0, -0) is 0, where the
// CPU takes its second operand.

AIT_INLINE float maximum(float a, float b) { return maximumOrNaN(a, b); }
AIT_INLINE float minimum(float a, float b) { return minimumOrNaN(a, b); }
AIT_INLINE double maximum(double a, double b) { return a > b || a != a ? a : b; }
AIT_INLINE double minimum(double a, double b) { return a < b || a != a ? a : b; }
template <class T>
AIT_INLINE Lane<T> maximum(Lane<T> a, Lane<T> b) {
  return a.value > b.value ? a : b;
}
template <class T>
AIT_INLINE Lane<T> minimum(Lane<T> a, Lane<T> b) {
  return a.value < b.value ? a : b;
}

// MARK: - Roundings; to the nearest, halves go to even

AIT_INLINE float floor(float x) { return __builtin_floorf(x); }
AIT_INLINE double floor(double x) { return __builtin_floor(x); }
AIT_INLINE float ceil(float x) { return __builtin_ceilf(x); }
AIT_INLINE double ceil(double x) { return __builtin_ceil(x); }
AIT_INLINE float trunc(float x) { return __builtin_truncf(x); }
AIT_INLINE double trunc(double x) { return __builtin_trunc(x); }
AIT_INLINE float round(float x) { return __builtin_rintf(x); }
AIT_INLINE double round(double x) { return __builtin_rint(x); }

// MARK: - Roots and reciprocals; rounded once, but for rsqrt, which is rounded twice

AIT_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
AIT_INLINE double sqrt(double x) { return __builtin_sqrt(x); }
template <class F>
AIT_INLINE F reciprocal(F x) {
  return F(1) / x;
}
template <class F>
AIT_INLINE F rsqrt(F x) {
  return F(1) / sqrt(x);
}

// MARK: - Classes of floats

template <class F>
AIT_INLINE Lane<bool> isNaN(F x) {
  return x != x;
}
template <class F>
AIT_INLINE Lane<bool> isInfinite(F x) {
  return abs(x) == kInfinityOf<F>;
}
template <class F>
AIT_INLINE Lane<bool> isFinite(F x) {
  return abs(x) < kInfinityOf<F>;
}

}  // namespace ait
