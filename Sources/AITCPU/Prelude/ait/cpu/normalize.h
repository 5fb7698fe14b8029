// Layer and root-mean-square normalisation of rows, with a prologue and an epilogue.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// y = (x − mean) / √(variance + ε), or y = x / √(mean(x²) + ε).
enum class Normalization { layer, rms };

/// Sums over the vectors of a row.
template <class T, int W>
struct DeviationSums {
  Vec<T, W> sum;
  Vec<T, W> squares;
};

template <class T, int W, class Extent>
AIT_INLINE DeviationSums<T, W> fillBeyond(DeviationSums<T, W> x, DeviationSums<T, W> filler,
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
      : operands_(operands), rows_(rows), columns_(columns), kept_(kept) {}

  /// Where all elements fit what may be kept: the prologue runs once.
  AIT_INLINE void run(int64_t outer) {
    Sum sum = zero();
    operands_.seek(outer * rows_);
    forEachRow([&](const auto& rows, int64_t row) AIT_INLINE_LAMBDA {
      read<true>(rows, 0, columns_, kept_ + row * columns_, sum);
    });
    Sum squares = sum;
    if constexpr (kIsLayer) {
      setCenter(sum);
      sum = squares = zero();
      addDeviations(kept_, rows_ * columns_, sum, squares);
    } else {
      sum = zero();
    }
    setScale(sum, squares);
    operands_.seek(outer * rows_);
    forEachRow([&](const auto& rows, int64_t row)
                   AIT_INLINE_LAMBDA { write(rows, 0, columns_, kept_ + row * columns_); });
  }

  /// Any number of elements: the prologue runs for each pass, on parts of a row.
  __attribute__((noinline)) void runInParts(int64_t outer) {
    constexpr int kPasses = kIsLayer ? 3 : 2;
    Sum sum = zero();
    Sum squares = zero();
    for (int pass = 0; pass < kPasses; ++pass) {
      const bool isLast = pass == kPasses - 1;
      operands_.seek(outer * rows_);
      forEachRow([&](const auto& rows, int64_t) AIT_INLINE_LAMBDA {
        for (int64_t first = 0; first < columns_; first += kPart) {
          const int64_t last = first + kPart < columns_ ? first + kPart : columns_;
          Sum unused = zero();
          Sum& statistic = kIsLayer ? sum : squares;
          // What is exposed may take the place of what is read: not before the last pass.
          if (Operands::kIsExposing && isLast) {
            read<true>(rows, first, last, kept_, unused);
          } else {
            read<false>(rows, first, last, kept_, pass == 0 ? statistic : unused);
          }
          if (kIsLayer && pass == 1) addDeviations(kept_, last - first, sum, squares);
          if (isLast) write(rows, first, last, kept_);
        }
      });
      if (kIsLayer && pass == 0) {
        setCenter(sum);
        sum = zero();
      } else if (!isLast) {
        setScale(sum, squares);
      }
    }
  }

 private:
  using Sum = Vec<double, W>;
  /// The columns of a part: what the first-level cache holds beside the operands.
  static constexpr int64_t kPart = 256 * W;

  static AIT_INLINE Sum zero() { return broadcast<W, double>(0); }

  template <class Body>
  AIT_INLINE void forEachRow(Body&& body) {
    for (int64_t row = 0; row < rows_; ++row) {
      body(operands_.rows(), row);
      operands_.advance();
    }
  }

  /// Keeps the prologue's values of some columns and adds what the first statistic is made of.
  template <bool kStores, class Rows>
  AIT_INLINE void read(const Rows& rows, int64_t first, int64_t last, T* kept, Sum& sum) const {
    sumVectors<T, W>(first, last, sum, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> x = rows.template read<kStores>(column, extent);
      store<T, W>(kept + (column - first), x);
      return kIsLayer ? x : x * x;
    });
  }

  AIT_INLINE void setCenter(Sum sum) {
    center_ = static_cast<T>(horizontalSum(sum) / static_cast<double>(rows_ * columns_));
  }

  /// Adds the deviations of what is kept, and their squares.
  AIT_INLINE void addDeviations(const T* kept, int64_t count, Sum& sum, Sum& squares) const {
    using Pair = DeviationSums<T, W>;
    const Vec<T, W> center = broadcast<W, T>(center_);
    const Pair zero{broadcast<W, T>(0), broadcast<W, T>(0)};
    forEachBlock<W>(0, count, [&](int64_t first, int64_t last) AIT_INLINE_LAMBDA {
      const Pair block = foldVectors<W>(
          first, last, zero, zero,
          [&](int64_t at, auto) AIT_INLINE_LAMBDA {
            const Vec<T, W> deviation = load<T, W>(kept + at) - center;
            return Pair{deviation, deviation * deviation};
          },
          [](Pair a, Pair b)
              AIT_INLINE_LAMBDA { return Pair{a.sum + b.sum, a.squares + b.squares}; });
      sum += convert<double>(block.sum);
      squares += convert<double>(block.squares);
    });
  }

  /// - sum: the deviations from the center; what they have for a mean, the center has lost.
  AIT_INLINE void setScale(Sum sum, Sum squares) {
    const double count = static_cast<double>(rows_ * columns_);
    const double rest = horizontalSum(sum) / count;
    const double moment = horizontalSum(squares) / count - rest * rest;
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
