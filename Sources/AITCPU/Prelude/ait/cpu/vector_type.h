// Vec<T, W>: W lanes of one element type, on any target clang compiles for.
#pragma once

#include <cstdint>

// Vectors wider than the target's registers are passed to inlined functions alone, so how they
// would be passed to others does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define AIT_INLINE inline __attribute__((always_inline))
#define AIT_INLINE_LAMBDA __attribute__((always_inline))

// In the body of a short scalar loop: keeps it from becoming a call of memcpy or memset.
#define AIT_KEEP_LOOP __asm__ volatile("")

namespace ait {

/// The number of float lanes of the widest vector registers of the target; the `W` that kernels
/// use unless a problem asks for another.
#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

/// Storage of an IEEE binary16 number; computed with as float.
struct float16 {
  uint16_t bits;
};

/// Storage of the upper half of a float; computed with as float.
struct bfloat16 {
  uint16_t bits;
};

template <class T>
inline constexpr bool kIsReducedFloat = __is_same(T, float16) || __is_same(T, bfloat16);

template <class T>
struct ComputeTypeOf {
  using Type = T;
};
template <>
struct ComputeTypeOf<float16> {
  using Type = float;
};
template <>
struct ComputeTypeOf<bfloat16> {
  using Type = float;
};

/// The type in which elements of storage type `T` are computed with.
template <class T>
using ComputeType = typename ComputeTypeOf<T>::Type;

/// What a lane of `Vec<T, W>` is made of: `T`, but 0 or -1 in an int32_t for bool, which is what a
/// comparison of floats yields and what a blend takes on every target.
template <class T>
struct LaneTypeOf {
  using Type = T;
};
template <>
struct LaneTypeOf<bool> {
  using Type = int32_t;
};
template <class T>
using LaneType = typename LaneTypeOf<T>::Type;

template <class T, int W>
using NativeVector = T __attribute__((vector_size(sizeof(T) * W)));

/// The signed integer as wide as an element of `kSize` bytes.
template <int kSize>
struct SignedOfSize;
template <>
struct SignedOfSize<1> {
  using Type = int8_t;
};
template <>
struct SignedOfSize<2> {
  using Type = int16_t;
};
template <>
struct SignedOfSize<4> {
  using Type = int32_t;
};
template <>
struct SignedOfSize<8> {
  using Type = int64_t;
};

/// W lanes of float, double, bool or a sized integer. All vectors of one expression have the same
/// W, whatever their element type, so a Vec may span several registers or a part of one.
///
/// Integers wrap around. W is a power of two.
template <class T, int W>
struct Vec {
  static_assert(W > 0 && (W & (W - 1)) == 0, "the number of lanes is a power of two");
  static_assert(!kIsReducedFloat<T>, "16-bit floats are storage; compute with Vec<float, W>");

  using Element = T;
  using Native = NativeVector<LaneType<T>, W>;
  static constexpr int kWidth = W;

  Native native;

  Vec() = default;
  explicit AIT_INLINE Vec(Native value) : native(value) {}

  AIT_INLINE T operator[](int lane) const { return static_cast<T>(native[lane]); }

