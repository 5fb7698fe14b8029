// The fake driver's devices and kernels, as far as they are not every driver's.
#pragma once

#include "fake_cuda.h"

namespace fake {

struct Fakes {
  int capability[2][2];
  std::map<std::string, hostdriver::Function> kernels;
};

Fakes& fakes();

}  // namespace fake
