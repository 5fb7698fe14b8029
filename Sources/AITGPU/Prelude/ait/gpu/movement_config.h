// The configuration and the arguments of kernels that move elements without computing: gather, pad,
// and of those that make them from nothing. Compiles on the host.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

/// Loops over the elements of a result, the columns last. A configuration inherits from this.
struct MovementDefaults {
  static constexpr int kThreads = 256;
  /// Columns that a thread takes at once.
  static constexpr int kPacket = 4;
  /// Packets of a thread: accesses that are under way together.
  static constexpr int kPackets = 4;
  /// What the number of columns is known to be a multiple of.
  static constexpr int kColumnMultiple = 1;
  /// Counts packets: int64_t where there may be 2^31 or more elements.
  using Index = int32_t;
};

template <int rank, int operandCount>
struct MovementArguments {
  static_assert(rank >= 1 && rank <= 8, "a loop over elements has 1 to 8 extents");
  int64_t extents[rank];
  int64_t packetsPerRow;
  int64_t packets;
  OperandPlace<rank> operands[operandCount];
};

/// The blocks of a launch.
template <class Config>
AIT_ANYWHERE constexpr int64_t movementBlocks(int64_t packets) {
  return ceilDivide(packets, Config::kThreads * Config::kPackets);
}

/// Where kernels note an index outside its extent; the host's `DeviceErrorRecord`.
struct IndexErrorRecord {
  int32_t isSet;
  int32_t step;
  int64_t index;
  int64_t extent;
};

/// Operands: the tensor, with stride 0 along what the index stands for; the index; the result.
template <int rank>
struct GatherArguments : MovementArguments<rank, 3> {
  int64_t axisExtent;
  int64_t axisStride;
  IndexErrorRecord* record;
  int32_t step;
};

/// Operands: the tensor, the index, the updates, the result, whose extents those of the loops are.
template <int rank>
struct ScatterArguments : MovementArguments<rank, 4> {
  /// The extents of the index and the updates.
  int64_t updated[rank];
  IndexErrorRecord* record;
  int32_t step;
};

/// Operands: the tensor and the result, whose extents those of the loops are.
template <int rank>
struct PadArguments : MovementArguments<rank, 2> {
  /// Where the tensor begins within the result, and its extents.
  int64_t low[rank];
  int64_t inner[rank];
};

}  // namespace ait
