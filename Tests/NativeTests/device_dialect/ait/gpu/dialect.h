// The dialect's words that the functions of bodies use, on the processor, for
// device_math_test.cpp: what the special-function unit computes is off here by as much as there.
#pragma once

#include "ait/gpu/types.h"

#define AIT_DEVICE inline __attribute__((always_inline))
#define AIT_INLINE inline __attribute__((always_inline))
#define AIT_UNROLL
#define AIT_NO_UNROLL

namespace ait {

AIT_DEVICE uint32_t bitsOf(float x) { return __builtin_bit_cast(uint32_t, x); }
AIT_DEVICE float floatOf(uint32_t bits) { return __builtin_bit_cast(float, bits); }

/// The number off by up to 2 units, now up, now down, and 0 if it is subnormal.
inline float inexact(float x) {
  const uint32_t bits = bitsOf(x);
  const uint32_t exponent = bits >> 23 & 0xff;
  if (exponent == 0) return x * 0.0f;
  if (exponent >= 254 || bits << 9 == 0) return x;
  return floatOf(bits + (bits * 2654435761u >> 30) - 2);
}

AIT_DEVICE float exp2Approximate(float x) {
  return inexact(static_cast<float>(__builtin_exp2(static_cast<double>(x))));
}
AIT_DEVICE float reciprocalApproximate(float x) { return inexact(1.0f / x); }
AIT_DEVICE float tanhApproximate(float x) { return __builtin_tanhf(x); }
AIT_DEVICE float fusedMultiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
AIT_DEVICE float maximumOrNaN(float a, float b) { return a > b || a != a ? a : b; }
AIT_DEVICE float minimumOrNaN(float a, float b) { return a < b || a != a ? a : b; }

template <class T>
AIT_DEVICE ComputeType<T> toCompute(T x) {
  if constexpr (__is_same(T, bfloat16)) {
    return floatOf(static_cast<uint32_t>(x.bits) << 16);
  } else {
    return x;
  }
}
template <class T>
AIT_DEVICE T toStorage(ComputeType<T> x) {
  if constexpr (__is_same(T, bfloat16)) {
    const uint32_t bits = bitsOf(x);
    return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
  } else {
    return x;
  }
}

}  // namespace ait
