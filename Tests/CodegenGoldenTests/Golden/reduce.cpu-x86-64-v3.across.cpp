// vectors across results
// y: reduce(int8[batch, 96]) -> int64[1, 96]
#include "ait/cpu/math.h"
#include "ait/cpu/reduce.h"

namespace {

struct Parameters {};

struct Prologue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<int8_t, W> x0) {
    return ait::results(x0);
  }
};

struct Epilogue {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<int64_t, W> x0) {
    return ait::results(x0);
  }
};

}  // namespace

extern "C" void reduce_int8_8cc5476ba4dba2fd(const ait::KernelContext& context) {
  ait::reduceAcross<ait::Sum,
      Parameters,
      Prologue,
      Epilogue,
      ait::Inputs<ait::Operand<int8_t, ait::Access::contiguous>>,
      ait::Inputs<>,
      ait::Outputs<ait::Operand<int64_t, ait::Access::contiguous>>,
      1,
      1,
      false>(context);
}
