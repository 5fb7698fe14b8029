// y[n, o…, c] = epilogue(Σ x[n, o · stride + t · dilation - padding…, c] w[c, t…], extras…): a
// filter for each channel. Compute capability 8.0 and later.
//
// A thread computes 16 bytes of channels of a few neighbours along the last axis: it loads each
// packet of a line of the image once for all of them. The filters of a block lie in shared memory,
// as floats with the channels last. Images are contiguous along the channels, of which there are
// whole packets. A sum is added one by one in the order of the taps. Expected bound: memory
// bandwidth; with many taps the arithmetic units.
#pragma once

#include "ait/gpu/convolution_geometry.h"
#include "ait/gpu/matmul_epilogue.h"

namespace ait {

template <class Config, class Body, class In, class Out>
class DepthwiseBlock {
  using Shape = DepthwiseConvolutionShape<Config>;
  using Element = typename Config::Element;
  using Arguments = DepthwiseConvolutionArguments<Config, In, Out>;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  using Image = OperandPacket<Operand<Element, Access::contiguous, Shape::kPacket>, Shape::kPacket>;
  static constexpr int W = Shape::kPacket;
  static constexpr int kRun = Config::kRun;
  static constexpr int kTaps = Config::kTaps;
  static constexpr int kRank = Config::kBatchRank;
  /// Elements of a line that the outputs of a thread meet.
  static constexpr int kSpan = (kRun - 1) * Config::kStride + (kTaps - 1) * Config::kDilation + 1;

 public:
  AIT_DEVICE explicit DepthwiseBlock(const Arguments& arguments)
      : arguments_(arguments), filters_(reinterpret_cast<float*>(dynamicSharedMemory())) {
    const int block = static_cast<int>(blockIndex());
    const int group = arguments.channelBlocks.quotient(block);
    firstChannel_ = (block - group * arguments.channelBlockCount) * Shape::kChannels;
    packet_ = threadIndex() % Config::kPackets;
    run_ = group * Shape::kRuns + threadIndex() / Config::kPackets;
  }

  AIT_DEVICE void run() {
    launchDependents();
    waitForPrerequisites();
    stageFilters();
    synchronizeBlock();
    const auto& geometry = arguments_.geometry;
    const int channel = firstChannel_ + packet_ * W;
    if (run_ >= arguments_.runCount || channel >= arguments_.problem.N) return;
    const ConvolutionAxis& last = geometry.axes[2];
    const int line = arguments_.runs.quotient(run_);
    const int firstPosition = (run_ - line * arguments_.runsPerLine) * kRun;
    const int first = line * last.outExtent + firstPosition;
    const conv::Output output(geometry, first);
    const Element* image = static_cast<const Element*>(geometry.image) +
                           output.image * geometry.imageStrides[0] + channel;
    Values<float, W> sums[kRun];
    AIT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      AIT_UNROLL
      for (int j = 0; j < W; ++j) sums[i].values[j] = 0;
    }
    const int start = firstPosition * Config::kStride - last.padding;
    const float* filters = filters_ + packet_ * W;
    AIT_NO_UNROLL
    for (int d = 0; d < geometry.axes[0].taps; ++d) {
      const int elementD = element(0, output, d);
      AIT_NO_UNROLL
      for (int h = 0; h < geometry.axes[1].taps; ++h, filters += kTaps * Shape::kChannels) {
        const int elementH = element(1, output, h);
        if (elementD < 0 || elementH < 0) continue;
        addLine(sums,
                image + elementD * geometry.imageStrides[1] + elementH * geometry.imageStrides[2],
                start, filters);
      }
    }
    finish(sums, first, last.outExtent - firstPosition, channel);
  }

 private:
  AIT_DEVICE int element(int axis, const conv::Output& output, int tap) const {
    const ConvolutionAxis& own = arguments_.geometry.axes[axis];
    return conv::elementAt<false>(
        own, output.positions[axis] * own.stride + tap * own.dilation - own.padding);
  }

