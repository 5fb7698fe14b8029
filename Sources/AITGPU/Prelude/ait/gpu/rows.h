// What the kernels that work on rows share: the operands of a row, a prologue and an epilogue on
// its packets, and numbers that the threads of a row add up.
#pragma once

#include "ait/gpu/packet.h"
#include "ait/gpu/rows_config.h"

namespace ait {

/// The operands of one row, a prologue that reads it and an epilogue that writes it. With
/// `kExposes`, the last output takes the prologue's value.
template <class Config, class Prologue, class Epilogue, class In, class Extra, class Out, int kRank,
          bool kExposes>
class RowOperands {
 public:
  static constexpr int W = Config::kPacket;
  static constexpr int kCount = In::kCount + Extra::kCount + Out::kCount;
  using Arguments = RowArguments<kRank, kCount>;
  using InPackets = Packets<In, W>;
  using ExtraPackets = Packets<Extra, W>;

  AIT_DEVICE RowOperands(const Arguments& arguments, int row) : arguments_(arguments) {
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
    AIT_UNROLL
    for (int axis = kRank - 2; axis >= 0; --axis) {
      const int quotient = axis > 0 ? row / arguments.extents[axis] : 0;
      const int64_t position = row - quotient * arguments.extents[axis];
      AIT_UNROLL
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += position * arguments.operands[operand].strides[axis];
      }
      row = quotient;
    }
  }

  AIT_DEVICE int columns() const { return arguments_.extents[kRank - 1]; }

  /// How many of the columns of a packet exist, `W` or more if all.
  AIT_DEVICE int existing(int column) const {
    if constexpr (Config::kColumnMultiple % W == 0) {
      return column < columns() ? W : 0;
    } else {
      return columns() - column;
    }
  }

  AIT_DEVICE void loadInputs(InPackets& packets, int column) const {
    loadIndexed<0>(packets, column, In{}, Indices<In::kCount>{});
  }
  AIT_DEVICE void loadExtras(ExtraPackets& packets, int column) const {
    loadIndexed<In::kCount>(packets, column, Extra{}, Indices<Extra::kCount>{});
  }

  /// The prologue's values of a packet.
  AIT_DEVICE static void read(Values<float, W>& x, const InPackets& packets) {
    Tuple<Values<float, W>> out;
    applyBody<Prologue, W>(out, packets);
    x = get<0>(out);
  }

  /// Stores the epilogue of `y`, and the prologue's value `x` if it is exposed.
  AIT_DEVICE void write(const Values<float, W>& y, const Values<float, W>& x,
                        const ExtraPackets& extras, int column) const {
    Packets<Out, W> out;
    constexpr int kResults = Out::kCount - (kExposes ? 1 : 0);
    applyBodyIndexed<Epilogue, W>(out, extras, Indices<Extra::kCount>{}, Indices<kResults>{}, y);
    if constexpr (kExposes) {
      AIT_UNROLL
      for (int i = 0; i < W; i += 2) get<kResults>(out).setPair(i, x.values[i], x.values[i + 1]);
    }
    storeIndexed(out, column, Out{}, Indices<Out::kCount>{});
  }

 private:
  template <class O, int kOperand>
  AIT_DEVICE typename O::Element* row() const {
    return static_cast<typename O::Element*>(arguments_.operands[kOperand].base) +
           offsets_[kOperand];
  }

  template <int kFirst, class P, template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void loadIndexed(P& packets, int column, Pack<O...>,
                              IntegerSequence<int, I...>) const {
    (get<I>(packets).load(row<O, kFirst + I>(), arguments_.operands[kFirst + I].strides[kRank - 1],
                          column, existing(column)),
     ...);
  }

  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void storeIndexed(const Packets<Out, W>& out, int column, Pack<O...>,
                               IntegerSequence<int, I...>) const {
    constexpr int kFirst = In::kCount + Extra::kCount;
    (get<I>(out).store(row<O, kFirst + I>(), arguments_.operands[kFirst + I].strides[kRank - 1],
                       column, existing(column)),
     ...);
  }

  const Arguments& arguments_;
  int64_t offsets_[kCount];
};

// MARK: - Threads of a row

struct Sum {
  static AIT_DEVICE float combine(float a, float b) { return a + b; }
};
/// The larger; which of them a NaN gives does not matter: its row is NaN by the sum.
struct Largest {
  static AIT_DEVICE float combine(float a, float b) { return a > b ? a : b; }
};

/// Combines a number of every thread of a row, in a fixed order; all get the result.
///
/// - shared: 32 floats, of which each call in a row of calls needs its own.
template <class Operation, int kThreads>
AIT_DEVICE float combineThreads(float x, float* shared) {
  constexpr int kFirstMask = smaller(kThreads, 32) / 2;
  AIT_UNROLL
  for (int mask = kFirstMask; mask > 0; mask /= 2) {
    x = Operation::combine(x, shuffleXor(x, mask));
  }
  if constexpr (kThreads > 32) {
    constexpr int kWarps = kThreads / 32;
    if (laneIndex() == 0) shared[threadIndex() / 32] = x;
    synchronizeBlock();
    x = shared[laneIndex() % kWarps];
    AIT_UNROLL
    for (int mask = kWarps / 2; mask > 0; mask /= 2) {
      x = Operation::combine(x, shuffleXor(x, mask));
    }
  }
  return x;
}

}  // namespace ait
