// The host code of packing.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/matmul_pack_config.h"

namespace ait {

/// - buffers: the matrices, the packed matrices.
/// - sizes: three batch extents, K, N, the strides of the batch axes, of k and of n, the pitch of
/// the packed rows.
inline void launchPack(const KernelContext& context, int32_t kernel) {
  const int64_t* sizes = context.sizes;
  PackArguments arguments{};
  arguments.from = context.buffers[0];
  arguments.to = context.buffers[1];
  int64_t rows = sizes[4];
  for (int axis = 0; axis < 3; ++axis) {
    arguments.batchExtents[axis] = sizes[axis];
    arguments.batchStrides[axis] = sizes[5 + axis];
    rows *= sizes[axis];
  }
  arguments.depth = static_cast<int32_t>(sizes[3]);
  arguments.columns = sizes[4];
  arguments.innerStride = sizes[8];
  arguments.columnStride = sizes[9];
  arguments.pitch = static_cast<int32_t>(sizes[10]);
  const int64_t packets = rows * (arguments.pitch / PackShape::kPacket);
  launchKernel(context, kernel, ceilDivide(packets, PackShape::kThreads), PackShape::kThreads, 0, 1,
               arguments);
}

}  // namespace ait
