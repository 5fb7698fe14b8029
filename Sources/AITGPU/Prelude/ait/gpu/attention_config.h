// The configuration and the arguments of attention. Compiles on the host.
#pragma once

#include "ait/gpu/divisor.h"
#include "ait/gpu/types.h"

namespace ait {

/// A configuration inherits from this and names `Element`, float16 or bfloat16, and `Mask`: bool, a
/// floating-point type, or void without a mask. It defines `kDepth` and `kWidth`, the widths of
/// keys and of values rounded up to 16, and `kScale`, the factor of the products times log2 e.
struct AttentionDefaults {
  /// The axes of matrices: those of the batch, and heads of keys.
  static constexpr int kBatchRank = 0;
  static constexpr int kWarps = 4;
  /// Warp groups of 64 queries each of a block on GPUs that have them.
  static constexpr int kConsumers = 2;
  /// Of that kernel, the keys of a tile and the blocks that are to fit a multiprocessor; 0: as
  /// found best.
  static constexpr int kTileKeys = 0;
  static constexpr int kBlocks = 0;
  static constexpr bool kIsCausal = false;
  static constexpr bool kKeepsNaN = false;
  /// Elements that addresses and strides are multiples of, the stride of a row's elements aside,
  /// which is 1; 0 where it may be another. Single elements go through registers.
  static constexpr int kAlignmentQ = 8;
  static constexpr int kAlignmentK = 8;
  static constexpr int kAlignmentV = 8;
  static constexpr int kAlignmentOut = 8;
  /// Whether a mask's elements for neighbouring keys follow each other.
  static constexpr bool kIsMaskContiguous = false;
  /// Blocks that may leave sums in the workspace, where few queries have their keys in parts.
  static constexpr int kWorkspaceStates = 0;
};

template <class Config>
struct AttentionShape : Config {
  using Config::kDepth, Config::kWidth, Config::kWarps;
  static constexpr int kThreads = kWarps * 32;
  /// Queries and keys of a tile.
  static constexpr int kTileM = kWarps * 16;
  static constexpr int kTileN = larger(kDepth, kWidth) <= 128 ? 64 : 32;
  /// Parts of 128 bytes of a row.
  static constexpr int kDepthParts = (kDepth + 63) / 64;
  static constexpr int kWidthParts = (kWidth + 63) / 64;
  /// Whether a warp keeps its queries in registers.
  static constexpr bool kKeepsQueries = kDepth <= 128;
  /// Queries, later results.
  static constexpr int kQueryBytes = kTileM * 128 * larger(kDepthParts, kWidthParts);
  static constexpr int kKeyBytes = kTileN * 128 * kDepthParts;
  static constexpr int kStageBytes = kKeyBytes + kTileN * 128 * kWidthParts;
  static constexpr int kSharedBytes = kQueryBytes + 2 * kStageBytes;
  /// Of narrow heads, 168 registers a thread suffice.
  static constexpr int kBlocksPerMultiprocessor =
      kDepth + kWidth <= 128 && __is_same(typename Config::Mask, void) ? 3 : 1;

  static_assert(kDepth % 16 == 0 && kWidth % 16 == 0 && kDepth > 0 && kWidth > 0,
                "the matrix units go through 16 elements at once");
  static_assert(kDepth <= 256 && kWidth <= 256, "sums beyond 128 registers of a thread spill");
  static_assert(kTileN * 8 % kThreads == 0, "threads share the copies of a stage evenly");
};

/// Where an operand lies: strides are batch…, head within its group, row, column.
template <int kBatchRank>
using AttentionPlace = OperandPlace<kBatchRank + 3>;

template <class Config>
struct AttentionArguments {
  AttentionPlace<Config::kBatchRank> q;
  AttentionPlace<Config::kBatchRank> k;
  AttentionPlace<Config::kBatchRank> v;
  AttentionPlace<Config::kBatchRank> mask;
  AttentionPlace<Config::kBatchRank> out;
  int32_t batchExtents[Config::kBatchRank + 1];
  /// Queries of all heads of a group, and of one head.
  int32_t rows;
  int32_t queries;
  int32_t keys;
  int32_t depth;
  int32_t width;
  /// Whether address and strides of a contiguous mask let pairs of elements be read at once.
  int32_t isMaskPaired;
  int32_t tileCount;
  Divisor tiles;
  Divisor perHead;
};

}  // namespace ait
