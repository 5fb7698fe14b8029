// Filters in the order in which convolutions read them.
//
// For each group a matrix of taps x channels by filters, the channels fastest, packed into panels
// as the weights of matmul (`matmul_pack.h`). For depthwise convolutions, whose groups have one
// channel and one filter: for each tap the weights of all channels.
#pragma once

#include "ait/cpu/convolution_config.h"
#include "ait/cpu/matmul_pack.h"

namespace ait {

namespace conv {

/// Packs the filters; threads share panels.
template <class T, int kWidth>
void packFilters(ThreadPool& pool, const T* filters, T* packed, const Sizes& sizes) {
  // Elements are moved, not computed with.
  using Element = typename SignedOfSize<sizeof(T)>::Type;
  const int64_t columns = sizes.outputChannels;
  const int64_t channels = sizes.inputChannels;
  if (columns <= 0 || sizes.depth() <= 0) return;
  const int64_t panels = (columns + kWidth - 1) / kWidth;
  const int64_t* strides = sizes.filters;
  parallelFor(pool, sizes.groups * panels, [&](int64_t index, int32_t) {
    const int64_t column = index % panels * kWidth;
    const int64_t filter = index / panels * columns + column;
    auto* to = reinterpret_cast<Element*>(packed) + index * kWidth * sizes.depth();
    for (int64_t d = 0; d < sizes.axes[0].taps; ++d) {
      for (int64_t h = 0; h < sizes.axes[1].taps; ++h) {
        for (int64_t w = 0; w < sizes.axes[2].taps; ++w, to += kWidth * channels) {
          const auto* from = reinterpret_cast<const Element*>(filters) + filter * strides[0] +
                             d * strides[1] + h * strides[2] + w * strides[3];
          gemm::packPanel<kWidth>(to, gemm::PanelSource<Element>{from, strides[0], strides[4],
                                                                 columns - column, channels});
        }
      }
    }
  });
}

/// Packs the filters of a depthwise convolution.
template <class T>
void packDepthwiseFilters(const T* filters, T* packed, const Sizes& sizes) {
  const int64_t* strides = sizes.filters;
  for (int64_t d = 0; d < sizes.axes[0].taps; ++d) {
    for (int64_t h = 0; h < sizes.axes[1].taps; ++h) {
      for (int64_t w = 0; w < sizes.axes[2].taps; ++w) {
        const T* from = filters + d * strides[1] + h * strides[2] + w * strides[3];
        for (int64_t group = 0; group < sizes.groups; ++group) *packed++ = from[group * strides[0]];
      }
    }
  }
}

}  // namespace conv

/// Packs the filters of a convolution.
///
/// - buffers: the filters, the packed filters.
/// - sizes: those of the convolution.
template <class T, int kWidth>
void packFilters(const KernelContext& context) {
  const conv::Sizes sizes(context.sizes);
  conv::packFilters<T, kWidth>(context.pool, static_cast<const T*>(context.buffers[0]),
                               static_cast<T*>(context.buffers[1]), sizes);
}

/// Packs the filters of a depthwise convolution.
///
/// - buffers: the filters, the packed filters.
/// - sizes: those of the convolution.
template <class T>
void packDepthwiseFilters(const KernelContext& context) {
  const conv::Sizes sizes(context.sizes);
  conv::packDepthwiseFilters<T>(static_cast<const T*>(context.buffers[0]),
                                static_cast<T*>(context.buffers[1]), sizes);
}

}  // namespace ait
