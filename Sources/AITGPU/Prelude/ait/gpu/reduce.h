// Reductions over some axes in one pass, with a prologue on the elements and an epilogue on the
// results.
//
//   outputs[kept…] = Epilogue(reduction over the other axes of Prologue(inputs), extras)
//
// Along: the columns are reduced; up to a block of threads has a result, and they meet by shuffles
// and through shared memory. Across: the columns stay; neighbouring threads have neighbouring
// results, and the rows of a block's threads meet through shared memory. Where there are few
// results several blocks share each: they leave their states in the workspace, and a second launch
// brings them together. All orders are fixed by sizes and device. Expected bound: memory bandwidth.
#pragma once

#include "ait/gpu/reduce_operands.h"

namespace ait {

template <class Config, class Reducer, class T, class Operands>
class Reduction {
  using State = typename Reducer::State;
  using Result = typename Reducer::Result;
  using Index = typename Config::Index;
  using Unsigned = typename UnsignedOf<Index>::Type;
  using Shape = ReduceShape<Config>;
  static constexpr int W = Config::kPacket;
  static constexpr int kPackets = Config::kPackets;
  static constexpr int kThreads = Config::kThreads;
  static_assert(sizeof(State) == Config::kStateBytes, "the host makes room for states");

 public:
  using Arguments = typename Operands::Arguments;

  AIT_DEVICE explicit Reduction(const Arguments& arguments)
      : arguments_(arguments), shares_(arguments.shares) {
    const unsigned block = static_cast<unsigned>(blockIndex());
    const unsigned parts = static_cast<unsigned>(shares_.parts);
    group_ = block / parts;
    part_ = static_cast<int>(block - group_ * parts);
    const int64_t first = part_ * shares_.stepsPerPart;
    const int64_t last = first + shares_.stepsPerPart;
    first_ = static_cast<Index>(first);
    last_ = static_cast<Index>(last < shares_.steps ? last : shares_.steps);
  }

  AIT_DEVICE void runAlong() const {
    launchDependents();
    const int lanes = shares_.lanes;
    const Index result = static_cast<Index>(group_) * static_cast<Index>(kThreads / lanes) +
                         static_cast<Index>(threadIndex() / lanes);
    // Results beyond the last go along, for the barriers, and write nothing.
    const bool exists = result < arguments_.results;
    const Operands operands(arguments_, exists ? result : 0);
    waitForPrerequisites();
    State state = Reducer::none();
    operands.forEachPacket(
        first_ + static_cast<Index>(threadIndex() % lanes), exists ? last_ : first_, lanes,
        [&](const Values<T, W>& x, const typename Operands::Place& place) {
          const Index columns = static_cast<Index>(arguments_.extents[kRank - 1]);
          Reducer::take(state, x.values, place.count, place.index * columns + place.column,
                        Index{1});
        });
    mergeLanes<Reducer>(state, lanes, sharedStates());
    if (!exists || threadIndex() % lanes != 0) return;
    if (Config::kWorkspaceStates > 0 && shares_.parts > 1) {
      workspace()[part_ * arguments_.results + result] = state;
      return;
    }
    Values<Result, 2> y = {{Reducer::finish(state, arguments_.length), Result{}}};
    operands.write(y, 0, 1);
  }

