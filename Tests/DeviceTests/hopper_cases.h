// The instances of `matmulHopper` that are tested and timed: AIT_HOPPER_CASES(X) calls
// X(name, body, configuration…) for each.
#pragma once

#include "ait/gpu/matmul_hopper_config.h"
#include "bodies.h"

namespace cases {

using ait::Major;
using F16 = ait::float16;
using BF16 = ait::bfloat16;

/// A configuration from numbers.
///
/// - multiple: what N and the strides of the epilogue's operands are multiples of.
template <class T, int tileM, int tileN, int stages, int consumers, int clusterM = 1,
          int clusterN = 1, int splitK = 1, bool isPersistent = false, Major majorA = Major::k,
          Major majorB = Major::k, int batchRank = 0, int multiple = 8, int blocks = 1,
          bool rehearses = false, bool isTransposed = false, bool isPingPong = false>
struct Hopper : ait::MatmulHopperDefaults {
  using Element = T;
  static constexpr int kTileM = tileM;
  static constexpr int kTileN = tileN;
  static constexpr int kStages = stages;
  static constexpr int kConsumers = consumers;
  static constexpr int kClusterM = clusterM;
  static constexpr int kClusterN = clusterN;
  static constexpr int kSplitK = splitK;
  static constexpr bool kIsPersistent = isPersistent;
  static constexpr Major kMajorA = majorA;
  static constexpr Major kMajorB = majorB;
  static constexpr int kBatchRank = batchRank;
  static constexpr int kColumnMultiple = multiple;
  static constexpr int kBlocksPerMultiprocessor = blocks;
  static constexpr bool kRehearses = rehearses;
  static constexpr bool kIsTransposed = isTransposed;
  static constexpr bool kIsPingPong = isPingPong;
};

/// The layouts of A and B, of which the matrix units take the other as theirs if they compute the
/// transpose of C.
template <class Config>
inline constexpr Major majorA = Config::kIsTransposed ? Config::kMajorB : Config::kMajorA;
template <class Config>
inline constexpr Major majorB = Config::kIsTransposed ? Config::kMajorA : Config::kMajorB;

/// The operands of a body's extras.
template <class T, int alignment, char kind>
using Extra = ait::Operand<T,
                           kind == 'c'   ? ait::Access::uniform
                           : kind == 't' ? ait::Access::strided
                                         : ait::Access::contiguous,
                           alignment, kind == 'b' ? ait::Rows::uniform : ait::Rows::varying>;
template <class T, int alignment, class Body, int count>
struct InputPack;
template <class T, int alignment, class Body>
struct InputPack<T, alignment, Body, 0> {
  using In = ait::Inputs<>;
};
template <class T, int alignment, class Body>
struct InputPack<T, alignment, Body, 1> {
  using In = ait::Inputs<Extra<T, alignment, Body::kExtras[0]>>;
};
template <class T, int alignment, class Body>
struct InputPack<T, alignment, Body, 2> {
  using In =
      ait::Inputs<Extra<T, alignment, Body::kExtras[0]>, Extra<T, alignment, Body::kExtras[1]>>;
};

constexpr int lengthOf(const char* text) { return *text == 0 ? 0 : 1 + lengthOf(text + 1); }

template <class Config, class Body>
using In = typename InputPack<typename Config::Element, Config::kColumnMultiple, Body,
                              lengthOf(Body::kExtras)>::In;
template <class Config>
using Out = ait::Outputs<
    ait::Operand<typename Config::Element, ait::Access::contiguous, Config::kColumnMultiple>>;

}  // namespace cases

// The tutorial's first product, 1024 x 2048 x 512. With three stages and few registers, a block
// leaves room for one of the next launch.
#define AIT_ONE_BLOCK 1, 1, 1, false, Major::k, Major::k, 0, 8
#define AIT_HOPPER_FIRST(X)                                                  \
  X(first_s6_c21, BiasGeluApproximate, F16, 128, 128, 6, 2, 2, 1)            \
  X(first_exact_s4, BiasGelu, F16, 128, 128, 4, 2)                           \
  X(first_s3_b2, BiasGeluApproximate, F16, 128, 128, 3, 2, AIT_ONE_BLOCK, 2) \
  X(first_s4, BiasGeluApproximate, F16, 128, 128, 4, 2)                      \
  X(first_s4_c21, BiasGeluApproximate, F16, 128, 128, 4, 2, 2, 1)

