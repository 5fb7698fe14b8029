// The register tile of matmul on each target, and what a product accumulates in.
#pragma once

#include "ait/cpu/vector.h"

namespace ait {

/// What products of elements of types `A` and `B` are summed in: double if either is double, float
/// for the other floating-point types, int64_t if either is, int32_t for the narrower integers.
template <class A, class B>
struct AccumulatorOf {
  static constexpr bool kIsFloat =
      __is_floating_point(ComputeType<A>) || __is_floating_point(ComputeType<B>);
  static constexpr bool kIsDouble = __is_same(A, double) || __is_same(B, double);
  static constexpr bool kIsWide =
      (!__is_floating_point(A) && sizeof(A) == 8) || (!__is_floating_point(B) && sizeof(B) == 8);

  template <bool kCondition, class Yes, class No>
  struct Choice {
    using Type = Yes;
  };
  template <class Yes, class No>
  struct Choice<false, Yes, No> {
    using Type = No;
  };

  using Type = typename Choice<kIsFloat, typename Choice<kIsDouble, double, float>::Type,
                               typename Choice<kIsWide, int64_t, int32_t>::Type>::Type;
};

template <class A, class B>
using Accumulator = typename AccumulatorOf<A, B>::Type;

/// The block of C that the innermost loop of matmul holds in registers: `kRows` rows of
/// `kColumns` columns, each row in `kVectors` vectors of `kLanes` lanes.
///
/// `kColumns` is also the width of the panels of packed weights, so it depends on the target and
/// on the accumulator alone:
///
/// | target  | registers        | tile, 4-byte sums | tile, 8-byte sums | registers of the tile |
/// | ------- | ---------------- | ----------------- | ----------------- | --------------------- |
/// | AVX-512 | 32 of 64 bytes   | 12 x 32           | 12 x 16           | 24                    |
/// | AVX     | 16 of 32 bytes   | 6 x 16            | 6 x 8             | 12                    |
/// | NEON    | 32 of 16 bytes   | 6 x 16            | 6 x 8             | 24                    |
/// | SSE     | 16 of 16 bytes   | 6 x 8             | 6 x 4             | 12                    |
///
/// The registers left hold a row of B and a broadcast element of A. With 14 x 32, which also
/// fits, clang 21 spills accumulators and the loop runs at 69 % of the FMA peak, not 99 %.
template <class T>
struct MatmulTile {
  using Accumulator = T;

#if defined(__AVX512F__)
  static constexpr int kRows = 12;
  static constexpr int kVectors = 2;
#elif defined(__aarch64__)
  static constexpr int kRows = 6;
  static constexpr int kVectors = 4;
#else
  static constexpr int kRows = 6;
  static constexpr int kVectors = 2;
#endif

  static constexpr int kLanes = ait::kLanes * 4 / static_cast<int>(sizeof(T));
  static constexpr int kColumns = kLanes * kVectors;
  static constexpr int kElements = kRows * kColumns;

  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
};

}  // namespace ait
