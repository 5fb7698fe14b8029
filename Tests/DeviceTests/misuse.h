// What the kernels that break rules are given.
#pragma once

#include "ait/gpu/types.h"

namespace misuse {

struct Arguments {
  ait::TensorMap map;
  float* in;
  float* out;
};

/// The threads of every kernel: a warp group.
inline constexpr int kThreads = 128;
inline constexpr int kSharedBytes = 32 * 1024;
/// The numbers of `in` and of `out`.
inline constexpr int kCount = 4096;

}  // namespace misuse
