// Conversions between element types, with the meaning of PyTorch's casts.
#pragma once

#include "ait/cpu/vector_type.h"

namespace ait {

// MARK: - 16-bit floats

/// binary16 to float; exact, NaNs stay NaNs.
template <int W>
AIT_INLINE Vec<float, W> widenFloat16(NativeVector<uint16_t, W> bits) {
#if defined(__F16C__) || defined(__aarch64__)
  return Vec<float, W>(
      __builtin_convertvector((NativeVector<_Float16, W>)bits, NativeVector<float, W>));
#else
  using Bits = NativeVector<uint32_t, W>;
  using Float = NativeVector<float, W>;
  const Bits wide = __builtin_convertvector(bits, Bits);
  // The product moves the exponent from bias 15 to bias 127 and normalises subnormals.
  const Float scaled = (Float)((wide & 0x7fff) << 13) * 0x1p112f;
  const Bits special = (Bits)(scaled >= 65536.0f) & 0x7f800000;
  return Vec<float, W>((Float)((Bits)scaled | special | ((wide & 0x8000) << 16)));
#endif
}

/// float to binary16, to nearest, ties to even; overflow gives infinity, NaNs stay NaNs.
template <int W>
AIT_INLINE NativeVector<uint16_t, W> narrowFloat16(Vec<float, W> x) {
#if defined(__F16C__) || defined(__aarch64__)
  return (NativeVector<uint16_t, W>)__builtin_convertvector(x.native, NativeVector<_Float16, W>);
#else
  using Bits = NativeVector<uint32_t, W>;
  using Float = NativeVector<float, W>;
  const Bits bits = (Bits)x.native;
  const Bits magnitude = bits & 0x7fffffff;
  // Adding the bias difference and half a unit rounds; the odd bit breaks ties to even.
  const Bits normal = (magnitude + (((15u - 127u) << 23) + 0xfff) + ((magnitude >> 13) & 1)) >> 13;
  // Below 2^-14 an addition whose unit is 2^-24 rounds to a subnormal.
  const Bits magic = Bits{} + ((127u - 15u + 23u - 10u + 1u) << 23);
  const Bits subnormal = (Bits)((Float)magnitude + (Float)magic) - magic;
  const Bits special =
      magnitude > 0x7f800000 ? (Bits{} + 0x7e00u) | ((magnitude >> 13) & 0x3ff) : Bits{} + 0x7c00u;
  Bits result = magnitude < (113u << 23) ? subnormal : normal;
  result = magnitude >= ((127u + 16u) << 23) ? special : result;
  result |= (bits >> 16) & 0x8000;
  return __builtin_convertvector(result, NativeVector<uint16_t, W>);
#endif
}

/// bfloat16 to float; exact.
template <int W>
AIT_INLINE Vec<float, W> widenBFloat16(NativeVector<uint16_t, W> bits) {
  using Bits = NativeVector<uint32_t, W>;
  return Vec<float, W>((NativeVector<float, W>)(__builtin_convertvector(bits, Bits) << 16));
}

/// float to bfloat16, to nearest, ties to even; NaNs stay NaNs. The instruction of AVX512_BF16 is
/// not used since it flushes subnormals.
template <int W>
AIT_INLINE NativeVector<uint16_t, W> narrowBFloat16(Vec<float, W> x) {
  using Bits = NativeVector<uint32_t, W>;
  const Bits bits = (Bits)x.native;
  const Bits rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const Bits result = x.native == x.native ? rounded : bits | 0x400000;
  return __builtin_convertvector(result >> 16, NativeVector<uint16_t, W>);
}

template <class T, int W>
AIT_INLINE Vec<float, W> widen(NativeVector<uint16_t, W> bits) {
  static_assert(kIsReducedFloat<T>);
  if constexpr (__is_same(T, float16)) {
    return widenFloat16<W>(bits);
  } else {
    return widenBFloat16<W>(bits);
  }
}

template <class T, int W>
AIT_INLINE NativeVector<uint16_t, W> narrow(Vec<float, W> x) {
  static_assert(kIsReducedFloat<T>);
  if constexpr (__is_same(T, float16)) {
    return narrowFloat16<W>(x);
  } else {
    return narrowBFloat16<W>(x);
  }
}

/// One stored element as the number it is computed with.
template <class T>
AIT_INLINE ComputeType<T> toCompute(T value) {
  if constexpr (kIsReducedFloat<T>) {
    return widen<T, 1>(NativeVector<uint16_t, 1>{value.bits})[0];
  } else {
    return value;
  }
}

/// One number as it is stored; the inverse of `toCompute`.
template <class T>
AIT_INLINE T toStorage(ComputeType<T> value) {
  if constexpr (kIsReducedFloat<T>) {
    return T{narrow<T, 1>(broadcast<1, float>(value))[0]};
  } else {
    return value;
  }
}

// MARK: - Casts

/// A cast between element types as `tensor.to(dtype)` does it.
///
/// - float to integer truncates. What int32 (for the narrow integers too, which then keep the low
///   bits) or int64 cannot hold becomes its minimum, as do NaNs: what x86 does, on every target.
/// - anything to bool is `x != 0`; bool to a number is 0 or 1.
/// - to `float16` and `bfloat16` yields the float that is left after rounding to that type.
template <class To, class From, int W>
AIT_INLINE Vec<ComputeType<To>, W> convert(Vec<From, W> x) {
  using Result = Vec<ComputeType<To>, W>;
  if constexpr (kIsReducedFloat<To>) {
    return widen<To, W>(narrow<To, W>(convert<float>(x)));
  } else if constexpr (__is_same(To, From)) {
    return x;
  } else if constexpr (__is_same(From, bool)) {
    return Result(__builtin_convertvector(-x.native, typename Result::Native));
  } else if constexpr (__is_same(To, bool)) {
    return maskFrom<W>(x.native != typename Vec<From, W>::Native{});
  } else if constexpr (__is_floating_point(From) && !__is_floating_point(To)) {
    using Wide = typename SignedOfSize<(sizeof(To) < 4 ? 4 : sizeof(To))>::Type;
    constexpr From kLimit = sizeof(Wide) == 4 ? From(0x1p31) : From(0x1p63);
    const auto inRange = (x.native >= -kLimit) & (x.native < kLimit);
    const auto bounded = inRange ? x.native : typename Vec<From, W>::Native{} - kLimit;
    const auto wide = __builtin_convertvector(bounded, NativeVector<Wide, W>);
    return Result(__builtin_convertvector(wide, typename Result::Native));
  } else {
    return Result(__builtin_convertvector(x.native, typename Result::Native));
  }
}

}  // namespace ait
