// The kernels of pair_cases.h; those of warp groups on GPUs that have them.
#include "ait/gpu/matmul_few_rows.h"
#include "ait/gpu/matmul_multistage.h"
#if __CUDA_ARCH__ >= 900 || defined(AIT_EMULATED_ARCHITECTURE)
#include "ait/gpu/matmul_hopper.h"
#endif
#include "pair_cases.h"

#define AIT_KERNEL_OF(Kind, function, name, body)                                            \
  AIT_KERNEL(ait::Kind##Shape<cases::name>::kThreads, 1)                                     \
  name(AIT_ARGUMENTS(ait::Kind##Arguments<cases::name, cases::In<cases::name, bodies::body>, \
                                          cases::Out<cases::name>>) arguments) {             \
    ait::function<cases::name, bodies::body, cases::In<cases::name, bodies::body>,           \
                  cases::Out<cases::name>>(arguments);                                       \
  }                                                                                          \
  AIT_DESCRIBE_KERNEL(name)
#define AIT_HOPPER(name, body, ...) AIT_KERNEL_OF(MatmulHopper, matmulHopper, name, body)
#define AIT_MULTISTAGE(name, body, ...) \
  AIT_KERNEL_OF(MatmulMultistage, matmulMultistage, name, body)
#define AIT_FEW_ROWS(name, body, ...) AIT_KERNEL_OF(MatmulFewRows, matmulFewRows, name, body)
#if __CUDA_ARCH__ >= 900 || defined(AIT_EMULATED_ARCHITECTURE)
AIT_PAIR_HOPPER_CASES(AIT_HOPPER)
#endif
AIT_PAIR_MULTISTAGE_CASES(AIT_MULTISTAGE)
AIT_PAIR_FEW_ROWS_CASES(AIT_FEW_ROWS)
