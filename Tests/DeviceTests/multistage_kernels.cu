// The kernels of multistage_cases.h.
#include "ait/gpu/matmul_few_rows.h"
#include "ait/gpu/matmul_multistage.h"
#include "multistage_cases.h"

#define AIT_KERNEL_OF(Kind, function, name, body)                                            \
  AIT_KERNEL(ait::Kind##Shape<cases::name>::kThreads, 1)                                     \
  name(AIT_ARGUMENTS(ait::Kind##Arguments<cases::name, cases::In<cases::name, bodies::body>, \
                                          cases::Out<cases::name>>) arguments) {             \
    ait::function<cases::name, bodies::body, cases::In<cases::name, bodies::body>,           \
                  cases::Out<cases::name>>(arguments);                                       \
  }                                                                                          \
  AIT_DESCRIBE_KERNEL(name)
#define AIT_MULTISTAGE(name, body, ...) \
  AIT_KERNEL_OF(MatmulMultistage, matmulMultistage, name, body)
#define AIT_FEW_ROWS(name, body, ...) AIT_KERNEL_OF(MatmulFewRows, matmulFewRows, name, body)
AIT_MULTISTAGE_CASES(AIT_MULTISTAGE)
AIT_FEW_ROWS_CASES(AIT_FEW_ROWS)
