// The configuration of `matmulMultistage`. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_config.h"

namespace ait {

/// A configuration inherits from this and names `Element`, float16 or bfloat16.
struct MatmulMultistageDefaults : MatmulDefaults {
  /// The part of C that a block computes, and the warps that share it along M and N.
  static constexpr int kTileM = 128;
  static constexpr int kTileN = 128;
  static constexpr int kWarpsM = 2;
  static constexpr int kWarpsN = 4;
  /// Steps of 64 elements of K in shared memory.
  static constexpr int kStages = 3;
  static constexpr Major kMajorA = Major::k;
  static constexpr Major kMajorB = Major::k;
  /// Elements that the address and the strides of A and B are multiples of; with 8, 16 bytes are
  /// copied at once, with 1, elements go through registers.
  static constexpr int kAlignmentA = 8;
  static constexpr int kAlignmentB = 8;
  /// Tiles along M that are computed together before the next along N.
  static constexpr int kRasterGroup = 8;
};

template <class Config>
struct MatmulMultistageShape : Config {
  using Config::kStages, Config::kTileM, Config::kTileN, Config::kWarpsM, Config::kWarpsN;
  static constexpr int kStepK = 64;
  static constexpr int kThreads = kWarpsM * kWarpsN * 32;
  static constexpr int kWarpM = kTileM / kWarpsM;
  static constexpr int kWarpN = kTileN / kWarpsN;
  static constexpr int kABytes = kTileM * 128;
  static constexpr int kStageBytes = kABytes + kTileN * 128;
  /// Columns that a warp stages at once on their way from the matrix units to rows.
  static constexpr int kStagedColumns = kWarpN % 64 == 0 ? 64 : 32;
  static constexpr int kStagingBytes = kWarpsM * kWarpsN * 16 * (kStagedColumns + 8) * 4;
  static constexpr int kSharedBytes = larger(kStages * kStageBytes, kStagingBytes);

  static_assert(sizeof(typename Config::Element) == 2, "the matrix units multiply 16-bit floats");
  static_assert(kWarpM % 16 == 0 && kWarpN % 32 == 0,
                "a warp computes blocks of 16 rows, and 32 columns that its threads share");
  static_assert(kWarpM * kWarpN <= 64 * 64, "sums beyond 128 registers of a thread spill");
  static_assert(Config::kMajorA == Major::k || kTileM % 64 == 0,
                "A contiguous along M is copied in chunks of 64 rows");
  static_assert(Config::kMajorB == Major::k || kTileN % 64 == 0,
                "B contiguous along N is copied in chunks of 64 columns");
  static_assert(kTileM * 8 % kThreads == 0 && kTileN * 8 % kThreads == 0,
                "threads share the copies of a stage evenly");
  static_assert(kStages >= 2, "copies and products overlap in at least 2 stages");
  static_assert(kSharedBytes <= 232448, "a block has at most 227 KB of shared memory");
};

/// The arguments: A and B with strides batch…, then that of the axis they are not contiguous along.
template <class Config, class In, class Out>
struct MatmulMultistageArguments {
  OperandPlace<Config::kBatchRank + 1> a;
  OperandPlace<Config::kBatchRank + 1> b;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
};

template <class Config>
AIT_ANYWHERE constexpr int64_t matmulMultistageBlocks(int64_t M, int64_t N, int64_t batch) {
  return ceilDivide(M, Config::kTileM) * ceilDivide(N, Config::kTileN) * batch;
}

}  // namespace ait
