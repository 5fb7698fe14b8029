// The kernels of attention_cases.h; those of warp groups on GPUs that have them.
#include "ait/gpu/attention.h"
#include "ait/gpu/attention_few_queries.h"
#include "ait/gpu/math.h"
#if __CUDA_ARCH__ >= 900 || defined(AIT_EMULATED_ARCHITECTURE)
#include "ait/gpu/attention_hopper.h"
#endif
#include "attention_cases.h"

#define AIT_WARPS(name, ...)                                                      \
  AIT_KERNEL(ait::AttentionShape<cases::name>::kThreads,                          \
             ait::AttentionShape<cases::name>::kBlocksPerMultiprocessor)          \
  name(AIT_ARGUMENTS(ait::AttentionArguments<cases::name>) arguments) {           \
    ait::attention<cases::name>(arguments);                                       \
  }                                                                               \
  AIT_DESCRIBE_KERNEL(name)

#define AIT_FEW_QUERIES(name, ...)                                                             \
  AIT_KERNEL(ait::AttentionFewQueriesShape<cases::name>::kThreads,                             \
             ait::AttentionFewQueriesShape<cases::name>::kBlocksPerMultiprocessor)             \
  name##_few(AIT_ARGUMENTS(ait::AttentionFewQueriesArguments<cases::name>) arguments) {        \
    ait::attentionFewQueries<cases::name>(arguments);                                          \
  }                                                                                            \
  AIT_DESCRIBE_KERNEL(name##_few);                                                             \
  AIT_KERNEL(ait::AttentionFewQueriesShape<cases::name>::kThreads, 1)                          \
  name##_few_finish(AIT_ARGUMENTS(ait::AttentionFewQueriesArguments<cases::name>) arguments) { \
    ait::finishAttentionFewQueries<cases::name>(arguments);                                    \
  }                                                                                            \
  AIT_DESCRIBE_KERNEL(name##_few_finish)

#define AIT_HOPPER(name, ...)                                                            \
  AIT_KERNEL(ait::AttentionHopperShape<cases::name>::kThreads,                           \
             ait::AttentionHopperShape<cases::name>::kBlocksPerMultiprocessor)           \
  name##_hopper(AIT_ARGUMENTS(ait::AttentionHopperArguments<cases::name>) arguments) {   \
    ait::attentionHopper<cases::name>(arguments);                                        \
  }                                                                                      \
  AIT_DESCRIBE_KERNEL(name##_hopper)

AIT_ATTENTION_CASES(AIT_WARPS)
AIT_ATTENTION_CASES(AIT_FEW_QUERIES)
AIT_ATTENTION_ODD_CASES(AIT_WARPS)
AIT_ATTENTION_ODD_CASES(AIT_FEW_QUERIES)
#if __CUDA_ARCH__ >= 900 || defined(AIT_EMULATED_ARCHITECTURE)
AIT_ATTENTION_CASES(AIT_HOPPER)
#endif
