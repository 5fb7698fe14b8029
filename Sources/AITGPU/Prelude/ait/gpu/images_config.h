// The arguments of kernels on channels-last images. Compiles on the host.
#pragma once

#include "ait/gpu/movement_config.h"

namespace ait {

/// Results of images have this rank: [N, D1, D2, D3, C]. Images of fewer axes have extents of 1.
inline constexpr int kImageRank = 5;

/// Operands: the images, the extras of the epilogue, the outputs.
template <int count>
struct ImageArguments : MovementArguments<kImageRank, count> {
  /// The extents D of the images.
  int64_t image[3];
};

enum class PoolKind { maximum, average };

/// Which windows a pool has: of one size at regular distances, or such that they share an axis out
/// evenly (torch's adaptive pools).
enum class PoolWindows { regular, adaptive };

/// Of regular windows, numbers for three axes.
template <int count>
struct PoolArguments : ImageArguments<count> {
  int64_t size[3];
  int64_t stride[3];
  int64_t low[3];
  int64_t high[3];
  int64_t dilation[3];
};

enum class ResizeMode { nearest, nearestExact, linear, cubic };

/// The distance of neighbours of the result, in elements of the input, along each axis.
template <int count>
struct ResizeArguments : ImageArguments<count> {
  double ratios[3];
};

/// Boxes [R, 4], and the image of each.
template <int count>
struct RegionArguments : ImageArguments<count> {
  const void* boxes;
  int64_t boxStride;
  int64_t cornerStride;
  const void* indices;
  int64_t indexStride;
  int64_t images;
  IndexErrorRecord* record;
  int32_t step;
};

}  // namespace ait
