// Trigonometric functions of floats and their inverses, in float arithmetic throughout: many GPUs
// compute doubles at a fraction of the rate.
#pragma once

#include "ait/gpu/math_exponential.h"

namespace ait {

// MARK: - Circular functions

/// x = n π/2 + r with |r| <= π/4 and a bit; of n, the lowest two bits count.
template <class F>
struct QuarterTurns {
  int n;
  F r;
};

/// The words of 2/π, from 2^31 down to 2^-224, of which the first is 0.
AIT_INLINE uint32_t wordOfTwoOverPi(int index) {
  switch (index) {
    case 1:
      return 0xa2f9836eu;
    case 2:
      return 0x4e441529u;
    case 3:
      return 0xfc2757d1u;
    case 4:
      return 0xf534ddc0u;
    case 5:
      return 0xdb629599u;
    case 6:
      return 0x3c439041u;
    case 7:
      return 0xfe5163abu;
    default:
      return 0;
  }
}

/// A word from the bit `shift` of two on.
AIT_INLINE uint32_t funnel(uint32_t high, uint32_t low, int shift) {
  return static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32 | low) << shift) >> 32);
}

/// The reduction of numbers from 2^16 up: the product of the mantissa with those bits of 2/π that
/// do not make multiples of 4, 96 of them, is exact to 2^-70 of a quarter turn, where the nearest
/// float to a multiple of π/2 is farther off than 2^-33.
AIT_INLINE QuarterTurns<float> splitLargeAngle(float magnitude) {
  const uint32_t bits = bitsOf(magnitude);
  const uint32_t mantissa = (bits & 0x7fffffu) | 0x800000u;
  // The magnitude is mantissa · 2^e; the bits of 2/π that count begin at 2^(1-e).
  const int first = static_cast<int>(bits >> 23) - 150 + 30;
  const int word = first >> 5, shift = first & 31;
  const uint32_t a = wordOfTwoOverPi(word), b = wordOfTwoOverPi(word + 1),
                 c = wordOfTwoOverPi(word + 2), d = wordOfTwoOverPi(word + 3);
  const uint64_t low = static_cast<uint64_t>(mantissa) * funnel(c, d, shift);
  const uint64_t middle = static_cast<uint64_t>(mantissa) * funnel(b, c, shift) + (low >> 32);
  const uint32_t high = mantissa * funnel(a, b, shift) + static_cast<uint32_t>(middle >> 32);
  const uint64_t turns = static_cast<uint64_t>(high) << 32 | static_cast<uint32_t>(middle);
  // Two bits of whole quarter turns, then the fraction: as a signed number, that to the nearest.
  const int64_t fraction = static_cast<int64_t>(turns << 2);
  const int n = static_cast<int>(turns >> 62) + (fraction < 0 ? 1 : 0);
  return {n, static_cast<float>(fraction) * 0x1.921fb6p-64f};
}

AIT_INLINE QuarterTurns<float> splitAngle(float x) {
  const float magnitude = abs(x);
  if (magnitude >= 0x1p16f) {
    if (magnitude == kInfinityOf<float>) return {0, notANumber<float>()};
    const QuarterTurns<float> turns = splitLargeAngle(magnitude);
    return x < 0.0f ? QuarterTurns<float>{-turns.n, -turns.r} : turns;
  }
  // π/2 in three parts. The first difference is exact, fused as it is; the others are rounded
  // relative to what is left.
  const int n = nearestInteger(x * 0x1.45f306p-1f);
  const float number = static_cast<float>(n);
  float r = mulAdd(number, -0x1.921fb6p+0f, x);
  r = mulAdd(number, 0x1.777a5cp-25f, r);
  return {n, mulAdd(number, 0x1.ee59dap-50f, r)};
}

AIT_INLINE float sinOfRest(float r) {
  const float s = r * r;
  const float p = polynomial(s, -0x1.555556p-3f, 0x1.11110ep-7f, -0x1.a01388p-13f, 0x1.6db388p-19f);
  return mulAdd(r * s, p, r);
}
AIT_INLINE float cosOfRest(float r) {
  const float s = r * r;
  const float p = polynomial(s, 0x1.555556p-5f, -0x1.6c16cp-10f, 0x1.a015aep-16f, -0x1.251d4ap-22f);
  // 1 − s/2 is not rounded alone.
  const float head = mulAdd(s, -0.5f, 1.0f);
  const float lost = mulAdd(s, -0.5f, 1.0f - head);
  return head + mulAdd(s * s, p, lost);
}

