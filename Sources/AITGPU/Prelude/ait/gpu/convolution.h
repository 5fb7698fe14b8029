// y[n, o…, f] = epilogue(Σ x[n, o · stride + t · dilation - padding…, c] w[f, t…, c], extras…):
// convolutions of channels-last images by the threads' own arithmetic units. Compute capability 8.0
// and later.
//
// `convolution`: a product of outputs by filters, whose operands are gathered while they are copied
// to shared memory (`matmul_simt.h`): nothing is lowered in memory. `directConvolution`: a thread
// for two elements of the result, for groups of few filters, depthwise ones above all, whose
// neighbours read neighbouring channels. Any strides; a sum is added one by one in the order of
// taps and channels. Expected bound: the arithmetic units, and integer units for the addresses;
// direct: the caches.
#pragma once

#include "ait/gpu/convolution_geometry.h"
#include "ait/gpu/matmul_simt.h"

namespace ait {
namespace conv {

/// A thread's way through taps and channels, some at a time.
struct TapCursor {
  int channel;
  int taps[3] = {0, 0, 0};

  AIT_DEVICE TapCursor(const ConvolutionGeometry& geometry, int first) : channel(first) {
    settle(geometry);
  }

  AIT_DEVICE void advance(const ConvolutionGeometry& geometry, int count) {
    channel += count;
    settle(geometry);
  }

  AIT_DEVICE bool isInside(const ConvolutionGeometry& geometry) const {
    return taps[0] < geometry.axes[0].taps;
  }

 private:
  AIT_DEVICE void settle(const ConvolutionGeometry& geometry) {
    while (channel >= geometry.channels && isInside(geometry)) {
      channel -= geometry.channels;
      if (++taps[2] < geometry.axes[2].taps) continue;
      taps[2] = 0;
      if (++taps[1] < geometry.axes[1].taps) continue;
      taps[1] = 0;
      ++taps[0];
    }
  }
};

template <class Element, int kSize = static_cast<int>(sizeof(Element))>
AIT_DEVICE void copyElement(SumType<Element>* to, const Element* from, const Element* any,
                            bool isValid) {
  if constexpr (kSize >= 4) {
    copyAsync<kSize>(to, isValid ? from : any, isValid ? kSize : 0);
  } else {
    SumType<Element> number = 0;
    if (isValid) number = simt::loadNumber(from);
    *to = number;
  }
}

/// A thread's copies of the image: some outputs, one element of every step of taps by channels.
template <class Config>
class ImageCopier {
  using Shape = ConvolutionShape<Config>;
  using Element = typename Config::Element;
  static constexpr int kStepK = Shape::kStepK;
  static constexpr int kLinesAtOnce = Shape::kThreads / kStepK;
  static constexpr int kLines = Config::kTileM / kLinesAtOnce;
  static_assert(Config::kTileM % kLinesAtOnce == 0, "threads share outputs evenly");

 public:
  /// - first: the first output, counted among all; valid: how many there are from it on.
  AIT_DEVICE ImageCopier(const ConvolutionGeometry& geometry, const Element* image, int first,
                         int valid)
      : geometry_(geometry), image_(image), cursor_(geometry, threadIndex() % kStepK) {
    const int line = threadIndex() / kStepK;
    AIT_UNROLL
    for (int i = 0; i < kLines; ++i) {
      const int row = line + i * kLinesAtOnce;
      const Output output(geometry, first + (row < valid ? row : 0));
      images_[i] = image + output.image * geometry.imageStrides[0];
      AIT_UNROLL
      for (int axis = 0; axis < 3; ++axis) {
        starts_[i][axis] =
            output.positions[axis] * geometry.axes[axis].stride - geometry.axes[axis].padding;
      }
      // Outputs that do not exist lie where no image has elements.
      if (row >= valid) starts_[i][0] = -(1 << 30);
    }
    to_ = threadIndex() % kStepK * Shape::kPitchA + line;
  }

