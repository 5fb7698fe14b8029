// The kernels of simt_cases.h.
#include "ait/gpu/matmul_simt.h"
#include "ait/gpu/matmul_simt_few_rows.h"
#include "simt_cases.h"

#define AIT_KERNEL_OF(Kind, function, blocks, name, body)                                    \
  AIT_KERNEL(ait::Kind##Shape<cases::name>::kThreads, blocks)                                \
  name(AIT_ARGUMENTS(ait::Kind##Arguments<cases::name, cases::In<cases::name, bodies::body>, \
                                          cases::Out<cases::name>>) arguments) {             \
    ait::function<cases::name, bodies::body, cases::In<cases::name, bodies::body>,           \
                  cases::Out<cases::name>>(arguments);                                       \
  }                                                                                          \
  AIT_DESCRIBE_KERNEL(name)
#define AIT_SIMT(name, body, ...) \
  AIT_KERNEL_OF(MatmulSimt, matmulSimt, cases::name::kBlocksPerMultiprocessor, name, body)
#define AIT_SIMT_FEW_ROWS(name, body, ...) \
  AIT_KERNEL_OF(MatmulSimtFewRows, matmulSimtFewRows, 1, name, body)
AIT_SIMT_CASES(AIT_SIMT)
AIT_SIMT_FEW_ROWS_CASES(AIT_SIMT_FEW_ROWS)
