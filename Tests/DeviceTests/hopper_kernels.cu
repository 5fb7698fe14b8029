// The kernels of hopper_cases.h; AIT_GROUP names a list of it.
#include "ait/gpu/matmul_hopper.h"
#include "hopper_cases.h"

#define AIT_CASE(name, body, ...)                                                                  \
  AIT_KERNEL(ait::MatmulHopperShape<cases::name>::kThreads, cases::name::kBlocksPerMultiprocessor) \
  name(AIT_ARGUMENTS(ait::MatmulHopperArguments<cases::name, cases::In<cases::name, bodies::body>, \
                                                cases::Out<cases::name>>) arguments) {             \
    ait::matmulHopper<cases::name, bodies::body, cases::In<cases::name, bodies::body>,             \
                      cases::Out<cases::name>>(arguments);                                         \
  }                                                                                                \
  AIT_DESCRIBE_KERNEL(name)
AIT_GROUP(AIT_CASE)
