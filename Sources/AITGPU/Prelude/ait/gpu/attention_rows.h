// What the kernels of attention share: where a tile of queries lies, which keys count for it, the
// running softmax of a thread's two rows, and results on their way to memory.
//
// A thread holds of a row lane / 4 and of the row 8 below it what the matrix units give it: of
// every 8 columns 2 (lane % 4) and the next, as scores[i][0], [1] and, of the lower row, [2], [3].
#pragma once

#include "ait/gpu/attention_config.h"
#include "ait/gpu/math_basic.h"
#include "ait/gpu/matmul_multistage.h"

namespace ait {

/// The matrix and the tile of a block, of all matrices with so many tiles each. Under a causal mask
/// the last tiles have most to do: they come first.
struct AttentionTile {
  int matrix;
  int tile;

  AIT_DEVICE AttentionTile(int block, const Divisor& tiles, int count)
      : matrix(tiles.quotient(block)), tile(count - 1 - (block - matrix * count)) {}
};

template <class Config>
class AttentionRows {
  using Mask = typename Config::Mask;
  using Arguments = AttentionArguments<Config>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kWidth = Config::kWidth;
  static constexpr bool kHasMask = !__is_same(Mask, void);
  static constexpr float kLog2E = 1.4426950408889634f;
  static constexpr float kNone = -kInfinityOf<float>;
  /// Products are scaled on their way into the exponent if nothing is added to them before.
  static constexpr bool kScalesLate = !kHasMask && Config::kScale > 0;

 public:
  using Element = typename Config::Element;
  /// Rows of 128 bytes in shared memory.
  using Places = StagedMatrix<Element, Major::k, 64, 128, 8>;

  /// - matrix: the number of the matrix in the batch; first, count: the rows of the tile.
  AIT_DEVICE AttentionRows(const Arguments& arguments, int matrix, int first, int count)
      : arguments_(arguments), first_(first), count_(count) {
    AIT_UNROLL
    for (int axis = kRank - 1; axis >= 0; --axis) {
      const int rest = axis > 0 ? matrix / arguments.batchExtents[axis] : 0;
      position_[axis] = matrix - rest * arguments.batchExtents[axis];
      matrix = rest;
    }
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      largest_[half] = kNone;
      weights_[half] = 0;
    }
  }

