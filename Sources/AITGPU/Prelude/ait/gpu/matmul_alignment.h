// Whether the sizes and addresses of a run let a product use accesses of 16 bytes, where symbols
// leave that open when the library is compiled. For the host.
#pragma once

#include "ait/gpu/launch.h"

namespace ait {

template <int kBatchRank, class In, class Out>
struct ProductAlignment;

template <int kBatchRank, class... I, class... O>
struct ProductAlignment<kBatchRank, Inputs<I...>, Outputs<O...>> {
  static constexpr int kCount = static_cast<int>(sizeof...(I) + sizeof...(O));

  /// Whether N, K, and all strides but those of 1 are multiples of 8, and the addresses of 16
  /// bytes, of A, B, and the operands of the epilogue that are contiguous along their columns.
  static bool holds(const KernelContext& context, Major a, Major b) {
    constexpr bool kIsContiguous[kCount] = {(I::kAccess == Access::contiguous)...,
                                            (O::kAccess == Access::contiguous)...};
    const ProductSizes<kBatchRank> sizes{context.sizes};
    if (sizes.N() % 8 != 0 || sizes.K() % 8 != 0) return false;
    const auto isAligned = [&](int buffer, const int64_t* strides, int contiguous) {
      for (int axis = 0; axis < kBatchRank + 2; ++axis) {
        if (axis != contiguous && strides[axis] % 8 != 0) return false;
      }
      return reinterpret_cast<uintptr_t>(context.buffers[buffer]) % 16 == 0;
    };
    // The last two strides of A are those of m and k, of B those of k and n.
    if (!isAligned(0, sizes.a(), kBatchRank + (a == Major::k ? 1 : 0))) return false;
    if (!isAligned(1, sizes.b(), kBatchRank + (b == Major::k ? 0 : 1))) return false;
    for (int operand = 0; operand < kCount; ++operand) {
      if (kIsContiguous[operand] &&
          !isAligned(2 + operand, sizes.operand(operand), kBatchRank + 1)) {
        return false;
      }
    }
    return true;
  }
};

}  // namespace ait
