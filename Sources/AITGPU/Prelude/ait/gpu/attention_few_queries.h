// Attention with few queries for each matrix of keys, such as a step of decoding: compute
// capability 8.0 and later.
//
// A block has 16 queries, of all heads that share keys, and a part of the keys. Each of its warps
// goes through tiles of 16 keys of its own, with a ring of copies in the background of its own, so
// that no warp waits for another; then they bring their sums together. Where the keys are in
// several parts, blocks leave their sums in the workspace, and a second launch brings those
// together. The order is fixed by the sizes and the device. Any lengths and strides. Expected
// bound: the bandwidth of K and V. Source: Dao et al., "Flash-Decoding for long-context inference"
// (2023).
#pragma once

#include "ait/gpu/attention_few_queries_config.h"
#include "ait/gpu/attention_rows.h"

namespace ait {

/// Scores of parts on a common scale: the factors of their sums.
template <int kParts>
struct AttentionScale {
  float largest = -kInfinityOf<float>;
  float factors[kParts];

  AIT_DEVICE explicit AttentionScale(const float (&parts)[kParts]) {
    AIT_UNROLL
    for (int i = 0; i < kParts; ++i) largest = maximumOrNaN(largest, parts[i]);
    AIT_UNROLL
    for (int i = 0; i < kParts; ++i) factors[i] = exp2Approximate(parts[i] - reference());
  }

  /// Without any key that counts, all weights are 0.
  AIT_DEVICE float reference() const { return largest == -kInfinityOf<float> ? 0.0f : largest; }
};

template <class Config>
class AttentionFewQueriesBlock {
  using Shape = AttentionFewQueriesShape<Config>;
  using Arguments = AttentionFewQueriesArguments<Config>;
  using Rows = AttentionRows<Config>;
  using Places = typename Rows::Places;
  static constexpr int kWarps = Shape::kWarps;
  static constexpr int kTileM = Shape::kTileM;
  static constexpr int kTileN = Shape::kTileN;
  static constexpr int kStages = Shape::kStages;
  static constexpr int kWidth = Config::kWidth;
  static constexpr int kDepth = Config::kDepth;

 public:
  AIT_DEVICE AttentionFewQueriesBlock(const Arguments& arguments, int part,
                                      const AttentionTile& tile)
      : arguments_(arguments),
        shared_(dynamicSharedMemory()),
        ring_(shared_ + Shape::kQueryBytes + warpIndex() * Shape::kRingBytes),
        part_(part),
        rows_(arguments.problem, tile.matrix, tile.tile * kTileM, kTileM) {
    rows_.take(laneIndex() / 4);
  }

  AIT_DEVICE void run() {
    launchDependents();
    AIT_UNROLL
    for (int i = 0; i < kWidth / 8; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) sums_[i][j] = 0;
    }
    const int tiles = (rows_.keyCount() + kTileN - 1) / kTileN;
    const int first = part_ * arguments_.partTiles;
    const int end = first + arguments_.partTiles < tiles ? first + arguments_.partTiles : tiles;
    const int own = first + warpIndex();
    waitForPrerequisites();
    rows_.template copyQueries<kTileM, Shape::kDepthParts, Shape::kThreads>(shared_, threadIndex());
    commitCopies();
    AIT_UNROLL
    for (int stage = 0; stage < kStages - 1; ++stage) copyStage(stage, own + stage * kWarps, end);
    waitForCopies<kStages - 1>();
    synchronizeBlock();
    uint32_t queries[Shape::kKeepsQueries ? kDepth / 16 : 1][4];
    if constexpr (Shape::kKeepsQueries) {
      AIT_UNROLL
      for (int k = 0; k < kDepth; k += 16) loadQueries(queries[k / 16], k);
    }
    int stage = 0;
    AIT_NO_UNROLL
    for (int tile = own; tile < end; tile += kWarps) {
      // All lanes have read the stage that is copied to, and later all have copied the one that is
      // read.
      synchronizeWarp();
      copyStage(stage > 0 ? stage - 1 : kStages - 1, tile + (kStages - 1) * kWarps, end);
      waitForCopies<kStages - 1>();
      synchronizeWarp();
      attend(queries, ring_ + stage * Shape::kStageBytes, tile * kTileN);
      if (++stage == kStages) stage = 0;
    }
    waitForCopies<0>();
    handOver();
    finish();
  }

