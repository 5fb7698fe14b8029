// loops of rank 2
// y: pointwise(int32[5, 7], bool[7]) -> bool[5, 7]
#include "ait/cpu/math.h"
#include "ait/cpu/pointwise.h"

namespace {

struct Body {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<int32_t, W> x0, ait::Vec<bool, W> x1) {
    const auto t2 = ait::constant<int32_t, W>(3);
    const auto t3 = ait::floorDivide(x0, t2);
    const auto t4 = ait::select(x1, t3, x0);
    const ait::Vec<bool, W> t5 = t4 < t2;
    const ait::Vec<bool, W> t6 = t5 | x1;
    return ait::results(t6);
  }
};

}  // namespace

extern "C" void pointwise_bool_681e288e62c3dfbf(const ait::KernelContext& context) {
  ait::pointwise<Body,
      ait::Inputs<ait::Operand<int32_t, ait::Access::contiguous>, ait::Operand<bool, ait::Access::contiguous>>,
      ait::Outputs<ait::Operand<bool, ait::Access::contiguous>>,
      2>(context);
}
