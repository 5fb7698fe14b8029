// Elements of one tensor combined into another, at places that a tensor of indices chooses.
#pragma once

#include "ait/cpu/rows.h"
#include "ait/cpu/scan.h"

namespace ait {

enum class ScatterKind { replace, add, multiply, maximum, minimum };

/// What an update meets before any other, where the input itself does not count.
template <ScatterKind kKind, class T>
constexpr T scatterIdentity() {
  return kKind == ScatterKind::multiply  ? T(1)
         : kKind == ScatterKind::maximum ? leastNumber<T>()
         : kKind == ScatterKind::minimum ? greatestNumber<T>()
                                         : T(0);
}

template <ScatterKind kKind, class T>
AIT_INLINE T scatterCombine(T before, T update) {
  if constexpr (kKind == ScatterKind::replace) {
    return update;
  } else if constexpr (__is_same(T, bool)) {
    return kKind == ScatterKind::add || kKind == ScatterKind::maximum ? before || update
                                                                      : before && update;
  } else if constexpr (kKind == ScatterKind::maximum || kKind == ScatterKind::minimum) {
    if constexpr (__is_floating_point(T)) {
      if (before != before) return before;
      if (update != update) return update;
    }
    const bool isUpdate = kKind == ScatterKind::maximum ? update > before : update < before;
    return isUpdate ? update : before;
  } else if constexpr (__is_floating_point(T)) {
    return kKind == ScatterKind::add ? before + update : before * update;
  } else {
    const auto a = static_cast<uint64_t>(before);
    const auto b = static_cast<uint64_t>(update);
    return static_cast<T>(kKind == ScatterKind::add ? a + b : a * b);
  }
}

/// result = input, then result[…, index[i…], …] = result[…] ∘ update[i…] in order of the index
/// along its axis: torch.scatter, scatter_reduce, index_add, index_copy. Each step is rounded to
/// the element's type.
///
/// - kIncludesSelf: whether the input's elements count where updates are combined.
/// - kRank: other axes, the axis, then the columns: 2...8.
/// - sizes: `kRank` extents of the input; `kRank` extents of the index, no larger but along the
///   axis; `kRank` strides of the input, of the index, of the updates, of the result, in elements.
/// - buffers: input, index, updates, result, which may be the input's memory if the strides are
///   equal and overlaps no other.
/// - An index outside 0..<extent is reported by `reportIndexError`, and its update left out.
///
/// Updates of one column follow each other; columns and rows are shared among threads. Bound by
/// memory bandwidth.
template <ScatterKind kKind, bool kIncludesSelf, class Element, class Index, int kRank>
void scatter(const KernelContext& context) {
  using T = ComputeType<Element>;
  const int64_t* extents = context.sizes;
  const int64_t* updated = extents + kRank;
  const int64_t* strides = updated + kRank;
  const auto stride = [=](int operand, int axis) { return strides[operand * kRank + axis]; };
  const int64_t axisExtent = extents[kRank - 2];
  const int64_t columns = extents[kRank - 1];
  const int64_t rows = product(extents, kRank - 2);
  if (rows * axisExtent * columns == 0 && product(updated, kRank) == 0) return;
  constexpr int64_t kBlock = 256;
  const int64_t blocks = (columns + kBlock - 1) / kBlock;
  const int64_t steps = updated[kRank - 2];

  const RowTasks tasks(rows * blocks, (axisExtent + steps) * (columns < kBlock ? columns : kBlock),
                       context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    for (int64_t piece = tasks.first(task); piece < tasks.last(task); ++piece) {
      const int64_t first = piece % blocks * kBlock;
      const int64_t last = first + kBlock < columns ? first + kBlock : columns;
      const Element* input = static_cast<const Element*>(context.buffers[0]);
      const Index* index = static_cast<const Index*>(context.buffers[1]);
      const Element* update = static_cast<const Element*>(context.buffers[2]);
      Element* result = static_cast<Element*>(context.buffers[3]);
      bool isUpdated = true;
      int64_t row = piece / blocks;
      for (int axis = kRank - 3; axis >= 0; --axis) {
        const int64_t at = row % extents[axis];
        row /= extents[axis];
        isUpdated = isUpdated && at < updated[axis];
        input += at * stride(0, axis);
        index += at * stride(1, axis);
        update += at * stride(2, axis);
        result += at * stride(3, axis);
      }
      if (input != result) {
        for (int64_t i = 0; i < axisExtent; ++i) {
          for (int64_t column = first; column < last; ++column) {
            result[i * stride(3, kRank - 2) + column * stride(3, kRank - 1)] =
                input[i * stride(0, kRank - 2) + column * stride(0, kRank - 1)];
          }
        }
      }
      if (!isUpdated) continue;
      const int64_t end = last < updated[kRank - 1] ? last : updated[kRank - 1];
      const auto forEachUpdate = [&](bool reports, auto body) AIT_INLINE_LAMBDA {
        for (int64_t i = 0; i < steps; ++i) {
          for (int64_t column = first; column < end; ++column) {
            const int64_t chosen = index[i * stride(1, kRank - 2) + column * stride(1, kRank - 1)];
            if (chosen < 0 || chosen >= axisExtent) {
              if (reports) reportIndexError(chosen, axisExtent);
              continue;
            }
            body(result[chosen * stride(3, kRank - 2) + column * stride(3, kRank - 1)],
                 update[i * stride(2, kRank - 2) + column * stride(2, kRank - 1)]);
          }
        }
      };
      if constexpr (!kIncludesSelf && kKind != ScatterKind::replace) {
        forEachUpdate(false, [](Element& element, Element) {
          element = toStorage<Element>(scatterIdentity<kKind, T>());
        });
      }
      forEachUpdate(true, [](Element& element, Element update) {
        if constexpr (kKind == ScatterKind::replace) {
          element = update;
        } else {
          element = toStorage<Element>(
              scatterCombine<kKind, T>(toCompute<Element>(element), toCompute<Element>(update)));
        }
      });
    }
  });
}

}  // namespace ait
