// Arithmetic by name, signs, roundings, classes of floats: what every other part of math.h uses.
#pragma once

#include "ait/cpu/vector.h"

namespace ait {

// MARK: - Tools of the other functions

// Out of line, as W inlined calls of a libm function would be most of a kernel's code.
template <class T, int W, class Function>
__attribute__((noinline)) void forEachLane(T* lanes, Function function) {
#pragma clang loop vectorize(disable) unroll(disable)
  for (int lane = 0; lane < W; ++lane) lanes[lane] = function(lanes[lane]);
}

template <class T, int W, class Function>
__attribute__((noinline)) void forEachLane(T* lanes, const T* others, Function function) {
#pragma clang loop vectorize(disable) unroll(disable)
  for (int lane = 0; lane < W; ++lane) lanes[lane] = function(lanes[lane], others[lane]);
}

/// Calls a scalar function on every lane: for double, and for what is too rare or too far out to
/// deserve vector code.
template <class T, int W, class Function>
AIT_INLINE Vec<T, W> perLane(Vec<T, W> x, Function function) {
  T lanes[W];
  store<T, W>(lanes, x);
  forEachLane<T, W>(lanes, function);
  return load<T, W>(lanes);
}

template <class T, int W, class Function>
AIT_INLINE Vec<T, W> perLane(Vec<T, W> x, Vec<T, W> y, Function function) {
  T lanes[W], others[W];
  store<T, W>(lanes, x);
  store<T, W>(others, y);
  forEachLane<T, W>(lanes, others, function);
  return load<T, W>(lanes);
}

/// c0 + c1 x + c2 x² …, by Horner's rule: with the vectors of several iterations in flight, the
/// length of its chain costs nothing, and it needs the fewest registers.
template <class T, int W, class... C>
AIT_INLINE Vec<T, W> polynomial(Vec<T, W> x, T c0, C... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return constant<T, W>(c0);
  } else {
    return mulAdd(polynomial(x, rest...), x, constant<T, W>(c0));
  }
}

/// The integer as wide as `T`, in a vector.
template <class T, int W>
using BitsOf = NativeVector<typename SignedOfSize<sizeof(T)>::Type, W>;

// MARK: - Arithmetic

/// On masks, `a | b`, as in PyTorch.
template <class T, int W>
AIT_INLINE Vec<T, W> add(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (__is_same(T, bool)) {
    return a | b;
  } else {
    return a + b;
  }
}

template <class T, int W>
AIT_INLINE Vec<T, W> subtract(Vec<T, W> a, Vec<T, W> b) {
  return a - b;
}

/// On masks, `a & b`, as in PyTorch.
template <class T, int W>
AIT_INLINE Vec<T, W> multiply(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (__is_same(T, bool)) {
    return a & b;
  } else {
    return a * b;
  }
}

template <class T, int W>
AIT_INLINE Vec<T, W> divide(Vec<T, W> a, Vec<T, W> b) {
  return a / b;
}

template <class T, int W>
AIT_INLINE Vec<T, W> negate(Vec<T, W> x) {
  return -x;
}

template <class T, int W>
AIT_INLINE Vec<T, W> square(Vec<T, W> x) {
  return x * x;
}

template <class T, int W>
AIT_INLINE Vec<T, W> reciprocal(Vec<T, W> x) {
  return constant<T, W>(1) / x;
}

/// Correctly rounded.
template <class T, int W>
AIT_INLINE Vec<T, W> sqrt(Vec<T, W> x) {
  return Vec<T, W>(__builtin_elementwise_sqrt(x.native));
}

/// One over the square root: two roundings, no hardware estimate.
template <class T, int W>
AIT_INLINE Vec<T, W> rsqrt(Vec<T, W> x) {
  return reciprocal(sqrt(x));
}

// MARK: - Comparisons and logic

#define AIT_NAMED_COMPARISON(name, op)                     \
  template <class T, int W>                                \
  AIT_INLINE Vec<bool, W> name(Vec<T, W> a, Vec<T, W> b) { \
    return a op b;                                         \
  }
AIT_NAMED_COMPARISON(equal, ==)
AIT_NAMED_COMPARISON(notEqual, !=)
AIT_NAMED_COMPARISON(less, <)
AIT_NAMED_COMPARISON(lessEqual, <=)
AIT_NAMED_COMPARISON(greater, >)
AIT_NAMED_COMPARISON(greaterEqual, >=)
#undef AIT_NAMED_COMPARISON

