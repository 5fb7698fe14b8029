// y[n, o…, f] = epilogue(Σ x[n, o · stride + t · dilation - padding…, c] w[f, t…, c], extras…):
// convolutions of channels-last images of three spatial axes, with a fused epilogue.
//
//   using Config = ait::ConvolutionConfig<float, float, ait::Filters::packed>;
//   ait::convolution<Config, Epilogue, ait::Inputs<Bias>, ait::Outputs<Result>>(context);
//
// buffers:   image, filters, extras…, outputs….
// sizes:     see conv::Sizes (convolution_config.h); strides count elements and may have any value.
// workspace: for filters that are not packed, packed ones: for each group
//            `packedElementCount(taps * channels, filters, kColumns)` elements.
//
// Images of fewer axes have leading ones of extent 1. Groups have neighbouring channels and
// neighbouring filters. A position outside the image, or between its elements where
// `inputDilation` is above 1, is 0. No extent need be positive; without taps or channels the
// epilogue gets zeros. `Epilogue` as in matmul.h.
//
// A task copies the part of the image that its outputs read into scratch memory once, with its
// padding; then all its tiles, neighbouring outputs of a row by a panel of filters, read it in
// place, at a fixed distance from output to output. Nothing is gathered for each tap, so the copy
// costs one ninth of what it costs to lower a convolution of 3 x 3 taps to a matrix.
//
// An output is the same number whatever the cut and the thread count: products are added one by one
// in the order of taps and channels within blocks of kDepthBlock, the blocks' sums in order.
//
// Fastest: an image whose channels are adjacent; at least four outputs in a row; 1 x 1 taps without
// stride and padding are a matrix product and had better be one.
#pragma once

#include "ait/cpu/convolution_blocking.h"
#include "ait/cpu/convolution_micro.h"
#include "ait/cpu/convolution_operands.h"
#include "ait/cpu/convolution_pack.h"
#include "ait/cpu/convolution_window.h"

namespace ait {

namespace conv {

/// The runs that a task has room for: the most taps that a phase may have, in blocks of channels.
inline constexpr int64_t kMaxRuns = gemm::kPackedBBytes / static_cast<int64_t>(sizeof(Run));

/// One thread's share of a convolution.
template <class Config, class Body, class In, class Out>
class Task {
  using A = typename Config::A;
  using B = typename Config::B;
  using Tile = typename Config::Tile;
  using Accumulator = typename Tile::Accumulator;
  static constexpr int kNarrowVectors = Tile::kVectors / 2;
  static constexpr int kNarrowColumns = kNarrowVectors * Tile::kLanes;
  static constexpr bool kIsInPlace = Config::kImage == Image::inPlace;

 public:
  Task(const KernelContext& context, const Sizes& sizes, const Blocking& cut, const B* filters)
      : context_(context), sizes_(sizes), cut_(cut), filters_(filters) {}

  /// Computes the outputs that belong to a task index.
  void run(int64_t task, int32_t thread) {
    const auto take = [&task](int64_t count) {
      const int64_t index = task % count;
      task /= count;
      return index;
    };
    // Neighbouring tasks share filters.
    const int64_t columnTask = take(cut_.columnTasks);
    const int64_t rowTask = take(cut_.rowTasks);
    const int64_t outer = take(cut_.firstOutputs(sizes_));
    const int64_t phase2 = take(cut_.phases[2]);
    const int64_t phase1 = take(cut_.phases[1]);
    const int64_t phase0 = take(cut_.phases[0]);
    const int64_t image = take(sizes_.N);
    const int64_t panelTask = take(cut_.panelTasks);
    const int64_t group = task;
    const Phase phases[] = {Phase(sizes_.axes[0], phase0), Phase(sizes_.axes[1], phase1),
                            Phase(sizes_.axes[2], phase2)};
    const int64_t first[] = {outer, rowTask * cut_.rowsPerTask, columnTask * cut_.columnsPerTask};
    const int64_t rows = gemm::smaller(cut_.rowsPerTask, phases[1].count - first[1]);
    const int64_t columns = gemm::smaller(cut_.columnsPerTask, phases[2].count - first[2]);
    if (outer >= phases[0].count || rows <= 0 || columns <= 0) return;
    phases_ = phases;
    first_ = first;
    rows_ = rows;
    columns_ = columns;
    tilesPerRow_ = gemm::ceilDivide(columns, Tile::kRows);
    image_ = image;
    group_ = group;

    const gemm::Scratch<Accumulator> scratch(context_.pool.scratch(thread));
    runs_ = reinterpret_cast<Run*>(scratch.packedB);
    const int64_t firstPanel = panelTask * cut_.panelsPerTask;
    const int64_t endPanel = gemm::smaller(firstPanel + cut_.panelsPerTask, cut_.panels);
    const int64_t panelSums = cut_.channelBlocks > 1 ? rows * tilesPerRow_ * Tile::kElements : 0;
    for (int64_t block = 0; block < cut_.channelBlocks; ++block) {
      const int64_t firstChannel = block * cut_.channels;
      const int64_t channels = gemm::smaller(cut_.channels, sizes_.inputChannels - firstChannel);
      prepare(scratch.packedA, firstChannel, channels);
      for (int64_t panel = firstPanel; panel < endPanel; ++panel) {
        multiplyPanel(panel, scratch.sums + (panel - firstPanel) * panelSums, block == 0,
                      block + 1 == cut_.channelBlocks);
      }
    }
  }

