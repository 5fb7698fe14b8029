// The configuration and the arguments of convolutions. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_hopper_config.h"
#include "ait/gpu/matmul_multistage_config.h"
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

/// A configuration of tiles for the matrix units, of the same rows and columns; `kAlignmentA` also
/// divides the channels of a group.
struct ConvolutionProductDefaults : MatmulMultistageDefaults {
  static constexpr bool kHasGroups = false;
  static constexpr bool kHasZeros = false;
  /// The first of the three spatial axes that is there.
  static constexpr int kFirstAxis = 0;
};

/// A configuration of tiles for warp groups, of the same rows and columns.
struct ConvolutionHopperDefaults : MatmulHopperDefaults {
  static constexpr int kFirstAxis = 0;
};

/// A configuration without tiles: a thread for two neighbours of a row of the result.
struct DirectConvolutionDefaults : MatmulDefaults {
  static constexpr bool kHasZeros = false;
};

/// A configuration of a filter for each channel: a thread for 16 bytes of channels of some
/// neighbours along the last axis, whose numbers are known when the kernel is compiled.
struct DepthwiseConvolutionDefaults : MatmulDefaults {
  static constexpr int kTaps = 3;
  static constexpr int kStride = 1;
  static constexpr int kDilation = 1;
  /// Of all axes.
  static constexpr int kAllTaps = 9;
  /// Neighbours that a thread computes.
  static constexpr int kRun = 4;
  /// Packets of channels of a block, a power of two.
  static constexpr int kPackets = 32;
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
using ConvolutionProductShape = MatmulMultistageShape<Config>;

/// Those of the product of outputs by filters, whose A is not a matrix in memory.
template <class Config, class In, class Out>
struct ConvolutionProductArguments : MatmulMultistageArguments<Config, In, Out> {
  ConvolutionGeometry geometry;
  Divisor channels;
  /// Taps of the second and of the third spatial axis.
  Divisor taps[2];
};

template <class Config>
using ConvolutionHopperShape = MatmulHopperShape<Config>;

/// Those of the product of outputs by filters, whose A is the copy engine's view of the images.
template <class Config, class In, class Out>
struct ConvolutionHopperArguments : MatmulHopperArguments<Config, In, Out> {
  ConvolutionGeometry geometry;
  int32_t tapCount;
  /// Steps along the channels of a tap, and what divides a step by them.
  int32_t channelSteps;
  Divisor channelStep;
  /// Taps of the last spatial axis, and of the one before it.
  Divisor taps[2];
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

template <class Config>
struct DepthwiseConvolutionShape : Config {
  static constexpr int kThreads = 256;
  static constexpr int kPacket = 16 / static_cast<int>(sizeof(typename Config::Element));
  /// Channels, and runs of neighbours, of a block.
  static constexpr int kChannels = Config::kPackets * kPacket;
  static constexpr int kRuns = kThreads / Config::kPackets;
  static constexpr int kSharedBytes = Config::kAllTaps * kChannels * 4;

  static_assert(sizeof(typename Config::Element) <= 4, "sums are float32");
  static_assert(kThreads % Config::kPackets == 0, "threads share packets evenly");
};

template <class Config, class In, class Out>
struct DepthwiseConvolutionArguments {
  ConvolutionGeometry geometry;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
  int32_t runCount;
  int32_t runsPerLine;
  Divisor runs;
  Divisor rows;
  int32_t channelBlockCount;
  Divisor channelBlocks;
};

}  // namespace ait
