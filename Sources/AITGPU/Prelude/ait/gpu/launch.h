// What a step's host code does: makes a kernel's arguments of the step's sizes and buffers, and
// puts the launch into the device's queue. For the host; the configurations are those of the
// kernels.
#pragma once

#include "ait/gpu/matmul_few_rows_config.h"
#include "ait/gpu/matmul_hopper_config.h"
#include "ait/gpu/matmul_multistage_config.h"
#include "ait/gpu/rows_config.h"
#include "ait/kernel.h"
#include "ait/model_description.h"

namespace ait {

/// Puts a launch of one-dimensional blocks into the queue; none if there are no blocks.
template <class Arguments>
void launchKernel(const KernelContext& context, int32_t kernel, int64_t blocks, int threads,
                  int sharedSizeInBytes, int clusterSize, Arguments& arguments) {
  if (blocks <= 0) return;
  void* parameters[] = {&arguments};
  DeviceLaunch launch = {};
  launch.kernel = kernel;
  // More than a grid may have is refused by the driver, with the step's name; it must not wrap.
  launch.grid[0] = blocks > INT32_MAX ? UINT32_MAX : static_cast<uint32_t>(blocks);
  launch.grid[1] = launch.grid[2] = 1;
  launch.blockSize = static_cast<uint32_t>(threads);
  launch.sharedSizeInBytes = static_cast<uint32_t>(sharedSizeInBytes);
  launch.clusterSize = static_cast<uint32_t>(clusterSize);
  // All kernels of the prelude wait for their prerequisites themselves.
  launch.overlapsPrevious = true;
  launch.arguments = parameters;
  context.queue->launch(launch);
}

// MARK: - Loops over rows

/// The arguments of kernels on rows, from sizes that are extents, then each operand's strides.
template <int kRank, int kCount>
RowArguments<kRank, kCount> rowArguments(const KernelContext& context) {
  RowArguments<kRank, kCount> arguments{};
  const int64_t* sizes = context.sizes;
  int64_t rows = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.extents[axis] = static_cast<int32_t>(sizes[axis]);
    if (axis + 1 < kRank) rows *= sizes[axis];
  }
  arguments.rows = static_cast<int32_t>(rows);
  for (int operand = 0; operand < kCount; ++operand) {
    arguments.operands[operand].base = context.buffers[operand];
    for (int axis = 0; axis < kRank; ++axis) {
      arguments.operands[operand].strides[axis] = sizes[kRank * (1 + operand) + axis];
    }
  }
  return arguments;
}

template <class Config, int kRank, int kCount>
void launchRows(const KernelContext& context, int32_t kernel, int sharedSizeInBytes) {
  auto arguments = rowArguments<kRank, kCount>(context);
  arguments.rows = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    if (axis + Config::kColumnAxes < kRank) {
      arguments.rows *= arguments.extents[axis];
    } else if (arguments.extents[axis] == 0) {
      return;
    }
  }
  launchKernel(context, kernel, ceilDivide(arguments.rows, Config::kRowsPerBlock),
               RowShape<Config>::kThreads, sharedSizeInBytes, 1, arguments);
}

template <class Config, int kRank, int kCount>
void launchRowsAcross(const KernelContext& context, int32_t kernel, int sharedSizeInBytes) {
  auto arguments = rowArguments<kRank, kCount>(context);
  const int64_t columns = arguments.extents[kRank - 2];
  if (columns == 0) return;
  const int64_t blocks =
      rowsAcrossBlocks<Config>(arguments.rows / columns, arguments.extents[kRank - 1]);
  launchKernel(context, kernel, blocks, RowsAcrossShape<Config>::kThreads, sharedSizeInBytes, 1,
               arguments);
}

// MARK: - Products

/// The sizes of a product: batch extents, M, N, K; the strides of A along batch…, m, k and of B
/// along batch…, k, n; those of the extras and outputs along batch…, m, n.
template <int kBatchRank>
struct ProductSizes {
  static constexpr int kStrides = kBatchRank + 2;
  const int64_t* sizes;

