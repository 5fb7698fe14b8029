// Products of many rows: blocks of A and B, packed for the caches and the registers.
#pragma once

#include "ait/cpu/matmul_blocking.h"
#include "ait/cpu/matmul_config.h"
#include "ait/cpu/matmul_epilogue.h"
#include "ait/cpu/matmul_pack.h"

namespace ait::gemm {

/// The row panels of `rowCount` rows: `kTileRows` rows each, but if fewer than four are left for
/// the last, it shares evenly with the one before it. With two vectors a row, four rows have the
/// eight sums that two FMA units of latency four keep busy.
template <int kTileRows>
struct RowPanels {
  int64_t count;
  int64_t lastStart;
  int64_t rowCount;

  explicit RowPanels(int64_t rows)
      : count(ceilDivide(rows, kTileRows)), lastStart((count - 1) * kTileRows), rowCount(rows) {
    const int64_t last = rows - lastStart;
    if (count > 1 && last < 4) lastStart = rows - (kTileRows + last) / 2;
  }

  int64_t start(int64_t panel) const {
    return panel + 1 < count ? panel * kTileRows : panel < count ? lastStart : rowCount;
  }
  int64_t rows(int64_t panel) const { return start(panel + 1) - start(panel); }
};

/// One thread's share of a product: a block of rows times a block of columns of one matrix.
///
/// For every block of K, and within it for every panel of B, all row panels of A in turn. With
/// AVX-512, float and weights that are read as they lie:
///
/// | data                | size                    | where it stays                           |
/// | ------------------- | ----------------------- | ---------------------------------------- |
/// | the sums of a tile  | 12 x 32                 | registers                                |
/// | a row panel of A    | 12 x 384: 18 KiB        | streams from L2                          |
/// | a panel of B        | 384 x 32: 48 KiB        | L2; from L3 or memory once per task      |
/// | the rows of A       | 144 x 384: 216 KiB      | L2; packed once per task and block of K  |
/// | sums of past blocks | 144 x 512: 288 KiB      | L2; none if K has one block              |
///
/// If the rows of A fit kPackedABytes for all of K, they are packed once, and the loops over blocks
/// and panels change places, so that the sums of past blocks are those of one panel.
template <class Config, class Body, class In, class Out>
class BlockTask {
  using A = typename Config::A;
  using B = typename Config::B;
  using Tile = typename Config::Tile;
  using Accumulator = typename Tile::Accumulator;
  using Sizes = gemm::Sizes<Config::kBatchRank>;
  // The width of the last panel's tiles where no more is needed.
  static constexpr int kNarrowVectors = Tile::kVectors / 2;
  static constexpr int kNarrowColumns = kNarrowVectors * Tile::kLanes;
  static constexpr bool kIsPacked = Config::kPacking == Packing::packed;
  // Up to so many row panels, B is converted in each, not once for all: for 12 x 32 tiles and
  // 16-bit floats, 2 and 3 panels gain 5 % and 4 %, 4 are even, 6 lose 3 %.
  static constexpr int kDirectPanels = 3;

 public:
  BlockTask(const KernelContext& context, const Sizes& sizes, const Blocking& cut)
      : context_(context), sizes_(sizes), cut_(cut), matrix_(context, sizes) {}

