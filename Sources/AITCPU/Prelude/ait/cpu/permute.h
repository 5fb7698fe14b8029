// Copies that change which axis is contiguous.
#pragma once

#include "ait/cpu/pointwise.h"
#include "ait/cpu/vector.h"
#include "ait/kernel.h"

namespace ait {

/// A square of elements that is transposed in registers.
///
/// The side is what a vector register holds, so that on AVX-512 a row is a whole cache line, which
/// then needs to be in a cache only once; up to 16, as more rows than registers would spill.
template <int kSize>
struct TransposeTile {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  static constexpr int kBytes = 64;
#elif defined(__AVX2__)
  static constexpr int kBytes = 32;
#else
  static constexpr int kBytes = 16;
#endif
  static constexpr int kSide = kBytes / kSize < 16 ? kBytes / kSize : 16;

  using Element = typename SignedOfSize<kSize>::Type;
  using Vector = NativeVector<Element, kSide>;
  using Access = PartialAccess<kSize, kSide>;

  template <int... I>
  static AIT_INLINE Vector lowerInterleaved(Vector a, Vector b, IntegerSequence<int, I...>) {
    return __builtin_shufflevector(a, b, (I / 2 + I % 2 * kSide)...);
  }
  template <int... I>
  static AIT_INLINE Vector upperInterleaved(Vector a, Vector b, IntegerSequence<int, I...>) {
    return __builtin_shufflevector(a, b, (I / 2 + I % 2 * kSide + kSide / 2)...);
  }

  /// Interleaving the two halves of the rows, log2(side) times, is a transposition.
  static AIT_INLINE void transpose(Vector (&rows)[kSide]) {
    for (int step = 1; step < kSide; step *= 2) {
      Vector next[kSide];
      for (int i = 0; i < kSide / 2; ++i) {
        next[2 * i] = lowerInterleaved(rows[i], rows[i + kSide / 2], Indices<kSide>{});
        next[2 * i + 1] = upperInterleaved(rows[i], rows[i + kSide / 2], Indices<kSide>{});
      }
      for (int i = 0; i < kSide; ++i) rows[i] = next[i];
    }
  }

  /// to[a * toStride + b] = from[b * fromStride + a] for a, b in 0..<kSide.
  static AIT_INLINE void copy(const Element* from, int64_t fromStride, Element* to,
                              int64_t toStride) {
    Vector rows[kSide];
    for (int b = 0; b < kSide; ++b) {
      __builtin_memcpy(&rows[b], from + b * fromStride, sizeof(Vector));
    }
    transpose(rows);
    for (int a = 0; a < kSide; ++a) __builtin_memcpy(to + a * toStride, &rows[a], sizeof(Vector));
  }

