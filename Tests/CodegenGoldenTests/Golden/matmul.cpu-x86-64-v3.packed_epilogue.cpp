// panels of 16
// w_packed: pack(float16[40, 48]) -> float16[2304]
#include "ait/cpu/matmul_pack.h"
#include "ait/cpu/matmul_tile.h"

namespace {

static_assert(ait::MatmulTile<ait::Accumulator<ait::float16, ait::float16>>::kColumns == 16);

}  // namespace

extern "C" void pack_float16_5851c5d600055eea(const ait::KernelContext& context) {
  ait::packWeights<ait::float16, 16>(context);
}

// B packed in panels of 16
// y: matmul(float16[batch, 48], float16[2304], float16[40], float16[batch, 40]) -> float16[batch, 40]
#include "ait/cpu/math.h"
#include "ait/cpu/matmul.h"

namespace {

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1, ait::Vec<float, W> x2) {
    const auto t3 = x0 + x1;
    const auto t4 = t3 * t3;
    const auto t5 = ait::constant<float, W>(0x1.6e4e26p-5f);
    const auto t6 = t4 * t5;
    const auto t7 = ait::constant<float, W>(0x1p+0f);
    const auto t8 = t6 + t7;
    const auto t9 = ait::constant<float, W>(0x1.988454p+0f);
    const auto t10 = t3 * t9;
    const auto t11 = t10 * t8;
    const auto t12 = ait::sigmoid(t11);
    const auto t13 = t3 * t12;
    const auto t14 = t13 + x2;
    return ait::results(t14);
  }
};

}  // namespace

extern "C" void matmul_float16_b069740d46f2b0f1(const ait::KernelContext& context) {
  ait::matmul<ait::MatmulConfig<ait::float16, ait::float16, ait::Packing::packed, 0>,
      Epilogue,
      ait::Inputs<ait::Operand<ait::float16, ait::Access::contiguous>, ait::Operand<ait::float16, ait::Access::contiguous>>,
      ait::Outputs<ait::Operand<ait::float16, ait::Access::contiguous>>>(context);
}
