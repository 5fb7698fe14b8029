// y[n, o…, f] = epilogue(Σ x[n, o · stride + t · dilation - padding…, c] w[f, t…, c], extras…) on
// the matrix units: compute capability 8.0 and later.
//
// The product of outputs by filters of `matmul_multistage.h`, whose A is gathered: a row is an
// output, K goes through taps, then channels, and a 16-byte piece of a stage is copied from where
// its tap and channels lie in the image. What lies outside of the image is filled with zeros by the
// copies. The filters are a matrix as they are. Images are contiguous along the channels. With
// channels of a group that are no multiple of 16 bytes, pieces are copied in parts, or loaded
// element by element. Expected bound: the matrix units; with few channels, the loads.
// Source of the idea: "cuDNN: Efficient Primitives for Deep Learning" (2014), implicit products.
#pragma once

#include "ait/gpu/convolution_geometry.h"
#include "ait/gpu/matmul_multistage.h"

namespace ait {
namespace conv {

/// A's stages: a thread copies one piece of some rows.
template <class Config, class In, class Out>
class GatheredRows {
  using Shape = MatmulMultistageShape<Config>;
  using Element = typename Config::Element;
  using Staged =
      StagedMatrix<Element, Major::k, Shape::kTileM, Shape::kThreads, Config::kAlignmentA>;
  static constexpr int kSize = static_cast<int>(sizeof(Element));
  static constexpr int kPiece = 16 / kSize;
  /// Elements that are copied at once, all of one tap.
  static constexpr int kStep = smaller(Config::kAlignmentA, kPiece);
  static constexpr int kRowsAtOnce = Shape::kThreads / 8;
  static constexpr int kRows = Shape::kTileM / kRowsAtOnce;
  static constexpr int kFirstAxis = Config::kFirstAxis;

 public:
  using Arguments = ConvolutionProductArguments<Config, In, Out>;

  AIT_DEVICE GatheredRows(const Arguments& arguments, const MatmulTile<Config::kBatchRank>& tile)
      : arguments_(arguments),
        image_(static_cast<const Element*>(arguments.geometry.image)),
        row_(threadIndex() / 8),
        piece_(threadIndex() % 8) {
    const ConvolutionGeometry& geometry = arguments.geometry;
    if constexpr (Config::kHasGroups) {
      image_ += static_cast<int64_t>(tile.position[0]) * geometry.channels;
    }
    const int first =
        firstOutput<Config::kHasGroups, Config::kBatchRank>(arguments.problem, tile.position) +
        tile.row;
    const int valid = arguments.problem.M - tile.row;
    AIT_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const int row = row_ + i * kRowsAtOnce;
      const Output output(geometry, first + (row < valid ? row : 0));
      offsets_[i] = output.image * geometry.imageStrides[0];
      AIT_UNROLL
      for (int axis = kFirstAxis; axis < 3; ++axis) {
        const ConvolutionAxis& own = geometry.axes[axis];
        const int start = output.positions[axis] * own.stride - own.padding;
        starts_[i][axis - kFirstAxis] = start;
        if constexpr (!Config::kHasZeros) offsets_[i] += start * geometry.imageStrides[axis + 1];
      }
      // Outputs that do not exist lie where no image has elements.
      if (row >= valid) starts_[i][0] = -(1 << 30);
    }
  }

  /// Copies a stage: step `step` of taps by channels.
  AIT_DEVICE void copy(char* to, int step) const {
    const int k = step * Shape::kStepK + piece_ * kPiece;
    if constexpr (kStep * kSize >= 4) {
      AIT_UNROLL
      for (int part = 0; part < kPiece; part += kStep) {
        const Tap tap(arguments_, k + part);
        AIT_UNROLL
        for (int i = 0; i < kRows; ++i) {
          const Element* from = find(tap, i);
          copyAsync<kStep * kSize>(Staged::at(to, row_ + i * kRowsAtOnce, piece_) + part * kSize,
                                   from != nullptr ? from : image_,
                                   from != nullptr ? kStep * kSize : 0);
        }
      }
    } else {
      Words<16> words[kRows] = {};
      AIT_UNROLL
      for (int part = 0; part < kPiece; ++part) {
        const Tap tap(arguments_, k + part);
        AIT_UNROLL
        for (int i = 0; i < kRows; ++i) {
          const Element* from = find(tap, i);
          uint32_t bits = 0;
          if (from != nullptr) bits = loadGlobal<2>(from).words[0];
          words[i].words[part / 2] |= bits << part % 2 * 16;
        }
      }
      AIT_UNROLL
      for (int i = 0; i < kRows; ++i) {
        storeShared(Staged::at(to, row_ + i * kRowsAtOnce, piece_), words[i]);
      }
    }
  }

 private:
  /// A place in K: how far its tap is from the first along each axis, and from there in memory.
  struct Tap {
    int distances[3 - kFirstAxis];
    int64_t offset;
    bool exists;

    AIT_DEVICE Tap(const Arguments& arguments, int k) : exists(k < arguments.problem.K) {
      const ConvolutionGeometry& geometry = arguments.geometry;
      int index = arguments.channels.quotient(k);
      offset = k - index * geometry.channels;
      AIT_UNROLL
      for (int axis = 2; axis >= kFirstAxis; --axis) {
        const ConvolutionAxis& own = geometry.axes[axis];
        const int rest =
            axis > kFirstAxis ? arguments.taps[larger(axis, 1) - 1].quotient(index) : 0;
        const int distance = (index - rest * own.taps) * own.dilation;
        distances[axis - kFirstAxis] = distance;
        if constexpr (!Config::kHasZeros) offset += distance * geometry.imageStrides[axis + 1];
        index = rest;
      }
    }
  };

  /// The elements that an output meets at a tap; null if they lie outside of the image.
  AIT_DEVICE const Element* find(const Tap& tap, int i) const {
    const ConvolutionGeometry& geometry = arguments_.geometry;
    bool isInside = tap.exists;
    int64_t offset = offsets_[i] + tap.offset;
    AIT_UNROLL
    for (int axis = kFirstAxis; axis < 3; ++axis) {
      const int position = starts_[i][axis - kFirstAxis] + tap.distances[axis - kFirstAxis];
      const int element = elementAt<Config::kHasZeros>(geometry.axes[axis], position);
      isInside = isInside && element >= 0;
      if constexpr (Config::kHasZeros) offset += element * geometry.imageStrides[axis + 1];
    }
    return isInside ? image_ + offset : nullptr;
  }

  const Arguments& arguments_;
  const Element* image_;
  int row_;
  int piece_;
  int64_t offsets_[kRows];
  int starts_[kRows][3 - kFirstAxis];
};

}  // namespace conv

/// Computes a tile of a convolution; blocks as `matmulMultistageBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void convolutionProduct(const ConvolutionProductArguments<Config, In, Out>& arguments) {
  MultistageBlock<Config, Body, In, Out, conv::GatheredRows<Config, In, Out>>(arguments).run();
}

}  // namespace ait
