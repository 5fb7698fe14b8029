// The end of matmul: extras in, the epilogue's results out, at places of a matrix.
#pragma once

#include "ait/cpu/matmul_config.h"
#include "ait/cpu/matmul_micro.h"
#include "ait/cpu/operands.h"
#include "ait/kernel.h"

namespace ait::gemm {

template <class Pack, int kBatchRank>
class MatrixOperands;

/// A pack of operands that are matrices with batch axes: `MatrixOperands<Inputs<…>, batchRank>` or
/// `MatrixOperands<Outputs<…>, batchRank>`. Each has the strides of its batch axes, of its rows
/// and of its columns.
template <template <class...> class Pack, class... O, int kBatchRank>
class MatrixOperands<Pack<O...>, kBatchRank> {
 public:
  static constexpr int kCount = sizeof...(O);
  static constexpr int kStrides = kBatchRank + 2;

  using Rows = Tuple<Row<typename O::Element, O::kAccess>...>;

  /// Stands at the first matrix of the batch. The arrays must outlive the object.
  AIT_INLINE MatrixOperands(void* const* buffers, const int64_t* strides)
      : buffers_(buffers), strides_(strides) {
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
  }

  /// Moves to a matrix of the batch, given as an index per batch axis.
  AIT_INLINE void seek(const int64_t* position) {
    for (int operand = 0; operand < kCount; ++operand) {
      offsets_[operand] = 0;
      for (int axis = 0; axis < kBatchRank; ++axis) {
        offsets_[operand] += position[axis] * strides_[operand * kStrides + axis];
      }
    }
  }

  /// A row of every operand of the current matrix.
  AIT_INLINE Rows rows(int64_t row) const { return rowsWith(row, Indices<kCount>{}); }

  /// Asks for `columns` columns of a row of the operands whose columns lie side by side.
  AIT_INLINE void prefetch(int64_t row, int64_t column, int64_t columns) const {
    prefetchWith(row, column, columns, Indices<kCount>{});
  }

 private:
  template <int... I>
  AIT_INLINE void prefetchWith(int64_t row, int64_t column, int64_t columns,
                               IntegerSequence<int, I...>) const {
    (prefetchOne<I, O>(row, column, columns), ...);
  }

  template <int operand, class OneOperand>
  AIT_INLINE void prefetchOne(int64_t row, int64_t column, int64_t columns) const {
    using Element = typename OneOperand::Element;
    if constexpr (OneOperand::kAccess == Access::contiguous) {
      const auto* start = static_cast<const Element*>(buffers_[operand]) + offsets_[operand] +
                          row * strides_[operand * kStrides + kBatchRank] + column;
      for (int64_t i = 0; i < columns; i += 64 / sizeof(Element)) {
        __builtin_prefetch(start + i, kIsWritten, 3);
      }
    }
  }

  static constexpr bool kIsWritten = __is_same(Pack<O...>, Outputs<O...>);

  template <int... I>
  AIT_INLINE Rows rowsWith(int64_t row, IntegerSequence<int, I...>) const {
    return makeTuple(Row<typename O::Element, O::kAccess>(
        static_cast<typename O::Element*>(buffers_[I]) + offsets_[I] +
            row * strides_[I * kStrides + kBatchRank],
        strides_[I * kStrides + kBatchRank + 1])...);
  }

  void* const* buffers_;
  const int64_t* strides_;
  // At least one entry, so that a pack may be empty.
  int64_t offsets_[kCount + 1];
};

/// The epilogue at the current matrix: `Body::apply` on sums, with extras, to outputs.
template <class Tile, class Body, class In, class Out>
struct Epilogue {
  static constexpr int kLanes = Tile::kLanes;
  using Accumulator = typename Tile::Accumulator;

  In inputs;
  Out outputs;

  /// Asks for what `finish` will read and write.
  AIT_INLINE void prefetch(int64_t row, int64_t rowCount, int64_t column,
                           int64_t columnCount) const {
#pragma clang loop unroll(disable)
    for (int64_t i = row; i < row + rowCount; ++i) {
      inputs.prefetch(i, column, columnCount);
      outputs.prefetch(i, column, columnCount);
    }
  }

  /// Finishes a whole tile from registers.
  AIT_INLINE void finish(const Sums<Tile, Tile::kRows>& sums, int64_t row, int64_t column) const {
#pragma clang loop unroll(full)
    for (int i = 0; i < Tile::kRows; ++i) {
      const auto from = inputs.rows(row + i);
      const auto to = outputs.rows(row + i);
#pragma clang loop unroll(full)
      for (int j = 0; j < Tile::kVectors; ++j) {
        const int64_t at = column + j * kLanes;
        storeResults<kLanes>(to, at, applyBody<Body, kLanes>(from, at, sums.values[i][j]));
      }
    }
  }

  /// Finishes `rowCount` rows of `columnCount` columns, the sums of row i at
  /// `stored + i * storedStep`; its place is `rowStep` rows behind that of the row before it.
  __attribute__((noinline)) void finish(const Accumulator* stored, int64_t storedStep, int64_t row,
                                        int64_t rowCount, int64_t column, int64_t columnCount,
                                        int64_t rowStep = 1) const {
#pragma clang loop unroll(disable)
    for (int64_t i = 0; i < rowCount; ++i, stored += storedStep) {
      const auto from = inputs.rows(row + i * rowStep);
      const auto to = outputs.rows(row + i * rowStep);
      int64_t j = 0;
#pragma clang loop unroll(disable)
      for (; j + kLanes <= columnCount; j += kLanes) {
        const auto sums = load<Accumulator, kLanes>(stored + j);
        storeResults<kLanes>(to, column + j, applyBody<Body, kLanes>(from, column + j, sums));
      }
      const int64_t left = columnCount - j;
      if (left == 0) continue;
      const auto sums = load<Accumulator, kLanes>(stored + j);
      storeResultsPartial<kLanes>(to, column + j, left,
                                  applyBodyPartial<Body, kLanes>(from, column + j, left, sums));
    }
  }
};

/// One matrix of the batch: its A and B, and the epilogue at its C.
template <class Config, class Body, class In, class Out>
struct Matrix {
  using Sizes = gemm::Sizes<Config::kBatchRank>;
  using Inputs = MatrixOperands<In, Config::kBatchRank>;
  using Outputs = MatrixOperands<Out, Config::kBatchRank>;

  const typename Config::A* a = nullptr;
  const typename Config::B* b = nullptr;
  Epilogue<typename Config::Tile, Body, Inputs, Outputs> epilogue;

  Matrix(const KernelContext& context, const Sizes& sizes)
      : epilogue{Inputs(context.buffers + 2, sizes.operandStrides),
                 Outputs(context.buffers + 2 + Inputs::kCount,
                         sizes.operandStrides + Inputs::kCount * Sizes::kStrides)} {}

  /// Moves to a matrix, counted with the last batch axis fastest.
  void seek(const KernelContext& context, const Sizes& sizes, int64_t index) {
    int64_t position[Config::kBatchRank + 1];
    sizes.locate(index, position);
    epilogue.inputs.seek(position);
    epilogue.outputs.seek(position);
    a = static_cast<const typename Config::A*>(context.buffers[0]);
    b = static_cast<const typename Config::B*>(context.buffers[1]);
    // Without elements they may be null.
    if (sizes.K == 0) return;
    a += sizes.offset(position, sizes.aStrides);
    b += sizes.offset(position, sizes.bStrides);
  }
};

}  // namespace ait::gemm
