// How generated kernels describe and reach their operands.
//
// A kernel is a loop nest of `rank` extents, of which the last is the inner loop; its index is
// the *column*. An operand has `rank` strides, in elements, 0 where it is broadcast. The other
// extents, flattened in row-major order, are the *outer* index, and each value of it is a *row*.
//
//   Cursor<Inputs<Operand<float, Access::contiguous>, Operand<float, Access::uniform>>, 3>
//       inputs(buffers, extents, strides);
//   inputs.seek(outer);
//   const auto rows = inputs.rows();
//   const auto result = applyBody<Body, kLanes>(rows, column);   // calls Body::apply<kLanes>
//   storeResults<kLanes>(outputRows, column, result);
//   inputs.advance();                                            // to the next outer index
#pragma once

#include "ait/cpu/tuple.h"
#include "ait/cpu/vector.h"

namespace ait {

/// How an operand moves along the inner loop: stride 1, stride 0, or any stride.
enum class Access { contiguous, uniform, strided };

/// An operand of a generated kernel: its element type and its inner access. For `contiguous` and
/// `uniform` the inner stride is implied and the one among the sizes is not read.
template <class T, Access A>
struct Operand {
  using Element = T;
  static constexpr Access kAccess = A;
};

/// Operands that are read, in the order of the kernel's arguments.
template <class... O>
struct Inputs {
  static constexpr int kCount = sizeof...(O);
};

/// Operands that are written, in the order of the kernel's results.
template <class... O>
struct Outputs {
  static constexpr int kCount = sizeof...(O);
};

// MARK: - Rows

/// One row of an operand. `load` and `loadPartial` take the column of the first lane; lanes of a
/// partial load from `count` on hold an unspecified number.
template <class T, Access A>
class Row {
 public:
  AIT_INLINE Row(T* base, int64_t stride) : base_(base), stride_(stride) {}

  template <int W>
  AIT_INLINE Vec<ComputeType<T>, W> load(int64_t column) const {
    if constexpr (A == Access::contiguous) {
      return ait::load<T, W>(base_ + column);
    } else {
      return ait::loadStrided<T, W>(base_ + column * stride_, stride_);
    }
  }

  template <int W>
  AIT_INLINE Vec<ComputeType<T>, W> loadPartial(int64_t column, int64_t count) const {
    if constexpr (A == Access::contiguous) {
      return ait::loadPartial<T, W>(base_ + column, count);
    } else {
      return ait::loadStridedPartial<T, W>(base_ + column * stride_, stride_, count);
    }
  }

  template <int W>
  AIT_INLINE void store(int64_t column, Vec<ComputeType<T>, W> value) const {
    if constexpr (A == Access::contiguous) {
      ait::store<T, W>(base_ + column, value);
    } else {
      ait::storeStrided<T, W>(base_ + column * stride_, stride_, value);
    }
  }

  template <int W>
  AIT_INLINE void storePartial(int64_t column, Vec<ComputeType<T>, W> value, int64_t count) const {
    if constexpr (A == Access::contiguous) {
      ait::storePartial<T, W>(base_ + column, value, count);
    } else {
      ait::storeStridedPartial<T, W>(base_ + column * stride_, stride_, value, count);
    }
  }

 private:
  T* base_;
  int64_t stride_;
};

/// A row of one number, read once: the loop that stores other operands cannot change it, which
/// the compiler could not know. As an output, all columns are the same element: lane 0 of the
/// last store stays.
template <class T>
class Row<T, Access::uniform> {
 public:
  AIT_INLINE Row(T* base, int64_t) : base_(base), value_(toCompute<T>(*base)) {}

  template <int W>
  AIT_INLINE Vec<ComputeType<T>, W> load(int64_t) const {
    return broadcast<W, ComputeType<T>>(value_);
  }

  template <int W>
  AIT_INLINE Vec<ComputeType<T>, W> loadPartial(int64_t, int64_t) const {
    return broadcast<W, ComputeType<T>>(value_);
  }

  template <int W>
  AIT_INLINE void store(int64_t, Vec<ComputeType<T>, W> value) const {
    *base_ = toStorage<T>(value[0]);
  }

  template <int W>
  AIT_INLINE void storePartial(int64_t, Vec<ComputeType<T>, W> value, int64_t) const {
    *base_ = toStorage<T>(value[0]);
  }

 private:
  T* base_;
  ComputeType<T> value_;
};

// MARK: - Cursor

template <class Pack, int kRank>
class Cursor;

/// Walks the rows of a pack of operands: `Cursor<Inputs<…>, rank>` or `Cursor<Outputs<…>, rank>`.
/// Reads no element before `rows()` or `rowsAt()`; both need every extent to be positive.
template <template <class...> class Pack, class... O, int kRank>
class Cursor<Pack<O...>, kRank> {
 public:
  static_assert(kRank >= 1 && kRank <= 8, "loop nests have 1 to 8 extents");
  static constexpr int kCount = sizeof...(O);

  using Rows = Tuple<Row<typename O::Element, O::kAccess>...>;

  /// - buffers: one pointer per operand.
  /// - extents: `kRank` numbers.
  /// - strides: `kRank` numbers for the first operand, then for the next; in elements.
  ///
  /// Stands at outer index 0. The arrays must outlive the cursor.
  AIT_INLINE Cursor(void* const* buffers, const int64_t* extents, const int64_t* strides)
      : extents_(extents), strides_(strides) {
    for (int operand = 0; operand < kCount; ++operand) {
      buffers_[operand] = buffers[operand];
      offsets_[operand] = 0;
    }
    for (int axis = 0; axis < kRank; ++axis) position_[axis] = 0;
  }

