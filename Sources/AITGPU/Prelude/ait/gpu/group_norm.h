// Normalisation of groups of channels, with an epilogue.
//
//   outputs = Epilogue((x − mean) / √(variance + ε), extras)
//
// over the rows and columns of each result of a reduction along the columns. A block reads a group
// for its moments, and again, from the caches, to write it. Where there are few groups, blocks
// share each: a first launch leaves the moments of each part in the workspace, in a second one
// every block brings those of its group together, in order, and writes its part. Expected bound:
// memory bandwidth.
#pragma once

#include "ait/gpu/math.h"
#include "ait/gpu/reduce_operands.h"
#include "ait/gpu/reducers_moments.h"

namespace ait {

template <class Config, class Parameters, class T, class Operands>
class GroupNormalization {
  using Reducer = VarianceReducer<T, Parameters>;
  using State = Moments<T>;
  using Index = typename Config::Index;
  static constexpr int W = Config::kPacket;
  static constexpr int kThreads = Config::kThreads;
  static_assert(sizeof(State) == Config::kStateBytes, "the host makes room for states");

 public:
  using Arguments = typename Operands::Arguments;

  AIT_DEVICE explicit GroupNormalization(const Arguments& arguments)
      : arguments_(arguments),
        group_(static_cast<unsigned>(blockIndex()) / static_cast<unsigned>(arguments.shares.parts)),
        part_(static_cast<int>(static_cast<unsigned>(blockIndex()) -
                               group_ * static_cast<unsigned>(arguments.shares.parts))),
        operands_(arguments, static_cast<Index>(group_)) {
    const int64_t first = part_ * arguments.shares.stepsPerPart;
    const int64_t last = first + arguments.shares.stepsPerPart;
    first_ = static_cast<Index>(first) + static_cast<Index>(threadIndex());
    last_ = static_cast<Index>(last < arguments.shares.steps ? last : arguments.shares.steps);
  }

  /// One launch: a block has a group.
  AIT_DEVICE void run() const {
    launchDependents();
    waitForPrerequisites();
    normalize(momentsOfPart());
  }

  /// The first of two launches.
  AIT_DEVICE void runMoments() const {
    launchDependents();
    waitForPrerequisites();
    const State moments = momentsOfPart();
    if (threadIndex() == 0) states()[group_ * arguments_.shares.parts + part_] = moments;
  }

  /// The second of two launches.
  AIT_DEVICE void runParts() const {
    launchDependents();
    waitForPrerequisites();
    const int parts = arguments_.shares.parts;
    State moments = Reducer::none();
    for (int part = threadIndex(); part < parts; part += kThreads) {
      moments.merge(states()[group_ * parts + part]);
    }
    mergeLanes<Reducer>(moments, kThreads, sharedStates());
    normalize(moments);
  }

 private:
  /// The moments of the block's part, in its first thread.
  AIT_DEVICE State momentsOfPart() const {
    State moments = Reducer::none();
    operands_.forEachPacket(first_, last_, kThreads,
                            [&](const Values<T, W>& x, const typename Operands::Place& place) {
                              Reducer::take(moments, x.values, place.count, Index{0}, Index{1});
                            });
    mergeLanes<Reducer>(moments, kThreads, sharedStates());
    return moments;
  }

  /// Writes the block's part, given the group's moments in the first thread.
  AIT_DEVICE void normalize(const State& moments) const {
    State* const shared = sharedStates() + kThreads / 32;
    if (threadIndex() == 0) shared[0] = moments;
    synchronizeBlock();
    const T mean = shared[0].mean;
    const T variance = shared[0].squares / static_cast<T>(arguments_.length);
    const T scale = reciprocalRoot(variance + static_cast<T>(Parameters::kEpsilon));
    operands_.forEachPacket(first_, last_, kThreads,
                            [&](const Values<T, W>& x, const typename Operands::Place& place) {
                              Values<T, W> y;
                              AIT_UNROLL
                              for (int i = 0; i < W; ++i) {
                                y.values[i] = (x.values[i] - mean) * scale;
                              }
                              operands_.write(y, place.column, place.count, place.row);
                            });
  }

  AIT_DEVICE static T reciprocalRoot(T x) {
    if constexpr (__is_same(T, float)) {
      return rsqrtApproximate(x);
    } else {
      return T(1) / ait::sqrt(x);
    }
  }

  AIT_DEVICE static State* sharedStates() {
    return reinterpret_cast<State*>(dynamicSharedMemory());
  }
  AIT_DEVICE State* states() const { return static_cast<State*>(arguments_.workspace); }

  const Arguments& arguments_;
  unsigned group_;
  int part_;
  Operands operands_;
  Index first_;
  Index last_;
};

/// Normalises the group of a block.
template <class Config, class Parameters, class T, class Operands>
AIT_DEVICE void normalizeGroup(const typename Operands::Arguments& arguments) {
  GroupNormalization<Config, Parameters, T, Operands>(arguments).run();
}
/// Leaves the moments of a block's part in the workspace.
template <class Config, class Parameters, class T, class Operands>
AIT_DEVICE void findMoments(const typename Operands::Arguments& arguments) {
  GroupNormalization<Config, Parameters, T, Operands>(arguments).runMoments();
}
/// Normalises a block's part of a group, whose moments are in the workspace.
template <class Config, class Parameters, class T, class Operands>
AIT_DEVICE void normalizePart(const typename Operands::Arguments& arguments) {
  GroupNormalization<Config, Parameters, T, Operands>(arguments).runParts();
}

}  // namespace ait
