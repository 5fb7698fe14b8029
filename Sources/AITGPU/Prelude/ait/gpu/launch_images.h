// Launches of kernels on channels-last images. For the host.
#pragma once

#include "ait/gpu/images_config.h"
#include "ait/gpu/launch_movement.h"

namespace ait {

/// Loops and images from sizes that are the extents of the result, the strides of the images, of
/// the extras and of the outputs, then three extents of the images; returns what follows them.
///
/// - others: buffers that stand between the images' and the extras'.
template <class Config, int kCount, class Arguments>
const int64_t* fillImages(const KernelContext& context, Arguments& arguments, int others = 0) {
  const int64_t* rest = fillMovement<Config, kImageRank, kCount>(context, arguments);
  for (int operand = 1; operand < kCount; ++operand) {
    arguments.operands[operand].base = context.buffers[operand + others];
  }
  for (int axis = 0; axis < 3; ++axis) arguments.image[axis] = rest[axis];
  return rest + 3;
}

template <class Config, class Arguments>
void launchImages(const KernelContext& context, int32_t kernel, Arguments& arguments) {
  launchKernel(context, kernel, movementBlocks<Config>(arguments.packets), Config::kThreads, 0, 1,
               arguments);
}

/// Beyond the images: of regular windows, five numbers for each of three axes.
template <class Config, PoolWindows kWindows, int kCount>
void launchPool(const KernelContext& context, int32_t kernel) {
  PoolArguments<kCount> arguments{};
  const int64_t* rest = fillImages<Config, kCount>(context, arguments);
  for (int axis = 0; axis < 3 && kWindows == PoolWindows::regular; ++axis) {
    arguments.size[axis] = rest[axis];
    arguments.stride[axis] = rest[3 + axis];
    arguments.low[axis] = rest[6 + axis];
    arguments.high[axis] = rest[9 + axis];
    arguments.dilation[axis] = rest[12 + axis];
  }
  launchImages<Config>(context, kernel, arguments);
}

/// - Real: what positions of the nearest element are computed in.
template <class Config, class Scales, ResizeMode kMode, bool kAlignsCorners, class Real, int kCount>
void launchResize(const KernelContext& context, int32_t kernel) {
  ResizeArguments<kCount> arguments{};
  fillImages<Config, kCount>(context, arguments);
  for (int axis = 0; axis < 3; ++axis) {
    const int64_t in = arguments.image[axis];
    const int64_t out = arguments.extents[1 + axis];
    const double scale = Scales::kScales[axis];
    double& ratio = arguments.ratios[axis];
    if (kAlignsCorners) {
      ratio = out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0;
    } else if (kMode == ResizeMode::nearest || kMode == ResizeMode::nearestExact) {
      ratio = static_cast<double>(scale > 0 ? static_cast<Real>(1 / scale)
                                            : static_cast<Real>(in) / static_cast<Real>(out));
    } else {
      ratio = scale > 0 ? 1 / scale : static_cast<double>(in) / static_cast<double>(out);
    }
  }
  launchImages<Config>(context, kernel, arguments);
}

/// Beyond the images: the strides of the boxes and of the images' indices, the number of images.
template <class Config, int kCount>
void launchRegions(const KernelContext& context, int32_t kernel) {
  RegionArguments<kCount> arguments{};
  const int64_t* rest = fillImages<Config, kCount>(context, arguments, 2);
  arguments.boxes = context.buffers[1];
  arguments.boxStride = rest[0];
  arguments.cornerStride = rest[1];
  arguments.indices = context.buffers[2];
  arguments.indexStride = rest[2];
  arguments.images = rest[3];
  arguments.record = reinterpret_cast<IndexErrorRecord*>(context.queue->errorRecord());
  arguments.step = context.queue->step();
  launchImages<Config>(context, kernel, arguments);
}

}  // namespace ait
