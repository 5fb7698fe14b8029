// Products of one to four rows, which are as fast as B can be read.
#pragma once

#include "ait/cpu/matmul_blocking.h"
#include "ait/cpu/matmul_config.h"
#include "ait/cpu/matmul_epilogue.h"
#include "ait/cpu/matmul_pack.h"

namespace ait::gemm {

/// The product of few rows of A by a B whose rows can be read in place.
///
/// All rows of A meet each element of B at once; panels of B are read from end to end, two at a
/// time for one or two rows, whose sums in one panel are too few to hide the latency of FMA. Tasks
/// are ranges of panels. Where N has fewer panels than there are threads, tasks are also ranges of
/// blocks of K, whose sums the caller adds in order.
template <class Config, class Body, class In, class Out>
class FewRowsMatmul {
  using A = typename Config::A;
  using B = typename Config::B;
  using Tile = typename Config::Tile;
  using Accumulator = typename Tile::Accumulator;
  using Sizes = gemm::Sizes<Config::kBatchRank>;

  static constexpr bool kIsPacked = Config::kPacking == Packing::packed;
  static constexpr int kMaxRows = 4;
  static constexpr int kColumns = Tile::kColumns;
  // Panels read at a time.
  static constexpr int kGroup = 2;
  static constexpr int64_t kGroupElements = int64_t{kMaxRows} * kColumns * kGroup;
  // Reading the B of fewer products takes about as long as to wake another thread.
  static constexpr int64_t kParallelProducts = int64_t{1} << 16;
  // Sums of blocks of K for other threads' use; kept small, as they lie on the caller's stack.
  static constexpr int64_t kSharedElements = 32768 / sizeof(Accumulator);

 public:
  /// Whether the product is one of those.
  static bool covers(const Sizes& sizes) {
    const bool isInPlace = kIsPacked || sizes.bStrides[Config::kBatchRank + 1] == 1;
    return sizes.M <= kMaxRows && isInPlace && sizes.K > 0 &&
           sizes.M * sizes.K * static_cast<int64_t>(sizeof(Accumulator)) <= kPackedABytes;
  }

  FewRowsMatmul(const KernelContext& context, const Sizes& sizes)
      : context_(context),
        sizes_(sizes),
        depth_(sizes.K, Config::kDepthBlock),
        panels_(ceilDivide(sizes.N, kColumns)),
        groupPanels_(sizes.M <= 2 ? kGroup : 1),
        groups_(ceilDivide(panels_, groupPanels_)) {}

  void run() {
    const int64_t units = sizes_.batch() * groups_;
    const int64_t threads = context_.pool.threadCount();
    const int64_t products = units * sizes_.M * sizes_.K * kColumns * groupPanels_;
    if (products < kParallelProducts) {
      runUnits(0, units, 0);
    } else if (units < threads && depth_.count > 1 &&
               units * depth_.count * unitElements() <= kSharedElements) {
      runSharingDepth(units, smaller(depth_.count, ceilDivide(2 * threads, units)));
    } else {
      const int64_t tasks = smaller(units, threads == 1 ? 1 : threads * 4);
      parallelFor(context_.pool, tasks, [&](int64_t task, int32_t thread) {
        runUnits(task * units / tasks, (task + 1) * units / tasks, thread);
      });
    }
  }

 private:
  /// A group of panels of one matrix, and what a thread needs to multiply by it.
  struct Unit {
    Matrix<Config, Body, In, Out> matrix;
    // The rows of A that the sums are made from; in place or in scratch memory.
    const Accumulator* rows = nullptr;
    int64_t rowStride = 0;
    int64_t firstPanel = 0;
    int64_t panels = 0;

    int64_t column() const { return firstPanel * kColumns; }
  };

  int64_t unitElements() const { return sizes_.M * kColumns * groupPanels_; }
  int64_t firstKOf(int64_t block) const { return smaller(block * depth_.length, sizes_.K); }

