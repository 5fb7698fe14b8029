// Regions of interest of images, resampled to one size.
#pragma once

#include "ait/cpu/channels.h"

namespace ait {

/// What is the same for all boxes: `Boxes` has static constexpr members of these names.
///
///   double kScale         of box coordinates to pixels
///   int kSamples          samples of a bin along an axis; at most 0 for as many as it has pixels
///   bool kIsAligned       whether a pixel's middle lies half a pixel from its border
///   bool kIsPerPosition   whether every bin has channels of its own
///
/// A bin's samples along an axis.
template <class T>
struct BinSamples {
  T start;  // of the first bin
  T bin;    // the size of a bin
  int64_t count;

  /// More than any box within an image has; a box without bounds has none.
  static constexpr T kMost = 32768;

  AIT_INLINE BinSamples(T low, T high, T scale, int64_t bins, int64_t samples, bool isAligned) {
    const T offset = isAligned ? T(0.5) : T(0);
    start = low * scale - offset;
    T size = high * scale - offset - start;
    if (!isAligned && !(size >= 1)) size = size == size ? T(1) : size;
    bin = size / static_cast<T>(bins);
    if (samples > 0) {
      count = samples;
    } else {
      const T wanted = __builtin_ceil(bin);
      count = wanted > 0 && wanted <= kMost ? static_cast<int64_t>(wanted) : 0;
    }
  }

  AIT_INLINE T position(int64_t index, int64_t sample) const {
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

  AIT_INLINE SampleTaps(T position, int64_t extent) {
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

/// The mean of samples, each interpolated between four elements, in every bin of every box:
/// torchvision's roi_align and, per position, ps_roi_align.
///
/// - sizes: the extents R, 1, P1, P2, C of the result; 5 strides of the images [N, 1, H, W, C], of
///   each extra, of each output, in elements; then 1, H, W; 2 strides of the boxes [R, 4], the
///   stride of the images' indices [R], N.
/// - buffers: the images, the boxes (x1, y1, x2, y2), the indices, the extras of the epilogue, the
///   outputs, which overlap no other.
/// - An index outside 0..<N is reported by `reportIndexError`, and its bins are 0.
///
/// Per position, channel c of bin (i, j) is channel (c · P1 + i) · P2 + j of the image. Vectors lie
/// along the channels. Bound by the loads of four vectors for each sample.
template <class Boxes, class Box, class Index, class Epilogue, class X, class Extras, class Out>
void roiAlign(const KernelContext& context) {
  using Element = typename X::Element;
  using T = ComputeType<Element>;
  using Coordinate = decltype(T() + ComputeType<Box>());
  constexpr int W = sizeof(T) > 4 ? kLanes / 2 : kLanes;
  const int64_t* extents = context.sizes;
  const int64_t* strides = extents + kImageRank;
  const int64_t* own = strides + kImageRank;
  const int64_t* rest = own + (Extras::kCount + Out::kCount) * kImageRank;
  const int64_t height = rest[1], width = rest[2];
  const int64_t boxStride = rest[3], cornerStride = rest[4];
  const int64_t indexStride = rest[5], images = rest[6];
  const int64_t bins = extents[2] * extents[3];
  const Box* const boxes = static_cast<const Box*>(context.buffers[1]);
  const Index* const indices = static_cast<const Index*>(context.buffers[2]);
  constexpr int64_t kUsual = Boxes::kSamples > 0 ? Boxes::kSamples : 2;

  forEachPosition<Epilogue, W, Extras, Out>(
      context.pool, context.buffers + 3, extents, own, 4 * kUsual * kUsual,
      [&](const int64_t* place) {
        const Box* const box = boxes + place[0] * boxStride;
        const auto corner = [&](int i) {
          return Coordinate{toCompute<Box>(box[i * cornerStride])};
        };
        const auto scale = static_cast<Coordinate>(Boxes::kScale);
        const BinSamples<Coordinate> down(corner(1), corner(3), scale, extents[2], Boxes::kSamples,
                                          Boxes::kIsAligned);
        const BinSamples<Coordinate> across(corner(0), corner(2), scale, extents[3],
                                            Boxes::kSamples, Boxes::kIsAligned);
        const int64_t image = indices[place[0] * indexStride];
        const bool isLegal = image >= 0 && image < images;
        if (!isLegal) reportIndexError(image, images);
        const int64_t bin = Boxes::kIsPerPosition ? place[2] * extents[3] + place[3] : 0;
        Element* const base = static_cast<Element*>(context.buffers[0]) +
                              (isLegal ? image * strides[0] : 0) + bin * strides[4];
        const int64_t channelStride = strides[4] * (Boxes::kIsPerPosition ? bins : 1);
        const int64_t count = down.count * across.count;
        const int64_t i = place[2], j = place[3];
        return [=](int64_t column, auto extent) AIT_INLINE_LAMBDA {
          Vec<T, W> sum = broadcast<W, T>(0);
          const auto add = [&](int64_t y, int64_t x, Coordinate weight) AIT_INLINE_LAMBDA {
            const Row<Element, X::kAccess> row(base + y * strides[2] + x * strides[3],
                                               channelStride);
            sum = mulAdd(loadChannels<W>(row, column, extent),
                         broadcast<W, T>(static_cast<T>(weight)), sum);
          };
          for (int64_t a = 0; a < down.count && isLegal; ++a) {
            const SampleTaps<Coordinate> y(down.position(i, a), height);
            if (!y.isInside) continue;
            for (int64_t b = 0; b < across.count; ++b) {
              const SampleTaps<Coordinate> x(across.position(j, b), width);
              if (!x.isInside) continue;
              add(y.low, x.low, (1 - y.weight) * (1 - x.weight));
              add(y.low, x.high, (1 - y.weight) * x.weight);
              add(y.high, x.low, y.weight * (1 - x.weight));
              add(y.high, x.high, y.weight * x.weight);
            }
          }
          return sum / broadcast<W, T>(static_cast<T>(count > 1 ? count : 1));
        };
      });
}

}  // namespace ait
