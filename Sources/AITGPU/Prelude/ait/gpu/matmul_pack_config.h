// The arguments of `packRows`. Compiles on the host.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

struct PackShape {
  static constexpr int kThreads = 256;
};

/// A batch of K x N matrices, and where their columns go: rows of `pitch` elements. A row may hold
/// `fold` neighbouring columns, of `innerPitch` elements each, the first of which may lie `shift`
/// before the matrix.
struct PackArguments {
  const void* from;
  void* to;
  int64_t batchExtents[3];
  int64_t batchStrides[3];
  int64_t innerStride;
  int64_t columnStride;
  int64_t columns;
  int32_t depth;
  int32_t pitch;
  int32_t fold;
  int32_t innerPitch;
  int32_t shift;
  /// Columns of the matrix; `columns` are the rows of the packed form.
  int32_t sourceColumns;
};

}  // namespace ait
