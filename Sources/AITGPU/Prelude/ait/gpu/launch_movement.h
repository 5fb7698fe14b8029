// Launches of kernels that move elements. For the host.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/movement_config.h"

namespace ait {

/// The loops of a launch from sizes that are extents, then each operand's strides; returns what
/// follows them.
template <class Config, int kRank, int kCount>
const int64_t* fillMovement(const KernelContext& context,
                            MovementArguments<kRank, kCount>& arguments) {
  const int64_t* sizes = context.sizes;
  int64_t rows = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.extents[axis] = sizes[axis];
    if (axis + 1 < kRank) rows *= sizes[axis];
  }
  arguments.packetsPerRow = ceilDivide(sizes[kRank - 1], Config::kPacket);
  arguments.packets = rows * arguments.packetsPerRow;
  sizes += kRank;
  for (int operand = 0; operand < kCount; ++operand) {
    arguments.operands[operand].base = context.buffers[operand];
    for (int axis = 0; axis < kRank; ++axis) {
      arguments.operands[operand].strides[axis] = *sizes++;
    }
  }
  return sizes;
}

/// Beyond the loops: the extent and the stride of the tensor's indexed axis.
template <class Config, int kRank>
void launchGather(const KernelContext& context, int32_t kernel) {
  static_assert(sizeof(IndexErrorRecord) == sizeof(DeviceErrorRecord) &&
                    __builtin_offsetof(IndexErrorRecord, extent) ==
                        __builtin_offsetof(DeviceErrorRecord, extent),
                "the record is the runtime's");
  GatherArguments<kRank> arguments{};
  const int64_t* rest = fillMovement<Config>(context, arguments);
  arguments.axisExtent = rest[0];
  arguments.axisStride = rest[1];
  arguments.record = reinterpret_cast<IndexErrorRecord*>(context.queue->errorRecord());
  arguments.step = context.queue->step();
  launchKernel(context, kernel, movementBlocks<Config>(arguments.packets), Config::kThreads, 0, 1,
               arguments);
}

/// Beyond the loops: the extents of the index and the updates.
template <class Config, int kRank>
void launchScatter(const KernelContext& context, int32_t kernel) {
  ScatterArguments<kRank> arguments{};
  const int64_t* rest = fillMovement<Config>(context, arguments);
  for (int axis = 0; axis < kRank; ++axis) arguments.updated[axis] = rest[axis];
  arguments.record = reinterpret_cast<IndexErrorRecord*>(context.queue->errorRecord());
  arguments.step = context.queue->step();
  launchKernel(context, kernel, movementBlocks<Config>(arguments.packets), Config::kThreads, 0, 1,
               arguments);
}

/// Beyond the loops: where the tensor begins within the result, and its extents.
template <class Config, int kRank>
void launchPad(const KernelContext& context, int32_t kernel) {
  PadArguments<kRank> arguments{};
  const int64_t* rest = fillMovement<Config>(context, arguments);
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.low[axis] = rest[axis];
    arguments.inner[axis] = rest[kRank + axis];
  }
  launchKernel(context, kernel, movementBlocks<Config>(arguments.packets), Config::kThreads, 0, 1,
               arguments);
}

template <class Config>
void launchArange(const KernelContext& context, int32_t kernel) {
  MovementArguments<1, 1> arguments{};
  fillMovement<Config>(context, arguments);
  launchKernel(context, kernel, movementBlocks<Config>(arguments.packets), Config::kThreads, 0, 1,
               arguments);
}

}  // namespace ait
