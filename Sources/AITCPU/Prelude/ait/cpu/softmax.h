// Softmax and log-softmax, with a prologue (scale, mask) and an epilogue.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// The larger of two numbers. Which of them a NaN gives does not matter to a softmax: a row with a
/// NaN is NaN throughout by its sum.
template <class T, int W>
AIT_INLINE Vec<T, W> largerNumber(Vec<T, W> a, Vec<T, W> b) {
  return Vec<T, W>(a.native > b.native ? a.native : b.native);
}

/// What results are made with, beside the largest element: 1 / sum, or log sum.
template <bool kLogarithmic, class T, int W>
AIT_INLINE Vec<T, W> softmaxFactor(Vec<double, W> sum) {
  if constexpr (kLogarithmic) {
    return log(convert<T>(sum));
  } else {
    return convert<T>(reciprocal(sum));
  }
}

/// The result from what is kept of an element: e^(x − top), or x for logarithms.
template <bool kLogarithmic, class T, int W>
AIT_INLINE Vec<T, W> softmaxResult(Vec<T, W> kept, Vec<T, W> top, Vec<T, W> factor) {
  return kLogarithmic ? kept - top - factor : kept * factor;
}

// MARK: - Vectors along rows

/// The softmax of one row along its columns.
template <class Operands, bool kLogarithmic>
class RowSoftmax {
  using T = typename Operands::T;
  static constexpr int W = Operands::W;

 public:
  /// `kept` has room for kKeptElements<T> and a vector.
  AIT_INLINE RowSoftmax(int64_t columns, T* kept) : columns_(columns), kept_(kept) {}

  /// Where all columns fit what may be kept: the prologue runs once.
  template <class Rows>
  AIT_INLINE void run(const Rows& rows) const {
    const Vec<T, W> top = spread(read<true>(rows, 0, columns_, lowest()));
    Vec<double, W> sum = broadcast<W, double>(0);
    addPowers(columns_, top, sum);
    write(rows, 0, columns_, top, sum);
  }

  /// Any number of columns: the prologue runs for each pass, on parts of the row.
  template <class Rows>
  __attribute__((noinline)) void runInParts(const Rows& rows) const {
    Vec<T, W> top = lowest();
    Vec<double, W> sum = broadcast<W, double>(0);
    for (int pass = 0; pass < 3; ++pass) {
      for (int64_t first = 0; first < columns_; first += kPart) {
        const int64_t last = first + kPart < columns_ ? first + kPart : columns_;
        // What is exposed may take the place of what is read: not before the last pass.
        if (Operands::kIsExposing && pass == 2) {
          read<true>(rows, first, last, top);
        } else {
          const Vec<T, W> larger = read<false>(rows, first, last, top);
          if (pass == 0) top = larger;
        }
        if (pass == 0) continue;
        Vec<double, W> unused = broadcast<W, double>(0);
        addPowers(last - first, top, pass == 1 ? sum : unused);
        if (pass == 2) write(rows, first, last, top, sum);
      }
      if (pass == 0) top = spread(top);
    }
  }

 private:
  static constexpr int64_t kPart = 256 * W;

  static AIT_INLINE Vec<T, W> lowest() {
    return broadcast<W, T>(-static_cast<T>(__builtin_huge_val()));
  }
  static AIT_INLINE Vec<T, W> spread(Vec<T, W> top) {
    const auto larger = [](auto a, auto b) AIT_INLINE_LAMBDA { return largerNumber(a, b); };
    return broadcast<W, T>(horizontal(top, larger));
  }

  /// Keeps the prologue's values of some columns; returns the largest, lane by lane.
  template <bool kStores, class Rows>
  AIT_INLINE Vec<T, W> read(const Rows& rows, int64_t first, int64_t last, Vec<T, W> top) const {
    return foldVectors<W>(
        first, last, top, lowest(),
        [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          const Vec<T, W> x = rows.template read<kStores>(column, extent);
          store<T, W>(kept_ + (column - first), x);
          return x;
        },
        [](auto a, auto b) AIT_INLINE_LAMBDA { return largerNumber(a, b); });
  }

  /// Adds up the exponentials of what is kept, and keeps them unless logarithms are wanted.
  AIT_INLINE void addPowers(int64_t count, Vec<T, W> top, Vec<double, W>& sum) const {
    sumVectors<T, W>(0, count, sum, [&](int64_t at, auto) AIT_INLINE_LAMBDA {
      const Vec<T, W> power = exp(load<T, W>(kept_ + at) - top);
      if constexpr (!kLogarithmic) store<T, W>(kept_ + at, power);
      return power;
    });
  }

