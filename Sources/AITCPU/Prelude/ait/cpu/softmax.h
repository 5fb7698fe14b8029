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

/// e^x for a difference to the largest number: at most 0, or NaN. What would be below the normal
/// numbers may be 0: beside the 1 of the largest number it does not count.
template <class T, int W>
AIT_INLINE Vec<T, W> expOfDifference(Vec<T, W> x) {
  if constexpr (!__is_same(T, float)) {
    return exp(x);
  } else {
    // A NaN stays, as the second operand does.
#if defined(__AVX512F__)
    return expWithinLimits(largerNumber(constant<float, W>(-104.0f), x));
#else
    const auto least = constant<float, W>(-87.0f);
    const auto [n, r] = splitExponent(largerNumber(least, x));
    const auto scale = bitCast<float>(Vec<int32_t, W>((n.integer.native + 127) << 23));
    const auto result = mulAdd(expm1OfRest(r), scale, scale);
    return select(x < least, constant<float, W>(0), result);
#endif
  }
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
    write(rows, 0, columns_, top, sumOfPowers(columns_, top));
  }

  /// At most W columns: nothing leaves the registers, so that rows overlap in the pipeline.
  template <class Rows>
  AIT_INLINE void runVector(const Rows& rows) const {
    const PartialVector extent{columns_};
    const Vec<T, W> x = fillBeyond(rows.template read<true>(0, extent), lowest(), extent);
    const Vec<T, W> top = spread(x);
    const Vec<T, W> power = expOfDifference(x - top);
    // Lanes beyond the row have given 0, or NaN if all the row is −∞.
    const auto sum = broadcast<1, T>(horizontalSum(power));
    const auto factor = broadcast<W, T>((kLogarithmic ? log(sum) : reciprocal(sum))[0]);
    rows.write(0, softmaxResult<kLogarithmic>(kLogarithmic ? x : power, top, factor), extent);
  }

  /// Any number of columns: the prologue runs for each pass, on parts of the row.
  template <class Rows>
  __attribute__((noinline)) void runInParts(const Rows& rows) const {
    Vec<T, W> top = lowest();
    double sum = 0;
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
        const double part = sumOfPowers(last - first, top);
        if (pass == 1) sum += part;
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

  /// The sum of the exponentials of what is kept; they are kept instead unless logarithms are
  /// wanted.
  AIT_INLINE double sumOfPowers(int64_t count, Vec<T, W> top) const {
    return sumOfVectors<T, W, false>(0, count, [&](int64_t at, auto) AIT_INLINE_LAMBDA {
      const Vec<T, W> power = expOfDifference(load<T, W>(kept_ + at) - top);
      if constexpr (!kLogarithmic) store<T, W>(kept_ + at, power);
      return power;
    });
  }

  template <class Rows>
  AIT_INLINE void write(const Rows& rows, int64_t first, int64_t last, Vec<T, W> top,
                        double sum) const {
    const auto total = broadcast<1, double>(sum);
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
    if (columns <= Operands::W) {
      row.runVector(operands.rows());
    } else if (columns <= kKeptElements<T>) {
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
  /// The columns of a block: as many as a KiB or half the scratch memory holds of rows that long.
  /// Short pieces of rows would defeat the prefetching.
  static int64_t columnsOfBlock(int64_t length) {
    const int64_t vectors = kKeptElements<T> / (2 * W) / (length > 0 ? length : 1);
    return (vectors < 1 ? 1 : vectors < kMostVectors ? vectors : kMostVectors) * W;
  }

  AIT_INLINE ColumnSoftmax(const Operands& operands, int64_t length, T* kept)
      : operands_(operands), length_(length), kept_(kept) {}

  /// The columns `first ..< last` of the rows that begin at `row`. The prologue runs once if the
  /// block fits what may be kept, and otherwise for each pass, on parts of the rows.
  AIT_INLINE void run(int64_t row, int64_t first, int64_t last) {
    first_ = first;
    last_ = last;
    vectors_ = static_cast<int>((last - first + W - 1) / W);
    const int64_t most = kKeptElements<T> / (vectors_ * W);
    const bool isKept = length_ <= most;
    for (int vector = 0; vector < vectors_; ++vector) {
      top_[vector] = broadcast<W, T>(-static_cast<T>(__builtin_huge_val()));
      sum_[vector] = broadcast<W, double>(0);
    }
    for (int pass = 0; pass < 3; ++pass) {
      for (int64_t start = 0; start < length_; start += most) {
        const int64_t count = start + most < length_ ? most : length_ - start;
        if (pass == 0 || !isKept) {
          operands_.seek(row + start);
          // What is exposed may take the place of what is read: not before the last reading.
          if (isKept || pass == 2) {
            read<true>(count);
          } else {
            read<false>(count);
          }
        }
        if (pass == 1 || (pass == 2 && !isKept)) addPowers(count, pass == 1);
        if (pass == 2) {
          operands_.seek(row + start);
          write(count);
        }
      }
    }
  }

 private:
  static constexpr int kMostVectors = 16;

  template <class Body>
  AIT_INLINE void forEachVectorOfBlock(int64_t row, Body&& body) const {
    T* kept = kept_ + row * vectors_ * W;
    int vector = 0;
    forEachVector<W>(first_, last_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      body(column, extent, kept + vector * W, vector);
      ++vector;
    });
  }

  template <bool kStores>
  AIT_INLINE void read(int64_t count) {
    for (int64_t row = 0; row < count; ++row) {
      const auto rows = operands_.rows();
      forEachVectorOfBlock(row,
                           [&](int64_t column, auto extent, T* kept, int vector) AIT_INLINE_LAMBDA {
                             const Vec<T, W> x = rows.template read<kStores>(column, extent);
                             store<T, W>(kept, x);
                             top_[vector] = largerNumber(top_[vector], x);
                           });
      operands_.advance();
    }
  }

  /// As along a row, with steps from row to row in place of those from vector to vector.
  AIT_INLINE void addPowers(int64_t count, bool isCounted) {
    const Vec<T, W> zero = broadcast<W, T>(0);
    for (int vector = 0; vector < vectors_; ++vector) {
      const Vec<T, W> top = top_[vector];
      const auto power = [&](int64_t at, auto) AIT_INLINE_LAMBDA {
        T* kept = kept_ + at * vectors_ + vector * W;
        const Vec<T, W> power = expOfDifference(load<T, W>(kept) - top);
        if constexpr (!kLogarithmic) store<T, W>(kept, power);
        return power;
      };
      forEachBlock<W>(0, count * W, [&](int64_t start, int64_t end) AIT_INLINE_LAMBDA {
        const Vec<T, W> sum = foldVectors<W, false>(start, end, zero, zero, power, Addition());
        if (isCounted) sum_[vector] += convert<double>(sum);
      });
    }
  }

  AIT_INLINE void write(int64_t count) {
    Vec<T, W> factor[kMostVectors];
    for (int vector = 0; vector < vectors_; ++vector) {
      factor[vector] = softmaxFactor<kLogarithmic, T>(sum_[vector]);
    }
    for (int64_t row = 0; row < count; ++row) {
      const auto rows = operands_.rows();
      forEachVectorOfBlock(row, [&](int64_t column, auto extent, const T* kept,
                                    int vector) AIT_INLINE_LAMBDA {
        const Vec<T, W> x = load<T, W>(kept);
        rows.write(column, softmaxResult<kLogarithmic>(x, top_[vector], factor[vector]), extent);
      });
      operands_.advance();
    }
  }

  Operands operands_;
  int64_t length_;
  T* kept_;
  int64_t first_;
  int64_t last_;
  int vectors_;
  Vec<T, W> top_[kMostVectors];
  Vec<double, W> sum_[kMostVectors];
};

template <class Block, class Operands>
__attribute__((noinline)) void softmaxBlocks(const Operands& operands, int64_t length,
                                             int64_t columns, void* scratch, int64_t first,
                                             int64_t last) {
  Block block(operands, length, static_cast<typename Operands::T*>(scratch));
  const int64_t width = Block::columnsOfBlock(length);
  const int64_t blocks = (columns + width - 1) / width;
  for (int64_t index = first; index < last; ++index) {
    const int64_t column = index % blocks * width;
    block.run(index / blocks * length, column, column + width < columns ? column + width : columns);
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
  const int64_t width = Block::columnsOfBlock(length);
  const int64_t jobs = product(loops.extents, kRank - 2) * ((columns + width - 1) / width);
  if (jobs * length == 0) return;
  const Operands operands(context.buffers, loops.extents, loops.strides);
  const RowTasks tasks(jobs, length * (columns < width ? columns : width),
                       context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    softmaxBlocks<Block>(operands, length, columns, context.pool.scratch(thread), tasks.first(task),
                         tasks.last(task));
  });
}

}  // namespace ait
