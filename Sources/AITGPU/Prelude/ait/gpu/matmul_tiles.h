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
  template <class Problem>
  AIT_DEVICE explicit TileOrder(const Problem& problem)
      : countM_((problem.M + kRows - 1) / kRows), countN_((problem.N + kColumns - 1) / kColumns) {
    count_ = countM_ * countN_;
    AIT_UNROLL
    for (int axis = 0; axis < kBatchRank; ++axis) {
      extents_[axis] = problem.batchExtents[axis];
      count_ *= extents_[axis];
    }
  }

  AIT_DEVICE int count() const { return count_; }

  AIT_DEVICE MatmulTile<kBatchRank> tile(int index) const {
    MatmulTile<kBatchRank> tile;
    int matrix = 0;
    if constexpr (kBatchRank > 0) {
      matrix = index / (countM_ * countN_);
      index -= matrix * countM_ * countN_;
    }
    AIT_UNROLL
    for (int axis = kBatchRank - 1; axis >= 0; --axis) {
      const int rest = axis > 0 ? matrix / extents_[axis] : 0;
      tile.position[axis] = matrix - rest * extents_[axis];
      matrix = rest;
    }
    const int firstM = index / (kGroup * countN_) * kGroup;
    const int rows = countM_ - firstM < kGroup ? countM_ - firstM : kGroup;
    index -= firstM * countN_;
    const int n = index / rows;
    tile.row = (firstM + index - n * rows) * kRows;
    tile.column = n * kColumns;
    // The divisions are to be over while the first copies are under way, not after the last.
    computeNow(tile.row);
    computeNow(tile.column);
    return tile;
  }

 private:
  int countM_;
  int countN_;
  int count_;
  int extents_[kBatchRank + 1];
};

}  // namespace ait
