// Windows: the part of an image that a block of outputs reads, copied with its padding.
#pragma once

#include "ait/cpu/convolution_config.h"
#include "ait/cpu/matmul_blocking.h"
#include "ait/cpu/operands.h"

namespace ait::conv {

/// The positions of one axis that `outputs` neighbouring outputs of a phase read, in a window.
///
/// Either all taps share one segment of the axis, in which outputs are `stride` positions apart, or
/// each tap has a segment of its own with one position for each output: what takes less.
struct Span {
  int64_t outputs;
  int64_t segments;
  int64_t segmentLength;
  /// How far positions move in the window from an output, and from a tap, to the next.
  int64_t outputStep;
  int64_t tapStep;
  /// How far elements of the image are apart within a segment, and from segment to segment.
  int64_t elementStep;
  int64_t segmentStep;

  Span(const Phase& phase, int64_t outputCount) : outputs(outputCount) {
    const int64_t shared =
        (outputCount - 1) * phase.stride + (phase.tapCount - 1) * phase.offsetStep + 1;
    segmentStep = phase.offsetStep;
    if (phase.tapCount == 0) {
      segments = segmentLength = outputStep = tapStep = elementStep = 0;
    } else if (shared <= outputCount * phase.tapCount) {
      segments = 1;
      segmentLength = shared;
      outputStep = phase.stride;
      tapStep = phase.offsetStep;
      elementStep = 1;
    } else {
      segments = phase.tapCount;
      segmentLength = outputCount;
      outputStep = 1;
      tapStep = outputCount;
      elementStep = phase.stride;
    }
  }

  int64_t length() const { return segments * segmentLength; }
};

/// Copies `count` adjacent elements.
template <class To, class From>
AIT_INLINE void copyElements(To* to, const From* from, int64_t count) {
  constexpr int W = kLanes * 4 / static_cast<int>(sizeof(To));
  int64_t i = 0;
#pragma clang loop unroll(disable)
  for (; i + W <= count; i += W) store<To, W>(to + i, convert<To>(load<From, W>(from + i)));
  if (i < count) {
    storePartial<To, W>(to + i, convert<To>(loadPartial<From, W>(from + i, count - i)), count - i);
  }
}

template <class To>
AIT_INLINE void clearElements(To* to, int64_t count) {
  constexpr int W = kLanes * 4 / static_cast<int>(sizeof(To));
  int64_t i = 0;
  const auto zeros = broadcast<W>(To{});
#pragma clang loop unroll(disable)
  for (; i + W <= count; i += W) store<To, W>(to + i, zeros);
  if (i < count) storePartial<To, W>(to + i, zeros, count - i);
}

/// Lane `lane` of vector `kPart` of three when three planes of W elements lie pixel by pixel, as a
/// lane of two vectors, one behind the other: of the first two planes, then of those and the third.
template <int W, int kPart>
struct Interleaving {
  static constexpr int lowLane(int lane) {
    const int at = kPart * W + lane;
    return at % 3 * W % (2 * W) + at / 3;
  }
  static constexpr int lane(int lane) {
    const int at = kPart * W + lane;
    return at % 3 == 2 ? W + at / 3 : lane;
  }
};

template <int kPart, class T, int W, int... I>
AIT_INLINE Vec<T, W> interleavedPart(Vec<T, W> a, Vec<T, W> b, Vec<T, W> c,
                                     IntegerSequence<int, I...>) {
  using Lanes = Interleaving<W, kPart>;
  const auto low = __builtin_shufflevector(a.native, b.native, Lanes::lowLane(I)...);
  return Vec<T, W>(__builtin_shufflevector(low, c.native, Lanes::lane(I)...));
}

/// Puts the elements of three planes side by side, pixel by pixel.
template <class To, class From>
AIT_INLINE void interleavePlanes(To* to, const From* from, int64_t planeStride, int64_t count) {
  constexpr int W = kLanes * 4 / static_cast<int>(sizeof(To));
  int64_t i = 0;
#pragma clang loop unroll(disable)
  for (; i + W <= count; i += W) {
    const auto a = convert<To>(load<From, W>(from + i));
    const auto b = convert<To>(load<From, W>(from + planeStride + i));
    const auto c = convert<To>(load<From, W>(from + 2 * planeStride + i));
    store<To, W>(to + 3 * i, interleavedPart<0>(a, b, c, Indices<W>{}));
    store<To, W>(to + 3 * i + W, interleavedPart<1>(a, b, c, Indices<W>{}));
    store<To, W>(to + 3 * i + 2 * W, interleavedPart<2>(a, b, c, Indices<W>{}));
  }
#pragma clang loop vectorize(disable) unroll(disable)
  for (; i < count; ++i) {
    for (int c = 0; c < 3; ++c) {
      to[3 * i + c] = static_cast<To>(toCompute(from[c * planeStride + i]));
    }
  }
}

/// Copies windows of an image of element type `From` to accumulators.
template <class To, class From>
class WindowCopy {
 public:
  /// - image: the first channel to copy of the image's first pixel.
  /// - channels: how many to copy.
  WindowCopy(const Sizes& sizes, const From* image, int64_t channels)
      : sizes_(sizes), image_(image), channels_(channels) {
    const int64_t* strides = sizes.image;
    isDense_ = strides[4] == 1 && strides[3] == channels;
  }

