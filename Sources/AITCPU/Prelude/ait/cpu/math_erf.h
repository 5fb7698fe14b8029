// The error function of floats, and GELU.
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

/// x Φ(x) with the normal distribution Φ(-|x|) = 2^P(|x|). The relative error is 2^-20 for x above
/// 0 and 2^-18 down to -5.6; further down the result has an absolute error of 2^-40 and ends as 0.
template <int W>
AIT_INLINE Vec<float, W> gelu(Vec<float, W> x) {
  const auto one = constant<float, W>(1);
  const auto p = polynomial(abs(x), -0x1.fffff6p-1f, -0x1.26af8ep+0f, -0x1.d627e0p-2f,
                            -0x1.af6f50p-5f, 0x1.dabd1cp-8f, -0x1.d1a4f4p-13f, -0x1.7a4e7ep-13f,
                            0x1.9e912ep-15f, -0x1.b982d8p-18f, 0x1.f7d17cp-22f, -0x1.eac970p-27f);
  const auto tail = exp2(p);
  return x * select(x < constant<float, W>(0), tail, one - tail);
}

}  // namespace ait