  /// Makes the tile's row `row`, and the one 8 below it, this thread's.
  AIT_DEVICE void take(int row) {
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int own = first_ + row + half * 8;
      const Query query(arguments_, own < arguments_.rows ? own : 0);
      limits_[half] = arguments_.keys;
      if (Config::kIsCausal && query.index < arguments_.keys) limits_[half] = query.index + 1;
      if constexpr (kHasMask) mask_[half] = base<Mask>(arguments_.mask) + query.at(arguments_.mask);
    }
    least_ = limits_[0] < limits_[1] ? limits_[0] : limits_[1];
    if constexpr (Config::kIsCausal) {
      AIT_UNROLL
      for (int mask = 4; mask < 32; mask *= 2) {
        const int other = shuffleXor(least_, mask);
        least_ = other < least_ ? other : least_;
      }
    }
  }

  AIT_DEVICE int position(int axis) const { return position_[axis]; }
  AIT_DEVICE bool isWithin(int row) const { return first_ + row < arguments_.rows; }

  /// The keys that some query of the tile counts.
  AIT_DEVICE int keyCount() const {
    if constexpr (!Config::kIsCausal) return arguments_.keys;
    const int last = first_ + count_ - 1;
    const Query from(arguments_, first_);
    const Query to(arguments_, last < arguments_.rows ? last : arguments_.rows - 1);
    const int most = from.head == to.head ? to.index + 1 : arguments_.queries;
    return most < arguments_.keys ? most : arguments_.keys;
  }

  // MARK: Copies

  /// Copies 8 elements of a row from the column `column` on; those that do not exist are zeros.
  template <int kAlignment>
  AIT_DEVICE static void copyPiece(char* to, const Element* row, int64_t stride, int column,
                                   int count) {
    int valid = count - column;
    valid = valid < 0 ? 0 : valid > 8 ? 8 : valid;
    if constexpr (kAlignment > 0) {
      StagedMatrix<Element, Major::k, 64, 128, kAlignment>::copyPiece(
          to, valid > 0 ? row + column : row, valid);
    } else {
      OperandPacket<Operand<Element, Access::strided>, 8> packet;
      packet.load(row, stride, column, valid);
      Words<16> words;
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) words.words[i] = packet.packet.words[i];
      storeShared(to, words);
    }
  }

  /// The share of a thread of `kThreads` in the copies of the tile's `kRows` queries, in parts of
  /// 128 bytes of every row, one part after the other.
  template <int kRows, int kParts, int kThreads>
  AIT_DEVICE void copyQueries(char* to, int thread) const {
    const auto& place = arguments_.q;
    const Element* from = base<const Element>(place);
    AIT_UNROLL
    for (int i = 0; i < kRows * 8; i += kThreads) {
      const int row = (i + thread) / 8;
      const int piece = thread % 8;
      const Query query(arguments_, isWithin(row) ? first_ + row : 0);
      AIT_UNROLL
      for (int part = 0; part < kParts; ++part) {
        copyPiece<Config::kAlignmentQ>(Places::at(to + part * kRows * 128, row, piece),
                                       from + query.at(place), place.strides[kRank + 2],
                                       part * 64 + piece * 8, isWithin(row) ? arguments_.depth : 0);
      }
    }
  }

  /// The same of `kRows` keys or values from `first` on.
  template <int kAlignment, int kRows, int kParts, int kThreads>
  AIT_DEVICE void copyRows(char* to, const AttentionPlace<kRank>& place, int first, int columns,
                           int thread) const {
    const Element* from = base<const Element>(place);
    AIT_UNROLL
    for (int i = 0; i < kRows * 8; i += kThreads) {
      const int row = (i + thread) / 8;
      const int piece = thread % 8;
      const bool exists = first + row < arguments_.keys;
      const Element* own = exists ? from + (first + row) * place.strides[kRank + 1] : from;
      AIT_UNROLL
      for (int part = 0; part < kParts; ++part) {
        copyPiece<kAlignment>(Places::at(to + part * kRows * 128, row, piece), own,
                              place.strides[kRank + 2], part * 64 + piece * 8,
                              exists ? columns : 0);
      }
    }
  }

  // MARK: Weights

  /// Makes weights of the products with the keys from `first` on, relative to the largest score so
  /// far; sums of values weighed before are to be scaled by `factors`.
  template <int kTiles>
  AIT_DEVICE void weigh(float (&scores)[kTiles][4], int first, float (&factors)[2]) {
    score(scores, first);
    float references[2];
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      float top = kNone;
      AIT_UNROLL
      for (int i = 0; i < kTiles; ++i) {
        AIT_UNROLL
        for (int j = half * 2; j < half * 2 + 2; ++j) top = maximumOrNaN(top, scores[i][j]);
      }
      AIT_UNROLL
      for (int mask = 1; mask < 4; mask *= 2) top = maximumOrNaN(top, shuffleXor(top, mask));
      if constexpr (kScalesLate) top *= Config::kScale;
      top = maximumOrNaN(top, largest_[half]);
      // Without any key that counts, all weights are 0.
      references[half] = top == kNone ? 0.0f : top;
      factors[half] = exp2Approximate(largest_[half] - references[half]);
      largest_[half] = top;
      weights_[half] *= factors[half];
    }
    AIT_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const float exponent =
            kScalesLate ? fusedMultiplyAdd(scores[i][j], Config::kScale, -references[j / 2])
                        : scores[i][j] - references[j / 2];
        scores[i][j] = exp2Approximate(exponent);
        weights_[j / 2] += scores[i][j];
      }
    }
  }

  template <int kTiles>
  AIT_DEVICE static void scale(float (&sums)[kTiles][4], const float (&factors)[2]) {
    AIT_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) sums[i][j] *= factors[j / 2];
    }
  }

  /// The weights of 16 keys from the scores' tile `i` on, as the left side of a product.
  template <int kTiles>
  AIT_DEVICE static void packWeights(uint32_t (&x)[4], const float (&scores)[kTiles][4], int i) {
    x[0] = pack<Element>(scores[i][0], scores[i][1]);
    x[1] = pack<Element>(scores[i][2], scores[i][3]);
    x[2] = pack<Element>(scores[i + 1][0], scores[i + 1][1]);
    x[3] = pack<Element>(scores[i + 1][2], scores[i + 1][3]);
  }

  /// The largest score of a row, in powers of 2.
  AIT_DEVICE float largest(int half) const { return largest_[half]; }
  /// The sum of its weights, for the four lanes that share the row.
  AIT_DEVICE float weight(int half) const {
    float sum = weights_[half];
    AIT_UNROLL
    for (int mask = 1; mask < 4; mask *= 2) sum += shuffleXor(sum, mask);
    return sum;
  }

  // MARK: Results

  /// What the weighed sums of a row are multiplied by.
  AIT_DEVICE float normalizer(float largest, float weight) const {
    if (largest != kNone || weight != 0) return 1 / weight;
    return Config::kKeepsNaN && arguments_.keys > 0 ? kNone - kNone : 0.0f;
  }

  /// Divides by the sums of the weights, and stores the warp's 16 rows from the tile's row `row` on
  /// through shared memory, in parts of `kRows` rows of 128 bytes. The warp's rows there are free.
  template <int kRows, int kTiles>
  AIT_DEVICE void store(const float (&sums)[kTiles][4], char* staging, int row) const {
    const int lane = laneIndex();
    synchronizeWarp();
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      const float factor = normalizer(largest_[half], weight(half));
      AIT_UNROLL
      for (int i = 0; i < kWidth / 8; ++i) {
        const uint32_t pair =
            pack<Element>(sums[i][half * 2] * factor, sums[i][half * 2 + 1] * factor);
        char* to = Places::at(staging + i / 8 * kRows * 128, row + half * 8 + lane / 4, i % 8) +
                   lane % 4 * 4;
        __builtin_memcpy(__builtin_assume_aligned(to, 4), &pair, 4);
      }
    }
    synchronizeWarp();
    AIT_UNROLL
    for (int i = 0; i < kWidth / 8 * 16; i += 32) {
      const int piece = (i + lane) % (kWidth / 8);
      const int own = row + (i + lane) / (kWidth / 8);
      if (!isWithin(own)) continue;
      OperandPacket<Stored, 8> packet;
      packet.packet.template take<16>(
          0, Places::at(staging + piece / 8 * kRows * 128, own, piece % 8));
      storePiece(packet, own, piece);
    }
  }

  /// Stores 8 weighed sums of the tile's row `row`, times a factor.
  AIT_DEVICE void storeSums(const float (&sums)[8], float factor, int row, int piece) const {
    OperandPacket<Stored, 8> packet;
    AIT_UNROLL
    for (int i = 0; i < 8; i += 2) packet.setPair(i, sums[i] * factor, sums[i + 1] * factor);
    storePiece(packet, row, piece);
  }

 private:
  using Stored = Operand<Element, Config::kAlignmentOut == 0 ? Access::strided : Access::contiguous,
                         larger(Config::kAlignmentOut, 1)>;

  AIT_DEVICE void storePiece(const OperandPacket<Stored, 8>& packet, int row, int piece) const {
    if (piece * 8 >= arguments_.width) return;
    const auto& place = arguments_.out;
    packet.store(base<Element>(place) + Query(arguments_, first_ + row).at(place),
                 place.strides[kRank + 2], piece * 8, arguments_.width - piece * 8);
  }

  /// A query of a group: its head and its index there.
  struct Query {
    int head;
    int index;

    AIT_DEVICE Query(const Arguments& arguments, int row)
        : head(arguments.perHead.quotient(row)), index(row - head * arguments.queries) {}

    AIT_DEVICE int64_t at(const AttentionPlace<kRank>& place) const {
      return head * place.strides[kRank] + index * place.strides[kRank + 1];
    }
  };

  /// Where the matrix of this tile begins.
  template <class T>
  AIT_DEVICE T* base(const AttentionPlace<kRank>& place) const {
    T* base = static_cast<T*>(place.base);
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) base += position_[axis] * place.strides[axis];
    return base;
  }

  /// Makes scores in powers of 2 of products, or leaves products that are scaled late; those of
  /// keys that do not count are −∞.
  template <int kTiles>
  AIT_DEVICE void score(float (&scores)[kTiles][4], int first) const {
    const bool isWhole = first + kTiles * 8 <= least_;
    if constexpr (kScalesLate) {
      if (isWhole) return;
    } else if constexpr (kHasMask && Config::kIsMaskContiguous) {
      if (isWhole && arguments_.isMaskPaired) {
        addPairs(scores, first);
        return;
      }
    }
    AIT_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int key = first + i * 8 + laneIndex() % 4 * 2 + j % 2;
        bool counts = key < limits_[j / 2];
        float added = 0;
        if constexpr (kHasMask) readMask(added, counts, j / 2, counts ? key : 0);
        float& x = scores[i][j];
        if constexpr (!kScalesLate) x = fusedMultiplyAdd(x, Config::kScale, added);
        x = counts ? x : kNone;
      }
    }
  }

  /// The same of a tile whose keys all exist and are early enough for all rows of the warp, with a
  /// mask that is read in pairs.
  template <int kTiles>
  AIT_DEVICE void addPairs(float (&scores)[kTiles][4], int first) const {
    AIT_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      AIT_UNROLL
      for (int half = 0; half < 2; ++half) {
        const Mask* at = mask_[half] + first + i * 8 + laneIndex() % 4 * 2;
        const auto words = loadGlobal<2 * static_cast<int>(sizeof(Mask))>(at);
        Mask pair[2];
        __builtin_memcpy(pair, &words, sizeof(pair));
        AIT_UNROLL
        for (int j = 0; j < 2; ++j) {
          bool counts = true;
          float added = 0;
          takeMask(pair[j], added, counts);
          float& x = scores[i][half * 2 + j];
          x = fusedMultiplyAdd(x, Config::kScale, added);
          x = counts ? x : kNone;
        }
      }
    }
  }

  /// What a mask adds to the score of a key, and whether it still counts.
  AIT_DEVICE void readMask(float& added, bool& counts, int half, int key) const {
    const int64_t stride = Config::kIsMaskContiguous ? 1 : arguments_.mask.strides[kRank + 2];
    const auto word = loadGlobal<static_cast<int>(sizeof(Mask))>(mask_[half] + key * stride);
    Mask own;
    __builtin_memcpy(&own, &word, sizeof(Mask));
    takeMask(own, added, counts);
  }

  template <class M>
  AIT_DEVICE static void takeMask(M mask, float& added, bool& counts) {
    if constexpr (__is_same(M, bool)) {
      counts = counts && mask;
    } else {
      added = inPowersOfTwo(toCompute(mask));
    }
  }

  /// A mask's number for exponents of 2. A finite one stays finite: it may be the least that there
  /// is, for every key of a query, whose weights are equal then.
  AIT_DEVICE static float inPowersOfTwo(float x) {
    constexpr float kMost = 3.4028234663852886e38f;
    const float scaled = x * kLog2E;
    if constexpr (__is_same(Mask, float16)) return scaled;
    if (x == kNone || x != x || x > kMost) return scaled;
    return scaled < -kMost ? -kMost : scaled > kMost ? kMost : scaled;
  }

  const Arguments& arguments_;
  /// The first row of the tile, and their number.
  int first_;
  int count_;
  int position_[kRank + 1];
  /// Of the two rows of a thread: the keys that may count, from the first on.
  int limits_[2];
  /// The keys that count for all rows of the warp.
  int least_;
  const Mask* mask_[2] = {};
  float largest_[2];
  float weights_[2];
};

