// The order in which blocks, or clusters of blocks, compute the tiles of a product.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_config.h"

namespace ait {

/// A tile of C: its first row and column, its matrix of the batch.
template <int kBatchRank>
struct MatmulTile {
  int row;
  int column;
  int position[kBatchRank + 1];
};

/// Tiles of kRows x kColumns, along M within a group of kGroup rows of tiles, then along N: what is
/// computed at the same time shares rows and columns, and finds them in the L2.
template <int kRows, int kColumns, int kGroup, int kBatchRank>
class TileOrder {
 public:
  /// - counts: of tiles of this size, in such groups.
  AIT_DEVICE explicit TileOrder(const TileCounts& counts,
                                const int32_t (&batchExtents)[kBatchRank + 1])
      : counts_(counts), batchExtents_(batchExtents) {}

  AIT_DEVICE int count() const {
    int count = counts_.M * counts_.N;
    AIT_UNROLL
    for (int axis = 0; axis < kBatchRank; ++axis) count *= batchExtents_[axis];
    return count;
  }

  AIT_DEVICE MatmulTile<kBatchRank> tile(int index) const {
    MatmulTile<kBatchRank> tile;
    int matrix = 0;
    if constexpr (kBatchRank > 0) {
      matrix = counts_.matrix.quotient(index);
      index -= matrix * counts_.M * counts_.N;
    }
    AIT_UNROLL
    for (int axis = kBatchRank - 1; axis >= 0; --axis) {
      const int rest = axis > 0 ? matrix / batchExtents_[axis] : 0;
      tile.position[axis] = matrix - rest * batchExtents_[axis];
      matrix = rest;
    }
    const int firstM = counts_.group.quotient(index) * kGroup;
    index -= firstM * counts_.N;
    const bool isWhole = counts_.M - firstM >= kGroup;
    const int n = isWhole ? index / kGroup : counts_.rest.quotient(index);
    tile.row = (firstM + index - n * (isWhole ? kGroup : counts_.M - firstM)) * kRows;
    tile.column = n * kColumns;
    // This is to be over while the first copies are under way, not after the last.
    computeNow(tile.row);
    computeNow(tile.column);
    return tile;
  }

 private:
  const TileCounts& counts_;
  const int32_t (&batchExtents_)[kBatchRank + 1];
};

}  // namespace ait
