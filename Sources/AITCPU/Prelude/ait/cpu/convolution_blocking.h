// How a convolution is cut into tasks.
#pragma once

#include "ait/cpu/convolution_window.h"

namespace ait::conv {

/// The cut of a convolution. A task is: an image, a group, a phase, one output of the first axis, a
/// block of outputs of the second and of the third, a block of panels of filters.
struct Blocking {
  /// Channels whose windows are copied at a time; all of a group's unless one output's window is
  /// too large.
  int64_t channels;
  int64_t channelBlocks;
  int64_t rowsPerTask;
  int64_t rowTasks;
  int64_t columnsPerTask;
  int64_t columnTasks;
  int64_t panels;
  int64_t panelsPerTask;
  int64_t panelTasks;
  int64_t phases[kSpatialRank];

  int64_t tasks(const Sizes& sizes) const {
    return sizes.N * sizes.groups * phases[0] * phases[1] * phases[2] * firstOutputs(sizes) *
           rowTasks * columnTasks * panelTasks;
  }
  int64_t firstOutputs(const Sizes& sizes) const {
    return gemm::ceilDivide(sizes.axes[0].out, phases[0]);
  }
};

/// What bounds the blocks.
struct Limits {
  int64_t tileRows;
  int64_t tileColumns;
  int64_t accumulatorSizeInBytes;
  int64_t depthBlock;
  bool isInPlace;
};

/// The positions of an axis in the window of `outputs` outputs, in the phase that has most.
inline int64_t longestSpan(const Axis& axis, int64_t outputs) {
  int64_t length = 1;
  for (int64_t index = 0; index < Phase::countOf(axis) && index < axis.out; ++index) {
    length = gemm::larger(length, Span(Phase(axis, index), outputs).length());
  }
  return length;
}

/// Tiles whose sums fit scratch memory.
inline int64_t maxTiles(const Limits& limits) {
  return gemm::kSumsBytes / (limits.tileRows * limits.tileColumns * limits.accumulatorSizeInBytes);
}

/// The most outputs, of 1 … `count`, for which `fits(outputs)` holds, or 1: halves, then evens out.
template <class Fits>
inline int64_t mostOutputs(int64_t count, Fits fits) {
  int64_t parts = 1;
  while (parts < count && !fits(gemm::ceilDivide(count, parts))) ++parts;
  return gemm::ceilDivide(count, parts);
}

/// Chooses the cut; no extent is 0.
inline Blocking chooseBlocking(const Sizes& sizes, int64_t threads, const Limits& limits) {
  Blocking cut;
  for (int axis = 0; axis < kSpatialRank; ++axis) {
    cut.phases[axis] = gemm::smaller(Phase::countOf(sizes.axes[axis]), sizes.axes[axis].out);
  }
  const int64_t rows = gemm::ceilDivide(sizes.axes[1].out, cut.phases[1]);
  const int64_t columns = gemm::ceilDivide(sizes.axes[2].out, cut.phases[2]);
  const int64_t plane = longestSpan(sizes.axes[0], 1);
  const int64_t window = gemm::kPackedABytes / limits.accumulatorSizeInBytes;
  const int64_t smallest = plane * longestSpan(sizes.axes[1], 1) * longestSpan(sizes.axes[2], 1);
  const int64_t channels = gemm::larger(1, sizes.inputChannels);
  cut.channels = channels;
  if (!limits.isInPlace && smallest * channels > window) {
    cut.channels = gemm::larger(1, window / smallest);
    if (cut.channels > 8) cut.channels = cut.channels / 8 * 8;
  }
  cut.channelBlocks = gemm::ceilDivide(channels, cut.channels);

  const auto tilesOf = [&](int64_t rowCount, int64_t columnCount) {
    return rowCount * gemm::ceilDivide(columnCount, limits.tileRows);
  };
  const auto fits = [&](int64_t rowCount, int64_t columnCount) {
    return tilesOf(rowCount, columnCount) <= maxTiles(limits) &&
           (limits.isInPlace || plane * longestSpan(sizes.axes[1], rowCount) *
                                        longestSpan(sizes.axes[2], columnCount) * cut.channels <=
                                    window);
  };
  cut.columnsPerTask = mostOutputs(columns, [&](int64_t count) { return fits(1, count); });
  cut.columnTasks = gemm::ceilDivide(columns, cut.columnsPerTask);
  const int64_t maxRows =
      mostOutputs(rows, [&](int64_t count) { return fits(count, cut.columnsPerTask); });
  cut.panels = gemm::ceilDivide(sizes.outputChannels, limits.tileColumns);

  // Of the cuts tried, the one with the least time until the last thread ends. A step of a tile's
  // depth is 1 for each of its rows; a position of a window takes about 0.1 for each channel.
  const int64_t others = sizes.N * sizes.groups * cut.phases[0] * cut.phases[1] * cut.phases[2] *
                         cut.firstOutputs(sizes) * cut.columnTasks;
  const int64_t minPanelTasks =
      cut.channelBlocks == 1
          ? 1
          : gemm::ceilDivide(cut.panels, gemm::larger(1, maxTiles(limits) /
                                                             tilesOf(maxRows, cut.columnsPerTask)));
  double best = -1;
  const auto consider = [&](int64_t rowTasks, int64_t rounds) {
    const int64_t rowCount = gemm::ceilDivide(rows, rowTasks);
    rowTasks = gemm::ceilDivide(rows, rowCount);
    const double copied = limits.isInPlace
                              ? 0
                              : 0.1 * plane * longestSpan(sizes.axes[1], rowCount) *
                                    longestSpan(sizes.axes[2], cut.columnsPerTask) * channels;
    for (int64_t round = 0; round <= rounds; ++round) {
      const int64_t panelTasks = gemm::ceilDivide(round * threads, others * rowTasks);
      const int64_t panelCount = gemm::ceilDivide(
          cut.panels, gemm::smaller(gemm::larger(panelTasks, minPanelTasks), cut.panels));
      const int64_t tasks = others * rowTasks * gemm::ceilDivide(cut.panels, panelCount);
      const double products = 1.0 * rowCount * cut.columnsPerTask * panelCount * sizes.depth() /
                              (cut.phases[0] * cut.phases[1] * cut.phases[2]);
      const double task = products + copied + 200;
      // Threads do not run alike, so an eighth of a task is lost at the end.
      const double even = tasks * task / threads + (threads > 1 ? task / 8 : 0);
      const double last = gemm::ceilDivide(tasks, threads) * task;
      const double time = last > even ? last : even;
      if (best >= 0 && time >= best) continue;
      best = time;
      cut.rowsPerTask = rowCount;
      cut.rowTasks = rowTasks;
      cut.panelsPerTask = panelCount;
      cut.panelTasks = gemm::ceilDivide(cut.panels, panelCount);
    }
  };
  const int64_t minRowTasks = gemm::ceilDivide(rows, maxRows);
  consider(minRowTasks, threads > 1 ? 6 : 0);
  for (int64_t more = 1; threads > 1 && more < 16 && minRowTasks + more <= rows; ++more) {
    consider(minRowTasks + more, 6);
  }
  return cut;
}

}  // namespace ait::conv
