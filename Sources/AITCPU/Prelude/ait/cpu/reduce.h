// Reductions over some axes, with a prologue on the elements and an epilogue on the results.
#pragma once

#include "ait/cpu/reduce_loops.h"
#include "ait/cpu/reducers.h"

namespace ait {

// MARK: - Vectors along the reduced axis

/// The reduction of each outer index to one result, the last inner axis in vectors.
template <class Types>
class ReductionAlong {
  using T = typename Types::T;
  using Reducer = typename Types::Reducer;
  using Partial = typename Reducer::template Partial<Types::W>;
  using Total = typename Reducer::template Total<Types::W>;
  using Result = typename Reducer::template Total<1>;
  static constexpr int W = Types::W;
  static constexpr int kOuterRank = Types::kOuterRank;

 public:
  explicit ReductionAlong(const KernelContext& context)
      : context_(context),
        elements_(context, [](int axis) { return axis; }),
        results_(context),
        outer_(product(context.sizes, kOuterRank)),
        blocks_(product(context.sizes + kOuterRank, Types::kInnerRank - 1),
                context.sizes[Types::kRank - 1], W) {}

  void run() {
    if (outer_ == 0) return;
    const int64_t parts = partsOf(outer_, blocks_.count(), kMaximumParts);
    if (parts > 1) {
      runInParts(parts);
      return;
    }
    const RowTasks tasks(outer_, blocks_.elementCount(), context_.pool.threadCount());
    parallelFor(context_.pool, tasks.count(),
                [&](int64_t task, int32_t) { reduceAll(tasks.first(task), tasks.last(task)); });
  }

 private:
  static constexpr int64_t kMaximumParts = 256;

  /// Few long rows: each is cut into parts, whose totals are merged in order.
  void runInParts(int64_t parts) {
    Result totals[kMaximumParts];
    parallelFor(context_.pool, outer_ * parts, [&](int64_t index, int32_t) {
      const int64_t part = index % parts;
      totals[index] = reducePart(index / parts, blocks_.count() * part / parts,
                                 blocks_.count() * (part + 1) / parts);
    });
    auto results = results_.walk();
    for (int64_t outer = 0; outer < outer_; ++outer) {
      Result total;
      for (int64_t part = 0; part < parts; ++part) total.merge(totals[outer * parts + part]);
      results.moveTo(outer);
      results.template write<1>(0, total.finish(blocks_.elementCount()), WholeVector{});
    }
  }

  __attribute__((noinline)) Result reducePart(int64_t outer, int64_t first, int64_t last) const {
    auto elements = elements_.walk();
    return reduceBlocks(elements, outer, first, last);
  }

  __attribute__((noinline)) void reduceAll(int64_t first, int64_t last) const {
    auto elements = elements_.walk();
    auto results = results_.walk();
    for (int64_t outer = first; outer < last; ++outer) {
      const Result total = reduceBlocks(elements, outer, 0, blocks_.count());
      results.moveTo(outer);
      results.template write<1>(0, total.finish(blocks_.elementCount()), WholeVector{});
    }
  }

  template <class Elements>
  AIT_INLINE Result reduceBlocks(Elements& elements, int64_t outer, int64_t first,
                                 int64_t last) const {
    Total total;
    for (int64_t block = first; block < last; ++block) {
      RowBlocks::Range range = blocks_.range(block);
      const BlockPlace place{range.firstColumn, W, 1};
      range.firstRow += outer * blocks_.rowCount();
      range.lastRow += outer * blocks_.rowCount();
      Partial partial;
      pass<0>(elements, range, partial);
      if constexpr (Reducer::kPasses == 2) {
        partial.nextPass();
        pass<1>(elements, range, partial);
      }
      // The first is not merged with that of nothing: short rows have no other.
      if (block == first) {
        total = partial.total(place);
      } else {
        total.merge(partial.total(place));
      }
    }
    return total.collapsed();
  }

  template <int kPass, class Elements>
  AIT_INLINE void pass(Elements& elements, const RowBlocks::Range& range, Partial& partial) const {
    constexpr bool kIsLast = kPass == Reducer::kPasses - 1;
    for (int64_t row = range.firstRow; row < range.lastRow; ++row) {
      elements.moveTo(row);
      const auto rows = elements.rows();
      const auto at = [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
        return rows.template at<W, kIsLast>(column, extent);
      };
      int64_t column = range.firstColumn;
      for (; column + 4 * W <= range.lastColumn; column += 4 * W) {
        const auto x0 = at(column, WholeVector{});
        const auto x1 = at(column + W, WholeVector{});
        const auto x2 = at(column + 2 * W, WholeVector{});
        const auto x3 = at(column + 3 * W, WholeVector{});
        partial.template step<kPass>(x0, x1, x2, x3);
      }
      for (; column + W <= range.lastColumn; column += W) {
        partial.template step<kPass>(at(column, WholeVector{}));
      }
      if (column < range.lastColumn) {
        const int64_t count = range.lastColumn - column;
        partial.template stepFirst<kPass>(at(column, PartialVector{count}), count);
      }
    }
  }