  int64_t batch(int axis) const { return sizes[axis]; }
  int64_t M() const { return sizes[kBatchRank]; }
  int64_t N() const { return sizes[kBatchRank + 1]; }
  int64_t K() const { return sizes[kBatchRank + 2]; }
  const int64_t* a() const { return sizes + kBatchRank + 3; }
  const int64_t* b() const { return a() + kStrides; }
  const int64_t* operand(int index) const { return b() + kStrides * (1 + index); }

  int64_t batchCount() const {
    int64_t count = 1;
    for (int axis = 0; axis < kBatchRank; ++axis) count *= batch(axis);
    return count;
  }
  bool isEmpty() const { return M() == 0 || N() == 0 || batchCount() == 0; }
};

/// - first: the buffer of the first extra or output: after A and B, or the two matrices of a pair.
template <int kBatchRank, int kCount>
void fillProblem(const KernelContext& context, MatmulProblem<kBatchRank, kCount>& problem,
                 int first = 2) {
  const ProductSizes<kBatchRank> sizes{context.sizes};
  problem.M = static_cast<int32_t>(sizes.M());
  problem.N = static_cast<int32_t>(sizes.N());
  problem.K = static_cast<int32_t>(sizes.K());
  for (int axis = 0; axis < kBatchRank; ++axis) {
    problem.batchExtents[axis] = static_cast<int32_t>(sizes.batch(axis));
  }
  for (int operand = 0; operand < kCount; ++operand) {
    problem.operands[operand].base = context.buffers[first + operand];
    for (int axis = 0; axis < kBatchRank + 2; ++axis) {
      problem.operands[operand].strides[axis] = sizes.operand(operand)[axis];
    }
  }
}

/// A or B with its batch strides and the stride of the axis that it is not contiguous along.
template <int kBatchRank>
OperandPlace<kBatchRank + 1> matrixPlace(void* base, const int64_t* strides, int64_t stride) {
  OperandPlace<kBatchRank + 1> place{};
  place.base = base;
  for (int axis = 0; axis < kBatchRank; ++axis) place.strides[axis] = strides[axis];
  place.strides[kBatchRank] = stride;
  return place;
}