 private:
  AIT_DEVICE void copyStage(int stage, int tile, int end) const {
    const auto& problem = arguments_.problem;
    if (tile < end) {
      char* to = ring_ + stage * Shape::kStageBytes;
      rows_.template copyRows<Config::kAlignmentK, kTileN, Shape::kDepthParts, 32>(
          to, problem.k, tile * kTileN, problem.depth, laneIndex());
      rows_.template copyRows<Config::kAlignmentV, kTileN, Shape::kWidthParts, 32>(
          to + Shape::kKeyBytes, problem.v, tile * kTileN, problem.width, laneIndex());
    }
    commitCopies();
  }

  AIT_DEVICE void loadQueries(uint32_t (&x)[4], int k) const {
    Places::template load<false>(x, shared_ + k / 64 * kTileM * 128, 0, k % 64);
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
    uint32_t a[4];
    rows_.packWeights(a, scores, 0);
    multiplyValues<Rows, kTileN, kWidth>(sums_, a, stage + Shape::kKeyBytes, 0);
  }

  // MARK: Results

  /// What a warp hands over: sums of rows, then largest scores, then weights.
  AIT_DEVICE float* handed(int warp) const {
    return reinterpret_cast<float*>(shared_ + Shape::kQueryBytes + warp * Shape::kHandedBytes);
  }
  static constexpr int kLargest = kTileM * Shape::kPitch;
  static constexpr int kWeights = kLargest + kTileM;

  AIT_DEVICE void handOver() const {
    // The rings are read: sums take their place.
    synchronizeBlock();
    const int lane = laneIndex();
    float* to = handed(warpIndex());
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int row = lane / 4 + half * 8;
      AIT_UNROLL
      for (int i = 0; i < kWidth / 8; ++i) {
        storeShared(to + row * Shape::kPitch + i * 8 + lane % 4 * 2, sums_[i][half * 2],
                    sums_[i][half * 2 + 1]);
      }
      const float weight = rows_.weight(half);
      if (lane % 4 == 0) {
        to[kLargest + row] = rows_.largest(half);
        to[kWeights + row] = weight;
      }
    }
    synchronizeBlock();
  }

  /// Brings together what the warps have handed over, 8 columns of a row a thread.
  AIT_DEVICE void finish() const {
    constexpr int kPieces = kWidth / 8;
    AIT_NO_UNROLL
    for (int index = threadIndex(); index < kTileM * kPieces; index += Shape::kThreads) {
      const int row = index / kPieces;
      const int piece = index % kPieces;
      if (!rows_.isWithin(row)) return;
      float largest[kWarps];
      AIT_UNROLL
      for (int warp = 0; warp < kWarps; ++warp) largest[warp] = handed(warp)[kLargest + row];
      const AttentionScale<kWarps> scale(largest);
      float weight = 0;
      float sums[8] = {};
      AIT_UNROLL
      for (int warp = 0; warp < kWarps; ++warp) {
        weight += handed(warp)[kWeights + row] * scale.factors[warp];
        AIT_UNROLL
        for (int i = 0; i < 8; i += 4) {
          float four[4];
          loadShared(handed(warp) + row * Shape::kPitch + piece * 8 + i, four);
          AIT_UNROLL
          for (int j = 0; j < 4; ++j) sums[i + j] += four[j] * scale.factors[warp];
        }
      }
      if (arguments_.parts == 1) {
        rows_.storeSums(sums, rows_.normalizer(scale.largest, weight), row, piece);
      } else {
        leave(sums, scale.largest, weight, row, piece);
      }
    }
  }

  AIT_DEVICE void leave(const float (&sums)[8], float largest, float weight, int row,
                        int piece) const {
    float* state = arguments_.states + blockIndex() * Shape::kStateFloats;
    AIT_UNROLL
    for (int i = 0; i < 8; i += 4) {
      Words<16> words;
      __builtin_memcpy(&words, sums + i, 16);
      storeGlobal(state + row * kWidth + piece * 8 + i, words);
    }
    if (piece > 0) return;
    Words<4> words;
    __builtin_memcpy(&words, &largest, 4);
    storeGlobal(state + kTileM * kWidth + row, words);
    __builtin_memcpy(&words, &weight, 4);
    storeGlobal(state + kTileM * (kWidth + 1) + row, words);
  }

  const Arguments& arguments_;
  char* shared_;
  char* ring_;
  int part_;
  Rows rows_;
  float sums_[kWidth / 8][4];
};

