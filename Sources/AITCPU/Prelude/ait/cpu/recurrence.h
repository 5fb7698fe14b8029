// Recurrent layers: for each step a product of the state with the weights, then the cells.
#pragma once

#include "ait/cpu/matmul.h"
#include "ait/cpu/rows.h"

namespace ait {

/// What a unit does with its gates.
enum class Cell { lstm, gru, tanh, relu };

template <Cell kCell>
constexpr int kGateCount = kCell == Cell::lstm  ? 4
                           : kCell == Cell::gru ? 3
                                                : 1;

/// The sums of a product as they are.
struct StateProduct {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> sum) {
    return results(sum);
  }
};

/// Runs a layer of H units over T steps of N sequences; G is the number of gates.
///
/// - sizes: T, N, H; strides in elements: X [T, N, G·H] 3, the first state [N, H] 2 (of an LSTM
/// those
///   of the cell, 2), R [G·H, H] 2, of a GRU the bias [H] 1, the states [T, N, H] 3, the last one
///   [N, H] 2 (of an LSTM those of the cell, 2).
/// - buffers: in that order; no result overlaps another operand. R is packed as a product's B [H,
/// G·H]
///   with kPacking packed.
/// - workspace: N · (G + 1) · H numbers of the compute type.
/// - kAccess: contiguous if units are neighbours in all operands but R.
///
/// Bound by the product: for few sequences by reading R once a step.
template <Cell kCell, class Element, Packing kPacking, bool kIsReversed, Access kAccess>
class RecurrentLayer {
  using Config = MatmulConfig<Element, Element, kPacking, 0>;
  using T = ComputeType<Element>;
  static_assert(__is_same(T, typename Config::Accumulator));
  static constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
  static constexpr int G = kGateCount<kCell>;
  static constexpr bool kHasMemory = kCell == Cell::lstm;

 public:
  explicit RecurrentLayer(const KernelContext& context)
      : pool_(context.pool),
        steps_(context.sizes[0]),
        rows_(context.sizes[1]),
        units_(context.sizes[2]),
        sums_(static_cast<T*>(context.workspace)),
        memory_(sums_ + rows_ * G * units_) {
    void* const* buffer = context.buffers;
    const int64_t* stride = context.sizes + 3;
    const auto take = [&](int axes) {
      const Tensor tensor{static_cast<Element*>(*buffer++), stride};
      stride += axes;
      return tensor;
    };
    gates_ = take(3);
    first_ = take(2);
    if (kHasMemory) firstMemory_ = take(2);
    weights_ = take(2);
    if (kCell == Cell::gru) resetBias_ = take(1);
    states_ = take(3);
    last_ = take(2);
    if (kHasMemory) lastMemory_ = take(2);
  }

  void run() const {
    if (rows_ * units_ == 0) return;
    const int64_t vectors = (units_ + W - 1) / W;
    const RowTasks tasks(rows_ * vectors, W * G, pool_.threadCount());
    const auto forEachCell = [&](auto&& body) {
      parallelFor(pool_, tasks.count(), [&](int64_t task, int32_t) {
        for (int64_t piece = tasks.first(task); piece < tasks.last(task); ++piece) {
          const int64_t unit = piece % vectors * W;
          const int64_t left = units_ - unit;
          if (left >= W) {
            body(piece / vectors, unit, WholeVector{});
          } else {
            body(piece / vectors, unit, PartialVector{left});
          }
        }
      });
    };
    if (kHasMemory) {
      forEachCell([&](int64_t row, int64_t unit, auto extent) AIT_INLINE_LAMBDA {
        keep(memory_, row, unit, load(firstMemory_.row(row), unit, extent), extent);
      });
    }
    Tensor before = first_;
    for (int64_t index = 0; index < steps_; ++index) {
      const int64_t step = kIsReversed ? steps_ - 1 - index : index;
      multiply(before);
      const bool isLast = index == steps_ - 1;
      forEachCell([&](int64_t row, int64_t unit, auto extent) AIT_INLINE_LAMBDA {
        const Vec<T, W> state = advance(before, step, row, unit, extent);
        storeTo<W>(states_.row(step, row), unit, state, extent);
        if (isLast) storeTo<W>(last_.row(row), unit, state, extent);
      });
      before = {states_.base + step * states_.strides[0], states_.strides + 1};
    }
    forEachCell([&](int64_t row, int64_t unit, auto extent) AIT_INLINE_LAMBDA {
      if (steps_ == 0) {
        storeTo<W>(last_.row(row), unit, load(first_.row(row), unit, extent), extent);
      }
      if constexpr (kHasMemory) {
        storeTo<W>(lastMemory_.row(row), unit, kept(memory_, row, unit, extent), extent);
      }
    });
  }

