// What the kernels that show layouts are given.
#pragma once

#include "ait/gpu/types.h"

namespace layouts {

struct Arguments {
  ait::TensorMap map;
  const void* in;
  void* out;
};

/// Columns of the warp group's product that is shown.
inline constexpr int kColumns = 128;
/// Bytes of a warp group's operands: A of 64 rows, B of kColumns, each row 64 elements of K.
inline constexpr int kABytes = 64 * 128;
inline constexpr int kBBytes = kColumns * 128;
inline constexpr int kSharedBytes = kABytes + kBBytes + 1024;

}  // namespace layouts
