// The loops of reductions: over elements, over blocks of them, and over results.
#pragma once

#include "ait/cpu/reducers_state.h"
#include "ait/cpu/rows.h"

namespace ait {

/// The first `kCount` operands of a pack, and those behind them.
template <class Pack, class First, class Rest>
struct SplitPack;
template <template <class...> class Pack, class... O, int... I, int... J>
struct SplitPack<Pack<O...>, IntegerSequence<int, I...>, IntegerSequence<int, J...>> {
  using First = Pack<typename TypeAtIndex<I, O...>::Type...>;
  using Rest = Pack<typename TypeAtIndex<sizeof...(I) + J, O...>::Type...>;
};

/// The template arguments of a reduction and what follows from them.
template <class Tag, class Parameters, class Prologue_, class Epilogue_, class In_, class Extras_,
          class Out, int outerRank, int innerRank, bool kExposes_>
struct ReductionTypes {
  using Prologue = Prologue_;
  using Epilogue = Epilogue_;
  using In = In_;
  using Extras = Extras_;
  static constexpr int kOuterRank = outerRank;
  static constexpr int kInnerRank = innerRank;
  static constexpr int kRank = outerRank + innerRank;
  static constexpr bool kExposes = kExposes_;

  using Split =
      SplitPack<Out, Indices<Out::kCount - (kExposes ? 1 : 0)>, Indices<kExposes ? 1 : 0>>;
  using Results = typename Split::First;
  using Exposed = typename Split::Rest;

  using T = typename PrologueElement<Prologue, Cursor<In, kRank>>::Type;
  using Reducer = typename Tag::template For<T, Parameters>;
  static constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
};

/// A cursor that knows its row, so that the next one costs no division.
template <class Pack, int kRank>
class Walk {
 public:
  AIT_INLINE explicit Walk(const Cursor<Pack, kRank>& cursor) : cursor_(cursor) {}

  AIT_INLINE void moveTo(int64_t row) {
    if (row == row_ + 1) {
      cursor_.advance();
    } else if (row != row_) {
      cursor_.seek(row);
    }
    row_ = row;
  }

  AIT_INLINE auto rows() const { return cursor_.rows(); }

 private:
  Cursor<Pack, kRank> cursor_;
  int64_t row_ = 0;
};

// MARK: - Elements

/// The elements that a reduction reads and exposes: rows along the vector axis.
template <class Types>
class ElementLoops {
  using In = typename Types::In;
  using Exposed = typename Types::Exposed;
  static constexpr int kRank = Types::kRank;
  static constexpr int kExposed = In::kCount + Types::Extras::kCount + Types::Results::kCount;

 public:
  template <class AxisAt>
  AIT_INLINE ElementLoops(const KernelContext& context, AxisAt axisAt)
      : buffers_(context.buffers),
        inputs_(context.sizes, kRank, 0, axisAt),
        exposed_(context.sizes, kRank, kExposed, axisAt) {}

  /// One row of every operand.
  template <class InputRows, class ExposedRows>
  struct Rows {
    InputRows inputs;
    ExposedRows exposed;

    /// The prologue's value, stored where it is exposed if `kStores`.
    template <int W, bool kStores, class Extent>
    AIT_INLINE auto at(int64_t column, Extent extent) const {
      const auto x = get<0>(applyTo<typename Types::Prologue, W>(inputs, column, extent));
      if constexpr (kStores && Types::kExposes) storeTo<W>(get<0>(exposed), column, x, extent);
      return x;
    }
  };

  struct Cursors {
    Walk<In, kRank> inputs;
    Walk<Exposed, kRank> exposed;

    AIT_INLINE void moveTo(int64_t row) {
      inputs.moveTo(row);
      if constexpr (Types::kExposes) exposed.moveTo(row);
    }

    AIT_INLINE auto rows() const {
      return Rows<decltype(inputs.rows()), decltype(exposed.rows())>{inputs.rows(), exposed.rows()};
    }
  };

  /// New cursors at row 0; they refer to this object.
  AIT_INLINE Cursors walk() const {
    using Inputs = Cursor<In, kRank>;
    using Exposures = Cursor<Exposed, kRank>;
    return {
        Walk<In, kRank>(Inputs(buffers_, inputs_.extents, inputs_.strides)),
        Walk<Exposed, kRank>(Exposures(buffers_ + kExposed, exposed_.extents, exposed_.strides))};
  }

