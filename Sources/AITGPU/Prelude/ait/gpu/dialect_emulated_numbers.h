// Numbers on the processor. Approximations are the exact functions: what a GPU's hardware adds to
// the error shows on a GPU only.
#pragma once

#include "ait/gpu/dialect_emulated_engine.h"

namespace ait {

// MARK: - Conversions

AIT_DEVICE uint32_t bitsOf(float x) { return __builtin_bit_cast(uint32_t, x); }
AIT_DEVICE float floatOf(uint32_t bits) { return __builtin_bit_cast(float, bits); }

namespace emulated {

inline float fromHalf(uint32_t bits) {
  // The exponent's bias is put right by a product, which also makes subnormal numbers normal.
  uint32_t y = bitsOf(floatOf((bits & 0x7fffu) << 13) * 0x1p112f);
  if ((bits & 0x7c00u) == 0x7c00u) y |= 0x7f800000u;
  return floatOf(y | (bits & 0x8000u) << 16);
}

inline uint32_t toHalf(float x) {
  const uint32_t bits = bitsOf(x);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7fffu;
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;
  if (magnitude < 0x38800000u) {
    // In a sum with 0.5 the last digit is a subnormal's.
    return sign | (bitsOf(floatOf(magnitude) + 0.5f) - bitsOf(0.5f));
  }
  return sign | ((magnitude + 0xfffu + (magnitude >> 13 & 1u)) >> 13) - (112u << 10);
}

inline uint32_t toBrain(float x) {
  const uint32_t bits = bitsOf(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

/// A 16-bit float by its bits.
template <class T>
inline float fromBits(uint32_t bits) {
  if constexpr (__is_same(T, bfloat16)) {
    return floatOf(bits << 16);
  } else {
    static_assert(__is_same(T, float16), "16-bit floats are unpacked");
    return fromHalf(bits);
  }
}

inline float flushed(float x) { return __builtin_fabsf(x) < 0x1p-126f ? x * 0.0f : x; }

}  // namespace emulated

template <class T>
AIT_DEVICE ComputeType<T> toCompute(T x) {
  if constexpr (__is_same(T, float16) || __is_same(T, bfloat16)) {
    return emulated::fromBits<T>(x.bits);
  } else {
    return x;
  }
}

template <class T>
AIT_DEVICE T toStorage(ComputeType<T> x) {
  if constexpr (__is_same(T, float16)) {
    return {static_cast<uint16_t>(emulated::toHalf(x))};
  } else if constexpr (__is_same(T, bfloat16)) {
    return {static_cast<uint16_t>(emulated::toBrain(x))};
  } else {
    return x;
  }
}

template <class T, int kHalf>
AIT_DEVICE float unpack(uint32_t word) {
  return emulated::fromBits<T>(kHalf == 0 ? word & 0xffffu : word >> 16);
}

template <class T>
AIT_DEVICE uint32_t pack(float first, float second) {
  return static_cast<uint32_t>(toStorage<T>(first).bits) |
         static_cast<uint32_t>(toStorage<T>(second).bits) << 16;
}

// MARK: - Functions of the special-function unit

AIT_DEVICE float exp2Approximate(float x) { return emulated::flushed(__builtin_exp2f(x)); }
AIT_DEVICE float reciprocalApproximate(float x) { return emulated::flushed(1.0f / x); }
AIT_DEVICE float rsqrtApproximate(float x) { return 1.0f / __builtin_sqrtf(x); }
AIT_DEVICE float tanhApproximate(float x) { return __builtin_tanhf(x); }
AIT_DEVICE float log2Approximate(float x) { return __builtin_log2f(x); }

AIT_DEVICE float fusedMultiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
AIT_DEVICE float maximumOrNaN(float a, float b) { return a > b || a != a ? a : b; }
AIT_DEVICE float minimumOrNaN(float a, float b) { return a < b || a != a ? a : b; }
AIT_DEVICE float squareRoot(float x) { return __builtin_sqrtf(x); }

}  // namespace ait
