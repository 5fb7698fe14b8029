// The instances of the reductions and of the gathers that are tested and timed.
#pragma once

#include "ait/gpu/movement_config.h"
#include "ait/gpu/reduce_config.h"
#include "bodies.h"

namespace cases {

/// Rows and columns of which either are reduced.
template <int packet, int isAcross, int multiple, int stateBytes>
struct Reduction : ait::ReduceDefaults {
  static constexpr int kPacket = packet;
  static constexpr int kIsAcross = isAcross;
  static constexpr int kReducedRank = isAcross;
  static constexpr int kColumnMultiple = multiple;
  static constexpr int kStateBytes = stateBytes;
  static constexpr int kWorkspaceStates = isAcross ? 1 << 18 : 2048;
};

template <int packet, int packets>
struct Movement : ait::MovementDefaults {
  static constexpr int kPacket = packet;
  static constexpr int kPackets = packets;
  static constexpr int kColumnMultiple = packet;
};

}  // namespace cases

// X(name, meaning, element, result, packet, is across, multiple, bytes of a state)
#define AIT_REDUCE_CASES(X)                                           \
  X(rows_sum, Sum, ait::float16, ait::float16, 8, 0, 8, 4)            \
  X(rows_sum_odd, Sum, ait::bfloat16, float, 8, 0, 1, 4)              \
  X(rows_sum_float, Sum, float, float, 4, 0, 4, 4)                    \
  X(rows_variance, Variance, ait::float16, ait::float16, 8, 0, 8, 12) \
  X(rows_argmax, Position, ait::float16, int64_t, 8, 0, 8, 8)         \
  X(rows_argmax_odd, Position, float, int64_t, 4, 0, 1, 8)            \
  X(columns_sum, Sum, ait::float16, ait::float16, 8, 1, 8, 4)         \
  X(columns_sum_odd, Sum, ait::bfloat16, float, 8, 1, 1, 4)           \
  X(columns_variance, Variance, float, float, 4, 1, 4, 12)            \
  X(columns_argmax, Position, ait::float16, int64_t, 8, 1, 8, 8)

// X(name, element, index, packet, packets): rows of a table.
#define AIT_GATHER_CASES(X)                 \
  X(embedding, ait::float16, int64_t, 8, 4) \
  X(embedding_wide, ait::float16, int32_t, 8, 2)
