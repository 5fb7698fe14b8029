// The error function of floats.
#pragma once

#include "ait/cpu/math_exponential.h"

namespace ait {

template <int W>
AIT_INLINE Vec<float, W> erf(Vec<float, W> x) {
  const auto one = constant<float, W>(1);
  const auto t = limited(abs(x), 0.0f, 4.0f);
  // Near 0, x + x P(x²).
  const auto s = t * t;
  const auto p = polynomial(s, 0x1.06eba6p-3f, -0x1.8126e4p-2f, 0x1.ce19e6p-4f, -0x1.b681aep-6f,
                            0x1.46fbacp-8f, -0x1.38fed6p-11f);
  const auto small = mulAdd(t, p, t);
  // Further out, 1 - e^(-t + t Q(t)), which is 1 in float from 3.92 on.
  const auto q = polynomial(t, -0x1.077b2ep-3f, -0x1.453034p-1f, -0x1.b34476p-4f, 0x1.85bbecp-6f,
                            -0x1.defecap-9f, 0x1.5590fep-12f, -0x1.82af48p-17f);
  const auto large = one - expWithinLimits(mulAdd(t, q, -t));
  return copysign(select(t < constant<float, W>(0.927734375f), small, large), x);
}

}  // namespace ait
