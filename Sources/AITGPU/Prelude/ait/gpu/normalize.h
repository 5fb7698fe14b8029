// Layer and root-mean-square normalisation of rows, with a prologue and an epilogue.
//
//   outputs = Epilogue(normalised Prologue(inputs), extras)
//
// The statistics are those of two passes over a row in registers. Expected bound: memory
// bandwidth; a row is read once if the threads can keep it, and from the L2 again if not.
#pragma once

#include "ait/gpu/rows.h"

namespace ait {

/// y = (x − mean) / √(variance + ε), or y = x / √(mean(x²) + ε).
enum class Normalization { layer, rms };

template <class Config, Normalization kKind, class Parameters, class Prologue, class Epilogue,
          class In, class Extra, class Out, int kRank, bool kExposes>
class RowNormalization {
  using Shape = RowShape<Config>;
  using Operands = RowOperands<Config, Prologue, Epilogue, In, Extra, Out, kRank, kExposes>;
  static constexpr int W = Config::kPacket;
  static constexpr int kPackets = Config::kPackets;
  static constexpr int kThreadsPerRow = Config::kThreadsPerRow;
  using Number = typename Config::Number;
  static constexpr bool kIsLayer = kKind == Normalization::layer;

 public:
  using Arguments = typename Operands::Arguments;

  AIT_DEVICE explicit RowNormalization(const Arguments& arguments) : arguments_(arguments) {}

  AIT_DEVICE void run() {
    launchDependents();
    const int row =
        static_cast<int>(blockIndex()) * Config::kRowsPerBlock + threadIndex() / kThreadsPerRow;
    // Rows beyond the last go along, for the barriers, and write nothing.
    const bool exists = row < arguments_.rows;
    const Operands operands(arguments_, exists ? row : 0);
    const int columns = exists ? operands.columns() : 0;
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

  AIT_DEVICE static Number* sharedSums(int call) {
    return reinterpret_cast<Number*>(dynamicSharedMemory()) + 32 * call;
  }
  AIT_DEVICE static Number sum(Number x, int call) {
    return combineThreads<Sum, kThreadsPerRow>(x, sharedSums(call));
  }

  /// The sum of the columns that exist of what `term` makes of a packet's.
  template <class Term>
  AIT_DEVICE static Number sumOf(const Operands& operands, const Values<Number, W>& x, int column,
                                 Term&& term) {
    const int count = operands.existing(column);
    Number total = 0;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      if (Config::kColumnMultiple % W == 0 || i < count) total += term(x.values[i]);
    }
    return total;
  }

  AIT_DEVICE Number scaleOf(Number squares, Number share) const {
    return rowInverseRoot(squares * share + static_cast<Number>(Parameters::kEpsilon));
  }

  AIT_DEVICE static void loadExtras(const Operands& operands,
                                    typename Operands::ExtraPackets (&extras)[kPackets],
                                    int columns) {
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      if (columnOf(packet) < columns) operands.loadExtras(extras[packet], columnOf(packet));
    }
  }

