// Order among elements, and the sorting of rows.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// An element and where it comes from.
template <class T>
struct Entry {
  T value;
  int64_t position;
};

/// Whether one entry comes before another, from the largest on or from the smallest: NaN counts as
/// the largest number, of equal elements the one at the lower position comes first.
template <class T, bool kLargest>
AIT_INLINE bool comesBefore(const Entry<T>& a, const Entry<T>& b) {
  if constexpr (__is_floating_point(T)) {
    const bool aIsNaN = a.value != a.value;
    const bool bIsNaN = b.value != b.value;
    if (aIsNaN != bIsNaN) return aIsNaN == kLargest;
    if (aIsNaN) return a.position < b.position;
  }
  if (a.value != b.value) return kLargest ? a.value > b.value : a.value < b.value;
  return a.position < b.position;
}

/// A heap whose root comes last of its entries.
template <class T, bool kLargest>
AIT_INLINE void siftDown(Entry<T>* heap, int64_t count, int64_t at) {
  const Entry<T> entry = heap[at];
  for (int64_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
    if (child + 1 < count && comesBefore<T, kLargest>(heap[child], heap[child + 1])) ++child;
    if (!comesBefore<T, kLargest>(entry, heap[child])) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = entry;
}

/// Sorts a heap: the entry that comes first is first.
template <class T, bool kLargest>
inline void sortHeap(Entry<T>* heap, int64_t count) {
  for (int64_t end = count - 1; end > 0; --end) {
    const Entry<T> last = heap[0];
    heap[0] = heap[end];
    heap[end] = last;
    siftDown<T, kLargest>(heap, end, 0);
  }
}

/// Sorts entries, with room for as many more; merges runs of growing length.
template <class T, bool kLargest>
inline void sortEntries(Entry<T>* entries, int64_t count, Entry<T>* room) {
  constexpr int64_t kRun = 16;
  for (int64_t first = 0; first < count; first += kRun) {
    const int64_t last = first + kRun < count ? first + kRun : count;
    for (int64_t i = first + 1; i < last; ++i) {
      const Entry<T> entry = entries[i];
      int64_t at = i;
      for (; at > first && comesBefore<T, kLargest>(entry, entries[at - 1]); --at) {
        entries[at] = entries[at - 1];
      }
      entries[at] = entry;
    }
  }
  Entry<T>* from = entries;
  Entry<T>* to = room;
  for (int64_t run = kRun; run < count; run *= 2) {
    for (int64_t first = 0; first < count; first += 2 * run) {
      const int64_t middle = first + run < count ? first + run : count;
      const int64_t last = middle + run < count ? middle + run : count;
      int64_t left = first, right = middle;
      for (int64_t at = first; at < last; ++at) {
        const bool takesRight =
            left == middle || (right < last && comesBefore<T, kLargest>(from[right], from[left]));
        to[at] = from[takesRight ? right++ : left++];
      }
    }
    Entry<T>* const other = from;
    from = to;
    to = other;
  }
  if (from != entries) {
    for (int64_t i = 0; i < count; ++i) entries[i] = from[i];
  }
}

/// The first `kept` of a row's elements in order, in `entries`; `value(i)` is element i of `count`.
///
/// - capacity: the entries that there is room for; at least `kept`.
/// - next(i, last): the first element from i on, or `count`, that may come before `last`.
///
/// Many of few are sorted as they are where there is room for all of them twice; else a heap of
/// those kept takes what comes before its last: one comparison for most elements.
template <class T, bool kLargest, class Value, class Next>
inline void selectFirst(int64_t count, int64_t kept, Entry<T>* entries, int64_t capacity,
                        Value&& value, Next&& next) {
  if (kept > 16 && kept > count / 16 && 2 * count <= capacity) {
    for (int64_t i = 0; i < count; ++i) entries[i] = {value(i), i};
    sortEntries<T, kLargest>(entries, count, entries + count);
    return;
  }
  if (kept == 0) return;
  for (int64_t i = 0; i < kept; ++i) entries[i] = {value(i), i};
  for (int64_t i = kept / 2 - 1; i >= 0; --i) siftDown<T, kLargest>(entries, kept, i);
  for (int64_t i = next(kept, entries[0].value); i < count; i = next(i + 1, entries[0].value)) {
    const Entry<T> entry = {value(i), i};
    if (!comesBefore<T, kLargest>(entry, entries[0])) continue;
    entries[0] = entry;
    siftDown<T, kLargest>(entries, kept, 0);
  }
  sortHeap<T, kLargest>(entries, kept);
}

/// The first lane that is true, of which there is one.
template <int W>
AIT_INLINE int firstLane(Vec<bool, W> mask) {
  int lane = 0;
  while (lane + 1 < W && !mask[lane]) ++lane;
  return lane;
}

/// The first element from `i` on, or `count`, that may come before `last`; looks at whole vectors
/// of a row without gaps.
template <bool kLargest, class Element>
AIT_INLINE int64_t nextBefore(const Element* input, int64_t i, int64_t count,
                              ComputeType<Element> last) {
  using T = ComputeType<Element>;
  constexpr int W = kLanes;
  const auto limit = broadcast<W, T>(last);
  for (; i + W <= count; i += W) {
    const auto x = load<Element, W>(input + i);
    // Written so that a NaN, which counts as the largest number, is seen.
    const auto comesBefore = kLargest ? !(x <= limit) : !(x >= limit);
    if (any(comesBefore)) return i + firstLane(comesBefore);
  }
  return i;
}

/// The entries of T that fit a thread's scratch memory.
template <class T>
inline constexpr int64_t kScratchEntries =
    ThreadPool::kScratchSizeInBytes / static_cast<int64_t>(sizeof(Entry<T>));

/// The `kept` largest or smallest elements of each row, in order, and their positions: torch.topk
/// and, where all are kept, a stable torch.sort. NaN counts as the largest number.
///
/// - kRank: the axes of the rows, then the sorted one: 1...8.
/// - sizes: `kRank` extents of the input; `kRank` strides of the input, of the values, of the
///   positions, in elements; then the number of elements kept, at most the last extent.
/// - buffers: input; values, positions (int64_t). None overlap.
/// - workspace: `kept` entries if they do not fit a thread's scratch memory, else none; rows are
///   then sorted one after the other.
///
/// A row is work for one thread. Bound by comparisons.
template <class Element, bool kLargest, int kRank>
void topK(const KernelContext& context) {
  using T = ComputeType<Element>;
  const int64_t* extents = context.sizes;
  const int64_t* strides = extents + kRank;
  const int64_t kept = strides[3 * kRank];
  const int64_t count = extents[kRank - 1];
  const int64_t rows = product(extents, kRank - 1);
  if (rows * kept == 0) return;
  using Operands = Inputs<Operand<Element, Access::strided>, Operand<Element, Access::strided>,
                          Operand<int64_t, Access::strided>>;
  const Cursor<Operands, kRank> start(context.buffers, extents, strides);
  const int64_t inputStride = strides[kRank - 1];
  const int64_t valueStride = strides[2 * kRank - 1];
  const int64_t positionStride = strides[3 * kRank - 1];
  const auto sortRow = [=](const Cursor<Operands, kRank>& cursor, Entry<T>* entries,
                           int64_t capacity) {
    const Element* const input = cursor.template rowAddress<0>();
    selectFirst<T, kLargest>(
        count, kept, entries, capacity,
        [=](int64_t i) { return toCompute<Element>(input[i * inputStride]); },
        [=](int64_t i, T last) AIT_INLINE_LAMBDA {
          return inputStride == 1 ? nextBefore<kLargest>(input, i, count, last) : i;
        });
    Element* const values = cursor.template rowAddress<1>();
    int64_t* const positions = cursor.template rowAddress<2>();
    for (int64_t i = 0; i < kept; ++i) {
      // The element itself, so that the bits of a NaN stay.
      values[i * valueStride] = input[entries[i].position * inputStride];
      positions[i * positionStride] = entries[i].position;
    }
  };
  if (kept > kScratchEntries<T>) {
    auto cursor = start;
    for (int64_t row = 0; row < rows; ++row) {
      sortRow(cursor, static_cast<Entry<T>*>(context.workspace), kept);
      cursor.advance();
    }
    return;
  }
  const RowTasks tasks(rows, 4 * count, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    auto cursor = start;
    cursor.seek(tasks.first(task));
    for (int64_t row = tasks.first(task); row < tasks.last(task); ++row) {
      sortRow(cursor, static_cast<Entry<T>*>(context.pool.scratch(thread)), kScratchEntries<T>);
      cursor.advance();
    }
  });
}

}  // namespace ait
