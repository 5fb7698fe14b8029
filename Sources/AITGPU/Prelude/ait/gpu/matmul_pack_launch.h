// The host code of packing.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/matmul_pack_config.h"

namespace ait {

/// - from, to: the matrices, the packed matrices; kSize: the bytes of an element.
/// - sizes: three batch extents, K, N, the strides of the batch axes, of k and of n, the pitch of
/// the packed rows; columns of a row, their pitch, those before the matrix, all that there are.
template <int kSize>
void launchPack(const KernelContext& context, int32_t kernel, const void* from, void* to,
                const int64_t* sizes) {
  PackArguments arguments{};
  arguments.from = from;
  arguments.to = to;
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
  arguments.fold = static_cast<int32_t>(sizes[11]);
  arguments.innerPitch = static_cast<int32_t>(sizes[12]);
  arguments.shift = static_cast<int32_t>(sizes[13]);
  arguments.sourceColumns = static_cast<int32_t>(sizes[14]);
  const int64_t packets = rows * (arguments.pitch * kSize / 16);
  launchKernel(context, kernel, ceilDivide(packets, PackShape::kThreads), PackShape::kThreads, 0, 1,
               arguments);
}

/// The same of buffer 0, into buffer 1.
template <int kSize>
void launchPack(const KernelContext& context, int32_t kernel) {
  launchPack<kSize>(context, kernel, context.buffers[0], context.buffers[1], context.sizes);
}

/// Packs buffer 0 into the workspace, and launches what reads it there in its place.
///
/// - kBuffers: the operands of the launch; sizes: those of packing.
template <int kSize, int kBuffers, class Launch>
void launchPacked(const KernelContext& context, int32_t kernel, const int64_t* sizes,
                  Launch&& launch) {
  launchPack<kSize>(context, kernel, context.buffers[0], context.workspace, sizes);
  void* buffers[kBuffers];
  for (int i = 0; i < kBuffers; ++i) buffers[i] = context.buffers[i];
  buffers[0] = context.workspace;
  launch(KernelContext{buffers, context.sizes, context.workspace, context.pool, context.queue});
}

}  // namespace ait
