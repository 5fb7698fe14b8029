// The host code of products by the threads' own arithmetic units.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/matmul_simt_config.h"
#include "ait/gpu/matmul_simt_few_rows_config.h"

namespace ait {

/// A or B with its batch strides and the strides along M or N and along K.
template <int kBatchRank>
OperandPlace<kBatchRank + 2> stridedPlace(void* base, const int64_t* strides, int64_t stride,
                                          int64_t innerStride) {
  OperandPlace<kBatchRank + 2> place{};
  place.base = base;
  for (int axis = 0; axis < kBatchRank; ++axis) place.strides[axis] = strides[axis];
  place.strides[kBatchRank] = stride;
  place.strides[kBatchRank + 1] = innerStride;
  return place;
}

template <class Config, class In, class Out>
void launchSimt(const KernelContext& context, int32_t kernel) {
  using Shape = MatmulSimtShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  MatmulSimtArguments<Config, In, Out> arguments{};
  const int64_t* a = sizes.a();
  const int64_t* b = sizes.b();
  arguments.a = stridedPlace<kRank>(context.buffers[0], a, a[kRank], a[kRank + 1]);
  arguments.b = stridedPlace<kRank>(context.buffers[1], b, b[kRank + 1], b[kRank]);
  fillProblem(context, arguments.problem);
  arguments.tiles = matmulSimtTiles<Config>(sizes.M(), sizes.N());
  launchKernel(context, kernel, matmulSimtBlocks<Config>(sizes.M(), sizes.N(), sizes.batchCount()),
               Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

template <class Config, class In, class Out>
void launchSimtFewRows(const KernelContext& context, int32_t kernel) {
  using Shape = MatmulSimtFewRowsShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  MatmulSimtFewRowsArguments<Config, In, Out> arguments{};
  const int64_t* a = sizes.a();
  const int64_t* b = sizes.b();
  arguments.a = stridedPlace<kRank>(context.buffers[0], a, a[kRank], a[kRank + 1]);
  arguments.b =
      matrixPlace<kRank>(context.buffers[1], b, Shape::kIsAlongK ? b[kRank + 1] : b[kRank]);
  fillProblem(context, arguments.problem);
  launchKernel(context, kernel, matmulSimtFewRowsBlocks<Config>(sizes.N(), sizes.batchCount()),
               Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

}  // namespace ait
