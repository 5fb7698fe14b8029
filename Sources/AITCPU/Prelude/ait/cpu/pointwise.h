// Kernels that compute every output element from the input elements at the same index.
#pragma once

#include "ait/cpu/math.h"
#include "ait/cpu/operands.h"
#include "ait/kernel.h"

namespace ait {

/// Tensors up to this many elements are computed by the caller alone: waking threads costs some
/// microseconds, in which one core does about this many cheap elements.
inline constexpr int64_t kSerialElements = 32768;

/// How a loop over rows and columns is shared among threads: in pieces of whole rows, or, where
/// one row is work enough, of parts of one row.
class PointwiseTasks {
 public:
  AIT_INLINE PointwiseTasks(int64_t rows, int64_t columns, int32_t threads)
      : rows_(rows), columns_(columns) {
    // Some tasks per thread, so that a late thread does not keep the others waiting, but none so
    // short that taking it counts, or so long that its data leaves the caches.
    const int64_t share = rows * columns / (int64_t{4} * threads);
    const int64_t elements = share < 16384 ? 16384 : share > 65536 ? 65536 : share;
    const bool isSerial = threads == 1 || rows * columns <= kSerialElements;
    rowsPerTask_ = isSerial ? rows : columns < elements ? elements / columns : 1;
    // Multiples of 64 elements: whole cache lines of every type.
    columnsPerTask_ = isSerial || columns < 2 * elements ? columns : elements / 64 * 64;
    columnTasks_ = (columns + columnsPerTask_ - 1) / columnsPerTask_;
    count_ = (rows + rowsPerTask_ - 1) / rowsPerTask_ * columnTasks_;
  }

  struct Range {
    int64_t firstRow, lastRow;        // exclusive
    int64_t firstColumn, lastColumn;  // exclusive
  };

  AIT_INLINE int64_t count() const { return count_; }

  AIT_INLINE Range range(int64_t task) const {
    const int64_t row = task / columnTasks_ * rowsPerTask_;
    const int64_t column = task % columnTasks_ * columnsPerTask_;
    return {row, row + rowsPerTask_ < rows_ ? row + rowsPerTask_ : rows_, column,
            column + columnsPerTask_ < columns_ ? column + columnsPerTask_ : columns_};
  }

 private:
  int64_t rows_, columns_;
  int64_t rowsPerTask_, columnsPerTask_, columnTasks_, count_;
};

/// The columns `first ..< last` of one row.
template <class Body, int W, class InputRows, class OutputRows>
AIT_INLINE void pointwiseRow(const InputRows& inputs, const OutputRows& outputs, int64_t first,
                             int64_t last) {
  int64_t column = first;
  for (; column + W <= last; column += W) {
    storeResults<W>(outputs, column, applyBody<Body, W>(inputs, column));
  }
  if (column < last) {
    const int64_t count = last - column;
    storeResultsPartial<W>(outputs, column, count,
                           applyBodyPartial<Body, W>(inputs, column, count));
  }
}

// MARK: - Short rows

/// Elements of several short rows, side by side, so that a body works on whole vectors: with one
/// or three columns, a vector per row would leave most lanes idle.
template <class Pack, int kElements>
struct PackedRows;

template <template <class...> class Pack, class... O, int kElements>
struct PackedRows<Pack<O...>, kElements> {
  template <class T>
  struct Buffer {
    alignas(64) T elements[kElements];
  };

  Tuple<Buffer<typename O::Element>...> buffers;

  /// Zeros, for the lanes after the last element.
  AIT_INLINE PackedRows() { __builtin_memset(static_cast<void*>(&buffers), 0, sizeof(buffers)); }

  template <int... I>
  AIT_INLINE auto rows(IntegerSequence<int, I...>) {
    return makeTuple(Row<typename O::Element, Access::contiguous>(get<I>(buffers).elements, 1)...);
  }

  template <class Cursor, int... I>
  AIT_INLINE void read(const Cursor& cursor, int64_t columns, int64_t at,
                       IntegerSequence<int, I...>) {
    (copy(get<I>(buffers).elements + at, 1, cursor.template rowAddress<I>(),
          cursor.template innerStride<I>(), columns),
     ...);
  }