  /// Replaces one lane.
  AIT_INLINE void set(int lane, T value) {
    if constexpr (__is_same(T, bool)) {
      native[lane] = value ? -1 : 0;
    } else {
      native[lane] = value;
    }
  }
};

/// The same bits as a vector of another element type of the same size.
template <class To, class From, int W>
AIT_INLINE Vec<To, W> bitCast(Vec<From, W> x) {
  static_assert(sizeof(LaneType<To>) == sizeof(LaneType<From>));
  return Vec<To, W>((typename Vec<To, W>::Native)x.native);
}

template <int W, class T>
AIT_INLINE Vec<T, W> broadcast(T value) {
  if constexpr (__is_same(T, bool)) {
    return Vec<bool, W>(typename Vec<bool, W>::Native{} - (value ? 1 : 0));
  } else {
    return Vec<T, W>(value - typename Vec<T, W>::Native{});
  }
}

/// A constant of a generated body; `constant<float, W>(0x1.8p+0f)`.
template <class T, int W>
AIT_INLINE Vec<T, W> constant(T value) {
  return broadcast<W, T>(value);
}

/// 0, 1, 2 … W-1.
template <class T, int W>
AIT_INLINE Vec<T, W> iota() {
  typename Vec<T, W>::Native result;
  for (int lane = 0; lane < W; ++lane) result[lane] = static_cast<T>(lane);
  return Vec<T, W>(result);
}

// MARK: - Masks

/// The mask of a comparison, from lanes of 0 or -1 of any size.
template <int W, class MaskVector>
AIT_INLINE Vec<bool, W> maskFrom(MaskVector mask) {
  return Vec<bool, W>(__builtin_convertvector(mask, typename Vec<bool, W>::Native));
}

/// A mask with lanes of 0 or -1 as wide as those of `T`, for bitwise work on `Vec<T, W>`.
template <class T, int W>
AIT_INLINE auto maskBits(Vec<bool, W> mask) {
  using Signed = typename SignedOfSize<sizeof(LaneType<T>)>::Type;
  return __builtin_convertvector(mask.native, NativeVector<Signed, W>);
}

/// `mask ? a : b`, lane by lane.
template <class T, int W>
AIT_INLINE Vec<T, W> select(Vec<bool, W> mask, Vec<T, W> a, Vec<T, W> b) {
  return Vec<T, W>(maskBits<T>(mask) ? a.native : b.native);
}

/// The mask of the first `count` lanes.
template <int W>
AIT_INLINE Vec<bool, W> firstLanes(int64_t count) {
  return maskFrom<W>(iota<int32_t, W>().native < static_cast<int32_t>(count));
}

// MARK: - Operators

#define AIT_ARITHMETIC_OPERATOR(op)                                          \
  template <class T, int W>                                                  \
  AIT_INLINE Vec<T, W> operator op(Vec<T, W> a, Vec<T, W> b) {               \
    static_assert(!__is_same(T, bool), "convert booleans to numbers first"); \
    return Vec<T, W>(a.native op b.native);                                  \
  }
AIT_ARITHMETIC_OPERATOR(+)
AIT_ARITHMETIC_OPERATOR(-)
AIT_ARITHMETIC_OPERATOR(*)
#undef AIT_ARITHMETIC_OPERATOR

/// Floating-point division; integers divide by `truncDivide`, `floorDivide` of math.h, since a
/// zero divisor must not trap.
template <class T, int W>
AIT_INLINE Vec<T, W> operator/(Vec<T, W> a, Vec<T, W> b) {
  static_assert(__is_floating_point(T), "use truncDivide or floorDivide for integers");
  return Vec<T, W>(a.native / b.native);
}

template <class T, int W>
AIT_INLINE Vec<T, W> operator-(Vec<T, W> x) {
  static_assert(!__is_same(T, bool), "convert booleans to numbers first");
  return Vec<T, W>(-x.native);
}

#define AIT_COMPARISON_OPERATOR(op)                               \
  template <class T, int W>                                       \
  AIT_INLINE Vec<bool, W> operator op(Vec<T, W> a, Vec<T, W> b) { \
    return maskFrom<W>(a.native op b.native);                     \
  }
AIT_COMPARISON_OPERATOR(==)
AIT_COMPARISON_OPERATOR(!=)
#undef AIT_COMPARISON_OPERATOR

// Masks order as false < true, although their lanes hold 0 and -1.
#define AIT_ORDER_OPERATOR(op)                                    \
  template <class T, int W>                                       \
  AIT_INLINE Vec<bool, W> operator op(Vec<T, W> a, Vec<T, W> b) { \
    if constexpr (__is_same(T, bool)) {                           \
      return maskFrom<W>(-a.native op - b.native);                \
    } else {                                                      \
      return maskFrom<W>(a.native op b.native);                   \
    }                                                             \
  }
AIT_ORDER_OPERATOR(<)
AIT_ORDER_OPERATOR(<=)
AIT_ORDER_OPERATOR(>)
AIT_ORDER_OPERATOR(>=)
#undef AIT_ORDER_OPERATOR

// Bitwise on integers, logical on masks.
#define AIT_BITWISE_OPERATOR(op)                                                \
  template <class T, int W>                                                     \
  AIT_INLINE Vec<T, W> operator op(Vec<T, W> a, Vec<T, W> b) {                  \
    static_assert(!__is_floating_point(T), "floats have no bitwise operators"); \
    return Vec<T, W>(a.native op b.native);                                     \
  }
AIT_BITWISE_OPERATOR(&)
AIT_BITWISE_OPERATOR(|)
AIT_BITWISE_OPERATOR(^)
#undef AIT_BITWISE_OPERATOR

template <class T, int W>
AIT_INLINE Vec<T, W> operator~(Vec<T, W> x) {
  static_assert(!__is_floating_point(T), "floats have no bitwise operators");
  return Vec<T, W>(~x.native);
}

template <int W>
AIT_INLINE Vec<bool, W> operator!(Vec<bool, W> x) {
  return ~x;
}

/// Shifts by any amount: one that is negative or not below the width gives 0, as in PyTorch.
template <class T, int W>
AIT_INLINE Vec<T, W> operator<<(Vec<T, W> x, Vec<T, W> amount) {
  static_assert(__is_integral(T) && !__is_same(T, bool));
  constexpr int kBits = sizeof(T) * 8;
  const auto inRange = (amount.native >= 0) & (amount.native < kBits);
  return Vec<T, W>(inRange ? x.native << (amount.native & (kBits - 1))
                           : typename Vec<T, W>::Native{});
}

/// Arithmetic shift of signed numbers; an amount that is negative or not below the width gives
/// what the largest legal shift gives: 0 or -1.
template <class T, int W>
AIT_INLINE Vec<T, W> operator>>(Vec<T, W> x, Vec<T, W> amount) {
  static_assert(__is_integral(T) && !__is_same(T, bool));
  constexpr int kBits = sizeof(T) * 8;
  const auto inRange = (amount.native >= 0) & (amount.native < kBits);
  const auto shifted = x.native >> (amount.native & (kBits - 1));
  if constexpr (static_cast<T>(-1) < 0) {
    return Vec<T, W>(inRange ? shifted : x.native >> (kBits - 1));
  } else {
    return Vec<T, W>(inRange ? shifted : typename Vec<T, W>::Native{});
  }
}

template <class T, int W>
AIT_INLINE Vec<T, W>& operator+=(Vec<T, W>& a, Vec<T, W> b) {
  return a = a + b;
}
template <class T, int W>
AIT_INLINE Vec<T, W>& operator-=(Vec<T, W>& a, Vec<T, W> b) {
  return a = a - b;
}
template <class T, int W>
AIT_INLINE Vec<T, W>& operator*=(Vec<T, W>& a, Vec<T, W> b) {
  return a = a * b;
}

/// The larger of two numbers; NaN if either is, as torch.maximum. On masks, `a | b`.
template <class T, int W>
AIT_INLINE Vec<T, W> maximum(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (__is_same(T, bool)) {
    return a | b;
  } else if constexpr (__is_floating_point(T)) {
    // One maxps, which yields b where either is NaN; a NaN in a has to be put back.
    const auto larger = a.native > b.native ? a.native : b.native;
    return Vec<T, W>(a.native == a.native ? larger : a.native);
  } else {
    return Vec<T, W>(a.native > b.native ? a.native : b.native);
  }
}

/// The smaller of two numbers; NaN if either is, as torch.minimum. On masks, `a & b`.
template <class T, int W>
AIT_INLINE Vec<T, W> minimum(Vec<T, W> a, Vec<T, W> b) {
  if constexpr (__is_same(T, bool)) {
    return a & b;
  } else if constexpr (__is_floating_point(T)) {
    const auto smaller = a.native < b.native ? a.native : b.native;
    return Vec<T, W>(a.native == a.native ? smaller : a.native);
  } else {
    return Vec<T, W>(a.native < b.native ? a.native : b.native);
  }
}

/// `a * b + c`, in one rounding where the target has the instruction and in two where a library
/// call would have to stand in for it.
template <class T, int W>
AIT_INLINE Vec<T, W> mulAdd(Vec<T, W> a, Vec<T, W> b, Vec<T, W> c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
  if constexpr (__is_floating_point(T)) {
    return Vec<T, W>(__builtin_elementwise_fma(a.native, b.native, c.native));
  }
#endif
  return a * b + c;
}

}  // namespace ait
