// Products of more batch axes than a kernel knows. For the host.
#pragma once

#include "ait/gpu/launch.h"

namespace ait {

/// Calls `launch` with the context of each product of the last batch axes, for every index of the
/// first `kOuter` of them: a launch each.
///
/// `sizes` are those of a product of kOuter + kBatchRank batch axes (`ProductSizes`), and those of
/// the contexts that `launch` gets are of kBatchRank. In and Out are the extras and results.
template <int kOuter, int kBatchRank, class Element, class In, class Out>
struct OuterAxes;

template <int kOuter, int kBatchRank, class Element, class... I, class... O>
struct OuterAxes<kOuter, kBatchRank, Element, Inputs<I...>, Outputs<O...>> {
  static constexpr int kCount = 2 + sizeof...(I) + sizeof...(O);
  static constexpr int kRank = kOuter + kBatchRank;

  template <class Launch>
  static void forEach(const KernelContext& context, Launch&& launch) {
    constexpr int64_t kElementSizes[kCount] = {sizeof(Element), sizeof(Element),
                                               sizeof(typename I::Element)...,
                                               sizeof(typename O::Element)...};
    const int64_t* from = context.sizes;
    int64_t sizes[kBatchRank + 3 + kCount * (kBatchRank + 2)];
    for (int i = 0; i < kBatchRank + 3; ++i) sizes[i] = from[kOuter + i];
    const auto strides = [&](int operand) { return from + kRank + 3 + operand * (kRank + 2); };
    for (int operand = 0; operand < kCount; ++operand) {
      for (int axis = 0; axis < kBatchRank + 2; ++axis) {
        sizes[kBatchRank + 3 + operand * (kBatchRank + 2) + axis] = strides(operand)[kOuter + axis];
      }
    }
    int64_t count = 1;
    for (int axis = 0; axis < kOuter; ++axis) count *= from[axis];
    for (int64_t index = 0; index < count; ++index) {
      void* buffers[kCount];
      for (int operand = 0; operand < kCount; ++operand) {
        int64_t rest = index;
        int64_t offset = 0;
        for (int axis = kOuter - 1; axis >= 0; --axis) {
          offset += rest % from[axis] * strides(operand)[axis];
          rest /= from[axis];
        }
        buffers[operand] =
            static_cast<char*>(context.buffers[operand]) + offset * kElementSizes[operand];
      }
      launch(KernelContext{buffers, sizes, context.workspace, context.pool, context.queue});
    }
  }
};

}  // namespace ait
