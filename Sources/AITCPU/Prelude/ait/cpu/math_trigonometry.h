// Trigonometric functions of floats and their inverses.
#pragma once

#include "ait/cpu/math_wide.h"

namespace ait {

// MARK: - Circular functions
//
// Computed in double, in which the reduction by multiples of π/2 is exact enough for every float
// that is not huge, with one subtraction.

/// The arguments up to which π/2 in two parts, of 33 and 53 bits, is enough: the quotient then
/// has at most 20 bits, and its product with the upper part is exact.
inline constexpr float kLargestReducedAngle = 0x1p20f;

/// x = n π/2 + r with |r| <= π/4.
template <int W>
struct QuarterTurns {
  Vec<int64_t, W> n;
  Vec<double, W> r;
};

template <int W>
AIT_INLINE QuarterTurns<W> splitAngle(Vec<float, W> x) {
  const auto angle = convert<double>(x);
  const auto n = nearestWideInteger(angle * constant<double, W>(0x1.45f306dc9c883p-1));
  const auto r = mulAdd(n.number, constant<double, W>(-0x1.921fb544p+0), angle);
  return {n.integer, mulAdd(n.number, constant<double, W>(-0x1.0b4611a626331p-34), r)};
}

template <int W>
AIT_INLINE Vec<double, W> wideSin(Vec<double, W> r) {
  const auto s = r * r;
  const auto p = polynomial(s, -0x1.5555554c6ffbfp-3, 0x1.111108690b9bfp-7, -0x1.a00f7e1495549p-13,
                            0x1.6cd1b08fe3ac0p-19);
  return mulAdd(r * s, p, r);
}

template <int W>
AIT_INLINE Vec<double, W> wideCos(Vec<double, W> r) {
  const auto s = r * r;
  const auto p = polynomial(s, -0.5, 0x1.5555554ed82c6p-5, -0x1.6c16b828a51fcp-10,
                            0x1.a010dddee1657p-16, -0x1.241e6a6dcdf44p-22);
  return mulAdd(s, p, constant<double, W>(1));
}

/// sin of x + quarterTurns · π/2.
template <int W>
AIT_INLINE Vec<float, W> sinShifted(Vec<float, W> x, int64_t quarterTurns) {
  const auto [turns, r] = splitAngle(x);
  const auto n = turns + constant<int64_t, W>(quarterTurns);
  const auto isOdd = maskFrom<W>((n.native & 1) != 0);
  const auto result = convert<float>(select(isOdd, wideCos(r), wideSin(r)));
  const auto isLowerHalf = maskFrom<W>((n.native & 2) != 0);
  return select(isLowerHalf, -result, result);
}

template <int W>
AIT_INLINE Vec<float, W> sin(Vec<float, W> x) {
  if (__builtin_expect(any(abs(x) > constant<float, W>(kLargestReducedAngle)), 0)) {
    return perLane(x, [](float u) { return __builtin_sinf(u); });
  }
  // Of -0 the reduction leaves 0.
  return select(x == constant<float, W>(0), x, sinShifted(x, 0));
}

template <int W>
AIT_INLINE Vec<float, W> cos(Vec<float, W> x) {
  if (__builtin_expect(any(abs(x) > constant<float, W>(kLargestReducedAngle)), 0)) {
    return perLane(x, [](float u) { return __builtin_cosf(u); });
  }
  return sinShifted(x, 1);
}

template <int W>
AIT_INLINE Vec<float, W> tan(Vec<float, W> x) {
  if (__builtin_expect(any(abs(x) > constant<float, W>(kLargestReducedAngle)), 0)) {
    return perLane(x, [](float u) { return __builtin_tanf(u); });
  }
  const auto [n, r] = splitAngle(x);
  const auto sine = wideSin(r);
  const auto cosine = wideCos(r);
  const auto isOdd = maskFrom<W>((n.native & 1) != 0);
  const auto result = select(isOdd, -cosine, sine) / select(isOdd, sine, cosine);
  return select(x == constant<float, W>(0), x, convert<float>(result));
}

// MARK: - Inverse functions

inline constexpr float kHalfPi = 0x1.921fb6p+0f;
/// π/2 - kHalfPi.
inline constexpr float kHalfPiRest = -0x1.777a5cp-25f;

/// atan of numbers within 0...1.
template <int W>
AIT_INLINE Vec<float, W> atanOfUnit(Vec<float, W> z) {
  const auto s = z * z;
  const auto p = polynomial(s, -0x1.55553ep-2f, 0x1.9991e6p-3f, -0x1.2420b6p-3f, 0x1.c08f64p-4f,
                            -0x1.58155ep-4f, 0x1.da5ed4p-5f, -0x1.fdfc1cp-6f, 0x1.64c1cep-7f,
                            -0x1.d4984ap-10f);
  return mulAdd(z * s, p, z);
}

/// π/2 - x.
template <int W>
AIT_INLINE Vec<float, W> complementOf(Vec<float, W> x) {
  return constant<float, W>(kHalfPi) - (x - constant<float, W>(kHalfPiRest));
}

template <int W>
AIT_INLINE Vec<float, W> atan(Vec<float, W> x) {
  const auto t = abs(x);
  const auto isSteep = t > constant<float, W>(1);
  const auto angle = atanOfUnit(select(isSteep, reciprocal(t), t));
  return copysign(select(isSteep, complementOf(angle), angle), x);
}

/// The angle of the point (x, y), with the special cases of C's atan2.
template <int W>
AIT_INLINE Vec<float, W> atan2(Vec<float, W> y, Vec<float, W> x) {
  const auto zero = constant<float, W>(0);
  const auto one = constant<float, W>(1);
  const auto a = abs(x);
  const auto b = abs(y);
  const auto isSteep = b > a;
  auto ratio = select(isSteep, a, b) / select(isSteep, b, a);
  // 0/0 counts as 0 and infinity/infinity as 1; NaN stays.
  ratio = select((a == zero) & (b == zero), zero, ratio);
  ratio = select((a == b) & isInfinite(a), one, ratio);
  auto angle = atanOfUnit(ratio);
  angle = select(isSteep, complementOf(angle), angle);
  const auto isLeft = bitCast<int32_t>(x) < constant<int32_t, W>(0);
  const auto pi = constant<float, W>(2 * kHalfPi);
  const auto mirrored = pi - (angle - constant<float, W>(2 * kHalfPiRest));
  return select(isNaN(x), x, copysign(select(isLeft, mirrored, angle), y));
}

/// asin of numbers within 0...½.
template <int W>
AIT_INLINE Vec<float, W> asinOfHalf(Vec<float, W> z) {
  const auto s = z * z;
  const auto p =
      polynomial(s, 0x1.5555c8p-3f, 0x1.330204p-4f, 0x1.747bb8p-5f, 0x1.8c3e50p-6f, 0x1.595c60p-5f);
  return mulAdd(z * s, p, z);
}

/// NaN outside -1...1.
template <int W>
AIT_INLINE Vec<float, W> asin(Vec<float, W> x) {
  const auto half = constant<float, W>(0.5f);
  const auto t = abs(x);
  const auto isLarge = t > half;
  // asin t = π/2 - 2 asin √((1 - t)/2)
  const auto root = sqrt((constant<float, W>(1) - t) * half);
  const auto angle = asinOfHalf(select(isLarge, root, t));
  return copysign(select(isLarge, complementOf(angle + angle), angle), x);
}

/// NaN outside -1...1.
template <int W>
AIT_INLINE Vec<float, W> acos(Vec<float, W> x) {
  const auto half = constant<float, W>(0.5f);
  const auto t = abs(x);
  const auto isLarge = t > half;
  const auto root = sqrt((constant<float, W>(1) - t) * half);
  const auto angle = asinOfHalf(select(isLarge, root, t));
  const auto twice = angle + angle;
  // acos t = 2 asin √((1 - t)/2), acos -t = π - acos t, and near 0 π/2 - asin x.
  const auto isLeft = x < constant<float, W>(0);
  const auto pi = constant<float, W>(2 * kHalfPi);
  const auto mirrored = pi - (twice - constant<float, W>(2 * kHalfPiRest));
  const auto large = select(isLeft, mirrored, twice);
  return select(isLarge, large, complementOf(select(isLeft, -angle, angle)));
}

}  // namespace ait
