// Depthwise convolutions: every channel of a channels-last image with a filter of its own.
//
//   using Config = ait::ConvolutionConfig<float, float, ait::Filters::packed>;
//   ait::depthwiseConvolution<Config, ait::Access::contiguous, Epilogue, In, Out>(context);
//
// buffers, sizes, epilogue: as in convolution.h, with one channel and one filter for each group.
// workspace: for filters that are not packed, `taps * groups` elements.
// The access is that of the image along its channels.
//
// Vectors lie along the channels. Eight sums are in registers at a time, of neighbouring outputs or
// of neighbouring channels; for each tap, the image is read by the multiply-adds themselves, so the
// kernel runs at their rate where the image comes from the caches. Nothing is padded or copied: the
// outputs at an edge leave out the taps outside.
#pragma once

#include "ait/cpu/convolution_pack.h"
#include "ait/cpu/matmul_blocking.h"
#include "ait/cpu/matmul_epilogue.h"

namespace ait {

namespace conv {

/// The taps of an axis that lie inside, for one output.
struct TapsInside {
  int64_t count;
  /// Those of the phase before them.
  int64_t skipped;
  /// Of the first: the element it meets, and its number among all taps of the axis.
  int64_t element;
  int64_t tap;
  int64_t elementStep;
  int64_t tapStep;

  int64_t elementAt(int64_t index) const { return element + index * elementStep; }
  int64_t tapAt(int64_t index) const { return tap + index * tapStep; }
};

/// The taps of output j of a phase that lie inside.
inline TapsInside tapsInside(const Phase& phase, int64_t j, int64_t extent) {
  const int64_t start = j * phase.stride + phase.offset;
  const int64_t step = phase.offsetStep;
  int64_t first = start >= 0 ? 0 : (-start + step - 1) / step;
  int64_t end = start >= extent ? 0 : (extent - start + step - 1) / step;
  if (end > phase.tapCount) end = phase.tapCount;
  return {end > first ? end - first : 0,          first, start + first * step,
          phase.firstTap + first * phase.tapStep, step,  phase.tapStep};
}

/// The same for an output among all of an axis.
inline TapsInside tapsInside(const Axis& axis, int64_t output) {
  const int64_t count = Phase::countOf(axis);
  return tapsInside(Phase(axis, output % count), output / count, axis.in);
}

/// One row of outputs of a depthwise convolution.
template <class Config, Access access, class Body, class In, class Out>
class DepthwiseRow {
  using A = typename Config::A;
  using B = typename Config::B;
  using Accumulator = typename Config::Accumulator;
  using Inputs = gemm::MatrixOperands<In, kSpatialRank>;
  using Outputs = gemm::MatrixOperands<Out, kSpatialRank>;
  static constexpr int W = Config::Tile::kLanes;
  using Vector = Vec<Accumulator, W>;
  // Enough sums to hide the latency of multiply-adds.
  static constexpr int kSums = 8;

  /// A tap that lies inside: where it meets the image, and where its weights lie.
  struct Tap {
    int64_t image;
    int64_t weights;
  };

 public:
  DepthwiseRow(const KernelContext& context, const Sizes& sizes, const B* filters, int32_t thread)
      : sizes_(sizes),
        taps_(static_cast<Tap*>(context.pool.scratch(thread))),
        imageElements_(static_cast<const A*>(context.buffers[0])),
        filters_(filters),
        inputs_(context.buffers + 2, sizes.operandStrides),
        outputs_(context.buffers + 2 + Inputs::kCount,
                 sizes.operandStrides + Inputs::kCount * kOperandStrides) {}

  /// Computes the outputs at `outer` and `row` of their axes, of some channels of an image.
  void run(int64_t image, int64_t outer, int64_t row, int64_t firstChannel, int64_t endChannel) {
    const int64_t position[] = {image, outer, row};
    inputs_.seek(position);
    outputs_.seek(position);
    firstChannel_ = firstChannel;
    endChannel_ = endChannel;
    rows_ = imageElements_ + image * sizes_.image[0];
    seek(0, outer);
    seek(1, row);
    const Axis& axis = sizes_.axes[2];
    for (int64_t index = 0; index < Phase::countOf(axis) && index < axis.out; ++index) {
      const Phase phase(axis, index);
      runPhase(phase);
    }
  }

 private:
  /// Stands at an output of one of the outer axes.
  void seek(int axis, int64_t output) { outerTaps_[axis] = tapsInside(sizes_.axes[axis], output); }

