// Y[b…, m] = Σ_n softmax_n(scale · Q[b…, m] · K[b…, n] + mask) V[b…, n] by warp groups: compute
// capability 9.0a.
//
// A block has 64 queries for each of its consumers, warp groups that hold scores and sums in
// registers. One warp, or a thread of a consumer that is alone, feeds the copy engine, which fills
// rings of stages with keys and with values, from the last tile to the first. While the products of
// a tile's weights with its values and those of the queries with the next tile's keys are under
// way, the other consumers make weights of their scores: consumers take turns at the matrix units,
// and the values' product runs while the next weights are made.
//
// Keys and values need addresses and strides that are multiples of 16 bytes; any lengths. Expected
// bound: the matrix units; for widths up to 64 the special-function units as well.
// Source: Shah et al., "FlashAttention-3" (2024).
#pragma once

#include "ait/gpu/attention_hopper_config.h"
#include "ait/gpu/attention_rows.h"
#include "ait/gpu/ring.h"

namespace ait {

template <class Config>
class AttentionHopperBlock {
  using Shape = AttentionHopperShape<Config>;
  using Element = typename Config::Element;
  using Arguments = AttentionHopperArguments<Config>;
  using Rows = AttentionRows<Config>;
  using Place = RingPlace<Shape::kStages>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kConsumers = Shape::kConsumers;
  static constexpr int kStages = Shape::kStages;
  static constexpr int kTileN = Shape::kTileN;
  static constexpr int kSumWidth = Shape::kSumWidth;
  /// Barriers by number: a consumer's own, and the one at which it waits for its turn.
  static constexpr int kOwnBarrier = 1;
  static constexpr int kTurnBarrier = kOwnBarrier + kConsumers;

 public:
  AIT_DEVICE AttentionHopperBlock(const Arguments& arguments, const AttentionTile& tile)
      : arguments_(arguments),
        shared_(dynamicSharedMemory()),
        fullKeys_(reinterpret_cast<TransferBarrier*>(shared_ + Shape::kBarrierOffset)),
        emptyKeys_(fullKeys_ + kStages),
        fullValues_(emptyKeys_ + kStages),
        emptyValues_(fullValues_ + kStages),
        matrix_(tile.matrix),
        first_(tile.tile * Shape::kTileM) {}

  AIT_DEVICE void run() {
    const int warp = warpIndex();
    const bool isProducer = warp >= kConsumers * 4;
    if (warp == (Shape::kHasProducer ? kConsumers * 4 : 0) && laneIndex() == 0) {
      prefetchTensorMap(arguments_.keys);
      prefetchTensorMap(arguments_.values);
      for (int stage = 0; stage < kStages; ++stage) {
        fullKeys_[stage].initialize(1);
        fullValues_[stage].initialize(1);
        emptyKeys_[stage].initialize(kConsumers * 4);
        emptyValues_[stage].initialize(kConsumers * 4);
      }
      publishBarriers();
    }
    synchronizeBlock();
    const Rows block(arguments_.problem, matrix_, first_, Shape::kTileM);
    const int tiles = (block.keyCount() + kTileN - 1) / kTileN;
    if (isProducer) {
      if constexpr (Shape::kHasProducer) releaseRegisters<24>();
      if (warp == kConsumers * 4 && laneIndex() == 0) produce(block, tiles);
      synchronizeWarp();
    } else {
      if constexpr (Shape::kHasProducer) acquireRegisters<Shape::kConsumerRegisters>();
      consume(warp, tiles);
    }
  }

 private:
  // MARK: Copies

  template <int kParts>
  AIT_DEVICE void copyRows(char* to, const TensorMap& map, TransferBarrier& barrier,
                           const Rows& rows, int first, uint32_t batchAxes) const {
    int position[5] = {0, first, 0, 0, 0};
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) {
      position[2 + kRank - 1 - axis] = batchAxes >> axis & 1 ? rows.position(axis) : 0;
    }
    barrier.arriveExpecting(kParts * kTileN * 128);
    AIT_UNROLL
    for (int part = 0; part < kParts; ++part) {
      position[0] = part * 64;
      copyTensor<2 + kRank, false>(to + part * kTileN * 128, map, barrier, position, 0);
    }
  }
  AIT_DEVICE void copyKeys(int stage, const Rows& rows, int tile) const {
    copyRows<Shape::kDepthParts>(shared_ + Shape::kKeyOffset + stage * Shape::kKeyBytes,
                                 arguments_.keys, fullKeys_[stage], rows, tile * kTileN,
                                 arguments_.keyBatchAxes);
  }
  AIT_DEVICE void copyValues(int stage, const Rows& rows, int tile) const {
    copyRows<Shape::kWidthParts>(shared_ + Shape::kValueOffset + stage * Shape::kValueBytes,
                                 arguments_.values, fullValues_[stage], rows, tile * kTileN,
                                 arguments_.valueBatchAxes);
  }

