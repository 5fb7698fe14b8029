// Y[b…, m] = Σ_n softmax_n(scale · Q[b…, m] · K[b…, n] + mask) V[b…, n] by warps: compute
// capability 8.0 and later.
//
// A block has 64 queries, of all heads that share keys, and goes through the keys and values once,
// in tiles that are copied in the background while the one before is multiplied. A warp keeps the
// scores of 16 queries in registers, where they become the left side of the second product; each
// row's largest score and sum go along, and what was summed is scaled when a larger score comes.
// Heads are read and written where they lie. Any lengths and strides. Expected bound: the matrix
// units, and the special-function units for small widths; for few queries the bandwidth of K and V.
// Sources: Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018); Dao,
// "FlashAttention-2" (2023).
#pragma once

#include "ait/gpu/attention_rows.h"

namespace ait {

template <class Config>
class AttentionBlock {
  using Shape = AttentionShape<Config>;
  using Element = typename Config::Element;
  using Rows = AttentionRows<Config>;
  using Places = typename Rows::Places;
  static constexpr int kTileN = Shape::kTileN;
  static constexpr int kWidth = Config::kWidth;
  static constexpr int kDepth = Config::kDepth;

 public:
  AIT_DEVICE AttentionBlock(const AttentionArguments<Config>& arguments, int matrix, int tile)
      : arguments_(arguments),
        shared_(dynamicSharedMemory()),
        rows_(arguments, matrix, tile * Shape::kTileM, Shape::kTileM) {
    rows_.take(warpIndex() * 16 + laneIndex() / 4);
  }

  AIT_DEVICE void run() {
    launchDependents();
    AIT_UNROLL
    for (int i = 0; i < kWidth / 8; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) sums_[i][j] = 0;
    }
    const int tiles = (rows_.keyCount() + kTileN - 1) / kTileN;
    const bool isActive = rows_.isWithin(warpIndex() * 16);
    waitForPrerequisites();
    rows_.template copyQueries<Shape::kTileM, Shape::kDepthParts, Shape::kThreads>(shared_,
                                                                                   threadIndex());
    if (tiles > 0) copyStage(0, 0);
    commitCopies();
    waitForCopies<0>();
    synchronizeBlock();
    uint32_t queries[Shape::kKeepsQueries ? kDepth / 16 : 1][4];
    if constexpr (Shape::kKeepsQueries) {
      AIT_UNROLL
      for (int k = 0; k < kDepth; k += 16) loadQueries(queries[k / 16], k);
    }
    AIT_NO_UNROLL
    for (int tile = 0; tile < tiles; ++tile) {
      if (tile > 0) {
        waitForCopies<0>();
        // All have copied this stage, and all have read the one that is copied to next.
        synchronizeBlock();
      }
      if (tile + 1 < tiles) copyStage((tile + 1) % 2, tile + 1);
      commitCopies();
      if (isActive)
        attend(queries, shared_ + Shape::kQueryBytes + tile % 2 * Shape::kStageBytes,
               tile * kTileN);
    }
    waitForCopies<0>();
    rows_.template store<Shape::kTileM>(sums_, shared_, warpIndex() * 16);
  }

 private:
  AIT_DEVICE void copyStage(int stage, int tile) const {
    char* to = shared_ + Shape::kQueryBytes + stage * Shape::kStageBytes;
    rows_.template copyRows<Config::kAlignmentK, kTileN, Shape::kDepthParts, Shape::kThreads>(
        to, arguments_.k, tile * kTileN, arguments_.depth, threadIndex());
    rows_.template copyRows<Config::kAlignmentV, kTileN, Shape::kWidthParts, Shape::kThreads>(
        to + Shape::kKeyBytes, arguments_.v, tile * kTileN, arguments_.width, threadIndex());
  }

  AIT_DEVICE void loadQueries(uint32_t (&x)[4], int k) const {
    Places::template load<false>(x, shared_ + k / 64 * Shape::kTileM * 128, warpIndex() * 16,
                                 k % 64);
  }

  /// Goes through a tile of keys and values, the first of which is `first`.
  template <int kKept>
  AIT_DEVICE void attend(const uint32_t (&queries)[kKept][4], char* stage, int first) {
    float scores[kTileN / 8][4];
    AIT_UNROLL
    for (int i = 0; i < kTileN / 8; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) scores[i][j] = 0;
    }
    AIT_UNROLL
    for (int k = 0; k < kDepth; k += 16) {
      uint32_t a[4];
      if constexpr (Shape::kKeepsQueries) {
        AIT_UNROLL
        for (int i = 0; i < 4; ++i) a[i] = queries[k / 16][i];
      } else {
        loadQueries(a, k);
      }
      multiplyKeys<Rows, kTileN>(scores, a, stage, k);
    }
    float factors[2];
    rows_.weigh(scores, first, factors);
    rows_.scale(sums_, factors);
    AIT_UNROLL
    for (int k = 0; k < kTileN; k += 16) {
      uint32_t a[4];
      rows_.packWeights(a, scores, k / 8);
      multiplyValues<Rows, kTileN, kWidth>(sums_, a, stage + Shape::kKeyBytes, k);
    }
  }

  const AttentionArguments<Config>& arguments_;
  char* shared_;
  Rows rows_;
  float sums_[kWidth / 8][4];
};

/// Attends with the queries of a tile.
template <class Config>
AIT_DEVICE void attention(const AttentionArguments<Config>& arguments) {
  const AttentionTile tile(static_cast<int>(blockIndex()), arguments.tiles, arguments.tileCount);
  AttentionBlock<Config>(arguments, tile.matrix, tile.tile).run();
}

}  // namespace ait
