// Convolutions of 3 x 3 taps by Winograd's minimal filtering, with a fused epilogue.
//
//   ait::winogradConvolution<4, 1, Epilogue, ait::Inputs<Bias>, ait::Outputs<Result>>(context);
//
// buffers:   image, transformed filters (`packWinogradFilters`), extras…, outputs….
// sizes:     see conv::Sizes (convolution_config.h): float32, one group, dilation 1, one tap
// without
//            stride and padding along the first axis, three along the others at a distance of
//            kStride, 1 or 2, adjacent channels.
// workspace: none. `Epilogue` as in matmul.h.
//
// The outputs are cut into patches of kOut x kOut, each made of a patch of kIn² elements of the
// image (winograd_transform.h). A task transforms the patches of a block into scratch memory,
// positions of the patch outermost; then, for each panel of filters, it multiplies for each
// position a matrix of patches by channels with one of channels by filters, and transforms the sums
// back. So the products are those of a matrix, and kOut = 4 has a fourth of those of the direct
// algorithm, kOut = 2 a bit less than half; with a stride of 2, kOut = 4 has 56 %, and kOut = 2 69
// %.
//
// Sums differ from the direct ones by roundings: relative to the norm of the result by up
// to 2.3e-6 with kOut = 4, and 7e-7 with kOut = 2 or a stride of 2 (`winograd_test.cpp` measures
// all against double). An infinite element of the image makes every output of its patches infinite
// or NaN, not only those whose taps meet it. The filters take (kOut + 2)² / 9 of their memory,
// which is what bounds images of few patches. An output is the same number whatever the cut and the
// thread count.
#pragma once

#include "ait/cpu/convolution_config.h"
#include "ait/cpu/convolution_micro.h"
#include "ait/cpu/matmul_blocking.h"
#include "ait/cpu/matmul_epilogue.h"
#include "ait/cpu/winograd_transform.h"

namespace ait {

namespace winograd {

using Tile = MatmulTile<float>;
using Vector = Vec<float, Tile::kLanes>;

/// The cut: a task is a block of patches and a block of panels.
struct Blocking {
  int64_t rows;     // patches along an axis of the image
  int64_t columns;  // patches along the other
  int64_t patches;  // of all images
  int64_t patchesPerTask;
  int64_t patchTasks;
  int64_t panels;
  int64_t panelsPerTask;
  int64_t panelTasks;
  /// Elements from a transformed patch to the next: one line more than the channels, so that rows
  /// do not meet in the same places of the level-1 cache.
  int64_t patchStep;

