// The host code of attention. A step's sizes are batch extents, heads of a group, queries, keys,
// the widths of keys and of values; then the strides of Q, K, V, the mask if there is one, and the
// result: batch…, head within a group, row, column.
#pragma once

#include "ait/gpu/attention_few_queries_config.h"
#include "ait/gpu/attention_hopper_config.h"
#include "ait/gpu/launch.h"

namespace ait {

/// The sizes of a step by name.
template <class Config>
struct AttentionSizes {
  static constexpr int kRank = Config::kBatchRank;
  static constexpr bool kHasMask = !__is_same(typename Config::Mask, void);
  const int64_t* sizes;

  int64_t matrices() const {
    int64_t count = 1;
    for (int axis = 0; axis < kRank; ++axis) count *= sizes[axis];
    return count;
  }
  int64_t queries() const { return sizes[kRank + 1]; }
  /// Queries of all heads of a group.
  int64_t rows() const { return sizes[kRank] * queries(); }
  int64_t keys() const { return sizes[kRank + 2]; }
  int64_t depth() const { return sizes[kRank + 3]; }
  int64_t width() const { return sizes[kRank + 4]; }
  /// Whether a contiguous mask, which lies at `base`, can be read in pairs.
  bool isMaskPaired(const void* base) const {
    if constexpr (kHasMask) {
      constexpr uintptr_t kPair = 2 * sizeof(typename Config::Mask);
      if (reinterpret_cast<uintptr_t>(base) % kPair != 0) return false;
      for (int axis = 0; axis < kRank + 2; ++axis) {
        if (strides(3)[axis] % 2 != 0) return false;
      }
    }
    return kHasMask && Config::kIsMaskContiguous;
  }
  bool isEmpty() const { return matrices() == 0 || rows() == 0 || width() == 0; }
  /// The strides of an operand: Q, K, V, the mask, the result.
  const int64_t* strides(int operand) const { return sizes + kRank + 5 + operand * (kRank + 3); }

