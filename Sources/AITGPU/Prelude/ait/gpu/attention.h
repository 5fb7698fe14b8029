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

#include "ait/gpu/attention_config.h"
#include "ait/gpu/matmul_multistage.h"
#include "ait/gpu/reducers.h"

namespace ait {

template <class Config>
class AttentionBlock {
  using Shape = AttentionShape<Config>;
  using Element = typename Config::Element;
  using Mask = typename Config::Mask;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kTileN = Shape::kTileN;
  static constexpr int kWidth = Config::kWidth;
  static constexpr int kDepth = Config::kDepth;
  static constexpr bool kHasMask = !__is_same(Mask, void);
  static constexpr float kLog2E = 1.4426950408889634f;
  static constexpr float kNone = -kInfinityOf<float>;

  /// Rows of 128 bytes in shared memory.
  template <int kRows, int kAlignment>
  using Staged = StagedMatrix<Element, Major::k, kRows, Shape::kThreads, larger(kAlignment, 1)>;
  using Places = Staged<kTileN, 8>;

 public:
  AIT_DEVICE explicit AttentionBlock(const AttentionArguments<Config>& arguments)
      : arguments_(arguments), shared_(dynamicSharedMemory()) {
    const int block = static_cast<int>(blockIndex());
    int matrix = arguments.tiles.quotient(block);
    // Under a causal mask the last tiles have most to do: they come first.
    const int tile = arguments.tileCount - 1 - (block - matrix * arguments.tileCount);
    first_ = tile * Shape::kTileM;
    AIT_UNROLL
    for (int axis = kRank - 1; axis >= 0; --axis) {
      const int rest = axis > 0 ? matrix / arguments.batchExtents[axis] : 0;
      position_[axis] = matrix - rest * arguments.batchExtents[axis];
      matrix = rest;
    }
    const int row = first_ + warpIndex() * 16 + laneIndex() / 4;
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int own = row + half * 8;
      const Query query(arguments, own < arguments.rows ? own : 0);
      query_[half] = query.index;
      if constexpr (kHasMask) mask_[half] = base<Mask>(arguments.mask) + query.at(arguments.mask);
    }
  }

  AIT_DEVICE void run() {
    launchDependents();
    clear();
    const int tiles = (keyCount() + kTileN - 1) / kTileN;
    const bool isActive = first_ + warpIndex() * 16 < arguments_.rows;
    waitForPrerequisites();
    copyQueries();
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
    finish();
  }

 private:
  /// A query of a group: its head and its index there.
  struct Query {
    int head;
    int index;

    AIT_DEVICE Query(const AttentionArguments<Config>& arguments, int row)
        : head(arguments.perHead.quotient(row)), index(row - head * arguments.queries) {}

    AIT_DEVICE int64_t at(const AttentionPlace<kRank>& place) const {
      return head * place.strides[kRank] + index * place.strides[kRank + 1];
    }
  };

