// Where the elements of an image lie that a window of a convolution meets.
#pragma once

#include "ait/gpu/convolution_config.h"
#include "ait/gpu/dialect.h"

namespace ait {
namespace conv {

/// An output of the result, counted with the last axis fastest, as positions of each axis.
struct Output {
  int image;
  int positions[3];

  AIT_DEVICE Output(const ConvolutionGeometry& geometry, int index) {
    AIT_UNROLL
    for (int axis = 2; axis >= 0; --axis) {
      const int rest = geometry.axes[axis].out.quotient(index);
      positions[axis] = index - rest * geometry.axes[axis].outExtent;
      index = rest;
    }
    image = index;
  }
};

/// The element of an axis at a position of a window; below 0 where there is none.
template <bool kHasZeros>
AIT_DEVICE int elementAt(const ConvolutionAxis& axis, int position) {
  if constexpr (kHasZeros) {
    if (position < 0 || position % axis.inputDilation != 0) return -1;
    position /= axis.inputDilation;
  }
  return position < axis.in ? position : -1;
}

/// The first of a matrix' outputs among all.
template <bool kHasGroups, int kBatchRank, class Problem>
AIT_DEVICE int firstOutput(const Problem& problem, const int (&position)[kBatchRank + 1]) {
  int index = 0;
  AIT_UNROLL
  for (int axis = kHasGroups ? 1 : 0; axis < kBatchRank; ++axis) {
    index = index * problem.batchExtents[axis] + position[axis];
  }
  return index * problem.M;
}

}  // namespace conv
}  // namespace ait
