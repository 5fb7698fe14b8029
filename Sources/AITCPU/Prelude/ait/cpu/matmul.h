// C[b…] = epilogue(A[b…] B[b…], extras…): matrix products with a fused epilogue.
//
//   using Config = ait::MatmulConfig<float, float, ait::Packing::packed, 1>;
//   ait::matmul<Config, Epilogue, ait::Inputs<Bias>, ait::Outputs<Result>>(context);
//
// buffers: A, B, extras…, outputs….
// sizes:   batch extents[batchRank], M, N, K,
//          A strides[batchRank + 2]: batch…, m, k,
//          B strides[batchRank + 2]: batch…, k, n (if packed, those of k and n are not read),
//          for every extra, then every output: strides[batchRank + 2]: batch…, m, n.
// All in elements. Any stride may have any value: 0 broadcasts, exchanged ones transpose. Outputs
// overlap neither each other nor the inputs. No extent need be positive; with K = 0 the epilogue
// gets zeros. No workspace is needed; threads use their scratch memory.
//
// `Epilogue::apply<W>(Vec<Accumulator, W> sum, extras…)` returns `ait::results(…)`, one vector per
// output in that output's compute type. The sum is float for float, float16 and bfloat16, double
// if A or B is double, int64_t if A or B is, int32_t for narrower integers.
//
// An element of C is the same number whatever M, N, the batch, the layout of A and B, the storage
// type's detour and the thread count: products are added one by one in ascending k within blocks
// of K, and the blocks' sums in ascending order; only K decides where blocks end.
#pragma once

#include "ait/cpu/matmul_blocks.h"
#include "ait/cpu/matmul_few_rows.h"

namespace ait {

/// Computes a matrix product for every matrix of a batch.
template <class Config, class Epilogue, class In, class Out>
void matmul(const KernelContext& context) {
  const gemm::Sizes<Config::kBatchRank> sizes(context.sizes);
  if (sizes.batch() <= 0 || sizes.M <= 0 || sizes.N <= 0) return;
  if (gemm::FewRowsMatmul<Config, Epilogue, In, Out>::covers(sizes)) {
    gemm::FewRowsMatmul<Config, Epilogue, In, Out>(context, sizes).run();
  } else {
    gemm::multiplyInBlocks<Config, Epilogue, In, Out>(context, sizes);
  }
}

}  // namespace ait
