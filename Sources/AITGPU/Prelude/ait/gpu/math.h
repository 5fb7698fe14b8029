// The functions that generated bodies call, on single values. Same names as on the CPU.
#pragma once

#include "ait/gpu/math_divide.h"

namespace ait {

/// e^x within 2 units in the last place.
AIT_INLINE float exp(float x) {
  // The product is exact in two parts, so that large x keep their digits; beyond the limits the
  // result is 0 or infinity whatever the second part.
  const float high = x * 0x1.715476p+0f;
  const float low = fusedMultiplyAdd(x, 0x1.715476p+0f, -high) + x * 0x1.4ae0cp-26f;
  const float y = exp2Approximate(high);
  return high > -0x1.f8p+6f && high < 0x1.0p+7f ? fusedMultiplyAdd(y, low * 0x1.62e43p-1f, y) : y;
}

/// 1 / (1 + e^-x).
AIT_INLINE float sigmoid(float x) {
  return reciprocalApproximate(1 + exp2Approximate(x * -0x1.715476p+0f));
}

namespace approximate {

/// 1 / (1 + e^-x) with an absolute error of 2^-12: for results that are stored in 16 bits.
AIT_INLINE float sigmoid(float x) {
  return fusedMultiplyAdd(tanhApproximate(0.5f * x), 0.5f, 0.5f);
}

}  // namespace approximate

}  // namespace ait
