// What the kernels that work on rows share: the operands of a row, a prologue and an epilogue on
// its packets, and numbers that the threads of a row add up.
#pragma once

#include "ait/gpu/math.h"
#include "ait/gpu/packet.h"
#include "ait/gpu/rows_config.h"

namespace ait {

/// The operands of one row, a prologue that reads it and an epilogue that writes it. With
/// `kExposes`, the last output takes the prologue's value.
template <class Config, class Prologue, class Epilogue, class In, class Extra, class Out, int kRank,
          bool kExposes>
class RowOperands {
 public:
  using Number = typename Config::Number;
  static constexpr int W = Config::kPacket;
  /// The first of the axes of columns.
  static constexpr int kFirstColumnAxis = kRank - Config::kColumnAxes;
  static constexpr int kCount = In::kCount + Extra::kCount + Out::kCount;
  using Arguments = RowArguments<kRank, kCount>;
  using InPackets = Packets<In, W>;
  using ExtraPackets = Packets<Extra, W>;

  AIT_DEVICE RowOperands(const Arguments& arguments, int row) : arguments_(arguments) {
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
    AIT_UNROLL
    for (int axis = kFirstColumnAxis - 1; axis >= 0; --axis) {
      const int quotient = axis > 0 ? row / arguments.extents[axis] : 0;
      const int64_t position = row - quotient * arguments.extents[axis];
      AIT_UNROLL
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += position * arguments.operands[operand].strides[axis];
      }
      row = quotient;
    }
  }

  /// The columns that packets are counted by. Where they have several axes, those along the last
  /// one are filled up to whole packets.
  AIT_DEVICE int columns() const {
    if constexpr (Config::kColumnAxes == 1) {
      return arguments_.extents[kRank - 1];
    } else {
      int count = filledExtent();
      AIT_UNROLL
      for (int axis = kFirstColumnAxis; axis + 1 < kRank; ++axis) count *= arguments_.extents[axis];
      return count;
    }
  }

  /// The columns that there are.
  AIT_DEVICE int existingColumns() const {
    int count = arguments_.extents[kRank - 1];
    AIT_UNROLL
    for (int axis = kFirstColumnAxis; axis + 1 < kRank; ++axis) count *= arguments_.extents[axis];
    return count;
  }

  /// How many of the columns of a packet exist, `W` or more if all.
  AIT_DEVICE int existing(int column) const {
    if constexpr (Config::kColumnMultiple % W == 0) {
      return column < columns() ? W : 0;
    } else if constexpr (Config::kColumnAxes == 1) {
      return columns() - column;
    } else {
      return arguments_.extents[kRank - 1] - column % filledExtent();
    }
  }

  AIT_DEVICE void loadInputs(InPackets& packets, int column) const {
    loadIndexed<0>(packets, column, In{}, Indices<In::kCount>{});
  }
  AIT_DEVICE void loadExtras(ExtraPackets& packets, int column) const {
    loadIndexed<In::kCount>(packets, column, Extra{}, Indices<Extra::kCount>{});
  }

  /// The prologue's values of a packet.
  AIT_DEVICE static void read(Values<Number, W>& x, const InPackets& packets) {
    Tuple<Values<Number, W>> out;
    applyBody<Prologue, W>(out, packets);
    x = get<0>(out);
  }

