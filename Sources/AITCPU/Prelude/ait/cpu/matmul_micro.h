// The innermost loops of matmul: a tile of C from a panel of A and a panel of B.
#pragma once

#include "ait/cpu/matmul_tile.h"

namespace ait {

/// Rows x kVectors accumulators; all indices are constants once the loops are unrolled, so that
/// they live in registers.
template <class Tile, int kRows>
struct Accumulators {
  Vec<typename Tile::Accumulator, Tile::kLanes> values[kRows][Tile::kVectors];
};

/// The columns `column ..< column + kLanes` of a row of B, as accumulators.
template <class Tile, class B>
AIT_INLINE Vec<typename Tile::Accumulator, Tile::kLanes> loadFactors(const B* row, int column) {
  return convert<typename Tile::Accumulator>(load<B, Tile::kLanes>(row + column));
}

/// The sum over `depth` of the outer products of A's and B's rows:
/// `sums[i][j] = Σ a[k * aStep + i * aRow] * b[k * bStep + j]`, k ascending, one rounding per term.
///
/// A packed panel has the constants aStep = Tile::kRows and aRow = 1; for A in place, aStep is 1
/// and aRow its row stride. Alignment is of no account.
template <class Tile, int kRows, class B>
AIT_INLINE void accumulate(Accumulators<Tile, kRows>& sums, const typename Tile::Accumulator* a,
                           int64_t aStep, int64_t aRow, const B* b, int64_t bStep, int64_t depth) {
  using Vector = Vec<typename Tile::Accumulator, Tile::kLanes>;
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < Tile::kVectors; ++j) {
      sums.values[i][j] = Vector(typename Vector::Native{});
    }
  }
  // Twice, since the loop's own instructions compete with the products for issue slots.
#pragma clang loop unroll_count(2)
  for (int64_t k = 0; k < depth; ++k) {
    Vector factors[Tile::kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < Tile::kVectors; ++j) {
      factors[j] = loadFactors<Tile>(b, j * Tile::kLanes);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
      const Vector factor = broadcast<Tile::kLanes>(a[i * aRow]);
#pragma clang loop unroll(full)
      for (int j = 0; j < Tile::kVectors; ++j) {
        sums.values[i][j] = mulAdd(factor, factors[j], sums.values[i][j]);
      }
    }
    a += aStep;
    b += bStep;
  }
}

}  // namespace ait
