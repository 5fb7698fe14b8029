// The instances of the kernels on rows that are tested and timed.
#pragma once

#include "ait/gpu/rows_config.h"
#include "bodies.h"

namespace cases {

template <int threads, int rows, int packet, int packets, int multiple>
struct Rows : ait::RowDefaults {
  static constexpr int kThreadsPerRow = threads;
  static constexpr int kRowsPerBlock = rows;
  static constexpr int kPacket = packet;
  static constexpr int kPackets = packets;
  static constexpr int kColumnMultiple = multiple;
  static constexpr bool kAreExtrasConstant = true;
};

}  // namespace cases

// X(name, normalization, element, threads per row, rows, packet, packets, multiple)
#define AIT_NORM_CASES(X)                                      \
  X(norm_w8, layer, ait::float16, 32, 8, 8, 2, 8)              \
  X(norm_w4, layer, ait::float16, 32, 4, 8, 2, 8)              \
  X(norm_h8, layer, ait::float16, 16, 8, 8, 4, 8)              \
  X(norm_q8, layer, ait::float16, 64, 1, 8, 1, 8)              \
  X(norm_256x2, layer, ait::float16, 256, 1, 8, 2, 8)          \
  X(norm_512x1, layer, ait::float16, 512, 1, 8, 1, 8)          \
  X(norm_128x4, layer, ait::float16, 128, 1, 8, 4, 8)          \
  X(norm_rms_256x2, rms, ait::bfloat16, 256, 1, 8, 2, 8)       \
  X(norm_odd, layer, ait::float16, 32, 4, 8, 2, 1)             \
  X(norm_float, layer, float, 128, 1, 4, 2, 1)