  /// Whether the copy engine can fetch the keys or the values: operand 1 or 2, which lies at
  /// `base`.
  bool canBeCopied(int operand, const void* base) const {
    const int64_t* own = strides(operand);
    if (reinterpret_cast<uintptr_t>(base) % 16 != 0) return false;
    if (own[kRank + 2] != 1 && (operand == 1 ? depth() : width()) > 1) return false;
    for (int axis = 0; axis < kRank; ++axis) {
      if (own[axis] % 8 != 0 || own[axis] < 0) return false;
    }
    return keys() <= 1 || (own[kRank + 1] % 8 == 0 && own[kRank + 1] > 0);
  }
};

// MARK: The choice of a kernel

/// Whether a run has few queries, whose keys are divided: at most `rows` of heads that share keys,
/// or `rowsOfFewMatrices` where there are fewer than two matrices for a multiprocessor, and keys
/// enough.
template <class Config>
bool attentionHasFewQueries(const KernelContext& context, int64_t rows, int64_t rowsOfFewMatrices,
                            int64_t dividedKeys) {
  const AttentionSizes<Config> sizes{context.sizes};
  if (sizes.rows() <= rows) return true;
  return sizes.rows() <= rowsOfFewMatrices && sizes.keys() >= dividedKeys &&
         2 * sizes.matrices() <= context.queue->multiprocessorCount();
}

/// Whether a run is one for warp groups, with at least so many rows and keys, on a device that has
/// them.
template <class Config>
bool attentionSuitsWarpgroups(const KernelContext& context, int64_t rows, int64_t keys) {
  const AttentionSizes<Config> sizes{context.sizes};
  return sizes.rows() >= rows && sizes.keys() >= keys && sizes.canBeCopied(1, context.buffers[1]) &&
         sizes.canBeCopied(2, context.buffers[2]);
}

// MARK: Launches

/// Fills the arguments for tiles of `tileRows` queries; returns the number of tiles.
template <class Config>
int64_t fillAttention(const KernelContext& context, AttentionArguments<Config>& arguments,
                      int tileRows) {
  constexpr int kRank = Config::kBatchRank;
  const AttentionSizes<Config> sizes{context.sizes};
  for (int axis = 0; axis < kRank; ++axis) {
    arguments.batchExtents[axis] = static_cast<int32_t>(context.sizes[axis]);
  }
  arguments.rows = static_cast<int32_t>(sizes.rows());
  arguments.queries = static_cast<int32_t>(sizes.queries());
  arguments.keys = static_cast<int32_t>(sizes.keys());
  arguments.depth = static_cast<int32_t>(sizes.depth());
  arguments.width = static_cast<int32_t>(sizes.width());
  const int64_t tiles = ceilDivide(sizes.rows(), tileRows);
  arguments.tileCount = static_cast<int32_t>(tiles);
  arguments.tiles = Divisor::of(tiles);
  arguments.perHead = Divisor::of(sizes.queries());
  int operand = 0;
  const auto place = [&](AttentionPlace<kRank>& place) {
    place.base = context.buffers[operand];
    for (int axis = 0; axis < kRank + 3; ++axis) place.strides[axis] = sizes.strides(operand)[axis];
    ++operand;
  };
  place(arguments.q);
  place(arguments.k);
  place(arguments.v);
  if (AttentionSizes<Config>::kHasMask) place(arguments.mask);
  arguments.isMaskPaired = sizes.isMaskPaired(context.buffers[3]);
  place(arguments.out);
  return tiles * sizes.matrices();
}

/// By warps.
template <class Config>
void launchAttention(const KernelContext& context, int32_t kernel) {
  using Shape = AttentionShape<Config>;
  if (AttentionSizes<Config>{context.sizes}.isEmpty()) return;
  AttentionArguments<Config> arguments{};
  const int64_t tiles = fillAttention(context, arguments, Shape::kTileM);
  launchKernel(context, kernel, tiles, Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

/// By warp groups: for runs that `attentionSuitsWarpgroups`.
template <class Config>
void launchAttentionHopper(const KernelContext& context, int32_t kernel) {
  using Shape = AttentionHopperShape<Config>;
  using Element = typename Config::Element;
  constexpr int kRank = Config::kBatchRank;
  const AttentionSizes<Config> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  AttentionHopperArguments<Config> arguments{};
  const int64_t tiles = fillAttention(context, arguments.problem, Shape::kTileM);
  const auto encode = [&](TensorMap& map, int operand, int64_t columns) {
    const int64_t* strides = sizes.strides(operand);
    return encodeMatrix<Element, kRank>(context, map, context.buffers[operand], columns,
                                        sizes.keys(), strides[kRank + 1], strides, 64,
                                        Shape::kTileN);
  };
  arguments.keyBatchAxes = encode(arguments.keys, 1, sizes.depth());
  arguments.valueBatchAxes = encode(arguments.values, 2, sizes.width());
  launchKernel(context, kernel, tiles, Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

/// Of few queries, with the keys in parts where that fills the device. Kernels: that of a part, and
/// where there is room for parts, what brings them together.
template <class Config>
void launchAttentionFewQueries(const KernelContext& context, const int32_t* kernels) {
  using Shape = AttentionFewQueriesShape<Config>;
  const AttentionSizes<Config> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  AttentionFewQueriesArguments<Config> arguments{};
  const int64_t tiles = fillAttention(context, arguments.problem, Shape::kTileM);
  arguments.states = static_cast<float*>(context.workspace);
  arguments.parts =
      attentionParts<Config>(tiles, sizes.keys(), context.queue->multiprocessorCount());
  arguments.partDivisor = Divisor::of(arguments.parts);
  arguments.partTiles =
      static_cast<int32_t>(ceilDivide(ceilDivide(sizes.keys(), Shape::kTileN), arguments.parts));
  launchKernel(context, kernels[0], tiles * arguments.parts, Shape::kThreads, Shape::kSharedBytes,
               1, arguments);
  if (arguments.parts == 1) return;
  launchKernel(context, kernels[1], tiles * Shape::kTileM, Shape::kThreads,
               Shape::kFinishSharedBytes, 1, arguments);
}

}  // namespace ait
