// A ring of stages that copies fill and products empty.
#pragma once

#include "ait/gpu/dialect.h"

namespace ait {

/// A place in the ring of stages.
template <int kStages>
struct RingPlace {
  int stage = 0;
  uint32_t phase = 0;

  AIT_DEVICE void advance() {
    if (++stage == kStages) {
      stage = 0;
      phase ^= 1;
    }
  }
  /// The place so many steps further.
  AIT_DEVICE void advance(int steps) {
    const int end = stage + steps;
    phase ^= static_cast<uint32_t>(end / kStages) & 1;
    stage = end % kStages;
  }
};

}  // namespace ait
