// The operands of a convolution's epilogue, along a row of outputs.
#pragma once

#include "ait/cpu/convolution_config.h"
#include "ait/cpu/operands.h"

namespace ait::conv {

template <class Pack>
class RowPointers;

/// Where the outputs of a row lie, in each operand of a pack. A copy on the stack stays in
/// registers: what kernels store cannot change it.
template <template <class...> class Pack, class... O>
class RowPointers<Pack<O...>> {
 public:
  static constexpr int kCount = sizeof...(O);

  /// - strides: `kOperandStrides` of each operand.
  /// - position: an image, and outputs of the first two axes.
  void seek(void* const* buffers, const int64_t* strides, const int64_t* position) {
    for (int operand = 0; operand < kCount; ++operand, strides += kOperandStrides) {
      buffers_[operand] = buffers[operand];
      offsets_[operand] =
          position[0] * strides[0] + position[1] * strides[1] + position[2] * strides[2];
      steps_[operand] = strides[3];
      channelStrides_[operand] = strides[4];
    }
  }

  /// The channels of an output, a row of each operand.
  AIT_INLINE auto rows(int64_t output) const { return rowsWith(output, Indices<kCount>{}); }

 private:
  template <int... I>
  AIT_INLINE auto rowsWith(int64_t output, IntegerSequence<int, I...>) const {
    return makeTuple(Row<typename O::Element, O::kAccess>(
        static_cast<typename O::Element*>(buffers_[I]) + offsets_[I] + output * steps_[I],
        channelStrides_[I])...);
  }

  // At least one entry each, so that a pack may be empty.
  void* buffers_[kCount + 1] = {};
  int64_t offsets_[kCount + 1] = {};
  int64_t steps_[kCount + 1] = {};
  int64_t channelStrides_[kCount + 1] = {};
};

/// `Body` on the sums of neighbouring outputs of a row.
template <class Tile, class Body, class In, class Out>
class RowEpilogue {
  using Accumulator = typename Tile::Accumulator;
  static constexpr int W = Tile::kLanes;

 public:
  /// Stands at a row of outputs: an image, and outputs of the first two axes.
  void seek(void* const* buffers, const int64_t* strides, const int64_t* position) {
    inputs_.seek(buffers, strides, position);
    outputs_.seek(buffers + In::kCount, strides + In::kCount * kOperandStrides, position);
  }

  /// Finishes `count` outputs, `step` apart from `first` on, of `columns` filters from `column` on:
  /// `kVectors` vectors of sums each, one output's behind the other's.
  template <int kVectors>
  __attribute__((noinline)) void finish(const Accumulator* sums, int64_t first, int64_t step,
                                        int64_t count, int64_t column, int64_t columns) const {
    const RowPointers<In> inputs = inputs_;
    const RowPointers<Out> outputs = outputs_;
    const int64_t end = first + count * step;
    if (columns >= kVectors * W) {
#pragma clang loop unroll(disable)
      for (int64_t output = first; output < end; output += step, sums += kVectors * W) {
        const auto from = inputs.rows(output);
        const auto to = outputs.rows(output);
#pragma clang loop unroll(full)
        for (int v = 0; v < kVectors; ++v) {
          const int64_t at = column + v * W;
          const auto sum = load<Accumulator, W>(sums + v * W);
          storeResults<W>(to, at, applyBody<Body, W>(from, at, sum));
        }
      }
      return;
    }
#pragma clang loop unroll(disable)
    for (int64_t output = first; output < end; output += step, sums += kVectors * W) {
      const auto from = inputs.rows(output);
      const auto to = outputs.rows(output);
#pragma clang loop unroll(disable)
      for (int64_t at = 0; at < columns; at += W) {
        const auto sum = load<Accumulator, W>(sums + at);
        const int64_t left = columns - at;
        if (left >= W) {
          storeResults<W>(to, column + at, applyBody<Body, W>(from, column + at, sum));
        } else {
          storeResultsPartial<W>(to, column + at, left,
                                 applyBodyPartial<Body, W>(from, column + at, left, sum));
        }
      }
    }
  }

 private:
  RowPointers<In> inputs_;
  RowPointers<Out> outputs_;
};

}  // namespace ait::conv
