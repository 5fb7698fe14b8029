// What the kernels that work on rows share: whole and partial vectors by one text, tasks of rows,
// and results stored beside the prologue's value.
#pragma once

#include "ait/cpu/math.h"
#include "ait/cpu/operands.h"
#include "ait/kernel.h"

namespace ait {

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

/// Memory that a task may keep a row in: elements of T in its thread's scratch.
template <class T>
inline constexpr int64_t kScratchElements = ThreadPool::kScratchSizeInBytes /
                                            static_cast<int64_t>(sizeof(T));

/// How rows are shared among threads: a small problem is one task.
class RowTasks {
 public:
  RowTasks(int64_t rows, int64_t elementsPerRow, int32_t threads) : rows_(rows) {
    constexpr int64_t kSerial = 32768;
    constexpr int64_t kTaskElements = 16384;
    const int64_t share = (rows + int64_t{4} * threads - 1) / (int64_t{4} * threads);
    const int64_t least = elementsPerRow > 0 ? (kTaskElements + elementsPerRow - 1) / elementsPerRow
                                             : rows;
    const bool isSerial = threads == 1 || rows * elementsPerRow <= kSerial;
    rowsPerTask_ = isSerial ? rows : share > least ? share : least;
    count_ = rowsPerTask_ > 0 ? (rows + rowsPerTask_ - 1) / rowsPerTask_ : 0;
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