/// scores += Q K^T for 16 elements of the depth from `k` on: `a` is that part of a warp's queries;
/// the keys are staged in parts of `kKeys` rows of 128 bytes.
template <class Rows, int kKeys>
AIT_DEVICE void multiplyKeys(float (&scores)[kKeys / 8][4], const uint32_t (&a)[4], char* keys,
                             int k) {
  AIT_UNROLL
  for (int n = 0; n < kKeys; n += 16) {
    uint32_t b[4];
    Rows::Places::template load<true>(b, keys + k / 64 * kKeys * 128, n, k % 64);
    multiplyTiles<typename Rows::Element>(scores[n / 8], a, b[0], b[1]);
    multiplyTiles<typename Rows::Element>(scores[n / 8 + 1], a, b[2], b[3]);
  }
}

/// sums += P V for 16 keys from `k` on, of which `a` holds the weights.
template <class Rows, int kKeys, int kWidth>
AIT_DEVICE void multiplyValues(float (&sums)[kWidth / 8][4], const uint32_t (&a)[4], char* values,
                               int k) {
  const int lane = laneIndex();
  AIT_UNROLL
  for (int n = 0; n < kWidth; n += 16) {
    uint32_t b[4];
    loadMatrices<true>(
        b, Rows::Places::at(values + n / 64 * kKeys * 128, k + lane / 8 % 2 * 8 + lane % 8,
                            n % 64 / 8 + lane / 16));
    multiplyTiles<typename Rows::Element>(sums[n / 8], a, b[0], b[1]);
    multiplyTiles<typename Rows::Element>(sums[n / 8 + 1], a, b[2], b[3]);
  }
}

}  // namespace ait