  template <class Rows>
  AIT_INLINE void write(const Rows& rows, int64_t first, int64_t last, Vec<T, W> top,
                        Vec<double, W> sum) const {
    const auto total = broadcast<1, double>(horizontalSum(sum));
    const auto factor = broadcast<W, T>(softmaxFactor<kLogarithmic, T>(total)[0]);
    forEachVector<W>(first, last, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> kept = load<T, W>(kept_ + (column - first));
      rows.write(column, softmaxResult<kLogarithmic>(kept, top, factor), extent);
    });
  }

  int64_t columns_;
  T* kept_;
};

template <class Row, class Operands>
__attribute__((noinline)) void softmaxRows(Operands operands, int64_t columns, void* scratch,
                                           int64_t first, int64_t last) {
  using T = typename Operands::T;
  const Row row(columns, static_cast<T*>(scratch));
  operands.seek(first);
  for (int64_t index = first; index < last; ++index) {
    if (columns <= kKeptElements<T>) {
      row.run(operands.rows());
    } else {
      row.runInParts(operands.rows());
    }
    operands.advance();
  }
}

/// outputs = Epilogue(softmax(Prologue(inputs)), extras) along the last axis.
///
/// - sizes: `outerRank` extents and the extent of the axis, then as many strides for each input,
///   extra and output; in elements.
/// - buffers: inputs, extras, outputs. With `kExposes` the last output takes the prologue's value.
///   An output may be the same memory as an input of the prologue with the same strides.
/// - Any extent may be 0.
///
/// The largest element is subtracted first. A row with a NaN, with +∞ or of −∞ alone gives NaN, as
/// in PyTorch. A row is kept in the thread's scratch memory if it fits, and read three times
/// otherwise. Bound by memory bandwidth, in caches by the exponential.
template <class Prologue, class Epilogue, class In, class Extras, class Out, int outerRank,
          bool kLogarithmic, bool kExposes>
void softmax(const KernelContext& context) {
  constexpr int kRank = outerRank + 1;
  using Operands = RowOperands<Prologue, Epilogue, In, Extras, Out, kRank, kExposes>;
  using Row = RowSoftmax<Operands, kLogarithmic>;
  const int64_t rows = product(context.sizes, outerRank);
  const int64_t columns = context.sizes[outerRank];
  if (rows * columns == 0) return;
  const Operands operands(context.buffers, context.sizes, context.sizes + kRank);
  const RowTasks tasks(rows, columns, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    softmaxRows<Row>(operands, columns, context.pool.scratch(thread), tasks.first(task),
                     tasks.last(task));
  });
}

// MARK: - Vectors across rows

/// The softmax of a block of neighbouring columns, each along the rows.
template <class Operands, bool kLogarithmic>
class ColumnSoftmax {
  using T = typename Operands::T;
  static constexpr int W = Operands::W;

 public:
  /// Four cache lines of floats on AVX-512: enough that lines are used whole and rows prefetched.
  static constexpr int kVectors = 4;
  static constexpr int64_t kColumns = kVectors * W;

  /// The columns `first ..< last` of `length` rows.
  AIT_INLINE ColumnSoftmax(int64_t length, int64_t first, int64_t last, T* kept)
      : length_(length), first_(first), last_(last), kept_(kept) {
    for (Vec<T, W>& each : top_) each = broadcast<W, T>(-static_cast<T>(__builtin_huge_val()));
    for (Vec<double, W>& each : sum_) each = broadcast<W, double>(0);
  }

  /// The rows of the softmax begin at `row`. The prologue runs once if they fit what may be kept,
  /// and otherwise for each pass, on parts of them.
  AIT_INLINE void run(Operands& operands, int64_t row) {
    const bool isKept = length_ <= kPart;
    for (int pass = 0; pass < 3; ++pass) {
      for (int64_t start = 0; start < length_; start += kPart) {
        const int64_t count = start + kPart < length_ ? kPart : length_ - start;
        if (pass == 0 || !isKept) {
          operands.seek(row + start);
          // What is exposed may take the place of what is read: not before the last reading.
          if (isKept || pass == 2) {
            read<true>(operands, count);
          } else {
            read<false>(operands, count);
          }
        }
        if (pass == 1) addPowers(count, sum_);
        if (pass == 2) {
          Vec<double, W> unused[kVectors];
          if (!isKept) addPowers(count, unused);
          operands.seek(row + start);
          write(operands, count);
        }
      }
    }
  }

 private:
  /// The rows that may be kept.
  static constexpr int64_t kPart = kKeptElements<T> / kColumns;

