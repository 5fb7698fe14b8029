// Panels: the operands of matmul in the order in which its innermost loop reads them.
//
// A panel holds `kWidth` *lanes* (rows of A or columns of B) of a matrix: for every k one element
// of each lane, then those of the next k. Lanes beyond the matrix are zeros.
//
// Packed weights are the panels of B, one after the other: element (k, n) of a K x N matrix lies
// at `(n / kWidth * K + k) * kWidth + n % kWidth`, in B's storage type, so a matrix takes
// `packedElementCount(K, N, kWidth)` elements. The whole begins at a multiple of 64 bytes. With
// kWidth = MatmulTile<Accumulator<A, B>>::kColumns the layout depends on the target and the types
// alone: not on K, N, M or any block size. Matrices of a batch follow one another.
#pragma once

#include "ait/cpu/operands.h"
#include "ait/kernel.h"

namespace ait {

/// The size of a packed K x N matrix in elements.
constexpr int64_t packedElementCount(int64_t depth, int64_t columns, int64_t width) {
  return (columns + width - 1) / width * width * depth;
}

namespace gemm {

/// A matrix of which a panel is taken, in place: `lanes` lanes of `depth` elements.
template <class T>
struct PanelSource {
  const T* elements;
  int64_t laneStride;
  int64_t depthStride;
  int64_t lanes;
  int64_t depth;
};

// MARK: - Transposition

template <int kStart, class T, int W, int... I>
AIT_INLINE Vec<T, W> interleaveFrom(Vec<T, W> a, Vec<T, W> b, IntegerSequence<int, I...>) {
  return Vec<T, W>(
      __builtin_shufflevector(a.native, b.native, (kStart + I / 2 + (I % 2 ? W : 0))...));
}

/// W vectors, the rows of a square matrix, become its columns.
///
/// Each of the log2(W) steps is a perfect shuffle of all W * W elements, which rotates the bits
/// of an element's position by one.
template <class T, int W>
AIT_INLINE void transpose(Vec<T, W> (&rows)[W]) {
#pragma clang loop unroll(full)
  for (int step = 1; step < W; step *= 2) {
    Vec<T, W> next[W];
#pragma clang loop unroll(full)
    for (int i = 0; i < W / 2; ++i) {
      next[2 * i] = interleaveFrom<0>(rows[i], rows[i + W / 2], Indices<W>{});
      next[2 * i + 1] = interleaveFrom<W / 2>(rows[i], rows[i + W / 2], Indices<W>{});
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < W; ++i) rows[i] = next[i];
  }
}

// MARK: - Packing

/// The lanes that a panel of elements of type `T` is packed by: those of one register at most.
template <class T>
inline constexpr int kPackedLanes = sizeof(T) > 4 ? kLanes * 4 / sizeof(T) : kLanes;

/// Packs the lanes `first ..< first + W` of a panel whose lanes lie along memory.
template <int kWidth, int W, class To, class From>
inline void packTransposed(To* destination, const PanelSource<From>& source, int64_t first) {
  const int64_t lanes = source.lanes - first;
  const From* elements = source.elements + (lanes > 0 ? first * source.laneStride : 0);
  destination += first;
#pragma clang loop unroll(disable)
  for (int64_t k = 0; k < source.depth; k += W) {
    // The last block ends with the matrix and repeats a part of the one before it.
    const int64_t start = k + W <= source.depth ? k : source.depth - W;
    Vec<To, W> block[W];
#pragma clang loop unroll(full)
    for (int i = 0; i < W; ++i) {
      block[i] = i < lanes ? convert<To>(load<From, W>(elements + i * source.laneStride + start))
                           : broadcast<W>(To{});
    }
    transpose(block);
#pragma clang loop unroll(full)
    for (int i = 0; i < W; ++i) store<To, W>(destination + (start + i) * kWidth, block[i]);
  }
}

/// Copies one k of the lanes from `kFirst` on, W at a time where as many are left.
template <int kWidth, int W, int kFirst, class To, class From>
AIT_INLINE void copyLanes(To* destination, const From* elements, int64_t lanes) {
  if constexpr (kFirst + W <= kWidth) {
    const int64_t left = lanes - kFirst;
    const auto values = left >= W  ? load<From, W>(elements + kFirst)
                        : left > 0 ? loadPartial<From, W>(elements + kFirst, left)
                                   : broadcast<W>(ComputeType<From>{});
    store<To, W>(destination + kFirst, convert<To>(values));
    copyLanes<kWidth, W, kFirst + W>(destination, elements, lanes);
  } else if constexpr (kFirst < kWidth) {
    copyLanes<kWidth, W / 2, kFirst>(destination, elements, lanes);
  }
}

/// Packs the lanes from `first` on by transposition, W at a time where as many are left.
template <int kWidth, int W, class To, class From>
AIT_INLINE void packTransposedFrom(To* destination, const PanelSource<From>& source, int first) {
  for (; first + W <= kWidth; first += W) packTransposed<kWidth, W>(destination, source, first);
  if constexpr (kWidth % W != 0) {
    packTransposedFrom<kWidth, W / 2>(destination, source, first);
  }
}

/// Packs one panel: `source.depth * kWidth` elements, converted to `To`.
template <int kWidth, class To, class From>
inline void packPanel(To* destination, const PanelSource<From>& source) {
  constexpr int W = kPackedLanes<To>;
  if (source.depthStride == 1 && source.depth >= W) {
    packTransposedFrom<kWidth, W>(destination, source, 0);
  } else if (source.laneStride == 1) {
#pragma clang loop unroll(disable)
    for (int64_t k = 0; k < source.depth; ++k) {
      const From* elements = source.elements + k * source.depthStride;
      // Rows far from each other are not seen as one stream by the hardware. Measured with rows
      // of 8 KiB: 87 % of the FMA peak, and 83 % without or with half the distance.
      __builtin_prefetch(elements + 16 * source.depthStride, 0, 1);
      __builtin_prefetch(elements + 16 * source.depthStride + kWidth - 1, 0, 1);
      copyLanes<kWidth, W, 0>(destination + k * kWidth, elements, source.lanes);
    }
  } else {
#pragma clang loop unroll(disable)
    for (int64_t k = 0; k < source.depth; ++k) {
      const From* elements = source.elements + k * source.depthStride;
#pragma clang loop unroll(disable) vectorize(disable)
      for (int lane = 0; lane < kWidth; ++lane) {
        To value{};
        if (lane < source.lanes) {
          value = static_cast<To>(toCompute(elements[lane * source.laneStride]));
        }
        destination[k * kWidth + lane] = value;
      }
    }
  }
}

}  // namespace gemm

/// Packs a batch of weight matrices with panels of `kWidth` columns.
///
/// - buffers: the matrices, the packed matrices.
/// - sizes: batch extent, K, N, then the strides of batch, k and n. The packed matrices follow one
///   another without gaps.
template <class T, int kWidth>
void packWeights(const KernelContext& context) {
  // Elements are moved, not computed with.
  using Element = typename SignedOfSize<sizeof(T)>::Type;
  const int64_t batch = context.sizes[0];
  const int64_t depth = context.sizes[1];
  const int64_t columns = context.sizes[2];
  const int64_t* strides = context.sizes + 3;
  const auto* source = static_cast<const Element*>(context.buffers[0]);
  auto* destination = static_cast<Element*>(context.buffers[1]);
  if (batch <= 0 || depth <= 0 || columns <= 0) return;
  const int64_t panels = (columns + kWidth - 1) / kWidth;
  parallelFor(context.pool, batch * panels, [&](int64_t index, int32_t) {
    const int64_t matrix = index / panels;
    const int64_t firstColumn = (index - matrix * panels) * kWidth;
    gemm::packPanel<kWidth>(destination + index * depth * kWidth,
                            gemm::PanelSource<Element>{
                                source + matrix * strides[0] + firstColumn * strides[2],
                                strides[2],
                                strides[1],
                                columns - firstColumn,
                                depth,
                            });
  });
}

}  // namespace ait
