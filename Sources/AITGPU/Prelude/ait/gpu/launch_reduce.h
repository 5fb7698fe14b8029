// Launches of reductions. For the host.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/reduce_config.h"

namespace ait {

/// The arguments of a launch but its shares, from sizes that are the extents of the loops, then
/// each operand's strides.
template <class Config, int kRank, int kCount>
ReduceArguments<kRank, kCount> reduceArguments(const KernelContext& context) {
  constexpr int kKeptRank = kRank - 1 - Config::kReducedRank;
  ReduceArguments<kRank, kCount> arguments{};
  const int64_t* sizes = context.sizes;
  arguments.results = arguments.rows = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.extents[axis] = sizes[axis];
    if (axis < kKeptRank) {
      arguments.results *= sizes[axis];
    } else if (axis < kRank - 1) {
      arguments.rows *= sizes[axis];
    }
  }
  arguments.length = arguments.rows * (Config::kIsAcross ? 1 : sizes[kRank - 1]);
  for (int operand = 0; operand < kCount; ++operand) {
    arguments.operands[operand].base = context.buffers[operand];
    for (int axis = 0; axis < kRank; ++axis) {
      arguments.operands[operand].strides[axis] = sizes[kRank * (1 + operand) + axis];
    }
  }
  arguments.workspace = context.workspace;
  return arguments;
}

/// Kernels: the reduction, and what brings the states of blocks together.
template <class Config, int kRank, int kCount>
void launchReduce(const KernelContext& context, const int32_t* kernels) {
  using Shape = ReduceShape<Config>;
  auto arguments = reduceArguments<Config, kRank, kCount>(context);
  const int64_t columns = arguments.extents[kRank - 1];
  const ReduceShares shares = reduceShares<Config>(arguments.results, arguments.rows, columns,
                                                   context.queue->multiprocessorCount());
  arguments.shares = shares;
  launchKernel(context, kernels[0], shares.blocks, Config::kThreads, Shape::kSharedBytes, 1,
               arguments);
  if (shares.parts <= 1) return;
  const int64_t resultCount = arguments.results * (Config::kIsAcross ? columns : 1);
  launchKernel(context, kernels[1], ceilDivide(resultCount, shares.finishLanes), Config::kThreads,
               Shape::kFinishSharedBytes, 1, arguments);
}

/// Kernels: one that normalises groups, one for the moments of parts, one that normalises parts.
template <class Config, int kRank, int kCount>
void launchGroupNorm(const KernelContext& context, const int32_t* kernels) {
  constexpr int kSharedBytes = ReduceShape<Config>::kGroupSharedBytes;
  auto arguments = reduceArguments<Config, kRank, kCount>(context);
  if (arguments.length == 0) return;
  const ReduceShares shares =
      groupShares<Config>(arguments.results, arguments.rows, arguments.extents[kRank - 1],
                          context.queue->multiprocessorCount());
  arguments.shares = shares;
  for (int32_t launch = shares.parts > 1 ? 1 : 0; launch < (shares.parts > 1 ? 3 : 1); ++launch) {
    launchKernel(context, kernels[launch], shares.blocks, Config::kThreads, kSharedBytes, 1,
                 arguments);
  }
}

}  // namespace ait