AIT_INLINE float sinOfTurns(const QuarterTurns<float>& turns) {
  const float y = turns.n & 1 ? cosOfRest(turns.r) : sinOfRest(turns.r);
  return turns.n & 2 ? -y : y;
}

AIT_INLINE float sin(float x) {
  // Of −0 the reduction leaves 0.
  return x == 0.0f ? x : sinOfTurns(splitAngle(x));
}
AIT_INLINE float cos(float x) {
  QuarterTurns<float> turns = splitAngle(x);
  ++turns.n;
  return sinOfTurns(turns);
}
AIT_INLINE float tan(float x) {
  const QuarterTurns<float> turns = splitAngle(x);
  const float sine = sinOfRest(turns.r);
  const float cosine = cosOfRest(turns.r);
  const float y = turns.n & 1 ? -cosine / sine : sine / cosine;
  return x == 0.0f ? x : y;
}

// MARK: - Inverse functions

inline constexpr float kHalfPi = 0x1.921fb6p+0f;
/// π/2 − kHalfPi.
inline constexpr float kHalfPiRest = -0x1.777a5cp-25f;

/// atan of numbers within 0...1.
AIT_INLINE float atanOfUnit(float z) {
  const float s = z * z;
  const float p = polynomial(s, -0x1.55553ep-2f, 0x1.9991e6p-3f, -0x1.2420b6p-3f, 0x1.c08f64p-4f,
                             -0x1.58155ep-4f, 0x1.da5ed4p-5f, -0x1.fdfc1cp-6f, 0x1.64c1cep-7f,
                             -0x1.d4984ap-10f);
  return mulAdd(z * s, p, z);
}

/// π/2 − x.
AIT_INLINE float complementOf(float x) { return kHalfPi - (x - kHalfPiRest); }

AIT_INLINE float atan(float x) {
  const float t = abs(x);
  const bool isSteep = t > 1.0f;
  const float angle = atanOfUnit(isSteep ? 1.0f / t : t);
  return copysign(isSteep ? complementOf(angle) : angle, x);
}

/// The angle of the point (x, y), with the special cases of C's atan2.
AIT_INLINE float atan2(float y, float x) {
  const float a = abs(x);
  const float b = abs(y);
  const bool isSteep = b > a;
  // 0/0 counts as 0 and infinity/infinity as 1; NaN stays.
  float ratio = (isSteep ? a : b) / (isSteep ? b : a);
  if (a == 0.0f && b == 0.0f) ratio = 0.0f;
  if (a == b && a == kInfinityOf<float>) ratio = 1.0f;
  float angle = atanOfUnit(ratio);
  if (isSteep) angle = complementOf(angle);
  if (hasSignBit(x)) angle = 2 * kHalfPi - (angle - 2 * kHalfPiRest);
  return x != x ? x : copysign(angle, y);
}

/// asin of numbers within 0...½.
AIT_INLINE float asinOfHalf(float z) {
  const float s = z * z;
  const float p =
      polynomial(s, 0x1.5555c8p-3f, 0x1.330204p-4f, 0x1.747bb8p-5f, 0x1.8c3e50p-6f, 0x1.595c60p-5f);
  return mulAdd(z * s, p, z);
}

/// NaN outside −1...1.
AIT_INLINE float asin(float x) {
  const float t = abs(x);
  const bool isLarge = t > 0.5f;
  // asin t = π/2 − 2 asin √((1 − t)/2)
  const float angle = asinOfHalf(isLarge ? sqrt((1.0f - t) * 0.5f) : t);
  return copysign(isLarge ? complementOf(angle + angle) : angle, x);
}

/// NaN outside −1...1.
AIT_INLINE float acos(float x) {
  const float t = abs(x);
  const bool isLarge = t > 0.5f;
  const float angle = asinOfHalf(isLarge ? sqrt((1.0f - t) * 0.5f) : t);
  // acos t = 2 asin √((1 − t)/2), acos −t = π − acos t, and near 0 π/2 − asin x.
  const float twice = angle + angle;
  const float mirrored = 2 * kHalfPi - (twice - 2 * kHalfPiRest);
  const float ofLarge = x < 0.0f ? mirrored : twice;
  return isLarge ? ofLarge : complementOf(x < 0.0f ? -angle : angle);
}

}  // namespace ait
