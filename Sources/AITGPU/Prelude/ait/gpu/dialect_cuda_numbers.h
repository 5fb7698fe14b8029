// Numbers on NVIDIA GPUs: conversions of storage types, and the functions that hardware gives.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

// MARK: - Conversions

template <class T>
AIT_DEVICE ComputeType<T> toCompute(T x) {
  if constexpr (__is_same(T, float16)) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
  } else if constexpr (__is_same(T, bfloat16)) {
    return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
  } else {
    return x;
  }
}

/// Rounds to the nearest, halves to even.
template <class T>
AIT_DEVICE T toStorage(ComputeType<T> x) {
  if constexpr (__is_same(T, float16)) {
    float16 y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
  } else if constexpr (__is_same(T, bfloat16)) {
    bfloat16 y;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
  } else {
    return x;
  }
}

/// One of the two 16-bit floats of a word; the first is in the lower half.
template <class T, int kHalf>
AIT_DEVICE float unpack(uint32_t word) {
  if constexpr (__is_same(T, bfloat16)) {
    return __uint_as_float(kHalf == 0 ? word << 16 : word & 0xffff0000u);
  } else {
    static_assert(__is_same(T, float16), "16-bit floats are unpacked");
    float x;
    if constexpr (kHalf == 0) {
      asm("{\n\t.reg .b16 low, high;\n\tmov.b32 {low, high}, %1;\n\tcvt.f32.f16 %0, low;\n\t}"
          : "=f"(x)
          : "r"(word));
    } else {
      asm("{\n\t.reg .b16 low, high;\n\tmov.b32 {low, high}, %1;\n\tcvt.f32.f16 %0, high;\n\t}"
          : "=f"(x)
          : "r"(word));
    }
    return x;
  }
}

/// A word of two 16-bit floats, rounded to the nearest.
template <class T>
AIT_DEVICE uint32_t pack(float first, float second) {
  uint32_t word;
  if constexpr (__is_same(T, bfloat16)) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  } else {
    static_assert(__is_same(T, float16), "16-bit floats are packed");
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  }
  return word;
}

AIT_DEVICE uint32_t bitsOf(float x) { return __float_as_uint(x); }
AIT_DEVICE float floatOf(uint32_t bits) { return __uint_as_float(bits); }

// MARK: - Functions of the special-function unit

/// 2^x within 2 units in the last place; results below the normal numbers are 0.
AIT_DEVICE float exp2Approximate(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// 1 / x within 1 unit in the last place; 0 where the result would be below the normal numbers.
AIT_DEVICE float reciprocalApproximate(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// 1 / √x within 2 units in the last place.
AIT_DEVICE float rsqrtApproximate(float x) {
  float y;
  asm("rsqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// tanh x with a relative error of 2^-11 at most: as exact as a float16.
AIT_DEVICE float tanhApproximate(float x) {
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
AIT_DEVICE float log2Approximate(float x) {
  float y;
  asm("lg2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

AIT_DEVICE float fusedMultiplyAdd(float a, float b, float c) {
  float y;
  asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(y) : "f"(a), "f"(b), "f"(c));
  return y;
}
/// The larger number; a NaN if either is one.
AIT_DEVICE float maximumOrNaN(float a, float b) {
  float y;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
}
AIT_DEVICE float minimumOrNaN(float a, float b) {
  float y;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
}
AIT_DEVICE float squareRoot(float x) {
  float y;
  asm("sqrt.rn.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace ait