  /// Computes the outputs of a phase: those with all taps inside many at a time.
  void runPhase(const Phase& phase) {
    const int64_t extent = sizes_.axes[2].in;
    const int64_t reach = (phase.tapCount - 1) * phase.offsetStep;
    int64_t j = 0;
    while (j < phase.count) {
      const int64_t start = j * phase.stride + phase.offset;
      int64_t whole = 0;
      if (phase.tapCount > 0 && start >= 0 && start + reach < extent) {
        whole = gemm::smaller(phase.count - j, (extent - 1 - reach - start) / phase.stride + 1);
      }
      listTaps(tapsInside(phase, j, extent));
      const int64_t end = j + gemm::larger(whole, 1);
      const A* from = rows_ + start * sizes_.image[3];
      const int64_t step = phase.stride * sizes_.image[3];
      for (; j + 8 <= end; j += 8, from += 8 * step) runOutputs<8>(phase, j, from, step);
      if (j + 4 <= end) {
        runOutputs<4>(phase, j, from, step);
        j += 4;
        from += 4 * step;
      }
      if (j + 2 <= end) {
        runOutputs<2>(phase, j, from, step);
        j += 2;
        from += 2 * step;
      }
      if (j < end) runOutputs<1>(phase, j++, from, step);
    }
  }

  /// Lists the taps of the current row that lie inside: where they meet the image, from the element
  /// on that the first tap of an output meets, and where their weights lie.
  void listTaps(const TapsInside& taps) {
    tapEnd_ = taps_;
    const int64_t* strides = sizes_.image;
    for (int64_t d = 0; d < outerTaps_[0].count; ++d) {
      for (int64_t h = 0; h < outerTaps_[1].count; ++h) {
        const int64_t row =
            outerTaps_[0].elementAt(d) * strides[1] + outerTaps_[1].elementAt(h) * strides[2];
        const int64_t rowOfTaps =
            (outerTaps_[0].tapAt(d) * sizes_.axes[1].taps + outerTaps_[1].tapAt(h)) *
            sizes_.axes[2].taps;
        for (int64_t w = 0; w < taps.count; ++w) {
          *tapEnd_++ = {row + (taps.skipped + w) * taps.elementStep * strides[3],
                        (rowOfTaps + taps.tapAt(w)) * sizes_.groups};
        }
      }
    }
  }

  /// Computes `kOutputs` neighbouring outputs of a phase, all channels.
  ///
  /// - from: what the first tap of the first output meets, of channel 0.
  template <int kOutputs>
  __attribute__((noinline)) void runOutputs(const Phase& phase, int64_t j, const A* from,
                                            int64_t step) const {
    constexpr int kVectors = kSums / kOutputs;
    const int64_t output = phase.first + j * phase.step;
    int64_t channel = firstChannel_;
    if constexpr (kVectors > 1) {
      for (; channel + kVectors * W <= endChannel_; channel += kVectors * W) {
        computeOutputs<kOutputs, kVectors, false>(output, phase.step, from, step, channel, W);
      }
    }
    for (; channel + W <= endChannel_; channel += W) {
      computeOutputs<kOutputs, 1, false>(output, phase.step, from, step, channel, W);
    }
    if (channel < endChannel_) {
      computeOutputs<kOutputs, 1, true>(output, phase.step, from, step, channel,
                                        endChannel_ - channel);
    }
  }

  template <class T, bool isPartial>
  AIT_INLINE static Vec<ComputeType<T>, W> loadChannels(const T* from, int64_t count) {
    if constexpr (isPartial) {
      return loadPartial<T, W>(from, count);
    } else {
      return load<T, W>(from);
    }
  }

  template <bool isPartial>
  AIT_INLINE Vec<ComputeType<A>, W> loadImage(const A* from, int64_t count) const {
    if constexpr (access == Access::contiguous) {
      return loadChannels<A, isPartial>(from, count);
    } else if constexpr (isPartial) {
      return loadStridedPartial<A, W>(from, sizes_.image[4], count);
    } else {
      return loadStrided<A, W>(from, sizes_.image[4]);
    }
  }

  template <int kOutputs, int kVectors, bool isPartial>
  AIT_INLINE void computeOutputs(int64_t output, int64_t outputStep, const A* from, int64_t step,
                                 int64_t channel, int64_t count) const {
    const int64_t channelStride = access == Access::contiguous ? 1 : sizes_.image[4];
    from += channel * channelStride;
    const B* filters = filters_ + channel;
    Vector sums[kOutputs][kVectors];
#pragma clang loop unroll(full)
    for (int i = 0; i < kOutputs; ++i) {
#pragma clang loop unroll(full)
      for (int v = 0; v < kVectors; ++v) sums[i][v] = broadcast<W>(Accumulator{});
    }
#pragma clang loop unroll(disable)
    for (const Tap* tap = taps_; tap != tapEnd_; ++tap) {
      const A* x = from + tap->image;
      const B* weights = filters + tap->weights;
#pragma clang loop unroll(full)
      for (int v = 0; v < kVectors; ++v) {
        const auto weight =
            convert<Accumulator>(loadChannels<B, isPartial>(weights + v * W, count));
#pragma clang loop unroll(full)
        for (int i = 0; i < kOutputs; ++i) {
          sums[i][v] = mulAdd(convert<Accumulator>(loadImage<isPartial>(
                                  x + i * step + v * W * channelStride, count)),
                              weight, sums[i][v]);
        }
      }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < kOutputs; ++i) {
      const auto in = inputs_.rows(output + i * outputStep);
      const auto out = outputs_.rows(output + i * outputStep);
#pragma clang loop unroll(full)
      for (int v = 0; v < kVectors; ++v) {
        const int64_t at = channel + v * W;
        if constexpr (isPartial) {
          storeResultsPartial<W>(out, at, count,
                                 applyBodyPartial<Body, W>(in, at, count, sums[i][v]));
        } else {
          storeResults<W>(out, at, applyBody<Body, W>(in, at, sums[i][v]));
        }
      }
    }
  }