  /// Computes the block of C that belongs to a task index.
  void run(int64_t task, int32_t thread) {
    matrix_.seek(context_, sizes_, task / cut_.tasksPerMatrix());
    // Neighbouring tasks share columns, so that threads read the same part of B at a time.
    const int64_t columnTask = task % cut_.tasksPerMatrix() / cut_.rowTasks;
    const int64_t rowTask = task % cut_.tasksPerMatrix() % cut_.rowTasks;
    const int64_t firstPanel = columnTask * cut_.panelsPerTask;
    const int64_t endPanel = smaller(firstPanel + cut_.panelsPerTask, cut_.panels);
    firstRow_ = rowTask * cut_.rowPanelsPerTask * Tile::kRows;
    const RowPanels<Tile::kRows> rows(
        smaller(cut_.rowPanelsPerTask * Tile::kRows, sizes_.M - firstRow_));

    const Scratch<Accumulator> scratch(context_.pool.scratch(thread));
    packedA_ = scratch.packedA;
    packedB_ = scratch.packedB;
    Accumulator* sums = scratch.sums;
    if (cut_.packsWholeDepth) {
      packRows(rows, 0, sizes_.K);
      for (int64_t panel = firstPanel; panel < endPanel; ++panel) {
        for (int64_t block = 0; block < cut_.depth.count; ++block) {
          multiplyPanel(rows, panel, block, sums);
        }
      }
    } else {
      for (int64_t block = 0; block < cut_.depth.count; ++block) {
        packRows(rows, block * cut_.depth.length, depthOf(block));
        for (int64_t panel = firstPanel; panel < endPanel; ++panel) {
          multiplyPanel(rows, panel, block,
                        sums + (panel - firstPanel) * rows.count * Tile::kElements);
        }
      }
    }
  }

 private:
  int64_t depthOf(int64_t block) const {
    return smaller(cut_.depth.length, sizes_.K - block * cut_.depth.length);
  }

  /// Packs `depth` columns of the task's rows of A.
  void packRows(const RowPanels<Tile::kRows>& rows, int64_t firstK, int64_t depth) {
    if (depth == 0) return;
    const int64_t rowStride = sizes_.aStrides[Config::kBatchRank];
    const int64_t depthStride = sizes_.aStrides[Config::kBatchRank + 1];
    packedDepth_ = depth;
    for (int64_t panel = 0; panel < rows.count; ++panel) {
      packPanel<Tile::kRows>(
          packedA_ + panel * Tile::kRows * depth,
          PanelSource<A>{
              matrix_.a + (firstRow_ + rows.start(panel)) * rowStride + firstK * depthStride,
              rowStride,
              depthStride,
              rows.rows(panel),
              depth,
          });
    }
  }

  /// Multiplies all rows of the task by one block of K of one panel of B.
  void multiplyPanel(const RowPanels<Tile::kRows>& rows, int64_t panel, int64_t block,
                     Accumulator* sums) {
    const int64_t firstK = block * cut_.depth.length;
    const int64_t depth = depthOf(block);
    const int64_t column = panel * Tile::kColumns;
    const int64_t columns = sizes_.N - column;
    if (depth == 0) {
      multiplyRowPanels(rows, PanelAddress<Accumulator>{packedB_, 0, 0}, panel, block, sums);
      return;
    }
    if constexpr (kIsPacked) {
      const B* elements = matrix_.b + (panel * sizes_.K + firstK) * Tile::kColumns;
      if (Config::kReadsInPlace || (rows.count <= kDirectPanels && columns > kNarrowColumns)) {
        multiplyRowPanels(rows, PanelAddress<B>{elements, Tile::kColumns, 0}, panel, block, sums);
        return;
      }
      packPanel<Tile::kColumns>(packedB_,
                                PanelSource<B>{elements, 1, Tile::kColumns, Tile::kColumns, depth});
    } else {
      const int64_t depthStride = sizes_.bStrides[Config::kBatchRank];
      const int64_t columnStride = sizes_.bStrides[Config::kBatchRank + 1];
      const B* elements = matrix_.b + firstK * depthStride + column * columnStride;
      if (columnStride == 1 && columns >= Tile::kColumns && rows.count <= kDirectPanels) {
        multiplyRowPanels(rows, PanelAddress<B>{elements, depthStride, 0}, panel, block, sums);
        return;
      }
      packPanel<Tile::kColumns>(packedB_, PanelSource<B>{elements, columnStride, depthStride,
                                                         smaller(columns, Tile::kColumns), depth});
    }
    multiplyRowPanels(rows, PanelAddress<Accumulator>{packedB_, Tile::kColumns, 0}, panel, block,
                      sums);
  }

