// Exponentials and logarithms of floats and what is made of them. The polynomials are minimax fits
// of the relative error; error bounds stand in the table of math.h.
#pragma once

#include "ait/gpu/math_basic.h"

namespace ait {

// MARK: - Exponentials

/// 2^x, results below the normal numbers included: the special-function unit takes those for 0.
AIT_INLINE float exp2(float x) {
  const bool isSmall = x < -0x1.f8p+6f;
  return exp2Approximate(isSmall ? x + 32.0f : x) * (isSmall ? 0x1p-32f : 1.0f);
}

AIT_INLINE float exp(float x) {
  // The product is exact in two parts, so that large x keep their digits; beyond the limits the
  // result is 0 or infinity whatever the second part.
  const float high = x * 0x1.715476p+0f;
  const float low = mulAdd(x, 0x1.715476p+0f, -high) + x * 0x1.4ae0cp-26f;
  const float y = exp2(high);
  return high > -0x1.3p+7f && high < 0x1.0p+7f ? mulAdd(y, low * 0x1.62e43p-1f, y) : y;
}

/// The integer nearest to `x`, halves to even, for magnitudes below 2^22; NaN gives some integer.
AIT_INLINE int nearestInteger(float x) { return bitCast<int32_t>(x + 0x1.8p23f) - 0x4b400000; }

/// The number within bounds; NaN stays.
AIT_INLINE float limited(float x, float least, float greatest) {
  x = x > greatest ? greatest : x;
  return x < least ? least : x;
}

/// e^r − 1 for |r| <= ln 2 / 2.
AIT_INLINE float expm1OfRest(float r) {
  const float q = polynomial(r, 0x1p-1f, 0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d6p-7f,
                             0x1.6d3a5ep-10f, 0x1.9e77eap-13f);
  return mulAdd(r * r, q, r);
}

AIT_INLINE float expm1(float x) {
  const float t = limited(x, -18.0f, 89.0f);
  // t = n ln 2 + r; the upper part of ln 2 has so few bits that its product with n is exact.
  const int n = nearestInteger(t * 0x1.715476p+0f);
  const float number = static_cast<float>(n);
  const float r = mulAdd(number, -0x1.7f7d1cp-20f, mulAdd(number, -0x1.62e4p-1f, t));
  // e^x − 1 = 2^n (e^r − 1) + (2^n − 1). One factor of 2 is left for the end where n is at the
  // limit of float; the 1 does not count there.
  const bool isLarge = n > 126;
  const float scale = floatOf(static_cast<uint32_t>(n - (isLarge ? 1 : 0) + 127) << 23);
  const float result = mulAdd(expm1OfRest(r), scale, scale - 1.0f);
  // −0 has come out as 0.
  const float y = copysign(isLarge ? result + result : result, x);
  return x != x ? x : y;
}

/// 1 / (1 + e^-x) in as few instructions as there can be, since products end with it. The relative
/// error is 2^-21 (1 + |x|) at most, the absolute one 2^-22; below -87 the result is 0.
AIT_INLINE float sigmoid(float x) {
  return reciprocalApproximate(1 + exp2Approximate(x * -0x1.715476p+0f));
}

namespace approximate {

/// 1 / (1 + e^-x) with an absolute error of 2^-12: for results that are stored in 16 bits.
AIT_INLINE float sigmoid(float x) {
  return fusedMultiplyAdd(tanhApproximate(0.5f * x), 0.5f, 0.5f);
}

}  // namespace approximate

AIT_INLINE float tanh(float x) {
  // Near 0, x + x³ P(x²).
  const float t = limited(abs(x), 0.0f, 10.0f);
  const float s = t * t;
  const float p = polynomial(s, -0x1.555532p-2f, 0x1.1106f6p-3f, -0x1.b835a6p-5f, 0x1.51f8eep-6f,
                             -0x1.750dcep-8f);
  const float small = mulAdd(t * s, p, t);
  // Further out, 1 − 2 / (e^2t + 1), which is 1 in float from 9.02 on.
  const float e = exp2Approximate(t * 0x1.715476p+1f);
  const float large = mulAdd(-2.0f, reciprocalApproximate(e + 1.0f), 1.0f);
  return copysign(t < 0.625f || x != x ? small : large, x);
}

// MARK: - Logarithms

/// x = 2^e (1 + f) with 1 + f in [√½, √2), and log(1 + f) = f + y: the parts of a logarithm of
/// any base, for positive finite x.
struct LogarithmSplit {
  float e;
  float f;
  float y;
};

AIT_INLINE LogarithmSplit splitLogarithm(float x) {
  const bool isSubnormal = x < 0x1p-126f;
  const int32_t bits = bitCast<int32_t>(isSubnormal ? x * 0x1p23f : x);
  const int32_t e = (bits - 0x3f3504f3) >> 23;
  const float mantissa =
      bitCast<float>(bits - static_cast<int32_t>(static_cast<uint32_t>(e) << 23));
  const float number = static_cast<float>(e - (isSubnormal ? 23 : 0));
  const float f = mantissa - 1.0f;
  const float p =
      polynomial(f, 0x1.555548p-2f, -0x1.000006p-2f, 0x1.99a478p-3f, -0x1.555c4ep-3f,
                 0x1.233b78p-3f, -0x1.fc26b2p-4f, 0x1.e6c04ap-4f, -0x1.de0fbep-4f, 0x1.14844cp-4f);
  return {number, f, f * f * mulAdd(f, p, -0.5f)};
}

/// a + b + rest, rounded about once, where |a| >= |b| or a is 0.
AIT_INLINE float sumOfOrdered(float a, float b, float rest) {
  const float sum = a + b;
  return sum + ((b - (sum - a)) + rest);
}

/// The results of a logarithm for which there is none: 0, infinity, negative numbers and NaN.
AIT_INLINE float withLogarithmLimits(float x, float result) {
  if (x > 0.0f && x < kInfinityOf<float>) return result;
  return x == 0.0f ? -kInfinityOf<float> : x < 0.0f ? notANumber<float>() : x;
}

AIT_INLINE float log(float x) {
  const auto [e, f, y] = splitLogarithm(x);
  const float high = e * 0x1.62e4p-1f;  // exact
  return withLogarithmLimits(x, sumOfOrdered(high, f, mulAdd(e, 0x1.7f7d1cp-20f, y)));
}

/// log_b x from the logarithms of 2 and e to the base b, each in two parts of which the upper one
/// has 12 bits, so that its products here are exact.
AIT_INLINE float logarithm(float x, float highOf2, float lowOf2, float highOfE, float lowOfE) {
  const auto [e, f, y] = splitLogarithm(x);
  const float highF = floatOf(bitsOf(f) & ~0xfffu);
  float rest = mulAdd(f - highF + y, highOfE, (f + y) * lowOfE);
  rest = mulAdd(e, lowOf2, rest);
  return withLogarithmLimits(x, sumOfOrdered(e * highOf2, highF * highOfE, rest));
}

AIT_INLINE float log2(float x) { return logarithm(x, 1.0f, 0.0f, 0x1.714p+0f, 0x1.47652cp-12f); }

AIT_INLINE float log10(float x) {
  return logarithm(x, 0x1.344p-2f, 0x1.3509f8p-18f, 0x1.bcap-2f, 0x1.7b1526p-14f);
}

AIT_INLINE float log1p(float x) {
  const float sum = 1.0f + x;
  // What the sum has lost, relative to it: log(sum + lost) = log(sum) + lost / sum.
  const float part = sum - 1.0f;
  const float lost = (1.0f - (sum - part)) + (x - part);
  const auto [e, f, y] = splitLogarithm(sum);
  const float rest = mulAdd(e, 0x1.7f7d1cp-20f, y + lost / sum);
  const float result = withLogarithmLimits(sum, sumOfOrdered(e * 0x1.62e4p-1f, f, rest));
  // −1 and infinity have no correction; of tiny numbers, −0 among them, it is all there is.
  return x == 0.0f ? x : result;
}

}  // namespace ait
