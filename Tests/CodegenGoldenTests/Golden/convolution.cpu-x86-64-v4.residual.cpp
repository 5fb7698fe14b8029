// panels of 32
// w_packed: pack(float32[40, 3, 3, 48]) -> float32[27648]
#include "ait/cpu/convolution_pack.h"

namespace {

static_assert(ait::MatmulTile<ait::Accumulator<float, float>>::kColumns == 32);

}  // namespace

extern "C" void pack_filters_float32_0852442fc336e8ea(const ait::KernelContext& context) {
  ait::packFilters<float, 32>(context);
}

// filters packed, image in windows
// y: convolution(float32[batch, 14, 14, 48], float32[27648], float32[40], float32[batch, 7, 7, 40]) -> float32[batch, 7, 7, 40]
#include "ait/cpu/math.h"
#include "ait/cpu/convolution.h"

namespace {

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1, ait::Vec<float, W> x2) {
    const auto t3 = x0 + x1;
    const auto t4 = t3 + x2;
    const auto t5 = ait::constant<float, W>(0x0p+0f);
    const auto t6 = ait::maximum(t5, t4);
    return ait::results(t6);
  }
};

}  // namespace

extern "C" void convolution_float32_75f1ef91b21d6ccc(const ait::KernelContext& context) {
  ait::convolution<ait::ConvolutionConfig<float, float, ait::Filters::packed>,
      Epilogue,
      ait::Inputs<ait::Operand<float, ait::Access::contiguous>, ait::Operand<float, ait::Access::contiguous>>,
      ait::Outputs<ait::Operand<float, ait::Access::contiguous>>>(context);
}
