// The configurations and the arguments of kernels that put rows in order, and of those that combine
// elements along an axis. Compiles on the host.
#pragma once

#include "ait/gpu/movement_config.h"

namespace ait {

/// How a block sorts entries. A configuration inherits from this.
struct SortDefaults {
  /// The threads of a block, and the entries that it has in shared memory.
  static constexpr int kThreads = 256;
  static constexpr int kEntries = 2048;
  /// What elements are compared in, and how wide their positions are.
  using Number = float;
  using Position = int32_t;
};

/// An element and where it comes from.
template <class T, class P>
struct Entry {
  T value;
  P position;
};

template <class Config>
struct SortShape : Config {
  using E = Entry<typename Config::Number, typename Config::Position>;
  static constexpr int kSharedBytes = Config::kEntries * static_cast<int>(sizeof(E));
  static_assert(kSharedBytes <= 48 << 10, "every launch may have 48 KB of shared memory");

  /// Whether rows are sorted in shared memory: whole, or by keeping the first while the others
  /// pass.
  AIT_ANYWHERE static constexpr bool isShared(int64_t count, int64_t kept) {
    return count <= Config::kEntries || kept <= Config::kEntries / 2;
  }
};

/// Rows of `extents[rank - 1]` elements. Operands: the input, the values, the positions.
template <int rank>
struct TopKArguments {
  int64_t extents[rank];
  OperandPlace<rank> operands[3];
  int64_t kept;
  /// All entries of a row for each, where they do not fit shared memory.
  void* workspace;
};

/// Corners, and the area that they have.
template <class T>
struct Box {
  T corners[4];
  T area;
};

/// Shared memory of a block: boxes and whether they are alive, or entries that are sorted.
template <class Config>
struct SuppressionShape : SortShape<Config> {
  using B = Box<typename Config::Number>;
  static constexpr int kTileBytes = Config::kThreads * static_cast<int>(sizeof(B) + sizeof(int));
  static constexpr int kSharedBytes = larger(SortShape<Config>::kSharedBytes, kTileBytes);
};

/// Batches of boxes.
struct SuppressionArguments {
  int64_t boxCount;
  int64_t most;
  int64_t candidates;
  OperandPlace<3> boxes;
  OperandPlace<2> scores;
  OperandPlace<2> positions;
  OperandPlace<1> counts;
  /// For each batch, its entries and the boxes that it keeps.
  char* workspace;
  int64_t bytesPerBatch;
};

/// The bytes of workspace of a batch: its entries, then corners and areas of the boxes kept.
template <class Config>
AIT_ANYWHERE constexpr int64_t suppressionBytes(int64_t boxes, int64_t most) {
  return ceilDivide(boxes * static_cast<int64_t>(sizeof(typename SortShape<Config>::E)) +
                        5 * most * static_cast<int64_t>(sizeof(typename Config::Number)),
                    16) *
         16;
}

/// How lines are combined along an axis. A configuration inherits from this.
struct ScanDefaults {
  static constexpr int kThreads = 256;
};

/// Lines of `extents[rank - 2]` elements, `extents[rank - 1]` of them side by side. Operands: the
/// input, the result.
template <int rank>
struct ScanArguments {
  int64_t extents[rank];
  OperandPlace<rank> operands[2];
  int64_t lines;
};

}  // namespace ait
