// Exponentials and logarithms of floats and what is made of them. The polynomials are minimax fits
// of the relative error; error bounds are measured by Benchmarks/native/math_accuracy.cpp over all
// floats and stand in the table of math.h.
#pragma once

#include "ait/cpu/math_basic.h"

namespace ait {

inline constexpr float kInfinity = __builtin_inff();

// MARK: - Powers of two

/// An integer as a float and as an int32_t.
template <int W>
struct WholeNumber {
  Vec<float, W> number;
  Vec<int32_t, W> integer;
};

/// The integer nearest to `x * factor`, halves to even, for magnitudes below 2^22. NaN gives NaN
/// and some integer: the addition is what keeps this defined where a conversion is not.
template <int W>
AIT_INLINE WholeNumber<W> nearestInteger(Vec<float, W> x, float factor) {
  const auto magic = constant<float, W>(0x1.8p23f);
  const auto shifted = mulAdd(x, constant<float, W>(factor), magic);
  return {shifted - magic, bitCast<int32_t>(shifted) - constant<int32_t, W>(0x4b400000)};
}

/// x · 2^n for x near 1 and any |n| <= 252, rounded once: subnormal and infinite results are right.
template <int W>
AIT_INLINE Vec<float, W> timesPowerOfTwo(Vec<float, W> x, WholeNumber<W> n) {
#if defined(__AVX512F__)
  if constexpr (W == 16) {
    return Vec<float, W>(__builtin_ia32_scalefps512_mask(
        x.native, n.number.native, typename Vec<float, W>::Native{}, 0xffff, 4));
  }
#endif
  // Two factors, as one alone would not reach subnormal results.
  const auto half = n.integer.native >> 1;
  const auto first = (half + 127) << 23;
  const auto second = (n.integer.native - half + 127) << 23;
  using Float = typename Vec<float, W>::Native;
  return Vec<float, W>(x.native * (Float)first * (Float)second);
}

/// The number within bounds; NaN stays.
template <int W>
AIT_INLINE Vec<float, W> limited(Vec<float, W> x, float least, float greatest) {
  const auto low = constant<float, W>(least);
  const auto high = constant<float, W>(greatest);
  x = select(x > high, high, x);
  return select(x < low, low, x);
}

// MARK: - Exponentials

/// x = n ln 2 + r with |r| <= ln 2 / 2.
template <int W>
struct ExponentSplit {
  WholeNumber<W> n;
  Vec<float, W> r;
};

template <int W>
AIT_INLINE ExponentSplit<W> splitExponent(Vec<float, W> x) {
  const auto n = nearestInteger(x, 0x1.715476p+0f);
  // The upper part of ln 2 has so few bits that its product with n is exact.
  const auto r = mulAdd(n.number, constant<float, W>(-0x1.62e4p-1f), x);
  return {n, mulAdd(n.number, constant<float, W>(-0x1.7f7d1cp-20f), r)};
}

/// e^r - 1 for |r| <= ln 2 / 2.
template <int W>
AIT_INLINE Vec<float, W> expm1OfRest(Vec<float, W> r) {
  const auto q = polynomial(r, 0x1p-1f, 0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d6p-7f,
                            0x1.6d3a5ep-10f, 0x1.9e77eap-13f);
  return mulAdd(r * r, q, r);
}

/// exp of numbers within -104...89.
template <int W>
AIT_INLINE Vec<float, W> expWithinLimits(Vec<float, W> x) {
  const auto [n, r] = splitExponent(x);
  return timesPowerOfTwo(expm1OfRest(r) + constant<float, W>(1), n);
}

template <int W>
AIT_INLINE Vec<float, W> exp(Vec<float, W> x) {
  // Beyond these the result is infinite or 0.
  return expWithinLimits(limited(x, -104.0f, 89.0f));
}

template <int W>
AIT_INLINE Vec<float, W> exp2(Vec<float, W> x) {
  x = limited(x, -151.0f, 129.0f);
  const auto n = nearestInteger(x, 1.0f);
  const auto r = x - n.number;
  const auto q = polynomial(r, 0x1.62e430p-1f, 0x1.ebfbdcp-3f, 0x1.c6af7ap-5f, 0x1.3b2ddap-7f,
                            0x1.5f0976p-10f, 0x1.417284p-13f);
  return timesPowerOfTwo(mulAdd(q, r, constant<float, W>(1)), n);
}

template <int W>
AIT_INLINE Vec<float, W> expm1(Vec<float, W> x) {
  const auto [n, r] = splitExponent(limited(x, -18.0f, 89.0f));
  // e^x - 1 = 2^n (e^r - 1) + (2^n - 1). One factor of 2 is left for the end where n is at the
  // limit of float; the 1 does not count there.
  const auto isLarge = n.integer > constant<int32_t, W>(126);
  const auto exponent = n.integer.native + isLarge.native + 127;
  const auto scale = bitCast<float>(Vec<int32_t, W>(exponent << 23));
  const auto result = mulAdd(expm1OfRest(r), scale, scale - constant<float, W>(1));
  // -0 has come out as 0.
  return copysign(select(isLarge, result + result, result), x);
}

/// 1 / (1 + e^-x).
template <int W>
AIT_INLINE Vec<float, W> sigmoid(Vec<float, W> x) {
  // With e^-|x| nothing overflows, and results that are subnormal come out as e^x.
  const auto e = exp(-abs(x));
  const auto one = constant<float, W>(1);
  return select(x < constant<float, W>(0), e, one) / (one + e);
}

template <int W>
AIT_INLINE Vec<float, W> tanh(Vec<float, W> x) {
  const auto one = constant<float, W>(1);
  // Near 0, x + x³ P(x²).
  const auto t = limited(abs(x), 0.0f, 10.0f);
  const auto s = t * t;
  const auto p = polynomial(s, -0x1.555532p-2f, 0x1.1106f6p-3f, -0x1.b835a6p-5f, 0x1.51f8eep-6f,
                            -0x1.750dcep-8f);
  const auto small = mulAdd(t * s, p, t);
  // Further out, 1 - 2 / (e^2t + 1), which is 1 in float from 9.02 on.
  const auto e = expWithinLimits(t + t);
  const auto large = one - constant<float, W>(2) / (e + one);
  return copysign(select(t < constant<float, W>(0.625f), small, large), x);
}

// MARK: - Logarithms

/// x = 2^e (1 + f) with 1 + f in [√½, √2), and log(1 + f) = f + y: the parts of a logarithm of
/// any base, for positive finite x.
template <int W>
struct LogarithmSplit {
  Vec<float, W> e;
  Vec<float, W> f;
  Vec<float, W> y;
};

template <int W>
AIT_INLINE LogarithmSplit<W> splitLogarithm(Vec<float, W> x) {
  const auto isSubnormal = x < constant<float, W>(0x1p-126f);
  x = select(isSubnormal, x * constant<float, W>(0x1p23f), x);
  const auto bits = bitCast<int32_t>(x).native;
  const auto e = (bits - 0x3f3504f3) >> 23;
  const auto mantissa = bitCast<float>(Vec<int32_t, W>(bits - (e << 23)));
  const auto number = convert<float>(Vec<int32_t, W>(e + (isSubnormal.native & -23)));
  const auto f = mantissa - constant<float, W>(1);
  const auto p =
      polynomial(f, 0x1.555548p-2f, -0x1.000006p-2f, 0x1.99a478p-3f, -0x1.555c4ep-3f,
                 0x1.233b78p-3f, -0x1.fc26b2p-4f, 0x1.e6c04ap-4f, -0x1.de0fbep-4f, 0x1.14844cp-4f);
  return {number, f, f * f * mulAdd(f, p, constant<float, W>(-0.5f))};
}

/// a + b + rest, rounded about once, where |a| >= |b| or a is 0.
template <int W>
AIT_INLINE Vec<float, W> sumOfOrdered(Vec<float, W> a, Vec<float, W> b, Vec<float, W> rest) {
  const auto sum = a + b;
  return sum + ((b - (sum - a)) + rest);
}

/// The results of a logarithm for which there is none: 0, infinity, negative numbers and NaN.
template <int W>
AIT_INLINE Vec<float, W> withLogarithmLimits(Vec<float, W> x, Vec<float, W> result) {
  const auto zero = constant<float, W>(0);
  const auto infinity = constant<float, W>(kInfinity);
  const auto ofNegative = select(x < zero, constant<float, W>(__builtin_nanf("")), x);
  const auto limit = select(x == zero, -infinity, ofNegative);
  return select((x > zero) & (x < infinity), result, limit);
}

template <int W>
AIT_INLINE Vec<float, W> log(Vec<float, W> x) {
  const auto [e, f, y] = splitLogarithm(x);
  const auto high = e * constant<float, W>(0x1.62e4p-1f);  // exact
  const auto rest = mulAdd(e, constant<float, W>(0x1.7f7d1cp-20f), y);
  return withLogarithmLimits(x, sumOfOrdered(high, f, rest));
}

/// log_b x from the logarithms of 2 and e to the base b, each in two parts of which the upper one
/// has 12 bits, so that its products here are exact.
template <int W>
AIT_INLINE Vec<float, W> logarithm(Vec<float, W> x, float highOf2, float lowOf2, float highOfE,
                                   float lowOfE) {
  const auto [e, f, y] = splitLogarithm(x);
  const auto highF = bitCast<float>(bitCast<int32_t>(f) & constant<int32_t, W>(~0xfff));
  const auto base = constant<float, W>(highOfE);
  const auto low = constant<float, W>(lowOfE);
  auto rest = mulAdd(f - highF + y, base, (f + y) * low);
  rest = mulAdd(e, constant<float, W>(lowOf2), rest);
  const auto high = e * constant<float, W>(highOf2);
  return withLogarithmLimits(x, sumOfOrdered(high, highF * base, rest));
}

template <int W>
AIT_INLINE Vec<float, W> log2(Vec<float, W> x) {
  return logarithm(x, 1.0f, 0.0f, 0x1.714p+0f, 0x1.47652cp-12f);
}

template <int W>
AIT_INLINE Vec<float, W> log10(Vec<float, W> x) {
  return logarithm(x, 0x1.344p-2f, 0x1.3509f8p-18f, 0x1.bcap-2f, 0x1.7b1526p-14f);
}

template <int W>
AIT_INLINE Vec<float, W> log1p(Vec<float, W> x) {
  const auto one = constant<float, W>(1);
  const auto sum = one + x;
  // What the sum has lost, relative to it: log(sum + lost) = log(sum) + lost / sum.
  const auto part = sum - one;
  const auto lost = (one - (sum - part)) + (x - part);
  const auto correction = lost / sum;
  const auto [e, f, y] = splitLogarithm(sum);
  const auto high = e * constant<float, W>(0x1.62e4p-1f);
  const auto rest = mulAdd(e, constant<float, W>(0x1.7f7d1cp-20f), y + correction);
  const auto result = withLogarithmLimits(sum, sumOfOrdered(high, f, rest));
  // -1 and infinity have no correction; of tiny numbers, -0 among them, it is all there is.
  return select(x == constant<float, W>(0), x, result);
}

}  // namespace ait