  /// Computes the columns of the units `first ..< end`.
  void runUnits(int64_t first, int64_t end, int32_t thread) const {
    alignas(64) Accumulator stored[kGroupElements];
    Scratch<Accumulator> scratch(context_.pool.scratch(thread));
    Unit unit{Matrix<Config, Body, In, Out>(context_, sizes_)};
    for (int64_t index = first; index < end; ++index) {
      seek(unit, index);
      if (index == first || index % groups_ == 0) readRows(unit, scratch, 0, sizes_.K);
      for (int64_t block = 0; block < depth_.count; ++block) {
        multiplyGroup(unit, scratch, block, stored, block == 0);
      }
      finish(unit, stored);
    }
  }

  /// Computes all units in `parts` ranges of blocks of K each.
  __attribute__((noinline)) void runSharingDepth(int64_t units, int64_t parts) const {
    alignas(64) Accumulator shared[kSharedElements];
    const int64_t unitStep = depth_.count * unitElements();
    parallelFor(context_.pool, units * parts, [&](int64_t task, int32_t thread) {
      const int64_t part = task % parts;
      const int64_t firstBlock = part * depth_.count / parts;
      const int64_t endBlock = (part + 1) * depth_.count / parts;
      Scratch<Accumulator> scratch(context_.pool.scratch(thread));
      Unit unit{Matrix<Config, Body, In, Out>(context_, sizes_)};
      seek(unit, task / parts);
      readRows(unit, scratch, firstKOf(firstBlock), firstKOf(endBlock));
      for (int64_t block = firstBlock; block < endBlock; ++block) {
        multiplyGroup(unit, scratch, block,
                      shared + task / parts * unitStep + block * unitElements(), true);
      }
    });
    Unit unit{Matrix<Config, Body, In, Out>(context_, sizes_)};
    for (int64_t index = 0; index < units; ++index) {
      seek(unit, index);
      Accumulator* sums = shared + index * unitStep;
      for (int64_t block = 1; block < depth_.count; ++block) {
        addSums(sums, sums + block * unitElements());
      }
      finish(unit, sums);
    }
  }

  void addSums(Accumulator* sums, const Accumulator* more) const {
    constexpr int W = Tile::kLanes;
    for (int64_t i = 0; i < unitElements(); i += W) {
      store<Accumulator, W>(sums + i,
                            load<Accumulator, W>(sums + i) + load<Accumulator, W>(more + i));
    }
  }

  void seek(Unit& unit, int64_t index) const {
    unit.matrix.seek(context_, sizes_, index / groups_);
    unit.firstPanel = index % groups_ * groupPanels_;
    unit.panels = smaller(groupPanels_, panels_ - unit.firstPanel);
  }

  /// Makes the columns `firstK ..< endK` of A available as accumulators, k after k.
  void readRows(Unit& unit, const Scratch<Accumulator>& scratch, int64_t firstK,
                int64_t endK) const {
    const int64_t rowStride = sizes_.aStrides[Config::kBatchRank];
    const int64_t depthStride = sizes_.aStrides[Config::kBatchRank + 1];
    if constexpr (__is_same(A, Accumulator)) {
      if (depthStride == 1) {
        unit.rows = unit.matrix.a;
        unit.rowStride = rowStride;
        return;
      }
    }
    for (int64_t row = 0; row < sizes_.M; ++row) {
      convertElements(scratch.packedA + row * sizes_.K + firstK,
                      unit.matrix.a + row * rowStride + firstK * depthStride, depthStride,
                      endK - firstK);
    }
    unit.rows = scratch.packedA;
    unit.rowStride = sizes_.K;
  }

  __attribute__((noinline)) static void convertElements(Accumulator* to, const A* from,
                                                        int64_t stride, int64_t count) {
    constexpr int W = Tile::kLanes;
    int64_t k = 0;
    if (stride == 1) {
      for (; k + W <= count; k += W) {
        store<Accumulator, W>(to + k, convert<Accumulator>(load<A, W>(from + k)));
      }
    }
#pragma clang loop vectorize(disable) unroll(disable)
    for (; k < count; ++k) to[k] = static_cast<Accumulator>(toCompute(from[k * stride]));
  }