  template <class Body>
  AIT_INLINE void forEachVectorOfBlock(Body&& body) const {
    int vector = 0;
    forEachVector<W>(first_, last_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      body(column, extent, vector++);
    });
  }

  AIT_INLINE T* keptAt(int64_t row, int vector) const {
    return kept_ + row * kColumns + vector * W;
  }

  template <bool kStores>
  AIT_INLINE void read(Operands& operands, int64_t count) {
    for (int64_t row = 0; row < count; ++row) {
      const auto rows = operands.rows();
      forEachVectorOfBlock([&](int64_t column, auto extent, int vector) AIT_INLINE_LAMBDA {
        const Vec<T, W> x = rows.template read<kStores>(column, extent);
        store<T, W>(keptAt(row, vector), x);
        top_[vector] = largerNumber(top_[vector], x);
      });
      operands.advance();
    }
  }

  AIT_INLINE void addPowers(int64_t count, Vec<double, W>* sum) const {
    const int vectors = static_cast<int>((last_ - first_ + W - 1) / W);
    for (int vector = 0; vector < vectors; ++vector) {
      const Vec<T, W> top = top_[vector];
      // Steps along the column take the place of lanes along a row.
      sumVectors<T, W>(0, count * W, sum[vector], [&](int64_t at, auto) AIT_INLINE_LAMBDA {
        T* kept = keptAt(0, vector) + at * kVectors;
        const Vec<T, W> power = exp(load<T, W>(kept) - top);
        if constexpr (!kLogarithmic) store<T, W>(kept, power);
        return power;
      });
    }
  }

  AIT_INLINE void write(Operands& operands, int64_t count) const {
    Vec<T, W> factor[kVectors];
    for (int vector = 0; vector < kVectors; ++vector) {
      factor[vector] = softmaxFactor<kLogarithmic, T>(sum_[vector]);
    }
    for (int64_t row = 0; row < count; ++row) {
      const auto rows = operands.rows();
      forEachVectorOfBlock([&](int64_t column, auto extent, int vector) AIT_INLINE_LAMBDA {
        const Vec<T, W> kept = load<T, W>(keptAt(row, vector));
        rows.write(column, softmaxResult<kLogarithmic>(kept, top_[vector], factor[vector]), extent);
      });
      operands.advance();
    }
  }

  int64_t length_;
  int64_t first_;
  int64_t last_;
  T* kept_;
  Vec<T, W> top_[kVectors];
  Vec<double, W> sum_[kVectors];
};

template <class Block, class Operands>
__attribute__((noinline)) void softmaxBlocks(Operands operands, const int64_t* extents, int rank,
                                             void* scratch, int64_t first, int64_t last) {
  using T = typename Operands::T;
  const int64_t length = extents[rank - 2];
  const int64_t columns = extents[rank - 1];
  const int64_t blocks = (columns + Block::kColumns - 1) / Block::kColumns;
  for (int64_t index = first; index < last; ++index) {
    const int64_t column = index % blocks * Block::kColumns;
    const int64_t end = column + Block::kColumns;
    Block block(length, column, end < columns ? end : columns, static_cast<T*>(scratch));
    block.run(operands, index / blocks * length);
  }
}

/// `softmax` with vectors across rows: the last outer axis is contiguous in the first input, and
/// operands describe their access along it.
template <class Prologue, class Epilogue, class In, class Extras, class Out, int outerRank,
          bool kLogarithmic, bool kExposes>
void softmaxAcross(const KernelContext& context) {
  constexpr int kRank = outerRank + 1;
  using Operands = RowOperands<Prologue, Epilogue, In, Extras, Out, kRank, kExposes>;
  using Block = ColumnSoftmax<Operands, kLogarithmic>;
  // The vector axis becomes the innermost, the normalised axis the one around it.
  const LoopSizes<kRank, Operands::kCount> loops(
      context.sizes, kRank, 0, [](int axis) AIT_INLINE_LAMBDA {
        return axis == kRank - 1 ? kRank - 2 : axis == kRank - 2 ? kRank - 1 : axis;
      });
  const int64_t length = loops.extents[kRank - 2];
  const int64_t columns = loops.extents[kRank - 1];
  const int64_t blocks = (columns + Block::kColumns - 1) / Block::kColumns;
  const int64_t jobs = product(loops.extents, kRank - 2) * blocks;
  if (jobs * length == 0) return;
  const Operands operands(context.buffers, loops.extents, loops.strides);
  const int64_t width = columns < Block::kColumns ? columns : Block::kColumns;
  const RowTasks tasks(jobs, length * width, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    softmaxBlocks<Block>(operands, loops.extents, kRank, context.pool.scratch(thread),
                         tasks.first(task), tasks.last(task));
  });
}

}  // namespace ait
