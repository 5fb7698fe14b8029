// The configuration of `matmulSimt`. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_config.h"

namespace ait {

/// The type in which products of elements of type `T` are summed: sums of narrow integers are 32
/// bits wide.
template <class T>
struct SumTypeOf {
  using Type = ComputeType<T>;
};
template <>
struct SumTypeOf<uint8_t> {
  using Type = int32_t;
};
template <>
struct SumTypeOf<int8_t> {
  using Type = int32_t;
};
template <>
struct SumTypeOf<int16_t> {
  using Type = int32_t;
};
template <class T>
using SumType = typename SumTypeOf<T>::Type;

/// A configuration inherits from this and names `Element`, any type but bool.
struct MatmulSimtDefaults : MatmulDefaults {
  /// The part of C that a block computes, and the warps that share it along M and N; a thread of a
  /// warp computes blocks of 4 x 4.
  static constexpr int kTileM = 128;
  static constexpr int kTileN = 128;
  static constexpr int kWarpsM = 4;
  static constexpr int kWarpsN = 2;
  /// Steps of 8 elements of K in shared memory.
  static constexpr int kStages = 4;
  static constexpr Major kMajorA = Major::k;
  static constexpr Major kMajorB = Major::k;
  /// Whether A and B are contiguous along neither axis: elements are then fetched one by one, in
  /// the order of the axis that kMajor names.
  static constexpr bool kIsStridedA = false;
  static constexpr bool kIsStridedB = false;
  /// Elements that the address and the strides of A and B are multiples of.
  static constexpr int kAlignmentA = 1;
  static constexpr int kAlignmentB = 1;
  /// Tiles along M that are computed together before the next along N.
  static constexpr int kRasterGroup = 8;
  /// Blocks that are to fit a multiprocessor: it limits the registers of a thread.
  static constexpr int kBlocksPerMultiprocessor = 2;
};

template <class Config>
struct MatmulSimtShape : Config {
  using Config::kStages, Config::kTileM, Config::kTileN, Config::kWarpsM, Config::kWarpsN;
  using Number = SumType<typename Config::Element>;
  static constexpr int kStepK = 8;
  static constexpr int kThreads = kWarpsM * kWarpsN * 32;
  /// A warp is 4 x 8 threads.
  static constexpr int kWarpM = kTileM / kWarpsM;
  static constexpr int kWarpN = kTileN / kWarpsN;
  static constexpr int kBlocksM = kWarpM / 16;
  static constexpr int kBlocksN = kWarpN / 32;
  /// A stage holds K by M and K by N. The rows of 4 x 8 elements that a warp copies, 8 along K, lie
  /// in 32 banks with 16 bytes more than a multiple of 128.
  static constexpr int kPadding = 16 / static_cast<int>(sizeof(Number));
  static constexpr int kPitchA = kTileM + kPadding;
  static constexpr int kPitchB = kTileN + kPadding;
  static constexpr int kStageSize = kStepK * (kPitchA + kPitchB);
  static constexpr int kSharedBytes = kStages * kStageSize * static_cast<int>(sizeof(Number));

  static_assert(kWarpM % 16 == 0 && kWarpN % 32 == 0,
                "a warp computes a multiple of 16 rows and of 32 columns");
  static_assert(kBlocksM * kBlocksN * 16 * sizeof(Number) <= 64 * 4,
                "sums beyond 64 registers of a thread leave too few for two blocks");
  static_assert(kThreads % kTileM == 0 || kTileM % kThreads == 0, "threads share rows evenly");
  static_assert(kThreads % kTileN == 0 || kTileN % kThreads == 0, "threads share columns evenly");
  static_assert(kStages >= 2, "copies and products overlap in at least 2 stages");
  static_assert(kSharedBytes <= 232448, "a block has at most 227 KB of shared memory");
};

/// The arguments: A with strides batch…, m, k; B with strides batch…, n, k.
template <class Config, class In, class Out>
struct MatmulSimtArguments {
  OperandPlace<Config::kBatchRank + 2> a;
  OperandPlace<Config::kBatchRank + 2> b;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
  TileCounts tiles;
};

template <class Config>
AIT_ANYWHERE constexpr TileCounts matmulSimtTiles(int64_t M, int64_t N) {
  return tileCounts(M, N, Config::kTileM, Config::kTileN, Config::kRasterGroup);
}

template <class Config>
AIT_ANYWHERE constexpr int64_t matmulSimtBlocks(int64_t M, int64_t N, int64_t batch) {
  return ceilDivide(M, Config::kTileM) * ceilDivide(N, Config::kTileN) * batch;
}

}  // namespace ait
