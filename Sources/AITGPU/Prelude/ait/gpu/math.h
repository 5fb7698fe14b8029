// The functions that generated bodies call, on single values: the same names as on the CPU.
//
// Types: F float, D double, I integers, B bool; 16-bit floats are computed as float. The bound is
// the largest error in units in the last place, of floats and of doubles, measured by
// Tests/NativeTests/device_math_test.cpp; a dash means exact, or rounded once. Bounds of floats
// allow for the special-function unit, whose results are 2 units off at most.
//
//   name                        operands  types     bound      what
//   + - * == != < <= > >=       2         F D I B   -          wrap around
//   / reciprocal                2, 1      F D       -
//   floorDivide                 2         F D I     -          by 0: inf or NaN; of I: 0
//   fmod                        2         F D I     -          sign of the dividend
//   remainder                   2         F D I     -          sign of the divisor
//   maximum minimum             2         F D I B   -          NaN if either is
//   abs sign                    1         F D I     -          sign(NaN) = 0
//   power                       2         F D I     0.6 60
//   floor ceil round trunc      1         F D       -          round: halves to even
//   sqrt rsqrt                  1         F D       1.5 1.5    sqrt: -
//   exp exp2 expm1              1         F D       4 2        expm1: 1.5 3
//   log log2 log10 log1p        1         F D       1.2 3
//   sigmoid                     1         F D       * 4        * see there
//   tanh sinh cosh              1         F D       4 5        sinh: 7 5
//   erf erfc                    1         F D       2 2        erfc: 7 8
//   gelu                        1         F D       * 8        * see there
//   sin cos tan                 1         F D       3 4        tan: 5 6
//   asin acos atan atan2        1, 2      F D       3 5
//   isNaN isInfinite isFinite   1         F D       -          gives B
//   & | ^ ~                     2, 1      I B       -
//   << >>                       2         I         -          beyond the width: 0, -1
//   select                      3         F D I B   -          condition, if true, if false
//   convert<To>                 1         any       -          see lanes.h
//   constant<T, W>(value)       1         any       -
#pragma once

#include "ait/gpu/math_divide.h"
#include "ait/gpu/math_double.h"
#include "ait/gpu/math_double_trigonometry.h"
#include "ait/gpu/math_exponential.h"
#include "ait/gpu/math_special.h"
#include "ait/gpu/math_trigonometry.h"
