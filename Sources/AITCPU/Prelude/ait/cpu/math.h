// The functions that generated bodies call, on vectors of any width.
//
// Types: F float, D double, I integers, B bool. The bound is the largest error over all floats in
// units in the last place, measured on AVX-512 by Benchmarks/native/math_accuracy.cpp; targets
// without fused multiply-add add up to 0.2. A dash means exact, or rounded once; double calls the C
// library except where a dash stands.
//
//   name                                        operands  types     bound  what
//   add subtract multiply + - *                 2         F D I     -      wrap around; add and
//                                                                          multiply of B: or, and
//   divide reciprocal /                         2, 1      F D       -
//   truncDivide floorDivide                     2         F D I     -      by 0: inf or NaN; I: 0
//   fmod                                        2         F D I     -      sign of the dividend
//   remainder                                   2         F D I     -      sign of the divisor
//   maximum minimum                             2         F D I B   -      NaN if either is
//   fmax fmin                                   2         F D I     -      the one that is not NaN
//   negate abs sign square                      1         F D I     -      sign(NaN) = 0
//   copysign                                    2         F D       -
//   power                                       2         F D I     0.51
//   floor ceil round trunc                      1         F D I     -      round: halves to even
//   sqrt                                        1         F D       -
//   rsqrt                                       1         F D       1.50
//   exp exp2 expm1                              1         F D       0.99 0.88 1.44
//   log log2 log10 log1p                        1         F D       0.89 1.05 0.91 0.89
//   sigmoid tanh                                1         F D       2.41 1.34
//   erf erfc                                    1         F D       1.12 0.51
//   gelu                                        1         F D       see there
//   sin cos tan                                 1         F D       0.51 up to 2^20, then as libm
//   asin acos atan                              1         F D       2.41 1.18 1.39
//   atan2 hypot                                 2         F D       3 0.51
//   sinh cosh                                   1         F D       0.51
//   equal notEqual less lessEqual greater
//     greaterEqual == != < <= > >=              2         F D I B   -      gives B
//   isNaN isInfinite isFinite                   1         F D I B   -      gives B
//   bitAnd bitOr bitXor & | ^                   2         I B       -
//   bitNot ~                                    1         I B       -
//   shiftLeft shiftRight << >>                  2         I         -      beyond the width: 0, -1
//   select                                      3         F D I B   -      mask, if true, if false
//   convert<To>                                 1         any       -      see vector_convert.h
//   constant<T, W>(value) broadcast<W>(value)   1         any       -
#pragma once

#include "ait/cpu/math_basic.h"
#include "ait/cpu/math_divide.h"
#include "ait/cpu/math_double.h"
#include "ait/cpu/math_erf.h"
#include "ait/cpu/math_exponential.h"
#include "ait/cpu/math_trigonometry.h"
#include "ait/cpu/math_wide.h"
