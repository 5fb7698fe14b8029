// Layer and root-mean-square normalisation of rows, with a prologue and an epilogue.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// y = (x − mean) / √(variance + ε), or y = x / √(mean(x²) + ε).
enum class Normalization { layer, rms };

/// The deviations of some vectors from a number, and their squares.
template <class T, int W>
struct Deviations {
  Vec<T, W> sum;
  Vec<T, W> squares;

  AIT_INLINE Deviations operator+(const Deviations& other) const {
    return {sum + other.sum, squares + other.squares};
  }
};

template <class T, int W, class Extent>
AIT_INLINE Deviations<T, W> fillBeyond(const Deviations<T, W>& x, const Deviations<T, W>& filler,
                                       Extent extent) {
  return {fillBeyond(x.sum, filler.sum, extent), fillBeyond(x.squares, filler.squares, extent)};
}

/// The normalisation of one outer index: `rows` rows of `columns` columns together.
template <Normalization kKind, class Parameters, class Operands>
class RowNormalization {
  using T = typename Operands::T;
  static constexpr int W = Operands::W;
  static constexpr bool kIsLayer = kKind == Normalization::layer;

 public:
  /// `kept` has room for kKeptElements<T> and a vector.
  AIT_INLINE RowNormalization(const Operands& operands, int64_t rows, int64_t columns, T* kept)
      : operands_(operands),
        rows_(rows),
        columns_(columns),
        kept_(kept),
        share_(1 / static_cast<double>(rows * columns)) {}

  /// Where all elements fit what may be kept: the prologue runs once.
  AIT_INLINE void run(int64_t outer) {
    double statistic = 0;
    operands_.seek(outer * rows_);
    forEachRow([&](const auto& rows, int64_t row) AIT_INLINE_LAMBDA {
      statistic += read<true>(rows, 0, columns_, kept_ + row * columns_);
    });
    if constexpr (kIsLayer) {
      center_ = static_cast<T>(statistic * share_);
      setScale(momentsOf(kept_, rows_ * columns_));
    } else {
      setScale({0, statistic});
    }
    operands_.seek(outer * rows_);
    forEachRow([&](const auto& rows, int64_t row)
                   AIT_INLINE_LAMBDA { write(rows, 0, columns_, kept_ + row * columns_); });
  }

  /// Any number of elements: the prologue runs for each pass, on parts of a row.
  __attribute__((noinline)) void runInParts(int64_t outer) {
    constexpr int kPasses = kIsLayer ? 3 : 2;
    double statistic = 0;
    Moments moments{0, 0};
    for (int pass = 0; pass < kPasses; ++pass) {
      const bool isLast = pass == kPasses - 1;
      operands_.seek(outer * rows_);
      forEachRow([&](const auto& rows, int64_t) AIT_INLINE_LAMBDA {
        for (int64_t first = 0; first < columns_; first += kPart) {
          const int64_t last = first + kPart < columns_ ? first + kPart : columns_;
          // What is exposed may take the place of what is read: not before the last pass.
          if (Operands::kIsExposing && isLast) {
            read<true>(rows, first, last, kept_);
          } else {
            const double part = read<false>(rows, first, last, kept_);
            if (pass == 0) statistic += part;
          }
          if (kIsLayer && pass == 1) moments.add(momentsOf(kept_, last - first));
          if (isLast) write(rows, first, last, kept_);
        }
      });
      if (kIsLayer && pass == 0) {
        center_ = static_cast<T>(statistic * share_);
      } else if (!isLast) {
        setScale(kIsLayer ? moments : Moments{0, statistic});
      }
    }
  }

 private:
  /// The columns of a part: what the first-level cache holds beside the operands.
  static constexpr int64_t kPart = 256 * W;

  /// The sums of the deviations from the center and of their squares.
  struct Moments {
    double sum;
    double squares;

    AIT_INLINE void add(const Moments& other) {
      sum += other.sum;
      squares += other.squares;
    }
  };

  template <class Body>
  AIT_INLINE void forEachRow(Body&& body) {
    for (int64_t row = 0; row < rows_; ++row) {
      body(operands_.rows(), row);
      operands_.advance();
    }
  }