  /// Where the matrix of this block begins.
  template <class T>
  AIT_DEVICE T* base(const AttentionPlace<kRank>& place) const {
    T* base = static_cast<T*>(place.base);
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) base += position_[axis] * place.strides[axis];
    return base;
  }

  /// The keys that some query of this block counts.
  AIT_DEVICE int keyCount() const {
    if constexpr (!Config::kIsCausal) return arguments_.keys;
    const int last = first_ + Shape::kTileM - 1;
    const Query from(arguments_, first_);
    const Query to(arguments_, last < arguments_.rows ? last : arguments_.rows - 1);
    const int most = from.head == to.head ? to.index + 1 : arguments_.queries;
    return most < arguments_.keys ? most : arguments_.keys;
  }

  AIT_DEVICE void clear() {
    AIT_UNROLL
    for (int i = 0; i < kWidth / 8; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) sums_[i][j] = 0;
    }
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      largest_[half] = kNone;
      weights_[half] = 0;
    }
  }

  // MARK: Copies

  /// Copies 8 elements of a row from the column `column` on; those that do not exist are zeros.
  template <int kAlignment>
  AIT_DEVICE static void copyPiece(char* to, const Element* row, int64_t stride, int column,
                                   int count) {
    int valid = count - column;
    valid = valid < 0 ? 0 : valid > 8 ? 8 : valid;
    if constexpr (kAlignment > 0) {
      Staged<kTileN, kAlignment>::copyPiece(to, valid > 0 ? row + column : row, valid);
    } else {
      OperandPacket<Operand<Element, Access::strided>, 8> packet;
      packet.load(row, stride, column, valid);
      Words<16> words;
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) words.words[i] = packet.packet.words[i];
      storeShared(to, words);
    }
  }

  AIT_DEVICE void copyQueries() const {
    const auto& place = arguments_.q;
    const Element* from = base<const Element>(place);
    AIT_UNROLL
    for (int i = 0; i < Shape::kTileM * 8; i += Shape::kThreads) {
      const int row = (i + threadIndex()) / 8;
      const int piece = threadIndex() % 8;
      const bool exists = first_ + row < arguments_.rows;
      const Query query(arguments_, exists ? first_ + row : 0);
      AIT_UNROLL
      for (int part = 0; part < Shape::kDepthParts; ++part) {
        copyPiece<Config::kAlignmentQ>(Places::at(shared_ + part * Shape::kTileM * 128, row, piece),
                                       from + query.at(place), place.strides[kRank + 2],
                                       part * 64 + piece * 8, exists ? arguments_.depth : 0);
      }
    }
  }

  template <int kAlignment, int kParts>
  AIT_DEVICE void copyRows(char* to, const AttentionPlace<kRank>& place, int first,
                           int columns) const {
    const Element* from = base<const Element>(place);
    AIT_UNROLL
    for (int i = 0; i < kTileN * 8; i += Shape::kThreads) {
      const int row = (i + threadIndex()) / 8;
      const int piece = threadIndex() % 8;
      const bool exists = first + row < arguments_.keys;
      const Element* own = exists ? from + (first + row) * place.strides[kRank + 1] : from;
      AIT_UNROLL
      for (int part = 0; part < kParts; ++part) {
        copyPiece<kAlignment>(Places::at(to + part * kTileN * 128, row, piece), own,
                              place.strides[kRank + 2], part * 64 + piece * 8,
                              exists ? columns : 0);
      }
    }
  }

  AIT_DEVICE void copyStage(int stage, int tile) const {
    char* to = shared_ + Shape::kQueryBytes + stage * Shape::kStageBytes;
    copyRows<Config::kAlignmentK, Shape::kDepthParts>(to, arguments_.k, tile * kTileN,
                                                      arguments_.depth);
    copyRows<Config::kAlignmentV, Shape::kWidthParts>(to + Shape::kKeyBytes, arguments_.v,
                                                      tile * kTileN, arguments_.width);
  }

  // MARK: Products

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
      AIT_UNROLL
      for (int n = 0; n < kTileN; n += 16) {
        uint32_t b[4];
        Places::template load<true>(b, stage + k / 64 * kTileN * 128, n, k % 64);
        multiplyTiles<Element>(scores[n / 8], a, b[0], b[1]);
        multiplyTiles<Element>(scores[n / 8 + 1], a, b[2], b[3]);
      }
    }
    weigh(scores, first);
    AIT_UNROLL
    for (int k = 0; k < kTileN; k += 16) {
      const auto& low = scores[k / 8];
      const auto& high = scores[k / 8 + 1];
      const uint32_t a[4] = {pack<Element>(low[0], low[1]), pack<Element>(low[2], low[3]),
                             pack<Element>(high[0], high[1]), pack<Element>(high[2], high[3])};
      const int lane = laneIndex();
      AIT_UNROLL
      for (int n = 0; n < kWidth; n += 16) {
        uint32_t b[4];
        loadMatrices<true>(b, Places::at(stage + Shape::kKeyBytes + n / 64 * kTileN * 128,
                                         k + lane / 8 % 2 * 8 + lane % 8, n % 64 / 8 + lane / 16));
        multiplyTiles<Element>(sums_[n / 8], a, b[0], b[1]);
        multiplyTiles<Element>(sums_[n / 8 + 1], a, b[2], b[3]);
      }
    }
  }

  /// The score of a key, in powers of 2.
  AIT_DEVICE float score(float product, int half, int key) const {
    float score = product * Config::kScale;
    bool counts = key < arguments_.keys;
    if constexpr (Config::kIsCausal) counts = counts && key <= query_[half];
    if constexpr (kHasMask) {
      if (counts) {
        const auto word = loadGlobal<static_cast<int>(sizeof(Mask))>(
            mask_[half] + key * arguments_.mask.strides[kRank + 2]);
        if constexpr (__is_same(Mask, bool)) {
          counts = word.words[0] != 0;
        } else {
          Mask added;
          __builtin_memcpy(&added, &word, sizeof(Mask));
          score += inPowersOfTwo(toCompute(added));
        }
      }
    }
    return counts ? score : kNone;
  }

  /// A mask's number for exponents of 2. A finite one stays finite: it may be the least that there
  /// is, for every key of a query, whose weights are equal then.
  static AIT_DEVICE float inPowersOfTwo(float x) {
    constexpr float kMost = 3.4028234663852886e38f;
    const float scaled = x * kLog2E;
    if (x == kNone || x != x || x > kMost) return scaled;
    return scaled < -kMost ? -kMost : scaled > kMost ? kMost : scaled;
  }

  /// Makes weights of the products of a tile, relative to the largest score so far.
  AIT_DEVICE void weigh(float (&scores)[kTileN / 8][4], int first) {
    float tops[2] = {kNone, kNone};
    AIT_UNROLL
    for (int i = 0; i < kTileN / 8; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int key = first + i * 8 + laneIndex() % 4 * 2 + j % 2;
        scores[i][j] = score(scores[i][j], j / 2, key);
        tops[j / 2] = scores[i][j] > tops[j / 2] ? scores[i][j] : tops[j / 2];
      }
    }
    float references[2];
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      float top = tops[half];
      AIT_UNROLL
      for (int mask = 1; mask < 4; mask *= 2) {
        const float other = shuffleXor(top, mask);
        top = other > top ? other : top;
      }
      top = top > largest_[half] ? top : largest_[half];
      // Without any key that counts, all weights are 0.
      references[half] = top == kNone ? 0.0f : top;
      const float factor = exp2Approximate(largest_[half] - references[half]);
      largest_[half] = top;
      weights_[half] *= factor;
      AIT_UNROLL
      for (int i = 0; i < kWidth / 8; ++i) {
        sums_[i][half * 2] *= factor;
        sums_[i][half * 2 + 1] *= factor;
      }
    }
    AIT_UNROLL
    for (int i = 0; i < kTileN / 8; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) {
        scores[i][j] = exp2Approximate(scores[i][j] - references[j / 2]);
        weights_[j / 2] += scores[i][j];
      }
    }
  }

  // MARK: Results

  /// Divides by the sums of the weights, and stores rows through shared memory, where the warp's
  /// queries were.
  AIT_DEVICE void finish() {
    const int lane = laneIndex();
    const int row = warpIndex() * 16;
    synchronizeWarp();
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      float sum = weights_[half];
      AIT_UNROLL
      for (int mask = 1; mask < 4; mask *= 2) sum += shuffleXor(sum, mask);
      const bool isEmpty = largest_[half] == kNone && sum == 0;
      float factor = 1 / sum;
      if (isEmpty && (!Config::kKeepsNaN || arguments_.keys == 0)) factor = 0;
      if (isEmpty && Config::kKeepsNaN && arguments_.keys > 0) factor = kNone - kNone;
      AIT_UNROLL
      for (int i = 0; i < kWidth / 8; ++i) {
        const uint32_t pair =
            pack<Element>(sums_[i][half * 2] * factor, sums_[i][half * 2 + 1] * factor);
        char* to =
            Places::at(shared_ + i / 8 * Shape::kTileM * 128, row + half * 8 + lane / 4, i % 8) +
            lane % 4 * 4;
        __builtin_memcpy(__builtin_assume_aligned(to, 4), &pair, 4);
      }
    }
    synchronizeWarp();
    const auto& place = arguments_.out;
    Element* out = base<Element>(place);
    AIT_UNROLL
    for (int i = 0; i < kWidth / 8 * 16; i += 32) {
      const int piece = (i + lane) % (kWidth / 8);
      const int own = row + (i + lane) / (kWidth / 8);
      if (first_ + own >= arguments_.rows || piece * 8 >= arguments_.width) continue;
      using Stored =
          Operand<Element, Config::kAlignmentOut == 0 ? Access::strided : Access::contiguous,
                  larger(Config::kAlignmentOut, 1)>;
      OperandPacket<Stored, 8> packet;
      packet.packet.template take<16>(
          0, Places::at(shared_ + piece / 8 * Shape::kTileM * 128, own, piece % 8));
      packet.store(out + Query(arguments_, first_ + own).at(place), place.strides[kRank + 2],
                   piece * 8, arguments_.width - piece * 8);
    }
  }

  const AttentionArguments<Config>& arguments_;
  char* shared_;
  /// The first row of the block.
  int first_;
  int position_[kRank + 1];
  /// Of the two rows of a thread.
  int query_[2];
  const Mask* mask_[2] = {};
  float largest_[2];
  float weights_[2];
  float sums_[kWidth / 8][4];
};

/// Attends with the queries of a tile.
template <class Config>
AIT_DEVICE void attention(const AttentionArguments<Config>& arguments) {
  AttentionBlock<Config>(arguments).run();
}

}  // namespace ait