  AIT_DEVICE void runAcross() const {
    launchDependents();
    const int lanes = shares_.lanes;
    const Index rowsAtOnce = static_cast<Index>(kThreads / lanes);
    const Unsigned packets = (static_cast<Unsigned>(arguments_.extents[kRank - 1]) + W - 1) / W;
    const Unsigned groups = (packets + static_cast<Unsigned>(lanes) - 1) / lanes;
    const Unsigned result = static_cast<Unsigned>(group_) / groups;
    const Unsigned packet =
        (static_cast<Unsigned>(group_) - result * groups) * static_cast<Unsigned>(lanes) +
        static_cast<Unsigned>(threadIndex() % lanes);
    const Index column = static_cast<Index>(packet * W);
    const Operands operands(arguments_, static_cast<Index>(result));
    const int count = operands.existing(column);
    const Index last = count > 0 ? last_ : first_;
    waitForPrerequisites();
    State states[W];
    AIT_UNROLL
    for (int i = 0; i < W; ++i) states[i] = Reducer::none();
    AIT_NO_UNROLL
    for (Index step = first_ + static_cast<Index>(threadIndex() / lanes); step < last;
         step += rowsAtOnce * kPackets) {
      typename Operands::InPackets in[kPackets];
      typename Operands::Row rows[kPackets];
      Values<T, W> x[kPackets];
      int taken = 0;
      // Where rows end, the first is loaded again and not taken: no load is conditional.
      AIT_UNROLL
      for (int k = 0; k < kPackets; ++k) {
        const Index row = step + static_cast<Index>(k) * rowsAtOnce;
        rows[k] = operands.locate(row < last ? row : step);
        operands.load(in[k], rows[k], column, count);
        if (row < last) ++taken;
      }
      AIT_UNROLL
      for (int k = 0; k < kPackets; ++k) {
        operands.read(x[k], in[k], rows[k], column, k < taken ? count : 0);
      }
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        T values[kPackets];
        AIT_UNROLL
        for (int k = 0; k < kPackets; ++k) values[k] = x[k].values[i];
        Reducer::take(states[i], values, taken, step, rowsAtOnce);
      }
    }
    mergeThreads<Reducer>(states, lanes, kThreads, sharedStates());
    if (threadIndex() >= lanes || count <= 0) return;
    if (Config::kWorkspaceStates > 0 && shares_.parts > 1) {
      const int64_t columns = arguments_.extents[kRank - 1];
      State* target =
          workspace() + (part_ * arguments_.results + static_cast<int64_t>(result)) * columns;
      AIT_UNROLL
      for (int i = 0; i < W; ++i) {
        if (i < count) target[column + i] = states[i];
      }
      return;
    }
    Values<Result, W> y;
    AIT_UNROLL
    for (int i = 0; i < W; ++i) y.values[i] = Reducer::finish(states[i], arguments_.length);
    operands.write(y, column, count);
  }

  /// The second launch: threads of a block share `finishLanes` results, in order of the parts.
  AIT_DEVICE void finish() const {
    launchDependents();
    const int lanes = shares_.finishLanes;
    const int64_t columns = Config::kIsAcross ? arguments_.extents[kRank - 1] : 1;
    const int64_t resultCount = arguments_.results * columns;
    const int64_t index = blockIndex() * lanes + threadIndex() % lanes;
    const bool exists = index < resultCount;
    const int parts = exists ? shares_.parts : 0;
    waitForPrerequisites();
    State states[1] = {Reducer::none()};
    AIT_NO_UNROLL
    for (int part = threadIndex() / lanes; part < parts; part += kThreads / lanes) {
      Reducer::merge(states[0], workspace()[part * resultCount + index]);
    }
    mergeThreads<Reducer>(states, lanes, kThreads, sharedStates());
    if (threadIndex() >= lanes || !exists) return;
    const int64_t result = Config::kIsAcross ? index / columns : index;
    const Operands operands(arguments_, static_cast<Index>(result));
    Values<Result, 2> y = {{Reducer::finish(states[0], arguments_.length), Result{}}};
    operands.write(y, static_cast<Index>(index - result * columns), 1);
  }

 private:
  static constexpr int kRank = Operands::kKeptRank + Config::kReducedRank + 1;

  AIT_DEVICE static State* sharedStates() {
    return reinterpret_cast<State*>(dynamicSharedMemory());
  }
  AIT_DEVICE State* workspace() const { return static_cast<State*>(arguments_.workspace); }

  const Arguments& arguments_;
  const ReduceShares& shares_;
  unsigned group_;
  int part_;
  Index first_;
  Index last_;
};

/// Reduces the part of a block. Operands are those of `ReduceArguments`.
template <class Config, class Reducer, class T, class Operands>
AIT_DEVICE void reduce(const typename Operands::Arguments& arguments) {
  const Reduction<Config, Reducer, T, Operands> reduction(arguments);
  if constexpr (Config::kIsAcross) {
    reduction.runAcross();
  } else {
    reduction.runAlong();
  }
}

/// Brings the states of several blocks together; blocks count up to the results / `finishLanes`.
template <class Config, class Reducer, class T, class Operands>
AIT_DEVICE void finishReduction(const typename Operands::Arguments& arguments) {
  Reduction<Config, Reducer, T, Operands>(arguments).finish();
}

}  // namespace ait
