// The kernels of reduce_cases.h.
#include "ait/gpu/gather.h"
#include "ait/gpu/reduce.h"
#include "ait/gpu/reducers_moments.h"
#include "ait/gpu/reducers_position.h"
#include "reduce_cases.h"

namespace {

struct Unbiased {
  static constexpr double kCorrection = 1;
};
using Sum = ait::SumReducer<float>;
using Variance = ait::VarianceReducer<float, Unbiased>;
using Position = ait::ArgReducer<float, int32_t, true>;

/// Positions are stored as they are.
struct Stored {
  template <int W, class V>
  static AIT_INLINE auto apply(V x0) {
    return ait::results(x0);
  }
};

template <class T, int alignment>
using O = ait::Operand<T, ait::Access::contiguous, alignment>;

}  // namespace

#define AIT_REDUCE(name, meaning, T, Result, packet, isAcross, multiple, stateBytes)            \
  namespace {                                                                                   \
  using name##_config = cases::Reduction<packet, isAcross, multiple, stateBytes>;               \
  using name##_operands =                                                                       \
      ait::ReduceOperands<name##_config, float, bodies::Identity, Stored,                       \
                          ait::Inputs<O<T, multiple>>, ait::Inputs<>,                           \
                          ait::Outputs<O<Result, isAcross ? multiple : 1>>, ait::Outputs<>, 2>; \
  }                                                                                             \
  AIT_KERNEL(name##_config::kThreads, 1)                                                        \
  name(AIT_ARGUMENTS(ait::ReduceArguments<2, 2>) arguments) {                                   \
    ait::reduce<name##_config, meaning, float, name##_operands>(arguments);                     \
  }                                                                                             \
  AIT_DESCRIBE_KERNEL(name);                                                                    \
  AIT_KERNEL(name##_config::kThreads, 1)                                                        \
  name##_finish(AIT_ARGUMENTS(ait::ReduceArguments<2, 2>) arguments) {                          \
    ait::finishReduction<name##_config, meaning, float, name##_operands>(arguments);            \
  }                                                                                             \
  AIT_DESCRIBE_KERNEL(name##_finish);

#define AIT_GATHER(name, T, Index, packet, packets)                                \
  AIT_KERNEL(ait::MovementDefaults::kThreads, 1)                                   \
  name(AIT_ARGUMENTS(ait::GatherArguments<2>) arguments) {                         \
    using Element = O<int16_t, packet>;                                            \
    static_assert(sizeof(T) == 2, "elements are moved as integers of 16 bits");    \
    ait::gather<cases::Movement<packet, packets>, Element,                         \
                ait::Operand<Index, ait::Access::uniform>, Element, 2>(arguments); \
  }                                                                                \
  AIT_DESCRIBE_KERNEL(name);

AIT_REDUCE_CASES(AIT_REDUCE)
AIT_GATHER_CASES(AIT_GATHER)
