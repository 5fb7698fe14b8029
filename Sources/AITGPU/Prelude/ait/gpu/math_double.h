// Exponentials, logarithms, powers and error functions of doubles. Series are Taylor's where the
// argument is small enough for them, minimax fits of the relative error elsewhere; error bounds
// stand in the table of math.h.
#pragma once

#include "ait/gpu/math_special.h"

namespace ait {

// MARK: - Exponentials

/// e^r − 1 for |r| <= ln 2 / 2 and a bit.
AIT_INLINE double expm1OfRest(double r) {
  const double q =
      polynomial(r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
                 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800);
  return mulAdd(r * r, q, r);
}

/// x · 2^n for x near 1 and |n| <= 1100, rounded once: in two factors, as one alone would not reach
/// subnormal results.
AIT_INLINE double timesPowerOfTwo(double x, int n) {
  const int half = n >> 1;
  return x * powerOfTwo<double>(half) * powerOfTwo<double>(n - half);
}

AIT_INLINE double limited(double x, double least, double greatest) {
  x = x > greatest ? greatest : x;
  return x < least ? least : x;
}

/// The integer nearest to x, for magnitudes below 2^31; NaN gives some integer.
AIT_INLINE int nearestInteger(double x) {
  return static_cast<int>(static_cast<uint32_t>(bitCast<uint64_t>(x + 0x1.8p52)));
}

/// x = n ln 2 + r; the upper part of ln 2 has so few bits that its product with n is exact.
struct ExponentSplit {
  int n;
  double r;
};
AIT_INLINE ExponentSplit splitExponent(double x) {
  const int n = nearestInteger(x * 0x1.71547652b82fep+0);
  const double number = static_cast<double>(n);
  return {n, mulAdd(number, -0x1.a39ef35793c76p-33, mulAdd(number, -0x1.62e42feep-1, x))};
}

AIT_INLINE double exp(double x) {
  const auto [n, r] = splitExponent(limited(x, -750.0, 710.0));
  return timesPowerOfTwo(1.0 + expm1OfRest(r), n);
}

AIT_INLINE double exp2(double x) {
  const double t = limited(x, -1080.0, 1025.0);
  const int n = nearestInteger(t);
  const double r = t - static_cast<double>(n);
  return timesPowerOfTwo(1.0 + expm1OfRest(r * 0x1.62e42fefa39efp-1), n);
}

AIT_INLINE double expm1(double x) {
  const auto [n, r] = splitExponent(limited(x, -40.0, 710.0));
  // e^x − 1 = 2^n (e^r − 1) + (2^n − 1). One factor of 2 is left for the end where n is at the
  // limit of double; the 1 does not count there.
  const bool isLarge = n > 1022;
  const double scale = powerOfTwo<double>(n - (isLarge ? 1 : 0));
  const double result = mulAdd(expm1OfRest(r), scale, scale - 1.0);
  const double y = copysign(isLarge ? result + result : result, x);
  return x != x ? x : y;
}

AIT_INLINE double sigmoid(double x) {
  // With e^-|x| nothing overflows, and results that are subnormal come out as e^x.
  const double e = exp(-abs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

// MARK: - Hyperbolic functions

AIT_INLINE double tanh(double x) {
  const double e = expm1(limited(2.0 * abs(x), 0.0, 40.0));
  return copysign(e / (e + 2.0), x);
}

AIT_INLINE double cosh(double x) {
  const double t = abs(x);
  const double h = exp(0.5 * t);
  // The half comes before the last product, which may be twice what a double holds.
  return t > 20.0 ? 0.5 * h * h : 0.5 * (h * h + 1.0 / (h * h));
}

AIT_INLINE double sinh(double x) {
  const double t = abs(x);
  double y;
  if (t > 20.0) {
    const double h = exp(0.5 * t);
    y = 0.5 * h * h;
  } else {
    const double e = expm1(t);
    y = 0.5 * (e + e / (e + 1.0));
  }
  return copysign(y, x);
}

// MARK: - Logarithms

/// x = 2^e (1 + f) with 1 + f in [√½, √2), for positive finite x.
struct WideLogarithmSplit {
  double e;
  double f;
};
AIT_INLINE WideLogarithmSplit splitLogarithm(double x) {
  const bool isSubnormal = x < 0x1p-1022;
  const int64_t bits = bitCast<int64_t>(isSubnormal ? x * 0x1p54 : x);
  const int64_t e = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const double m = bitCast<double>(bits - static_cast<int64_t>(static_cast<uint64_t>(e) << 52));
  return {static_cast<double>(static_cast<int>(e) - (isSubnormal ? 54 : 0)), m - 1.0};
}

/// log(1 + f) = f + y: with s = f / (2 + f), f − f²/2 + s (f²/2 + R) and R = 2 s²/3 + 2 s⁴/5 ….
AIT_INLINE double logarithmRest(double f) {
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double r = z * polynomial(z, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13,
                                  2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23);
  const double half = 0.5 * f * f;
  return mulAdd(s, half + r, -half);
}

AIT_INLINE double withLogarithmLimits(double x, double result) {
  if (x > 0.0 && x < kInfinityOf<double>) return result;
  return x == 0.0 ? -kInfinityOf<double> : x < 0.0 ? notANumber<double>() : x;
}

/// log x + rest.
AIT_INLINE double logarithmWith(double x, double rest) {
  const auto [e, f] = splitLogarithm(x);
  rest += mulAdd(e, 0x1.a39ef35793c76p-33, logarithmRest(f));
  return withLogarithmLimits(x, mulAdd(e, 0x1.62e42feep-1, f + rest));
}

AIT_INLINE double log(double x) { return logarithmWith(x, 0.0); }

AIT_INLINE double log2(double x) {
  const auto [e, f] = splitLogarithm(x);
  return withLogarithmLimits(x, mulAdd(f + logarithmRest(f), 0x1.71547652b82fep+0, e));
}

AIT_INLINE double log10(double x) {
  const auto [e, f] = splitLogarithm(x);
  const double rest = mulAdd(f + logarithmRest(f), 0x1.bcb7b1526e50ep-2, e * 0x1.f79fef311f12bp-34);
  return withLogarithmLimits(x, mulAdd(e, 0x1.34413508p-2, rest));
}

AIT_INLINE double log1p(double x) {
  const double sum = 1.0 + x;
  // What the sum has lost, relative to it: log(sum + lost) = log(sum) + lost / sum.
  const double part = sum - 1.0;
  const double lost = (1.0 - (sum - part)) + (x - part);
  const double correction = sum > 0.0 && sum < kInfinityOf<double> ? lost / sum : 0.0;
  return x == 0.0 ? x : logarithmWith(sum, correction);
}

// MARK: - Powers

/// The logarithm to the base 2 is a sum of two doubles, exact to 2^-68 or so: its product with y
/// may be 1000, of which the fraction counts.
AIT_INLINE double power(double x, double y) {
  const auto [e, f] = splitLogarithm(abs(x));
  // s = f / (2 + f) in two parts.
  const double sum = 2.0 + f;
  const double lostOfSum = f - (sum - 2.0);
  const double s = f / sum;
  const double lowOfS = (mulAdd(-s, sum, f) - s * lostOfSum) / sum;
  // log2(1 + f) = 2/ln 2 · (s + s³/3 + s⁵/5 …), of which the first term has to be exact.
  const double z = s * s;
  const double p = polynomial(z, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15,
                              1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23);
  constexpr double kFactor = 0x1.71547652b82fep+1;
  const double first = s * kFactor;
  const double rest = mulAdd(s, kFactor, -first) +
                      mulAdd(mulAdd(z * s, p, lowOfS), kFactor, s * 0x1.777d0ffda0d24p-55);
  const double head = e + first;
  const double tail = (e == 0.0 ? 0.0 : first - (head - e)) + rest;
  const double log = head + tail;
  const double lowOfLog = tail - (log - head);
  // 2^(y log) from the nearest integer and the rest.
  const double product = y * log;
  const double lowOfProduct = mulAdd(y, log, -product) + y * lowOfLog;
  const double t = limited(product, -1080.0, 1025.0);
  const int n = nearestInteger(t);
  const double r = (t - static_cast<double>(n)) + (t == product ? lowOfProduct : 0.0);
  const double result = timesPowerOfTwo(1.0 + expm1OfRest(r * 0x1.62e42fefa39efp-1), n);
  return withPowerLimits(x, y, result);
}

// MARK: - Error functions

/// erfc of numbers within 0...27.3, below which the result is a double.
AIT_INLINE double erfcOfMagnitude(double t) {
  // e^(t²) (1 + 2 t) erfc t varies little, and smoothly in (t − 4) / (t + 4).
  const double q = (t - 4.0) / (t + 4.0);
  const double p = polynomial(
      q, 0x1.3ba5916e9fd7fp+0, -0x1.1df1ad154a29bp-3, 0x1.f7f5df66fda3bp-7, 0x1.16ecefcfa5f3ap-4,
      -0x1.9ddb23c3e9fb2p-4, 0x1.7fee004df8773p-4, -0x1.0fb06dfe3bef1p-4, 0x1.3079edf9d438ap-5,
      -0x1.0962388575d3dp-6, 0x1.49c671953a88ap-8, -0x1.8d4a9beffcd59p-11, -0x1.a1de80f07b43ap-13,
      0x1.3be0949a56ceap-13, -0x1.996ac25a119b6p-16, -0x1.789f2faea4e1bp-17, 0x1.7fbc1e7027aa8p-18,
      0x1.42a07e6eb1eadp-22, -0x1.c0b4921cfd8cfp-21, 0x1.102911097ee7ap-24, 0x1.f29704cfc1479p-24,
      -0x1.0c71cd3d3187cp-27, -0x1.e12cfcefabf60p-27, -0x1.084b3f27ce2dfp-29);
  // The square in two parts: the power keeps the digits that the first has lost.
  const double s = t * t;
  const double lost = mulAdd(t, t, -s);
  const double e = exp(-s);
  return mulAdd(-lost, e, e) * (p / mulAdd(2.0, t, 1.0));
}

/// x + x P(x²) for |x| <= 1.
AIT_INLINE double erfOfUnit(double x) {
  const double p = polynomial(x * x, 0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2,
                              0x1.ce2f21a042b2fp-4, -0x1.b82ce31284df1p-6, 0x1.565bcd0dba7cep-8,
                              -0x1.c02db3dabced8p-11, 0x1.f9a321d4dab9dp-14, -0x1.f4d1e306e0024p-17,
                              0x1.b9df216542643p-20, -0x1.5f1ec38082bdcp-23, 0x1.f7b46724de981p-27,
                              -0x1.389c36ba235e9p-30, 0x1.05fccb83cf37bp-34);
  return mulAdd(x, p, x);
}

AIT_INLINE double erf(double x) {
  const double t = limited(abs(x), 0.0, 6.0);
  return t <= 1.0 || x != x ? erfOfUnit(x) : copysign(1.0 - erfcOfMagnitude(t), x);
}

AIT_INLINE double erfc(double x) {
  const double y = erfcOfMagnitude(limited(abs(x), 0.0, 27.3));
  return x != x ? x : x < 0.0 ? 2.0 - y : y;
}

AIT_INLINE double gelu(double x) { return x * 0.5 * erfc(x * -0x1.6a09e667f3bcdp-1); }

}  // namespace ait