  /// The same for a in 0..<aCount and b in 0..<bCount.
  static __attribute__((noinline)) void copyPartial(const Element* from, int64_t fromStride,
                                                    Element* to, int64_t toStride, int64_t aCount,
                                                    int64_t bCount) {
    Vector rows[kSide];
    for (int b = 0; b < kSide; ++b) {
      rows[b] = b < bCount ? Access::load(from + b * fromStride, aCount) : Vector{};
    }
    transpose(rows);
    for (int a = 0; a < kSide; ++a) {
      if (a < aCount) Access::store(to + a * toStride, rows[a], bCount);
    }
  }
};

/// A block of the plane of the two axes, tile by tile; unit strides as `permuteCopy` has them.
template <int kSize>
__attribute__((noinline)) void transposeBlock(const typename SignedOfSize<kSize>::Type* from,
                                              int64_t fromStride,
                                              typename SignedOfSize<kSize>::Type* to,
                                              int64_t toStride, int64_t aCount, int64_t bCount) {
  using Tile = TransposeTile<kSize>;
  constexpr int kSide = Tile::kSide;
  for (int64_t b = 0; b < bCount; b += kSide) {
    const int64_t bRest = bCount - b < kSide ? bCount - b : kSide;
    for (int64_t a = 0; a < aCount; a += kSide) {
      const int64_t aRest = aCount - a < kSide ? aCount - a : kSide;
      const auto* source = from + b * fromStride + a;
      auto* destination = to + a * toStride + b;
      if (aRest == kSide && bRest == kSide) {
        Tile::copy(source, fromStride, destination, toStride);
      } else {
        Tile::copyPartial(source, fromStride, destination, toStride, aRest, bRest);
      }
    }
  }
}

/// output[…, a, b] = input[…, a, b] where the input is contiguous along the last axis but one and
/// the output along the last: a transposition of the last two axes, the rest of a permutation
/// being in the strides of the others. Elements have `kSize` bytes: 1, 2, 4 or 8.
///
/// - sizes: `kRank` (2...8) extents, then `kRank` strides of the input, then of the output, in
///   elements. Other inner strides than those are followed one element at a time.
/// - buffers: input, output; they do not overlap.
/// - Any extent may be 0.
template <int kSize, int kRank>
void permuteCopy(const KernelContext& context) {
  static_assert(kRank >= 2 && kRank <= 8);
  using Element = typename SignedOfSize<kSize>::Type;
  const int64_t* extents = context.sizes;
  const int64_t* inputStrides = extents + kRank;
  const int64_t* outputStrides = inputStrides + kRank;
  const int64_t aExtent = extents[kRank - 2];
  const int64_t bExtent = extents[kRank - 1];
  int64_t planes = 1;
  for (int axis = 0; axis < kRank - 2; ++axis) planes *= extents[axis];
  if (planes * aExtent * bExtent == 0) return;

  // Blocks of about 4096 elements keep the lines and pages of both sides in the caches.
  constexpr int64_t kBlock = 4096;
  const int64_t aBlock = bExtent >= 64 ? 64 : (kBlock / bExtent + 63) / 64 * 64;
  const int64_t bBlock = aExtent >= 64 ? 64 : (kBlock / aExtent + 63) / 64 * 64;
  const int64_t aBlocks = (aExtent + aBlock - 1) / aBlock;
  const int64_t bBlocks = (bExtent + bBlock - 1) / bBlock;
  const bool isUnit = inputStrides[kRank - 2] == 1 && outputStrides[kRank - 1] == 1;

  const auto copyBlock = [&](int64_t block) {
    const int64_t a = block % aBlocks * aBlock;
    const int64_t b = block / aBlocks % bBlocks * bBlock;
    int64_t plane = block / aBlocks / bBlocks;
    const auto* from = static_cast<const Element*>(context.buffers[0]) +
                       a * inputStrides[kRank - 2] + b * inputStrides[kRank - 1];
    auto* to = static_cast<Element*>(context.buffers[1]) + a * outputStrides[kRank - 2] +
               b * outputStrides[kRank - 1];
    for (int axis = kRank - 3; axis >= 0; --axis) {
      const int64_t position = axis == 0 ? plane : plane % extents[axis];
      from += position * inputStrides[axis];
      to += position * outputStrides[axis];
      if (axis > 0) plane /= extents[axis];
    }
    const int64_t aCount = aExtent - a < aBlock ? aExtent - a : aBlock;
    const int64_t bCount = bExtent - b < bBlock ? bExtent - b : bBlock;
    if (isUnit) {
      transposeBlock<kSize>(from, inputStrides[kRank - 1], to, outputStrides[kRank - 2], aCount,
                            bCount);
      return;
    }
    for (int64_t i = 0; i < aCount; ++i) {
      for (int64_t k = 0; k < bCount; ++k) {
        to[i * outputStrides[kRank - 2] + k * outputStrides[kRank - 1]] =
            from[i * inputStrides[kRank - 2] + k * inputStrides[kRank - 1]];
      }
    }
  };

  // One block is one row of as many columns, to be shared as a pointwise loop is.
  const int64_t elementsPerBlock =
      (aExtent < aBlock ? aExtent : aBlock) * (bExtent < bBlock ? bExtent : bBlock);
  const PointwiseTasks tasks(planes * aBlocks * bBlocks, elementsPerBlock,
                             context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    const auto range = tasks.range(task);
    for (int64_t block = range.firstRow; block < range.lastRow; ++block) copyBlock(block);
  });
}

}  // namespace ait