 private:
  /// Makes some channels of the image readable and lists the runs of an output.
  void prepare(Accumulator* window, int64_t firstChannel, int64_t channels) {
    runCount_ = 0;
    const int64_t taps = phases_[0].tapCount * phases_[1].tapCount * phases_[2].tapCount;
    if (channels <= 0 || taps == 0) return;
    const A* image = static_cast<const A*>(context_.buffers[0]) + image_ * sizes_.image[0] +
                     (group_ * sizes_.inputChannels + firstChannel) * sizes_.image[4];
    if constexpr (kIsInPlace) {
      origin_ = image;
      for (int axis = 0; axis < kSpatialRank; ++axis) {
        const Phase& phase = phases_[axis];
        origin_ += (first_[axis] * phase.stride + phase.offset) * sizes_.image[axis + 1];
        outputSteps_[axis] = phase.stride * sizes_.image[axis + 1];
        tapSteps_[axis] = phase.offsetStep * sizes_.image[axis + 1];
      }
    } else {
      const Span spans[] = {Span(phases_[0], 1), Span(phases_[1], rows_),
                            Span(phases_[2], columns_)};
      WindowCopy<Accumulator, A>(sizes_, image, channels).copy(window, phases_, first_, spans);
      origin_ = window;
      int64_t distance = channels;
      for (int axis = kSpatialRank - 1; axis >= 0; --axis) {
        outputSteps_[axis] = spans[axis].outputStep * distance;
        tapSteps_[axis] = spans[axis].tapStep * distance;
        distance *= spans[axis].length();
      }
    }
    for (int64_t d = 0; d < phases_[0].tapCount; ++d) {
      for (int64_t h = 0; h < phases_[1].tapCount; ++h) {
        for (int64_t w = 0; w < phases_[2].tapCount; ++w) {
          const int64_t tap =
              (tapOf(0, d) * sizes_.axes[1].taps + tapOf(1, h)) * sizes_.axes[2].taps + tapOf(2, w);
          addRun(d * tapSteps_[0] + h * tapSteps_[1] + w * tapSteps_[2],
                 tap * sizes_.inputChannels + firstChannel, channels);
        }
      }
    }
  }

  int64_t tapOf(int axis, int64_t index) const {
    return phases_[axis].firstTap + index * phases_[axis].tapStep;
  }

  /// Lists a run, which becomes a part of the one before if it continues it.
  void addRun(int64_t image, int64_t depth, int64_t length) {
    if (runCount_ > 0) {
      Run& last = runs_[runCount_ - 1];
      if (last.image + last.length == image && last.depth + last.length == depth) {
        last.length += length;
        return;
      }
    }
    runs_[runCount_++] = Run{image, depth, length};
  }

  /// Computes the task's outputs of one panel of filters.
  void multiplyPanel(int64_t panel, Accumulator* sums, bool isFirst, bool isLast) {
    const B* filters = filters_ + (group_ * cut_.panels + panel) * Tile::kColumns * sizes_.depth();
    // A block of runs at a time; the run at a block's end is cut, and put together again.
    int64_t run = 0;
    int64_t taken = 0;
    do {
      const int64_t begin = run;
      const Run head = runCount_ > 0 ? runs_[begin] : Run{};
      if (runCount_ > 0) {
        runs_[begin] = Run{head.image + taken, head.depth + taken, head.length - taken};
      }
      int64_t left = Config::kDepthBlock;
      while (run < runCount_ && runs_[run].length <= left) left -= runs_[run++].length;
      const bool cutsRun = run < runCount_ && left > 0;
      Run tail{};
      if (cutsRun) {
        tail = runs_[run];
        runs_[run].length = left;
      }
      const Run* end = runs_ + run + (cutsRun ? 1 : 0);
      multiplyRows(runs_ + begin, end, filters, panel, sums, isFirst, isLast && run == runCount_);
      if (cutsRun) {
        runs_[run] = tail;
        taken = (run == begin ? taken : 0) + left;
      } else {
        taken = 0;
      }
      if (runCount_ > 0) runs_[begin] = head;
      isFirst = false;
    } while (run < runCount_);
  }

