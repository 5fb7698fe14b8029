// What follows from the configuration of attention for its kernel for few queries, the arguments of
// that, and how keys are divided. Compiles on the host.
#pragma once

#include "ait/gpu/attention_config.h"

namespace ait {

template <class Config>
struct AttentionFewQueriesShape : Config {
  using Config::kDepth, Config::kWidth;
  static constexpr int kWarps = larger(kDepth, kWidth) <= 128 ? 4 : 2;
  static constexpr int kThreads = kWarps * 32;
  /// Queries of a tile, and keys of a warp's.
  static constexpr int kTileM = 16;
  static constexpr int kTileN = 16;
  static constexpr int kStages = kDepth + kWidth <= 128 ? 4 : 2;
  /// Parts of 128 bytes of a row.
  static constexpr int kDepthParts = (kDepth + 63) / 64;
  static constexpr int kWidthParts = (kWidth + 63) / 64;
  static constexpr bool kKeepsQueries = kDepth <= 128;

  static constexpr int kQueryBytes = kTileM * 128 * kDepthParts;
  static constexpr int kKeyBytes = kTileN * 128 * kDepthParts;
  static constexpr int kStageBytes = kKeyBytes + kTileN * 128 * kWidthParts;
  static constexpr int kRingBytes = kStages * kStageBytes;
  /// Sums of a row that a warp hands over; the pitch keeps rows off each other's banks.
  static constexpr int kPitch = kWidth + 8;
  static constexpr int kHandedBytes = kTileM * (kPitch + 2) * 4;
  static constexpr int kSharedBytes = kQueryBytes + kWarps * larger(kRingBytes, kHandedBytes);
  /// Blocks that a multiprocessor of 227 KB and 65536 registers holds: 168 a thread, more where
  /// single elements go through registers.
  static constexpr int kBlocksPerMultiprocessor =
      smaller(smaller(Config::kAlignmentK, Config::kAlignmentV) >= 2 ? 3 : 2,
              232448 / (kSharedBytes + 1024));

  /// What a block leaves of its part: the sums of every row, then largest scores and weights.
  static constexpr int kStateFloats = kTileM * (kWidth + 2);
  /// Parts of the keys: a lane has one when they are brought together.
  static constexpr int kMostParts = 32;
  static constexpr int kFinishSharedBytes = kWarps * kWidth * 4;
  /// Keys that a block has at least.
  static constexpr int kLeastKeys = 256;

  static_assert(kDepth % 16 == 0 && kWidth % 16 == 0 && kDepth > 0 && kWidth > 0,
                "the matrix units go through 16 elements at once");
  static_assert(kDepth <= 256 && kWidth <= 256, "sums beyond 128 registers of a thread spill");
  static_assert(kSharedBytes <= 101376, "a block has at least 99 KB of shared memory on any GPU");
};

template <class Config>
struct AttentionFewQueriesArguments {
  AttentionArguments<Config> problem;
  /// Room for `kStateFloats` numbers of every block, if keys are divided.
  float* states;
  /// Parts of the keys, and the tiles of one.
  int32_t parts;
  int32_t partTiles;
  Divisor partDivisor;
};

/// The parts that keys are divided into, for blocks to fill a device where there are few tiles of
/// queries.
template <class Config>
AIT_ANYWHERE constexpr int attentionParts(int64_t tiles, int64_t keys, int multiprocessors) {
  using Shape = AttentionFewQueriesShape<Config>;
  const int64_t blocks = int64_t{multiprocessors} * Shape::kBlocksPerMultiprocessor;
  const int64_t limits[3] = {blocks / tiles, keys / Shape::kLeastKeys,
                             Config::kWorkspaceStates / tiles};
  int64_t parts = Shape::kMostParts;
  for (const int64_t limit : limits) {
    if (limit < parts) parts = limit;
  }
  return parts > 1 ? static_cast<int>(parts) : 1;
}

}  // namespace ait
