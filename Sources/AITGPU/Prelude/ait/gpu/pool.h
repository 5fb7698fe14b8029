// Maxima and averages over windows of channels-last images: torch's max_pool, avg_pool and their
// adaptive forms.
//
// A window is read where it lies; what neighbours share comes from the caches. Expected bound: the
// loads from the first-level cache, or memory bandwidth for windows that do not overlap.
#pragma once

#include "ait/gpu/images.h"

namespace ait {

/// The positions of an axis that a window holds, and its length with as much padding as lies in it.
struct PoolWindow {
  int64_t first, last;  // exclusive
  int64_t step;
  int64_t length;
};

template <PoolWindows kWindows, class Arguments>
AIT_DEVICE PoolWindow poolWindow(const Arguments& arguments, int axis, int64_t position) {
  const int64_t extent = arguments.image[axis];
  if constexpr (kWindows == PoolWindows::adaptive) {
    const int64_t count = arguments.extents[1 + axis];
    const int64_t first = position * extent / count;
    const int64_t last = ((position + 1) * extent + count - 1) / count;
    return {first, last, 1, last - first};
  } else {
    const int64_t step = arguments.dilation[axis];
    const int64_t begin = position * arguments.stride[axis] - arguments.low[axis];
    const int64_t end = begin + (arguments.size[axis] - 1) * step + 1;
    const int64_t padded = extent + arguments.high[axis];
    const int64_t first = begin >= 0 ? begin : begin + (-begin + step - 1) / step * step;
    return {first, end < extent ? end : extent, step, (end < padded ? end : padded) - begin};
  }
}

/// - kCountsPadding: whether an average divides by the size of the window with its padding.
///
/// A maximum over padding alone is −∞, an average over no elements 0.
template <class Config, PoolKind kKind, PoolWindows kWindows, bool kCountsPadding, class Epilogue,
          class X, class Extra, class Out, class Arguments>
AIT_DEVICE void pool(const Arguments& arguments) {
  using Element = typename X::Element;
  using T = ComputeType<Element>;
  constexpr int W = Config::kPacket;
  forEachPosition<Config, T, Epilogue, Extra, Out>(arguments, [&](const auto& place) {
    PoolWindow windows[3];
    int64_t length = 1;
    int64_t inside = 1;
    AIT_UNROLL
    for (int axis = 0; axis < 3; ++axis) {
      windows[axis] = poolWindow<kWindows>(arguments, axis, place.positions[1 + axis]);
      length *= windows[axis].length;
      inside *=
          windows[axis].last > windows[axis].first ? windows[axis].last - windows[axis].first : 0;
    }
    Values<T, W> result;
    AIT_UNROLL
    for (int c = 0; c < W; ++c) {
      result.values[c] = kKind == PoolKind::maximum ? lowestOf<T>() : T(0);
    }
    const auto& strides = arguments.operands[0].strides;
    const Element* const image = imageOf<Element>(arguments, place.positions[0]);
    AIT_NO_UNROLL
    for (int64_t i = windows[0].first; i < windows[0].last; i += windows[0].step) {
      AIT_NO_UNROLL
      for (int64_t j = windows[1].first; j < windows[1].last; j += windows[1].step) {
        AIT_NO_UNROLL
        for (int64_t k = windows[2].first; k < windows[2].last; k += windows[2].step) {
          OperandPacket<X, W> x;
          x.load(image + i * strides[1] + j * strides[2] + k * strides[3], strides[4],
                 place.positions[4], place.count);
          AIT_UNROLL
          for (int c = 0; c < W; ++c) {
            T& value = result.values[c];
            if constexpr (kKind == PoolKind::maximum) {
              value = largerOrNaN(value, x.at(c));
            } else {
              value += x.at(c);
            }
          }
        }
      }
    }
    const int64_t count = kCountsPadding ? length : inside;
    if (kKind == PoolKind::average && inside > 0) {
      AIT_UNROLL
      for (int c = 0; c < W; ++c) result.values[c] /= static_cast<T>(count);
    }
    return result;
  });
}

}  // namespace ait
