// The host code of attention. A step's sizes are batch extents, heads of a group, queries, keys,
// the widths of keys and of values; then the strides of Q, K, V, the mask if there is one, and the
// result: batch…, head within a group, row, column.
#pragma once

#include "ait/gpu/attention_config.h"
#include "ait/gpu/launch.h"

namespace ait {

template <class Config>
void launchAttention(const KernelContext& context, int32_t kernel) {
  using Shape = AttentionShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  constexpr bool kHasMask = !__is_same(typename Config::Mask, void);
  const int64_t* sizes = context.sizes;
  AttentionArguments<Config> arguments{};
  int64_t matrices = 1;
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.batchExtents[axis] = static_cast<int32_t>(sizes[axis]);
    matrices *= sizes[axis];
  }
  sizes += kRank;
  const int64_t rows = sizes[0] * sizes[1];
  if (matrices == 0 || rows == 0 || sizes[4] == 0) return;
  arguments.rows = static_cast<int32_t>(rows);
  arguments.queries = static_cast<int32_t>(sizes[1]);
  arguments.keys = static_cast<int32_t>(sizes[2]);
  arguments.depth = static_cast<int32_t>(sizes[3]);
  arguments.width = static_cast<int32_t>(sizes[4]);
  const int64_t tiles = ceilDivide(rows, Shape::kTileM);
  arguments.tileCount = static_cast<int32_t>(tiles);
  arguments.tiles = Divisor::of(tiles);
  arguments.perHead = Divisor::of(sizes[1]);
  sizes += 5;
  int buffer = 0;
  const auto place = [&](AttentionPlace<kRank>& operand) {
    operand.base = context.buffers[buffer++];
    for (int64_t& stride : operand.strides) stride = *sizes++;
  };
  place(arguments.q);
  place(arguments.k);
  place(arguments.v);
  if (kHasMask) place(arguments.mask);
  place(arguments.out);
  launchKernel(context, kernel, matrices * tiles, Shape::kThreads, Shape::kSharedBytes, 1,
               arguments);
}

}  // namespace ait
