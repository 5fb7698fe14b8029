// Normalisation of rows side by side; see normalize.h and rows_across.h.
//
// The statistics are those of two passes. Columns are read once if the threads can keep them, and
// from the L2 again if not. Expected bound: memory bandwidth.
#pragma once

#include "ait/gpu/normalize.h"
#include "ait/gpu/rows_across.h"

namespace ait {

template <class Config, Normalization kKind, class Parameters, class Operands>
class NormalizationAcross {
  using Number = typename Config::Number;
  using Rows = typename Operands::Rows;
  static constexpr int W = Config::kPacket;
  static constexpr int kKept = Config::kColumns;
  static constexpr bool kIsLayer = kKind == Normalization::layer;

 public:
  AIT_DEVICE explicit NormalizationAcross(const typename Operands::Arguments& arguments)
      : operands_(arguments), columns_(operands_.columns()) {}

  AIT_DEVICE void run() const {
    Rows x[kKept];
    const bool isKept = columns_ <= kKept * Config::kColumnThreads;
    if (isKept) read(x, 0);
    const Number share = Number(1) / static_cast<Number>(larger(columns_, 1));
    Rows mean = filled(0);
    if constexpr (kIsLayer) {
      addUp(x, isKept, mean, [](Number value, Number) { return value; }, mean);
      Operands::template combine<Sum>(mean, 0);
      AIT_UNROLL
      for (int i = 0; i < W; ++i) mean.values[i] *= share;
    }
    Rows scale = filled(0);
    addUp(
        x, isKept, scale,
        [](Number value, Number center) { return (value - center) * (value - center); }, mean);
    Operands::template combine<Sum>(scale, 1);
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      scale.values[i] =
          rowInverseRoot(scale.values[i] * share + static_cast<Number>(Parameters::kEpsilon));
    }
    if (isKept) {
      write(x, 0, mean, scale);
    } else {
      AIT_NO_UNROLL
      for (int first = 0; Operands::columnOf(first) < columns_; first += kKept) {
        read(x, first);
        write(x, first, mean, scale);
      }
    }
  }

 private:
  AIT_DEVICE static Rows filled(Number value) {
    Rows rows;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) rows.values[i] = value;
    return rows;
  }

  /// The prologue's values of the columns of some turns, all loads first.
  AIT_DEVICE void read(Rows (&x)[kKept], int first) const {
    typename Operands::InPackets in[kKept];
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      const int column = Operands::columnOf(first + turn);
      if (column < columns_) operands_.loadInputs(in[turn], column);
    }
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      if (Operands::columnOf(first + turn) < columns_) Operands::read(x[turn], in[turn]);
    }
  }

  /// Adds what `term` makes of the thread's columns, and of `center`, to `total`.
  template <class Term>
  AIT_DEVICE void addUp(Rows (&x)[kKept], bool isKept, Rows& total, Term&& term,
                        const Rows& center) const {
    Rows sum = filled(0);
    AIT_NO_UNROLL
    for (int first = 0; Operands::columnOf(first) < columns_; first += kKept) {
      if (!isKept) read(x, first);
      AIT_UNROLL
      for (int turn = 0; turn < kKept; ++turn) {
        if (Operands::columnOf(first + turn) >= columns_) continue;
        AIT_UNROLL
        for (int i = 0; i < W; ++i) sum.values[i] += term(x[turn].values[i], center.values[i]);
      }
    }
    total = sum;
  }

  AIT_DEVICE void write(const Rows (&x)[kKept], int first, const Rows& mean,
                        const Rows& scale) const {
    AIT_UNROLL
    for (int turn = 0; turn < kKept; ++turn) {
      const int column = Operands::columnOf(first + turn);
      if (column >= columns_) continue;
      Rows y;
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        y.values[i] = (x[turn].values[i] - mean.values[i]) * scale.values[i];
      }
      operands_.write(y, x[turn], column);
    }
  }

  const Operands operands_;
  const int columns_;
};

/// Normalises the rows of a block; blocks count up to `rowsAcrossBlocks`.
template <class Config, Normalization kKind, class Parameters, class Prologue, class Epilogue,
          class In, class Extra, class Out, int kRank, bool kExposes>
AIT_DEVICE void normalizeAcross(
    const RowArguments<kRank, In::kCount + Extra::kCount + Out::kCount>& arguments) {
  using Operands = RowsAcross<Config, Prologue, Epilogue, In, Extra, Out, kRank, kExposes>;
  launchDependents();
  const NormalizationAcross<Config, kKind, Parameters, Operands> kernel(arguments);
  waitForPrerequisites();
  kernel.run();
}

}  // namespace ait