  AIT_DEVICE void runKept(const Operands& operands, int columns) {
    typename Operands::ExtraPackets extras[kPackets];
    typename Operands::InPackets in[kPackets];
    if constexpr (Config::kExtras != ExtrasLoad::ahead) waitForPrerequisites();
    if constexpr (Config::kExtras != ExtrasLoad::late) loadExtras(operands, extras, columns);
    if constexpr (Config::kExtras == ExtrasLoad::ahead) waitForPrerequisites();
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      if (columnOf(packet) < columns) operands.loadInputs(in[packet], columnOf(packet));
    }
    Values<Number, W> x[kPackets];
    Number total = 0;
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      const int column = columnOf(packet);
      if (column >= columns) continue;
      Operands::read(x[packet], in[packet]);
      total += sumOf(operands, x[packet], column,
                     [](Number value) { return kIsLayer ? value : value * value; });
    }
    const int columnCount = operands.existingColumns();
    const Number share = Number(1) / static_cast<Number>(larger(columnCount, 1));
    Number statistic = sum(total, 0);
    Number mean = 0;
    if constexpr (kIsLayer) {
      mean = statistic * share;
      total = 0;
      AIT_UNROLL
      for (int packet = 0; packet < kPackets; ++packet) {
        const int column = columnOf(packet);
        if (column >= columns) continue;
        total += sumOf(operands, x[packet], column,
                       [mean](Number value) { return (value - mean) * (value - mean); });
      }
      statistic = sum(total, 1);
    }
    const Number scale = scaleOf(statistic, share);
    AIT_UNROLL
    for (int packet = 0; packet < kPackets; ++packet) {
      if (columnOf(packet) < columns) {
        if constexpr (Config::kExtras == ExtrasLoad::late) {
          operands.loadExtras(extras[packet], columnOf(packet));
        }
        write(operands, x[packet], extras[packet], columnOf(packet), mean, scale);
      }
    }
  }

  AIT_DEVICE void runInParts(const Operands& operands, int columns) {
    waitForPrerequisites();
    const int columnCount = operands.existingColumns();
    const Number share = Number(1) / static_cast<Number>(larger(columnCount, 1));
    Number mean = 0;
    if constexpr (kIsLayer) {
      mean = sum(sumOfRow(operands, columns, [](Number value) { return value; }), 0) * share;
    }
    const Number squares =
        sum(sumOfRow(operands, columns,
                     [mean](Number value) { return (value - mean) * (value - mean); }),
            1);
    const Number scale = scaleOf(squares, share);
    AIT_NO_UNROLL
    for (int packet = 0; columnOf(packet) < columns; ++packet) {
      typename Operands::InPackets in;
      typename Operands::ExtraPackets extras;
      operands.loadInputs(in, columnOf(packet));
      operands.loadExtras(extras, columnOf(packet));
      Values<Number, W> x;
      Operands::read(x, in);
      write(operands, x, extras, columnOf(packet), mean, scale);
    }
  }

  template <class Term>
  AIT_DEVICE static Number sumOfRow(const Operands& operands, int columns, Term&& term) {
    Number total = 0;
    AIT_NO_UNROLL
    for (int first = 0; columnOf(first) < columns; first += kPackets) {
      typename Operands::InPackets in[kPackets];
      AIT_UNROLL
      for (int i = 0; i < kPackets; ++i) {
        if (columnOf(first + i) < columns) operands.loadInputs(in[i], columnOf(first + i));
      }
      AIT_UNROLL
      for (int i = 0; i < kPackets; ++i) {
        if (columnOf(first + i) >= columns) continue;
        Values<Number, W> x;
        Operands::read(x, in[i]);
        total += sumOf(operands, x, columnOf(first + i), term);
      }
    }
    return total;
  }

  AIT_DEVICE static void write(const Operands& operands, const Values<Number, W>& x,
                               const typename Operands::ExtraPackets& extras, int column,
                               Number mean, Number scale) {
    Values<Number, W> y;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) y.values[i] = (x.values[i] - mean) * scale;
    operands.write(y, x, extras, column);
  }

  const Arguments& arguments_;
};

/// The dynamic shared memory of a launch of `normalize` or `softmax`.
inline constexpr int kRowSharedBytes = 512;

/// Normalises the rows of a block; blocks count up to rows / kRowsPerBlock, rounded up.
template <class Config, Normalization kKind, class Parameters, class Prologue, class Epilogue,
          class In, class Extra, class Out, int kRank, bool kExposes>
AIT_DEVICE void normalize(
    const RowArguments<kRank, In::kCount + Extra::kCount + Out::kCount>& arguments) {
  RowNormalization<Config, kKind, Parameters, Prologue, Epilogue, In, Extra, Out, kRank, kExposes>(
      arguments)
      .run();
}

}  // namespace ait
