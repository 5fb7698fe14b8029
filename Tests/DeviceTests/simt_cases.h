// The instances of `matmulSimt` and `matmulSimtFewRows` that are tested and timed:
// AIT_SIMT_CASES(X) calls X(name, body, configuration…) for each.
#pragma once

#include "ait/gpu/matmul_simt_config.h"
#include "ait/gpu/matmul_simt_few_rows_config.h"
#include "hopper_cases.h"

namespace cases {

/// - alignment: elements, of A, B, the extras and the result; strided: neither A nor B is
/// contiguous.
template <class T, int tileM, int tileN, int warpsM, int warpsN, int stages,
          Major majorA = Major::k, Major majorB = Major::k, int batchRank = 0, int alignment = 4,
          bool isStrided = false>
struct Simt : ait::MatmulSimtDefaults {
  using Element = T;
  static constexpr int kTileM = tileM;
  static constexpr int kTileN = tileN;
  static constexpr int kWarpsM = warpsM;
  static constexpr int kWarpsN = warpsN;
  static constexpr int kStages = stages;
  static constexpr Major kMajorA = majorA;
  static constexpr Major kMajorB = majorB;
  static constexpr int kBatchRank = batchRank;
  static constexpr int kColumnMultiple = alignment;
  static constexpr int kAlignmentA = alignment;
  static constexpr int kAlignmentB = alignment;
  static constexpr bool kIsStridedA = isStrided;
  static constexpr bool kIsStridedB = isStrided;
};

/// - threads: those that share K, of B contiguous along it.
template <class T, int rows, int threads, Major majorB = Major::k, bool isAlongKA = true,
          int batchRank = 0, int alignment = 4>
struct SimtFewRows : ait::MatmulSimtFewRowsDefaults {
  using Element = T;
  static constexpr int kRows = rows;
  static constexpr int kThreadsAlongK = threads;
  static constexpr Major kMajorA = isAlongKA ? Major::k : Major::mn;
  static constexpr Major kMajorB = majorB;
  static constexpr bool kIsAlongKA = isAlongKA;
  static constexpr int kBatchRank = batchRank;
  static constexpr int kColumnMultiple = alignment;
  static constexpr int kAlignmentA = alignment;
  static constexpr int kAlignmentB = alignment;
  static constexpr bool kIsConstantB = true;
};

}  // namespace cases

#define AIT_SIMT_CASES(X)                                                                   \
  X(simt_f32_128x128, BiasResidual, float, 128, 128, 4, 2, 4)                               \
  X(simt_f32_64x64, BiasGelu, float, 64, 64, 2, 2, 4)                                       \
  X(simt_f32_32x64, Bias, float, 32, 64, 2, 2, 4)                                           \
  X(simt_f32_bn, Bias, float, 128, 128, 4, 2, 4, Major::k, Major::mn)                       \
  X(simt_f32_an, Identity, float, 128, 128, 4, 2, 4, Major::mn, Major::k)                   \
  X(simt_f32_an_bn_batch, BiasResidual, float, 64, 64, 2, 2, 4, Major::mn, Major::mn, 1)    \
  X(simt_f32_odd, BiasResidual, float, 128, 128, 4, 2, 4, Major::k, Major::k, 0, 1)         \
  X(simt_f32_odd_bn, RowsAndTransposed, float, 64, 64, 2, 2, 4, Major::mn, Major::mn, 1, 1) \
  X(simt_f32_strided, Bias, float, 64, 64, 2, 2, 4, Major::k, Major::mn, 1, 1, true)        \
  X(simt_f16_strided, Bias, F16, 64, 64, 2, 2, 4, Major::mn, Major::k, 0, 1, true)          \
  X(simt_f64_64x64, WideBias, double, 64, 64, 4, 2, 4, Major::k, Major::mn, 0, 2)           \
  X(simt_f64_odd, WideBias, double, 64, 64, 4, 2, 4, Major::mn, Major::k, 1, 1)

#define AIT_SIMT_FEW_ROWS_CASES(X)                                  \
  X(simt_few_f32, BiasGelu, float, 8, 256)                          \
  X(simt_few_f32_64, Bias, float, 8, 64)                            \
  X(simt_few_f32_16, BiasResidual, float, 16, 256)                  \
  X(simt_few_f32_bn, Bias, float, 8, 256, Major::mn)                \
  X(simt_few_f32_16_bn, Bias, float, 16, 256, Major::mn, false)     \
  X(simt_few_f32_odd, Bias, float, 8, 64, Major::k, false, 1, 1)    \
  X(simt_few_f32_odd_bn, Bias, float, 8, 64, Major::mn, true, 1, 1) \
  X(simt_few_f64, WideBias, double, 8, 64, Major::k, true, 0, 2)    \
  X(simt_few_f64_16_bn, WideBias, double, 16, 64, Major::mn, true, 0, 2)

namespace cases {
#define AIT_CASE(name, body, ...) using name = Simt<__VA_ARGS__>;
AIT_SIMT_CASES(AIT_CASE)
#undef AIT_CASE
#define AIT_CASE(name, body, ...) using name = SimtFewRows<__VA_ARGS__>;
AIT_SIMT_FEW_ROWS_CASES(AIT_CASE)
#undef AIT_CASE
}  // namespace cases
