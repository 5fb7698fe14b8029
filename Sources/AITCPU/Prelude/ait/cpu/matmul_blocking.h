// How matmul is cut into tasks, and a task into blocks that fit the caches.
#pragma once

#include "ait/kernel.h"

namespace ait::gemm {

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/// The blocks of K, whose sums are added in ascending order: as even as multiples of 8 allow, no
/// longer than `maxLength`, one empty block if K is 0. They depend on K alone, so that an element
/// of C is the same however the rest is cut.
struct DepthBlocks {
  int64_t length;
  int64_t count;

  DepthBlocks(int64_t K, int64_t maxLength) {
    const int64_t even = ceilDivide(K, larger(1, ceilDivide(K, maxLength)));
    length = smaller(K, ceilDivide(even, 8) * 8);
    count = length == 0 ? 1 : ceilDivide(K, length);
  }
};

/// What bounds the blocks: the tile of the target and the block sizes of the configuration.
struct Limits {
  int64_t tileRows;
  int64_t tileColumns;
  int64_t accumulatorSizeInBytes;
  int64_t rowBlock;
  int64_t depthBlock;
  int64_t columnBlock;
  /// Whether tasks multiply by B as it lies, and not by a packed copy.
  bool readsInPlace;
};

/// The cut of a product of M x K by K x N, for each matrix of a batch.
///
/// A *row panel* has tileRows rows, a *panel* tileColumns columns.
struct Blocking {
  explicit Blocking(DepthBlocks blocks) : depth(blocks) {}

  DepthBlocks depth;
  /// Whether a task packs its rows of A for all of K at once. If not, it goes over its panels once
  /// per block of K, and keeps the sums of all its tiles in scratch memory in between.
  bool packsWholeDepth;

  int64_t rowPanels;
  int64_t rowPanelsPerTask;
  int64_t rowTasks;
  int64_t panels;
  int64_t panelsPerTask;
  int64_t columnTasks;

  /// Tasks that one call of the thread pool's task runs.
  int64_t tasksPerCall;

  int64_t tasksPerMatrix() const { return rowTasks * columnTasks; }
};

// MARK: - Scratch memory

/// A task's use of `ThreadPool::scratch`: packed A, one packed block of a panel of B, and sums.
inline constexpr int64_t kPackedABytes = int64_t{640} << 10;
inline constexpr int64_t kPackedBBytes = int64_t{160} << 10;
inline constexpr int64_t kSumsBytes =
    ThreadPool::kScratchSizeInBytes - kPackedABytes - kPackedBBytes;

template <class Accumulator>
struct Scratch {
  Accumulator* packedA;
  Accumulator* packedB;
  Accumulator* sums;

  explicit Scratch(void* scratch) {
    auto* bytes = static_cast<char*>(scratch);
    packedA = reinterpret_cast<Accumulator*>(bytes);
    packedB = reinterpret_cast<Accumulator*>(bytes + kPackedABytes);
    sums = reinterpret_cast<Accumulator*>(bytes + kPackedABytes + kPackedBBytes);
  }
};

// MARK: - Choice

/// Below so many multiplications a product runs on one thread: what a thread does in the some ten
/// microseconds that it may take to wake another.
inline constexpr int64_t kParallelProducts = int64_t{1} << 18;

/// What each task repeats for a row panel and for a panel, where the time of a tile is 100.
struct TaskCosts {
  int64_t rowPanel;
  int64_t panel;
  /// Which part of a task is lost at the end even where all threads have as many, as they do not
  /// run alike.
  int64_t lostPart;
};

/// Cuts M and N into tasks for `threads` threads: of the cuts tried, the one with the least time
/// until the last thread ends, with the packing of A and B that each task repeats.
inline void cutIntoTasks(Blocking& cut, int64_t batch, int64_t maxRowPanels, int64_t maxPanels,
                         int64_t threads, TaskCosts costs) {
  const int64_t minRowTasks = ceilDivide(cut.rowPanels, maxRowPanels);
  const int64_t minColumnTasks = ceilDivide(cut.panels, maxPanels);
  int64_t bestTime = -1;
  const auto consider = [&](int64_t rowTasks, int64_t columnTasks) {
    const int64_t rowPanels = ceilDivide(cut.rowPanels, rowTasks);
    const int64_t panels = ceilDivide(cut.panels, columnTasks);
    rowTasks = ceilDivide(cut.rowPanels, rowPanels);
    columnTasks = ceilDivide(cut.panels, panels);
    const int64_t tasks = batch * rowTasks * columnTasks;
    const int64_t taskTime =
        100 * rowPanels * panels + costs.rowPanel * rowPanels + costs.panel * panels + 20;
    const int64_t even = tasks * taskTime / threads + (threads > 1 ? taskTime / costs.lostPart : 0);
    const int64_t time = larger(ceilDivide(tasks, threads) * taskTime, even);
    if (bestTime >= 0 && time >= bestTime) return;
    bestTime = time;
    cut.rowPanelsPerTask = rowPanels;
    cut.rowTasks = rowTasks;
    cut.panelsPerTask = panels;
    cut.columnTasks = columnTasks;
  };
  consider(minRowTasks, minColumnTasks);
  if (threads == 1) return;
  for (int64_t extra = 0; extra < 12 && minRowTasks + extra <= cut.rowPanels; ++extra) {
    const int64_t rowTasks = minRowTasks + extra;
    for (int64_t rounds = 1; rounds <= 6; ++rounds) {
      const int64_t columnTasks = ceilDivide(rounds * threads, batch * rowTasks);
      consider(rowTasks, smaller(larger(columnTasks, minColumnTasks), cut.panels));
    }
  }
}

/// Chooses the cut; M, N and `batch` are positive.
inline Blocking chooseBlocking(int64_t batch, int64_t M, int64_t N, int64_t K, int64_t threads,
                               const Limits& limits) {
  Blocking cut(DepthBlocks(K, limits.depthBlock));
  cut.rowPanels = ceilDivide(M, limits.tileRows);
  cut.panels = ceilDivide(N, limits.tileColumns);

  const int64_t rowPanelBytes = limits.tileRows * limits.accumulatorSizeInBytes;
  const int64_t wholeDepthPanels = kPackedABytes / (rowPanelBytes * larger(K, 1));
  const int64_t blockPanels = larger(1, limits.rowBlock / limits.tileRows);
  cut.packsWholeDepth = wholeDepthPanels >= smaller(cut.rowPanels, blockPanels);
  int64_t maxRowPanels = blockPanels;
  int64_t maxPanels = cut.panels;
  if (cut.packsWholeDepth) {
    maxRowPanels = smaller(maxRowPanels, wholeDepthPanels);
  } else {
    maxPanels = larger(1, limits.columnBlock / limits.tileColumns);
  }

  const bool isSmall = batch * M * N * K < kParallelProducts;
  // A vector of FMAs does 16 products a cycle, packing takes about 0.45 cycles an element (both
  // measured on Zen 4, with AVX2 and AVX-512), so a row panel costs 720 / tileColumns.
  const TaskCosts costs = {720 / limits.tileColumns,
                           (limits.readsInPlace ? 120 : 720) / limits.tileRows, 8};
  cutIntoTasks(cut, batch, maxRowPanels, maxPanels, isSmall ? 1 : threads, costs);

  const int64_t tasks = batch * cut.tasksPerMatrix();
  const int64_t products = larger(1, batch * M * N * K / tasks);
  cut.tasksPerCall =
      isSmall ? tasks : larger(1, smaller(kParallelProducts / 4 / products, tasks / (4 * threads)));
  return cut;
}

}  // namespace ait::gemm
