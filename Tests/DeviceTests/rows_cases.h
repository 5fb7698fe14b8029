// The instances of the kernels on rows, and the pointwise ones, that are tested and timed.
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
  static constexpr ait::ExtrasLoad kExtras =
      threads == 32 ? ait::ExtrasLoad::ahead : ait::ExtrasLoad::late;
};

template <int threads, int packet, int packets, int multiple>
struct Elements : ait::PointwiseDefaults {
  static constexpr int kThreads = threads;
  static constexpr int kPacket = packet;
  static constexpr int kPackets = packets;
  static constexpr int kColumnMultiple = multiple;
};

}  // namespace cases

// X(name, normalization, element, threads per row, rows, packet, packets, multiple): one input,
// weight and bias.
#define AIT_NORM_CASES(X)                                \
  X(norm_w8, layer, ait::float16, 32, 8, 8, 2, 8)        \
  X(norm_w4, layer, ait::float16, 32, 4, 8, 2, 8)        \
  X(norm_256x2, layer, ait::float16, 256, 1, 8, 2, 8)    \
  X(norm_512x1, layer, ait::float16, 512, 1, 8, 1, 8)    \
  X(norm_128x4, layer, ait::float16, 128, 1, 8, 4, 8)    \
  X(norm_64x8, layer, ait::float16, 64, 1, 8, 8, 8)      \
  X(norm_rms_256x2, rms, ait::bfloat16, 256, 1, 8, 2, 8) \
  X(norm_odd, layer, ait::float16, 32, 4, 8, 2, 1)       \
  X(norm_float, layer, float, 128, 1, 4, 2, 1)

// X(name, is logarithmic, element, threads per row, rows, packet, packets, multiple): x + residual,
// no extras.
#define AIT_SOFTMAX_CASES(X)                             \
  X(softmax_256x2, false, ait::float16, 256, 1, 8, 2, 8) \
  X(softmax_512x1, false, ait::float16, 512, 1, 8, 1, 8) \
  X(softmax_128x4, false, ait::float16, 128, 1, 8, 4, 8) \
  X(softmax_w8, false, ait::float16, 32, 8, 8, 2, 8)     \
  X(softmax_log, true, ait::bfloat16, 128, 1, 8, 2, 8)   \
  X(softmax_odd, false, ait::float16, 32, 4, 8, 2, 1)    \
  X(softmax_float, false, float, 128, 1, 4, 2, 1)

// X(name, element, threads, packet, packets, multiple): x · w + x of columns w.
#define AIT_POINTWISE_CASES(X)                 \
  X(point_256x8x4, ait::float16, 256, 8, 4, 8) \
  X(point_256x8x2, ait::float16, 256, 8, 2, 8) \
  X(point_512x8x2, ait::float16, 512, 8, 2, 8) \
  X(point_256x8x1, ait::float16, 256, 8, 1, 8) \
  X(point_odd, ait::bfloat16, 256, 8, 2, 1)    \
  X(point_float, float, 256, 4, 4, 1)