  /// The producer: one thread. Keys go one tile ahead of values.
  AIT_DEVICE void produce(const Rows& rows, int tiles) const {
    waitForPrerequisites();
    Place keys;
    Place values;
    AIT_NO_UNROLL
    for (int tile = tiles - 1; tile >= -1; --tile) {
      if (tile >= 0) {
        // The phase before the first counts as ended: the first round does not wait.
        emptyKeys_[keys.stage].wait(keys.phase ^ 1);
        copyKeys(keys.stage, rows, tile);
        keys.advance();
      }
      if (tile + 1 < tiles) {
        emptyValues_[values.stage].wait(values.phase ^ 1);
        copyValues(values.stage, rows, tile + 1);
        values.advance();
      }
    }
  }

  /// A consumer that feeds itself: the copies of the first round.
  AIT_DEVICE void feedFirst(const Rows& rows, int tiles) const {
    for (int stage = 0; threadIndex() == 0 && stage < kStages && stage < tiles; ++stage) {
      copyKeys(stage, rows, tiles - 1 - stage);
      copyValues(stage, rows, tiles - 1 - stage);
    }
    synchronizeWarp();
  }

  /// Gives back the stage of the keys of a tile; a consumer that feeds itself then copies to it.
  AIT_DEVICE void releaseKeys(Place& place, const Rows& rows, int tile) const {
    TransferBarrier& empty = emptyKeys_[place.stage];
    if (laneIndex() == 0) empty.arrive();
    if constexpr (!Shape::kHasProducer) {
      if (threadIndex() == 0 && tile >= kStages) {
        empty.wait(place.phase);
        copyKeys(place.stage, rows, tile - kStages);
      }
      synchronizeWarp();
    }
    place.advance();
  }
  /// The same of its values.
  AIT_DEVICE void releaseValues(Place& place, const Rows& rows, int tile) const {
    TransferBarrier& empty = emptyValues_[place.stage];
    if (laneIndex() == 0) empty.arrive();
    if constexpr (!Shape::kHasProducer) {
      if (threadIndex() == 0 && tile >= kStages) {
        empty.wait(place.phase);
        copyValues(place.stage, rows, tile - kStages);
      }
      synchronizeWarp();
    }
    place.advance();
  }

  // MARK: Products

  using Scores = float[kTileN / 8][4];
  using Sums = float[kSumWidth / 8][4];
  using Weights = uint32_t[kTileN / 16][4];

  /// Sums as products take them.
  template <int kTiles>
  AIT_DEVICE static float (&flat(float (&sums)[kTiles][4]))
      [kTiles * 4] { return reinterpret_cast<float (&)[kTiles * 4]>(sums); } template <int kTiles>
      AIT_DEVICE static void pin(float (&sums)[kTiles][4]) {
    AIT_UNROLL
    for (int i = 0; i < kTiles * 4; ++i) pinSum(sums[i / 4][i % 4]);
  }

  /// Begins scores = Q K^T.
  AIT_DEVICE void multiplyKeys(Scores& scores, const char* queries, int stage) const {
    const char* keys = shared_ + Shape::kKeyOffset + stage * Shape::kKeyBytes;
    using Product = WarpgroupProduct<kTileN>;
    AIT_UNROLL
    for (int k = 0; k < Config::kDepth; k += 16) {
      const auto a = SharedMatrix::alongK(queries + k / 64 * 64 * 128).advanced(k % 64 * 2);
      const auto b = SharedMatrix::alongK(keys + k / 64 * kTileN * 128).advanced(k % 64 * 2);
      if (k == 0) {
        Product::template set<Element, Major::k, Major::k>(flat(scores), a, b);
      } else {
        Product::template add<Element, Major::k, Major::k>(flat(scores), a, b);
      }
    }
    commitProducts();
  }

  /// Begins sums += P V.
  AIT_DEVICE void multiplyValues(Sums& sums, const Weights& weights, int stage) const {
    const auto values = SharedMatrix::across(
        shared_ + Shape::kValueOffset + stage * Shape::kValueBytes, kTileN * 128);
    AIT_UNROLL
    for (int k = 0; k < kTileN; k += 16) {
      WarpgroupProduct<kSumWidth>::template add<Element, Major::mn>(flat(sums), weights[k / 16],
                                                                    values.advanced(k * 128));
    }
    commitProducts();
  }