  int64_t tasks() const { return patchTasks * panelTasks; }
};

/// What the patches of a task may take of the scratch memory: half a level-2 cache of 2 MiB; the
/// filters go through the rest.
inline constexpr int64_t kPatchBytes = int64_t{1} << 20;

/// Chooses the cut; no extent is 0. Times are in cycles, as measured on Sapphire Rapids.
template <class Patch>
inline Blocking chooseBlocking(const conv::Sizes& sizes, int64_t threads) {
  constexpr int64_t kPositions = Patch::kIn * Patch::kIn;
  const int64_t channels = sizes.inputChannels;
  Blocking cut;
  cut.rows = gemm::ceilDivide(sizes.axes[1].out, Patch::kOut);
  cut.columns = gemm::ceilDivide(sizes.axes[2].out, Patch::kOut);
  cut.patches = sizes.N * sizes.axes[0].out * cut.rows * cut.columns;
  cut.panels = gemm::ceilDivide(sizes.outputChannels, Tile::kColumns);
  cut.patchStep = (gemm::ceilDivide(channels, Tile::kLanes) + 1) * Tile::kLanes;
  const int64_t patchBytes =
      kPositions * (cut.patchStep + Tile::kColumns) * static_cast<int64_t>(sizeof(float));
  const int64_t most = gemm::larger(1, kPatchBytes / patchBytes);
  const int64_t fewest = gemm::ceilDivide(cut.patches, most);
  double best = -1;
  for (int64_t more = 0; more < 24 && fewest + more <= cut.patches; ++more) {
    const int64_t patches = gemm::ceilDivide(cut.patches, fewest + more);
    const int64_t patchTasks = gemm::ceilDivide(cut.patches, patches);
    const int64_t groups = gemm::ceilDivide(patches, Tile::kRows);
    for (int64_t parts = 1; parts <= gemm::smaller(cut.panels, 4 * threads); ++parts) {
      const int64_t panels = gemm::ceilDivide(cut.panels, parts);
      const int64_t panelTasks = gemm::ceilDivide(cut.panels, panels);
      const double image = 3.0 * kPositions * patches * gemm::ceilDivide(channels, Tile::kLanes);
      const double compute = 1.0 * patches + 0.5 * groups;
      // 128 bytes of filters for each channel, some 8 in a cycle.
      const double product = kPositions * channels * (compute > 16 ? compute : 16);
      const double task = image + panels * (product + 8.0 * kPositions * patches) + 1000;
      const int64_t tasks = patchTasks * panelTasks;
      const double even = tasks * task / threads + (threads > 1 ? task / 8 : 0);
      const double last = gemm::ceilDivide(tasks, threads) * task;
      const double time = last > even ? last : even;
      if (best >= 0 && time >= best) continue;
      best = time;
      cut.patchesPerTask = patches;
      cut.patchTasks = patchTasks;
      cut.panelsPerTask = panels;
      cut.panelTasks = panelTasks;
    }
    if (threads == 1) break;
  }
  return cut;
}

/// One thread's share of a convolution.
template <int kOut, int kStride, class Body, class In, class Out>
class Task {
  using Patch = Transform<kOut, kStride>;
  static constexpr int kIn = Patch::kIn;
  static constexpr int kPositions = kIn * kIn;
  static constexpr int kLanes = Tile::kLanes;
  static constexpr int kColumns = Tile::kColumns;
  static constexpr int kNarrowVectors = Tile::kVectors / 2;
  static constexpr int kNarrowColumns = kNarrowVectors * kLanes;
  using Inputs = gemm::MatrixOperands<In, conv::kSpatialRank>;
  using Outputs = gemm::MatrixOperands<Out, conv::kSpatialRank>;

  /// Where a patch's outputs begin.
  struct Place {
    int64_t image;
    int64_t outer;
    int64_t row;
    int64_t column;
  };

 public:
  Task(const KernelContext& context, const conv::Sizes& sizes, const Blocking& cut, int32_t thread)
      : sizes_(sizes),
        cut_(cut),
        image_(static_cast<const float*>(context.buffers[0])),
        filters_(static_cast<const float*>(context.buffers[1])),
        epilogue_{Inputs(context.buffers + 2, sizes.operandStrides),
                  Outputs(context.buffers + 2 + Inputs::kCount,
                          sizes.operandStrides + Inputs::kCount * conv::kOperandStrides)},
        patches_(static_cast<float*>(context.pool.scratch(thread))) {}

  /// Computes the outputs that belong to a task index.
  void run(int64_t task) {
    // Neighbouring tasks share filters.
    const int64_t first = task % cut_.patchTasks * cut_.patchesPerTask;
    const int64_t firstPanel = task / cut_.patchTasks * cut_.panelsPerTask;
    const int64_t endPanel = gemm::smaller(firstPanel + cut_.panelsPerTask, cut_.panels);
    const int64_t count = gemm::smaller(cut_.patchesPerTask, cut_.patches - first);
    if (count <= 0) return;
    planeStep_ = count * cut_.patchStep;
    sums_ = patches_ + kPositions * planeStep_;
    for (int64_t patch = 0; patch < count; ++patch) {
      transformPatch(placeOf(first + patch), patches_ + patch * cut_.patchStep);
    }
    for (int64_t panel = firstPanel; panel < endPanel; ++panel) {
      const int64_t column = panel * kColumns;
      const int64_t columns = gemm::smaller(kColumns, sizes_.outputChannels - column);
      const float* filters =
          filters_ + panel * Patch::kFilters * Patch::kFilters * sizes_.inputChannels * kColumns;
      if (columns <= kNarrowColumns) {
        multiply<kNarrowVectors>(filters, count);
        for (int64_t patch = 0; patch < count; ++patch) {
          finish<kNarrowVectors>(placeOf(first + patch), patch, count, column, columns);
        }
      } else {
        multiply<Tile::kVectors>(filters, count);
        for (int64_t patch = 0; patch < count; ++patch) {
          finish<Tile::kVectors>(placeOf(first + patch), patch, count, column, columns);
        }
      }
    }
  }

