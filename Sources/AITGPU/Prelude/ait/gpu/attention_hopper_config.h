// What follows from the configuration of attention for its kernel by warp groups, and the arguments
// of that. Compiles on the host.
#pragma once

#include "ait/gpu/attention_config.h"

namespace ait {

template <class Config>
struct AttentionHopperShape : Config {
  using Config::kConsumers, Config::kDepth, Config::kWidth;

  static constexpr int kConsumerThreads = kConsumers * 128;
  /// A consumer alone feeds the copy engine itself, so that more blocks fit a multiprocessor. One
  /// of several has a producer, a warp of a warp group that gives its registers to the consumers.
  static constexpr bool kHasProducer = kConsumers > 1;
  static constexpr int kThreads = kConsumerThreads + (kHasProducer ? 128 : 0);
  static constexpr int kConsumerRegisters = kConsumers == 2 ? 240 : 160;
  /// Queries and keys of a tile. Scores, weights and sums of a thread take 176 registers at most,
  /// and more while a mask is read.
  static constexpr bool kHasMask = !__is_same(typename Config::Mask, void);
  static constexpr bool kIsNarrow = larger(kDepth, kWidth) <= 64;
  /// Whether consumers take turns at the matrix units; the weights of narrow heads take longer than
  /// their products.
  static constexpr bool kTakesTurns = kConsumers > 1 && !kIsNarrow;
  static constexpr int kTileM = kConsumers * 64;
  static constexpr int kTileN = Config::kTileKeys > 0                      ? Config::kTileKeys
                                : kHasMask || larger(kDepth, kWidth) > 128 ? 64
                                                                           : 128;
  static constexpr int kBlocksPerMultiprocessor = Config::kBlocks > 0 ? Config::kBlocks
                                                  : kConsumers > 1    ? 1
                                                  : kIsNarrow         ? 3
                                                                      : 2;
  /// The columns of the sums: whole rows of values. Products that end within a row are right on the
  /// emulated device; on a GPU they have not been tried.
  static constexpr int kSumWidth = (kWidth + 63) / 64 * 64;
  /// Parts of 128 bytes of a row.
  static constexpr int kDepthParts = (kDepth + 63) / 64;
  static constexpr int kWidthParts = (kWidth + 63) / 64;
  /// Keys and values are stages of rings of their own.
  static constexpr int kStages = 2;

  /// Queries, later results, of a consumer.
  static constexpr int kGroupBytes = 64 * 128 * larger(kDepthParts, kWidthParts);
  static constexpr int kKeyBytes = kTileN * 128 * kDepthParts;
  static constexpr int kValueBytes = kTileN * 128 * kWidthParts;
  static constexpr int kKeyOffset = kConsumers * kGroupBytes;
  static constexpr int kValueOffset = kKeyOffset + kStages * kKeyBytes;
  static constexpr int kBarrierOffset = kValueOffset + kStages * kValueBytes;
  static constexpr int kSharedBytes = kBarrierOffset + 4 * kStages * 8;

  static_assert(kConsumers >= 1 && kConsumers <= 3, "one to three warp groups multiply");
  static_assert(kDepth % 16 == 0 && kWidth % 16 == 0 && kDepth > 0 && kWidth > 0,
                "the matrix units go through 16 elements at once");
  static_assert(kDepth <= 256 && kWidth <= 256, "sums beyond 128 registers of a thread spill");
  static_assert(kConsumers < 3 || kSumWidth + kTileN <= 192,
                "three consumers have 160 registers a thread");
  static_assert(kSharedBytes <= 232448, "a block has at most 227 KB of shared memory");
};

/// The maps are those of keys and values with the axes {column, key}, then batch axes, last first;
/// boxes of 64 columns by the keys of a tile, 1 along the batch.
template <class Config>
struct AttentionHopperArguments {
  TensorMap keys;
  TensorMap values;
  AttentionArguments<Config> problem;
  /// A bit per batch axis along which keys and values move, bit 0 for the first axis.
  uint32_t keyBatchAxes;
  uint32_t valueBatchAxes;
};

}  // namespace ait
