// vectors along the reduced axis
// y: reduce(float32[batch, 96]) -> float32[batch]
#include "ait/cpu/math.h"
#include "ait/cpu/reduce.h"

namespace {

struct Parameters {};

struct Prologue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    const auto t1 = x0 * x0;
    return ait::results(t1);
  }
};

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    return ait::results(x0);
  }
};

}  // namespace

extern "C" void reduce_float32_550371a8489693d2(const ait::KernelContext& context) {
  ait::reduce<ait::Mean,
      Parameters,
      Prologue,
      Epilogue,
      ait::Inputs<ait::Operand<float, ait::Access::contiguous>>,
      ait::Inputs<>,
      ait::Outputs<ait::Operand<float, ait::Access::uniform>>,
      1,
      1,
      false>(context);
}
