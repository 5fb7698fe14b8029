// y[n, o…, f] = epilogue(Σ x[n, o · stride + t · dilation - padding…, c] w[f, t…, c], extras…) by
// warp groups: compute capability 9.0a.
//
// The product of outputs by filters of `matmul_hopper.h`, whose A the copy engine gathers: a row is
// an output, K goes through taps, then steps of 64 channels, and a stage is one copy of the pixels
// that a tile's outputs meet at a tap. The engine goes through lines and images by itself and fills
// what lies outside with zeros. The filters are a matrix as they are; where channels are no
// multiple of 64, the last step of a tap meets zeros of the image, whatever of the next tap it
// meets of the filters. Expected bound: the matrix units; with few channels or filters, the
// bandwidth.
#pragma once

#include "ait/gpu/convolution_geometry.h"
#include "ait/gpu/matmul_hopper.h"

namespace ait {
namespace conv {

/// A's stages, for one tile.
template <class Config, class In, class Out>
class PixelRows {
  using Shape = MatmulHopperShape<Config>;
  static constexpr int kAxes = 3 - Config::kFirstAxis;
  static constexpr int kRank = 2 + kAxes;

 public:
  using Arguments = ConvolutionHopperArguments<Config, In, Out>;

  AIT_DEVICE PixelRows(const Arguments& arguments, const MatmulTile<Config::kBatchRank>& tile,
                       int share)
      : arguments_(arguments), first_(share * Shape::kABoxRows) {
    const ConvolutionGeometry& geometry = arguments.geometry;
    const Output output(geometry,
                        firstOutput<false, Config::kBatchRank>(arguments.problem, tile.position) +
                            tile.row + first_);
    position_[0] = 0;
    AIT_UNROLL
    for (int axis = 0; axis < kAxes; ++axis) {
      const ConvolutionAxis& own = geometry.axes[2 - axis];
      position_[1 + axis] = output.positions[2 - axis] * own.stride - own.padding;
    }
    position_[1 + kAxes] = output.image;
    AIT_UNROLL
    for (int axis = 2 + kAxes; axis < 5; ++axis) position_[axis] = 0;
  }

  AIT_DEVICE static int stepCount(const Arguments& arguments) {
    return arguments.tapCount * arguments.channelSteps;
  }
  AIT_DEVICE static int depthOf(const Arguments& arguments, int step) {
    const int tap = arguments.channelStep.quotient(step);
    return tap * arguments.geometry.channels +
           (step - tap * arguments.channelSteps) * Shape::kStepK;
  }

  AIT_DEVICE void copy(char* to, TransferBarrier& barrier, int step, uint16_t peers) const {
    int index = arguments_.channelStep.quotient(step);
    int position[5];
    AIT_UNROLL
    for (int axis = 0; axis < 5; ++axis) position[axis] = position_[axis];
    position[0] = (step - index * arguments_.channelSteps) * Shape::kStepK;
    int offsets[3] = {0, 0, 0};
    AIT_UNROLL
    for (int axis = 0; axis < kAxes; ++axis) {
      const ConvolutionAxis& own = arguments_.geometry.axes[2 - axis];
      const int rest = axis + 1 < kAxes ? arguments_.taps[smaller(axis, 1)].quotient(index) : 0;
      offsets[axis] = (index - rest * own.taps) * own.dilation;
      index = rest;
    }
    copyPixels<kRank, (Shape::kClusterN > 1)>(to + first_ * 128, arguments_.a, barrier, position,
                                              offsets, peers);
  }

 private:
  const Arguments& arguments_;
  /// The first of this block's share of the rows.
  int first_;
  int position_[5];
};

}  // namespace conv

/// Computes tiles of a convolution; blocks as `matmulHopperBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void convolutionHopper(const ConvolutionHopperArguments<Config, In, Out>& arguments) {
  hopper::Block<Config, Body, In, Out, conv::PixelRows<Config, In, Out>>(arguments).run();
}

}  // namespace ait
