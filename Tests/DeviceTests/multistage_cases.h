// The instances of `matmulMultistage` and `matmulFewRows` that are tested and timed.
#pragma once

#include "ait/gpu/matmul_few_rows_config.h"
#include "ait/gpu/matmul_multistage_config.h"
#include "hopper_cases.h"

namespace cases {

template <class T, int tileM, int tileN, int warpsM, int warpsN, int stages,
          Major majorA = Major::k, Major majorB = Major::k, int batchRank = 0, int multiple = 8,
          int alignment = 8>
struct Multistage : ait::MatmulMultistageDefaults {
  using Element = T;
  static constexpr int kTileM = tileM;
  static constexpr int kTileN = tileN;
  static constexpr int kWarpsM = warpsM;
  static constexpr int kWarpsN = warpsN;
  static constexpr int kStages = stages;
  static constexpr Major kMajorA = majorA;
  static constexpr Major kMajorB = majorB;
  static constexpr int kBatchRank = batchRank;
  static constexpr int kColumnMultiple = multiple;
  static constexpr int kAlignmentA = alignment;
  static constexpr int kAlignmentB = alignment;
};

template <class T, int rows, int tileN, int warps, int steps, int batchRank = 0, int multiple = 8,
          int alignment = 8>
struct FewRows : ait::MatmulFewRowsDefaults {
  using Element = T;
  static constexpr int kRows = rows;
  static constexpr int kTileN = tileN;
  static constexpr int kWarps = warps;
  static constexpr int kSteps = steps;
  static constexpr int kBatchRank = batchRank;
  static constexpr int kColumnMultiple = multiple;
  static constexpr int kDepthMultiple = alignment;
  static constexpr int kAlignmentA = alignment;
  static constexpr int kAlignmentB = alignment;
  static constexpr bool kIsConstantB = true;
};

}  // namespace cases

#define AIT_MULTISTAGE_CASES(X)                                                          \
  X(multi_128x128, BiasResidual, F16, 128, 128, 2, 4, 3)                                 \
  X(multi_128x256, Identity, F16, 128, 256, 2, 4, 3)                                     \
  X(multi_128x128_w4, Identity, F16, 128, 128, 2, 2, 3)                                  \
  X(multi_64x64, BiasGelu, F16, 64, 64, 2, 2, 4)                                         \
  X(multi_bf16_an, Bias, BF16, 128, 128, 2, 4, 3, Major::mn, Major::k)                   \
  X(multi_f16_bn, Bias, F16, 128, 128, 2, 4, 3, Major::k, Major::mn)                     \
  X(multi_f16_an_bn_batch, BiasResidual, F16, 64, 128, 2, 2, 3, Major::mn, Major::mn, 1) \
  X(multi_f16_4, Bias, F16, 128, 64, 4, 2, 3, Major::k, Major::k, 0, 4, 4)               \
  X(multi_f16_2_bn, Bias, F16, 128, 64, 4, 2, 3, Major::k, Major::mn, 0, 2, 2)           \
  X(multi_f16_odd, BiasResidual, F16, 128, 64, 4, 2, 3, Major::k, Major::k, 0, 1, 1)     \
  X(multi_f16_odd_batch, Bias, BF16, 64, 64, 2, 2, 2, Major::mn, Major::mn, 1, 1, 1)     \
  X(multi_tf32, BiasResidual, float, 128, 128, 2, 4, 3, Major::k, Major::k, 0, 4, 4)     \
  X(multi_tf32_64x64, BiasGelu, float, 64, 64, 2, 2, 4, Major::k, Major::k, 0, 4, 4)     \
  X(multi_tf32_bn, Bias, float, 128, 128, 2, 4, 3, Major::k, Major::mn, 0, 4, 4)         \
  X(multi_tf32_odd, Bias, float, 64, 64, 2, 2, 3, Major::mn, Major::k, 1, 1, 1)

#define AIT_FEW_ROWS_CASES(X)                            \
  X(few_8_n16_w8_s4, Bias, F16, 8, 16, 8, 4)             \
  X(few_8_n16_w16_s2, Bias, F16, 8, 16, 16, 2)           \
  X(few_8_n32_w8_s4, Bias, F16, 8, 32, 8, 4)             \
  X(few_8_n32_w16_s2, Bias, F16, 8, 32, 16, 2)           \
  X(few_16_n16_w8_s4, Bias, F16, 16, 16, 8, 4)           \
  X(few_16_n16_w16_s2, Bias, F16, 16, 16, 16, 2)         \
  X(few_16_n32_w8_s4, Bias, F16, 16, 32, 8, 4)           \
  X(few_16_n32_w16_s1, Bias, F16, 16, 32, 16, 1)         \
  X(few_bf16_batch, BiasResidual, BF16, 16, 32, 4, 2, 1) \
  X(few_odd, Bias, F16, 8, 16, 8, 1, 0, 1, 1)

namespace cases {
#define AIT_CASE(name, body, ...) using name = Multistage<__VA_ARGS__>;
AIT_MULTISTAGE_CASES(AIT_CASE)
#undef AIT_CASE
#define AIT_CASE(name, body, ...) using name = FewRows<__VA_ARGS__>;
AIT_FEW_ROWS_CASES(AIT_CASE)
#undef AIT_CASE
}  // namespace cases
