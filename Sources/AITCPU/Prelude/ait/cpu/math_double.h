// The elementary functions of Vec<double, W>: the C library's, lane by lane.
#pragma once

#include "ait/cpu/math_basic.h"

namespace ait {

#define AIT_DOUBLE_UNARY(name, builtin)                           \
  template <int W>                                                \
  AIT_INLINE Vec<double, W> name(Vec<double, W> x) {              \
    return perLane(x, [](double lane) { return builtin(lane); }); \
  }
AIT_DOUBLE_UNARY(exp, __builtin_exp)
AIT_DOUBLE_UNARY(exp2, __builtin_exp2)
AIT_DOUBLE_UNARY(expm1, __builtin_expm1)
AIT_DOUBLE_UNARY(log, __builtin_log)
AIT_DOUBLE_UNARY(log2, __builtin_log2)
AIT_DOUBLE_UNARY(log10, __builtin_log10)
AIT_DOUBLE_UNARY(log1p, __builtin_log1p)
AIT_DOUBLE_UNARY(sin, __builtin_sin)
AIT_DOUBLE_UNARY(cos, __builtin_cos)
AIT_DOUBLE_UNARY(tan, __builtin_tan)
AIT_DOUBLE_UNARY(asin, __builtin_asin)
AIT_DOUBLE_UNARY(acos, __builtin_acos)
AIT_DOUBLE_UNARY(atan, __builtin_atan)
AIT_DOUBLE_UNARY(sinh, __builtin_sinh)
AIT_DOUBLE_UNARY(cosh, __builtin_cosh)
AIT_DOUBLE_UNARY(tanh, __builtin_tanh)
AIT_DOUBLE_UNARY(erf, __builtin_erf)
AIT_DOUBLE_UNARY(erfc, __builtin_erfc)
#undef AIT_DOUBLE_UNARY

#define AIT_DOUBLE_BINARY(name, builtin)                                    \
  template <int W>                                                          \
  AIT_INLINE Vec<double, W> name(Vec<double, W> x, Vec<double, W> y) {      \
    return perLane(x, y, [](double a, double b) { return builtin(a, b); }); \
  }
AIT_DOUBLE_BINARY(power, __builtin_pow)
AIT_DOUBLE_BINARY(atan2, __builtin_atan2)
AIT_DOUBLE_BINARY(hypot, __builtin_hypot)
#undef AIT_DOUBLE_BINARY

/// 1 / (1 + e^-x), without overflow on the way.
template <int W>
AIT_INLINE Vec<double, W> sigmoid(Vec<double, W> x) {
  const auto one = constant<double, W>(1);
  const auto e = exp(-abs(x));
  return select(x < constant<double, W>(0), e, one) / (one + e);
}

/// x Φ(x), with the normal distribution Φ.
template <int W>
AIT_INLINE Vec<double, W> gelu(Vec<double, W> x) {
  return x * constant<double, W>(0.5) * erfc(x * constant<double, W>(-0x1.6a09e667f3bcdp-1));
}

}  // namespace ait