  const KernelContext& context_;
  ElementLoops<Types> elements_;
  ResultLoops<Types, kOuterRank + 1, typename WrittenOnce<typename Types::Results>::Type> results_;
  int64_t outer_;
  RowBlocks blocks_;
};

/// outputs[outer…] = Epilogue(reduction over inner… of Prologue(inputs), extras).
///
/// - sizes: `outerRank` extents, `innerRank` extents that are reduced, then as many strides for
///   each input, extra and output, in elements; extras and outputs have the stride 0 along inner
///   axes.
/// - buffers: inputs, extras, outputs. With `kExposes` the last output has strides along all axes
///   and takes the prologue's value; it may be the same memory as an input with the same strides.
/// - Any extent may be 0.
///
/// Results do not depend on the number of threads. Bound by memory bandwidth.
template <class Tag, class Parameters, class Prologue, class Epilogue, class In, class Extras,
          class Out, int outerRank, int innerRank, bool kExposes>
void reduce(const KernelContext& context) {
  using Types = ReductionTypes<Tag, Parameters, Prologue, Epilogue, In, Extras, Out, outerRank,
                               innerRank, kExposes>;
  ReductionAlong<Types>(context).run();
}

// MARK: - Vectors across results

/// The reduction with vectors along the last outer axis: blocks of neighbouring results at once.
template <class Types>
class ReductionAcross {
  using T = typename Types::T;
  using Reducer = typename Types::Reducer;
  using Partial = typename Reducer::template Partial<Types::W>;
  using Total = typename Reducer::template Total<Types::W>;
  static constexpr int W = Types::W;
  static constexpr int kOuterRank = Types::kOuterRank;

 public:
  explicit ReductionAcross(const KernelContext& context)
      : context_(context),
        elements_(context,
                  [](int axis) {
                    if (axis < kOuterRank - 1) return axis;
                    return axis == Types::kRank - 1 ? kOuterRank - 1 : axis + 1;
                  }),
        results_(context),
        outer_(product(context.sizes, kOuterRank - 1)),
        columns_(context.sizes[kOuterRank - 1]),
        length_(product(context.sizes + kOuterRank, Types::kInnerRank)),
        columnBlocks_((columns_ + kColumns - 1) / kColumns),
        blocks_((length_ + kBlockSteps - 1) / kBlockSteps) {}

  void run() {
    const int64_t jobs = outer_ * columnBlocks_;
    if (jobs == 0) return;
    const int64_t vectors = columns_ < kColumns ? (columns_ + W - 1) / W : kVectors;
    const int64_t parts = partsOf(jobs, blocks_ * vectors / 4, kMaximumTotals / vectors);
    if (parts > 1) {
      runInParts(jobs, parts < blocks_ ? parts : blocks_, vectors);
      return;
    }
    const int64_t columns = columns_ < kColumns ? columns_ : kColumns;
    const RowTasks tasks(jobs, length_ * columns, context_.pool.threadCount());
    parallelFor(context_.pool, tasks.count(),
                [&](int64_t task, int32_t) { reduceAll(tasks.first(task), tasks.last(task)); });
  }

 private:
  /// The vectors of a block: a KiB of each row, as shorter pieces would defeat the prefetching.
  static constexpr int64_t kVectors = 256 / kLanes;
  static constexpr int64_t kColumns = kVectors * W;
  static constexpr int64_t kMaximumTotals =
      (int64_t{64} << 10) / static_cast<int64_t>(sizeof(Total));

  /// Memory for a value that is not made before it is needed.
  template <class Value>
  union Slot {
    Slot() {}
    Value value;
  };

  /// Few results of long reductions: each block is cut into parts, whose totals are merged in
  /// order.
  void runInParts(int64_t jobs, int64_t parts, int64_t vectors) {
    Slot<Total> totals[kMaximumTotals];
    parallelFor(context_.pool, jobs * parts, [&](int64_t index, int32_t) {
      const int64_t part = index % parts;
      reducePart(index / parts, blocks_ * part / parts, blocks_ * (part + 1) / parts,
                 totals + index * vectors);
    });
    auto results = results_.walk();
    for (int64_t job = 0; job < jobs; ++job) {
      Slot<Total>* sum = totals + job * parts * vectors;
      const int64_t used = vectorsOf(job);
      for (int64_t part = 1; part < parts; ++part) {
        for (int64_t vector = 0; vector < used; ++vector) {
          sum[vector].value.merge(sum[part * vectors + vector].value);
        }
      }
      write(results, job, sum);
    }
  }

