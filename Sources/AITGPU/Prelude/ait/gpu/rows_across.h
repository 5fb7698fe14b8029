// What the kernels share that work on rows side by side: neighbouring elements in memory belong to
// neighbouring rows, as in a softmax along any axis but the last. Neighbouring threads take packets
// of rows, and others the other columns of these.
#pragma once

#include "ait/gpu/rows.h"

namespace ait {

/// The operands of a thread's packet of rows. Of the `kRank` extents the last one is that of rows
/// side by side, the one before that of columns, and the others are a batch.
template <class Config, class Prologue, class Epilogue, class In, class Extra, class Out, int kRank,
          bool kExposes>
class RowsAcross {
  using Shape = RowsAcrossShape<Config>;
  static_assert(kRank >= 2, "there are rows and columns");

 public:
  using Number = typename Config::Number;
  static constexpr int W = Config::kPacket;
  static constexpr int kCount = In::kCount + Extra::kCount + Out::kCount;
  using Arguments = RowArguments<kRank, kCount>;
  using InPackets = Packets<In, W>;
  using ExtraPackets = Packets<Extra, W>;
  /// A number of each row of the packet.
  using Rows = Values<Number, W>;

  AIT_DEVICE explicit RowsAcross(const Arguments& arguments) : arguments_(arguments) {
    const unsigned rows = static_cast<unsigned>(arguments.extents[kRank - 1]);
    const unsigned tiles = (rows + Shape::kRows - 1) / Shape::kRows;
    const unsigned block = static_cast<unsigned>(blockIndex());
    unsigned index = block / tiles;
    row_ = static_cast<int>((block - index * tiles) * Shape::kRows) +
           threadIndex() % Config::kRowThreads * W;
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
    AIT_UNROLL
    for (int axis = kRank - 3; axis >= 0; --axis) {
      const unsigned extent = static_cast<unsigned>(arguments.extents[axis]);
      const unsigned quotient = axis > 0 ? index / extent : 0;
      const int64_t position = index - quotient * extent;
      AIT_UNROLL
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += position * arguments.operands[operand].strides[axis];
      }
      index = quotient;
    }
  }

  AIT_DEVICE int columns() const { return arguments_.extents[kRank - 2]; }
  /// The thread's column of a turn.
  AIT_DEVICE static int columnOf(int turn) {
    return turn * Config::kColumnThreads + threadIndex() / Config::kRowThreads;
  }

  AIT_DEVICE void loadInputs(InPackets& packets, int column) const {
    loadIndexed<0>(packets, column, In{}, Indices<In::kCount>{});
  }

  /// The prologue's values of a packet.
  AIT_DEVICE static void read(Rows& x, const InPackets& packets) {
    Tuple<Rows> out;
    applyBody<Prologue, W>(out, packets);
    x = get<0>(out);
  }

  /// Loads the extras, and stores the epilogue of `y`, and the prologue's value `x` if it is
  /// exposed.
  AIT_DEVICE void write(const Rows& y, const Rows& x, int column) const {
    ExtraPackets extras;
    loadIndexed<In::kCount>(extras, column, Extra{}, Indices<Extra::kCount>{});
    Packets<Out, W> out;
    constexpr int kResults = Out::kCount - (kExposes ? 1 : 0);
    applyBodyIndexed<Epilogue, W>(out, extras, Indices<Extra::kCount>{}, Indices<kResults>{}, y);
    if constexpr (kExposes) {
      AIT_UNROLL
      for (int i = 0; i < W; i += 2) get<kResults>(out).setPair(i, x.values[i], x.values[i + 1]);
    }
    storeIndexed(out, column, Out{}, Indices<Out::kCount>{});
  }

  /// Combines the numbers of all threads that share rows, in a fixed order; all get the results.
  ///
  /// - call: 0 or 1; calls that follow each other take turns.
  template <class Operation>
  AIT_DEVICE static void combine(Rows& x, int call) {
    constexpr int kWarps = Shape::kThreads / 32;
    constexpr int kLanes = Config::kRowThreads;
    Number* const shared = reinterpret_cast<Number*>(dynamicSharedMemory()) +
                           call * (Shape::kSharedBytes / 2 / static_cast<int>(sizeof(Number)));
    const int lane = threadIndex() % kLanes;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      AIT_UNROLL
      for (int mask = kLanes; mask < 32; mask *= 2) {
        x.values[i] = Operation::combine(x.values[i], exchange(x.values[i], mask));
      }
      if (laneIndex() < kLanes)
        shared[(i * kWarps + threadIndex() / 32) * kLanes + lane] = x.values[i];
    }
    synchronizeBlock();
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      x.values[i] = shared[i * kWarps * kLanes + lane];
      AIT_UNROLL
      for (int warp = 1; warp < kWarps; ++warp) {
        x.values[i] = Operation::combine(x.values[i], shared[(i * kWarps + warp) * kLanes + lane]);
      }
    }
  }

 private:
  /// How many rows of the packet exist, `W` or more if all.
  AIT_DEVICE int existing() const {
    const int rest = arguments_.extents[kRank - 1] - row_;
    return Config::kRowMultiple % W != 0 ? rest : rest > 0 ? W : 0;
  }

  template <class O, int kOperand>
  AIT_DEVICE typename O::Element* base(int column) const {
    const auto& place = arguments_.operands[kOperand];
    return static_cast<typename O::Element*>(place.base) + offsets_[kOperand] +
           column * place.strides[kRank - 2];
  }

  template <int kFirst, class P, template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void loadIndexed(P& packets, int column, Pack<O...>,
                              IntegerSequence<int, I...>) const {
    (get<I>(packets).load(base<O, kFirst + I>(column),
                          arguments_.operands[kFirst + I].strides[kRank - 1], row_, existing()),
     ...);
  }
  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void storeIndexed(const Packets<Out, W>& out, int column, Pack<O...>,
                               IntegerSequence<int, I...>) const {
    constexpr int kFirst = In::kCount + Extra::kCount;
    (get<I>(out).store(base<O, kFirst + I>(column),
                       arguments_.operands[kFirst + I].strides[kRank - 1], row_, existing()),
     ...);
  }

  const Arguments& arguments_;
  int row_;
  int64_t offsets_[kCount];
};

}  // namespace ait
