// Softmax and log-softmax of rows, with a prologue (scale, mask) and an epilogue.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

/// The softmax of one row along its columns.
template <class Prologue, class Epilogue, class In, class Extras, class Out, int kRank,
          bool kLogarithmic, bool kExposes>
class RowSoftmax {
  using InputCursor = Cursor<In, kRank>;

 public:
  using T = typename PrologueElement<Prologue, InputCursor>::Type;
  static constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;

  explicit RowSoftmax(const KernelContext& context)
      : inputs_(context.buffers, context.sizes, context.sizes + kRank),
        extras_(context.buffers + In::kCount, context.sizes,
                context.sizes + kRank + In::kCount * kRank),
        outputs_(context.buffers + In::kCount + Extras::kCount, context.sizes,
                 context.sizes + kRank + (In::kCount + Extras::kCount) * kRank),
        columns_(context.sizes[kRank - 1]) {}

  void seek(int64_t row) {
    inputs_.seek(row);
    extras_.seek(row);
    outputs_.seek(row);
  }

  void advance() {
    inputs_.advance();
    extras_.advance();
    outputs_.advance();
  }

  /// `buffer` has room for the row, or is null: then the prologue runs once for each pass.
  void run(T* buffer) {
    const auto rows = inputs_.rows();
    const auto outputs = outputs_.rows();
    const auto x = [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      return get<0>(applyTo<Prologue, W>(rows, column, extent));
    };
    const Vec<T, W> lowest = broadcast<W, T>(-static_cast<T>(__builtin_huge_val()));
    Vec<T, W> largest = lowest;
    forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> value = x(column, extent);
      if (buffer) writeKept(buffer + column, value, extent);
      if constexpr (kExposes) storeTo<W>(get<Out::kCount - 1>(outputs), column, value, extent);
      largest = maximum(largest, fillBeyond(value, lowest, extent));
    });
    const Vec<T, W> top = broadcast<W, T>(horizontalMax(largest));
    double total = 0;
    Vec<T, W> sum = broadcast<W, T>(T{});
    int terms = 0;
    const Vec<T, W> zero = broadcast<W, T>(T{});
    forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> value = buffer ? readKept(buffer + column, extent) : x(column, extent);
      const Vec<T, W> power = ait::exp(value - top);
      if (!kLogarithmic && buffer) writeKept(buffer + column, power, extent);
      sum += fillBeyond(power, zero, extent);
      // The error does not grow with the row: 64 terms a lane in T, the rest in double.
      if (++terms == 64) {
        total += static_cast<double>(horizontalSum(sum));
        sum = zero;
        terms = 0;
      }
    });
    total += static_cast<double>(horizontalSum(sum));
    const Vec<T, W> scale = broadcast<W, T>(static_cast<T>(1 / total));
    const Vec<T, W> shift = broadcast<W, T>(static_cast<T>(__builtin_log(total)));
    const auto extras = extras_.rows();
    forEachVector<W>(0, columns_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const Vec<T, W> value = buffer ? readKept(buffer + column, extent) : x(column, extent);
      Vec<T, W> y;
      if constexpr (kLogarithmic) {
        y = (value - top) - shift;
      } else {
        y = (buffer ? value : ait::exp(value - top)) * scale;
      }
      storeAll<W>(outputs, column, applyTo<Epilogue, W>(extras, column, extent, y), extent);
    });
  }

 private:
  static AIT_INLINE Vec<T, W> readKept(const T* at, WholeVector) { return load<T, W>(at); }
  static AIT_INLINE Vec<T, W> readKept(const T* at, PartialVector extent) {
    return loadPartial<T, W>(at, extent.count);
  }
  static AIT_INLINE void writeKept(T* at, Vec<T, W> x, WholeVector) { store<T, W>(at, x); }
  static AIT_INLINE void writeKept(T* at, Vec<T, W> x, PartialVector extent) {
    storePartial<T, W>(at, x, extent.count);
  }

  InputCursor inputs_;
  Cursor<Extras, kRank> extras_;
  Cursor<Out, kRank> outputs_;
  int64_t columns_;
};

/// outputs = Epilogue(softmax(Prologue(inputs)), extras) along the last axis.
///
/// - sizes: `outerRank` extents and the extent of the axis, then as many strides for each input,
///   extra and output; in elements.
/// - buffers: inputs, extras, outputs. With `kExposes` the last output takes the prologue's value.
///
/// The largest element is subtracted first. A row of −infinity throughout gives NaN. An output may
/// be the same memory as an input of the prologue with the same strides.
template <class Prologue, class Epilogue, class In, class Extras, class Out, int outerRank,
          bool kLogarithmic, bool kExposes>
