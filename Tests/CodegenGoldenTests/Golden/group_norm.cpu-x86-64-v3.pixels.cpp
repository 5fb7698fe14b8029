// groups of 2 columns
// norm: group_norm(float32[batch, 64, 9, 10], float32[64], float32[64]) -> float32[batch, 64, 9, 10]
#include "ait/cpu/math.h"
#include "ait/cpu/normalize_groups.h"

namespace {

struct Parameters {
  static constexpr double kEpsilon = 1e-05;
  static constexpr int64_t kChannels = 2;
};

struct Prologue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    return ait::results(x0);
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

extern "C" void group_norm_float32_f14e4cce7eb990ef(const ait::KernelContext& context) {
  ait::normalizeGroups<Parameters,
      Prologue,
      Epilogue,
      ait::Inputs<ait::Operand<float, ait::Access::contiguous>>,
      ait::Inputs<ait::Operand<float, ait::Access::contiguous>, ait::Operand<float, ait::Access::contiguous>>,
      ait::Outputs<ait::Operand<float, ait::Access::contiguous>>,
      1,
      2,
      false>(context);
}