 private:
  Place placeOf(int64_t patch) const {
    Place place;
    place.column = patch % cut_.columns * kOut;
    patch /= cut_.columns;
    place.row = patch % cut_.rows * kOut;
    patch /= cut_.rows;
    place.outer = patch % sizes_.axes[0].out;
    place.image = patch / sizes_.axes[0].out;
    return place;
  }

  /// Transforms the elements that a patch's outputs are made of, all channels.
  void transformPatch(const Place& place, float* to) const {
    const int64_t row = place.row * kStride - sizes_.axes[1].padding;
    const int64_t column = place.column * kStride - sizes_.axes[2].padding;
    const float* from = image_ + place.image * sizes_.image[0] + place.outer * sizes_.image[1] +
                        row * sizes_.image[2] + column * sizes_.image[3];
    const bool isInside = row >= 0 && row + kIn <= sizes_.axes[1].in && column >= 0 &&
                          column + kIn <= sizes_.axes[2].in;
    const int64_t channels = sizes_.inputChannels;
    int64_t channel = 0;
    if (isInside) {
      const auto load = [&](int i, int j) AIT_INLINE_LAMBDA {
        return ait::load<float, kLanes>(from + i * sizes_.image[2] + j * sizes_.image[3] + channel);
      };
      for (; channel + kLanes <= channels; channel += kLanes) transform(load, to + channel);
    }
    const auto load = [&](int i, int j) AIT_INLINE_LAMBDA {
      if (row + i < 0 || row + i >= sizes_.axes[1].in || column + j < 0 ||
          column + j >= sizes_.axes[2].in) {
        return broadcast<kLanes>(0.0f);
      }
      const float* at = from + i * sizes_.image[2] + j * sizes_.image[3] + channel;
      return channel + kLanes <= channels ? ait::load<float, kLanes>(at)
                                          : loadPartial<float, kLanes>(at, channels - channel);
    };
    for (; channel < channels; channel += kLanes) transform(load, to + channel);
  }

  template <class Load>
  AIT_INLINE void transform(Load load, float* to) const {
    Vector rows[kIn][kIn];
#pragma clang loop unroll(full)
    for (int i = 0; i < kIn; ++i) {
      Vector elements[kIn];
#pragma clang loop unroll(full)
      for (int j = 0; j < kIn; ++j) elements[j] = load(i, j);
      Patch::image(elements, rows[i]);
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < kIn; ++j) {
      Vector elements[kIn];
      Vector results[kIn];
#pragma clang loop unroll(full)
      for (int i = 0; i < kIn; ++i) elements[i] = rows[i][j];
      Patch::image(elements, results);
#pragma clang loop unroll(full)
      for (int i = 0; i < kIn; ++i) {
        store<float, kLanes>(to + (i * kIn + j) * planeStep_, results[i]);
      }
    }
  }

  /// Multiplies all patches by a panel of filters, position by position.
  template <int kVectors>
  void multiply(const float* filters, int64_t count) const {
    const conv::Run run = {0, 0, sizes_.inputChannels};
    const int64_t groups = gemm::ceilDivide(count, Tile::kRows);
    const float* patches = patches_;
    float* sums = sums_;
    for (int position = 0; position < kPositions; ++position) {
      const int filter =
          Patch::filterOf(position / kIn) * Patch::kFilters + Patch::filterOf(position % kIn);
      const float* panel = filters + filter * sizes_.inputChannels * kColumns;
      for (int64_t group = 0; group < groups; ++group) {
        // Groups are as even as can be.
        const int64_t first = group * count / groups;
        const int64_t rows = (group + 1) * count / groups - first;
        conv::RowsOfRuns<Tile, kVectors, float>::kFunctions[rows - 1](
            &run, &run + 1, patches + first * cut_.patchStep, cut_.patchStep, panel,
            sums + first * kVectors * kLanes, true);
      }
      patches += planeStep_;
      sums += count * kVectors * kLanes;
    }
  }