 private:
  using UnitRow = Row<Element, kAccess>;

  struct Tensor {
    Element* base;
    const int64_t* strides;

    AIT_INLINE UnitRow row(int64_t i) const { return {base + i * strides[0], strides[1]}; }
    AIT_INLINE UnitRow row(int64_t i, int64_t j) const {
      return {base + i * strides[0] + j * strides[1], strides[2]};
    }
  };

  static AIT_INLINE Vec<T, W> load(const UnitRow& row, int64_t unit, WholeVector) {
    return row.template load<W>(unit);
  }
  static AIT_INLINE Vec<T, W> load(const UnitRow& row, int64_t unit, PartialVector extent) {
    return row.template loadPartial<W>(unit, extent.count);
  }

  /// What is kept from step to step, and the sums, lie row by row.
  template <class Extent>
  AIT_INLINE Vec<T, W> kept(T* base, int64_t row, int64_t unit, Extent extent, int64_t columns = 1,
                            int64_t gate = 0) const {
    T* const at = base + (row * columns + gate) * units_ + unit;
    if constexpr (__is_same(Extent, WholeVector)) {
      return ait::load<T, W>(at);
    } else {
      return ait::loadPartial<T, W>(at, extent.count);
    }
  }
  template <class Extent>
  AIT_INLINE void keep(T* base, int64_t row, int64_t unit, Vec<T, W> value, Extent extent) const {
    storeTo<W>(Row<T, Access::contiguous>(base + row * units_, 1), unit, value, extent);
  }

  /// The sums of all gates: the state times the weights.
  void multiply(const Tensor& state) const {
    void* const buffers[] = {state.base, weights_.base, sums_};
    const int64_t sizes[] = {rows_,
                             G * units_,
                             units_,
                             state.strides[0],
                             state.strides[1],
                             weights_.strides[1],
                             weights_.strides[0],
                             G * units_,
                             1};
    matmul<Config, StateProduct, Inputs<>, Outputs<Operand<T, Access::contiguous>>>(
        KernelContext{buffers, sizes, nullptr, pool_});
  }

  template <class Extent>
  AIT_INLINE Vec<T, W> advance(const Tensor& before, int64_t step, int64_t row, int64_t unit,
                               Extent extent) const {
    const UnitRow given = gates_.row(step, row);
    const auto input = [&](int gate)
                           AIT_INLINE_LAMBDA { return load(given, gate * units_ + unit, extent); };
    const auto sum = [&](int gate)
                         AIT_INLINE_LAMBDA { return kept(sums_, row, unit, extent, G, gate); };
    const Vec<T, W> one = broadcast<W, T>(1);
    if constexpr (kCell == Cell::lstm) {
      const auto memory = sigmoid(input(1) + sum(1)) * kept(memory_, row, unit, extent) +
                          sigmoid(input(0) + sum(0)) * ait::tanh(input(2) + sum(2));
      keep(memory_, row, unit, memory, extent);
      return sigmoid(input(3) + sum(3)) * ait::tanh(memory);
    } else if constexpr (kCell == Cell::gru) {
      const UnitRow bias(resetBias_.base, resetBias_.strides[0]);
      const auto reset = sigmoid(input(0) + sum(0));
      const auto update = sigmoid(input(1) + sum(1));
      const auto fresh = ait::tanh(input(2) + reset * (sum(2) + load(bias, unit, extent)));
      return (one - update) * fresh + update * load(before.row(row), unit, extent);
    } else if constexpr (kCell == Cell::tanh) {
      return ait::tanh(input(0) + sum(0));
    } else {
      return maximum(input(0) + sum(0), broadcast<W, T>(0));
    }
  }

  ThreadPool& pool_;
  int64_t steps_;
  int64_t rows_;
  int64_t units_;
  T* sums_;
  T* memory_;
  Tensor gates_, first_, firstMemory_, weights_, resetBias_, states_, last_, lastMemory_;
};

template <Cell kCell, class Element, Packing kPacking, bool kIsReversed, Access kAccess>
void recurrence(const KernelContext& context) {
  RecurrentLayer<kCell, Element, kPacking, kIsReversed, kAccess>(context).run();
}

}  // namespace ait
