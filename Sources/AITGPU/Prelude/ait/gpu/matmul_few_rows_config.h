// The configuration of `matmulFewRows`. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_config.h"

namespace ait {

/// A configuration inherits from this and names `Element`, float16 or bfloat16.
struct MatmulFewRowsDefaults : MatmulDefaults {
  /// The most rows of A: 8 or 16.
  static constexpr int kRows = 8;
  /// Columns of C, which are rows of B, that a block computes: a multiple of 16.
  static constexpr int kTileN = 32;
  /// Warps that share K.
  static constexpr int kWarps = 16;
  /// Steps of 32 elements of K whose loads are under way together.
  static constexpr int kSteps = 2;
  /// Elements that the addresses and strides of A and B are multiples of.
  static constexpr int kAlignmentA = 8;
  static constexpr int kAlignmentB = 8;
  /// What K is known to be a multiple of: with 8, no thread has a part of its 8 elements.
  static constexpr int kDepthMultiple = 1;
  /// Whether B is constant, so that its loads need not wait for launches before this one.
  static constexpr bool kIsConstantB = false;
};

template <class Config>
struct MatmulFewRowsShape : Config {
  static constexpr int kThreads = Config::kWarps * 32;
  /// The columns of C in a tile: of each 16 rows of B, 8 are of the second matrix of a pair.
  static constexpr int kColumns = Config::kIsPaired ? Config::kTileN / 2 : Config::kTileN;
  /// A column's sums of a warp, one for every row.
  static constexpr int kPitch = Config::kTileN + 4;
  static constexpr int kSharedBytes = Config::kWarps * Config::kRows * kPitch * 4;

  static_assert(sizeof(typename Config::Element) == 2, "the matrix units multiply 16-bit floats");
  static_assert(Config::kRows == 8 || Config::kRows == 16, "few rows are at most 8 or 16");
  static_assert(Config::kTileN % 16 == 0, "an instruction takes 16 rows of B");
  static_assert(Config::kWarps >= 1 && Config::kWarps <= 32, "a block has at most 32 warps");
  static_assert(kSharedBytes <= 232448, "a block has at most 227 KB of shared memory");
};

/// The arguments: A with strides batch…, m; B with strides batch…, n; both contiguous along K.
template <class Config, class In, class Out>
struct MatmulFewRowsArguments
    : SecondMatrix<OperandPlace<Config::kBatchRank + 1>, Config::kIsPaired> {
  OperandPlace<Config::kBatchRank + 1> a;
  OperandPlace<Config::kBatchRank + 1> b;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
};

template <class Config>
AIT_ANYWHERE constexpr int64_t matmulFewRowsBlocks(int64_t N, int64_t batch) {
  return ceilDivide(N, MatmulFewRowsShape<Config>::kColumns) * batch;
}

}  // namespace ait