  void multiplyRows(const Run* runs, const Run* end, const B* filters, int64_t panel,
                    Accumulator* sums, bool isFirst, bool isLast) {
    const int64_t column = panel * Tile::kColumns;
    const int64_t columns = gemm::smaller(Tile::kColumns, sizes_.outputChannels - column);
    const bool isNarrow = columns <= kNarrowColumns;
    const auto* functions = isNarrow ? RowsOfRuns<Tile, kNarrowVectors, B>::kFunctions
                                     : RowsOfRuns<Tile, Tile::kVectors, B>::kFunctions;
    // Sums that no later block adds to need no place of their own.
    const int64_t sumsStep = isFirst && isLast ? 0 : Tile::kElements;
    for (int64_t row = 0; row < rows_; ++row) {
      if (isLast) {
        const int64_t position[] = {image_, place(0, first_[0]), place(1, first_[1] + row)};
        epilogue_.seek(context_.buffers + 2, sizes_.operandStrides, position);
      }
      const Accumulator* a = origin_ + row * outputSteps_[1];
      for (int64_t tile = 0; tile < tilesPerRow_; ++tile, sums += sumsStep) {
        // Tiles of a row are as even as can be.
        const int64_t output = tile * columns_ / tilesPerRow_;
        const int64_t outputs = (tile + 1) * columns_ / tilesPerRow_ - output;
        functions[outputs - 1](runs, end, a + output * outputSteps_[2], outputSteps_[2], filters,
                               sums, isFirst);
        if (!isLast) continue;
        const int64_t first = place(2, first_[2] + output);
        const int64_t filter = group_ * sizes_.outputChannels + column;
        if (isNarrow) {
          epilogue_.template finish<kNarrowVectors>(sums, first, phases_[2].step, outputs, filter,
                                                    columns);
        } else {
          epilogue_.template finish<Tile::kVectors>(sums, first, phases_[2].step, outputs, filter,
                                                    columns);
        }
      }
    }
  }

  /// Where an output of a phase lies among all of its axis.
  int64_t place(int axis, int64_t output) const {
    return phases_[axis].first + output * phases_[axis].step;
  }

  const KernelContext& context_;
  const Sizes& sizes_;
  const Blocking& cut_;
  const B* filters_;
  RowEpilogue<Tile, Body, In, Out> epilogue_;
  const Phase* phases_ = nullptr;
  const int64_t* first_ = nullptr;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
  int64_t tilesPerRow_ = 0;
  int64_t image_ = 0;
  int64_t group_ = 0;
  const Accumulator* origin_ = nullptr;
  int64_t outputSteps_[kSpatialRank] = {};
  int64_t tapSteps_[kSpatialRank] = {};
  Run* runs_ = nullptr;
  int64_t runCount_ = 0;
};

}  // namespace conv

/// Computes a convolution.
template <class Config, class Epilogue, class In, class Out>
void convolution(const KernelContext& context) {
  using Tile = typename Config::Tile;
  using B = typename Config::B;
  const conv::Sizes sizes(context.sizes);
  if (sizes.isEmpty()) return;
  const auto* filters = static_cast<const B*>(context.buffers[1]);
  if constexpr (Config::kFilters == Filters::strided) {
    auto* packed = static_cast<B*>(context.workspace);
    conv::packFilters<B, Tile::kColumns>(context.pool, filters, packed, sizes);
    filters = packed;
  }
  const conv::Limits limits = {
      Tile::kRows,
      Tile::kColumns,
      sizeof(typename Config::Accumulator),
      Config::kDepthBlock,
      Config::kImage == Image::inPlace,
  };
  const conv::Blocking cut = conv::chooseBlocking(sizes, context.pool.threadCount(), limits);
  parallelFor(context.pool, cut.tasks(sizes), [&](int64_t index, int32_t thread) {
    conv::Task<Config, Epilogue, In, Out>(context, sizes, cut, filters).run(index, thread);
  });
}

}  // namespace ait
