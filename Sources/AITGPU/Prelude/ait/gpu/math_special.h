// Hyperbolic and error functions of floats, and powers.
#pragma once

#include "ait/gpu/math_divide.h"
#include "ait/gpu/math_exponential.h"

namespace ait {

// MARK: - Hyperbolic functions

/// e^x / 2, finite a little longer than e^x.
AIT_INLINE float halfExp(float x) {
  const float high = x * 0x1.715476p+0f;
  const float low = mulAdd(x, 0x1.715476p+0f, -high) + x * 0x1.4ae0cp-26f;
  const float y = exp2Approximate(high - 1.0f);
  return y < kInfinityOf<float> ? mulAdd(y, low * 0x1.62e43p-1f, y) : y;
}

AIT_INLINE float cosh(float x) {
  const float h = halfExp(abs(x));
  return h + 0.25f / h;
}

AIT_INLINE float sinh(float x) {
  const float t = abs(x);
  const float h = halfExp(t);
  // The difference has lost bits below 1, where the first terms of the series are enough.
  const float s = t * t;
  const float p = polynomial(s, 0x1.555556p-3f, 0x1.111112p-7f, 0x1.a01a02p-13f, 0x1.71de3ap-19f);
  return copysign(t < 1.0f || x != x ? mulAdd(t * s, p, t) : h - 0.25f / h, x);
}

// MARK: - Error functions

/// x + x P(x²) for |x| < 1.
AIT_INLINE float erfOfUnit(float x) {
  const float p = polynomial(x * x, 0x1.06eba6p-3f, -0x1.8126e4p-2f, 0x1.ce19e6p-4f,
                             -0x1.b681aep-6f, 0x1.46fbacp-8f, -0x1.38fed6p-11f);
  return mulAdd(x, p, x);
}

AIT_INLINE float erf(float x) {
  const float t = limited(abs(x), 0.0f, 4.0f);
  // Further out, 1 − e^(−t + t Q(t)), which is 1 in float from 3.92 on.
  const float q = polynomial(t, -0x1.077b2ep-3f, -0x1.453034p-1f, -0x1.b34476p-4f, 0x1.85bbecp-6f,
                             -0x1.defecap-9f, 0x1.5590fep-12f, -0x1.82af48p-17f);
  const float large = 1.0f - exp2Approximate(mulAdd(t, q, -t) * 0x1.715476p+0f);
  return copysign(t < 0.927734375f || x != x ? erfOfUnit(t) : large, x);
}

AIT_INLINE float erfc(float x) {
  // From 10.1 on the result is below the least float.
  const float t = limited(abs(x), 0.0f, 10.15625f);
  // e^(t²) (1 + 2 t) erfc t varies little, and smoothly in (t − 4) / (t + 4).
  const float q = (t - 4.0f) / (t + 4.0f);
  const float p =
      polynomial(q, 0x1.3ba592p+0f, -0x1.1df1aep-3f, 0x1.f7f5aep-7f, 0x1.16ed1p-4f, -0x1.9dda4cp-4f,
                 0x1.7fec5ep-4f, -0x1.0fbb8ep-4f, 0x1.307e4ep-5f, -0x1.086dbp-6f, 0x1.4d0732p-8f,
                 -0x1.c1707cp-11f, -0x1.90b12ap-12f, 0x1.455eeep-14f);
  // The square in two parts: the power keeps the digits that the first has lost.
  const float s = t * t;
  const float lost = mulAdd(t, t, -s);
  const float e = exp(-s);
  const float y = mulAdd(-lost, e, e) * (p / mulAdd(2.0f, t, 1.0f));
  // Near 0 the quotient would be all of the error.
  if (t < 0.75f || x != x) return 1.0f - erfOfUnit(x);
  return x < 0.0f ? 2.0f - y : y;
}

/// x Φ(x) with the normal distribution Φ(-|x|) = 2^P(|x|), in as few instructions as there can be,
/// since products end with it. The relative error is 2^-20 for x above 0 and 2^-18 down to -5.6;
/// further down the result has an absolute error of 2^-40 and ends as 0.
AIT_INLINE float gelu(float x) {
  const float p = polynomial(abs(x), -0x1.fffff6p-1f, -0x1.26af8ep+0f, -0x1.d627e0p-2f,
                             -0x1.af6f50p-5f, 0x1.dabd1cp-8f, -0x1.d1a4f4p-13f, -0x1.7a4e7ep-13f,
                             0x1.9e912ep-15f, -0x1.b982d8p-18f, 0x1.f7d17cp-22f, -0x1.eac970p-27f);
  const float tail = exp2Approximate(p);
  return x * (x < 0.0f ? tail : 1.0f - tail);
}

// MARK: - Powers

/// 2^x, 0 below −1000 and huge above 1000; NaN stays. Converting the result to float gives 0,
/// subnormal numbers and infinity where 2^x has them.
AIT_INLINE double wideExp2(double x) {
  x = x > 1000.0 ? 1000.0 : x;
  x = x < -1000.0 ? -1000.0 : x;
  const double shifted = x + 0x1.8p52;
  const double r = x - (shifted - 0x1.8p52);
  const double q = polynomial(r, 0x1.62e42fefa37d0p-1, 0x1.ebfbdff81bd71p-3, 0x1.c6b08d70c8d47p-5,
                              0x1.3b2ab724219ecp-7, 0x1.5d87fd92ff2e9p-10, 0x1.430897d584194p-13,
                              0x1.ffce30f826b4cp-17, 0x1.63e6b8a1dbadfp-20, 0x1.b3dd543c4468dp-24);
  const int64_t n = bitCast<int64_t>(shifted) - 0x4338000000000000;
  return mulAdd(q, r, 1.0) * bitCast<double>(static_cast<uint64_t>(n + 1023) << 52);
}

/// log2 of a positive double that is a float.
AIT_INLINE double wideLog2(double x) {
  const int64_t bits = bitCast<int64_t>(x);
  const int64_t e = (bits - 0x3fe6a09e667f3bcd) >> 52;  // of √½
  const double m = bitCast<double>(bits - static_cast<int64_t>(static_cast<uint64_t>(e) << 52));
  const double s = (m - 1.0) / (m + 1.0);
  const double p =
      polynomial(s * s, 0x1.71547652b8252p+1, 0x1.ec709dc53cf98p-1, 0x1.2776c291e0c25p-1,
                 0x1.a61a30301bab1p-2, 0x1.4795136382a86p-2, 0x1.21b5108f4ce5dp-2);
  return mulAdd(s, p, static_cast<double>(static_cast<int>(e)));
}

/// `magnitude`, which is |x| to the power y where both are ordinary, with the special cases of C's
/// pow.
template <class F>
AIT_INLINE F withPowerLimits(F x, F y, F magnitude) {
  constexpr F kInfinity = kInfinityOf<F>;
  const F a = abs(x);
  if (x == F(1) || y == F(0) || (a == F(1) && abs(y) == kInfinity)) return F(1);
  if (x != x || y != y) return x + y;
  F result = magnitude;
  if (a == F(0)) result = y > F(0) ? F(0) : kInfinity;
  if (a == kInfinity) result = y > F(0) ? kInfinity : F(0);
  if (abs(y) == kInfinity && a > F(0) && a < kInfinity) {
    result = (a > F(1)) == (y > F(0)) ? kInfinity : F(0);
  }
  const bool isInteger = trunc(y) == y;
  if (x < F(0) && a < kInfinity && !isInteger) return notANumber<F>();
  const F half = y * F(0.5);
  return hasSignBit(x) && isInteger && trunc(half) != half ? -result : result;
}

/// Computed in double, so that the logarithm has the bits that a large y asks for.
AIT_INLINE float power(float x, float y) {
  const double log = wideLog2(static_cast<double>(abs(x)));
  const double product = log * static_cast<double>(y);
  return withPowerLimits(x, y, static_cast<float>(wideExp2(product)));
}

}  // namespace ait
