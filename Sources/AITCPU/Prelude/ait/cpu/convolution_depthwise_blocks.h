// Depthwise convolutions of few adjacent taps along a row, as those of networks are.
//
//   using Config = ait::ConvolutionConfig<float, float, ait::Filters::packed>;
//   ait::depthwiseBlocksConvolution<Config, 5, 1, Epilogue, In, Out>(context);
//
// buffers, sizes, epilogue, workspace: as in convolution_depthwise.h. The channels of the image are
// adjacent; along the last axis there are kTaps taps at a distance of kStride, no dilation on
// either side, and fewer elements of padding than taps before and behind. The other axes are free.
//
// Vectors lie along the channels. The sums of up to eight neighbouring outputs of a row are in
// registers, and so are the weights of a row of taps: an element of the image is loaded once for
// each row of taps and meets all of that row's taps, so multiply-adds outnumber loads by two and
// more, and the kernel runs at their rate even where pixels do not begin with a cache line. Nothing
// is padded or copied: positions outside the image are passed over.
#pragma once

#include "ait/cpu/convolution_depthwise.h"
#include "ait/cpu/convolution_operands.h"

namespace ait {

namespace conv {

/// One row of outputs of a depthwise convolution, in blocks.
template <class Config, int kTaps, int kStride, class Body, class In, class Out>
class DepthwiseBlocks {
  using A = typename Config::A;
  using B = typename Config::B;
  using Accumulator = typename Config::Accumulator;
  static constexpr int W = Config::Tile::kLanes;
  using Vector = Vec<Accumulator, W>;
  // Enough sums to hide the latency of multiply-adds.
  static constexpr int kSums = 8;

  /// A row of taps inside the image: where its first tap meets the image in the first column, and
  /// where its weights lie.
  struct TapRow {
    int64_t image;
    int64_t weights;
  };

  /// What the outputs of a block share, for all channels.
  struct Block {
    RowPointers<In> inputs;
    RowPointers<Out> outputs;
    int64_t first;
    /// The position that the first tap of the first output meets, and from it to the image's end.
    /// The positions outside are fewer than taps on each side.
    int64_t start;
    int64_t high;
    int64_t pixel;
    const TapRow* rows;
    const TapRow* rowEnd;
    int64_t weightStep;
  };

 public:
  DepthwiseBlocks(const KernelContext& context, const Sizes& sizes, const B* filters,
                  int32_t thread)
      : sizes_(sizes),
        buffers_(context.buffers),
        rows_(static_cast<TapRow*>(context.pool.scratch(thread))),
        filters_(filters) {}

  /// Computes the outputs at `outer` and `row` of their axes, of some channels of an image.
  void run(int64_t image, int64_t outer, int64_t row, int64_t firstChannel, int64_t endChannel) {
    const int64_t position[] = {image, outer, row};
    inputs_.seek(buffers_ + 2, sizes_.operandStrides, position);
    outputs_.seek(buffers_ + 2 + In::kCount, sizes_.operandStrides + In::kCount * kOperandStrides,
                  position);
    firstChannel_ = firstChannel;
    endChannel_ = endChannel;
    listRows(image * sizes_.image[0], outer, row);
    const int64_t outputs = sizes_.axes[2].out;
    const int64_t blocks = gemm::ceilDivide(outputs, kSums);
    for (int64_t block = 0; block < blocks; ++block) {
      // Blocks are as even as can be.
      const int64_t first = block * outputs / blocks;
      runBlock((block + 1) * outputs / blocks - first, first, Indices<kSums>{});
    }
  }

 private:
  /// Lists the rows of taps that lie inside, for a row of outputs.
  void listRows(int64_t image, int64_t outer, int64_t row) {
    const TapsInside depths = tapsInside(sizes_.axes[0], outer);
    const TapsInside heights = tapsInside(sizes_.axes[1], row);
    rowEnd_ = rows_;
    for (int64_t d = 0; d < depths.count; ++d) {
      for (int64_t h = 0; h < heights.count; ++h) {
        *rowEnd_++ = {
            image + depths.elementAt(d) * sizes_.image[1] + heights.elementAt(h) * sizes_.image[2],
            (depths.tapAt(d) * sizes_.axes[1].taps + heights.tapAt(h)) * kTaps * sizes_.groups};
      }
    }
  }

  template <int... I>
  AIT_INLINE void runBlock(int64_t count, int64_t first, IntegerSequence<int, I...>) const {
    using Function = void (DepthwiseBlocks::*)(int64_t) const;
    static constexpr Function kFunctions[] = {&DepthwiseBlocks::runOutputs<I + 1>...};
    (this->*kFunctions[count - 1])(first);
  }

