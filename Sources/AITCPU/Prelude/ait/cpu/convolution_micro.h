// The innermost loops of convolutions: a tile of outputs from runs of the image.
#pragma once

#include "ait/cpu/matmul_micro.h"

namespace ait::conv {

/// Elements of the image that lie side by side and meet rows of the filters that do: `length` from
/// `image` elements behind an output's origin on, and from row `depth` on.
struct Run {
  int64_t image;
  int64_t depth;
  int64_t length;
};

/// Adds to `sums[i][j]` the products of a run: `a[i * aRow + k] * b[k][j]` for k ascending.
///
/// Rows are reached from one in three of them, so that the addresses of twelve rows take four
/// registers and a stride, and none is spilled.
template <class Tile, int kRows, int kVectors, class B>
AIT_INLINE void addRun(gemm::Sums<Tile, kRows, kVectors>& sums, const typename Tile::Accumulator* a,
                       int64_t aRow, const B* b, int64_t length) {
  using Accumulator = typename Tile::Accumulator;
  using Vector = typename gemm::Sums<Tile, kRows, kVectors>::Vector;
  constexpr int kBases = (kRows + 2) / 3;
  const Accumulator* bases[kBases];
#pragma clang loop unroll(full)
  for (int i = 0; i < kBases; ++i) {
    bases[i] = a + 3 * i * aRow;
    // Seen as computed from each other, they would be computed anew in the loop.
    __asm__("" : "+r"(bases[i]));
  }
#pragma clang loop unroll_count(2)
  for (int64_t k = 0; k < length; ++k) {
    Vector factors[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      factors[j] = convert<Accumulator>(load<B, Tile::kLanes>(b + j * Tile::kLanes));
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
      const Vector factor = broadcast<Tile::kLanes>(bases[i / 3][i % 3 * aRow + k]);
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        sums.values[i][j] = mulAdd(factor, factors[j], sums.values[i][j]);
      }
    }
    if constexpr (gemm::prefetchesFor<Tile, B>(kRows)) {
      gemm::prefetchAhead<Tile, kVectors>(b, Tile::kColumns);
    }
    b += Tile::kColumns;
  }
}

/// Computes the sums of `kRows` outputs, `aRow` elements apart, over some runs and stores them,
/// added to those that are there unless these are the first runs.
template <class Tile, int kVectors, class B, int kRows>
void multiplyRuns(const Run* runs, const Run* end, const typename Tile::Accumulator* a,
                  int64_t aRow, const B* panel, typename Tile::Accumulator* stored, bool isFirst) {
  using Vector = typename gemm::Sums<Tile, kRows, kVectors>::Vector;
  gemm::Sums<Tile, kRows, kVectors> sums;
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) sums.values[i][j] = Vector(typename Vector::Native{});
  }
#pragma clang loop unroll(disable)
  for (; runs != end; ++runs) {
    addRun(sums, a + runs->image, aRow, panel + runs->depth * Tile::kColumns, runs->length);
  }
  if (!isFirst) sums.add(stored);
  sums.store(stored);
}

/// `multiplyRuns` for 1 … Tile::kRows rows, chosen at run time.
template <class Tile, int kVectors, class B, class Sequence = Indices<Tile::kRows>>
struct RowsOfRuns;
template <class Tile, int kVectors, class B, int... I>
struct RowsOfRuns<Tile, kVectors, B, IntegerSequence<int, I...>> {
  using Accumulator = typename Tile::Accumulator;
  using Function = void (*)(const Run*, const Run*, const Accumulator*, int64_t, const B*,
                            Accumulator*, bool);
  static constexpr Function kFunctions[] = {multiplyRuns<Tile, kVectors, B, I + 1>...};
};

}  // namespace ait::conv