/// Attends with the queries of a tile over a part of the keys; see the head of this file.
template <class Config>
AIT_DEVICE void attentionFewQueries(const AttentionFewQueriesArguments<Config>& arguments) {
  const int block = static_cast<int>(blockIndex());
  const int group = arguments.partDivisor.quotient(block);
  const AttentionTile tile(group, arguments.problem.tiles, arguments.problem.tileCount);
  AttentionFewQueriesBlock<Config>(arguments, block - group * arguments.parts, tile).run();
}

/// Brings together what blocks have left of a row: a block for each row of all tiles. Lanes have
/// four columns, warps take parts in turn.
template <class Config>
AIT_DEVICE void finishAttentionFewQueries(const AttentionFewQueriesArguments<Config>& arguments) {
  using Shape = AttentionFewQueriesShape<Config>;
  constexpr int kWidth = Config::kWidth;
  constexpr int kRounds = (kWidth + 127) / 128;
  constexpr float kNone = -kInfinityOf<float>;
  const int lane = laneIndex();
  // While all lanes are here: it is a shuffle.
  const int warp = warpIndex();
  const int group = static_cast<int>(blockIndex()) / Shape::kTileM;
  const int row = static_cast<int>(blockIndex()) % Shape::kTileM;
  const AttentionTile tile(group, arguments.problem.tiles, arguments.problem.tileCount);
  const AttentionRows<Config> rows(arguments.problem, tile.matrix, tile.tile * Shape::kTileM,
                                   Shape::kTileM);
  launchDependents();
  waitForPrerequisites();
  if (!rows.isWithin(row)) return;
  const float* states = arguments.states + int64_t{group} * arguments.parts * Shape::kStateFloats;
  const auto number = [&](int part, int at) {
    const auto word = loadGlobal<4>(states + int64_t{part} * Shape::kStateFloats + at);
    float x;
    __builtin_memcpy(&x, &word, 4);
    return x;
  };
  // A lane has the largest score and the weight of a part. Lanes stay together: those without a
  // part, or without columns, read what others do.
  const bool exists = lane < arguments.parts;
  const int readable = exists ? lane : 0;
  const float first = number(readable, Shape::kTileM * kWidth + row);
  const float second = number(readable, Shape::kTileM * (kWidth + 1) + row);
  const float own = exists ? first : kNone;
  float largest = own;
  AIT_UNROLL
  for (int mask = 1; mask < 32; mask *= 2) {
    largest = maximumOrNaN(largest, shuffleXor(largest, mask));
  }
  const float factor = exp2Approximate(own - (largest == kNone ? 0.0f : largest));
  float weight = exists ? second * factor : 0.0f;
  AIT_UNROLL
  for (int mask = 1; mask < 32; mask *= 2) weight += shuffleXor(weight, mask);

  constexpr int kTurns = Shape::kMostParts / Shape::kWarps;
  float scales[kTurns];
  AIT_UNROLL
  for (int i = 0; i < kTurns; ++i) scales[i] = shuffle(factor, i * Shape::kWarps + warp);
  float sums[kRounds][4] = {};
  AIT_UNROLL
  for (int i = 0; i < kTurns; ++i) {
    const int part = i * Shape::kWarps + warp;
    if (part >= arguments.parts) continue;
    AIT_UNROLL
    for (int round = 0; round < kRounds; ++round) {
      const int column = round * 128 + lane * 4;
      const auto words = loadGlobal<16>(states + int64_t{part} * Shape::kStateFloats +
                                        row * kWidth + (column < kWidth ? column : 0));
      float four[4];
      __builtin_memcpy(four, &words, 16);
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) sums[round][j] += four[j] * scales[i];
    }
  }
  auto* shared = reinterpret_cast<float*>(dynamicSharedMemory());
  AIT_UNROLL
  for (int round = 0; round < kRounds; ++round) {
    const int column = round * 128 + lane * 4;
    if (column >= kWidth) continue;
    float* to = shared + warp * kWidth + column;
    storeShared(to, sums[round][0], sums[round][1]);
    storeShared(to + 2, sums[round][2], sums[round][3]);
  }
  synchronizeBlock();
  const int piece = threadIndex();
  if (piece >= kWidth / 8) return;
  float total[8] = {};
  AIT_UNROLL
  for (int warp = 0; warp < Shape::kWarps; ++warp) {
    AIT_UNROLL
    for (int i = 0; i < 8; i += 4) {
      float four[4];
      loadShared(shared + warp * kWidth + piece * 8 + i, four);
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) total[i + j] += four[j];
    }
  }
  rows.storeSums(total, rows.normalizer(largest, weight), row, piece);
}

}  // namespace ait
