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
    const auto t5 = ait::constant<float, W>(0x1.6a09e6p-1f);
    const auto t6 = t4 * t5;
    const auto t7 = ait::erf(t6);
    const auto t8 = ait::constant<float, W>(0x1p-1f);
    const auto t9 = t4 * t8;
    const auto t10 = ait::constant<float, W>(0x1p+0f);
    const auto t11 = t7 + t10;
    const auto t12 = t9 * t11;
    const auto t13 = ait::constant<float, W>(0x1.99999ap-4f);
    const auto t14 = t12 + t13;
    const auto t15 = x0 * x2;
    return ait::results(t14, t15);
  }
};

}  // namespace

extern "C" void pointwise_float32_float16_a9ecde0a7bec3535(const ait::KernelContext& context) {
  ait::pointwise<Body,
      ait::Inputs<ait::Operand<ait::float16, ait::Access::contiguous>, ait::Operand<float, ait::Access::contiguous>, ait::Operand<ait::float16, ait::Access::uniform>>,
      ait::Outputs<ait::Operand<float, ait::Access::contiguous>, ait::Operand<ait::float16, ait::Access::contiguous>>,
      2>(context);
}
