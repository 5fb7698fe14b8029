// What a generated body calls a vector: one element, as a thread computes one at a time. The same
// text of a body serves the CPU, where a vector has many lanes.
#pragma once

#include "ait/gpu/dialect.h"

namespace ait {

/// The unsigned integer in which integers of a size wrap around. It is as wide as an int at least:
/// C++ computes narrower ones as signed ints.
template <int kSize>
struct WrappingOf {
  using Type = uint32_t;
};
template <>
struct WrappingOf<8> {
  using Type = uint64_t;
};

/// An integer or a truth value of a body. C++ widens narrow integers before it computes, leaves
/// undefined what wraps, and takes ~true for true; here integers wrap to their width, and ~ is
/// logical on truth values. A lane and its number convert into each other by themselves.
template <class T>
struct Lane {
  using Wrapping = typename WrappingOf<static_cast<int>(sizeof(T))>::Type;
  static constexpr bool kIsBool = __is_same(T, bool);
  static constexpr bool kIsSigned = static_cast<T>(-1) < static_cast<T>(0) && !kIsBool;
  static constexpr int kBits = 8 * static_cast<int>(sizeof(T));

  T value;

  Lane() = default;
  AIT_DEVICE Lane(T number) : value(number) {}
  AIT_DEVICE operator T() const { return value; }

  AIT_DEVICE bool isNegative() const {
    if constexpr (kIsSigned) {
      return value < T(0);
    } else {
      return false;
    }
  }
  AIT_DEVICE Wrapping wrapping() const { return static_cast<Wrapping>(value); }
  AIT_DEVICE static Lane from(Wrapping bits) { return Lane(static_cast<T>(bits)); }

  friend AIT_DEVICE Lane operator+(Lane a, Lane b) { return from(a.wrapping() + b.wrapping()); }
  friend AIT_DEVICE Lane operator-(Lane a, Lane b) { return from(a.wrapping() - b.wrapping()); }
  friend AIT_DEVICE Lane operator*(Lane a, Lane b) { return from(a.wrapping() * b.wrapping()); }
  friend AIT_DEVICE Lane operator-(Lane x) { return from(Wrapping(0) - x.wrapping()); }

  friend AIT_DEVICE Lane operator&(Lane a, Lane b) { return from(a.wrapping() & b.wrapping()); }
  friend AIT_DEVICE Lane operator|(Lane a, Lane b) { return from(a.wrapping() | b.wrapping()); }
  friend AIT_DEVICE Lane operator^(Lane a, Lane b) { return from(a.wrapping() ^ b.wrapping()); }
  friend AIT_DEVICE Lane operator~(Lane x) {
    if constexpr (kIsBool) {
      return Lane(!x.value);
    } else {
      return from(~x.wrapping());
    }
  }

  /// A shift by an amount that is negative or not below the width leaves nothing: 0, or −1 of a
  /// negative number that is shifted right.
  friend AIT_DEVICE Lane operator<<(Lane x, Lane amount) {
    return amount.isShift() ? from(x.wrapping() << static_cast<int>(amount.value)) : Lane(0);
  }
  friend AIT_DEVICE Lane operator>>(Lane x, Lane amount) {
    const int count = amount.isShift() ? static_cast<int>(amount.value) : kBits - 1;
    if (!kIsSigned && !amount.isShift()) return Lane(0);
    return Lane(static_cast<T>(x.value >> count));
  }
  AIT_DEVICE bool isShift() const { return !isNegative() && value < T(kBits); }

  friend AIT_DEVICE Lane<bool> operator==(Lane a, Lane b) { return a.value == b.value; }
  friend AIT_DEVICE Lane<bool> operator!=(Lane a, Lane b) { return a.value != b.value; }
  friend AIT_DEVICE Lane<bool> operator<(Lane a, Lane b) { return a.value < b.value; }
  friend AIT_DEVICE Lane<bool> operator<=(Lane a, Lane b) { return a.value <= b.value; }
  friend AIT_DEVICE Lane<bool> operator>(Lane a, Lane b) { return a.value > b.value; }
  friend AIT_DEVICE Lane<bool> operator>=(Lane a, Lane b) { return a.value >= b.value; }
};

template <class T>
struct VecOf {
  using Type = Lane<T>;
};
template <>
struct VecOf<float> {
  using Type = float;
};
template <>
struct VecOf<double> {
  using Type = double;
};

/// `W` lanes of T: one.
template <class T, int W>
using Vec = typename VecOf<T>::Type;

/// A constant of a generated body; `constant<float, W>(0x1.8p+0f)`.
template <class T, int W>
AIT_INLINE Vec<T, W> constant(T value) {
  return value;
}

template <class V>
AIT_INLINE V select(Lane<bool> condition, V ifTrue, V ifFalse) {
  return condition.value ? ifTrue : ifFalse;
}

// MARK: - Conversions

/// A number as PyTorch's casts convert it, the same as on the CPU.
///
/// - Floating-point numbers are cut to int32, or to int64; what does not fit, and NaN, becomes the
///   least integer; narrower types take the low bits.
/// - Anything becomes bool as `x != 0`; truth is 1.
/// - To `float16` and `bfloat16`: the float that is left after rounding to that type.
template <class To, class From>
AIT_INLINE Vec<ComputeType<To>, 1> convert(From x) {
  if constexpr (__is_same(To, float16) || __is_same(To, bfloat16)) {
    return toCompute(toStorage<To>(static_cast<float>(x)));
  } else if constexpr (__is_same(To, From)) {
    return x;
  } else if constexpr (__is_same(To, bool)) {
    return x != From(0);
  } else if constexpr ((__is_same(From, float) || __is_same(From, double)) &&
                       !__is_same(To, float) && !__is_same(To, double)) {
    if constexpr (sizeof(To) == 8) {
      const bool fits = x >= From(-0x1p63) && x < From(0x1p63);
      return static_cast<To>(static_cast<int64_t>(fits ? x : From(-0x1p63)));
    } else {
      const bool fits = x >= From(-0x1p31) && x < From(0x1p31);
      return static_cast<To>(static_cast<int32_t>(fits ? x : From(-0x1p31)));
    }
  } else {
    return static_cast<To>(x);
  }
}
template <class To, class From>
AIT_INLINE Vec<ComputeType<To>, 1> convert(Lane<From> x) {
  return convert<To>(x.value);
}

}  // namespace ait
