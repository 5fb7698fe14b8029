// B in place
// scores: matmul(float32[batch, 4, length, 16], float32[batch, 4, length, 16]) -> float32[batch, 4, length, length]
#include "ait/cpu/math.h"
#include "ait/cpu/matmul.h"

namespace {

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    const auto t1 = ait::constant<float, W>(0x1p-2f);
    const auto t2 = x0 * t1;
    return ait::results(t2);
  }
};

}  // namespace

extern "C" void matmul_float32_99f38a50068c4696(const ait::KernelContext& context) {
  ait::matmul<ait::MatmulConfig<float, float, ait::Packing::strided, 1>,
      Epilogue,
      ait::Inputs<>,
      ait::Outputs<ait::Operand<float, ait::Access::contiguous>>>(context);
}
