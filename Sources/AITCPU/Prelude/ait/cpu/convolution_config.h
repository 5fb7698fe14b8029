// What convolutions are told: the facts known when they are compiled, and the sizes of a call.
#pragma once

#include "ait/cpu/matmul_config.h"

namespace ait {

/// How filters reach a convolution: packed ahead of time, or as they lie with any strides, to be
/// packed into the workspace before anything else.
enum class Filters { packed, strided };

/// How the image reaches it: copied into windows with their padding, as accumulators; or in place,
/// which asks that every tap of every output is inside, the channels of a pixel are adjacent, and
/// the element type is the accumulator's.
enum class Image { copied, inPlace };

/// The facts about a convolution that are known when it is compiled.
template <class AElement, class BElement, Filters filters, Image image = Image::copied>
struct ConvolutionConfig {
  using A = AElement;
  using B = BElement;
  using Accumulator = ait::Accumulator<A, B>;
  using Tile = MatmulTile<Accumulator>;
  static constexpr Filters kFilters = filters;
  static constexpr Image kImage = image;

  static_assert(image == Image::copied || __is_same(A, Accumulator));

  /// The length of the blocks of taps x channels, whose sums meet in memory: a panel of as many
  /// rows is 128 KiB, half of the smallest level-2 caches.
  static constexpr int64_t kDepthBlock = 4096 / sizeof(Accumulator);
};

namespace conv {

constexpr int kSpatialRank = 3;
constexpr int kOperandStrides = kSpatialRank + 2;

/// One spatial axis: output o and tap f meet at position `o * stride + f * dilation - padding` of
/// the image, between whose elements `inputDilation - 1` zeros lie.
struct Axis {
  int64_t in;
  int64_t out;
  int64_t taps;
  int64_t stride;
  int64_t dilation;
  int64_t inputDilation;
  int64_t padding;
};

constexpr int64_t greatestCommonDivisor(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/// Rounds down; b is positive.
constexpr int64_t floorDivide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// Those outputs of an axis that meet the same taps, `first + j * step` for j in 0..<count.
///
/// Output j and tap `firstTap + t * tapStep` meet at element
/// `j * stride + offset + t * offsetStep` of the image, for t in 0..<tapCount. Without zeros
/// between the image's elements there is one phase. Source: the decomposition of transposed
/// convolutions into dense ones.
struct Phase {
  int64_t first;
  int64_t step;
  int64_t count;
  int64_t stride;
  int64_t firstTap;
  int64_t tapStep;
  int64_t tapCount;
  int64_t offset;
  int64_t offsetStep;

  static int64_t countOf(const Axis& axis) {
    return axis.inputDilation / greatestCommonDivisor(axis.stride, axis.inputDilation);
  }

  Phase(const Axis& axis, int64_t index) {
    first = index;
    step = countOf(axis);
    count = axis.out > index ? (axis.out - index + step - 1) / step : 0;
    stride = step * axis.stride / axis.inputDilation;
    const int64_t common = greatestCommonDivisor(axis.dilation, axis.inputDilation);
    tapStep = axis.inputDilation / common;
    offsetStep = axis.dilation / common;
    const int64_t start = index * axis.stride - axis.padding;
    firstTap = 0;
    while (firstTap < tapStep && (start + firstTap * axis.dilation) % axis.inputDilation != 0) {
      ++firstTap;
    }
    tapCount = firstTap < tapStep && firstTap < axis.taps
                   ? (axis.taps - firstTap + tapStep - 1) / tapStep
                   : 0;
    offset = floorDivide(start + firstTap * axis.dilation, axis.inputDilation);
  }
};

/// The sizes of a convolution, read from a kernel's:
///
///   N, C / groups, O / groups, groups,
///   for each of three spatial axes: in, out, taps, stride, dilation, inputDilation, padding,
///   strides of the image: n, three spatial, c,
///   strides of the filters: o, three spatial, c,
///   for every extra, then every output: strides n, three spatial, o.
struct Sizes {
  int64_t N;
  int64_t inputChannels;
  int64_t outputChannels;
  int64_t groups;
  Axis axes[kSpatialRank];
  const int64_t* image;
  const int64_t* filters;
  const int64_t* operandStrides;

  explicit Sizes(const int64_t* sizes)
      : N(sizes[0]), inputChannels(sizes[1]), outputChannels(sizes[2]), groups(sizes[3]) {
    sizes += 4;
    for (Axis& axis : axes) {
      axis = {sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]};
      sizes += 7;
    }
    image = sizes;
    filters = sizes + kOperandStrides;
    operandStrides = sizes + 2 * kOperandStrides;
  }

  int64_t taps() const { return axes[0].taps * axes[1].taps * axes[2].taps; }
  /// The rows of a group's filters as a matrix.
  int64_t depth() const { return taps() * inputChannels; }

  bool isEmpty() const {
    return N <= 0 || outputChannels * groups <= 0 || axes[0].out <= 0 || axes[1].out <= 0 ||
           axes[2].out <= 0;
  }
};

}  // namespace conv

}  // namespace ait