  /// Copies the filters of this block's channels to shared memory.
  AIT_DEVICE void stageFilters() const {
    const auto& geometry = arguments_.geometry;
    const auto* filters = static_cast<const Element*>(geometry.filters);
    const int lines = geometry.axes[0].taps * geometry.axes[1].taps;
    AIT_NO_UNROLL
    for (int i = threadIndex(); i < lines * kTaps * Shape::kChannels; i += Shape::kThreads) {
      const int tap = i / Shape::kChannels;
      const int channel = firstChannel_ + i % Shape::kChannels;
      const int d = tap / kTaps / geometry.axes[1].taps;
      const int h = tap / kTaps - d * geometry.axes[1].taps;
      float value = 0;
      if (channel < arguments_.problem.N) {
        const auto word = loadGlobal<static_cast<int>(sizeof(Element))>(
            filters + channel * geometry.filterStrides[0] + d * geometry.filterStrides[1] +
            h * geometry.filterStrides[2] + tap % kTaps * geometry.filterStrides[3]);
        Element weight;
        __builtin_memcpy(&weight, &word, sizeof(Element));
        value = toCompute(weight);
      }
      filters_[i] = value;
    }
  }

  /// Adds what a line of the image gives to the outputs; the line's element at `start` is the first
  /// that they meet.
  AIT_DEVICE void addLine(Values<float, W> (&sums)[kRun], const Element* line, int start,
                          const float* filters) const {
    const auto& geometry = arguments_.geometry;
    float weights[kTaps][W];
    AIT_UNROLL
    for (int tap = 0; tap < kTaps; ++tap) {
      AIT_UNROLL
      for (int j = 0; j < W; j += 4) {
        float x[4];
        loadShared(filters + tap * Shape::kChannels + j, x);
        AIT_UNROLL
        for (int i = 0; i < 4; ++i) weights[tap][j + i] = x[i];
      }
    }
    AIT_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      if (!isMet(i)) continue;
      const int position = start + i;
      Image packet;
      if (position >= 0 && position < geometry.axes[2].in) {
        packet.load(line + position * geometry.imageStrides[3], 1, 0);
      } else {
        packet.clear();
      }
      AIT_UNROLL
      for (int output = 0; output < kRun; ++output) {
        AIT_UNROLL
        for (int tap = 0; tap < kTaps; ++tap) {
          if (output * Config::kStride + tap * Config::kDilation != i) continue;
          AIT_UNROLL
          for (int j = 0; j < W; ++j) {
            float& sum = sums[output].values[j];
            sum = fusedMultiplyAdd(packet.at(j), weights[tap][j], sum);
          }
        }
      }
    }
  }

  /// Whether some tap of some output lies at an element of the span.
  AIT_DEVICE static constexpr bool isMet(int i) {
    for (int output = 0; output < kRun; ++output) {
      const int distance = i - output * Config::kStride;
      if (distance >= 0 && distance % Config::kDilation == 0 &&
          distance / Config::kDilation < kTaps) {
        return true;
      }
    }
    return false;
  }

  AIT_DEVICE void finish(const Values<float, W> (&sums)[kRun], int first, int valid,
                         int channel) const {
    const auto& problem = arguments_.problem;
    Epilogue epilogue(problem);
    AIT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      if (i >= valid) break;
      int matrix = arguments_.rows.quotient(first + i);
      const int row = first + i - matrix * problem.M;
      int position[kRank + 1];
      AIT_UNROLL
      for (int axis = kRank - 1; axis >= 0; --axis) {
        const int rest = axis > 0 ? matrix / problem.batchExtents[axis] : 0;
        position[axis] = matrix - rest * problem.batchExtents[axis];
        matrix = rest;
      }
      epilogue.seek(position);
      const auto at = epilogue.row(row, channel);
      typename Epilogue::template Extras<W> extras;
      at.template load<W>(extras, 0);
      at.template finish<W>(sums[i], extras, 0);
    }
  }

  const Arguments& arguments_;
  float* filters_;
  int firstChannel_;
  int packet_;
  int run_;
};

/// Computes outputs of a block of channels.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void depthwiseConvolution(
    const DepthwiseConvolutionArguments<Config, In, Out>& arguments) {
  DepthwiseBlock<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
