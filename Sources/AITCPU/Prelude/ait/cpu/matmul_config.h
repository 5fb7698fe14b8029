// What matmul is told: the facts known when it is compiled, and the sizes of a call.
#pragma once

#include "ait/cpu/matmul_tile.h"

namespace ait {

/// How B reaches matmul: in place with any strides, or packed by `packWeights` or ahead of time.
enum class Packing { strided, packed };

/// The facts about a product that are known when it is compiled. A struct that inherits from this
/// may replace the block sizes.
///
/// - A, B: storage types.
/// - packing: B's layout.
/// - batchRank: the number of batch axes, 0 and up.
/// - mayUseSeven: whether products of many rows may be computed with seven multiplications for
///   eight (`matmul_strassen.h`); of packed floats only.
template <class AElement, class BElement, Packing packing, int batchRank = 0,
          bool mayUseSeven = false>
struct MatmulConfig {
  using A = AElement;
  using B = BElement;
  using Accumulator = ait::Accumulator<A, B>;
  using Tile = MatmulTile<Accumulator>;
  static constexpr Packing kPacking = packing;
  static constexpr int kBatchRank = batchRank;

  static constexpr bool kMayUseSeven = mayUseSeven;

  /// Whether the innermost loop can multiply by B as it lies.
  static constexpr bool kReadsInPlace = packing == Packing::packed && __is_same(B, Accumulator);

  /// Rows of A that a task multiplies by a panel of B before it turns to the next; more where each
  /// task packs or converts the panel first.
  static constexpr int64_t kRowBlock = kReadsInPlace ? 144 : 192;
  /// The length of the blocks of K, at most. 384 floats were 2 % faster than 512 at 2048 cubed, and
  /// as fast below; fewer make the sums of blocks pass through memory more often.
  static constexpr int64_t kDepthBlock = 1536 / sizeof(Accumulator);
  /// Columns of a task whose rows of A are too long to be packed at once.
  static constexpr int64_t kColumnBlock = 2048 / sizeof(Accumulator);
};

namespace gemm {

/// The sizes of a product, read from a kernel's.
template <int kBatchRank>
struct Sizes {
  static constexpr int kStrides = kBatchRank + 2;

  const int64_t* batchExtents;
  int64_t M;
  int64_t N;
  int64_t K;
  const int64_t* aStrides;
  const int64_t* bStrides;
  const int64_t* operandStrides;

  explicit Sizes(const int64_t* sizes)
      : batchExtents(sizes),
        M(sizes[kBatchRank]),
        N(sizes[kBatchRank + 1]),
        K(sizes[kBatchRank + 2]),
        aStrides(sizes + kBatchRank + 3),
        bStrides(aStrides + kStrides),
        operandStrides(bStrides + kStrides) {}

  int64_t batch() const {
    int64_t count = 1;
    for (int axis = 0; axis < kBatchRank; ++axis) count *= batchExtents[axis];
    return count;
  }

  /// The index per batch axis of a matrix of the batch, the last axis fastest.
  void locate(int64_t matrix, int64_t* position) const {
    for (int axis = kBatchRank - 1; axis >= 0; --axis) {
      position[axis] = matrix % batchExtents[axis];
      matrix /= batchExtents[axis];
    }
  }

  /// The offset of a matrix of A or B.
  int64_t offset(const int64_t* position, const int64_t* strides) const {
    int64_t result = 0;
    for (int axis = 0; axis < kBatchRank; ++axis) result += position[axis] * strides[axis];
    return result;
  }
};

}  // namespace gemm

}  // namespace ait
