// Greedy suppression of boxes that overlap better ones.
#pragma once

#include "ait/cpu/sort.h"

namespace ait {

/// Bytes of workspace for each batch: all entries twice, and the boxes kept, as five rows of
/// coordinates and areas with room for a vector more.
template <class T>
constexpr int64_t suppressionBytes(int64_t boxes, int64_t kept) {
  return (2 * boxes * static_cast<int64_t>(sizeof(Entry<T>)) +
          5 * (kept + 16) * static_cast<int64_t>(sizeof(double)) + 63) /
         64 * 64;
}

/// The boxes kept so far, coordinate by coordinate.
template <class T>
class KeptBoxes {
 public:
  static constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;

  KeptBoxes(T* memory, int64_t capacity) : memory_(memory), capacity_(capacity + 16) {}

  AIT_INLINE int64_t count() const { return count_; }

  /// Whether a box has more of its union with one that is kept in common than the threshold.
  AIT_INLINE bool overlaps(const T (&box)[4], T area, T threshold) const {
    const auto spread = [](T x) AIT_INLINE_LAMBDA { return broadcast<W, T>(x); };
    const auto zero = spread(0);
    for (int64_t at = 0; at < count_; at += W) {
      const auto row = [&](int i)
                           AIT_INLINE_LAMBDA { return load<T, W>(memory_ + i * capacity_ + at); };
      const auto width =
          maximum(zero, minimum(spread(box[2]), row(2)) - maximum(spread(box[0]), row(0)));
      const auto height =
          maximum(zero, minimum(spread(box[3]), row(3)) - maximum(spread(box[1]), row(1)));
      const auto common = width * height;
      const auto ratio = common / (spread(area) + row(4) - common);
      if (any((ratio > spread(threshold)) & firstLanes<W>(count_ - at))) return true;
    }
    return false;
  }

  AIT_INLINE void add(const T (&box)[4], T area) {
    for (int i = 0; i < 4; ++i) memory_[i * capacity_ + count_] = box[i];
    memory_[4 * capacity_ + count_] = area;
    ++count_;
  }

 private:
  T* memory_;
  int64_t capacity_;
  int64_t count_ = 0;
};

/// The positions of boxes from the best score down, without those that overlap one before: of
/// `torchvision.ops.nms`, for each batch, in a tensor of one size.
///
/// Thresholds::kOverlap is the share of a union, Thresholds::kScore what a score must be above.
///
/// - sizes: B, N, the most boxes kept, the most looked at; 3 strides of the boxes [B, N, 4], 2 of
///   the scores [B, N], 2 of the positions [B, kept], 1 of the counts [B], in elements.
/// - buffers: boxes (x1, y1, x2, y2), scores; positions (int64_t, −1 behind the last), counts
///   (int64_t). None overlap.
/// - workspace: `suppressionBytes` for each batch.
///
/// A batch is work for one thread. Bound by the vectors of kept boxes that a box is held against.
template <class Element, class Thresholds>
void suppressBoxes(const KernelContext& context) {
  using T = ComputeType<Element>;
  const int64_t* sizes = context.sizes;
  const int64_t batches = sizes[0], boxCount = sizes[1], most = sizes[2], candidates = sizes[3];
  const int64_t* strides = sizes + 4;
  if (batches == 0) return;
  const int64_t bytes = suppressionBytes<T>(boxCount, most);
  parallelFor(context.pool, batches, [&](int64_t batch, int32_t) {
    const Element* boxes = static_cast<const Element*>(context.buffers[0]) + batch * strides[0];
    const Element* scores = static_cast<const Element*>(context.buffers[1]) + batch * strides[3];
    int64_t* positions = static_cast<int64_t*>(context.buffers[2]) + batch * strides[5];
    char* const memory = static_cast<char*>(context.workspace) + batch * bytes;
    Entry<T>* const entries = reinterpret_cast<Entry<T>*>(memory);
    KeptBoxes<T> kept(reinterpret_cast<T*>(memory + 2 * boxCount * sizeof(Entry<T>)), most);
    int64_t count = 0;
    for (int64_t i = 0; i < boxCount; ++i) {
      const T score = toCompute<Element>(scores[i * strides[4]]);
      if (score > static_cast<T>(Thresholds::kScore)) entries[count++] = {score, i};
    }
    sortEntries<T, true>(entries, count, entries + boxCount);
    if (count > candidates) count = candidates;
    for (int64_t i = 0; i < count && kept.count() < most; ++i) {
      const Element* const corners = boxes + entries[i].position * strides[1];
      T box[4];
      for (int corner = 0; corner < 4; ++corner) {
        box[corner] = toCompute<Element>(corners[corner * strides[2]]);
      }
      const T area = (box[2] - box[0]) * (box[3] - box[1]);
      if (kept.overlaps(box, area, static_cast<T>(Thresholds::kOverlap))) continue;
      positions[kept.count() * strides[6]] = entries[i].position;
      kept.add(box, area);
    }
    for (int64_t i = kept.count(); i < most; ++i) positions[i * strides[6]] = -1;
    static_cast<int64_t*>(context.buffers[3])[batch * strides[7]] = kept.count();
  });
}

}  // namespace ait
