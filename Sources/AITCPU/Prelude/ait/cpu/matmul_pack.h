// Panels: the operands of matmul in the order in which its innermost loop reads them.
//
// A panel holds `kWidth` *lanes* (rows of A or columns of B) of a matrix: for every k one element
// of each lane, then those of the next k. Lanes beyond the matrix are zeros.
#pragma once

#include "ait/cpu/operands.h"
#include "ait/kernel.h"

namespace ait {

/// A matrix of which a panel is taken: `lanes` lanes of `depth` elements, in place.
template <class T>
struct PanelSource {
  const T* elements;
  int64_t laneStride;
  int64_t depthStride;
  int64_t lanes;
  int64_t depth;
};

/// W vectors as a W x W matrix, transposed.
///
/// Each of the log2(W) steps is a perfect shuffle of the rows' elements, and that many perfect
/// shuffles of W * W elements transpose.
template <class T, int W>
AIT_INLINE void transpose(Vec<T, W> (&rows)[W]) {
#pragma clang loop unroll(full)
  for (int step = 1; step < W; step *= 2) {
    Vec<T, W> next[W];
#pragma clang loop unroll(full)
    for (int i = 0; i < W / 2; ++i) {
      next[2 * i] = interleaveLow(rows[i], rows[i + W / 2]);
      next[2 * i + 1] = interleaveHigh(rows[i], rows[i + W / 2]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < W; ++i) rows[i] = next[i];
  }
}

/// Packs the lanes `first ..< first + W` of a panel.
template <int kWidth, int W, class To, class From>
inline void packLanes(To* destination, const PanelSource<From>& source, int64_t first) {
  const From* lane = source.elements + first * source.laneStride;
  const int64_t lanes = source.lanes - first < W ? source.lanes - first : W;
  destination += first;
  if (source.depthStride == 1 && source.depth >= W && W > 1) {
    for (int64_t k = 0; k < source.depth; k += W) {
      // The last block ends with the matrix and repeats a part of the one before it.
      const int64_t start = k + W <= source.depth ? k : source.depth - W;
      Vec<To, W> block[W];
#pragma clang loop unroll(full)
      for (int i = 0; i < W; ++i) {
        block[i] = i < lanes ? convert<To>(load<From, W>(lane + i * source.laneStride + start))
                             : broadcast<W>(To{});
      }
      transpose(block);
#pragma clang loop unroll(full)
      for (int i = 0; i < W; ++i) store<To, W>(destination + (start + i) * kWidth, block[i]);
    }
  } else if (source.laneStride == 1 && lanes == W) {
    for (int64_t k = 0; k < source.depth; ++k) {
      store<To, W>(destination + k * kWidth,
                   convert<To>(load<From, W>(lane + k * source.depthStride)));
    }
  } else {
    for (int64_t k = 0; k < source.depth; ++k) {
      const From* elements = lane + k * source.depthStride;
      const auto values = loadStridedPartial<From, W>(elements, source.laneStride, lanes);
      store<To, W>(destination + k * kWidth, convert<To>(values));
    }
  }
}
