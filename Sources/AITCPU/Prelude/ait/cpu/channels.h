// What kernels on channels-last images share: a walk over the positions of a result, whose channels
// are computed as vectors, and an epilogue on them.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// Results of images have this rank: [N, D1, D2, D3, C]. Images of fewer axes have extents of 1.
inline constexpr int kImageRank = 5;

template <int W, class T, Access A>
AIT_INLINE auto loadChannels(const Row<T, A>& row, int64_t column, WholeVector) {
  return row.template load<W>(column);
}
template <int W, class T, Access A>
AIT_INLINE auto loadChannels(const Row<T, A>& row, int64_t column, PartialVector extent) {
  return row.template loadPartial<W>(column, extent.count);
}

/// Computes all channels of every position.
///
/// - buffers: the extras of the epilogue, then the outputs.
/// - extents: N, D1, D2, D3, C of the result.
/// - strides: `kImageRank` for each extra, then for each output.
/// - cost: operations for an element of the result; small problems are not shared among threads.
/// - prepare(position): what depends on the position [N, D1, D2, D3] alone; called with
///   `(column, extent)`, it returns a vector of channels.
///
/// A position is work for one thread. Neighbouring positions follow each other, so what their
/// windows share is in the cache.
template <class Epilogue, int W, class Extras, class Out, class Prepare>
AIT_INLINE void forEachPosition(ThreadPool& pool, void* const* buffers, const int64_t* extents,
                                const int64_t* strides, int64_t cost, Prepare&& prepare) {
  const Cursor<Extras, kImageRank> extras(buffers, extents, strides);
  const Cursor<Out, kImageRank> outputs(buffers + Extras::kCount, extents,
                                        strides + Extras::kCount * kImageRank);
  const int64_t columns = extents[kImageRank - 1];
  const int64_t positions = outputs.outerCount();
  if (positions * columns == 0) return;
  const RowTasks tasks(positions, columns * (cost > 0 ? cost : 1), pool.threadCount());
  parallelFor(pool, tasks.count(), [&](int64_t task, int32_t) {
    auto ownExtras = extras;
    auto ownOutputs = outputs;
    const int64_t first = tasks.first(task);
    ownExtras.seek(first);
    ownOutputs.seek(first);
    int64_t place[kImageRank - 1];
    int64_t rest = first;
    for (int axis = kImageRank - 2; axis >= 0; --axis) {
      place[axis] = rest % extents[axis];
      rest /= extents[axis];
    }
    for (int64_t position = first; position < tasks.last(task); ++position) {
      const auto channels = prepare(static_cast<const int64_t*>(place));
      const auto extraRows = ownExtras.rows();
      const auto outputRows = ownOutputs.rows();
      forEachVector<W>(0, columns, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
        storeAll<W>(outputRows, column,
                    applyTo<Epilogue, W>(extraRows, column, extent, channels(column, extent)),
                    extent);
      });
      ownExtras.advance();
      ownOutputs.advance();
      for (int axis = kImageRank - 2; axis >= 0; --axis) {
        if (++place[axis] < extents[axis]) break;
        place[axis] = 0;
      }
    }
  });
}

}  // namespace ait
