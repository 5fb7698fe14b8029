// The kernels of rows_cases.h.
#include "ait/gpu/normalize.h"
#include "ait/gpu/pointwise.h"
#include "ait/gpu/softmax.h"
#include "rows_cases.h"

namespace {
struct Parameters {
  static constexpr double kEpsilon = 1e-5;
};
template <class T, int alignment>
using O = ait::Operand<T, ait::Access::contiguous, alignment>;
}  // namespace

#define AIT_NORM(name, kind, T, threads, rows, packet, packets, multiple)                         \
  AIT_KERNEL(threads* rows, 1)                                                                    \
  name(AIT_ARGUMENTS(ait::RowArguments<2, 4>) arguments) {                                        \
    using Operand = O<T, multiple>;                                                               \
    ait::normalize<cases::Rows<threads, rows, packet, packets, multiple>,                         \
                   ait::Normalization::kind, Parameters, bodies::Identity, bodies::WeightBias,    \
                   ait::Inputs<Operand>, ait::Inputs<Operand, Operand>, ait::Outputs<Operand>, 2, \
                   false>(arguments);                                                             \
  }                                                                                               \
  AIT_DESCRIBE_KERNEL(name)
// With the prologue's sum exposed as the last output.
#define AIT_SOFTMAX(name, isLogarithmic, T, threads, rows, packet, packets, multiple)         \
  AIT_KERNEL(threads* rows, 1)                                                                \
  name(AIT_ARGUMENTS(ait::RowArguments<2, 4>) arguments) {                                    \
    using Operand = O<T, multiple>;                                                           \
    ait::softmax<cases::Rows<threads, rows, packet, packets, multiple>, isLogarithmic,        \
                 bodies::Add, bodies::Identity, ait::Inputs<Operand, Operand>, ait::Inputs<>, \
                 ait::Outputs<Operand, Operand>, 2, true>(arguments);                         \
  }                                                                                           \
  AIT_DESCRIBE_KERNEL(name)                                                                   \
  AIT_KERNEL(threads* rows, 1)                                                                \
  name##_plain(AIT_ARGUMENTS(ait::RowArguments<2, 2>) arguments) {                            \
    using Operand = O<T, multiple>;                                                           \
    ait::softmax<cases::Rows<threads, rows, packet, packets, multiple>, isLogarithmic,        \
                 bodies::Identity, bodies::Identity, ait::Inputs<Operand>, ait::Inputs<>,     \
                 ait::Outputs<Operand>, 2, false>(arguments);                                 \
  }                                                                                           \
  AIT_DESCRIBE_KERNEL(name##_plain)
#define AIT_POINT(name, T, threads, packet, packets, multiple)                            \
  AIT_KERNEL(threads, 1)                                                                  \
  name(AIT_ARGUMENTS(ait::RowArguments<2, 3>) arguments) {                                \
    using Operand = O<T, multiple>;                                                       \
    ait::pointwise<cases::Elements<threads, packet, packets, multiple>, bodies::Scale,    \
                   ait::Inputs<Operand, Operand>, ait::Outputs<Operand>, 2>(arguments);   \
  }                                                                                       \
  AIT_DESCRIBE_KERNEL(name)                                                               \
  AIT_KERNEL(threads, 1)                                                                  \
  name##_copy(AIT_ARGUMENTS(ait::RowArguments<1, 2>) arguments) {                         \
    using Operand = O<T, multiple>;                                                       \
    ait::pointwise<cases::Elements<threads, packet, packets, multiple>, bodies::Identity, \
                   ait::Inputs<Operand>, ait::Outputs<Operand>, 1>(arguments);            \
  }                                                                                       \
  AIT_DESCRIBE_KERNEL(name##_copy)
AIT_NORM_CASES(AIT_NORM)
AIT_SOFTMAX_CASES(AIT_SOFTMAX)
AIT_POINTWISE_CASES(AIT_POINT)