  /// Copies what the outputs from `first` on of a phase read, along each axis.
  __attribute__((noinline)) void copy(To* window, const Phase* phases, const int64_t* first,
                                      const Span* spans) const {
    forEachPosition(phases[0], spans[0], first[0], [&](int64_t d) AIT_INLINE_LAMBDA {
      forEachPosition(phases[1], spans[1], first[1], [&](int64_t h) AIT_INLINE_LAMBDA {
        const bool isInside = d >= 0 && d < sizes_.axes[0].in && h >= 0 && h < sizes_.axes[1].in;
        if (isInside) {
          copyRow(window, image_ + d * sizes_.image[1] + h * sizes_.image[2], phases[2], spans[2],
                  first[2]);
        } else {
          clearElements(window, spans[2].length() * channels_);
        }
        window += spans[2].length() * channels_;
      });
    });
  }

 private:
  template <class Body>
  AIT_INLINE static void forEachPosition(const Phase& phase, const Span& span, int64_t first,
                                         Body body) {
    for (int64_t segment = 0; segment < span.segments; ++segment) {
      int64_t element = first * phase.stride + phase.offset + segment * span.segmentStep;
      for (int64_t i = 0; i < span.segmentLength; ++i, element += span.elementStep) body(element);
    }
  }

  void copyRow(To* to, const From* row, const Phase& phase, const Span& span, int64_t first) const {
    const int64_t extent = sizes_.axes[2].in;
    const int64_t step = span.elementStep;
    for (int64_t segment = 0; segment < span.segments; ++segment) {
      const int64_t start = first * phase.stride + phase.offset + segment * span.segmentStep;
      // Positions before `low` and from `high` on lie outside.
      const int64_t low =
          start >= 0 ? 0 : gemm::smaller(gemm::ceilDivide(-start, step), span.segmentLength);
      const int64_t high =
          start >= extent ? low
                          : gemm::larger(low, gemm::smaller(gemm::ceilDivide(extent - start, step),
                                                            span.segmentLength));
      clearElements(to, low * channels_);
      if (high > low) {
        copyPixels(to + low * channels_, row + (start + low * step) * sizes_.image[3], high - low,
                   step * sizes_.image[3], step == 1);
      }
      clearElements(to + high * channels_, (span.segmentLength - high) * channels_);
      to += span.segmentLength * channels_;
    }
  }

  void copyPixels(To* to, const From* from, int64_t count, int64_t pixelStride,
                  bool areNeighbours) const {
    const int64_t channelStride = sizes_.image[4];
    if (areNeighbours && isDense_) {
      copyElements(to, from, count * channels_);
    } else if (channelStride == 1) {
      for (int64_t i = 0; i < count; ++i) {
        copyElements(to + i * channels_, from + i * pixelStride, channels_);
      }
    } else if (areNeighbours && pixelStride == 1 && channels_ == 3) {
      interleavePlanes(to, from, channelStride, count);
    } else {
      // Channel after channel, as an image with the channels first lies.
      for (int64_t c = 0; c < channels_; ++c) {
        const From* plane = from + c * channelStride;
#pragma clang loop vectorize(disable) unroll_count(4)
        for (int64_t i = 0; i < count; ++i) {
          to[i * channels_ + c] = static_cast<To>(toCompute(plane[i * pixelStride]));
        }
      }
    }
  }

  const Sizes& sizes_;
  const From* image_;
  int64_t channels_;
  bool isDense_;
};

}  // namespace ait::conv
