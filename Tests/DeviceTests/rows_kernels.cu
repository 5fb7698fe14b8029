// The kernels of rows_cases.h.
#include "ait/gpu/normalize.h"
#include "rows_cases.h"

namespace {
struct Parameters {
  static constexpr double kEpsilon = 1e-5;
};
}  // namespace

#define AIT_CASE(name, kind, T, threads, rows, packet, packets, multiple)                        \
  AIT_KERNEL(threads * rows, 1)                                                                  \
  name(AIT_ARGUMENTS(ait::RowArguments<2, 4>) arguments) {                                       \
    using O = ait::Operand<T, ait::Access::contiguous, multiple>;                                \
    ait::normalize<cases::Rows<threads, rows, packet, packets, multiple>,                        \
                   ait::Normalization::kind, Parameters, bodies::Identity, bodies::WeightBias,   \
                   ait::Inputs<O>, ait::Inputs<O, O>, ait::Outputs<O>, 2, false>(arguments);     \
  }
AIT_NORM_CASES(AIT_CASE)
