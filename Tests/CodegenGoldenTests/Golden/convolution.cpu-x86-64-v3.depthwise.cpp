// tap after tap
// w_packed: pack(float16[48, 3, 3, 1]) -> float16[432]
#include "ait/cpu/convolution_pack.h"

extern "C" void pack_depthwise_filters_float16_a8d3f0c2582f3257(const ait::KernelContext& context) {
  ait::packDepthwiseFilters<ait::float16>(context);
}

// filters packed
// y: convolution(float16[batch, 14, 14, 48], float16[432]) -> float16[batch, 14, 14, 48]
#include "ait/cpu/math.h"
#include "ait/cpu/convolution_depthwise_blocks.h"

namespace {

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    return ait::results(x0);
  }
};

}  // namespace

extern "C" void depthwise_convolution_float16_fcb8e394b1532dcb(const ait::KernelContext& context) {
  ait::depthwiseBlocksConvolution<ait::ConvolutionConfig<ait::float16, ait::float16, ait::Filters::packed>,
      3,
      1,
      Epilogue,
      ait::Inputs<>,
      ait::Outputs<ait::Operand<ait::float16, ait::Access::contiguous>>>(context);
}