 private:
  void* const* buffers_;
  LoopSizes<kRank, In::kCount> inputs_;
  LoopSizes<kRank, Exposed::kCount> exposed_;
};

// MARK: - Blocks

/// How the inner rows and columns of one result are cut into blocks of at most kBlockSteps
/// vectors: parts of a row, or several short ones.
class RowBlocks {
 public:
  RowBlocks(int64_t rows, int64_t columns, int64_t lanes) : rows_(rows), columns_(columns) {
    const int64_t widest = kBlockSteps * lanes;
    columnsPerBlock_ = columns < widest ? columns : widest;
    const int64_t steps = (columnsPerBlock_ + lanes - 1) / lanes;
    rowsPerBlock_ = steps > 0 && steps < kBlockSteps ? kBlockSteps / steps : 1;
    columnBlocks_ = columns > 0 ? (columns + columnsPerBlock_ - 1) / columnsPerBlock_ : 0;
    count_ = (rows + rowsPerBlock_ - 1) / rowsPerBlock_ * columnBlocks_;
  }

  struct Range {
    int64_t firstRow, lastRow;        // exclusive
    int64_t firstColumn, lastColumn;  // exclusive
  };

  int64_t count() const { return count_; }
  int64_t rowCount() const { return rows_; }
  int64_t elementCount() const { return rows_ * columns_; }

  AIT_INLINE Range range(int64_t block) const {
    // Most rows are one block; a division is worth avoiding then.
    const int64_t line = count_ == 1 ? 0 : block / columnBlocks_;
    const int64_t row = line * rowsPerBlock_;
    const int64_t column = (block - line * columnBlocks_) * columnsPerBlock_;
    return {row, row + rowsPerBlock_ < rows_ ? row + rowsPerBlock_ : rows_, column,
            column + columnsPerBlock_ < columns_ ? column + columnsPerBlock_ : columns_};
  }

 private:
  int64_t rows_;
  int64_t columns_;
  int64_t rowsPerBlock_;
  int64_t columnsPerBlock_;
  int64_t columnBlocks_;
  int64_t count_;
};

/// Into how many parts each of a few long reductions is cut; 1 if they are many or short. From
/// sizes alone, so that results do not depend on the number of threads.
inline int64_t partsOf(int64_t reductions, int64_t blocks, int64_t maximumTotals) {
  if (reductions >= 32 || blocks < 8) return 1;
  const int64_t parts = maximumTotals / reductions;
  return parts < blocks / 2 ? parts : blocks / 2;
}

// MARK: - Results

/// Outputs of which one column is written: a uniform one would be read before it is.
template <class Pack>
struct WrittenOnce;
template <class... O>
struct WrittenOnce<Outputs<O...>> {
  using Type = Outputs<Operand<typename O::Element, Access::contiguous>...>;
};

/// The results of a reduction, with the operands of its epilogue: rows of the first axes.
template <class Types, int kAxes, class Results>
class ResultLoops {
  using Extras = typename Types::Extras;
  static constexpr int kExtras = Types::In::kCount;
  static constexpr int kResults = kExtras + Extras::kCount;

 public:
  AIT_INLINE explicit ResultLoops(const KernelContext& context)
      : buffers_(context.buffers),
        extras_(context.sizes, Types::kRank, kExtras, [](int axis) { return axis; }),
        results_(context.sizes, Types::kRank, kResults, [](int axis) { return axis; }) {}

  struct Cursors {
    Walk<Extras, kAxes> extras;
    Walk<Results, kAxes> results;

    AIT_INLINE void moveTo(int64_t row) {
      extras.moveTo(row);
      results.moveTo(row);
    }

    /// Stores what the epilogue makes of results.
    template <int W, class V, class Extent>
    AIT_INLINE void write(int64_t column, V y, Extent extent) const {
      const auto values = applyTo<typename Types::Epilogue, W>(extras.rows(), column, extent, y);
      storeAll<W>(results.rows(), column, values, extent);
    }
  };

  /// New cursors at row 0; they refer to this object.
  AIT_INLINE Cursors walk() const {
    using ExtraCursor = Cursor<Extras, kAxes>;
    using ResultCursor = Cursor<Results, kAxes>;
    return {Walk<Extras, kAxes>(ExtraCursor(buffers_ + kExtras, extras_.extents, extras_.strides)),
            Walk<Results, kAxes>(
                ResultCursor(buffers_ + kResults, results_.extents, results_.strides))};
  }

 private:
  void* const* buffers_;
  LoopSizes<kAxes, Extras::kCount> extras_;
  LoopSizes<kAxes, Results::kCount> results_;
};

}  // namespace ait