  AIT_DEVICE void copy(typename Shape::Number* stage) {
    const bool isTap = cursor_.isInside(geometry_);
    const int64_t channel = cursor_.channel * geometry_.imageStrides[4];
    AIT_UNROLL
    for (int i = 0; i < kLines; ++i) {
      int64_t offset = channel;
      bool isValid = isTap;
      AIT_UNROLL
      for (int axis = 0; axis < 3; ++axis) {
        const ConvolutionAxis& own = geometry_.axes[axis];
        const int element =
            elementAt<Config::kHasZeros>(own, starts_[i][axis] + cursor_.taps[axis] * own.dilation);
        isValid = isValid && element >= 0;
        offset += element * geometry_.imageStrides[axis + 1];
      }
      copyElement<Element>(stage + to_ + i * kLinesAtOnce, images_[i] + offset, image_, isValid);
    }
    cursor_.advance(geometry_, kStepK);
  }

 private:
  const ConvolutionGeometry& geometry_;
  const Element* image_;
  TapCursor cursor_;
  const Element* images_[kLines];
  int starts_[kLines][3];
  int to_;
};

/// The same of the filters.
template <class Config>
class FilterCopier {
  using Shape = ConvolutionShape<Config>;
  using Element = typename Config::Element;
  static constexpr int kStepK = Shape::kStepK;
  static constexpr int kLinesAtOnce = Shape::kThreads / kStepK;
  static constexpr int kLines = Config::kTileN / kLinesAtOnce;
  static_assert(Config::kTileN % kLinesAtOnce == 0, "threads share filters evenly");

 public:
  AIT_DEVICE FilterCopier(const ConvolutionGeometry& geometry, const Element* filters, int first,
                          int valid)
      : geometry_(geometry),
        filters_(filters),
        cursor_(geometry, threadIndex() % kStepK),
        line_(threadIndex() / kStepK),
        valid_(valid) {
    from_ = filters + (first + line_) * geometry.filterStrides[0];
  }

  AIT_DEVICE void copy(typename Shape::Number* stage) {
    const bool isTap = cursor_.isInside(geometry_);
    int64_t offset = cursor_.channel * geometry_.filterStrides[4];
    AIT_UNROLL
    for (int axis = 0; axis < 3; ++axis) {
      offset += cursor_.taps[axis] * geometry_.filterStrides[axis + 1];
    }
    typename Shape::Number* to = stage + threadIndex() % kStepK * Shape::kPitchB + line_;
    AIT_UNROLL
    for (int i = 0; i < kLines; ++i) {
      copyElement<Element>(to + i * kLinesAtOnce,
                           from_ + offset + i * kLinesAtOnce * geometry_.filterStrides[0], filters_,
                           isTap && line_ + i * kLinesAtOnce < valid_);
    }
    cursor_.advance(geometry_, kStepK);
  }

 private:
  const ConvolutionGeometry& geometry_;
  const Element* filters_;
  TapCursor cursor_;
  const Element* from_;
  int line_;
  int valid_;
};

/// Where a block takes its operands from.
template <class Config, class In, class Out>
struct Sources {
  using Arguments = ConvolutionArguments<Config, In, Out>;
  using Element = typename Config::Element;
  using Tile = MatmulTile<Config::kBatchRank>;

  AIT_DEVICE static ImageCopier<Config> a(const Arguments& arguments, const Tile& tile) {
    const auto& geometry = arguments.geometry;
    const auto* image = static_cast<const Element*>(geometry.image);
    if constexpr (Config::kHasGroups) {
      image +=
          static_cast<int64_t>(tile.position[0]) * geometry.channels * geometry.imageStrides[4];
    }
    const int first =
        firstOutput<Config::kHasGroups, Config::kBatchRank>(arguments.problem, tile.position);
    return ImageCopier<Config>(geometry, image, first + tile.row, arguments.problem.M - tile.row);
  }
  AIT_DEVICE static FilterCopier<Config> b(const Arguments& arguments, const Tile& tile) {
    const auto& geometry = arguments.geometry;
    const auto* filters = static_cast<const Element*>(geometry.filters);
    if constexpr (Config::kHasGroups) {
      filters += static_cast<int64_t>(tile.position[0]) * geometry.filtersPerGroup *
                 geometry.filterStrides[0];
    }
    return FilterCopier<Config>(geometry, filters, tile.column, arguments.problem.N - tile.column);
  }
};

}  // namespace conv

/// Computes a tile of a convolution; blocks as `matmulSimtBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void convolution(const ConvolutionArguments<Config, In, Out>& arguments) {
  simt::Block<Config, Body, In, Out, conv::Sources<Config, In, Out>>(arguments).run();
}

