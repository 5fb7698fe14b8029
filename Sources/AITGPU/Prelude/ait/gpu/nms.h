// Greedy suppression of boxes that overlap better ones: torchvision.ops.nms for each batch.
//
// A block has a batch: it sorts the scores, then takes as many boxes at a time as it has threads.
// Each thread holds its box against all that are kept; those that are left decide among themselves,
// a barrier for each that is kept. Expected bound: latency of barriers, as batches are few.
#pragma once

#include "ait/gpu/reducers.h"
#include "ait/gpu/sort.h"

namespace ait {

/// Whether boxes have more of their union in common than a threshold.
template <class T>
AIT_DEVICE bool isOverlapping(const Box<T>& a, const Box<T>& b, T threshold) {
  const T width =
      smallerOrNaN(a.corners[2], b.corners[2]) - largerOrNaN(a.corners[0], b.corners[0]);
  const T height =
      smallerOrNaN(a.corners[3], b.corners[3]) - largerOrNaN(a.corners[1], b.corners[1]);
  const T common = largerOrNaN(T(0), width) * largerOrNaN(T(0), height);
  return common / (a.area + b.area - common) > threshold;
}

/// Thresholds::kOverlap is the share of a union, Thresholds::kScore what a score must be above.
template <class Config, class Element, class Thresholds>
AIT_DEVICE void suppressBoxes(const SuppressionArguments& arguments) {
  using Shape = SuppressionShape<Config>;
  using E = typename Shape::E;
  using T = typename Config::Number;
  using B = Box<T>;
  constexpr int kSize = static_cast<int>(sizeof(Element));
  constexpr int kThreads = Config::kThreads;
  const int thread = threadIndex();
  const int64_t batch = blockIndex();
  launchDependents();
  waitForPrerequisites();
  const auto load = [](const Element* address) {
    const auto word = loadGlobal<kSize>(address);
    Element element;
    __builtin_memcpy(&element, &word, kSize);
    return static_cast<T>(toCompute(element));
  };
  const Element* const scores =
      static_cast<const Element*>(arguments.scores.base) + batch * arguments.scores.strides[0];
  const Element* const boxes =
      static_cast<const Element*>(arguments.boxes.base) + batch * arguments.boxes.strides[0];
  int64_t* const positions =
      static_cast<int64_t*>(arguments.positions.base) + batch * arguments.positions.strides[0];
  char* const shared = dynamicSharedMemory();
  char* const memory = arguments.workspace + batch * arguments.bytesPerBatch;
  const int64_t boxCount = arguments.boxCount;
  // Entries stay in the workspace, as tiles of boxes take their place in shared memory.
  E* const entries = reinterpret_cast<E*>(memory);
  T* const kept = reinterpret_cast<T*>(memory + boxCount * static_cast<int64_t>(sizeof(E)));
  E* const sorted = boxCount <= Config::kEntries ? reinterpret_cast<E*>(shared) : entries;

  // Scores that do not count go last: as NaN they would be first, as −∞ they are not above any.
  AIT_NO_UNROLL
  for (int64_t i = thread; i < boxCount; i += kThreads) {
    const T score = load(scores + i * arguments.scores.strides[1]);
    const bool counts = score > static_cast<T>(Thresholds::kScore);
    sorted[i] = {counts ? score : lowestOf<T>(), static_cast<typename Config::Position>(i)};
  }
  synchronizeBlock();
  sortBitonic<true, kThreads>(sorted, boxCount);
  if (sorted != entries) {
    AIT_NO_UNROLL
    for (int64_t i = thread; i < boxCount; i += kThreads) entries[i] = sorted[i];
    synchronizeBlock();
  }

  B* const tile = reinterpret_cast<B*>(shared);
  int* const isAlive = reinterpret_cast<int*>(shared + kThreads * static_cast<int>(sizeof(B)));
  const T overlap = static_cast<T>(Thresholds::kOverlap);
  const int64_t candidates = arguments.candidates < boxCount ? arguments.candidates : boxCount;
  int64_t count = 0;
  AIT_NO_UNROLL
  for (int64_t first = 0; first < candidates && count < arguments.most; first += kThreads) {
    B box = {};
    bool alive = false;
    if (first + thread < candidates) {
      const E entry = entries[first + thread];
      alive = entry.value > static_cast<T>(Thresholds::kScore);
      const Element* const corners = boxes + entry.position * arguments.boxes.strides[1];
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) box.corners[i] = load(corners + i * arguments.boxes.strides[2]);
      box.area = (box.corners[2] - box.corners[0]) * (box.corners[3] - box.corners[1]);
    }
    AIT_NO_UNROLL
    for (int64_t i = 0; i < count && alive; ++i) {
      B other;
      AIT_UNROLL
      for (int c = 0; c < 4; ++c) other.corners[c] = kept[5 * i + c];
      other.area = kept[5 * i + 4];
      alive = !isOverlapping(box, other, overlap);
    }
    tile[thread] = box;
    isAlive[thread] = alive ? 1 : 0;
    synchronizeBlock();
    AIT_NO_UNROLL
    for (int i = 0; i < kThreads && count < arguments.most; ++i) {
      // The same for all threads: what a barrier follows was written before one.
      if (isAlive[i] == 0) continue;
      if (thread == i) {
        const int64_t position = entries[first + i].position;
        Words<8> wide;
        __builtin_memcpy(&wide, &position, 8);
        storeGlobal(positions + count * arguments.positions.strides[1], wide);
        AIT_UNROLL
        for (int c = 0; c < 4; ++c) kept[5 * count + c] = box.corners[c];
        kept[5 * count + 4] = box.area;
      } else if (thread > i && isAlive[thread] != 0 && isOverlapping(box, tile[i], overlap)) {
        isAlive[thread] = 0;
      }
      ++count;
      synchronizeBlock();
    }
    synchronizeBlock();
  }
  const int64_t none = -1;
  AIT_NO_UNROLL
  for (int64_t i = count + thread; i < arguments.most; i += kThreads) {
    Words<8> wide;
    __builtin_memcpy(&wide, &none, 8);
    storeGlobal(positions + i * arguments.positions.strides[1], wide);
  }
  if (thread == 0) {
    Words<8> wide;
    __builtin_memcpy(&wide, &count, 8);
    storeGlobal(static_cast<int64_t*>(arguments.counts.base) + batch * arguments.counts.strides[0],
                wide);
  }
}

}  // namespace ait
