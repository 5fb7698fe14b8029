// Functions of floats computed in double: those that need more bits on the way than a float has,
// and are too rare for double-float arithmetic to be worth its code. The results are rounded once.
#pragma once

#include "ait/cpu/math_basic.h"

namespace ait {

// MARK: - Exponential and logarithm in double, to about 45 bits

/// An integer as a double and as an int64_t.
template <int W>
struct WideWholeNumber {
  Vec<double, W> number;
  Vec<int64_t, W> integer;
};

/// The integer nearest to x, for magnitudes below 2^51; see `nearestInteger`.
template <int W>
AIT_INLINE WideWholeNumber<W> nearestWideInteger(Vec<double, W> x) {
  const auto magic = constant<double, W>(0x1.8p52);
  const auto shifted = x + magic;
  return {shifted - magic, bitCast<int64_t>(shifted) - constant<int64_t, W>(0x4338000000000000)};
}

/// 2^x, 0 below -1000 and huge above 1000; NaN stays. Converting the result to float gives 0,
/// subnormal numbers and infinity where 2^x has them.
template <int W>
AIT_INLINE Vec<double, W> wideExp2(Vec<double, W> x) {
  const auto limit = constant<double, W>(1000);
  x = select(x > limit, limit, x);
  x = select(x < -limit, -limit, x);
  const auto n = nearestWideInteger(x);
  const auto r = x - n.number;
  const auto q = polynomial(r, 0x1.62e42fefa37d0p-1, 0x1.ebfbdff81bd71p-3, 0x1.c6b08d70c8d47p-5,
                            0x1.3b2ab724219ecp-7, 0x1.5d87fd92ff2e9p-10, 0x1.430897d584194p-13,
                            0x1.ffce30f826b4cp-17, 0x1.63e6b8a1dbadfp-20, 0x1.b3dd543c4468dp-24);
  const auto p = mulAdd(q, r, constant<double, W>(1));
  const auto scale = (n.integer.native + 1023) << 52;
  return p * bitCast<double>(Vec<int64_t, W>(scale));
}

/// log2 of a positive double that is a float.
template <int W>
AIT_INLINE Vec<double, W> wideLog2(Vec<double, W> x) {
  const auto bits = bitCast<int64_t>(x).native;
  const auto e = (bits - 0x3fe6a09e667f3bcd) >> 52;  // of √½
  const auto m = bitCast<double>(Vec<int64_t, W>(bits - (e << 52)));
  // The addition converts what a target without 64-bit conversions would take apart.
  const auto magic = constant<double, W>(0x1.8p52);
  const auto number = bitCast<double>(Vec<int64_t, W>(e + 0x4338000000000000)) - magic;
  const auto one = constant<double, W>(1);
  const auto s = (m - one) / (m + one);
  const auto p = polynomial(s * s, 0x1.71547652b8252p+1, 0x1.ec709dc53cf98p-1, 0x1.2776c291e0c25p-1,
                            0x1.a61a30301bab1p-2, 0x1.4795136382a86p-2, 0x1.21b5108f4ce5dp-2);
  return mulAdd(s, p, number);
}

// MARK: - Powers

/// x to the power y, with the special cases of C's pow.
template <int W>
AIT_INLINE Vec<float, W> power(Vec<float, W> x, Vec<float, W> y) {
  const auto zero = constant<float, W>(0);
  const auto one = constant<float, W>(1);
  const auto infinity = constant<float, W>(__builtin_inff());
  const auto magnitude = abs(x);
  const auto log = wideLog2(convert<double>(magnitude));
  const auto product = log * convert<double>(y);
  auto result = convert<float>(wideExp2(product));
  const auto grows = y > zero;
  result = select((magnitude == zero), select(grows, zero, infinity), result);
  result = select((magnitude == infinity), select(grows, infinity, zero), result);
  const auto isInteger = trunc(y) == y;
  const auto half = y * constant<float, W>(0.5f);
  const auto isOdd = isInteger & (trunc(half) != half);
  const auto isNegative = bitCast<int32_t>(x) < constant<int32_t, W>(0);
  result = select(isNegative & isOdd, -result, result);
  const auto isUndefined = (x < zero) & (x > -infinity) & !isInteger;
  result = select(isUndefined, constant<float, W>(__builtin_nanf("")), result);
  result = select(isNaN(x) | isNaN(y), x + y, result);
  const auto isOne = (x == one) | (y == zero) | ((magnitude == one) & (abs(y) == infinity));
  return select(isOne, one, result);
}

// MARK: - Hyperbolic functions

template <int W>
AIT_INLINE Vec<float, W> cosh(Vec<float, W> x) {
  const auto e = wideExp2(convert<double>(abs(x)) * constant<double, W>(0x1.71547652b82fep+0));
  const auto half = constant<double, W>(0.5);
  return convert<float>(mulAdd(half, e, half / e));
}

template <int W>
AIT_INLINE Vec<float, W> sinh(Vec<float, W> x) {
  const auto t = convert<double>(abs(x));
  const auto e = wideExp2(t * constant<double, W>(0x1.71547652b82fep+0));
  const auto half = constant<double, W>(0.5);
  const auto large = half * e - half / e;
  // The difference has lost too many bits below 2^-6, where t + t³/6 + t⁵/120 has them all.
  const auto s = t * t;
  const auto p = polynomial(s, 0x1.5555555555555p-3, 0x1.1111111111111p-7);
  const auto small = mulAdd(t * s, p, t);
  const auto result = select(t < constant<double, W>(0x1p-6), small, large);
  return copysign(convert<float>(result), x);
}

/// The square root of x² + y² without overflow on the way.
template <int W>
AIT_INLINE Vec<float, W> hypot(Vec<float, W> x, Vec<float, W> y) {
  const auto a = convert<double>(x);
  const auto b = convert<double>(y);
  const auto result = convert<float>(sqrt(mulAdd(a, a, b * b)));
  return select(isInfinite(x) | isInfinite(y), constant<float, W>(__builtin_inff()), result);
}

// MARK: - The complementary error function

template <int W>
AIT_INLINE Vec<float, W> erfc(Vec<float, W> x) {
  // From 10.1 on the result is below the least float.
  const auto limit = constant<float, W>(10.15625f);
  const auto magnitude = abs(x);
  const auto t = convert<double>(select(magnitude > limit, limit, magnitude));
  // e^(t²) (1 + 2 t) erfc t varies little, and smoothly in (t - 4) / (t + 4).
  const auto four = constant<double, W>(4);
  const auto q = (t - four) / (t + four);
  const auto p = polynomial(q, 0x1.3ba5916f21bc1p+0, -0x1.1df1ad5f08bfap-3, 0x1.f7f5adfc00337p-7,
                            0x1.16ed10e2fb1b6p-4, -0x1.9dda4c156b62cp-4, 0x1.7fec5d6691f97p-4,
                            -0x1.0fbb8e70cf7bdp-4, 0x1.307e4e73d5d58p-5, -0x1.086db0bf30bc0p-6,
                            0x1.4d073196413cfp-8, -0x1.c1707cc835225p-11, -0x1.90b12a5a54ae4p-12,
                            0x1.455eed8855744p-14);
  const auto e = wideExp2(t * t * constant<double, W>(-0x1.71547652b82fep+0));
  const auto ofMagnitude = p * e / mulAdd(constant<double, W>(2), t, constant<double, W>(1));
  const auto isNegative = convert<double>(x) < constant<double, W>(0);
  const auto result = select(isNegative, constant<double, W>(2) - ofMagnitude, ofMagnitude);
  return convert<float>(result);
}

}  // namespace ait
