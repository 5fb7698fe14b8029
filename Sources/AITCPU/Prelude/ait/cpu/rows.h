// What the kernels that work on rows share: loops over the vectors of a row, operands of a prologue
// and an epilogue, rows kept in scratch memory, tasks of rows.
#pragma once

#include "ait/cpu/math.h"
#include "ait/cpu/operands.h"
#include "ait/kernel.h"

namespace ait {

// MARK: - Vectors of a row

/// All W lanes of a vector are columns of the row.
struct WholeVector {};

/// The first `count` lanes are columns of the row; the others hold anything.
struct PartialVector {
  int64_t count;
};

/// Calls `body(column, extent)` for vectors that cover the columns `first ..< last`; `extent` is a
/// WholeVector, or a PartialVector for the last.
template <int W, class Body>
AIT_INLINE void forEachVector(int64_t first, int64_t last, Body&& body) {
  int64_t column = first;
  for (; column + W <= last; column += W) body(column, WholeVector{});
  if (column < last) body(column, PartialVector{last - column});
}

/// `x`, with the lanes beyond the row replaced.
template <class T, int W>
AIT_INLINE Vec<T, W> fillBeyond(Vec<T, W> x, Vec<T, W>, WholeVector) {
  return x;
}
template <class T, int W>
AIT_INLINE Vec<T, W> fillBeyond(Vec<T, W> x, Vec<T, W> filler, PartialVector extent) {
  return select(firstLanes<W>(extent.count), x, filler);
}

/// Combines `value(column, extent)` of all vectors, lane by lane, with `start`; lanes beyond the
/// row count as `neutral`. With `kIsCheap`, four vectors at a time meet in a tree, so that an
/// iteration waits for one operation of the one before; a costly value would spill registers then.
template <int W, bool kIsCheap = true, class V, class Value, class Combine>
AIT_INLINE V foldVectors(int64_t first, int64_t last, V start, V neutral, Value&& value,
                         Combine&& combine) {
  int64_t column = first;
  if constexpr (kIsCheap) {
    for (; column + 4 * W <= last; column += 4 * W) {
      const V x0 = value(column, WholeVector{});
      const V x1 = value(column + W, WholeVector{});
      const V x2 = value(column + 2 * W, WholeVector{});
      const V x3 = value(column + 3 * W, WholeVector{});
      start = combine(start, combine(combine(x0, x1), combine(x2, x3)));
    }
  }
  forEachVector<W>(column, last, [&](int64_t at, auto extent) AIT_INLINE_LAMBDA {
    start = combine(start, fillBeyond(value(at, extent), neutral, extent));
  });
  return start;
}

/// Calls `body(first, last)` for blocks of at most 256 vectors: as far as sums in T may go, and be
/// added up in double, for their error not to grow with the row.
template <int W, class Body>
AIT_INLINE void forEachBlock(int64_t first, int64_t last, Body&& body) {
  constexpr int64_t kBlock = 256 * W;
  for (; first < last; first += kBlock) body(first, first + kBlock < last ? first + kBlock : last);
}

struct Addition {
  template <class V>
  AIT_INLINE V operator()(V a, V b) const {
    return a + b;
  }
};

/// The sum of `value(column, extent)` over all columns.
template <class T, int W, bool kIsCheap = true, class Value>
AIT_INLINE double sumOfVectors(int64_t first, int64_t last, Value&& value) {
  const Vec<T, W> zero = broadcast<W, T>(0);
  double total = 0;
  forEachBlock<W>(first, last, [&](int64_t start, int64_t end) AIT_INLINE_LAMBDA {
    const Vec<T, W> sum = foldVectors<W, kIsCheap>(start, end, zero, zero, value, Addition());
    total += static_cast<double>(horizontalSum(sum));
  });
  return total;
}

// MARK: - Bodies on whole and partial vectors

template <class Body, int W, class Rows, class... V>
AIT_INLINE auto applyTo(const Rows& rows, int64_t column, WholeVector, V... leading) {
  return applyBody<Body, W>(rows, column, leading...);
}
template <class Body, int W, class Rows, class... V>
AIT_INLINE auto applyTo(const Rows& rows, int64_t column, PartialVector extent, V... leading) {
  return applyBodyPartial<Body, W>(rows, column, extent.count, leading...);
}

template <int W, class Row, class T>
AIT_INLINE void storeTo(const Row& row, int64_t column, Vec<T, W> value, WholeVector) {
  row.template store<W>(column, value);
}
template <int W, class Row, class T>
AIT_INLINE void storeTo(const Row& row, int64_t column, Vec<T, W> value, PartialVector extent) {
  row.template storePartial<W>(column, value, extent.count);
}

/// Stores results to the first rows; a row that follows is for the exposed value of the prologue.
template <int W, class Rows, class Results>
AIT_INLINE void storeAll(const Rows& rows, int64_t column, const Results& results, WholeVector) {
  storeResultsIndexed<W>(rows, column, results, Indices<Results::kCount>{});
}
template <int W, class Rows, class Results>
AIT_INLINE void storeAll(const Rows& rows, int64_t column, const Results& results,
                         PartialVector extent) {
  storeResultsPartialIndexed<W>(rows, column, extent.count, results, Indices<Results::kCount>{});
}

/// The type that a prologue computes its value in, given the cursor of its operands.
template <class Prologue, class InputCursor>
struct PrologueElement {
  static auto value(const InputCursor& cursor) {
    return get<0>(applyBody<Prologue, 1>(cursor.rows(), 0));
  }
  using Type = typename decltype(value(*static_cast<const InputCursor*>(nullptr)))::Element;
};

// MARK: - Operands

/// Extents and strides of neighbouring operands over some of a kernel's axes, in an order.
template <int kAxes, int kOperands>
struct LoopSizes {
  int64_t extents[kAxes];
  int64_t strides[kAxes * (kOperands + 1)];

