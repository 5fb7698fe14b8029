// Layer and root-mean-square normalisation of rows, with a prologue and an epilogue.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// y = (x − mean) / √(variance + ε), or y = x / √(mean(x²) + ε).
enum class Normalization { layer, rms };

/// The normalisation of one row: all the inner axes at one outer index.
template <Normalization kKind, class Parameters, class Prologue, class Epilogue, class In,
          class Extras, class Out, int kRank, bool kExposes>
class RowNormalization {
  using InputCursor = Cursor<In, kRank>;
  using ExtraCursor = Cursor<Extras, kRank>;
  using OutputCursor = Cursor<Out, kRank>;

 public:
  using T = typename PrologueElement<Prologue, InputCursor>::Type;
  static constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;

  RowNormalization(const KernelContext& context, int64_t inner)
      : inputs_(context.buffers, context.sizes, context.sizes + kRank),
        extras_(context.buffers + In::kCount, context.sizes,
                context.sizes + kRank + In::kCount * kRank),
        outputs_(context.buffers + In::kCount + Extras::kCount, context.sizes,
                 context.sizes + kRank + (In::kCount + Extras::kCount) * kRank),
        inner_(inner),
        columns_(context.sizes[kRank - 1]) {}

  /// `buffer` has room for the row, or is null: then the prologue runs once for each pass.
  void run(int64_t outer, T* buffer) {
    const int64_t first = outer * inner_;
    const double count = static_cast<double>(inner_ * columns_);
    double mean = 0;
    if constexpr (kKind == Normalization::layer) {
      mean = pass<true>(first, buffer, [](Vec<T, W> x) AIT_INLINE_LAMBDA { return x; }) / count;
    }
    // The second moment about the mean: no cancellation, however large the mean.
    const Vec<T, W> center = broadcast<W, T>(static_cast<T>(mean));
    constexpr bool kIsFirst = kKind == Normalization::rms;
    const double moment = pass<kIsFirst>(first, buffer, [&](Vec<T, W> x) AIT_INLINE_LAMBDA {
      const Vec<T, W> deviation = kKind == Normalization::layer ? x - center : x;
      return deviation * deviation;
    });
    const double scale = 1 / __builtin_sqrt(moment / count + Parameters::kEpsilon);
    write(first, buffer, center, broadcast<W, T>(static_cast<T>(scale)));
  }

 private:
  /// The sum of `term(x)` over the row. Vectors sum up to 64 terms a lane in T, then in double, so
  /// that the error does not grow with the row. The first pass fills the buffer.
  template <bool kIsFirst, class Term>
  AIT_INLINE double pass(int64_t first, T* buffer, Term&& term) {
    double total = 0;
    Vec<T, W> sum = broadcast<W, T>(T{});
    int terms = 0;
    const Vec<T, W> zero = broadcast<W, T>(T{});
    if (kIsFirst || !buffer) inputs_.seek(first);
    for (int64_t row = 0; row < inner_; ++row) {
      T* kept = buffer ? buffer + row * columns_ : nullptr;
      if (!kIsFirst && kept) {
        forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          sum += fillBeyond(term(readKept(kept + column, extent)), zero, extent);
          if (++terms == 64) flush(sum, terms, total);
        });
        continue;
      }
      const auto rows = inputs_.rows();
      forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
        const Vec<T, W> x = get<0>(applyTo<Prologue, W>(rows, column, extent));
        if (kIsFirst && kept) writeKept(kept + column, x, extent);
        sum += fillBeyond(term(x), zero, extent);
        if (++terms == 64) flush(sum, terms, total);
      });
      inputs_.advance();
    }
    flush(sum, terms, total);
    return total;
  }

  static AIT_INLINE void flush(Vec<T, W>& sum, int& terms, double& total) {
    total += static_cast<double>(horizontalSum(sum));
    sum = broadcast<W, T>(T{});
    terms = 0;
  }

  static AIT_INLINE Vec<T, W> readKept(const T* at, WholeVector) { return load<T, W>(at); }
  static AIT_INLINE Vec<T, W> readKept(const T* at, PartialVector extent) {
    return loadPartial<T, W>(at, extent.count);
  }
  static AIT_INLINE void writeKept(T* at, Vec<T, W> x, WholeVector) { store<T, W>(at, x); }
  static AIT_INLINE void writeKept(T* at, Vec<T, W> x, PartialVector extent) {
    storePartial<T, W>(at, x, extent.count);
  }

  AIT_INLINE void write(int64_t first, const T* buffer, Vec<T, W> center, Vec<T, W> scale) {
    if (!buffer) inputs_.seek(first);
    extras_.seek(first);
    outputs_.seek(first);
    for (int64_t row = 0; row < inner_; ++row) {
      const T* kept = buffer ? buffer + row * columns_ : nullptr;
      const auto extras = extras_.rows();
      const auto outputs = outputs_.rows();
      const auto writeVector = [&](int64_t column, Vec<T, W> x, auto extent) AIT_INLINE_LAMBDA {
        const Vec<T, W> y = kKind == Normalization::layer ? (x - center) * scale : x * scale;
        // Extras are read before anything is written: an output may be one of them.
        const auto results = applyTo<Epilogue, W>(extras, column, extent, y);
        storeAll<W>(outputs, column, results, extent);
        if constexpr (kExposes) {
          storeTo<W>(get<Out::kCount - 1>(outputs), column, x, extent);
        }
      };
      if (kept) {
        forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          writeVector(column, readKept(kept + column, extent), extent);
        });
      } else {
        const auto rows = inputs_.rows();
        forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          writeVector(column, get<0>(applyTo<Prologue, W>(rows, column, extent)), extent);
        });
        inputs_.advance();
      }
      extras_.advance();
      outputs_.advance();
    }
  }

  InputCursor inputs_;
  ExtraCursor extras_;
  OutputCursor outputs_;
  int64_t inner_;    // rows of columns that are normalised together
  int64_t columns_;
};

/// outputs = Epilogue(normalised Prologue(inputs), extras) for every outer index.
///
/// - sizes: `outerRank` extents, `innerRank` extents that are normalised together, then as many
///   strides for each input, extra and output; in elements.
/// - buffers: inputs, extras, outputs. With `kExposes` the last output takes the prologue's value.
/// - `Parameters::kEpsilon`: ε.
///
/// Sums are those of two passes, in float and double by turns. A row that fits the thread's scratch
/// memory is read once. An output may be the same memory as an input of the prologue with the same
/// strides.
template <Normalization kKind, class Parameters, class Prologue, class Epilogue, class In,
          class Extras, class Out, int outerRank, int innerRank, bool kExposes>
void normalize(const KernelContext& context) {
  constexpr int kRank = outerRank + innerRank;
  using Row =
      RowNormalization<kKind, Parameters, Prologue, Epilogue, In, Extras, Out, kRank, kExposes>;
  const int64_t rows = product(context.sizes, outerRank);
  const int64_t inner = product(context.sizes + outerRank, innerRank - 1);
  const int64_t elements = inner * context.sizes[kRank - 1];
  if (rows * elements == 0) return;
  const RowTasks tasks(rows, elements, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    using T = typename Row::T;
    T* buffer = elements <= kScratchElements<T>
                    ? static_cast<T*>(context.pool.scratch(thread))
                    : nullptr;
    Row row(context, inner);
    for (int64_t outer = tasks.first(task); outer < tasks.last(task); ++outer) {
      row.run(outer, buffer);
    }
  });
}

}  // namespace ait
