// Softmax and log-softmax of rows side by side; see softmax.h and rows_across.h.
//
// Columns are read once if the threads can keep them, and twice if not. Expected bound: memory
// bandwidth.
#pragma once

#include "ait/gpu/rows_across.h"

namespace ait {

template <class Config, bool kIsLogarithmic, class Operands>
class SoftmaxAcross {
  using Number = typename Config::Number;
  using Rows = typename Operands::Rows;
  static constexpr int W = Config::kPacket;
  static constexpr int kKept = Config::kColumns;
  static constexpr Number kLowest = -kInfinityOf<Number>;

 public:
  AIT_DEVICE explicit SoftmaxAcross(const typename Operands::Arguments& arguments)
      : operands_(arguments), columns_(operands_.columns()) {}

  AIT_DEVICE void run() const {
    if (columns_ <= kKept * Config::kColumnThreads) {
      runKept();
    } else {
      runInParts();
    }
  }

 private:
  AIT_DEVICE void runKept() const {
    typename Operands::InPackets in[kKept];
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      if (Operands::columnOf(turn) < columns_) {
        operands_.loadInputs(in[turn], Operands::columnOf(turn));
      }
    }
    Rows x[kKept];
    Rows top = filled(kLowest);
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      if (Operands::columnOf(turn) >= columns_) continue;
      Operands::read(x[turn], in[turn]);
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        top.values[i] = Largest::combine(top.values[i], x[turn].values[i]);
      }
    }
    Operands::template combine<Largest>(top, 0);
    Rows sum = filled(0);
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      if (Operands::columnOf(turn) >= columns_) continue;
      AIT_UNROLL
      for (int i = 0; i < W; ++i) sum.values[i] += rowExp(x[turn].values[i] - top.values[i]);
    }
    Operands::template combine<Sum>(sum, 1);
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      if (Operands::columnOf(turn) < columns_) write(x[turn], top, sum, Operands::columnOf(turn));
    }
  }

  AIT_DEVICE void runInParts() const {
    Rows top = filled(kLowest);
    Rows sum = filled(0);
    AIT_NO_UNROLL
    for (int first = 0; Operands::columnOf(first) < columns_; first += kKept) {
      typename Operands::InPackets in[kKept];
      AIT_UNROLL
      for (int turn = 0; turn < kKept; ++turn) {
        const int column = Operands::columnOf(first + turn);
        if (column < columns_) operands_.loadInputs(in[turn], column);
      }
      AIT_UNROLL
      for (int turn = 0; turn < kKept; ++turn) {
        if (Operands::columnOf(first + turn) >= columns_) continue;
        Rows x;
        Operands::read(x, in[turn]);
        AIT_UNROLL
        for (int i = 0; i < W; ++i) {
          const Number larger = Largest::combine(top.values[i], x.values[i]);
          sum.values[i] *= scaleTo(top.values[i], larger);
          sum.values[i] += scaleTo(x.values[i], larger);
          top.values[i] = larger;
        }
      }
    }
    Rows largest = top;
    Operands::template combine<Largest>(largest, 0);
    AIT_UNROLL
    for (int i = 0; i < W; ++i) sum.values[i] *= scaleTo(top.values[i], largest.values[i]);
    Operands::template combine<Sum>(sum, 1);
    AIT_NO_UNROLL
    for (int turn = 0; Operands::columnOf(turn) < columns_; ++turn) {
      typename Operands::InPackets in;
      operands_.loadInputs(in, Operands::columnOf(turn));
      Rows x;
      Operands::read(x, in);
      write(x, largest, sum, Operands::columnOf(turn));
    }
  }

  AIT_DEVICE static Rows filled(Number value) {
    Rows rows;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) rows.values[i] = value;
    return rows;
  }
  /// e^(x − top), where nothing yet (−∞ both) counts as 0.
  AIT_DEVICE static Number scaleTo(Number x, Number top) {
    return x == kLowest ? 0 : rowExp(x - top);
  }

  AIT_DEVICE void write(const Rows& x, const Rows& top, const Rows& sum, int column) const {
    Rows y;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      const Number rest = x.values[i] - top.values[i];
      y.values[i] =
          kIsLogarithmic ? rest - rowLog(sum.values[i]) : rowExp(rest) * (1 / sum.values[i]);
    }
    operands_.write(y, x, column);
  }

  const Operands operands_;
  const int columns_;
};

/// The softmax of the rows of a block; blocks count up to `rowsAcrossBlocks`.
template <class Config, bool kIsLogarithmic, class Prologue, class Epilogue, class In, class Extra,
          class Out, int kRank, bool kExposes>
AIT_DEVICE void softmaxAcross(
    const RowArguments<kRank, In::kCount + Extra::kCount + Out::kCount>& arguments) {
  using Operands = RowsAcross<Config, Prologue, Epilogue, In, Extra, Out, kRank, kExposes>;
  launchDependents();
  const SoftmaxAcross<Config, kIsLogarithmic, Operands> kernel(arguments);
  waitForPrerequisites();
  kernel.run();
}

}  // namespace ait
