// The host code of convolutions. A step's sizes are those of a product without strides of A and B
// (they are 0), then those of the geometry: N, C / groups, O / groups, groups, for each axis in,
// out, taps, stride, dilation, inputDilation, padding; strides of the image, strides of the
// filters.
#pragma once

#include "ait/gpu/convolution_config.h"
#include "ait/gpu/launch.h"

namespace ait {

inline ConvolutionGeometry convolutionGeometry(const KernelContext& context, const int64_t* sizes) {
  ConvolutionGeometry geometry{};
  geometry.image = context.buffers[0];
  geometry.filters = context.buffers[1];
  geometry.channels = static_cast<int32_t>(sizes[1]);
  geometry.filtersPerGroup = static_cast<int32_t>(sizes[2]);
  sizes += 4;
  for (ConvolutionAxis& axis : geometry.axes) {
    axis.in = static_cast<int32_t>(sizes[0]);
    axis.outExtent = static_cast<int32_t>(sizes[1]);
    axis.out = Divisor::of(sizes[1] > 0 ? sizes[1] : 1);
    axis.taps = static_cast<int32_t>(sizes[2]);
    axis.stride = static_cast<int32_t>(sizes[3]);
    axis.dilation = static_cast<int32_t>(sizes[4]);
    axis.inputDilation = static_cast<int32_t>(sizes[5]);
    axis.padding = static_cast<int32_t>(sizes[6]);
    sizes += 7;
  }
  for (int i = 0; i < 5; ++i) {
    geometry.imageStrides[i] = sizes[i];
    geometry.filterStrides[i] = sizes[5 + i];
  }
  return geometry;
}

template <class Config, class In, class Out>
void launchConvolution(const KernelContext& context, int32_t kernel) {
  using Shape = ConvolutionShape<Config>;
  const ProductSizes<Config::kBatchRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  ConvolutionArguments<Config, In, Out> arguments{};
  arguments.geometry = convolutionGeometry(context, sizes.operand(In::kCount + Out::kCount));
  fillProblem(context, arguments.problem);
  arguments.tiles = matmulSimtTiles<Config>(sizes.M(), sizes.N());
  launchKernel(context, kernel, matmulSimtBlocks<Config>(sizes.M(), sizes.N(), sizes.batchCount()),
               Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

template <class Config, class In, class Out>
void launchConvolutionProduct(const KernelContext& context, int32_t kernel) {
  using Shape = ConvolutionProductShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  ConvolutionProductArguments<Config, In, Out> arguments{};
  arguments.geometry = convolutionGeometry(context, sizes.operand(In::kCount + Out::kCount));
  const ConvolutionGeometry& geometry = arguments.geometry;
  arguments.channels = Divisor::of(geometry.channels > 0 ? geometry.channels : 1);
  for (int axis = 1; axis < 3; ++axis) {
    arguments.taps[axis - 1] = Divisor::of(geometry.axes[axis].taps);
  }
  arguments.b.base = context.buffers[1];
  arguments.b.strides[kRank] = geometry.filterStrides[0];
  if (Config::kHasGroups) {
    arguments.b.strides[0] = geometry.filtersPerGroup * geometry.filterStrides[0];
  }
  fillProblem(context, arguments.problem);
  arguments.tiles = matmulMultistageTiles<Config>(sizes.M(), sizes.N());
  launchKernel(context, kernel,
               matmulMultistageBlocks<Config>(sizes.M(), sizes.N(), sizes.batchCount()),
               Shape::kThreads, Shape::kSharedBytes, 1, arguments);
}

/// The copy engine's view of the images: channels, then the spatial axes, last first, then images.
template <class Config>
void encodeImages(const KernelContext& context, TensorMap& map, const ConvolutionGeometry& geometry,
                  int64_t images, int pixels) {
  using Element = typename Config::Element;
  constexpr int kAxes = 3 - Config::kFirstAxis;
  constexpr int64_t kSize = sizeof(Element);
  TensorMapRequest request = {};
  request.address = context.buffers[0];
  request.rank = 2 + kAxes;
  request.extents[0] = static_cast<uint64_t>(geometry.channels);
  request.extents[1 + kAxes] = static_cast<uint64_t>(images);
  for (uint32_t& step : request.steps) step = 1;
  // An axis of extent 1 may have any stride, which must be a multiple of 16 bytes all the same.
  const auto bytes = [](int64_t extent, int64_t stride) {
    return static_cast<uint64_t>(extent > 1 && stride > 0 ? stride * kSize : 16);
  };
  for (int axis = 0; axis < kAxes; ++axis) {
    const ConvolutionAxis& own = geometry.axes[2 - axis];
    request.extents[1 + axis] = static_cast<uint64_t>(own.in);
    request.strides[axis] = bytes(own.in, geometry.imageStrides[3 - axis]);
    request.steps[1 + axis] = static_cast<uint32_t>(own.stride);
    request.lowerCorner[axis] = -own.padding;
    // A line ends with the first pixel of its last output's window.
    request.upperCorner[axis] = (own.outExtent - 1) * own.stride - own.padding - (own.in - 1);
  }
  request.strides[kAxes] = bytes(images, geometry.imageStrides[0]);
  request.box[0] = 64;
  request.box[1] = static_cast<uint32_t>(pixels);
  request.elementType = __is_same(Element, bfloat16) ? 9 : 6;
  request.swizzle = 3;
  request.promotion = 3;
  request.isImage = 1;
  context.queue->encodeTensorMap(&map, request);
}

template <class Config, class In, class Out>
void launchConvolutionHopper(const KernelContext& context, int32_t kernel) {
  using Shape = ConvolutionHopperShape<Config>;
  using Element = typename Config::Element;
  constexpr int kRank = Config::kBatchRank;
  const ProductSizes<kRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  ConvolutionHopperArguments<Config, In, Out> arguments{};
  const int64_t* own = sizes.operand(In::kCount + Out::kCount);
  arguments.geometry = convolutionGeometry(context, own);
  const ConvolutionGeometry& geometry = arguments.geometry;
  arguments.tapCount = geometry.axes[0].taps * geometry.axes[1].taps * geometry.axes[2].taps;
  arguments.channelSteps = static_cast<int32_t>(ceilDivide(geometry.channels, Shape::kStepK));
  arguments.channelStep = Divisor::of(arguments.channelSteps);
  for (int axis = 0; axis < 2; ++axis) {
    arguments.taps[axis] = Divisor::of(geometry.axes[2 - axis].taps);
  }
  encodeImages<Config>(context, arguments.a, geometry, own[0], Shape::kABoxRows);
  const int64_t still[kRank + 1] = {};
  arguments.bBatchAxes = encodeMatrix<Element, kRank>(
      context, arguments.b, context.buffers[1], sizes.K(), sizes.N(), geometry.filterStrides[0],
      still, Shape::kStepK, Shape::kBBoxRows);
  fillProblem(context, arguments.problem);
  arguments.tiles = matmulHopperTiles<Config>(sizes.M(), sizes.N());
  arguments.stagesAhead = Config::kIsConstantB ? Shape::kStages : 0;
  arguments.isProgrammatic = 1;
  const int64_t atOnce = Config::kIsPersistent ? context.queue->activeClusterCount(kernel) : 0;
  launchKernel(context, kernel,
               matmulHopperBlocks<Config>(sizes.M(), sizes.N(), sizes.batchCount(), atOnce),
               Shape::kThreads, Shape::kSharedBytes, Shape::kClusterSize, arguments);
}

template <class Config, class In, class Out>
void launchDepthwiseConvolution(const KernelContext& context, int32_t kernel) {
  using Shape = DepthwiseConvolutionShape<Config>;
  const ProductSizes<Config::kBatchRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  DepthwiseConvolutionArguments<Config, In, Out> arguments{};
  const int64_t* geometry = sizes.operand(In::kCount + Out::kCount);
  arguments.geometry = convolutionGeometry(context, geometry);
  fillProblem(context, arguments.problem);
  const ConvolutionAxis(&axes)[3] = arguments.geometry.axes;
  const int64_t runsPerLine = ceilDivide(axes[2].outExtent, Config::kRun);
  const int64_t runs = geometry[0] * axes[0].outExtent * axes[1].outExtent * runsPerLine;
  const int64_t channelBlocks = ceilDivide(sizes.N(), Shape::kChannels);
  arguments.runCount = static_cast<int32_t>(runs);
  arguments.runsPerLine = static_cast<int32_t>(runsPerLine);
  arguments.runs = Divisor::of(runsPerLine);
  arguments.rows = Divisor::of(sizes.M());
  arguments.channelBlockCount = static_cast<int32_t>(channelBlocks);
  arguments.channelBlocks = Divisor::of(channelBlocks);
  launchKernel(context, kernel, channelBlocks * ceilDivide(runs, Shape::kRuns), Shape::kThreads,
               Shape::kSharedBytes, 1, arguments);
}

template <class Config, class In, class Out>
void launchDirectConvolution(const KernelContext& context, int32_t kernel) {
  using Shape = DirectConvolutionShape<Config>;
  const ProductSizes<Config::kBatchRank> sizes{context.sizes};
  if (sizes.isEmpty()) return;
  DirectConvolutionArguments<Config, In, Out> arguments{};
  arguments.geometry = convolutionGeometry(context, sizes.operand(In::kCount + Out::kCount));
  fillProblem(context, arguments.problem);
  const int64_t pairs = (sizes.N() + 1) / 2;
  arguments.pairCount = sizes.batchCount() * sizes.M() * pairs;
  arguments.pairs = Divisor::of(pairs);
  arguments.rows = Divisor::of(sizes.M());
  arguments.group = Divisor::of(arguments.geometry.filtersPerGroup);
  launchKernel(context, kernel, ceilDivide(arguments.pairCount, Shape::kThreads), Shape::kThreads,
               Shape::kSharedBytes, 1, arguments);
}

}  // namespace ait
