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
//
// Strides count elements and may have any value: 0 broadcasts, exchanged ones transpose. An output
// overlaps no input, but may be an extra with the same strides. No extent need be positive; with
// K = 0 the epilogue gets zeros. No workspace is needed: threads use their scratch memory.
//
// `Epilogue::apply<W>(Vec<Accumulator, W> sum, extras…)` returns `ait::results(…)`, one vector per
// output in that output's compute type; it converts where the accumulator is another type, as for
// narrow integers. Whole tiles are finished in registers.
//
// An element of C is the same number whatever M, N, the batch, the layout of A and B, the cut and
// the thread count: products are added one by one in ascending k within blocks of K, and the
// blocks' sums in ascending order; K and the accumulator alone decide where blocks end.
// Not so where a configuration lets seven products stand for eight (`matmul_strassen.h`): then M
// and N count too.
//
// Fastest: a batch whose A and C are contiguous and whose B is broadcast is one matrix of batch x M
// rows and had better be passed as such; B packed; A with k contiguous. On targets that let clang
// prefer 32-byte vectors (x86-64-v4, Intel's), `-mprefer-vector-width=512` is needed: without it
// the tile does not fit the registers, and runs at 40 % of the speed.
#pragma once

#include "ait/cpu/matmul_blocks.h"
#include "ait/cpu/matmul_few_rows.h"
#include "ait/cpu/matmul_strassen.h"

namespace ait {

/// Computes a matrix product for every matrix of a batch.
template <class Config, class Epilogue, class In, class Out>
void matmul(const KernelContext& context) {
  const gemm::Sizes<Config::kBatchRank> sizes(context.sizes);
  if (sizes.batch() <= 0 || sizes.M <= 0 || sizes.N <= 0) return;
  if (gemm::FewRowsMatmul<Config, Epilogue, In, Out>::covers(sizes)) {
    gemm::FewRowsMatmul<Config, Epilogue, In, Out>(context, sizes).run();
    return;
  }
  if constexpr (Config::kMayUseSeven) {
    if (gemm::StrassenTask<Config, Epilogue, In, Out>::covers(sizes)) {
      gemm::multiplyBySeven<Config, Epilogue, In, Out>(context, sizes);
      return;
    }
  }
  gemm::multiplyInBlocks<Config, Epilogue, In, Out>(context, sizes);
}

}  // namespace ait