  /// Multiplies the rows of A by one block of K of a unit's panels.
  __attribute__((noinline)) void multiplyGroup(const Unit& unit,
                                               const Scratch<Accumulator>& scratch, int64_t block,
                                               Accumulator* stored, bool isFirst) const {
    const int64_t firstK = firstKOf(block);
    const int64_t depth = firstKOf(block + 1) - firstK;
    const Accumulator* a = unit.rows + firstK;
    if constexpr (kIsPacked) {
      const B* elements = unit.matrix.b + (unit.firstPanel * sizes_.K + firstK) * kColumns;
      multiplyPanels(a, unit.rowStride, PanelAddress<B>{elements, kColumns, sizes_.K * kColumns},
                     unit.panels, depth, stored, isFirst);
    } else {
      const int64_t step = sizes_.bStrides[Config::kBatchRank];
      const B* elements = unit.matrix.b + firstK * step + unit.column();
      if (unit.column() + unit.panels * kColumns <= sizes_.N) {
        multiplyPanels(a, unit.rowStride, PanelAddress<B>{elements, step, kColumns}, unit.panels,
                       depth, stored, isFirst);
        return;
      }
      auto* copy = reinterpret_cast<B*>(scratch.packedB);
      copyColumns(copy, elements, step, sizes_.N - unit.column(), depth);
      multiplyPanels(a, unit.rowStride, PanelAddress<B>{copy, kColumns * kGroup, kColumns},
                     unit.panels, depth, stored, isFirst);
    }
  }

  /// Copies the last columns of B, fewer than a group of panels has, and puts zeros after them, so
  /// that nothing beyond B is read.
  __attribute__((noinline)) static void copyColumns(B* to, const B* from, int64_t step,
                                                    int64_t columns, int64_t depth) {
    // Elements are moved, not computed with.
    constexpr int kSize = sizeof(B);
    constexpr int W = Tile::kLanes;
#pragma clang loop unroll(disable)
    for (int64_t k = 0; k < depth; ++k) {
#pragma clang loop unroll(disable)
      for (int64_t column = 0; column < kColumns * kGroup; column += W) {
        const int64_t count = larger(0, smaller(W, columns - column));
        const auto row = PartialAccess<kSize, W>::load(from + (count > 0 ? column : 0), count);
        __builtin_memcpy(to + column, &row, sizeof(row));
      }
      from += step;
      to += kColumns * kGroup;
    }
  }

  void multiplyPanels(const Accumulator* a, int64_t aRow, PanelAddress<B> address, int64_t panels,
                      int64_t depth, Accumulator* stored, bool isFirst) const {
    switch (sizes_.M * kGroup + panels) {
      case kGroup + 1:
        return multiplyRows<1, 1>(a, aRow, address, depth, stored, isFirst);
      case kGroup + 2:
        return multiplyRows<1, 2>(a, aRow, address, depth, stored, isFirst);
      case 2 * kGroup + 1:
        return multiplyRows<2, 1>(a, aRow, address, depth, stored, isFirst);
      case 2 * kGroup + 2:
        return multiplyRows<2, 2>(a, aRow, address, depth, stored, isFirst);
      case 3 * kGroup + 1:
        return multiplyRows<3, 1>(a, aRow, address, depth, stored, isFirst);
      default:
        return multiplyRows<4, 1>(a, aRow, address, depth, stored, isFirst);
    }
  }

  template <int kRows, int kPanels>
  __attribute__((noinline)) static void multiplyRows(const Accumulator* a, int64_t aRow,
                                                     PanelAddress<B> address, int64_t depth,
                                                     Accumulator* stored, bool isFirst) {
    multiplyAndStore<Tile, kRows, kPanels * Tile::kVectors>(a, 1, aRow, address, depth, stored,
                                                            isFirst);
  }

  void finish(const Unit& unit, const Accumulator* stored) const {
    unit.matrix.epilogue.finish(stored, unit.panels * kColumns, 0, sizes_.M, unit.column(),
                                smaller(unit.panels * kColumns, sizes_.N - unit.column()));
  }

  const KernelContext& context_;
  const Sizes& sizes_;
  DepthBlocks depth_;
  int64_t panels_;
  int64_t groupPanels_;
  int64_t groups_;
};

}  // namespace ait::gemm
