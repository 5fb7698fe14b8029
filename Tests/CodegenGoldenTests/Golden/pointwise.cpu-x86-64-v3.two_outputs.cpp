// loops of rank 2
// both: pointwise(float16[batch, 96], float32[96], float16[]) -> float32[batch, 96], float16[batch, 96]
#include "ait/cpu/math.h"
#include "ait/cpu/pointwise.h"

namespace {

struct Body {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1, ait::Vec<float, W> x2) {
    const auto t3 = x0;
    const auto t4 = t3 * x1;
    const auto t5 = ait::gelu(t4);
    const auto t6 = ait::constant<float, W>(0x1.99999ap-4f);
    const auto t7 = t5 + t6;
    const auto t8 = x0 * x2;
    return ait::results(t7, t8);
  }
};

}  // namespace

extern "C" void pointwise_float32_float16_2c010fc86d1ecb77(const ait::KernelContext& context) {
  ait::pointwise<Body,
      ait::Inputs<ait::Operand<ait::float16, ait::Access::contiguous>, ait::Operand<float, ait::Access::contiguous>, ait::Operand<ait::float16, ait::Access::uniform>>,
      ait::Outputs<ait::Operand<float, ait::Access::contiguous>, ait::Operand<ait::float16, ait::Access::contiguous>>,
      2>(context);
}