  template <class Cursor, int... I>
  AIT_INLINE void write(const Cursor& cursor, int64_t columns, int64_t at,
                        IntegerSequence<int, I...>) {
    (copy(cursor.template rowAddress<I>(), cursor.template innerStride<I>(),
          get<I>(buffers).elements + at, 1, columns),
     ...);
  }

 private:
  template <class T>
  static AIT_INLINE void copy(T* destination, int64_t destinationStride, const T* source,
                              int64_t sourceStride, int64_t count) {
#pragma clang loop vectorize(disable) unroll(disable)
    for (int64_t i = 0; i < count; ++i) {
      AIT_KEEP_LOOP;
      destination[i * destinationStride] = source[i * sourceStride];
    }
  }
};

/// Rows of at most W/2 columns.
template <class Body, class In, class Out, int kRank>
__attribute__((noinline)) void pointwiseShortRows(Cursor<In, kRank> inputs,
                                                  Cursor<Out, kRank> outputs, int64_t rows,
                                                  int64_t columns) {
  // Large enough that the scalar stores have left the core when vectors are loaded from them.
  constexpr int kElements = 256;
  constexpr Indices<In::kCount> kInputs;
  constexpr Indices<Out::kCount> kOutputs;
  PackedRows<In, kElements> packedInputs;
  PackedRows<Out, kElements> packedOutputs;
  const auto inputRows = packedInputs.rows(kInputs);
  const auto outputRows = packedOutputs.rows(kOutputs);
  const int64_t rowsAtOnce = kElements / columns;
  for (int64_t row = 0; row < rows; row += rowsAtOnce) {
    const int64_t count = rows - row < rowsAtOnce ? rows - row : rowsAtOnce;
    for (int64_t each = 0; each < count; ++each) {
      packedInputs.read(inputs, columns, each * columns, kInputs);
      inputs.advance();
    }
    for (int64_t at = 0; at < count * columns; at += kLanes) {
      storeResults<kLanes>(outputRows, at, applyBody<Body, kLanes>(inputRows, at));
    }
    for (int64_t each = 0; each < count; ++each) {
      packedOutputs.write(outputs, columns, each * columns, kOutputs);
      outputs.advance();
    }
  }
}

// MARK: - The kernel

/// The part of the loop nest that is one task. Out of line, as the serial and the threaded loop
/// would each have a copy of it.
template <class Body, class In, class Out, int kRank>
__attribute__((noinline)) void pointwiseTask(Cursor<In, kRank> inputs, Cursor<Out, kRank> outputs,
                                             const PointwiseTasks::Range& range, int64_t columns) {
  inputs.seek(range.firstRow);
  outputs.seek(range.firstRow);
  const int64_t rows = range.lastRow - range.firstRow;
  if (columns <= kLanes / 2 && rows > 1) {
    pointwiseShortRows<Body>(inputs, outputs, rows, columns);
    return;
  }
  for (int64_t row = 0; row < rows; ++row) {
    pointwiseRow<Body, kLanes>(inputs.rows(), outputs.rows(), range.firstColumn, range.lastColumn);
    inputs.advance();
    outputs.advance();
  }
}

/// outputs[…] = Body(inputs[…]) over a loop nest of `kRank` extents.
///
/// - sizes: `kRank` extents, then `kRank` strides for each input, then for each output; strides
///   are in elements, and the last of each is implied by the operand's access.
/// - buffers: the inputs, then the outputs. An output may be the same memory as an input if it has
///   the same strides; other overlaps are not allowed.
/// - Any extent may be 0.
///
/// Rows of at most half a vector are computed several at a time through a copy, at a few
/// cycles per element. An inner stride that is not 1 costs a scalar access per element: put the
/// axis that most operands are contiguous along last.
template <class Body, class In, class Out, int kRank>
void pointwise(const KernelContext& context) {
  const int64_t* extents = context.sizes;
  const int64_t* inputStrides = extents + kRank;
  const int64_t* outputStrides = inputStrides + In::kCount * kRank;
  const int64_t columns = extents[kRank - 1];
  const Cursor<In, kRank> inputs(context.buffers, extents, inputStrides);
  const Cursor<Out, kRank> outputs(context.buffers + In::kCount, extents, outputStrides);
  const int64_t rows = inputs.outerCount();
  if (rows * columns == 0) return;

  const PointwiseTasks tasks(rows, columns, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    pointwiseTask<Body>(inputs, outputs, tasks.range(task), columns);
  });
}

}  // namespace ait
