// Quotients, remainders and integer powers: functions whose result depends on exactness rather than
// on series.
#pragma once

#include "ait/cpu/math_basic.h"

namespace ait {

// MARK: - Integers; division by zero gives 0, the minimum by -1 itself

/// A float type with more than twice the bits of integers of a size, for their quotients.
template <int kSize>
struct QuotientTypeOf {
  using Type = float;
};
template <>
struct QuotientTypeOf<4> {
  using Type = double;
};

/// The quotient rounded towards zero.
template <class T, int W>
AIT_INLINE Vec<T, W> integerQuotient(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (sizeof(T) == 8) {
    return perLane(a, b, [](T x, T y) {
      if (y == 0) return T(0);
      return y == -1 ? static_cast<T>(0 - static_cast<uint64_t>(x)) : x / y;
    });
  } else {
    // Vector units have no integer division. The exact quotient is an integer or at least 1/b
    // away from one, which is more than a rounding can bridge in a type this wide.
    using Wide = typename QuotientTypeOf<sizeof(T)>::Type;
    const auto quotient = convert<T>(convert<Wide>(a) / convert<Wide>(b));
    return select(b == constant<T, W>(0), constant<T, W>(0), quotient);
  }
}

// MARK: - Floats

/// fmod of numbers that fit in float, computed exactly in double.
template <int W>
AIT_INLINE Vec<float, W> exactModulus(Vec<float, W> a, Vec<float, W> b) {
  const auto x = convert<double>(abs(a));
  const auto y = convert<double>(abs(b));
  const auto quotient = trunc(x / y);
  // Up to 2^29 the product has at most 53 bits, and the difference is exact: a multiple of the
  // last place of b, below 2 b. Infinite quotients, of a zero divisor, go the same way out.
  if (__builtin_expect(any(quotient >= constant<double, W>(0x1p29)), 0)) {
    return perLane(a, b, [](float u, float v) { return __builtin_fmodf(u, v); });
  }
  auto rest = mulAdd(-quotient, y, x);
  // The quotient may have been rounded up to an integer.
  rest = select(rest < constant<double, W>(0), rest + y, rest);
  // Below 1 the dividend is the result, also where the divisor is infinite.
  rest = select(quotient == constant<double, W>(0), x, rest);
  return copysign(convert<float>(rest), a);
}

/// The remainder with the sign of the dividend: C's fmod, torch.fmod.
template <class T, int W>
AIT_INLINE Vec<T, W> fmod(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (__is_same(T, float)) {
    return exactModulus(a, b);
  } else if constexpr (__is_same(T, double)) {
    return perLane(a, b, [](double x, double y) { return __builtin_fmod(x, y); });
  } else {
    const auto rest = a - integerQuotient(a, b) * b;
    return select(b == constant<T, W>(0), constant<T, W>(0), rest);
  }
}

/// Where a remainder has to move by one divisor for its sign to be that of the divisor.
template <class T, int W>
AIT_INLINE Vec<bool, W> hasOtherSign(Vec<T, W> modulus, Vec<T, W> divisor) {
  const auto zero = constant<T, W>(0);
  return (modulus != zero) & ((modulus < zero) ^ (divisor < zero));
}

/// The remainder with the sign of the divisor: Python's %, torch.remainder.
template <class T, int W>
AIT_INLINE Vec<T, W> remainder(Vec<T, W> a, Vec<T, W> b) {
  const auto modulus = fmod(a, b);
  return select(hasOtherSign(modulus, b), modulus + b, modulus);
}

/// The floor of the exact quotient: Python's //, torch.floor_divide.
template <class T, int W>
AIT_INLINE Vec<T, W> floorDivide(Vec<T, W> a, Vec<T, W> b) {
  const auto zero = constant<T, W>(0);
  const auto one = constant<T, W>(1);
  if constexpr (__is_floating_point(T)) {
    const auto plain = a / b;
    const auto modulus = fmod(a, b);
    auto quotient = (a - modulus) / b;
    quotient = select(hasOtherSign(modulus, b), quotient - one, quotient);
    // The quotient is next to an integer, but for the rounding of the division.
    auto result = floor(quotient);
    result = select(quotient - result > constant<T, W>(0.5), result + one, result);
    result = select(quotient == zero, copysign(zero, plain), result);
    return select(b == zero, plain, result);
  } else {
    const auto quotient = integerQuotient(a, b);
    const auto modulus = a - quotient * b;
    const auto result = select(hasOtherSign(modulus, b), quotient - one, quotient);
    return select(b == zero, zero, result);
  }
}

/// The quotient rounded towards zero.
template <class T, int W>
AIT_INLINE Vec<T, W> truncDivide(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (__is_floating_point(T)) {
    return trunc(a / b);
  } else {
    return integerQuotient(a, b);
  }
}

/// Integer powers by squaring, wrapping around. A negative exponent gives 0, but for the bases 1
/// and -1: what PyTorch gives where it does not raise.
template <class T, int W>
AIT_INLINE Vec<T, W> power(Vec<T, W> base, Vec<T, W> exponent) {
  static_assert(__is_integral(T) && !__is_same(T, bool));
  const auto zero = constant<T, W>(0);
  const auto one = constant<T, W>(1);
  auto result = one;
  auto factor = base;
  // Of a negative exponent only the last bit matters, and only for the base -1.
  auto rest = select(exponent < zero, exponent & one, exponent);
  while (any(rest != zero)) {
    result = select((rest & one) != zero, result * factor, result);
    factor = factor * factor;
    rest = Vec<T, W>(rest.native >> 1);
  }
  const auto isUnit = (base == one) | (base == constant<T, W>(-1));
  return select((exponent < zero) & !isUnit, zero, result);
}

}  // namespace ait
