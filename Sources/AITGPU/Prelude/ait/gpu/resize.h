// Resizing of channels-last images: torch.nn.functional.interpolate.
//
// An element is a weighted sum of one, two or four along each axis; positions are computed in
// double, by a ratio that the host computes, as in float they would err by a pixel's ten thousandth
// in images of a few thousand. Expected bound: memory bandwidth, or the first-level cache for
// cubics.
#pragma once

#include "ait/gpu/images.h"

namespace ait {

template <ResizeMode kMode>
struct ResizeTaps {
  static constexpr int kCount = kMode == ResizeMode::linear  ? 2
                                : kMode == ResizeMode::cubic ? 4
                                                             : 1;
  int64_t positions[kCount];
  double weights[kCount];
};

/// - Real: what positions of the nearest element are computed in.
template <ResizeMode kMode, bool kAlignsCorners, class Real>
AIT_DEVICE ResizeTaps<kMode> resizeTaps(int64_t position, int64_t in, int64_t out, double ratio) {
  const auto within = [=](int64_t index) {
    return index < 0 ? int64_t{0} : index < in ? index : in - 1;
  };
  ResizeTaps<kMode> taps;
  if constexpr (kMode == ResizeMode::nearest || kMode == ResizeMode::nearestExact) {
    const Real center = kMode == ResizeMode::nearestExact ? Real(0.5) : Real(0);
    const float source =
        static_cast<float>((static_cast<Real>(position) + center) * static_cast<Real>(ratio));
    taps.positions[0] = within(static_cast<int64_t>(source));
    taps.weights[0] = 1;
  } else {
    double source = kAlignsCorners ? static_cast<double>(position) * ratio
                                   : (static_cast<double>(position) + 0.5) * ratio - 0.5;
    if (kMode == ResizeMode::linear && in == out) source = static_cast<double>(position);
    if (kMode == ResizeMode::linear && source < 0) source = 0;
    // Rounded down: a conversion rounds toward zero.
    int64_t first = static_cast<int64_t>(source);
    if (source < static_cast<double>(first)) --first;
    if (first > in - 1) first = in - 1;
    const double rest = source - static_cast<double>(first);
    const double t = rest < 0 ? 0 : rest > 1 ? 1 : rest;
    if constexpr (kMode == ResizeMode::linear) {
      taps.positions[0] = first;
      taps.positions[1] = within(first + 1);
      taps.weights[0] = 1 - t;
      taps.weights[1] = t;
    } else {
      // Keys' cubic with the slope −3/4.
      constexpr double kSlope = -0.75;
      const auto near = [=](double d) { return ((kSlope + 2) * d - (kSlope + 3)) * d * d + 1; };
      const auto far = [=](double d) {
        return ((kSlope * d - 5 * kSlope) * d + 8 * kSlope) * d - 4 * kSlope;
      };
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) taps.positions[i] = within(first - 1 + i);
      taps.weights[0] = far(t + 1);
      taps.weights[1] = near(t);
      taps.weights[2] = near(1 - t);
      taps.weights[3] = far(2 - t);
    }
  }
  return taps;
}

/// - kAxes: how many of the last axes are resized; the others have the extent 1.
template <class Config, ResizeMode kMode, bool kAlignsCorners, class Scales, int kAxes,
          class Epilogue, class X, class Extra, class Out, class Arguments>
AIT_DEVICE void resize(const Arguments& arguments) {
  using Element = typename X::Element;
  using T = ComputeType<Element>;
  using Taps = ResizeTaps<kMode>;
  constexpr int W = Config::kPacket;
  constexpr int kCounts[3] = {kAxes > 2 ? Taps::kCount : 1, kAxes > 1 ? Taps::kCount : 1,
                              Taps::kCount};
  forEachPosition<Config, T, Epilogue, Extra, Out>(arguments, [&](const auto& place) {
    Taps taps[3] = {};
    AIT_UNROLL
    for (int axis = 0; axis < 3; ++axis) {
      if (axis < 3 - kAxes) {
        taps[axis].weights[0] = 1;
      } else {
        taps[axis] = resizeTaps<kMode, kAlignsCorners, T>(
            place.positions[1 + axis], arguments.image[axis], arguments.extents[1 + axis],
            arguments.ratios[axis]);
      }
    }
    const auto& strides = arguments.operands[0].strides;
    const Element* const image = imageOf<Element>(arguments, place.positions[0]);
    Values<T, W> result;
    AIT_UNROLL
    for (int c = 0; c < W; ++c) result.values[c] = 0;
    AIT_UNROLL
    for (int i = 0; i < kCounts[0]; ++i) {
      AIT_UNROLL
      for (int j = 0; j < kCounts[1]; ++j) {
        const double outer = taps[0].weights[i] * taps[1].weights[j];
        AIT_UNROLL
        for (int k = 0; k < kCounts[2]; ++k) {
          OperandPacket<X, W> x;
          x.load(image + taps[0].positions[i] * strides[1] + taps[1].positions[j] * strides[2] +
                     taps[2].positions[k] * strides[3],
                 strides[4], place.positions[4], place.count);
          const T weight = static_cast<T>(outer * taps[2].weights[k]);
          AIT_UNROLL
          for (int c = 0; c < W; ++c) {
            if constexpr (Taps::kCount == 1) {
              result.values[c] = x.at(c);
            } else {
              result.values[c] += x.at(c) * weight;
            }
          }
        }
      }
    }
    return result;
  });
}

}  // namespace ait
