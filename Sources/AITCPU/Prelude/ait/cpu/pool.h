// Maxima and averages over windows of channels-last images.
#pragma once

#include "ait/cpu/channels.h"

namespace ait {

enum class PoolKind { maximum, average };

/// Which windows a pool has: of one size at regular distances, or such that they share an axis out
/// evenly (torch's adaptive pools).
enum class PoolWindows { regular, adaptive };

/// The positions of an axis that a window holds.
struct PoolWindow {
  int64_t first, last;  // exclusive
  int64_t step;
  int64_t length;  // with padding, as far as that reaches
};

/// The three axes of a pool: extents of the input and, of regular windows, five numbers each.
class PoolAxes {
 public:
  /// - sizes: 3 extents of the input; then, of regular windows, 3 sizes of the window, 3 distances
  ///   of windows, 3 amounts of padding before, 3 behind, and 3 distances of elements in a window.
  explicit PoolAxes(const int64_t* sizes) : sizes_(sizes) {}

  template <PoolWindows kWindows>
  AIT_INLINE PoolWindow window(int axis, int64_t position, int64_t outputExtent) const {
    const int64_t extent = sizes_[axis];
    if constexpr (kWindows == PoolWindows::adaptive) {
      const int64_t first = position * extent / outputExtent;
      const int64_t last = ((position + 1) * extent + outputExtent - 1) / outputExtent;
      return {first, last, 1, last - first};
    } else {
      const int64_t size = sizes_[3 + axis];
      const int64_t step = sizes_[15 + axis];
      const int64_t begin = position * sizes_[6 + axis] - sizes_[9 + axis];
      const int64_t end = begin + (size - 1) * step + 1;
      const int64_t padded = extent + sizes_[12 + axis];
      const int64_t first = begin >= 0 ? begin : begin + (-begin + step - 1) / step * step;
      return {first, end < extent ? end : extent, step, (end < padded ? end : padded) - begin};
    }
  }

  /// About how many elements a window has.
  AIT_INLINE int64_t windowSize(PoolWindows windows, const int64_t* outputExtents) const {
    int64_t size = 1;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t outputs = outputExtents[axis] > 0 ? outputExtents[axis] : 1;
      size *= windows == PoolWindows::regular ? sizes_[3 + axis] : sizes_[axis] / outputs + 1;
    }
    return size;
  }

 private:
  const int64_t* sizes_;
};

/// The largest element, or the average, of each window: torch's max_pool, avg_pool and their
/// adaptive forms, on images [N, D1, D2, D3, C]. Computed in float for 16-bit floats, otherwise in
/// the element's type; NaN is the largest element. A maximum over padding alone is −∞, an average
/// over no elements 0.
///
/// - kCountsPadding: whether an average divides by the size of the window with its padding.
/// - sizes: the extents N, D1, D2, D3, C of the result; 5 strides of the input, of each extra, of
///   each output, in elements; then what `PoolAxes` reads.
/// - buffers: the input, the extras of the epilogue, the outputs, which overlap no other.
///
/// Vectors lie along the channels; a window is read where it lies, so that what neighbours share
/// comes from the cache. Bound by the loads from it.
template <PoolKind kKind, PoolWindows kWindows, bool kCountsPadding, class Epilogue, class X,
          class Extras, class Out>
void pool(const KernelContext& context) {
  using Element = typename X::Element;
  using T = ComputeType<Element>;
  constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
  const int64_t* extents = context.sizes;
  const int64_t* strides = extents + kImageRank;
  const int64_t* own = strides + kImageRank;
  const PoolAxes axes(own + (Extras::kCount + Out::kCount) * kImageRank);
  Element* const input = static_cast<Element*>(context.buffers[0]);
  const int64_t cost = axes.windowSize(kWindows, extents + 1);

  forEachPosition<Epilogue, W, Extras, Out>(
      context.pool, context.buffers + 1, extents, own, cost, [&](const int64_t* position) {
        PoolWindow windows[3];
        int64_t length = 1;
        int64_t inside = 1;
        for (int axis = 0; axis < 3; ++axis) {
          const PoolWindow w = axes.window<kWindows>(axis, position[1 + axis], extents[1 + axis]);
          windows[axis] = w;
          length *= w.length;
          inside *= w.last > w.first ? w.last - w.first : 0;
        }
        const int64_t count = kCountsPadding ? length : inside;
        Element* const image = input + position[0] * strides[0];
        return [=](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          using V = Vec<T, W>;
          V result = broadcast<W, T>(
              kKind == PoolKind::maximum ? -static_cast<T>(__builtin_huge_val()) : T(0));
          for (int64_t i = windows[0].first; i < windows[0].last; i += windows[0].step) {
            for (int64_t j = windows[1].first; j < windows[1].last; j += windows[1].step) {
              Element* const line = image + i * strides[1] + j * strides[2];
              for (int64_t k = windows[2].first; k < windows[2].last; k += windows[2].step) {
                const Row<Element, X::kAccess> row(line + k * strides[3], strides[4]);
                const V x = loadChannels<W>(row, column, extent);
                result = kKind == PoolKind::maximum ? maximum(result, x) : result + x;
              }
            }
          }
          if constexpr (kKind == PoolKind::average) {
            if (inside > 0) result = result / broadcast<W, T>(static_cast<T>(count));
          }
          return result;
        };
      });
}

}  // namespace ait
