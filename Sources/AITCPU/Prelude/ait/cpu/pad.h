// Constant borders, and tensors that count.
#pragma once

#include "ait/cpu/pointwise.h"
#include "ait/kernel.h"

namespace ait {

/// Surrounds a tensor with a constant: torch.nn.functional.pad in its constant mode. Elements have
/// `kSize` bytes: 1, 2, 4 or 8; `kValueBits` are the bits of the constant in their type.
///
/// - sizes: `kRank` (1...8) extents of the output; `kRank` positions in it of the input's first
///   element; `kRank` extents of the input; `kRank` strides of the input; `kRank` strides of the
///   output, in elements.
/// - buffers: input, output; they do not overlap. The input lies within the output; negative
///   padding is a smaller input with another address.
template <int kSize, int kRank, uint64_t kValueBits>
void pad(const KernelContext& context) {
  using Element = typename SignedOfSize<kSize>::Type;
  const Element value = static_cast<Element>(kValueBits);
  const int64_t* extents = context.sizes;
  const int64_t* low = extents + kRank;
  const int64_t* inputExtents = low + kRank;
  const int64_t* inputStrides = inputExtents + kRank;
  const int64_t* outputStrides = inputStrides + kRank;
  const int64_t columns = extents[kRank - 1];
  int64_t rows = 1;
  for (int axis = 0; axis < kRank - 1; ++axis) rows *= extents[axis];
  if (rows * columns == 0) return;

  const int64_t firstInside = low[kRank - 1];
  const int64_t lastInside = firstInside + inputExtents[kRank - 1];
  const int64_t inputStride = inputStrides[kRank - 1];
  const int64_t outputStride = outputStrides[kRank - 1];
  const auto fill = [=](Element* output, int64_t first, int64_t last) {
    for (int64_t column = first; column < last; ++column) output[column * outputStride] = value;
  };

  const PointwiseTasks tasks(rows, columns, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    const auto range = tasks.range(task);
    for (int64_t row = range.firstRow; row < range.lastRow; ++row) {
      Element* output = static_cast<Element*>(context.buffers[1]);
      int64_t inputOffset = -firstInside * inputStride;
      bool isInside = true;
      int64_t rest = row;
      for (int axis = kRank - 2; axis >= 0; --axis) {
        const int64_t position = rest % extents[axis];
        rest /= extents[axis];
        const int64_t inputPosition = position - low[axis];
        isInside = isInside && inputPosition >= 0 && inputPosition < inputExtents[axis];
        inputOffset += inputPosition * inputStrides[axis];
        output += position * outputStrides[axis];
      }
      const auto within = [&](int64_t column) {
        return column < range.firstColumn  ? range.firstColumn
               : column > range.lastColumn ? range.lastColumn
                                           : column;
      };
      // Without an inside, the border takes the whole row.
      const int64_t first = within(isInside ? firstInside : range.lastColumn);
      const int64_t last = within(isInside ? lastInside : range.lastColumn);
      fill(output, range.firstColumn, first);
      const Element* input = static_cast<const Element*>(context.buffers[0]);
      for (int64_t column = first; column < last; ++column) {
        output[column * outputStride] = input[inputOffset + column * inputStride];
      }
      fill(output, last, range.lastColumn);
    }
  });
}

/// output[i] = Range::kStart + i · Range::kStep: torch.arange. In double for floating-point types,
/// whatever the type of the constants, and in wrapping int64_t for integers.
///
/// - sizes: the number of elements.
/// - buffers: output, contiguous.
template <class T, class Range>
void arange(const KernelContext& context) {
  using Number = ComputeType<T>;
  T* output = static_cast<T*>(context.buffers[0]);
  const int64_t count = context.sizes[0];
  if (count == 0) return;
  const PointwiseTasks tasks(1, count, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    const auto range = tasks.range(task);
    for (int64_t i = range.firstColumn; i < range.lastColumn; ++i) {
      if constexpr (__is_floating_point(Number)) {
        const double number = double{Range::kStart} + static_cast<double>(i) * double{Range::kStep};
        output[i] = toStorage<T>(static_cast<Number>(number));
      } else {
        const auto number = static_cast<uint64_t>(int64_t{Range::kStart}) +
                            static_cast<uint64_t>(i) * static_cast<uint64_t>(int64_t{Range::kStep});
        output[i] = static_cast<T>(number);
      }
    }
  });
}

}  // namespace ait