  /// The number of rows: the product of all extents but the last.
  AIT_INLINE int64_t outerCount() const {
    int64_t count = 1;
    for (int axis = 0; axis < kRank - 1; ++axis) count *= extents_[axis];
    return count;
  }

  /// Moves to an outer index; costs a division per outer extent beyond the first.
  AIT_INLINE void seek(int64_t outer) {
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
    for (int axis = kRank - 2; axis >= 0; --axis) {
      const int64_t quotient = axis > 0 ? outer / extents_[axis] : 0;
      position_[axis] = outer - quotient * extents_[axis];
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += position_[axis] * strides_[operand * kRank + axis];
      }
      outer = quotient;
    }
  }

  /// Moves to the next outer index, without a division. After the last one, the position is
  /// unspecified until the next `seek`.
  AIT_INLINE void advance() {
    for (int axis = kRank - 2; axis >= 0; --axis) {
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += strides_[operand * kRank + axis];
      }
      if (++position_[axis] < extents_[axis] || axis == 0) return;
      position_[axis] = 0;
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] -= extents_[axis] * strides_[operand * kRank + axis];
      }
    }
  }

  /// The rows at the current outer index.
  AIT_INLINE Rows rows() const { return rowsWith(offsets_, Indices<kCount>{}); }

  /// The rows at any outer index, the cursor left where it is; for kernels that hold several rows
  /// at once. Costs as much as `seek`.
  AIT_INLINE Rows rowsAt(int64_t outer) const {
    Cursor other(*this);
    other.seek(outer);
    return other.rows();
  }

  /// The address of the first element of the current row of one operand.
  template <int I>
  AIT_INLINE auto rowAddress() const {
    using Element = typename TypeAtIndex<I, O...>::Type::Element;
    return static_cast<Element*>(buffers_[I]) + offsets_[I];
  }

  /// The distance of two columns of one operand, in elements.
  template <int I>
  AIT_INLINE int64_t innerStride() const {
    constexpr Access kAccess = TypeAtIndex<I, O...>::Type::kAccess;
    if constexpr (kAccess == Access::strided) {
      return strides_[I * kRank + kRank - 1];
    } else {
      return kAccess == Access::contiguous ? 1 : 0;
    }
  }

 private:
  template <int... I>
  AIT_INLINE Rows rowsWith(const int64_t* offsets, IntegerSequence<int, I...>) const {
    return makeTuple(Row<typename O::Element, O::kAccess>(
        static_cast<typename O::Element*>(buffers_[I]) + offsets[I],
        strides_[I * kRank + kRank - 1])...);
  }

  const int64_t* extents_;
  const int64_t* strides_;
  // Arrays have at least one entry, so that a pack may be empty.
  void* buffers_[kCount + 1];
  int64_t offsets_[kCount + 1];
  int64_t position_[kRank];
};

// MARK: - Bodies

template <class Body, int W, class... R, class... V, int... I>
AIT_INLINE auto applyBodyIndexed(const Tuple<R...>& rows, int64_t column,
                                 IntegerSequence<int, I...>, V... leading) {
  return Body::template apply<W>(leading..., get<I>(rows).template load<W>(column)...);
}

template <class Body, int W, class... R, class... V, int... I>
AIT_INLINE auto applyBodyPartialIndexed(const Tuple<R...>& rows, int64_t column, int64_t count,
                                        IntegerSequence<int, I...>, V... leading) {
  return Body::template apply<W>(leading...,
                                 get<I>(rows).template loadPartial<W>(column, count)...);
}

/// `Body::apply<W>(leading…, rows…)` for the columns `column ..< column + W`. An epilogue passes
/// what it has computed, such as an accumulator, as the leading arguments.
template <class Body, int W, class... R, class... V>
AIT_INLINE auto applyBody(const Tuple<R...>& rows, int64_t column, V... leading) {
  return applyBodyIndexed<Body, W>(rows, column, Indices<sizeof...(R)>{}, leading...);
}

/// The same for `count` (0...W) columns; the results' other lanes are unspecified.
template <class Body, int W, class... R, class... V>
AIT_INLINE auto applyBodyPartial(const Tuple<R...>& rows, int64_t column, int64_t count,
                                 V... leading) {
  return applyBodyPartialIndexed<Body, W>(rows, column, count, Indices<sizeof...(R)>{}, leading...);
}

template <int W, class... R, class Results, int... I>
AIT_INLINE void storeResultsIndexed(const Tuple<R...>& rows, int64_t column, const Results& results,
                                    IntegerSequence<int, I...>) {
  (get<I>(rows).template store<W>(column, get<I>(results)), ...);
}

template <int W, class... R, class Results, int... I>
AIT_INLINE void storeResultsPartialIndexed(const Tuple<R...>& rows, int64_t column, int64_t count,
                                           const Results& results, IntegerSequence<int, I...>) {
  (get<I>(rows).template storePartial<W>(column, get<I>(results), count), ...);
}

/// Stores one result per output row to the columns `column ..< column + W`.
template <int W, class... R, class Results>
AIT_INLINE void storeResults(const Tuple<R...>& rows, int64_t column, const Results& results) {
  static_assert(Tuple<R...>::kCount == Results::kCount, "one result per output");
  storeResultsIndexed<W>(rows, column, results, Indices<sizeof...(R)>{});
}

/// Stores to the columns `column ..< column + count`, count in 0...W.
template <int W, class... R, class Results>
AIT_INLINE void storeResultsPartial(const Tuple<R...>& rows, int64_t column, int64_t count,
                                    const Results& results) {
  static_assert(Tuple<R...>::kCount == Results::kCount, "one result per output");
  storeResultsPartialIndexed<W>(rows, column, count, results, Indices<sizeof...(R)>{});
}

}  // namespace ait