// `and` and its like are keywords of C++; on masks and on the bits of integers.
#define AIT_NAMED_LOGIC(name, op)                       \
  template <class T, int W>                             \
  AIT_INLINE Vec<T, W> name(Vec<T, W> a, Vec<T, W> b) { \
    return a op b;                                      \
  }
AIT_NAMED_LOGIC(bitAnd, &)
AIT_NAMED_LOGIC(bitOr, |)
AIT_NAMED_LOGIC(bitXor, ^)
AIT_NAMED_LOGIC(shiftLeft, <<)
AIT_NAMED_LOGIC(shiftRight, >>)
#undef AIT_NAMED_LOGIC

template <class T, int W>
AIT_INLINE Vec<T, W> bitNot(Vec<T, W> x) {
  return ~x;
}

// MARK: - Signs

/// Of the most negative integer, itself.
template <class T, int W>
AIT_INLINE Vec<T, W> abs(Vec<T, W> x) {
  if constexpr (__is_floating_point(T)) {
    return Vec<T, W>(__builtin_elementwise_abs(x.native));
  } else if constexpr (static_cast<T>(-1) < 0) {
    return Vec<T, W>(x.native < 0 ? -x.native : x.native);
  } else {
    return x;
  }
}

/// The magnitude of one number with the sign of another; zeros and NaNs have signs too.
template <class T, int W>
AIT_INLINE Vec<T, W> copysign(Vec<T, W> magnitude, Vec<T, W> sign) {
  using Bits = BitsOf<T, W>;
  const Bits mask = (Bits)constant<T, W>(T(-0.0)).native;
  return Vec<T, W>(
      (typename Vec<T, W>::Native)(((Bits)magnitude.native & ~mask) | ((Bits)sign.native & mask)));
}

/// -1, 0 or 1; of NaN 0, as in PyTorch.
template <class T, int W>
AIT_INLINE Vec<T, W> sign(Vec<T, W> x) {
  const auto zero = constant<T, W>(0);
  if constexpr (static_cast<T>(-1) < 0) {
    const auto negative = select(x < zero, constant<T, W>(-1), zero);
    return select(x > zero, constant<T, W>(1), negative);
  } else {
    return select(x > zero, constant<T, W>(1), zero);
  }
}

// MARK: - Classes of floats; integers and masks are finite

template <class T, int W>
AIT_INLINE Vec<bool, W> isNaN(Vec<T, W> x) {
  return x != x;
}

template <class T, int W>
AIT_INLINE Vec<bool, W> isInfinite(Vec<T, W> x) {
  if constexpr (__is_floating_point(T)) {
    return abs(x) == constant<T, W>(__builtin_inf());
  } else {
    return constant<bool, W>(false);
  }
}

template <class T, int W>
AIT_INLINE Vec<bool, W> isFinite(Vec<T, W> x) {
  if constexpr (__is_floating_point(T)) {
    return abs(x) < constant<T, W>(__builtin_inf());
  } else {
    return constant<bool, W>(true);
  }
}

/// The larger number, or the other one where one is NaN.
template <class T, int W>
AIT_INLINE Vec<T, W> fmax(Vec<T, W> a, Vec<T, W> b) {
  return select(isNaN(a), b, select(b > a, b, a));
}

/// The smaller number, or the other one where one is NaN.
template <class T, int W>
AIT_INLINE Vec<T, W> fmin(Vec<T, W> a, Vec<T, W> b) {
  return select(isNaN(a), b, select(b < a, b, a));
}

// MARK: - Rounding; integers stay

#define AIT_ROUNDING(name, builtin)         \
  template <class T, int W>                 \
  AIT_INLINE Vec<T, W> name(Vec<T, W> x) {  \
    if constexpr (__is_floating_point(T)) { \
      return Vec<T, W>(builtin(x.native));  \
    } else {                                \
      return x;                             \
    }                                       \
  }
AIT_ROUNDING(floor, __builtin_elementwise_floor)
AIT_ROUNDING(ceil, __builtin_elementwise_ceil)
AIT_ROUNDING(trunc, __builtin_elementwise_trunc)
/// To nearest, halves to even: what the default rounding mode does.
AIT_ROUNDING(round, __builtin_elementwise_rint)
#undef AIT_ROUNDING

}  // namespace ait
