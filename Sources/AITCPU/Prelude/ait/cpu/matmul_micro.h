// The innermost loops of matmul: a tile of C from rows of A and a panel of B.
#pragma once

#include "ait/cpu/matmul_tile.h"
#include "ait/cpu/tuple.h"

namespace ait::gemm {

/// The sums of `kRows` rows of `kVectors` vectors. All indices are constants once the loops are
/// unrolled, so that the sums live in registers. In memory, they lie row by row without gaps.
template <class Tile, int kRows, int kVectors = Tile::kVectors>
struct Sums {
  using Accumulator = typename Tile::Accumulator;
  using Vector = Vec<Accumulator, Tile::kLanes>;
  static constexpr int kColumns = kVectors * Tile::kLanes;

  Vector values[kRows][kVectors];

  /// Adds sums that were stored to memory, as a block of K after the first must.
  AIT_INLINE void add(const Accumulator* stored) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        const Accumulator* at = stored + i * kColumns + j * Tile::kLanes;
        values[i][j] = load<Accumulator, Tile::kLanes>(at) + values[i][j];
      }
    }
  }

  AIT_INLINE void store(Accumulator* stored) const {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        ait::store<Accumulator, Tile::kLanes>(stored + i * kColumns + j * Tile::kLanes,
                                              values[i][j]);
      }
    }
  }
};

/// Where a panel of B lies: the elements of one k are adjacent, those of the next k are `step`
/// elements on, and the panel to the right is `panelStep` elements on.
template <class B>
struct PanelAddress {
  const B* elements;
  int64_t step;
  int64_t panelStep;
};

/// Whether B is worth prefetching for so many rows. With fewer, B is gone through fast enough for
/// the hardware's own prefetching, which ours then slows down. Measured on Zen 4 with B in memory:
/// 5 to 8 rows gain 20 %, 12 rows 10 %; with loads of 32 bytes 3 and 4 rows gain 15 to 20 %, with
/// loads of 64 bytes they would lose as much.
template <class Tile, class B>
constexpr bool prefetchesFor(int rows) {
  return rows > (sizeof(B) * Tile::kLanes > 32 ? 4 : 2);
}

/// Asks for the part of B that is 16 KiB on in a packed panel to be brought to L2.
template <class Tile, int kVectors, class B>
AIT_INLINE void prefetchAhead(const B* row, int64_t step) {
  constexpr int64_t kSteps = 16384 / (Tile::kColumns * sizeof(B));
#pragma clang loop unroll(full)
  for (int column = 0; column < kVectors * Tile::kLanes; column += 64 / sizeof(B)) {
    __builtin_prefetch(row + kSteps * step + column, 0, 2);
  }
}

/// Sets `sums[i][j]` to `Σ a[k * aStep + i * aRow] * B[k][j]` for k ascending in 0..<depth, one
/// rounding per term where the target has FMA.
///
/// The order of summation is that for every height and width, so an element of C does not depend
/// on how C is cut. Per k the AVX-512 tile takes 24 FMAs, 2 loads and 12 broadcasts.
template <class Tile, int kRows, int kVectors, class B>
AIT_INLINE void multiply(Sums<Tile, kRows, kVectors>& sums, const typename Tile::Accumulator* a,
                         int64_t aStep, int64_t aRow, PanelAddress<B> panel, int64_t depth) {
  using Accumulator = typename Tile::Accumulator;
  using Vector = typename Sums<Tile, kRows, kVectors>::Vector;
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) sums.values[i][j] = Vector(typename Vector::Native{});
  }
  const B* b = panel.elements;
  // Twice, since the loop's own instructions compete with the products for issue slots.
#pragma clang loop unroll_count(2)
  for (int64_t k = 0; k < depth; ++k) {
    Vector factors[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      const B* row = b + j / Tile::kVectors * panel.panelStep + j % Tile::kVectors * Tile::kLanes;
      factors[j] = convert<Accumulator>(load<B, Tile::kLanes>(row));
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
      const Vector factor = broadcast<Tile::kLanes>(a[i * aRow]);
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        sums.values[i][j] = mulAdd(factor, factors[j], sums.values[i][j]);
      }
    }
    if constexpr (prefetchesFor<Tile, B>(kRows)) prefetchAhead<Tile, kVectors>(b, panel.step);
    a += aStep;
    b += panel.step;
  }
}

/// Multiplies `kRows` rows of A by a panel of B and stores the sums, added to those that are there
/// unless this is the first block of K.
template <class Tile, int kRows, int kVectors, class B>
AIT_INLINE void multiplyAndStore(const typename Tile::Accumulator* a, int64_t aStep, int64_t aRow,
                                 PanelAddress<B> panel, int64_t depth,
                                 typename Tile::Accumulator* stored, bool isFirst) {
  Sums<Tile, kRows, kVectors> sums;
  multiply(sums, a, aStep, aRow, panel, depth);
  if (!isFirst) sums.add(stored);
  sums.store(stored);
}

// MARK: - Tiles of any height

/// `multiplyAndStore` for the first `kRows` rows of a packed panel of A.
template <class Tile, int kVectors, class B, int kRows>
void multiplyPackedRows(const typename Tile::Accumulator* a, PanelAddress<B> panel, int64_t depth,
                        typename Tile::Accumulator* stored, bool isFirst) {
  multiplyAndStore<Tile, kRows, kVectors>(a, Tile::kRows, 1, panel, depth, stored, isFirst);
}

/// `multiplyPackedRows` for 1 … Tile::kRows rows, chosen at run time.
template <class Tile, int kVectors, class B, class Sequence = Indices<Tile::kRows>>
struct PackedRows;
template <class Tile, int kVectors, class B, int... I>
struct PackedRows<Tile, kVectors, B, IntegerSequence<int, I...>> {
  using Accumulator = typename Tile::Accumulator;

  static void multiply(int64_t rows, const Accumulator* a, PanelAddress<B> panel, int64_t depth,
                       Accumulator* stored, bool isFirst) {
    using Function = void (*)(const Accumulator*, PanelAddress<B>, int64_t, Accumulator*, bool);
    static constexpr Function kFunctions[] = {multiplyPackedRows<Tile, kVectors, B, I + 1>...};
    kFunctions[rows - 1](a, panel, depth, stored, isFirst);
  }
};

}  // namespace ait::gemm
