// Division by a number that is known when a launch is made. Compiles on the host.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

/// Divides numbers from 0 to 2^31 − 1: a product, a sum and a shift instead of the forty
/// instructions of a division, which the first copies of a kernel would wait for.
///
/// With s = ⌈log2 d⌉ and m = ⌊2^32 (2^s − d) / d⌋ + 1, n / d is (⌊m n / 2^32⌋ + n) >> s (Granlund
/// and Montgomery, "Division by Invariant Integers using Multiplication", 1994).
struct Divisor {
  uint32_t multiplier;
  uint32_t shift;

  /// - divisor: from 1 to 2^31 − 1.
  AIT_ANYWHERE static constexpr Divisor of(int64_t divisor) {
    uint32_t shift = 0;
    while (int64_t{1} << shift < divisor) ++shift;
    const int64_t multiplier =
        (((int64_t{1} << shift) - divisor) * (int64_t{1} << 32)) / divisor + 1;
    return {static_cast<uint32_t>(multiplier), shift};
  }

  AIT_ANYWHERE constexpr int quotient(int n) const {
    const uint64_t product = static_cast<uint64_t>(static_cast<uint32_t>(n)) * multiplier;
    return static_cast<int>((static_cast<uint32_t>(product >> 32) + static_cast<uint32_t>(n)) >>
                            shift);
  }
};

}  // namespace ait
