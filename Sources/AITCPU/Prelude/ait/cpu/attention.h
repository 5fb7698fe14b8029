// Attention: softmax(scale · Q · Kᵀ + mask) · V by an online softmax.
//
// Scores never lie in memory as a whole. Vectors lie along queries: a panel of queries (32 with
// AVX-512) is the B of two products whose rows are keys, then elements of the result:
//
//   scores [keys, panel] = K [keys, D] · Qᵀ [D, panel]
//   sums   [E, panel]    = sums · correction + Vᵀ [E, keys] · weights [keys, panel]
//
// so maxima, exponentials and sums of a softmax are work on whole vectors, the weights are where
// the second product reads them, and K and V need no transposition. A task takes some panels of one
// head's queries, and reads K and V once, block by block; blocks that a causal mask rules out are
// skipped. Heads of queries that share keys count as more queries of one head. Few queries, as in
// decoding, are multiplied along D and E instead (`attention_few_rows.h`): then K and V are read as
// they lie.
//
// Bound: FMA throughput and, per score, one exponential; for few queries the bandwidth of K and V.
// Idea: Milakov and Gimelshein (2018), Dao et al. (2022).
#pragma once

#include "ait/cpu/attention_blocks.h"
#include "ait/cpu/attention_few_rows.h"

namespace ait {

/// Computes attention.
///
/// - buffers: Q, K, V, the mask if `Config::Mask` is not void, the result.
/// - sizes: `Config::kOuterRank` outer extents (batch and heads of keys), R (heads of queries that
///   share one of keys), T, S, D, E; then for Q, K, V, the mask if there is one and the result the
///   outer strides and those of R, row and column.
template <class Config>
void attention(const KernelContext& context) {
  const attend::Problem<Config> problem(context);
  if (problem.rows() <= attend::kFewRows && problem.k.column == 1 && problem.v.column == 1) {
    attend::FewRows<Config>::run(context, problem);
  } else {
    attend::Blocks<Config>::run(context, problem);
  }
}

}  // namespace ait
