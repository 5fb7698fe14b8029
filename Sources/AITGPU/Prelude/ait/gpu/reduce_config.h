// The configuration and the arguments of reductions, and how the host shares the work. Compiles on
// the host.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

/// A reduction over some axes of a loop nest: first the axes that stay, then those that are
/// reduced, then the columns, along which a thread takes several elements at once. A configuration
/// inherits from this.
struct ReduceDefaults {
  static constexpr int kThreads = 256;
  /// Columns that a thread takes at once: as many as 16 bytes of the widest input hold.
  static constexpr int kPacket = 8;
  /// Packets of a thread: loads that are under way together.
  static constexpr int kPackets = 4;
  /// What the number of columns is known to be a multiple of.
  static constexpr int kColumnMultiple = 1;
  /// The columns stay, and neighbouring threads have neighbouring results; otherwise they are
  /// reduced, and neighbouring threads share a result.
  static constexpr int kIsAcross = 0;
  /// The axes in front of the columns that are reduced.
  static constexpr int kReducedRank = 0;
  /// The bytes of what is kept for a result while it is computed; of which the workspace holds
  /// `kWorkspaceStates`. With none, a result is the work of one block.
  static constexpr int kStateBytes = 4;
  static constexpr int kWorkspaceStates = 0;
  /// Counts results, and the elements of one: int64_t where 2^30 may be too few.
  using Index = int32_t;
};

/// How a launch shares the work.
///
/// Along: `lanes` threads of a block share a result, over packets of it. Across: `lanes` threads
/// have a packet of results each, and the threads of a block beyond take further rows of them.
/// Block b does part b % parts, the other digit is that of the result. Both lanes and threads are
/// powers of two.
struct ReduceShares {
  int64_t steps;         // along: packets of a result; across: the elements of one
  int64_t stepsPerPart;  // of which a block does so many
  int32_t lanes;
  int32_t parts;
  int64_t blocks;
  int32_t finishLanes;  // of the second launch: results side by side in a block
};

/// Extents: kept axes, reduced axes, the columns. Operands: inputs, extras, outputs, and where it
/// is exposed the prologue's value; extras and outputs have the stride 0 along what is reduced.
template <int rank, int operandCount>
struct ReduceArguments {
  static_assert(rank >= 1 && rank <= 8, "a reduction loops over 1 to 8 extents");
  int64_t extents[rank];
  int64_t results;  // the product of the kept extents, without the columns
  int64_t rows;     // the product of the reduced extents, without the columns
  int64_t length;   // the number of elements of a result
  ReduceShares shares;
  void* workspace;  // [part][result]
  OperandPlace<rank> operands[operandCount];
};

template <class Config>
struct ReduceShape : Config {
  using Config::kPacket, Config::kPackets, Config::kStateBytes, Config::kThreads;
  /// Along: one state for each warp. Across: those of half the threads, the others keep theirs.
  static constexpr int kSharedBytes =
      Config::kIsAcross ? kThreads / 2 * kPacket * kStateBytes : kThreads / 32 * kStateBytes;
  /// Of the second launch, in which a thread has one result.
  static constexpr int kFinishSharedBytes = kThreads / 2 * kStateBytes;
  /// Of normalised groups: one for each warp, and the group's.
  static constexpr int kGroupSharedBytes = (kThreads / 32 + 1) * kStateBytes;

  static_assert(kThreads % 32 == 0 && (kThreads & (kThreads - 1)) == 0, "threads meet in a tree");
  static_assert(kSharedBytes <= 48 << 10, "more shared memory would have to be asked for");
};

constexpr int64_t powerOfTwoBelow(int64_t value, int64_t limit) {
  int64_t power = 1;
  while (power * 2 <= value && power * 2 <= limit) power *= 2;
  return power;
}

/// Lets blocks share a result where there are fewer than the device holds `atOnce`, if each has
/// something to do: two rounds of loads at least, of `stepsAtOnce` in a block.
template <class Config>
void splitShares(ReduceShares& shares, int64_t stepsAtOnce, int64_t resultCount, int64_t atOnce) {
  int64_t parts = 1;
  if (Config::kWorkspaceStates > 0 && shares.blocks > 0) {
    const auto limit = [&parts](int64_t value) { parts = parts < value ? parts : value; };
    parts = atOnce / shares.blocks;
    limit(shares.steps / (stepsAtOnce * Config::kPackets * 2));
    limit(Config::kWorkspaceStates / resultCount);
    if (parts < 1) parts = 1;
  }
  shares.stepsPerPart = ceilDivide(shares.steps, parts);
  if (parts > 1) {
    shares.stepsPerPart = ceilDivide(shares.stepsPerPart, stepsAtOnce) * stepsAtOnce;
    parts = ceilDivide(shares.steps, shares.stepsPerPart);
  }
  shares.parts = static_cast<int32_t>(parts);
  shares.blocks *= parts;
}

/// Shares results of `rows` x `columns` elements, and with `kIsAcross` `columns` of them, among the
/// blocks of a device. Depends on sizes and the device alone.
template <class Config>
ReduceShares reduceShares(int64_t results, int64_t rows, int64_t columns, int multiprocessors) {
  constexpr int kThreads = Config::kThreads;
  const int64_t packets = ceilDivide(columns, Config::kPacket);
  // As many threads as the device holds, in blocks.
  const int64_t atOnce = int64_t{multiprocessors} * (2048 / kThreads);
  ReduceShares shares = {};
  int64_t resultCount = results;
  int64_t stepsAtOnce = 1;  // of a block
  if (Config::kIsAcross) {
    resultCount *= columns;
    shares.steps = rows;
    // 512 bytes of a row side by side; more where there are not rows enough for the threads.
    int64_t lanes = powerOfTwoBelow(2 * packets - 1, 32);
    while (lanes < kThreads && kThreads / lanes > rows) lanes *= 2;
    stepsAtOnce = kThreads / lanes;
    shares.lanes = static_cast<int32_t>(lanes);
    shares.blocks = results * ceilDivide(packets, lanes);
  } else {
    shares.steps = rows * packets;
    // Two packets for each thread of a short row, so that finding it costs less than reading it; a
    // warp for a longer one, and more only where results are few.
    int64_t lanes = powerOfTwoBelow(shares.steps / 2, 32);
    while (lanes < kThreads && lanes * 4 <= shares.steps && results * lanes < atOnce * kThreads) {
      lanes *= 2;
    }
    stepsAtOnce = lanes;
    shares.lanes = static_cast<int32_t>(lanes);
    shares.blocks = ceilDivide(results, kThreads / lanes);
  }
  splitShares<Config>(shares, stepsAtOnce, resultCount, atOnce);
  shares.finishLanes = static_cast<int32_t>(powerOfTwoBelow(resultCount, 32));
  return shares;
}

/// Shares groups of `rows` x `columns` elements: a block for each, or several.
template <class Config>
ReduceShares groupShares(int64_t groups, int64_t rows, int64_t columns, int multiprocessors) {
  ReduceShares shares = {};
  shares.steps = rows * ceilDivide(columns, Config::kPacket);
  shares.lanes = Config::kThreads;
  shares.blocks = groups;
  const int64_t atOnce = int64_t{multiprocessors} * (2048 / Config::kThreads);
  splitShares<Config>(shares, Config::kThreads, groups, atOnce);
  return shares;
}

}  // namespace ait
