// blocks of a transposition, loops of rank 3
// y_copy: identity(float32[batch, 24, 40]) -> float32[batch, 24, 40]
#include "ait/cpu/movement.h"

extern "C" void transpose_4_2f5cf273d2d304d9(const ait::KernelContext& context) {
  ait::permuteCopy<4, 3>(context);
}