  /// - sizes: `rank` extents, then as many strides for each operand.
  /// - axisAt(i): the kernel's axis that becomes the loop `i`.
  template <class AxisAt>
  AIT_INLINE LoopSizes(const int64_t* sizes, int rank, int firstOperand, AxisAt axisAt) {
    for (int axis = 0; axis < kAxes; ++axis) {
      extents[axis] = sizes[axisAt(axis)];
      for (int operand = 0; operand < kOperands; ++operand) {
        strides[operand * kAxes + axis] = sizes[rank * (1 + firstOperand + operand) + axisAt(axis)];
      }
    }
  }
};

/// The template arguments of a kernel whose results are as many as its elements, and the operands
/// they stand for. With `kExposes` the last output takes the prologue's value.
template <class Prologue, class Epilogue, class In, class Extras, class Out, int kRank,
          bool kExposes>
class RowOperands {
 public:
  using T = typename PrologueElement<Prologue, Cursor<In, kRank>>::Type;
  static constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
  static constexpr int kCount = In::kCount + Extras::kCount + Out::kCount;
  static constexpr bool kIsExposing = kExposes;

  /// - buffers: inputs, extras, outputs.
  /// - strides: `kRank` for each of them.
  AIT_INLINE RowOperands(void* const* buffers, const int64_t* extents, const int64_t* strides)
      : inputs_(buffers, extents, strides),
        extras_(buffers + In::kCount, extents, strides + In::kCount * kRank),
        outputs_(buffers + In::kCount + Extras::kCount, extents,
                 strides + (In::kCount + Extras::kCount) * kRank) {}

  AIT_INLINE void seek(int64_t row) {
    inputs_.seek(row);
    extras_.seek(row);
    outputs_.seek(row);
  }

  AIT_INLINE void advance() {
    inputs_.advance();
    extras_.advance();
    outputs_.advance();
  }

  /// The row that the operands stand at.
  template <class InputRows, class ExtraRows, class OutputRows>
  struct Rows {
    InputRows inputs;
    ExtraRows extras;
    OutputRows outputs;

    /// The prologue's value, stored where it is exposed if `kStores`.
    template <bool kStores, class Extent>
    AIT_INLINE Vec<T, W> read(int64_t column, Extent extent) const {
      const Vec<T, W> x = get<0>(applyTo<Prologue, W>(inputs, column, extent));
      if constexpr (kExposes && kStores) {
        storeTo<W>(get<Out::kCount - 1>(outputs), column, x, extent);
      }
      return x;
    }

    /// Stores what the epilogue makes of a result.
    template <class Extent>
    AIT_INLINE void write(int64_t column, Vec<T, W> y, Extent extent) const {
      storeAll<W>(outputs, column, applyTo<Epilogue, W>(extras, column, extent, y), extent);
    }
  };

  AIT_INLINE auto rows() const {
    return Rows<typename Cursor<In, kRank>::Rows, typename Cursor<Extras, kRank>::Rows,
                typename Cursor<Out, kRank>::Rows>{inputs_.rows(), extras_.rows(), outputs_.rows()};
  }

 private:
  Cursor<In, kRank> inputs_;
  Cursor<Extras, kRank> extras_;
  Cursor<Out, kRank> outputs_;
};

// MARK: - Tasks

/// The elements of T that a task may keep in its thread's scratch memory and store as whole
/// vectors: the last vector may reach beyond them.
template <class T>
inline constexpr int64_t kKeptElements =
    ThreadPool::kScratchSizeInBytes / static_cast<int64_t>(sizeof(T)) - 64;

/// How rows are shared among threads: a small problem is one task.
class RowTasks {
 public:
  RowTasks(int64_t rows, int64_t elementsPerRow, int32_t threads) : rows_(rows) {
    constexpr int64_t kSerialElements = 32768;
    constexpr int64_t kTaskElements = 16384;
    const int64_t width = elementsPerRow > 0 ? elementsPerRow : 1;
    // Some tasks per thread, so that a late thread does not keep the others waiting, but none so
    // short that taking it counts.
    const int64_t share = (rows + int64_t{4} * threads - 1) / (int64_t{4} * threads);
    const int64_t least = (kTaskElements + width - 1) / width;
    const bool isSerial = threads == 1 || rows * width <= kSerialElements;
    rowsPerTask_ = isSerial ? rows : share > least ? share : least;
    count_ = rows > 0 ? (rows + rowsPerTask_ - 1) / rowsPerTask_ : 0;
  }

  int64_t count() const { return count_; }
  int64_t first(int64_t task) const { return task * rowsPerTask_; }
  int64_t last(int64_t task) const {
    const int64_t end = (task + 1) * rowsPerTask_;
    return end < rows_ ? end : rows_;
  }

 private:
  int64_t rows_;
  int64_t rowsPerTask_;
  int64_t count_;
};

/// The product of some extents.
inline int64_t product(const int64_t* extents, int count) {
  int64_t result = 1;
  for (int axis = 0; axis < count; ++axis) result *= extents[axis];
  return result;
}

}  // namespace ait