  /// Stores the epilogue of `y`, and the prologue's value `x` if it is exposed.
  AIT_DEVICE void write(const Values<Number, W>& y, const Values<Number, W>& x,
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
  AIT_DEVICE int filledExtent() const { return (arguments_.extents[kRank - 1] + W - 1) / W * W; }

  template <class O, int kOperand>
  AIT_DEVICE typename O::Element* row(int column) const {
    auto* first =
        static_cast<typename O::Element*>(arguments_.operands[kOperand].base) + offsets_[kOperand];
    if constexpr (Config::kColumnAxes > 1) {
      int rest = column / filledExtent();
      AIT_UNROLL
      for (int axis = kRank - 2; axis >= kFirstColumnAxis; --axis) {
        const int quotient = axis > kFirstColumnAxis ? rest / arguments_.extents[axis] : 0;
        const int64_t position = rest - quotient * arguments_.extents[axis];
        first += position * arguments_.operands[kOperand].strides[axis];
        rest = quotient;
      }
    }
    return first;
  }
  AIT_DEVICE int lastPosition(int column) const {
    return Config::kColumnAxes == 1 ? column : column % filledExtent();
  }

  template <int kFirst, class P, template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void loadIndexed(P& packets, int column, Pack<O...>,
                              IntegerSequence<int, I...>) const {
    (get<I>(packets).load(row<O, kFirst + I>(column),
                          arguments_.operands[kFirst + I].strides[kRank - 1], lastPosition(column),
                          existing(column)),
     ...);
  }

  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void storeIndexed(const Packets<Out, W>& out, int column, Pack<O...>,
                               IntegerSequence<int, I...>) const {
    constexpr int kFirst = In::kCount + Extra::kCount;
    (get<I>(out).store(row<O, kFirst + I>(column),
                       arguments_.operands[kFirst + I].strides[kRank - 1], lastPosition(column),
                       existing(column)),
     ...);
  }

  const Arguments& arguments_;
  int64_t offsets_[kCount];
};

// MARK: - Functions of rows, in the number that they are computed in

/// e^x: a float's in as few instructions as there can be, within 2^-22 (1 + |x|).
AIT_DEVICE float rowExp(float x) { return exp2Approximate(x * 0x1.715476p+0f); }
AIT_DEVICE double rowExp(double x) { return exp(x); }
AIT_DEVICE float rowLog(float x) { return log2Approximate(x) * 0x1.62e430p-1f; }
AIT_DEVICE double rowLog(double x) { return log(x); }
AIT_DEVICE float rowInverseRoot(float x) { return rsqrtApproximate(x); }
AIT_DEVICE double rowInverseRoot(double x) { return 1 / sqrt(x); }

// MARK: - Threads of a row

struct Sum {
  template <class F>
  static AIT_DEVICE F combine(F a, F b) {
    return a + b;
  }
};
/// The larger; which of them a NaN gives does not matter: its row is NaN by the sum.
struct Largest {
  template <class F>
  static AIT_DEVICE F combine(F a, F b) {
    return a > b ? a : b;
  }
};

AIT_DEVICE float exchange(float x, int mask) { return shuffleXor(x, mask); }
AIT_DEVICE double exchange(double x, int mask) {
  const uint64_t bits = bitCast<uint64_t>(x);
  const auto low = static_cast<uint32_t>(shuffleXor(static_cast<int>(bits), mask));
  const auto high = static_cast<uint32_t>(shuffleXor(static_cast<int>(bits >> 32), mask));
  return bitCast<double>(static_cast<uint64_t>(high) << 32 | low);
}

/// Combines a number of every thread of a row, in a fixed order; all get the result.
///
/// - shared: 32 numbers, of which each call in a row of calls needs its own.
template <class Operation, int kThreads, class F>
AIT_DEVICE F combineThreads(F x, F* shared) {
  constexpr int kFirstMask = smaller(kThreads, 32) / 2;
  AIT_UNROLL
  for (int mask = kFirstMask; mask > 0; mask /= 2) {
    x = Operation::combine(x, exchange(x, mask));
  }
  if constexpr (kThreads > 32) {
    constexpr int kWarps = kThreads / 32;
    if (laneIndex() == 0) shared[threadIndex() / 32] = x;
    synchronizeBlock();
    x = shared[laneIndex() % kWarps];
    AIT_UNROLL
    for (int mask = kWarps / 2; mask > 0; mask /= 2) {
      x = Operation::combine(x, exchange(x, mask));
    }
  }
  return x;
}

}  // namespace ait