  /// Multiplies all row panels by a block of a panel of B; finishes them if it is K's last.
  template <class Element>
  void multiplyRowPanels(const RowPanels<Tile::kRows>& rows, PanelAddress<Element> address,
                         int64_t panel, int64_t block, Accumulator* sums) {
    const bool isFirst = block == 0;
    const bool isLast = block + 1 == cut_.depth.count;
    const int64_t depth = depthOf(block);
    const int64_t column = panel * Tile::kColumns;
    const int64_t columns = smaller(Tile::kColumns, sizes_.N - column);
    const Accumulator* a =
        packedA_ + (cut_.packsWholeDepth ? block * cut_.depth.length * Tile::kRows : 0);
    const bool isNarrow = columns <= kNarrowColumns;
    for (int64_t i = 0; i < rows.count;
         ++i, a += Tile::kRows * packedDepth_, sums += Tile::kElements) {
      const int64_t row = firstRow_ + rows.start(i);
      const int64_t rowCount = rows.rows(i);
      if constexpr (__is_same(Element, Accumulator)) {
        if (isLast && rowCount == Tile::kRows && columns == Tile::kColumns) {
          multiplyAndFinish(a, address, depth, sums, isFirst, row, column);
          continue;
        }
        if (isNarrow) {
          PackedRows<Tile, kNarrowVectors, Element>::multiply(rowCount, a, address, depth, sums,
                                                              isFirst);
        }
      }
      if (!isNarrow) {
        PackedRows<Tile, Tile::kVectors, Element>::multiply(rowCount, a, address, depth, sums,
                                                            isFirst);
      }
      if (isLast) {
        matrix_.epilogue.finish(sums, isNarrow ? kNarrowColumns : Tile::kColumns, row, rowCount,
                                column, columns);
      }
    }
  }

  /// Multiplies and finishes a whole tile without leaving the registers.
  __attribute__((noinline)) void multiplyAndFinish(const Accumulator* a,
                                                   PanelAddress<Accumulator> address, int64_t depth,
                                                   const Accumulator* stored, bool isFirst,
                                                   int64_t row, int64_t column) const {
    Sums<Tile, Tile::kRows> sums;
    multiply(sums, a, Tile::kRows, 1, address, depth);
    if (!isFirst) sums.add(stored);
    matrix_.epilogue.finish(sums, row, column);
  }

  const KernelContext& context_;
  const Sizes& sizes_;
  const Blocking& cut_;
  Matrix<Config, Body, In, Out> matrix_;
  int64_t firstRow_ = 0;
  int64_t packedDepth_ = 0;
  Accumulator* packedA_ = nullptr;
  Accumulator* packedB_ = nullptr;
};

/// Computes a product by `BlockTask`s.
template <class Config, class Body, class In, class Out>
void multiplyInBlocks(const KernelContext& context, const gemm::Sizes<Config::kBatchRank>& sizes) {
  using Tile = typename Config::Tile;
  using Accumulator = typename Tile::Accumulator;
  static_assert(Config::kRowBlock * Config::kDepthBlock * sizeof(Accumulator) <= kPackedABytes);
  static_assert(Config::kDepthBlock * Tile::kColumns * sizeof(Accumulator) <= kPackedBBytes);
  static_assert(Config::kRowBlock * Config::kColumnBlock * sizeof(Accumulator) <= kSumsBytes);
  const Limits limits = {
      Tile::kRows,         Tile::kColumns,       sizeof(Accumulator),   Config::kRowBlock,
      Config::kDepthBlock, Config::kColumnBlock, Config::kReadsInPlace,
  };
  const Blocking cut =
      chooseBlocking(sizes.batch(), sizes.M, sizes.N, sizes.K, context.pool.threadCount(), limits);
  const int64_t tasks = sizes.batch() * cut.tasksPerMatrix();
  parallelFor(context.pool, ceilDivide(tasks, cut.tasksPerCall), [&](int64_t call, int32_t thread) {
    BlockTask<Config, Body, In, Out> task(context, sizes, cut);
    const int64_t end = smaller((call + 1) * cut.tasksPerCall, tasks);
    for (int64_t index = call * cut.tasksPerCall; index < end; ++index) task.run(index, thread);
  });
}

}  // namespace ait::gemm