  /// Computes `kOutputs` outputs from `first` on, all channels.
  template <int kOutputs>
  __attribute__((noinline)) void runOutputs(int64_t first) const {
    const int64_t start = first * kStride - sizes_.axes[2].padding;
    const Block block = {
        inputs_,         outputs_, first,   start,        sizes_.axes[2].in - start,
        sizes_.image[3], rows_,    rowEnd_, sizes_.groups};
    const A* image = static_cast<const A*>(buffers_[0]) + start * block.pixel;
    const B* filters = filters_;
    const int64_t end = endChannel_;
    int64_t channel = firstChannel_;
    for (; channel + W <= end; channel += W) {
      computeOutputs<kOutputs, false>(block, image + channel, filters + channel, channel, W);
    }
    if (channel < end) {
      computeOutputs<kOutputs, true>(block, image + channel, filters + channel, channel,
                                     end - channel);
    }
  }

  template <class T, bool isPartial>
  AIT_INLINE static Vector loadChannels(const T* from, int64_t count) {
    if constexpr (isPartial) {
      return convert<Accumulator>(loadPartial<T, W>(from, count));
    } else {
      return convert<Accumulator>(load<T, W>(from));
    }
  }

  /// Computes a vector of channels of `kOutputs` outputs.
  template <int kOutputs, bool isPartial>
  AIT_INLINE static void computeOutputs(const Block& block, const A* image, const B* filters,
                                        int64_t channel, int64_t count) {
    constexpr int kReach = (kOutputs - 1) * kStride + kTaps;
    Vector sums[kOutputs];
#pragma clang loop unroll(full)
    for (int i = 0; i < kOutputs; ++i) sums[i] = broadcast<W>(Accumulator{});
#pragma clang loop unroll(disable)
    for (const TapRow* row = block.rows; row != block.rowEnd; ++row) {
      Vector weights[kTaps];
#pragma clang loop unroll(full)
      for (int tap = 0; tap < kTaps; ++tap) {
        weights[tap] =
            loadChannels<B, isPartial>(filters + row->weights + tap * block.weightStep, count);
      }
      const A* x = image + row->image;
#pragma clang loop unroll(full)
      for (int at = 0; at < kReach; ++at, x += block.pixel) {
        if (at < kTaps - 1 && block.start + at < 0) continue;
        if (at > kReach - kTaps && at >= block.high) continue;
        const Vector element = loadChannels<A, isPartial>(x, count);
#pragma clang loop unroll(full)
        for (int tap = 0; tap < kTaps; ++tap) {
          const int output = (at - tap) / kStride;
          if (at < tap || (at - tap) % kStride != 0 || output >= kOutputs) continue;
          sums[output] = mulAdd(element, weights[tap], sums[output]);
        }
      }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < kOutputs; ++i) {
      const auto in = block.inputs.rows(block.first + i);
      const auto out = block.outputs.rows(block.first + i);
      if constexpr (isPartial) {
        storeResultsPartial<W>(out, channel, count,
                               applyBodyPartial<Body, W>(in, channel, count, sums[i]));
      } else {
        storeResults<W>(out, channel, applyBody<Body, W>(in, channel, sums[i]));
      }
    }
  }

  const Sizes& sizes_;
  void* const* buffers_;
  TapRow* rows_;
  TapRow* rowEnd_ = nullptr;
  const B* filters_;
  RowPointers<In> inputs_;
  RowPointers<Out> outputs_;
  int64_t firstChannel_ = 0;
  int64_t endChannel_ = 0;
};

}  // namespace conv

/// Computes a depthwise convolution with `kTaps` taps, `kStride` apart for neighbouring outputs,
/// along the last axis.
template <class Config, int kTaps, int kStride, class Epilogue, class In, class Out>
void depthwiseBlocksConvolution(const KernelContext& context) {
  // Rows of the image are read by as many rows of outputs as there are taps: from the level-2
  // cache, which is fast enough for one load in two multiply-adds.
  constexpr int64_t kCachedBytes = 128 << 10;
  conv::forEachDepthwiseRow<Config>(
      context, kCachedBytes, [&](const conv::Sizes& sizes, const auto* filters, int32_t thread) {
        return conv::DepthwiseBlocks<Config, kTaps, kStride, Epilogue, In, Out>(context, sizes,
                                                                                filters, thread);
      });
}

}  // namespace ait