// Its second product, 1024 x 512 x 2048.
#define AIT_TWO_PARTS 1, 1, 2, false, Major::k, Major::k, 0, 8
#define AIT_HOPPER_SECOND(X)                                             \
  X(second_64x128_k2_s6, BiasResidual, F16, 64, 128, 6, 1, 1, 1, 2)      \
  X(second_k2_s4_b2, BiasResidual, F16, 128, 64, 4, 2, AIT_TWO_PARTS, 2) \
  X(second_k2_s5, BiasResidual, F16, 128, 64, 5, 2, 1, 1, 2)             \
  X(second_k2_s8, BiasResidual, F16, 128, 64, 8, 2, 1, 1, 2)             \
  X(second_64x64_s6_c12, BiasResidual, F16, 64, 64, 6, 1, 1, 2)          \
  X(second_k4_s3, BiasResidual, F16, 128, 128, 3, 2, 1, 1, 4)

// Large products.
#define AIT_PING_PONG(clusterM, clusterN) \
  clusterM, clusterN, 1, true, Major::k, Major::k, 0, 8, 1, false, false, true
#define AIT_HOPPER_LARGE(X)                                                            \
  X(large_128x256_s4, Identity, F16, 128, 256, 4, 2, 1, 1, 1, true)                    \
  X(large_128x256_s4_c21, Identity, F16, 128, 256, 4, 2, 2, 1, 1, true)                \
  X(large_128x256_s4_c12, Identity, F16, 128, 256, 4, 2, 1, 2, 1, true)                \
  X(large_256x128_s4, Identity, F16, 256, 128, 4, 2, 1, 1, 1, true)                    \
  X(large_256x128_s4_c21, Identity, F16, 256, 128, 4, 2, 2, 1, 1, true)                \
  X(large_256x128_s4_c12, Identity, F16, 256, 128, 4, 2, 1, 2, 1, true)                \
  X(large_128x192_s5_c21, Identity, F16, 128, 192, 5, 2, 2, 1, 1, true)                \
  X(large_192x128_pp, Identity, F16, 192, 128, 5, 2, AIT_PING_PONG(1, 1))              \
  X(large_192x128_pp_c21, Identity, F16, 192, 128, 5, 2, AIT_PING_PONG(2, 1))          \
  X(large_192x128_pp_c12, Identity, F16, 192, 128, 5, 2, AIT_PING_PONG(1, 2))          \
  X(large_192x128_pp_gelu, BiasGelu, F16, 192, 128, 5, 2, AIT_PING_PONG(1, 1))         \
  X(large_128x192_pp_gelu, BiasGelu, F16, 128, 192, 5, 2, AIT_PING_PONG(1, 1))         \
  X(large_128x128_pp_gelu, BiasGelu, F16, 128, 128, 6, 2, AIT_PING_PONG(1, 1))         \
  X(large_192x96_pp_residual, BiasResidual, F16, 192, 96, 5, 2, AIT_PING_PONG(1, 1))   \
  X(large_128x160_pp_residual, BiasResidual, F16, 128, 160, 5, 2, AIT_PING_PONG(1, 1)) \
  X(large_192x192_gelu, BiasGelu, F16, 192, 192, 4, 3)                                 \
  X(large_192x192_residual, BiasResidual, F16, 192, 192, 4, 3)                         \
  X(large_128x256_gelu, BiasGelu, F16, 128, 256, 4, 2, 1, 1, 1, true)

// Few rows: bound by the bandwidth at which B comes, so with many stages of few columns.
#define AIT_TRANSPOSED(splitK, blocks) \
  1, 1, splitK, false, Major::k, Major::k, 0, 8, blocks, false, true
