// rows of 1 axes
// norm: layer_norm(bfloat16[batch, 96], bfloat16[batch, 96], bfloat16[96], bfloat16[96]) -> bfloat16[batch, 96], bfloat16[batch, 96]
#include "ait/cpu/math.h"
#include "ait/cpu/normalize.h"

namespace {

struct Parameters {
  static constexpr double kEpsilon = 1e-05;
};

struct Prologue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    const auto t2 = x0 + x1;
    return ait::results(t2);
  }
};

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1, ait::Vec<float, W> x2) {
    const auto t3 = x0 * x1;
    const auto t4 = t3 + x2;
    return ait::results(t4);
  }
};

}  // namespace

extern "C" void layer_norm_bfloat16_35dd972194d739a1(const ait::KernelContext& context) {
  ait::normalize<ait::Normalization::layer,
      Parameters,
      Prologue,
      Epilogue,
      ait::Inputs<ait::Operand<ait::bfloat16, ait::Access::contiguous>, ait::Operand<ait::bfloat16, ait::Access::contiguous>>,
      ait::Inputs<ait::Operand<ait::bfloat16, ait::Access::contiguous>, ait::Operand<ait::bfloat16, ait::Access::contiguous>>,
      ait::Outputs<ait::Operand<ait::bfloat16, ait::Access::contiguous>, ait::Operand<ait::bfloat16, ait::Access::contiguous>>,
      1,
      1,
      true>(context);
}