  /// Keeps the prologue's values of some columns; returns their sum, or that of their squares.
  template <bool kStores, class Rows>
  AIT_INLINE double read(const Rows& rows, int64_t first, int64_t last, T* kept) const {
    return sumOfVectors<T, W>(first, last, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> x = rows.template read<kStores>(column, extent);
      store<T, W>(kept + (column - first), x);
      return kIsLayer ? x : x * x;
    });
  }

  AIT_INLINE Moments momentsOf(const T* kept, int64_t count) const {
    using Sums = Deviations<T, W>;
    const Vec<T, W> center = broadcast<W, T>(center_);
    const Sums zero{broadcast<W, T>(0), broadcast<W, T>(0)};
    const auto deviations = [&](int64_t at, auto) AIT_INLINE_LAMBDA {
      const Vec<T, W> deviation = load<T, W>(kept + at) - center;
      return Sums{deviation, deviation * deviation};
    };
    Moments moments{0, 0};
    forEachBlock<W>(0, count, [&](int64_t first, int64_t last) AIT_INLINE_LAMBDA {
      const Sums block = foldVectors<W>(first, last, zero, zero, deviations, Addition());
      moments.add({static_cast<double>(horizontalSum(block.sum)),
                   static_cast<double>(horizontalSum(block.squares))});
    });
    return moments;
  }

  AIT_INLINE void setScale(const Moments& moments) {
    // The mean of the deviations is what the center lacks of the mean.
    const double rest = moments.sum * share_;
    const double moment = moments.squares * share_ - rest * rest;
    const double scale = 1 / __builtin_sqrt(moment + Parameters::kEpsilon);
    scale_ = static_cast<T>(scale);
    shift_ = static_cast<T>(-rest * scale);
  }

  template <class Rows>
  AIT_INLINE void write(const Rows& rows, int64_t first, int64_t last, const T* kept) const {
    const Vec<T, W> center = broadcast<W, T>(center_);
    const Vec<T, W> scale = broadcast<W, T>(scale_);
    const Vec<T, W> shift = broadcast<W, T>(shift_);
    forEachVector<W>(first, last, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> x = load<T, W>(kept + (column - first));
      rows.write(column, kIsLayer ? mulAdd(x - center, scale, shift) : x * scale, extent);
    });
  }

  Operands operands_;
  int64_t rows_;
  int64_t columns_;
  T* kept_;
  double share_;  // of one element in a mean
  T center_ = 0;  // about the mean
  T scale_ = 1;
  T shift_ = 0;  // what the center lacks of the mean, scaled
};

template <class Row, class Operands>
__attribute__((noinline)) void normalizeRows(const Operands& operands, int64_t inner,
                                             int64_t columns, void* scratch, int64_t first,
                                             int64_t last) {
  using T = typename Operands::T;
  Row row(operands, inner, columns, static_cast<T*>(scratch));
  for (int64_t outer = first; outer < last; ++outer) {
    if (inner * columns <= kKeptElements<T>) {
      row.run(outer);
    } else {
      row.runInParts(outer);
    }
  }
}

/// outputs = Epilogue(normalised Prologue(inputs), extras) for every outer index.
///
/// - sizes: `outerRank` extents, `innerRank` extents that are normalised together, then as many
///   strides for each input, extra and output; in elements.
/// - buffers: inputs, extras, outputs. With `kExposes` the last output takes the prologue's value.
///   An output may be the same memory as an input of the prologue with the same strides.
/// - `Parameters::kEpsilon`: ε.
/// - Any extent may be 0.
///
/// The statistics are those of two passes, the sums in double from block to block. A row is kept in
/// the thread's scratch memory if it fits, and read three times otherwise. Bound by memory
/// bandwidth.
template <Normalization kKind, class Parameters, class Prologue, class Epilogue, class In,
          class Extras, class Out, int outerRank, int innerRank, bool kExposes>
void normalize(const KernelContext& context) {
  constexpr int kRank = outerRank + innerRank;
  using Operands = RowOperands<Prologue, Epilogue, In, Extras, Out, kRank, kExposes>;
  using Row = RowNormalization<kKind, Parameters, Operands>;
  const int64_t outer = product(context.sizes, outerRank);
  const int64_t inner = product(context.sizes + outerRank, innerRank - 1);
  const int64_t columns = context.sizes[kRank - 1];
  if (outer * inner * columns == 0) return;
  const Operands operands(context.buffers, context.sizes, context.sizes + kRank);
  const RowTasks tasks(outer, inner * columns, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    normalizeRows<Row>(operands, inner, columns, context.pool.scratch(thread), tasks.first(task),
                       tasks.last(task));
  });
}

}  // namespace ait
