// Quotients, remainders and integer powers: functions whose result depends on exactness rather than
// on series.
#pragma once

#include "ait/gpu/math_basic.h"

namespace ait {

// MARK: - Floats

/// What `exactModulus` knows of a type: the bits of a number, and of quotients that it takes at
/// once.
template <class F>
struct FloatFormat;
template <>
struct FloatFormat<float> {
  using Bits = uint32_t;
  static constexpr int kFraction = 23, kBias = 127;
};
template <>
struct FloatFormat<double> {
  using Bits = uint64_t;
  static constexpr int kFraction = 52, kBias = 1023;
};

/// The exponent of a positive finite number.
template <class F>
AIT_INLINE int exponentOf(F x) {
  using Format = FloatFormat<F>;
  constexpr F kScale = F(int64_t{1} << (Format::kFraction + 1));
  const bool isSubnormal = bitCast<typename Format::Bits>(x) >> Format::kFraction == 0;
  const F normal = isSubnormal ? x * kScale : x;
  return static_cast<int>(bitCast<typename Format::Bits>(normal) >> Format::kFraction) -
         Format::kBias - (isSubnormal ? Format::kFraction + 1 : 0);
}

/// 2^n for the exponents of normal numbers.
template <class F>
AIT_INLINE F powerOfTwo(int n) {
  using Format = FloatFormat<F>;
  return bitCast<F>(static_cast<typename Format::Bits>(n + Format::kBias) << Format::kFraction);
}

/// a − b · trunc(a / b) for a quotient of fewer bits than a number has, without a rounding: fused,
/// the product is exact, and the rest is a multiple of the last place of b and less than 2 b.
template <class F>
AIT_INLINE F smallModulus(F a, F b) {
  const F rest = mulAdd(-trunc(a / b), b, a);
  // The quotient may have been rounded up to an integer.
  return rest < F(0) ? rest + b : rest;
}

/// a mod b of positive numbers whose quotient may be large: 22 of its bits at a time.
template <class F>
AIT_DEVICE F largeModulus(F a, F b) {
  AIT_NO_UNROLL
  while (a >= b) {
    // In two factors, as the difference of two exponents may be no exponent. Doubles may be so far
    // apart that the limit counts: the quotient then has up to 52 bits, which is still exact.
    const int shift =
        smaller(larger(0, exponentOf(a) - exponentOf(b) - 22), 2 * FloatFormat<F>::kBias);
    const F multiple = b * powerOfTwo<F>(shift / 2) * powerOfTwo<F>(shift - shift / 2);
    a = smallModulus(a, multiple);
  }
  return a;
}

/// The remainder with the sign of the dividend: C's fmod, torch.fmod.
template <class F>
AIT_INLINE F fmod(F a, F b) {
  const F x = abs(a);
  const F y = abs(b);
  F rest;
  if (x < y) {
    rest = x;  // also where the divisor is infinite
  } else if (!(x < kInfinityOf<F>) || !(y > F(0))) {
    rest = notANumber<F>();
  } else if (x / y < F(0x1p20)) {
    rest = smallModulus(x, y);
  } else {
    rest = largeModulus(x, y);
  }
  return copysign(rest, a);
}

/// Whether a remainder has to move by one divisor for its sign to be that of the divisor.
template <class F>
AIT_INLINE bool hasOtherSign(F modulus, F divisor) {
  return modulus != F(0) && (modulus < F(0)) != (divisor < F(0));
}

/// The remainder with the sign of the divisor: Python's %, torch.remainder.
template <class F>
AIT_INLINE F remainder(F a, F b) {
  const F modulus = fmod(a, b);
  return hasOtherSign(modulus, b) ? modulus + b : modulus;
}

/// The floor of the exact quotient: Python's //, torch.floor_divide.
template <class F>
AIT_INLINE F floorDivide(F a, F b) {
  const F plain = a / b;
  const F modulus = fmod(a, b);
  F quotient = (a - modulus) / b;
  if (hasOtherSign(modulus, b)) quotient -= F(1);
  // The quotient is next to an integer, but for the rounding of the division.
  F result = floor(quotient);
  if (quotient - result > F(0.5)) result += F(1);
  if (quotient == F(0)) result = copysign(F(0), plain);
  return b == F(0) ? plain : result;
}

// MARK: - Integers; division by zero gives 0, of the least number by −1 itself

/// The quotient rounded towards zero.
template <class T>
AIT_INLINE Lane<T> truncDivide(Lane<T> a, Lane<T> b) {
  if (b.value == T(0)) return T(0);
  if (Lane<T>::kIsSigned && b.value == static_cast<T>(-1)) return -a;
  return static_cast<T>(a.value / b.value);
}

template <class T>
AIT_INLINE Lane<T> fmod(Lane<T> a, Lane<T> b) {
  return b.value == T(0) ? Lane<T>(0) : a - truncDivide(a, b) * b;
}

template <class T>
AIT_INLINE bool hasOtherSign(Lane<T> modulus, Lane<T> divisor) {
  return modulus.value != T(0) && modulus.isNegative() != divisor.isNegative();
}

template <class T>
AIT_INLINE Lane<T> remainder(Lane<T> a, Lane<T> b) {
  const Lane<T> modulus = fmod(a, b);
  return hasOtherSign(modulus, b) ? modulus + b : modulus;
}

template <class T>
AIT_INLINE Lane<T> floorDivide(Lane<T> a, Lane<T> b) {
  if (b.value == T(0)) return T(0);
  const Lane<T> quotient = truncDivide(a, b);
  return hasOtherSign(a - quotient * b, b) ? quotient - Lane<T>(1) : quotient;
}

/// Integer powers by squaring, wrapping around. A negative exponent gives 0, but for the bases 1
/// and −1: what PyTorch gives where it does not raise.
template <class T>
AIT_INLINE Lane<T> power(Lane<T> base, Lane<T> exponent) {
  const bool isUnit =
      base.value == T(1) || (Lane<T>::kIsSigned && base.value == static_cast<T>(-1));
  if (exponent.isNegative() && !isUnit) return T(0);
  Lane<T> result = T(1);
  Lane<T> factor = base;
  // Of a negative exponent only the last bit matters, and only for the base −1.
  auto rest = exponent.isNegative() ? exponent.wrapping() & 1u : exponent.wrapping();
  AIT_NO_UNROLL
  while (rest != 0) {
    if (rest & 1u) result = result * factor;
    factor = factor * factor;
    rest >>= 1;
  }
  return result;
}

}  // namespace ait
