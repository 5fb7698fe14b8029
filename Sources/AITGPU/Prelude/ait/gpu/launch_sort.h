// Launches of kernels on the order of rows and along axes. For the host.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/sort_config.h"

namespace ait {

/// Sizes: extents, three operands' strides, the elements kept. A block for each row.
template <class Config, int kRank>
void launchTopK(const KernelContext& context, int32_t kernel) {
  TopKArguments<kRank> arguments{};
  const int64_t* sizes = context.sizes;
  int64_t rows = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.extents[axis] = sizes[axis];
    if (axis + 1 < kRank) rows *= sizes[axis];
    for (int operand = 0; operand < 3; ++operand) {
      arguments.operands[operand].base = context.buffers[operand];
      arguments.operands[operand].strides[axis] = sizes[kRank * (1 + operand) + axis];
    }
  }
  arguments.kept = sizes[4 * kRank];
  arguments.workspace = context.workspace;
  if (arguments.kept == 0) return;
  launchKernel(context, kernel, rows, Config::kThreads, SortShape<Config>::kSharedBytes, 1,
               arguments);
}

/// Sizes: B, N, the most boxes kept, the most looked at; 3 strides of the boxes, 2 of the scores, 2
/// of the positions, 1 of the counts. A block for each batch.
template <class Config, int kSharedBytes>
void launchSuppression(const KernelContext& context, int32_t kernel) {
  SuppressionArguments arguments{};
  const int64_t* sizes = context.sizes;
  arguments.boxCount = sizes[1];
  arguments.most = sizes[2];
  arguments.candidates = sizes[3];
  const int64_t* strides = sizes + 4;
  arguments.boxes = {context.buffers[0], {strides[0], strides[1], strides[2]}};
  arguments.scores = {context.buffers[1], {strides[3], strides[4]}};
  arguments.positions = {context.buffers[2], {strides[5], strides[6]}};
  arguments.counts = {context.buffers[3], {strides[7]}};
  arguments.workspace = static_cast<char*>(context.workspace);
  arguments.bytesPerBatch = suppressionBytes<Config>(sizes[1], sizes[2]);
  launchKernel(context, kernel, sizes[0], Config::kThreads, kSharedBytes, 1, arguments);
}

/// Sizes: extents, two operands' strides. A thread or a block for each line.
template <class Config, int kRank>
void launchScan(const KernelContext& context, int32_t kernel, int sharedSizeInBytes) {
  ScanArguments<kRank> arguments{};
  const int64_t* sizes = context.sizes;
  arguments.lines = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.extents[axis] = sizes[axis];
    if (axis != kRank - 2) arguments.lines *= sizes[axis];
    for (int operand = 0; operand < 2; ++operand) {
      arguments.operands[operand].base = context.buffers[operand];
      arguments.operands[operand].strides[axis] = sizes[kRank * (1 + operand) + axis];
    }
  }
  if (arguments.extents[kRank - 2] == 0) return;
  const int64_t blocks =
      sharedSizeInBytes > 0 ? arguments.lines : ceilDivide(arguments.lines, Config::kThreads);
  launchKernel(context, kernel, blocks, Config::kThreads, sharedSizeInBytes, 1, arguments);
}

}  // namespace ait
