// What reductions gather from elements, and how they make a result of it.
//
// A reducer is a tag; `Reducer::For<T, Parameters>` reduces elements of the compute type T. It has
//
//   Result      the type of a result.
//   kPasses     how often it sees the elements of a block: 1 or 2.
//   Partial<W>  what the steps of one block have given, lane by lane, in fast arithmetic:
//               step<pass>(x) and step<pass>(x0, x1, x2, x3) take whole vectors in order,
//               stepFirst<pass>(x, count) the first lanes of one; nextPass() comes between passes,
//               total(place) at the end.
//   Total<W>    what all blocks have given, in arithmetic whose error does not grow with their
//               number: merge(total) of blocks that come later, collapsed() to one lane, and
//               finish(count) for results of `count` elements.
//
// New partials and totals are those of no elements.
#pragma once

#include "ait/cpu/math.h"

namespace ait {

/// The most steps of one block, a multiple of 4: so few that sums of 16-bit integers fit in
/// 32 bits, and that the rounding errors of a float sum stay below 1e-5 of its terms.
inline constexpr int64_t kBlockSteps = 256;

/// Where the elements of a block stand: step `s`, lane `l` at `first + s * step + l * lane`.
struct BlockPlace {
  int64_t first;
  int64_t step;
  int64_t lane;
};

/// Not above any number of a type: minus infinity, the least integer, false.
template <class T>
constexpr T lowestOf() {
  if constexpr (__is_floating_point(T)) {
    return -static_cast<T>(__builtin_huge_val());
  } else if constexpr (static_cast<T>(-1) < static_cast<T>(0)) {
    return static_cast<T>(uint64_t{1} << (8 * sizeof(T) - 1));
  } else {
    return static_cast<T>(0);
  }
}

/// Not below any number of a type: infinity, the greatest integer, true.
template <class T>
constexpr T greatestOf() {
  if constexpr (__is_floating_point(T)) {
    return static_cast<T>(__builtin_huge_val());
  } else if constexpr (__is_same(T, bool)) {
    return true;
  } else {
    return static_cast<T>(~lowestOf<T>());
  }
}

}  // namespace ait
