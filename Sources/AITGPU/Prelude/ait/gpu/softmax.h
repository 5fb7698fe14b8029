// Softmax and log-softmax of rows, with a prologue (scale, mask) and an epilogue.
//
//   outputs = Epilogue(softmax of Prologue(inputs) along the columns, extras)
//
// A row is read once if the threads can keep it. Longer rows are read twice: the largest number
// and the sum of the powers are found together, the sum scaled whenever a larger number comes.
// Expected bound: memory bandwidth.
#pragma once

#include "ait/gpu/rows.h"

namespace ait {

template <class Config, bool kIsLogarithmic, class Prologue, class Epilogue, class In, class Extra,
          class Out, int kRank, bool kExposes>
class RowSoftmax {
  using Shape = RowShape<Config>;
  using Operands = RowOperands<Config, Prologue, Epilogue, In, Extra, Out, kRank, kExposes>;
  static constexpr int W = Config::kPacket;
  static constexpr int kPackets = Config::kPackets;
  static constexpr int kThreadsPerRow = Config::kThreadsPerRow;
  using Number = typename Config::Number;
  static constexpr Number kLowest = -kInfinityOf<Number>;

 public:
  using Arguments = typename Operands::Arguments;

  AIT_DEVICE explicit RowSoftmax(const Arguments& arguments) : arguments_(arguments) {}

  AIT_DEVICE void run() {
    launchDependents();
    const int row =
        static_cast<int>(blockIndex()) * Config::kRowsPerBlock + threadIndex() / kThreadsPerRow;
    // Rows beyond the last go along, for the barriers, and write nothing.
    const bool exists = row < arguments_.rows;
    const Operands operands(arguments_, exists ? row : 0);
    const int columns = exists ? operands.columns() : 0;
    waitForPrerequisites();
    if (operands.columns() <= Shape::kKeptColumns) {
      runKept(operands, columns);
    } else {
      runInParts(operands, columns);
    }
  }

 private:
  AIT_DEVICE static int columnOf(int packet) {
    return (packet * kThreadsPerRow + threadIndex() % kThreadsPerRow) * W;
  }
  AIT_DEVICE static Number* sharedNumbers(int call) {
    return reinterpret_cast<Number*>(dynamicSharedMemory()) + 32 * call;
  }
  /// Whether column i of a packet of which `count` columns exist is one of them.
  AIT_DEVICE static bool isColumn(int i, int count) {
    return Config::kColumnMultiple % W == 0 || i < count;
  }

  AIT_DEVICE void runKept(const Operands& operands, int columns) {
    typename Operands::InPackets in[kPackets];
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      if (columnOf(packet) < columns) operands.loadInputs(in[packet], columnOf(packet));
    }
    Values<Number, W> x[kPackets];
    Number top = kLowest;
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      const int column = columnOf(packet);
      if (column >= columns) continue;
      Operands::read(x[packet], in[packet]);
      const int count = operands.existing(column);
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        if (isColumn(i, count)) top = Largest::combine(top, x[packet].values[i]);
      }
    }
    top = combineThreads<Largest, kThreadsPerRow>(top, sharedNumbers(0));
    Number sum = 0;
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      const int column = columnOf(packet);
      if (column >= columns) continue;
      const int count = operands.existing(column);
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        if (isColumn(i, count)) {
          sum += rowExp(x[packet].values[i] - top);
        }
      }
    }
    sum = combineThreads<Sum, kThreadsPerRow>(sum, sharedNumbers(1));
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      if (columnOf(packet) < columns) write(operands, x[packet], columnOf(packet), top, sum);
    }
  }

  AIT_DEVICE void runInParts(const Operands& operands, int columns) {
    Number top = kLowest;
    Number sum = 0;
    AIT_NO_UNROLL
    for (int first = 0; columnOf(first) < columns; first += kPackets) {
      typename Operands::InPackets in[kPackets];
      AIT_UNROLL
      for (int i = 0; i < kPackets; ++i) {
        if (columnOf(first + i) < columns) operands.loadInputs(in[i], columnOf(first + i));
      }
      AIT_UNROLL
      for (int packet = 0; packet < kPackets; ++packet) {
        const int column = columnOf(first + packet);
        if (column >= columns) continue;
        Values<Number, W> x;
        Operands::read(x, in[packet]);
        const int count = operands.existing(column);
        Number larger = top;
        AIT_UNROLL
        for (int i = 0; i < W; ++i) {
          if (isColumn(i, count)) larger = Largest::combine(larger, x.values[i]);
        }
        sum *= scaleTo(top, larger);
        top = larger;
        AIT_UNROLL
        for (int i = 0; i < W; ++i) {
          if (isColumn(i, count)) sum += scaleTo(x.values[i], top);
        }
      }
    }
    const Number largest = combineThreads<Largest, kThreadsPerRow>(top, sharedNumbers(0));
    sum = combineThreads<Sum, kThreadsPerRow>(sum * scaleTo(top, largest), sharedNumbers(1));
    AIT_NO_UNROLL
    for (int packet = 0; columnOf(packet) < columns; ++packet) {
      typename Operands::InPackets in;
      operands.loadInputs(in, columnOf(packet));
      Values<Number, W> x;
      Operands::read(x, in);
      write(operands, x, columnOf(packet), largest, sum);
    }
  }

  /// e^(x − top), where nothing yet (−∞ both) counts as 0.
  AIT_DEVICE static Number scaleTo(Number x, Number top) {
    return x == kLowest ? 0 : rowExp(x - top);
  }

  AIT_DEVICE static void write(const Operands& operands, const Values<Number, W>& x, int column,
                               Number top, Number sum) {
    typename Operands::ExtraPackets extras;
    operands.loadExtras(extras, column);
    Values<Number, W> y;
    if constexpr (kIsLogarithmic) {
      const Number logOfSum = rowLog(sum);
      AIT_UNROLL
      for (int i = 0; i < W; ++i) y.values[i] = x.values[i] - top - logOfSum;
    } else {
      const Number share = 1 / sum;
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        y.values[i] = rowExp(x.values[i] - top) * share;
      }
    }
    operands.write(y, x, extras, column);
  }

  const Arguments& arguments_;
};

/// The softmax of the rows of a block; blocks count up to rows / kRowsPerBlock, rounded up.
template <class Config, bool kIsLogarithmic, class Prologue, class Epilogue, class In, class Extra,
          class Out, int kRank, bool kExposes>
AIT_DEVICE void softmax(
    const RowArguments<kRank, In::kCount + Extra::kCount + Out::kCount>& arguments) {
  RowSoftmax<Config, kIsLogarithmic, Prologue, Epilogue, In, Extra, Out, kRank, kExposes>(arguments)
      .run();
}

}  // namespace ait
