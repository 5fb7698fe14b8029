// Trigonometric functions of doubles and their inverses; see math_trigonometry.h.
#pragma once

#include "ait/gpu/math_double.h"
#include "ait/gpu/math_trigonometry.h"

namespace ait {

// MARK: - Circular functions

/// The words of 2/π, from 2^63 down to 2^-1216, of which the first is 0.
AIT_INLINE uint64_t wideWordOfTwoOverPi(int index) {
  switch (index) {
    case 1:
      return 0xa2f9836e4e441529u;
    case 2:
      return 0xfc2757d1f534ddc0u;
    case 3:
      return 0xdb6295993c439041u;
    case 4:
      return 0xfe5163abdebbc561u;
    case 5:
      return 0xb7246e3a424dd2e0u;
    case 6:
      return 0x06492eea09d1921cu;
    case 7:
      return 0xfe1deb1cb129a73eu;
    case 8:
      return 0xe88235f52ebb4484u;
    case 9:
      return 0xe99c7026b45f7e41u;
    case 10:
      return 0x3991d639835339f4u;
    case 11:
      return 0x9c845f8bbdf9283bu;
    case 12:
      return 0x1ff897ffde05980fu;
    case 13:
      return 0xef2f118b5a0a6d1fu;
    case 14:
      return 0x6d367ecf27cb09b7u;
    case 15:
      return 0x4f463f669e5fea2du;
    case 16:
      return 0x7527bac7ebe5f17bu;
    case 17:
      return 0x3d0739f78a5292eau;
    case 18:
      return 0x6bfb5fb11f8d5d08u;
    case 19:
      return 0x56033046fc7b6babu;
    default:
      return 0;
  }
}

/// The upper half of a product.
AIT_INLINE uint64_t multiplyHigh(uint64_t a, uint64_t b) {
  const uint64_t a0 = static_cast<uint32_t>(a), a1 = a >> 32;
  const uint64_t b0 = static_cast<uint32_t>(b), b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const uint64_t other = a0 * b1 + static_cast<uint32_t>(middle);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

AIT_INLINE uint64_t funnel(uint64_t high, uint64_t low, int shift) {
  return shift == 0 ? high : high << shift | low >> (64 - shift);
}

/// The reduction of numbers from 2^20 up, with 192 bits of 2/π: exact to 2^-137 of a quarter turn,
/// where the nearest double to a multiple of π/2 is farther off than 2^-62.
AIT_DEVICE QuarterTurns<double> splitLargeAngle(double magnitude) {
  const uint64_t bits = bitCast<uint64_t>(magnitude);
  const uint64_t mantissa = (bits & 0xfffffffffffffu) | 0x10000000000000u;
  // The magnitude is mantissa · 2^e; the bits of 2/π that count begin at 2^(1-e).
  const int first = static_cast<int>(bits >> 52) - 1075 + 62;
  const int word = first >> 6, shift = first & 63;
  const uint64_t a = wideWordOfTwoOverPi(word), b = wideWordOfTwoOverPi(word + 1),
                 c = wideWordOfTwoOverPi(word + 2), d = wideWordOfTwoOverPi(word + 3);
  const uint64_t last = funnel(c, d, shift), next = funnel(b, c, shift);
  const uint64_t carry = multiplyHigh(mantissa, last);
  const uint64_t middle = mantissa * next + carry;
  const uint64_t high =
      mantissa * funnel(a, b, shift) + multiplyHigh(mantissa, next) + (middle < carry ? 1 : 0);
  // Two bits of whole quarter turns, then the fraction: as a signed number, that to the nearest.
  const int64_t fraction = static_cast<int64_t>(high << 2 | middle >> 62);
  const int n = static_cast<int>(high >> 62) + (fraction < 0 ? 1 : 0);
  const double r = mulAdd(static_cast<double>(middle << 2), 0x1p-64, static_cast<double>(fraction));
  return {n, r * 0x1.921fb54442d18p-64};
}

AIT_INLINE QuarterTurns<double> splitAngle(double x) {
  const double magnitude = abs(x);
  if (magnitude >= 0x1p20) {
    if (magnitude == kInfinityOf<double>) return {0, notANumber<double>()};
    const QuarterTurns<double> turns = splitLargeAngle(magnitude);
    return x < 0.0 ? QuarterTurns<double>{-turns.n, -turns.r} : turns;
  }
  // π/2 in three parts. The first difference is exact, fused as it is; the others are rounded
  // relative to what is left.
  const int n = nearestInteger(x * 0x1.45f306dc9c883p-1);
  const double number = static_cast<double>(n);
  double r = mulAdd(number, -0x1.921fb54442d18p+0, x);
  r = mulAdd(number, -0x1.1a62633145c07p-54, r);
  return {n, mulAdd(number, 0x1.f1976b7ed8fbcp-110, r)};
}

AIT_INLINE double sinOfRest(double r) {
  const double s = r * r;
  const double p = polynomial(s, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                              1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000);
  return mulAdd(r * s, p, r);
}
AIT_INLINE double cosOfRest(double r) {
  const double s = r * r;
  const double p = polynomial(s, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
                              -1.0 / 87178291200, 1.0 / 20922789888000, -1.0 / 6402373705728000);
  // 1 − s/2 is not rounded alone.
  const double head = mulAdd(s, -0.5, 1.0);
  const double lost = mulAdd(s, -0.5, 1.0 - head);
  return head + mulAdd(s * s, p, lost);
}

AIT_INLINE double sinOfTurns(const QuarterTurns<double>& turns) {
  const double y = turns.n & 1 ? cosOfRest(turns.r) : sinOfRest(turns.r);
  return turns.n & 2 ? -y : y;
}

AIT_INLINE double sin(double x) {
  // Of −0 the reduction leaves 0.
  return x == 0.0 ? x : sinOfTurns(splitAngle(x));
}
AIT_INLINE double cos(double x) {
  QuarterTurns<double> turns = splitAngle(x);
  ++turns.n;
  return sinOfTurns(turns);
}
AIT_INLINE double tan(double x) {
  const QuarterTurns<double> turns = splitAngle(x);
  const double sine = sinOfRest(turns.r);
  const double cosine = cosOfRest(turns.r);
  const double y = turns.n & 1 ? -cosine / sine : sine / cosine;
  return x == 0.0 ? x : y;
}

// MARK: - Inverse functions

inline constexpr double kWideHalfPi = 0x1.921fb54442d18p+0;
/// π/2 − kWideHalfPi.
inline constexpr double kWideHalfPiRest = 0x1.1a62633145c07p-54;

/// atan of numbers within 0...1.
AIT_INLINE double atanOfUnit(double z) {
  // Beyond tan π/8 the angle to π/4 is computed: the series then ends sooner.
  const bool isSteep = z > 0x1.a827999fcef32p-2;
  const double t = isSteep ? (z - 1.0) / (z + 1.0) : z;
  const double s = t * t;
  const double p = polynomial(s, -0x1.5555555555555p-2, 0x1.9999999999953p-3, -0x1.249249248d7dcp-3,
                              0x1.c71c71c303dbbp-4, -0x1.745d165dc9713p-4, 0x1.3b1392d519db1p-4,
                              -0x1.110e87b4357d2p-4, 0x1.e19a0bfa3eef9p-5, -0x1.ac7a5a79b3f26p-5,
                              0x1.74dccfb93fff0p-5, -0x1.1b311bb48c215p-5, 0x1.0acd9e91a5a35p-6);
  const double rest = t * s * p;
  return isSteep ? 0.5 * kWideHalfPi + (t + (rest + 0.5 * kWideHalfPiRest)) : t + rest;
}

/// π/2 − x.
AIT_INLINE double complementOf(double x) { return kWideHalfPi - (x - kWideHalfPiRest); }

AIT_INLINE double atan(double x) {
  const double t = abs(x);
  const bool isSteep = t > 1.0;
  const double angle = atanOfUnit(isSteep ? 1.0 / t : t);
  return copysign(isSteep ? complementOf(angle) : angle, x);
}

/// The angle of the point (x, y), with the special cases of C's atan2.
AIT_INLINE double atan2(double y, double x) {
  const double a = abs(x);
  const double b = abs(y);
  const bool isSteep = b > a;
  // 0/0 counts as 0 and infinity/infinity as 1; NaN stays.
  double ratio = (isSteep ? a : b) / (isSteep ? b : a);
  if (a == 0.0 && b == 0.0) ratio = 0.0;
  if (a == b && a == kInfinityOf<double>) ratio = 1.0;
  double angle = atanOfUnit(ratio);
  if (isSteep) angle = complementOf(angle);
  if (hasSignBit(x)) angle = 2 * kWideHalfPi - (angle - 2 * kWideHalfPiRest);
  return x != x ? x : copysign(angle, y);
}

/// asin of numbers within 0...½.
AIT_INLINE double asinOfHalf(double z) {
  const double s = z * z;
  const double p = polynomial(s, 0x1.5555555555556p-3, 0x1.3333333332ec4p-4, 0x1.6db6db6e3292ep-5,
                              0x1.f1c71c1d4aa0dp-6, 0x1.6e8bb1d89492bp-6, 0x1.1c4d343fa57f6p-6,
                              0x1.c9cf3759fd8ffp-7, 0x1.78246f32d075cp-7, 0x1.524ea8b3aad31p-7,
                              0x1.653a8f8cfd43cp-8, 0x1.1d661531b222ep-6, -0x1.e7a24f548c99fp-7,
                              0x1.d78189767524ep-6);
  return mulAdd(z * s, p, z);
}

/// NaN outside −1...1.
AIT_INLINE double asin(double x) {
  const double t = abs(x);
  const bool isLarge = t > 0.5;
  // asin t = π/2 − 2 asin √((1 − t)/2)
  const double angle = asinOfHalf(isLarge ? sqrt((1.0 - t) * 0.5) : t);
  return copysign(isLarge ? complementOf(angle + angle) : angle, x);
}

/// NaN outside −1...1.
AIT_INLINE double acos(double x) {
  const double t = abs(x);
  const bool isLarge = t > 0.5;
  const double angle = asinOfHalf(isLarge ? sqrt((1.0 - t) * 0.5) : t);
  // acos t = 2 asin √((1 − t)/2), acos −t = π − acos t, and near 0 π/2 − asin x.
  const double twice = angle + angle;
  const double mirrored = 2 * kWideHalfPi - (twice - 2 * kWideHalfPiRest);
  const double ofLarge = x < 0.0 ? mirrored : twice;
  return isLarge ? ofLarge : complementOf(x < 0.0 ? -angle : angle);
}

}  // namespace ait
