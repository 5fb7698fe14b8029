// Running sums, products and extrema along an axis.
#pragma once

#include "ait/cpu/rows.h"

namespace ait {

struct SumScan {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return a + b;
  }
};

struct ProductScan {
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return a * b;
  }
};

/// The least and greatest number of a type; infinities of floats.
template <class T>
constexpr T leastNumber() {
  if constexpr (__is_floating_point(T)) {
    return -static_cast<T>(__builtin_huge_val());
  } else if constexpr (__is_same(T, bool)) {
    return false;
  } else if constexpr (static_cast<T>(-1) < 0) {
    return static_cast<T>(uint64_t{1} << (8 * sizeof(T) - 1));
  } else {
    return 0;
  }
}
template <class T>
constexpr T greatestNumber() {
  if constexpr (__is_floating_point(T)) {
    return static_cast<T>(__builtin_huge_val());
  } else if constexpr (__is_same(T, bool)) {
    return true;
  } else {
    return static_cast<T>(~leastNumber<T>());
  }
}

struct MaximumScan {
  template <class T>
  static constexpr T identity() {
    return leastNumber<T>();
  }
  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return maximum(a, b);
  }
};

struct MinimumScan {
  template <class T>
  static constexpr T identity() {
    return greatestNumber<T>();
  }
  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return minimum(a, b);
  }
};

/// result[i] = x[0] ∘ … ∘ x[i] along an axis: torch.cumsum, cumprod, and the values of cummax and
/// cummin. With `kIsExclusive` without x[i] itself, with `kIsReversed` from the end.
///
/// - Scan: what elements meet by; Result: the result's type; Number: what it is computed in.
/// - kRank: the axes of the rows, the axis that is scanned, then the columns: 3...8.
/// - sizes: `kRank` extents; `kRank` strides of the input, of the result, in elements.
/// - buffers: input, result; they may be the same memory if they have the same strides and sizes
///   of elements.
///
/// Columns are neighbours that are scanned together, as vectors if they lie so. Along the last axis
/// there is one column, and an element waits for the one before: bound by the latency of `combine`.
template <class Scan, class Element, class Result, class Number, bool kIsExclusive,
          bool kIsReversed, Access kAccess, int kRank>
void scan(const KernelContext& context) {
  const int64_t* extents = context.sizes;
  const int64_t* strides = extents + kRank;
  const int64_t count = extents[kRank - 2];
  const int64_t columns = extents[kRank - 1];
  int64_t rows = product(extents, kRank - 2);
  if (rows * count * columns == 0) return;
  using Compute = ComputeType<Result>;
  constexpr int W = sizeof(Number) > 4 ? kLanes / 2 : kLanes;

  const auto scanColumns = [=](Element* input, Result* result, int64_t column, auto extent,
                               auto width) AIT_INLINE_LAMBDA {
    constexpr int V = decltype(width)::kWidth;
    Vec<Number, V> state = broadcast<V, Number>(Scan::template identity<Number>());
    for (int64_t step = 0; step < count; ++step) {
      const int64_t at = kIsReversed ? count - 1 - step : step;
      const Row<Element, kAccess> from(input + at * strides[kRank - 2], strides[kRank - 1]);
      const Row<Result, kAccess> to(result + at * strides[2 * kRank - 2], strides[2 * kRank - 1]);
      Vec<ComputeType<Element>, V> x;
      if constexpr (__is_same(decltype(extent), WholeVector)) {
        x = from.template load<V>(column);
      } else {
        x = from.template loadPartial<V>(column, extent.count);
      }
      const auto next = Scan::combine(state, convert<Number>(x));
      storeTo<V>(to, column, convert<Compute>(kIsExclusive ? state : next), extent);
      state = next;
    }
  };

  // A task has some of the vectors of columns of all rows.
  const int64_t vectors = columns == 1 ? 1 : (columns + W - 1) / W;
  const RowTasks tasks(rows * vectors, count * (columns < W ? columns : W),
                       context.pool.threadCount());
  parallelFor(context.pool, tasks.count(), [&](int64_t task, int32_t) {
    for (int64_t piece = tasks.first(task); piece < tasks.last(task); ++piece) {
      int64_t row = piece / vectors;
      Element* input = static_cast<Element*>(context.buffers[0]);
      Result* result = static_cast<Result*>(context.buffers[1]);
      for (int axis = kRank - 3; axis >= 0; --axis) {
        const int64_t index = row % extents[axis];
        row /= extents[axis];
        input += index * strides[axis];
        result += index * strides[kRank + axis];
      }
      const int64_t column = piece % vectors * W;
      const int64_t left = columns - column;
      if (columns == 1) {
        scanColumns(input, result, 0, WholeVector{}, Vec<Number, 1>{});
      } else if (left >= W) {
        scanColumns(input, result, column, WholeVector{}, Vec<Number, W>{});
      } else {
        scanColumns(input, result, column, PartialVector{left}, Vec<Number, W>{});
      }
    }
  });
}

}  // namespace ait
