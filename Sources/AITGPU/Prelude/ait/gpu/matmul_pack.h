// Packs constant matrices of a product, once: each column becomes a row of K elements, followed by
// zeros up to a multiple of 16 bytes, so that the copy engine and 16-byte loads can take it
// whatever N and K are. Bound by memory; columns far apart cost a sector for each element.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_pack_config.h"

namespace ait {

/// Copies `kPacket` neighbours of the packed form by a thread. Elements are 16 bits wide, and
/// moved, not computed with.
AIT_DEVICE void packRows(const PackArguments& arguments) {
  constexpr int kPacket = PackShape::kPacket;
  launchDependents();
  const int packets = arguments.pitch / kPacket;
  const int64_t index = blockIndex() * PackShape::kThreads + threadIndex();
  int64_t row = index / packets;
  const int first = static_cast<int>(index - row * packets) * kPacket;
  const int64_t* extents = arguments.batchExtents;
  const int64_t rows = extents[0] * extents[1] * extents[2] * arguments.columns;
  waitForPrerequisites();
  if (row >= rows) return;
  char* to = static_cast<char*>(arguments.to) + index * kPacket * 2;
  const auto* from = static_cast<const char*>(arguments.from);
  from += row % arguments.columns * arguments.columnStride * 2;
  row /= arguments.columns;
  AIT_UNROLL
  for (int axis = 2; axis >= 0; --axis) {
    from += row % extents[axis] * arguments.batchStrides[axis] * 2;
    row /= extents[axis];
  }
  Words<16> packed = {{0, 0, 0, 0}};
  AIT_UNROLL
  for (int i = 0; i < kPacket; ++i) {
    if (first + i < arguments.depth) {
      const uint32_t bits = loadGlobal<2>(from + (first + i) * arguments.innerStride * 2).words[0];
      packed.words[i / 2] |= bits << i % 2 * 16;
    }
  }
  storeGlobal(to, packed);
}

}  // namespace ait