  __attribute__((noinline)) void reducePart(int64_t job, int64_t first, int64_t last,
                                            Slot<Total>* totals) const {
    auto elements = elements_.walk();
    reduceBlocks(elements, job, first, last, totals);
  }

  __attribute__((noinline)) void reduceAll(int64_t first, int64_t last) const {
    auto elements = elements_.walk();
    auto results = results_.walk();
    for (int64_t job = first; job < last; ++job) {
      Slot<Total> totals[kVectors];
      reduceBlocks(elements, job, 0, blocks_, totals);
      write(results, job, totals);
    }
  }

  AIT_INLINE int64_t firstColumn(int64_t job) const { return job % columnBlocks_ * kColumns; }
  AIT_INLINE int64_t lastColumn(int64_t job) const {
    const int64_t last = firstColumn(job) + kColumns;
    return last < columns_ ? last : columns_;
  }
  AIT_INLINE int64_t vectorsOf(int64_t job) const {
    return (lastColumn(job) - firstColumn(job) + W - 1) / W;
  }

  template <class Elements>
  AIT_INLINE void reduceBlocks(Elements& elements, int64_t job, int64_t first, int64_t last,
                               Slot<Total>* totals) const {
    const int64_t row = job / columnBlocks_ * length_;
    const int64_t vectors = vectorsOf(job);
    for (int64_t vector = 0; vector < vectors; ++vector) totals[vector].value = Total();
    for (int64_t block = first; block < last; ++block) {
      const int64_t start = block * kBlockSteps;
      const int64_t end = start + kBlockSteps < length_ ? start + kBlockSteps : length_;
      Slot<Partial> partials[kVectors];
      for (int64_t vector = 0; vector < vectors; ++vector) partials[vector].value = Partial();
      pass<0>(elements, job, row + start, row + end, partials);
      if constexpr (Reducer::kPasses == 2) {
        for (int64_t vector = 0; vector < vectors; ++vector) partials[vector].value.nextPass();
        pass<1>(elements, job, row + start, row + end, partials);
      }
      for (int64_t vector = 0; vector < vectors; ++vector) {
        totals[vector].value.merge(partials[vector].value.total({start, 1, 0}));
      }
    }
  }

  template <int kPass, class Elements>
  AIT_INLINE void pass(Elements& elements, int64_t job, int64_t row, int64_t last,
                       Slot<Partial>* partials) const {
    constexpr bool kIsLast = kPass == Reducer::kPasses - 1;
    const int64_t firstOfJob = firstColumn(job);
    const int64_t lastOfJob = lastColumn(job);
    const auto nextRows = [&]() AIT_INLINE_LAMBDA {
      elements.moveTo(row++);
      return elements.rows();
    };
    while (row + 4 <= last) {
      const auto rows0 = nextRows();
      const auto rows1 = nextRows();
      const auto rows2 = nextRows();
      const auto rows3 = nextRows();
      Slot<Partial>* partial = partials;
      forEachVector<W>(firstOfJob, lastOfJob, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
        const auto x0 = rows0.template at<W, kIsLast>(column, extent);
        const auto x1 = rows1.template at<W, kIsLast>(column, extent);
        const auto x2 = rows2.template at<W, kIsLast>(column, extent);
        const auto x3 = rows3.template at<W, kIsLast>(column, extent);
        (partial++)->value.template step<kPass>(x0, x1, x2, x3);
      });
    }
    while (row < last) {
      const auto rows = nextRows();
      Slot<Partial>* partial = partials;
      forEachVector<W>(firstOfJob, lastOfJob, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
        const auto x = rows.template at<W, kIsLast>(column, extent);
        (partial++)->value.template step<kPass>(x);
      });
    }
  }

  template <class Results>
  AIT_INLINE void write(Results& results, int64_t job, const Slot<Total>* totals) const {
    results.moveTo(job / columnBlocks_);
    forEachVector<W>(firstColumn(job), lastColumn(job),
                     [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
                       results.template write<W>(column, (totals++)->value.finish(length_), extent);
                     });
  }

  const KernelContext& context_;
  ElementLoops<Types> elements_;
  ResultLoops<Types, kOuterRank, typename Types::Results> results_;
  int64_t outer_;
  int64_t columns_;
  int64_t length_;
  int64_t columnBlocks_;
  int64_t blocks_;
};

/// `reduce` with vectors across results: the last outer axis is contiguous in the first input, and
/// operands describe their access along it.
template <class Tag, class Parameters, class Prologue, class Epilogue, class In, class Extras,
          class Out, int outerRank, int innerRank, bool kExposes>
void reduceAcross(const KernelContext& context) {
  using Types = ReductionTypes<Tag, Parameters, Prologue, Epilogue, In, Extras, Out, outerRank,
                               innerRank, kExposes>;
  ReductionAcross<Types>(context).run();
}

}  // namespace ait
