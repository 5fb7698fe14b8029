// The configuration of `matmulMultistage`. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_config.h"

namespace ait {

/// A configuration inherits from this and names `Element`: float16, bfloat16, or float, which is
/// multiplied as tf32.
struct MatmulMultistageDefaults : MatmulDefaults {
  /// The part of C that a block computes, and the warps that share it along M and N.
  static constexpr int kTileM = 128;
  static constexpr int kTileN = 128;
  static constexpr int kWarpsM = 2;
  static constexpr int kWarpsN = 4;
  /// Steps of 128 bytes of K in shared memory.
  static constexpr int kStages = 3;
  static constexpr Major kMajorA = Major::k;
  static constexpr Major kMajorB = Major::k;
  /// Elements that the address and the strides of A and B are multiples of: as many are copied at
  /// once, 16 bytes at most. Single 16-bit elements go through registers.
  static constexpr int kAlignmentA = 8;
  static constexpr int kAlignmentB = 8;
  /// Tiles along M that are computed together before the next along N.
  static constexpr int kRasterGroup = 8;
};

template <class Config>
struct MatmulMultistageShape : Config {
  using Config::kStages, Config::kTileM, Config::kTileN, Config::kWarpsM, Config::kWarpsN;
  static constexpr int kElementSize = static_cast<int>(sizeof(typename Config::Element));
  /// Elements of K in a stage, and in an instruction.
  static constexpr int kStepK = 128 / kElementSize;
  static constexpr int kInstructionK = 32 / kElementSize;
  static constexpr int kThreads = kWarpsM * kWarpsN * 32;
  static constexpr int kWarpM = kTileM / kWarpsM;
  static constexpr int kWarpN = kTileN / kWarpsN;
  /// The columns of C in a tile.
  static constexpr int kColumns = Config::kIsPaired ? kTileN / 2 : kTileN;
  static constexpr int kABytes = kTileM * 128;
  static constexpr int kStageBytes = kABytes + kTileN * 128;
  /// Columns that a warp stages at once on their way from the matrix units to rows.
  static constexpr int kStagedColumns = kWarpN % 64 == 0 ? 64 : 32;
  static constexpr int kStagingBytes = kWarpsM * kWarpsN * 16 * (kStagedColumns + 8) * 4;
  static constexpr int kSharedBytes = larger(kStages * kStageBytes, kStagingBytes);

  static_assert(kElementSize == 2 || kElementSize == 4,
                "the matrix units multiply 16-bit floats, and floats as tf32");
  static_assert(kWarpM % 16 == 0 && kWarpN % 32 == 0,
                "a warp computes blocks of 16 rows, and 32 columns that its threads share");
  static_assert(!Config::kIsPaired || kWarpN % 64 == 0,
                "a warp finishes 32 columns of each matrix of a pair");
  static_assert(kWarpM * kWarpN <= 64 * 64, "sums beyond 128 registers of a thread spill");
  static_assert(Config::kMajorA == Major::k || kTileM % kStepK == 0,
                "A contiguous along M is copied in chunks of 128 bytes of it");
  static_assert(Config::kMajorB == Major::k || kColumns % kStepK == 0,
                "B contiguous along N is copied in chunks of 128 bytes of it");
  static_assert(kTileM * 8 % kThreads == 0 && kColumns * 8 % kThreads == 0,
                "threads share the copies of a stage evenly");
  static_assert(kStages >= 2, "copies and products overlap in at least 2 stages");
  static_assert(kSharedBytes <= 232448, "a block has at most 227 KB of shared memory");
};

/// The arguments: A and B with strides batch…, then that of the axis they are not contiguous along.
template <class Config, class In, class Out>
struct MatmulMultistageArguments
    : SecondMatrix<OperandPlace<Config::kBatchRank + 1>, Config::kIsPaired> {
  OperandPlace<Config::kBatchRank + 1> a;
  OperandPlace<Config::kBatchRank + 1> b;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
  TileCounts tiles;
};

template <class Config>
AIT_ANYWHERE constexpr TileCounts matmulMultistageTiles(int64_t M, int64_t N) {
  return tileCounts(M, N, Config::kTileM, MatmulMultistageShape<Config>::kColumns,
                    Config::kRasterGroup);
}

template <class Config>
AIT_ANYWHERE constexpr int64_t matmulMultistageBlocks(int64_t M, int64_t N, int64_t batch) {
  return ceilDivide(M, Config::kTileM) * ceilDivide(N, MatmulMultistageShape<Config>::kColumns) *
         batch;
}

}  // namespace ait
