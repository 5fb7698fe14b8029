// Boxes of channels-last images, resampled to one size: torchvision's roi_align and ps_roi_align.
//
// A thread makes a packet of channels of one bin: the mean of its samples, each interpolated
// between four elements. An index of an image that there is not is noted in the record, and 0
// stored. Expected bound: the first-level cache.
#pragma once

#include "ait/gpu/gather.h"
#include "ait/gpu/images.h"

namespace ait {

/// A bin's samples along an axis.
template <class T>
struct BinSamples {
  T start;  // of the first bin
  T bin;    // the size of a bin
  int64_t count;

  /// More than any box within an image has; a box without bounds has none.
  static constexpr T kMost = 32768;

  AIT_DEVICE BinSamples(T low, T high, T scale, int64_t bins, int64_t samples, bool isAligned) {
    const T offset = isAligned ? T(0.5) : T(0);
    start = low * scale - offset;
    T size = high * scale - offset - start;
    if (!isAligned && !(size >= 1)) size = size == size ? T(1) : size;
    bin = size / static_cast<T>(bins);
    count = samples;
    if (samples <= 0) {
      count = 0;
      if (bin > 0 && bin <= kMost) {
        count = static_cast<int64_t>(bin);
        if (static_cast<T>(count) < bin) ++count;
      }
    }
  }

  AIT_DEVICE T position(int64_t index, int64_t sample) const {
    return start + static_cast<T>(index) * bin +
           (static_cast<T>(sample) + T(0.5)) * bin / static_cast<T>(count);
  }
};

/// Two neighbours along an axis and the weight of the second; none if the sample lies outside.
template <class T>
struct SampleTaps {
  int64_t low, high;
  T weight;
  bool isInside;

  AIT_DEVICE SampleTaps(T position, int64_t extent) {
    isInside = position >= T(-1) && position <= static_cast<T>(extent) && extent > 0;
    low = high = 0;
    weight = 0;
    if (!isInside) return;
    if (position < 0) position = 0;
    low = static_cast<int64_t>(position);
    if (low >= extent - 1) {
      low = high = extent - 1;
    } else {
      high = low + 1;
      weight = position - static_cast<T>(low);
    }
  }
};

template <class T>
AIT_DEVICE T loadElement(const T* address) {
  const auto word = loadGlobal<static_cast<int>(sizeof(T))>(address);
  T element;
  __builtin_memcpy(&element, &word, sizeof(T));
  return element;
}

/// `Boxes` has what is the same for all boxes: kScale, kSamples, kIsAligned, kIsPerPosition.
template <class Config, class Boxes, class Box, class Index, class Epilogue, class X, class Extra,
          class Out, class Arguments>
AIT_DEVICE void roiAlign(const Arguments& arguments) {
  using Element = typename X::Element;
  using T = ComputeType<Element>;
  using Coordinate = decltype(T() + ComputeType<Box>());
  constexpr int W = Config::kPacket;
  forEachPosition<Config, T, Epilogue, Extra, Out>(arguments, [&](const auto& place) {
    const int64_t region = place.positions[0];
    const int64_t i = place.positions[2];
    const int64_t j = place.positions[3];
    const Box* const box = static_cast<const Box*>(arguments.boxes) + region * arguments.boxStride;
    const auto corner = [&](int c) {
      return static_cast<Coordinate>(toCompute(loadElement(box + c * arguments.cornerStride)));
    };
    const auto scale = static_cast<Coordinate>(Boxes::kScale);
    const BinSamples<Coordinate> down(corner(1), corner(3), scale, arguments.extents[2],
                                      Boxes::kSamples, Boxes::kIsAligned);
    const BinSamples<Coordinate> across(corner(0), corner(2), scale, arguments.extents[3],
                                        Boxes::kSamples, Boxes::kIsAligned);
    const int64_t image =
        loadElement(static_cast<const Index*>(arguments.indices) + region * arguments.indexStride);
    const bool isLegal = image >= 0 && image < arguments.images;
    if (!isLegal) reportIndex(arguments.record, arguments.step, image, arguments.images);
    const auto& strides = arguments.operands[0].strides;
    const int64_t bins = Boxes::kIsPerPosition ? arguments.extents[2] * arguments.extents[3] : 1;
    const Element* const base =
        imageOf<Element>(arguments, isLegal ? image : 0) +
        (Boxes::kIsPerPosition ? (i * arguments.extents[3] + j) * strides[4] : 0);
    Values<T, W> sum;
    AIT_UNROLL
    for (int c = 0; c < W; ++c) sum.values[c] = 0;
    const auto add = [&](int64_t y, int64_t x, Coordinate weight) {
      OperandPacket<X, W> in;
      in.load(base + y * strides[2] + x * strides[3], strides[4] * bins, place.positions[4],
              place.count);
      AIT_UNROLL
      for (int c = 0; c < W; ++c) sum.values[c] += in.at(c) * static_cast<T>(weight);
    };
    AIT_NO_UNROLL
    for (int64_t a = 0; a < down.count && isLegal; ++a) {
      const SampleTaps<Coordinate> y(down.position(i, a), arguments.image[1]);
      if (!y.isInside) continue;
      AIT_NO_UNROLL
      for (int64_t b = 0; b < across.count; ++b) {
        const SampleTaps<Coordinate> x(across.position(j, b), arguments.image[2]);
        if (!x.isInside) continue;
        add(y.low, x.low, (1 - y.weight) * (1 - x.weight));
        add(y.low, x.high, (1 - y.weight) * x.weight);
        add(y.high, x.low, y.weight * (1 - x.weight));
        add(y.high, x.high, y.weight * x.weight);
      }
    }
    const int64_t count = down.count * across.count;
    AIT_UNROLL
    for (int c = 0; c < W; ++c) sum.values[c] /= static_cast<T>(count > 1 ? count : 1);
    return sum;
  });
}

}  // namespace ait