  AIT_DEVICE static void packWeights(Weights& weights, const Scores& scores) {
    AIT_UNROLL
    for (int i = 0; i < kTileN / 16; ++i) Rows::packWeights(weights[i], scores, 2 * i);
  }

  AIT_DEVICE static void waitForTurn(int group) {
    if constexpr (Shape::kTakesTurns) synchronizeThreads(kTurnBarrier + group, 256);
  }
  AIT_DEVICE static void passTurn(int group) {
    if constexpr (Shape::kTakesTurns) arriveAtThreads(kTurnBarrier + (group + 1) % kConsumers, 256);
  }

  /// A consumer: one warp of a warp group.
  AIT_DEVICE void consume(int warp, int tiles) const {
    const int group = warp / 4;
    char* queries = shared_ + group * Shape::kGroupBytes;
    Rows rows(arguments_.problem, matrix_, first_ + group * 64, 64);
    rows.take(warp % 4 * 16 + laneIndex() / 4);
    waitForPrerequisites();
    if constexpr (!Shape::kHasProducer) feedFirst(rows, tiles);
    rows.template copyQueries<64, Shape::kDepthParts, 128>(queries, threadIndex() % 128);
    commitCopies();
    waitForCopies<0>();
    publishSharedMemory();
    synchronizeThreads(kOwnBarrier + group, 128);

    Sums sums;
    AIT_UNROLL
    for (int i = 0; i < kSumWidth / 2; ++i) sums[i / 4][i % 4] = 0;
    if (tiles > 0) attend(rows, sums, queries, group, tiles);
    launchDependents();
    // All warps of the group have read the queries, whose place the results take.
    synchronizeThreads(kOwnBarrier + group, 128);
    rows.template store<64>(sums, queries, warp % 4 * 16);
  }

  /// Goes through the tiles of keys and values, from the last to the first.
  AIT_DEVICE void attend(Rows& rows, Sums& sums, const char* queries, int group, int tiles) const {
    Place keys;
    Place values;
    Scores scores;
    Weights weights;
    float factors[2];
    AIT_UNROLL
    for (int i = 0; i < kTileN / 2; ++i) scores[i / 4][i % 4] = 0;
    if (group == kConsumers - 1 && tiles > 1) passTurn(group);

    fullKeys_[0].wait(0);
    beginProducts();
    multiplyKeys(scores, queries, 0);
    waitForProducts<0>();
    pin(scores);
    releaseKeys(keys, rows, tiles - 1);
    rows.weigh(scores, (tiles - 1) * kTileN, factors);
    packWeights(weights, scores);

    AIT_NO_UNROLL
    for (int tile = tiles - 2; tile >= 0; --tile) {
      fullKeys_[keys.stage].wait(keys.phase);
      fullValues_[values.stage].wait(values.phase);
      waitForTurn(group);
      beginProducts();
      multiplyKeys(scores, queries, keys.stage);
      multiplyValues(sums, weights, values.stage);
      // The first consumer begins after the last, which does not pass on a turn that nobody takes.
      if (group < kConsumers - 1 || tile > 0) passTurn(group);
      waitForProducts<1>();
      pin(scores);
      releaseKeys(keys, rows, tile);
      rows.weigh(scores, tile * kTileN, factors);
      waitForProducts<0>();
      pin(sums);
      releaseValues(values, rows, tile + 1);
      rows.scale(sums, factors);
      packWeights(weights, scores);
    }

    fullValues_[values.stage].wait(values.phase);
    beginProducts();
    multiplyValues(sums, weights, values.stage);
    waitForProducts<0>();
    pin(sums);
  }

  const Arguments& arguments_;
  char* shared_;
  TransferBarrier* fullKeys_;
  TransferBarrier* emptyKeys_;
  TransferBarrier* fullValues_;
  TransferBarrier* emptyValues_;
  int matrix_;
  /// The first row of the block.
  int first_;
};

/// Attends with the queries of a tile; see the head of this file.
template <class Config>
AIT_DEVICE void attentionHopper(const AttentionHopperArguments<Config>& arguments) {
  const AttentionTile tile(static_cast<int>(blockIndex()), arguments.problem.tiles,
                           arguments.problem.tileCount);
  AttentionHopperBlock<Config>(arguments, tile).run();
}

}  // namespace ait
