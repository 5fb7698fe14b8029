// vectors along rows
// y: softmax(float16[batch, 4, length, length], float16[batch, 1, 1, length]) -> float16[batch, 4, length, length]
#include "ait/cpu/math.h"
#include "ait/cpu/softmax.h"

namespace {

struct Prologue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    const auto t2 = ait::constant<float, W>(0x1p-3f);
    const auto t3 = x0 * t2;
    const auto t4 = t3 + x1;
    return ait::results(t4);
  }
};

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    return ait::results(x0);
  }
};

}  // namespace

extern "C" void softmax_float16_d002f9e8963dce81(const ait::KernelContext& context) {
  ait::softmax<Prologue,
      Epilogue,
      ait::Inputs<ait::Operand<ait::float16, ait::Access::contiguous>, ait::Operand<ait::float16, ait::Access::contiguous>>,
      ait::Inputs<>,
      ait::Outputs<ait::Operand<ait::float16, ait::Access::contiguous>>,
      2,
      false,
      false>(context);
}
