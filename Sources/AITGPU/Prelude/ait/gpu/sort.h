// The first elements of rows, in order, and their positions: torch.topk and a stable torch.sort.
//
// A block has a row. Where the row fits shared memory it is sorted there; where few are kept of
// many, they stay there in order while the others pass in parts; else it is sorted in the
// workspace. The network is Batcher's bitonic one with all comparisons in one direction, so that
// any number of entries is sorted as if those that are missing were last. Expected bound: shared
// memory, or the latency of barriers for few short rows.
#pragma once

#include "ait/gpu/movement.h"
#include "ait/gpu/sort_config.h"

namespace ait {

/// Whether one entry comes before another, from the largest on or from the smallest: NaN counts as
/// the largest number, of equal elements the one at the lower position comes first.
template <bool kLargest, class E>
AIT_DEVICE bool comesBefore(const E& a, const E& b) {
  const bool aIsNaN = a.value != a.value;
  const bool bIsNaN = b.value != b.value;
  if (aIsNaN != bIsNaN) return aIsNaN == kLargest;
  if (!aIsNaN && a.value != b.value) return kLargest ? a.value > b.value : a.value < b.value;
  return a.position < b.position;
}

/// Sorts entries in memory that the block shares; all its threads call it, after a barrier, and
/// there is one behind.
template <bool kLargest, int kThreads, class E>
AIT_DEVICE void sortBitonic(E* entries, int64_t count) {
  const auto exchange = [&](int64_t low, int64_t high) {
    if (high >= count) return;
    const E a = entries[low];
    const E b = entries[high];
    if (!comesBefore<kLargest>(b, a)) return;
    entries[low] = b;
    entries[high] = a;
  };
  AIT_NO_UNROLL
  for (int64_t size = 2; size < 2 * count; size *= 2) {
    // Entries that mirror each other in a block of `size`, then those a shrinking distance apart.
    AIT_NO_UNROLL
    for (int64_t half = size / 2, isFirst = 1; half > 0; half /= 2, isFirst = 0) {
      AIT_NO_UNROLL
      for (int64_t pair = threadIndex(); 2 * (pair & -half) < count; pair += kThreads) {
        const int64_t start = 2 * (pair & -half);
        const int64_t inside = pair & (half - 1);
        exchange(start + inside, isFirst ? start + 2 * half - 1 - inside : start + inside + half);
      }
      synchronizeBlock();
    }
  }
}

template <class Config, class Element, bool kLargest, int kRank>
AIT_DEVICE void topK(const TopKArguments<kRank>& arguments) {
  using Shape = SortShape<Config>;
  using E = typename Shape::E;
  using Number = typename Config::Number;
  using Position = typename Config::Position;
  constexpr int kSize = static_cast<int>(sizeof(Element));
  const int64_t count = arguments.extents[kRank - 1];
  const int64_t kept = arguments.kept;
  launchDependents();
  waitForPrerequisites();

  int64_t offsets[3] = {0, 0, 0};
  int64_t rest = blockIndex();
  AIT_UNROLL
  for (int axis = kRank - 2; axis >= 0; --axis) {
    const int64_t position = rest % arguments.extents[axis];
    rest /= arguments.extents[axis];
    AIT_UNROLL
    for (int operand = 0; operand < 3; ++operand) {
      offsets[operand] += position * arguments.operands[operand].strides[axis];
    }
  }
  const Element* const input = static_cast<const Element*>(arguments.operands[0].base) + offsets[0];
  const auto load = [&](int64_t i) {
    const auto word = loadGlobal<kSize>(input + i * arguments.operands[0].strides[kRank - 1]);
    Element element;
    __builtin_memcpy(&element, &word, kSize);
    return element;
  };

  const bool isShared = Shape::isShared(count, kept);
  E* const entries = isShared ? reinterpret_cast<E*>(dynamicSharedMemory())
                              : static_cast<E*>(arguments.workspace) + blockIndex() * count;
  const int64_t capacity = isShared ? Config::kEntries : count;
  int64_t held = 0;
  AIT_NO_UNROLL
  for (int64_t next = 0; next < count;) {
    const int64_t taken = capacity - held < count - next ? capacity - held : count - next;
    AIT_NO_UNROLL
    for (int64_t i = threadIndex(); i < taken; i += Config::kThreads) {
      entries[held + i] = {static_cast<Number>(toCompute(load(next + i))),
                           static_cast<Position>(next + i)};
    }
    synchronizeBlock();
    sortBitonic<kLargest, Config::kThreads>(entries, held + taken);
    next += taken;
    held = held + taken < kept ? held + taken : kept;
  }

  Element* const values = static_cast<Element*>(arguments.operands[1].base) + offsets[1];
  int64_t* const positions = static_cast<int64_t*>(arguments.operands[2].base) + offsets[2];
  AIT_NO_UNROLL
  for (int64_t i = threadIndex(); i < kept; i += Config::kThreads) {
    const int64_t position = entries[i].position;
    // The element itself, so that the bits of a NaN stay.
    const Element element = load(position);
    Words<kSize> word;
    __builtin_memcpy(&word, &element, kSize);
    storeGlobal(values + i * arguments.operands[1].strides[kRank - 1], word);
    Words<8> wide;
    __builtin_memcpy(&wide, &position, 8);
    storeGlobal(positions + i * arguments.operands[2].strides[kRank - 1], wide);
  }
}

}  // namespace ait
