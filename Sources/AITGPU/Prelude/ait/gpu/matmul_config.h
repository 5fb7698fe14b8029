// What every matrix product is told: the arguments of a launch.
#pragma once

#include "ait/gpu/divisor.h"
#include "ait/gpu/types.h"

namespace ait {

/// The sizes of a product and the places of its epilogue's operands.
///
/// - batchRank: the number of batch axes, 0 to 3.
/// - operandCount: extras, then outputs; strides are batch…, m, n.
template <int batchRank, int operandCount>
struct MatmulProblem {
  static_assert(batchRank >= 0 && batchRank <= 3,
                "a product has at most 3 batch axes: the copy engine knows 5 axes in all");
  int32_t M;
  int32_t N;
  int32_t K;
  int32_t batchExtents[batchRank + 1];  // one more, so that there is one
  OperandPlace<batchRank + 2> operands[operandCount];
};

/// The tiles of a matrix of the batch, and what divides an index among them.
struct TileCounts {
  int32_t M;
  int32_t N;
  Divisor matrix;  // tiles of a matrix
  Divisor group;   // tiles of a group
  Divisor rest;    // rows of tiles of the last group, if it has fewer than the others
};

/// - rows, columns: the extents of a tile; group: the rows of tiles of a group.
AIT_ANYWHERE constexpr TileCounts tileCounts(int64_t M, int64_t N, int rows, int columns,
                                             int group) {
  const int64_t countM = ceilDivide(M, rows);
  const int64_t countN = ceilDivide(N, columns);
  return {static_cast<int32_t>(countM), static_cast<int32_t>(countN), Divisor::of(countM * countN),
          Divisor::of(countN * group), Divisor::of(countM % group > 0 ? countM % group : 1)};
}

/// What the epilogue of every product may be told, besides its body and operands.
struct MatmulDefaults {
  static constexpr int kBatchRank = 0;
  /// What N is known to be a multiple of: with 8, no thread has columns beyond the last.
  static constexpr int kColumnMultiple = 1;
  /// Whether B is two matrices of one shape, whose products meet in the epilogue. A tile then has
  /// half as many columns of C.
  static constexpr bool kIsPaired = false;
};

/// The second matrix of a paired product, among the arguments of those that have one.
template <class T, bool kIsPaired>
struct SecondMatrix {};
template <class T>
struct SecondMatrix<T, true> {
  T second;
};

}  // namespace ait
