// Updates combined into a copy of a tensor, at places that a tensor of indices chooses along an
// axis.
//
//   result[…, index[i…], …] ∘= update[i…]
//
// torch.scatter and scatter_reduce. A thread has an element of the result and looks through the
// index for it, in order: so the result does not depend on how threads run, and few updates of many
// elements, such as a step of a cache, cost one pass. An index outside its extent is noted in the
// record. Expected bound: memory bandwidth for few updates, comparisons for many.
#pragma once

#include "ait/gpu/gather.h"
#include "ait/gpu/reducers.h"

namespace ait {

enum class ScatterKind { replace, add, multiply, maximum, minimum };

/// What an update meets first where the tensor's own element does not count.
template <ScatterKind kKind, class T>
AIT_DEVICE T scatterIdentity() {
  if constexpr (kKind == ScatterKind::multiply) {
    return static_cast<T>(1);
  } else if constexpr (kKind == ScatterKind::maximum) {
    return lowestOf<T>();
  } else if constexpr (kKind == ScatterKind::minimum) {
    return greatestOf<T>();
  } else {
    return static_cast<T>(0);
  }
}

template <ScatterKind kKind, class T>
AIT_DEVICE T scatterCombine(T before, T update) {
  if constexpr (kKind == ScatterKind::replace) {
    return update;
  } else if constexpr (__is_same(T, bool)) {
    return kKind == ScatterKind::add || kKind == ScatterKind::maximum ? before || update
                                                                      : before && update;
  } else if constexpr (kKind == ScatterKind::maximum) {
    return largerOrNaN(before, update);
  } else if constexpr (kKind == ScatterKind::minimum) {
    return smallerOrNaN(before, update);
  } else if constexpr (kIsFloating<T>) {
    return kKind == ScatterKind::add ? before + update : before * update;
  } else {
    const auto a = static_cast<uint64_t>(before);
    const auto b = static_cast<uint64_t>(update);
    return static_cast<T>(kKind == ScatterKind::add ? a + b : a * b);
  }
}

template <class T>
AIT_DEVICE T loadAt(const void* base, int64_t offset) {
  const auto word = loadGlobal<static_cast<int>(sizeof(T))>(static_cast<const T*>(base) + offset);
  T element;
  __builtin_memcpy(&element, &word, sizeof(T));
  return element;
}

template <class Config, ScatterKind kKind, bool kIncludesSelf, class Element, class Index,
          int kAxis, int kRank>
AIT_DEVICE void scatter(const ScatterArguments<kRank>& arguments) {
  using Loop = MovementLoop<Config, kRank>;
  using T = ComputeType<Element>;
  static_assert(Config::kPacket == 1, "every element looks through the index by itself");
  launchDependents();
  waitForPrerequisites();
  AIT_NO_UNROLL
  for (int packet = 0; packet < Config::kPackets; ++packet) {
    const auto place = Loop::locate(arguments, packet);
    if (place.count <= 0) return;
    // All axes for the tensor and the result, all but the one for the index and the updates.
    int64_t offsets[4] = {0, 0, 0, 0};
    bool isUpdated = true;
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) {
      AIT_UNROLL
      for (int operand = 0; operand < 4; ++operand) {
        if (axis == kAxis && (operand == 1 || operand == 2)) continue;
        offsets[operand] += place.positions[axis] * arguments.operands[operand].strides[axis];
      }
      if (axis != kAxis) {
        isUpdated = isUpdated && place.positions[axis] < arguments.updated[axis];
      }
    }
    Element element = loadAt<Element>(arguments.operands[0].base, offsets[0]);
    const int64_t own = place.positions[kAxis];
    const int64_t extent = arguments.extents[kAxis];
    bool isFirst = !kIncludesSelf;
    const int64_t steps = isUpdated ? arguments.updated[kAxis] : 0;
    AIT_NO_UNROLL
    for (int64_t i = 0; i < steps; ++i) {
      const int64_t chosen = loadAt<Index>(arguments.operands[1].base,
                                           offsets[1] + i * arguments.operands[1].strides[kAxis]);
      if (own == 0 && (chosen < 0 || chosen >= extent)) {
        reportIndex(arguments.record, arguments.step, chosen, extent);
      }
      if (chosen != own) continue;
      const T update = toCompute(loadAt<Element>(
          arguments.operands[2].base, offsets[2] + i * arguments.operands[2].strides[kAxis]));
      const T before = isFirst ? scatterIdentity<kKind, T>() : toCompute(element);
      element = toStorage<Element>(scatterCombine<kKind, T>(before, update));
      isFirst = false;
    }
    Words<static_cast<int>(sizeof(Element))> word;
    __builtin_memcpy(&word, &element, sizeof(Element));
    storeGlobal(static_cast<Element*>(arguments.operands[3].base) + offsets[3], word);
  }
}

}  // namespace ait
