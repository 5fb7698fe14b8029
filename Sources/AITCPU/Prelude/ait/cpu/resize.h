// Resizing of channels-last images.
#pragma once

#include "ait/cpu/channels.h"

namespace ait {

enum class ResizeMode { nearest, nearestExact, linear, cubic };

/// The elements of an axis that one of the result is made of.
template <ResizeMode kMode>
struct ResizeTaps {
  static constexpr int kCount = kMode == ResizeMode::linear  ? 2
                                : kMode == ResizeMode::cubic ? 4
                                                             : 1;
  int64_t positions[kCount];
  double weights[kCount];
};

/// Finds the taps of a position along an axis, as torch.nn.functional.interpolate does.
///
/// - scale: of the result to the input; 0 for that of their extents.
/// - Real: what positions of the nearest element are computed in; an element that lies on the
///   border of two is decided by its rounding.
template <ResizeMode kMode, bool kAlignsCorners, class Real>
AIT_INLINE ResizeTaps<kMode> resizeTaps(int64_t position, int64_t in, int64_t out, double scale) {
  const auto within = [=](int64_t index) { return index < 0 ? 0 : index < in ? index : in - 1; };
  if constexpr (kMode == ResizeMode::nearest || kMode == ResizeMode::nearestExact) {
    const Real ratio =
        scale > 0 ? static_cast<Real>(1 / scale) : static_cast<Real>(in) / static_cast<Real>(out);
    const Real center = kMode == ResizeMode::nearestExact ? Real(0.5) : Real(0);
    const float source = static_cast<float>((static_cast<Real>(position) + center) * ratio);
    return {{within(static_cast<int64_t>(source))}, {1}};
  } else {
    const double ratio =
        kAlignsCorners ? (out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0)
        : scale > 0    ? 1 / scale
                       : static_cast<double>(in) / static_cast<double>(out);
    double source = kAlignsCorners ? static_cast<double>(position) * ratio
                                   : (static_cast<double>(position) + 0.5) * ratio - 0.5;
    if (kMode == ResizeMode::linear && in == out) source = static_cast<double>(position);
    if (kMode == ResizeMode::linear && source < 0) source = 0;
    int64_t first = static_cast<int64_t>(__builtin_floor(source));
    if (first > in - 1) first = in - 1;
    const double rest = source - static_cast<double>(first);
    const double t = rest < 0 ? 0 : rest > 1 ? 1 : rest;
    if constexpr (kMode == ResizeMode::linear) {
      return {{first, within(first + 1)}, {1 - t, t}};
    } else {
      // Keys' cubic with the slope −3/4.
      constexpr double kSlope = -0.75;
      const auto near = [](double d) { return ((kSlope + 2) * d - (kSlope + 3)) * d * d + 1; };
      const auto far = [](double d) {
        return ((kSlope * d - 5 * kSlope) * d + 8 * kSlope) * d - 4 * kSlope;
      };
      return {{within(first - 1), within(first), within(first + 1), within(first + 2)},
              {far(t + 1), near(t), near(1 - t), far(2 - t)}};
    }
  }
}

/// Images [N, D1, D2, D3, C] of other extents, each element a weighted sum of at most
/// `ResizeTaps::kCount` along each axis: torch.nn.functional.interpolate, of which
/// `Scales::kScales` are the given scale factors, or 0. Computed in float for 16-bit floats,
/// otherwise in the element's type.
///
/// - kAxes: how many of the last axes are resized; the others have the extent 1.
/// - sizes: the extents N, D1, D2, D3, C of the result; 5 strides of the input, of each extra, of
///   each output, in elements; then the 3 extents D of the input.
/// - buffers: the input, the extras of the epilogue, the outputs, which overlap no other.
///
/// Vectors lie along the channels; positions and weights are computed once for all of them.
template <ResizeMode kMode, bool kAlignsCorners, class Scales, int kAxes, class Epilogue, class X,
          class Extras, class Out>
void resize(const KernelContext& context) {
  using Element = typename X::Element;
  using T = ComputeType<Element>;
  using Real = T;
  constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
  using Taps = ResizeTaps<kMode>;
  const int64_t* extents = context.sizes;
  const int64_t* strides = extents + kImageRank;
  const int64_t* own = strides + kImageRank;
  const int64_t* in = own + (Extras::kCount + Out::kCount) * kImageRank;
  Element* const input = static_cast<Element*>(context.buffers[0]);
  // Per axis; those that are not resized have one tap.
  constexpr int kCounts[3] = {kAxes > 2 ? Taps::kCount : 1, kAxes > 1 ? Taps::kCount : 1,
                              Taps::kCount};

  forEachPosition<Epilogue, W, Extras, Out>(
      context.pool, context.buffers + 1, extents, own, kCounts[0] * kCounts[1] * kCounts[2],
      [&](const int64_t* position) {
        Taps taps[3];
        for (int axis = 0; axis < 3; ++axis) {
          if (axis < 3 - kAxes) {
            taps[axis] = {{0}, {1}};
          } else {
            taps[axis] = resizeTaps<kMode, kAlignsCorners, Real>(
                position[1 + axis], in[axis], extents[1 + axis], Scales::kScales[axis]);
          }
        }
        Element* const image = input + position[0] * strides[0];
        return [=](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          const auto at = [&](int i, int j, int k) AIT_INLINE_LAMBDA {
            const Row<Element, X::kAccess> row(image + taps[0].positions[i] * strides[1] +
                                                   taps[1].positions[j] * strides[2] +
                                                   taps[2].positions[k] * strides[3],
                                               strides[4]);
            return loadChannels<W>(row, column, extent);
          };
          if constexpr (Taps::kCount == 1) {
            return at(0, 0, 0);
          } else {
            Vec<T, W> sum = broadcast<W, T>(0);
            for (int i = 0; i < kCounts[0]; ++i) {
              for (int j = 0; j < kCounts[1]; ++j) {
                const double outer = taps[0].weights[i] * taps[1].weights[j];
                for (int k = 0; k < kCounts[2]; ++k) {
                  const T weight = static_cast<T>(outer * taps[2].weights[k]);
                  sum = mulAdd(at(i, j, k), broadcast<W, T>(weight), sum);
                }
              }
            }
            return sum;
          }
        };
      });
}

}  // namespace ait
