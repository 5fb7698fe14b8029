// Copies whose source is chosen by a tensor of indices.
#pragma once

#include "ait/cpu/pointwise.h"
#include "ait/kernel.h"

namespace ait {

/// output[i…] = input[…, index[i…], …]: torch.gather, torch.index_select and embeddings, which
/// differ in the strides alone. Elements have `kSize` bytes: 1, 2, 4 or 8; `Index` is int32_t or
/// int64_t.
///
/// - sizes: `kRank` (1...8) extents of the loops; `kRank` strides of the input, 0 along what the
///   index stands for; of the index, 0 along what it is broadcast over; of the output; then the
///   extent and the stride of the input's indexed axis. Strides are in elements.
/// - buffers: input, index, output; the output overlaps no other.
/// - An index outside 0..<extent is reported by `reportIndexError`, and 0 stored.
///
/// Embedding of T tokens in rows of D numbers: extents T D, input 0 1, index 1 0, output D 1, then
/// vocabulary, D. torch.gather along axis 1 of three, index [A, B, C], x [A, E, C]: extents A B C,
/// input E·C 0 1, index and output B·C C 1, then E, C.
///
/// Rows along which the index stays the same are copied whole.
template <int kSize, class Index, int kRank>
void gather(const KernelContext& context) {
  using Element = typename SignedOfSize<kSize>::Type;
  using Operands = Inputs<Operand<Element, Access::strided>, Operand<Index, Access::strided>,
                          Operand<Element, Access::strided>>;
  const int64_t* extents = context.sizes;
  const int64_t* strides = extents + kRank;
  const int64_t axisExtent = strides[3 * kRank];
  const int64_t axisStride = strides[3 * kRank + 1];
  const int64_t columns = extents[kRank - 1];
  // Of an empty input no element is read, but addresses in it are computed.
  void* const input = axisExtent > 0 ? context.buffers[0] : context.buffers[2];
  void* const buffers[] = {input, context.buffers[1], context.buffers[2]};
  const Cursor<Operands, kRank> start(buffers, extents, strides);
  const int64_t rows = start.outerCount();
  if (rows * columns == 0) return;

  const int64_t inputStride = strides[kRank - 1];
  const int64_t indexStride = strides[2 * kRank - 1];
  const int64_t outputStride = strides[3 * kRank - 1];
  const auto isLegal = [=](int64_t index) {
    if (index >= 0 && index < axisExtent) return true;
    reportIndexError(index, axisExtent);
    return false;
  };
  const auto copyRow = [=](const Element* input, const Index* index, Element* output, int64_t first,
                           int64_t last) {
    if (indexStride != 0) {
      for (int64_t column = first; column < last; ++column) {
        const int64_t chosen = index[column * indexStride];
        output[column * outputStride] =
            isLegal(chosen) ? input[chosen * axisStride + column * inputStride] : Element{0};
      }
      return;
    }
    const bool wasLegal = isLegal(*index);
    const Element* source = wasLegal ? input + *index * axisStride : nullptr;
    if (wasLegal && inputStride == 1 && outputStride == 1) {
      __builtin_memcpy(output + first, source + first, (last - first) * sizeof(Element));
      return;
    }
    for (int64_t column = first; column < last; ++column) {
      output[column * outputStride] = wasLegal ? source[column * inputStride] : Element{0};
    }
  };

  const PointwiseTasks tasks(rows, columns, context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    const auto range = tasks.range(task);
    auto cursor = start;
    cursor.seek(range.firstRow);
    for (int64_t row = range.firstRow; row < range.lastRow; ++row) {
      copyRow(cursor.template rowAddress<0>(), cursor.template rowAddress<1>(),
              cursor.template rowAddress<2>(), range.firstColumn, range.lastColumn);
      cursor.advance();
    }
  });
}

}  // namespace ait
