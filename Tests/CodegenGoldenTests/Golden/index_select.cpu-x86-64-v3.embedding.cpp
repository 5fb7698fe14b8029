// loops of rank 2
// y: index_select(float16[100, 48], int64[2, length]) -> float16[2, length, 48]
#include "ait/cpu/gather.h"

extern "C" void gather_2_9a6a71baf3f74252(const ait::KernelContext& context) {
  ait::gather<2, int64_t, 2>(context);
}
