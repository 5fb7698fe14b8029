// Launches of pointwise kernels; for the host. Kernels count elements in 32 bits: larger problems
// are launched in parts.
#pragma once

#include "ait/gpu/launch.h"

namespace ait {

/// A box of a loop nest: its extents, and where each operand begins in it, in elements.
template <int kRank, int kCount>
struct LoopPart {
  int64_t extents[kRank];
  int64_t offsets[kCount];

  int64_t elements() const {
    int64_t product = 1;
    for (const int64_t extent : extents) product *= extent;
    return product;
  }

  /// The axis to halve: one of the batch if there is one; else the longer one of rows and columns,
  /// which is long enough then for halves that keep the alignment of packets.
  int longAxis() const {
    for (int axis = 0; axis + 2 < kRank; ++axis) {
      if (extents[axis] > 1) return axis;
    }
    return kRank == 1 || extents[kRank - 1] >= extents[larger(kRank - 2, 0)] ? kRank - 1
                                                                             : kRank - 2;
  }
};

/// Calls `launch` with the arguments of each part of the step's loops, given their number of
/// elements at most.
///
/// - kSizes: the bytes of an element of each operand.
template <int kRank, int... kSizes, class Launch>
void forEachPart(const KernelContext& context,
                 const LoopPart<kRank, static_cast<int>(sizeof...(kSizes))>& part,
                 const Launch& launch) {
  constexpr int kCount = sizeof...(kSizes);
  constexpr int kSizeOf[] = {kSizes...};
  constexpr int64_t kLargest = int64_t{1} << 30;
  const int64_t elements = part.elements();
  if (elements == 0) return;
  const auto stride = [&](int operand, int axis) {
    return context.sizes[kRank * (1 + operand) + axis];
  };
  if (elements > kLargest) {
    const int axis = part.longAxis();
    const int64_t extent = part.extents[axis];
    const int64_t half = axis + 2 < kRank ? extent / 2 : extent / 2 / 128 * 128;
    LoopPart<kRank, kCount> first = part;
    LoopPart<kRank, kCount> second = part;
    first.extents[axis] = half;
    second.extents[axis] = extent - half;
    for (int operand = 0; operand < kCount; ++operand) {
      second.offsets[operand] += half * stride(operand, axis);
    }
    forEachPart<kRank, kSizes...>(context, first, launch);
    forEachPart<kRank, kSizes...>(context, second, launch);
    return;
  }
  RowArguments<kRank, kCount> arguments{};
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.extents[axis] = static_cast<int32_t>(part.extents[axis]);
  }
  arguments.rows = static_cast<int32_t>(elements / part.extents[kRank - 1]);
  for (int operand = 0; operand < kCount; ++operand) {
    auto& place = arguments.operands[operand];
    place.base =
        static_cast<char*>(context.buffers[operand]) + part.offsets[operand] * kSizeOf[operand];
    for (int axis = 0; axis < kRank; ++axis) place.strides[axis] = stride(operand, axis);
  }
  launch(arguments);
}

/// All of the step's loops.
template <int kRank, int kCount>
LoopPart<kRank, kCount> wholeLoops(const KernelContext& context) {
  LoopPart<kRank, kCount> part{};
  for (int axis = 0; axis < kRank; ++axis) part.extents[axis] = context.sizes[axis];
  return part;
}

template <class Config, int kRank, int... kSizes>
void launchPointwise(const KernelContext& context, int32_t kernel) {
  const auto whole = wholeLoops<kRank, static_cast<int>(sizeof...(kSizes))>(context);
  forEachPart<kRank, kSizes...>(context, whole, [&](auto& arguments) {
    const int64_t blocks = pointwiseBlocks<Config>(arguments.rows, arguments.extents[kRank - 1]);
    launchKernel(context, kernel, blocks, Config::kThreads, 0, 1, arguments);
  });
}

template <class Config, int kRank, int... kSizes>
void launchPointwiseTiles(const KernelContext& context, int32_t kernel) {
  const auto whole = wholeLoops<kRank, static_cast<int>(sizeof...(kSizes))>(context);
  forEachPart<kRank, kSizes...>(context, whole, [&](auto& arguments) {
    const int64_t rows = arguments.extents[kRank - 2];
    const int64_t blocks =
        pointwiseTiles<Config>(arguments.rows / rows, rows, arguments.extents[kRank - 1]);
    launchKernel(context, kernel, blocks, Config::kThreads, Config::kSharedBytes, 1, arguments);
  });
}

}  // namespace ait
