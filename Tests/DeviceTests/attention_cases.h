// The instances of attention that are tested and timed: AIT_ATTENTION_CASES(X) calls
// X(name, configuration…) for those whose operands the copy engine can fetch, each for all three
// kernels; AIT_ATTENTION_ODD_CASES for others, which have two.
#pragma once

#include "ait/gpu/attention_few_queries_config.h"
#include "ait/gpu/attention_hopper_config.h"

namespace cases {

using F16 = ait::float16;
using BF16 = ait::bfloat16;

/// A configuration from numbers. The batch axes are those of sequences and of heads of keys.
///
/// - alignment: of all operands but the mask, 0 where a row's elements do not follow each other.
template <class T, class M, int depth, int width, int consumers = 2, bool isCausal = false,
          bool isMaskContiguous = true, int alignment = 8, bool keepsNaN = false>
struct Attention : ait::AttentionDefaults {
  using Element = T;
  using Mask = M;
  static constexpr int kBatchRank = 2;
  static constexpr int kDepth = (depth + 15) / 16 * 16;
  static constexpr int kWidth = (width + 15) / 16 * 16;
  static constexpr float kScale = 1.4426950408889634f * (depth > 100 ? 0.09f : 0.125f);
  static constexpr int kConsumers = consumers;
  static constexpr bool kIsCausal = isCausal;
  static constexpr bool kKeepsNaN = keepsNaN;
  static constexpr int kAlignmentQ = alignment;
  static constexpr int kAlignmentK = alignment;
  static constexpr int kAlignmentV = alignment;
  static constexpr int kAlignmentOut = alignment;
  static constexpr bool kIsMaskContiguous = isMaskContiguous;
  static constexpr int kWorkspaceStates = 512;
  /// The widths of the test's operands.
  static constexpr int kTestDepth = depth;
  static constexpr int kTestWidth = width;
};

#define AIT_ATTENTION_CASE(name, ...) using name = Attention<__VA_ARGS__>;

#define AIT_ATTENTION_CASES(X)                         \
  X(narrow, F16, void, 64, 64)                         \
  X(narrow_alone, BF16, void, 64, 64, 1)               \
  X(narrow_three, F16, void, 64, 64, 3)                \
  X(narrow_causal, BF16, void, 64, 64, 3, true)        \
  X(narrow_added, F16, F16, 64, 64)                    \
  X(narrow_bool, F16, bool, 64, 64)                    \
  X(wide, F16, void, 128, 128)                         \
  X(wide_causal, F16, void, 128, 128, 2, true)         \
  X(wide_added, BF16, float, 128, 128, 2, true, false) \
  X(uneven, F16, void, 80, 80)                         \
  X(thin, F16, bool, 24, 16, 2, true, true, 8, true)   \
  X(deep, BF16, void, 192, 128)                        \
  X(widest, F16, void, 256, 256, 2, true)

#define AIT_ATTENTION_ODD_CASES(X)            \
  X(odd, F16, F16, 37, 51, 2, false, true, 1) \
  X(strided, BF16, void, 48, 32, 2, true, false, 0)

AIT_ATTENTION_CASES(AIT_ATTENTION_CASE)
AIT_ATTENTION_ODD_CASES(AIT_ATTENTION_CASE)

}  // namespace cases