/// Computes elements of a convolution, two neighbours of a row for each thread; `Config` names
/// `Element`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void directConvolution(const DirectConvolutionArguments<Config, In, Out>& arguments) {
  using Element = typename Config::Element;
  using Number = SumType<Element>;
  constexpr int kRank = Config::kBatchRank;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  launchDependents();
  const auto& problem = arguments.problem;
  const auto& geometry = arguments.geometry;
  const int64_t index =
      static_cast<int64_t>(blockIndex()) * DirectConvolutionShape<Config>::kThreads + threadIndex();
  waitForPrerequisites();
  if (index >= arguments.pairCount) return;
  const int output = arguments.pairs.quotient(static_cast<int>(index));
  const int column = (static_cast<int>(index) - output * ((problem.N + 1) / 2)) * 2;
  int matrix = arguments.rows.quotient(output);
  const int row = output - matrix * problem.M;
  int position[kRank + 1];
  AIT_UNROLL
  for (int axis = kRank - 1; axis >= 0; --axis) {
    const int rest = axis > 0 ? matrix / problem.batchExtents[axis] : 0;
    position[axis] = matrix - rest * problem.batchExtents[axis];
    matrix = rest;
  }
  const conv::Output place(geometry, output);
  // The second column may not exist: it is then computed as the first once more.
  const int columns[] = {column, column + 1 < problem.N ? column + 1 : column};
  const Element* images[2];
  const Element* filters[2];
  Values<Number, 2> sums;
  AIT_UNROLL
  for (int i = 0; i < 2; ++i) {
    const int64_t group = arguments.group.quotient(columns[i]);
    images[i] = static_cast<const Element*>(geometry.image) +
                place.image * geometry.imageStrides[0] +
                group * geometry.channels * geometry.imageStrides[4];
    filters[i] =
        static_cast<const Element*>(geometry.filters) + columns[i] * geometry.filterStrides[0];
    sums.values[i] = 0;
  }
  const auto elementOf = [&](int axis, int tap) {
    const ConvolutionAxis& own = geometry.axes[axis];
    return conv::elementAt<Config::kHasZeros>(
        own, place.positions[axis] * own.stride + tap * own.dilation - own.padding);
  };
  AIT_NO_UNROLL
  for (int d = 0; d < geometry.axes[0].taps; ++d) {
    const int elementD = elementOf(0, d);
    if (elementD < 0) continue;
    AIT_NO_UNROLL
    for (int h = 0; h < geometry.axes[1].taps; ++h) {
      const int elementH = elementOf(1, h);
      if (elementH < 0) continue;
      AIT_NO_UNROLL
      for (int w = 0; w < geometry.axes[2].taps; ++w) {
        const int elementW = elementOf(2, w);
        if (elementW < 0) continue;
        const int64_t from = elementD * geometry.imageStrides[1] +
                             elementH * geometry.imageStrides[2] +
                             elementW * geometry.imageStrides[3];
        const int64_t weight = d * geometry.filterStrides[1] + h * geometry.filterStrides[2] +
                               w * geometry.filterStrides[3];
        AIT_NO_UNROLL
        for (int c = 0; c < geometry.channels; ++c) {
          AIT_UNROLL
          for (int i = 0; i < 2; ++i) {
            sums.values[i] = simt::multiplyAdd(
                simt::loadNumber(images[i] + from + c * geometry.imageStrides[4]),
                simt::loadNumber(filters[i] + weight + c * geometry.filterStrides[4]),
                sums.values[i]);
          }
        }
      }
    }
  }
  Epilogue epilogue(problem);
  epilogue.seek(position);
  const auto at = epilogue.row(row, column);
  typename Epilogue::template Extras<2> extras;
  at.template load<2>(extras, 0);
  at.template finish<2>(sums, extras, 0);
}

}  // namespace ait