  const Sizes& sizes_;
  Tap* taps_;
  Tap* tapEnd_ = nullptr;
  const A* imageElements_;
  const B* filters_;
  Inputs inputs_;
  Outputs outputs_;
  const A* rows_ = nullptr;
  TapsInside outerTaps_[2] = {};
  int64_t firstChannel_ = 0;
  int64_t endChannel_ = 0;
};

/// Computes all rows of outputs: `makeRow(sizes, filters, thread)` gives what does one.
///
/// - cachedBytes: what the rows of the image that an output's taps meet may take of a cache. Rows
///   are computed one after the other for a block of channels, so that they stay there.
template <class Config, class MakeRow>
AIT_INLINE void forEachDepthwiseRow(const KernelContext& context, int64_t cachedBytes,
                                    MakeRow&& makeRow) {
  using B = typename Config::B;
  const Sizes sizes(context.sizes);
  if (sizes.isEmpty()) return;
  const auto* filters = static_cast<const B*>(context.buffers[1]);
  if constexpr (Config::kFilters == Filters::strided) {
    auto* packed = static_cast<B*>(context.workspace);
    packDepthwiseFilters<B>(filters, packed, sizes);
    filters = packed;
  }
  constexpr int64_t W = Config::Tile::kLanes;
  const int64_t threads = context.pool.threadCount();
  const int64_t rows = sizes.axes[1].out;
  const int64_t outer = sizes.axes[0].out;
  const int64_t vectors = gemm::ceilDivide(sizes.groups, W);
  const int64_t rowBytes = sizes.axes[2].in * (sizes.axes[1].taps + 1) * W *
                           static_cast<int64_t>(sizeof(typename Config::A));
  // More blocks than caches ask for where there are few rows for each thread.
  const int64_t fewest = gemm::larger(
      gemm::ceilDivide(vectors, gemm::larger(1, cachedBytes / gemm::larger(1, rowBytes))),
      threads == 1 ? 1 : gemm::ceilDivide(8 * threads, sizes.N * outer * rows));
  const int64_t blocks = gemm::smaller(fewest, vectors);
  const int64_t tasks = sizes.N * blocks * outer * rows;
  const int64_t products = sizes.axes[2].out * sizes.taps() * sizes.groups / blocks;
  // So many rows a call that it is worth handing out, and several calls for each thread.
  int64_t perCall = gemm::larger(1, (int64_t{1} << 16) / gemm::larger(1, products));
  perCall = gemm::smaller(perCall, gemm::ceilDivide(tasks, threads));
  perCall = gemm::larger(perCall, gemm::ceilDivide(tasks, threads * 16));
  parallelFor(context.pool, gemm::ceilDivide(tasks, perCall), [&](int64_t call, int32_t thread) {
    auto row = makeRow(sizes, filters, thread);
    const int64_t end = gemm::smaller((call + 1) * perCall, tasks);
    for (int64_t task = call * perCall; task < end; ++task) {
      const int64_t block = task / (rows * outer) % blocks;
      row.run(task / (rows * outer * blocks), task / rows % outer, task % rows,
              block * vectors / blocks * W,
              gemm::smaller((block + 1) * vectors / blocks * W, sizes.groups));
    }
  });
}

}  // namespace conv

/// Computes a depthwise convolution.
template <class Config, Access access, class Epilogue, class In, class Out>
void depthwiseConvolution(const KernelContext& context) {
  // The image is read once for each tap: from the level-1 cache.
  constexpr int64_t kCachedBytes = 32 << 10;
  conv::forEachDepthwiseRow<Config>(
      context, kCachedBytes, [&](const conv::Sizes& sizes, const auto* filters, int32_t thread) {
        return conv::DepthwiseRow<Config, access, Epilogue, In, Out>(context, sizes, filters,
                                                                     thread);
      });
}

}  // namespace ait
