// Vectors of any element type: the type and its operators, conversions, memory access and
// horizontal reductions. The one header of the family that others include.
#pragma once

#include "ait/cpu/vector_convert.h"
#include "ait/cpu/vector_memory.h"
#include "ait/cpu/vector_type.h"

namespace ait {

/// The lower half of the lanes.
template <class T, int W>
AIT_INLINE Vec<T, W / 2> lowHalf(Vec<T, W> x) {
  typename Vec<T, W / 2>::Native half;
  __builtin_memcpy(&half, &x.native, sizeof(half));
  return Vec<T, W / 2>(half);
}

/// The upper half of the lanes.
template <class T, int W>
AIT_INLINE Vec<T, W / 2> highHalf(Vec<T, W> x) {
  typename Vec<T, W / 2>::Native half;
  __builtin_memcpy(&half, reinterpret_cast<const char*>(&x.native) + sizeof(half), sizeof(half));
  return Vec<T, W / 2>(half);
}

/// Reduces all lanes by `combine(Vec, Vec)` as a balanced tree: lane i with lane i + W/2 first.
template <class T, int W, class Combine>
AIT_INLINE T horizontal(Vec<T, W> x, Combine combine) {
  if constexpr (W == 1) {
    return x[0];
  } else if constexpr (W == 2) {
    return combine(x, Vec<T, W>(__builtin_shufflevector(x.native, x.native, 1, 0)))[0];
  } else {
    return horizontal(combine(lowHalf(x), highHalf(x)), combine);
  }
}

/// The sum of all lanes, added pairwise.
template <class T, int W>
AIT_INLINE T horizontalSum(Vec<T, W> x) {
  return horizontal(x, [](auto a, auto b) AIT_INLINE_LAMBDA { return a + b; });
}

/// The product of all lanes, multiplied pairwise.
template <class T, int W>
AIT_INLINE T horizontalProduct(Vec<T, W> x) {
  return horizontal(x, [](auto a, auto b) AIT_INLINE_LAMBDA { return a * b; });
}

/// The largest lane; NaN if any lane is.
template <class T, int W>
AIT_INLINE T horizontalMax(Vec<T, W> x) {
  return horizontal(x, [](auto a, auto b) AIT_INLINE_LAMBDA { return maximum(a, b); });
}

/// The smallest lane; NaN if any lane is.
template <class T, int W>
AIT_INLINE T horizontalMin(Vec<T, W> x) {
  return horizontal(x, [](auto a, auto b) AIT_INLINE_LAMBDA { return minimum(a, b); });
}

/// Whether any lane is true.
template <int W>
AIT_INLINE bool any(Vec<bool, W> mask) {
  return __builtin_reduce_or(mask.native) != 0;
}

/// Whether all lanes are true.
template <int W>
AIT_INLINE bool all(Vec<bool, W> mask) {
  return __builtin_reduce_and(mask.native) != 0;
}

}  // namespace ait
