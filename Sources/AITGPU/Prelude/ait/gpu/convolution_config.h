// The configuration and the arguments of convolutions. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_simt_config.h"

namespace ait {

/// A configuration of tiles inherits from this and names `Element`, a floating-point type. The rows
/// of C are the outputs, its columns the filters of a group, and K taps by channels.
struct ConvolutionDefaults : MatmulSimtDefaults {
  static constexpr int kTileM = 64;
  static constexpr int kTileN = 64;
  static constexpr int kWarpsM = 2;
  /// Whether the first batch axis goes through the groups; the others go through outputs.
  static constexpr bool kHasGroups = false;
  /// Whether zeros lie between the elements of the image along some axis.
  static constexpr bool kHasZeros = false;
};

/// A configuration without tiles: a thread for two neighbours of a row of the result.
struct DirectConvolutionDefaults : MatmulDefaults {
  static constexpr bool kHasZeros = false;
};

/// One spatial axis of a convolution.
struct ConvolutionAxis {
  int32_t in;
  int32_t taps;
  int32_t stride;
  int32_t dilation;
  int32_t inputDilation;
  int32_t padding;
  Divisor out;
  int32_t outExtent;
};

/// What is slid over what; strides of the image are n, three axes, c, of the filters o, three axes,
/// c.
struct ConvolutionGeometry {
  const void* image;
  const void* filters;
  ConvolutionAxis axes[3];
  int64_t imageStrides[5];
  int64_t filterStrides[5];
  /// Of a group.
  int32_t channels;
  int32_t filtersPerGroup;
};

template <class Config>
using ConvolutionShape = MatmulSimtShape<Config>;

template <class Config, class In, class Out>
struct ConvolutionArguments {
  ConvolutionGeometry geometry;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
  TileCounts tiles;
};

template <class Config>
struct DirectConvolutionShape : Config {
  static constexpr int kThreads = 256;
  static constexpr int kSharedBytes = 0;
};

template <class Config, class In, class Out>
struct DirectConvolutionArguments {
  ConvolutionGeometry geometry;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
  int64_t pairCount;
  /// Of a row.
  Divisor pairs;
  Divisor rows;
  Divisor group;
};

}  // namespace ait