void softmax(const KernelContext& context) {
  constexpr int kRank = outerRank + 1;
  using Row = RowSoftmax<Prologue, Epilogue, In, Extras, Out, kRank, kLogarithmic, kExposes>;
  const int64_t rows = product(context.sizes, outerRank);
  const int64_t columns = context.sizes[outerRank];
  if (rows * columns == 0) return;
  const RowTasks tasks(rows, columns, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t thread) {
    using T = typename Row::T;
    T* buffer = columns <= kScratchElements<T> ? static_cast<T*>(context.pool.scratch(thread))
                                               : nullptr;
    Row row(context);
    row.seek(tasks.first(task));
    for (int64_t index = tasks.first(task); index < tasks.last(task); ++index) {
      row.run(buffer);
      row.advance();
    }
  });
}

/// The same with vectors across rows: the last outer axis is walked in vectors, and each lane is a
/// row of its own along the axis that is normalised.
template <class Prologue, class Epilogue, class In, class Extras, class Out, int outerRank,
          bool kLogarithmic, bool kExposes>
void softmaxAcross(const KernelContext& context) {
  constexpr int kRank = outerRank + 1;
  constexpr int kOperands = In::kCount + Extras::kCount + Out::kCount;
  // The vector axis becomes the innermost, the normalised axis the one around it.
  int64_t sizes[kRank * (1 + kOperands)];
  for (int part = 0; part <= kOperands; ++part) {
    for (int axis = 0; axis < kRank; ++axis) {
      const int from = axis == kRank - 1 ? kRank - 2 : axis == kRank - 2 ? kRank - 1 : axis;
      sizes[part * kRank + axis] = context.sizes[part * kRank + from];
    }
  }
  const int64_t outer = product(sizes, kRank - 2);
  const int64_t length = sizes[kRank - 2];
  const int64_t columns = sizes[kRank - 1];
  if (outer * length * columns == 0) return;

  using InputCursor = Cursor<In, kRank>;
  using T = typename PrologueElement<Prologue, InputCursor>::Type;
  constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
  // Vectors of a few cache lines, so that each line is used whole.
  constexpr int64_t kBlock = 4 * W;
  const int64_t blocks = (columns + kBlock - 1) / kBlock;
  const int64_t* strides = sizes + kRank;
  const RowTasks tasks(outer * blocks, length * kBlock, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    InputCursor inputs(context.buffers, sizes, strides);
    Cursor<Extras, kRank> extras(context.buffers + In::kCount, sizes,
                                 strides + In::kCount * kRank);
    Cursor<Out, kRank> outputs(context.buffers + In::kCount + Extras::kCount, sizes,
                               strides + (In::kCount + Extras::kCount) * kRank);
    for (int64_t index = tasks.first(task); index < tasks.last(task); ++index) {
      const int64_t row = index / blocks * length;
      const int64_t first = index % blocks * kBlock;
      const int64_t last = first + kBlock < columns ? first + kBlock : columns;
      Vec<T, W> top[4];
      Vec<T, W> sum[4];
      for (int vector = 0; vector < 4; ++vector) {
        top[vector] = broadcast<W, T>(-static_cast<T>(__builtin_huge_val()));
        sum[vector] = broadcast<W, T>(T{});
      }
      inputs.seek(row);
      outputs.seek(row);
      for (int64_t step = 0; step < length; ++step) {
        const auto rows = inputs.rows();
        int vector = 0;
        forEachVector<W>(first, last, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          const Vec<T, W> x = get<0>(applyTo<Prologue, W>(rows, column, extent));
          if constexpr (kExposes) {
            storeTo<W>(get<Out::kCount - 1>(outputs.rows()), column, x, extent);
          }
          top[vector] = maximum(top[vector], x);
          ++vector;
        });
        inputs.advance();
        outputs.advance();
      }
      inputs.seek(row);
      for (int64_t step = 0; step < length; ++step) {
        const auto rows = inputs.rows();
        int vector = 0;
        forEachVector<W>(first, last, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          const Vec<T, W> x = get<0>(applyTo<Prologue, W>(rows, column, extent));
          sum[vector] += ait::exp(x - top[vector]);
          ++vector;
        });
        inputs.advance();
      }
      Vec<T, W> norm[4];
      for (int vector = 0; vector < 4; ++vector) {
        norm[vector] = kLogarithmic ? ait::log(sum[vector]) : ait::reciprocal(sum[vector]);
      }
      inputs.seek(row);
      extras.seek(row);
      outputs.seek(row);
      for (int64_t step = 0; step < length; ++step) {
        const auto rows = inputs.rows();
        const auto extraRows = extras.rows();
        const auto outputRows = outputs.rows();
        int vector = 0;
        forEachVector<W>(first, last, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          const Vec<T, W> x = get<0>(applyTo<Prologue, W>(rows, column, extent)) - top[vector];
          const Vec<T, W> y = kLogarithmic ? x - norm[vector] : ait::exp(x) * norm[vector];
          storeAll<W>(outputRows, column, applyTo<Epilogue, W>(extraRows, column, extent, y),
                      extent);
          ++vector;
        });
        inputs.advance();
        extras.advance();
        outputs.advance();
      }
    }
  });
}

}  // namespace ait