  /// Transforms the sums of a patch to outputs and finishes them.
  template <int kVectors>
  void finish(const Place& place, int64_t patch, int64_t count, int64_t column, int64_t columns) {
    constexpr int kWidth = kVectors * kLanes;
    alignas(64) float results[kOut][kOut][kWidth];
    const float* sums = sums_ + patch * kWidth;
    const int64_t step = count * kWidth;
#pragma clang loop unroll(disable)
    for (int vector = 0; vector < kVectors; ++vector, sums += kLanes) {
      Vector rows[kIn][kOut];
#pragma clang loop unroll(full)
      for (int i = 0; i < kIn; ++i) {
        Vector elements[kIn];
#pragma clang loop unroll(full)
        for (int j = 0; j < kIn; ++j) {
          elements[j] = load<float, kLanes>(sums + (i * kIn + j) * step);
        }
        Patch::result(elements, rows[i]);
      }
#pragma clang loop unroll(full)
      for (int j = 0; j < kOut; ++j) {
        Vector elements[kIn];
        Vector outputs[kOut];
#pragma clang loop unroll(full)
        for (int i = 0; i < kIn; ++i) elements[i] = rows[i][j];
        Patch::result(elements, outputs);
#pragma clang loop unroll(full)
        for (int i = 0; i < kOut; ++i) {
          store<float, kLanes>(results[i][j] + vector * kLanes, outputs[i]);
        }
      }
    }
    const int64_t outputRows = gemm::smaller(kOut, sizes_.axes[1].out - place.row);
    const int64_t outputs = gemm::smaller(kOut, sizes_.axes[2].out - place.column);
    for (int64_t i = 0; i < outputRows; ++i) {
      const int64_t position[] = {place.image, place.outer, place.row + i};
      epilogue_.inputs.seek(position);
      epilogue_.outputs.seek(position);
      epilogue_.finish(results[i][0], kWidth, place.column, outputs, column, columns);
    }
  }

  const conv::Sizes& sizes_;
  const Blocking& cut_;
  const float* image_;
  const float* filters_;
  gemm::Epilogue<Tile, Body, Inputs, Outputs> epilogue_;
  float* patches_;
  float* sums_ = nullptr;
  int64_t planeStep_ = 0;
};

}  // namespace winograd

/// Computes a convolution.
template <int kOut, int kStride, class Epilogue, class In, class Out>
void winogradConvolution(const KernelContext& context) {
  const conv::Sizes sizes(context.sizes);
  if (sizes.isEmpty()) return;
  const auto cut = winograd::chooseBlocking<winograd::Transform<kOut, kStride>>(
      sizes, context.pool.threadCount());
  parallelFor(context.pool, cut.tasks(), [&](int64_t index, int32_t thread) {
    winograd::Task<kOut, kStride, Epilogue, In, Out>(context, sizes, cut, thread).run(index);
  });
}

/// Transforms the filters of a convolution, in double, and packs them: for each panel of kWidth
/// filters and each factor of products a matrix of channels by filters.
///
/// - buffers: the filters, the packed filters.
/// - sizes: those of the convolution.
template <int kOut, int kStride, int kWidth>
void packWinogradFilters(const KernelContext& context) {
  using Patch = winograd::Transform<kOut, kStride>;
  constexpr int kCount = Patch::kFilters;
  static_assert(kWidth == winograd::Tile::kColumns);
  const conv::Sizes sizes(context.sizes);
  const auto* filters = static_cast<const float*>(context.buffers[0]);
  auto* packed = static_cast<float*>(context.buffers[1]);
  const int64_t* strides = sizes.filters;
  const int64_t channels = sizes.inputChannels;
  const int64_t panels = gemm::ceilDivide(sizes.outputChannels, kWidth);
  parallelFor(context.pool, panels, [&](int64_t panel, int32_t) {
    float* to = packed + panel * kCount * kCount * channels * kWidth;
    for (int64_t channel = 0; channel < channels; ++channel) {
      for (int64_t lane = 0; lane < kWidth; ++lane) {
        const int64_t filter = panel * kWidth + lane;
        double taps[3][3] = {};
        for (int i = 0; i < 3 && filter < sizes.outputChannels; ++i) {
          for (int j = 0; j < 3; ++j) {
            taps[i][j] = filters[filter * strides[0] + i * strides[2] + j * strides[3] +
                                 channel * strides[4]];
          }
        }
        double rows[3][kCount];
        for (int i = 0; i < 3; ++i) Patch::filter(taps[i], rows[i]);
        for (int j = 0; j < kCount; ++j) {
          const double column[] = {rows[0][j], rows[1][j], rows[2][j]};
          double elements[kCount];
          Patch::filter(column, elements);
          for (int i = 0; i < kCount; ++i) {
            to[((i * kCount + j) * channels + channel) * kWidth + lane] =
                static_cast<float>(elements[i]);
          }
        }
      }
    }
  });
}

}  // namespace ait