template <class Config, class In, class Out>
void launchFewRows(const KernelContext& context, int32_t kernel) {
  using Shape = MatmulFewRowsShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  MatmulFewRowsArguments<Config, In, Out> arguments{};
  arguments.a = matrixPlace<kRank>(context.buffers[0], sizes.a(), sizes.a()[kRank]);
  arguments.b = matrixPlace<kRank>(context.buffers[1], sizes.b(), sizes.b()[kRank + 1]);
  if constexpr (Config::kIsPaired) {
    arguments.second = arguments.b;
    arguments.second.base = context.buffers[2];
  }
  fillProblem(context, arguments.problem, Config::kIsPaired ? 3 : 2);
  launchKernel(context, kernel, matmulFewRowsBlocks<Config>(sizes.N(), sizes.batchCount()),
               Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

template <class Config, class In, class Out>
void launchMultistage(const KernelContext& context, int32_t kernel) {
  using Shape = MatmulMultistageShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  const bool isAAlongK = Config::kMajorA == Major::k;
  const bool isBAlongK = Config::kMajorB == Major::k;
  MatmulMultistageArguments<Config, In, Out> arguments{};
  arguments.a =
      matrixPlace<kRank>(context.buffers[0], sizes.a(), sizes.a()[isAAlongK ? kRank : kRank + 1]);
  arguments.b =
      matrixPlace<kRank>(context.buffers[1], sizes.b(), sizes.b()[isBAlongK ? kRank + 1 : kRank]);
  if constexpr (Config::kIsPaired) {
    arguments.second = arguments.b;
    arguments.second.base = context.buffers[2];
  }
  fillProblem(context, arguments.problem, Config::kIsPaired ? 3 : 2);
  arguments.tiles = matmulMultistageTiles<Config>(sizes.M(), sizes.N());
  launchKernel(context, kernel,
               matmulMultistageBlocks<Config>(sizes.M(), sizes.N(), sizes.batchCount()),
               Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

/// The copy engine's view of a matrix: `columns` contiguous elements, `rows` of them `stride`
/// apart, then the batch axes, last first. Those that the matrix does not move along have the
/// extent 1; returns the others as bits.
template <class Element, int kBatchRank>
uint32_t encodeMatrix(const KernelContext& context, TensorMap& map, void* address, int64_t columns,
                      int64_t rows, int64_t stride, const int64_t* batchStrides, int boxColumns,
                      int boxRows) {
  const ProductSizes<kBatchRank> sizes{context.sizes};
  constexpr int64_t kSize = sizeof(Element);
  // An axis of extent 1 has a stride all the same, and it must be a multiple of 16 bytes.
  const auto bytes = [](int64_t elements) {
    return static_cast<uint64_t>(elements > 0 ? elements * kSize : 16);
  };
  TensorMapRequest request = {};
  request.address = address;
  request.extents[0] = static_cast<uint64_t>(columns);
  request.extents[1] = static_cast<uint64_t>(rows);
  request.strides[0] = bytes(rows > 1 ? stride : 0);
  request.box[0] = static_cast<uint32_t>(boxColumns);
  request.box[1] = static_cast<uint32_t>(boxRows);
  uint32_t moving = 0;
  for (int index = 0; index < kBatchRank; ++index) {
    const int axis = kBatchRank - 1 - index;
    const bool moves = batchStrides[axis] != 0;
    if (moves) moving |= 1u << axis;
    request.extents[2 + index] = moves ? static_cast<uint64_t>(sizes.batch(axis)) : 1;
    request.strides[1 + index] = bytes(batchStrides[axis]);
    request.box[2 + index] = 1;
  }
  for (uint32_t& step : request.steps) step = 1;
  request.rank = 2 + kBatchRank;
  // The numbers are those of the driver's interface: no interleaving, the 128-byte swizzle, 256
  // bytes promoted to the L2, zeros outside.
  request.elementType = __is_same(Element, bfloat16) ? 9 : 6;
  request.interleaving = 0;
  request.swizzle = 3;
  request.promotion = 3;
  request.filling = 0;
  context.queue->encodeTensorMap(&map, request);
  return moving;
}

template <class Config, class In, class Out>
void launchHopper(const KernelContext& context, int32_t kernel) {
  using Shape = MatmulHopperShape<Config>;
  using Element = typename Config::Element;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  MatmulHopperArguments<Config, In, Out> arguments{};
  fillProblem(context, arguments.problem, Config::kIsPaired ? 3 : 2);
  arguments.tiles = matmulHopperTiles<Config>(sizes.M(), sizes.N());
  // The matrix units' A is ours, or if they compute the transpose of C, our B.
  const auto encode = [&](TensorMap& map, bool isA, void* address, Major major, int boxRows) {
    const int64_t* strides = isA ? sizes.a() : sizes.b();
    const int64_t extent = isA ? sizes.M() : sizes.N();
    const int64_t strideK = strides[isA ? kRank + 1 : kRank];
    const int64_t stride = strides[isA ? kRank : kRank + 1];
    return major == Major::k
               ? encodeMatrix<Element, kRank>(context, map, address, sizes.K(), extent, stride,
                                              strides, Shape::kStepK, boxRows)
               : encodeMatrix<Element, kRank>(context, map, address, extent, sizes.K(), strideK,
                                              strides, 64, boxRows);
  };
  constexpr bool kIsTransposed = Config::kIsTransposed;
  arguments.aBatchAxes = encode(arguments.a, !kIsTransposed, context.buffers[kIsTransposed ? 1 : 0],
                                Config::kMajorA, Shape::kABoxRows);
  arguments.bBatchAxes = encode(arguments.b, kIsTransposed, context.buffers[kIsTransposed ? 0 : 1],
                                Config::kMajorB, Shape::kBBoxRows);
  if constexpr (Config::kIsPaired) {
    encode(arguments.second, false, context.buffers[2], Config::kMajorB, Shape::kBBoxRows);
  }
  arguments.stagesAhead = Config::kIsConstantB ? Shape::kStages : 0;
  arguments.isProgrammatic = 1;
  const int64_t atOnce = Config::kIsPersistent ? context.queue->activeClusterCount(kernel) : 0;
  launchKernel(context, kernel,
               matmulHopperBlocks<Config>(sizes.M(), sizes.N(), sizes.batchCount(), atOnce),
               Shape::kThreads, Shape::kSharedBytes, Shape::kClusterSize, arguments);
}

}  // namespace ait
