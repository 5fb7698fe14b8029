// Packs matrices for a product: each column becomes a row of K elements, followed by zeros up to a
// multiple of 16 bytes, so that the copy engine and 16-byte loads can take it whatever N and K are.
// Constant matrices and filters are packed once; images whose channels do not lie so, at every run.
// Bound by memory; columns far apart cost a sector for each element.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_pack_config.h"

namespace ait {

/// Copies 16 bytes of the packed form by a thread. Elements of `kSize` bytes, 2 or 4, are moved,
/// not computed with.
template <int kSize>
AIT_DEVICE void packRows(const PackArguments& arguments) {
  constexpr int kPacket = 16 / kSize;
  launchDependents();
  const int packets = arguments.pitch / kPacket;
  const int64_t index = blockIndex() * PackShape::kThreads + threadIndex();
  int64_t row = index / packets;
  const int first = static_cast<int>(index - row * packets) * kPacket;
  const int64_t* extents = arguments.batchExtents;
  const int64_t rows = extents[0] * extents[1] * extents[2] * arguments.columns;
  waitForPrerequisites();
  if (row >= rows) return;
  char* to = static_cast<char*>(arguments.to) + index * 16;
  const auto* from = static_cast<const char*>(arguments.from);
  const int column = static_cast<int>(row % arguments.columns) * arguments.fold - arguments.shift;
  row /= arguments.columns;
  AIT_UNROLL
  for (int axis = 2; axis >= 0; --axis) {
    from += row % extents[axis] * arguments.batchStrides[axis] * kSize;
    row /= extents[axis];
  }
  Words<16> packed = {{0, 0, 0, 0}};
  AIT_UNROLL
  for (int i = 0; i < kPacket; ++i) {
    const int neighbour = (first + i) / arguments.innerPitch;
    const int k = first + i - neighbour * arguments.innerPitch;
    const int own = column + neighbour;
    if (k < arguments.depth && own >= 0 && own < arguments.sourceColumns) {
      const char* element =
          from + (own * arguments.columnStride + k * arguments.innerStride) * kSize;
      packed.words[i * kSize / 4] |= loadGlobal<kSize>(element).words[0] << i * kSize % 4 * 8;
    }
  }
  storeGlobal(to, packed);
}

}  // namespace ait