#define AIT_HOPPER_SKINNY(X)                                              \
  X(skinny_t64x8_k2_s22, Bias, F16, 64, 8, 22, 1, AIT_TRANSPOSED(2, 1))   \
  X(skinny_t64x16_k2_s20, Bias, F16, 64, 16, 20, 1, AIT_TRANSPOSED(2, 1)) \
  X(skinny_t64x32_k2_s16, Bias, F16, 64, 32, 16, 1, AIT_TRANSPOSED(2, 1)) \
  X(skinny_t64x64_k2_s12, Bias, F16, 64, 64, 12, 1, AIT_TRANSPOSED(2, 1)) \
  X(skinny_64x32_s16, Bias, F16, 64, 32, 16, 1)                           \
  X(skinny_64x64_k2_s12, Bias, F16, 64, 64, 12, 1, 1, 1, 2)

// Everything else that must be right: formats, layouts, batches, tails.
#define AIT_HOPPER_FORMS(X)                                                                        \
  X(form_bf16_128x128, BiasResidual, BF16, 128, 128, 4, 2)                                         \
  X(form_bf16_an, Bias, BF16, 128, 128, 4, 2, 1, 1, 1, false, Major::mn, Major::k)                 \
  X(form_f16_bn, Bias, F16, 128, 128, 4, 2, 1, 1, 1, false, Major::k, Major::mn)                   \
  X(form_f16_an_bn_c22, BiasResidual, F16, 128, 256, 3, 2, 2, 2, 1, true, Major::mn, Major::mn)    \
  X(form_f16_batch, BiasResidual, F16, 64, 96, 4, 1, 1, 1, 1, true, Major::k, Major::k, 1)         \
  X(form_f16_batch_bn, Bias, F16, 128, 64, 4, 2, 1, 1, 1, false, Major::k, Major::mn, 1)           \
  X(form_f16_odd, BiasResidual, F16, 128, 160, 4, 2, 1, 1, 1, true, Major::k, Major::k, 0, 1)      \
  X(form_f16_odd_k2, BiasResidual, F16, 128, 64, 4, 2, 2, 1, 2, false, Major::k, Major::k, 0, 1)   \
  X(form_f16_192x128_3, Identity, F16, 192, 128, 4, 3)                                             \
  X(form_bf16_t64x16, BiasResidual, BF16, 64, 16, 4, 1, 1, 1, 1, true, Major::k, Major::k, 1, 8,   \
    1, false, true)                                                                                \
  X(form_f16_t_odd, BiasResidual, F16, 128, 24, 4, 2, 1, 1, 1, false, Major::k, Major::k, 0, 1, 1, \
    false, true)                                                                                   \
  X(form_f16_t_c21_k4, Bias, F16, 64, 32, 4, 1, 2, 1, 4, false, Major::mn, Major::k, 0, 8, 1,      \
    false, true)                                                                                   \
  X(form_f16_t_an_bn, RowsAndTransposed, F16, 64, 64, 3, 1, 1, 1, 2, false, Major::mn, Major::mn,  \
    0, 8, 1, false, true)                                                                          \
  X(form_f16_rows, RowsAndTransposed, F16, 128, 64, 4, 2)                                          \
  X(form_f16_rehearsed, BiasResidual, F16, 128, 128, 4, 2, AIT_ONE_BLOCK, 1, true)                 \
  X(form_f16_64x32_k8, Bias, F16, 64, 32, 4, 1, 1, 1, 8)                                           \
  X(form_bf16_pp, BiasResidual, BF16, 192, 96, 3, 2, AIT_PING_PONG(2, 1))                          \
  X(form_f16_pp_an_bn, BiasGelu, F16, 128, 192, 3, 2, 1, 2, 1, true, Major::mn, Major::mn, 0, 8,   \
    1, false, false, true)                                                                         \
  X(form_f16_pp_batch_odd, BiasResidual, F16, 64, 32, 5, 2, 1, 1, 1, true, Major::k, Major::k, 1,  \
    1, 1, false, false, true)                                                                      \
  X(form_f16_192x192_3, BiasResidual, F16, 192, 192, 4, 3)

#define AIT_HOPPER_CASES(X) \
  AIT_HOPPER_FIRST(X)       \
  AIT_HOPPER_SECOND(X)      \
  AIT_HOPPER_LARGE(X) AIT_HOPPER_SKINNY(X) AIT_HOPPER_FORMS(X)

namespace cases {
#define AIT_CASE(name, body, ...) using name = Hopper<__VA_ARGS__>;
AIT_HOPPER_CASES(AIT_CASE)
#undef AIT_CASE
}  // namespace cases
