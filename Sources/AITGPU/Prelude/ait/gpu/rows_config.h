// The configuration and the arguments of the kernels that work on rows. Compiles on the host.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

/// When a normalisation loads its extras: when it needs them, which leaves registers for more rows
/// at a time; with its inputs, for rows so few that latency counts; or, if they are constants,
/// ahead of launches that the inputs depend on.
enum class ExtrasLoad { late, early, ahead };

/// How rows are shared among threads. A configuration inherits from this.
struct RowDefaults {
  /// What rows are computed in: float, or double.
  using Number = float;
  /// The axes that a row's columns have, where they do not join to one.
  static constexpr int kColumnAxes = 1;
  /// Threads that share a row: a power of two up to 1024.
  static constexpr int kThreadsPerRow = 32;
  /// Rows of a block; 1 if more than a warp shares a row.
  static constexpr int kRowsPerBlock = 8;
  /// Columns that a thread takes at once: as many as 16 bytes hold.
  static constexpr int kPacket = 8;
  /// Packets that a thread keeps of its row; rows that are longer than all keep are read again.
  static constexpr int kPackets = 2;
  /// What the number of columns, along the last axis of them, is known to be a multiple of.
  static constexpr int kColumnMultiple = 1;
  static constexpr ExtrasLoad kExtras = ExtrasLoad::late;
};

template <class Config>
struct RowShape : Config {
  using Config::kPacket, Config::kPackets, Config::kRowsPerBlock, Config::kThreadsPerRow;
  static constexpr int kThreads = kThreadsPerRow * kRowsPerBlock;
  /// The longest row that is read once.
  static constexpr int kKeptColumns = kThreadsPerRow * kPacket * kPackets;

  static_assert(kThreadsPerRow >= 1 && (kThreadsPerRow & (kThreadsPerRow - 1)) == 0,
                "the threads of a row are a power of two: they meet in a tree");
  static_assert(kThreadsPerRow <= 32 || kRowsPerBlock == 1,
                "rows that take more than a warp have a block each");
  static_assert(kThreads % 32 == 0 && kThreads <= 1024, "a block is 1 to 32 whole warps");
  static_assert(kPacket % 2 == 0, "columns are taken in pairs");
};

/// How rows that lie side by side, their columns across, are shared among threads. A configuration
/// inherits from this.
struct RowsAcrossDefaults {
  /// What rows are computed in: float, or double.
  using Number = float;
  /// Threads that have neighbouring packets of rows, and threads that share the columns of those.
  static constexpr int kRowThreads = 8;
  static constexpr int kColumnThreads = 32;
  /// Rows that a thread takes at once: as many as 16 bytes hold.
  static constexpr int kPacket = 8;
  /// Columns that a thread keeps; those of more are read again.
  static constexpr int kColumns = 4;
  /// What the number of rows side by side is known to be a multiple of.
  static constexpr int kRowMultiple = 1;
};

template <class Config>
struct RowsAcrossShape : Config {
  using Config::kColumnThreads, Config::kPacket, Config::kRowThreads;
  static constexpr int kThreads = kRowThreads * kColumnThreads;
  /// Rows of a block.
  static constexpr int kRows = kRowThreads * kPacket;
  /// A number of every row for every warp, twice.
  static constexpr int kSharedBytes =
      2 * kRows * (kThreads / 32) * static_cast<int>(sizeof(typename Config::Number));

  static_assert((kRowThreads & (kRowThreads - 1)) == 0 && kRowThreads <= 32,
                "threads that share columns meet in a tree");
  static_assert(kThreads % 32 == 0 && kThreads <= 1024, "a block is 1 to 32 whole warps");
};

/// The blocks of such a launch.
template <class Config>
AIT_ANYWHERE constexpr int64_t rowsAcrossBlocks(int64_t batch, int64_t rows) {
  return batch * ceilDivide(rows, RowsAcrossShape<Config>::kRows);
}

/// How the packets of a pointwise kernel are shared. A configuration inherits from this.
struct PointwiseDefaults {
  static constexpr int kThreads = 256;
  /// Columns that a thread takes at once: as many as 16 bytes of the widest operand hold.
  static constexpr int kPacket = 8;
  /// Packets of a thread: loads that are under way together.
  static constexpr int kPackets = 4;
  /// What the number of columns is known to be a multiple of.
  static constexpr int kColumnMultiple = 1;
};

/// The blocks of a pointwise launch.
template <class Config>
AIT_ANYWHERE constexpr int64_t pointwiseBlocks(int64_t rows, int64_t columns) {
  return ceilDivide(rows * ceilDivide(columns, Config::kPacket),
                    Config::kThreads * Config::kPackets);
}

/// How a pointwise kernel that transposes takes tiles. A configuration inherits from this.
struct PointwiseTileDefaults {
  static constexpr int kThreads = 256;
  /// The columns and rows of a tile: a power of two.
  static constexpr int kTile = 64;
  /// Columns that a thread takes at once: as many as 16 bytes of the widest operand hold.
  static constexpr int kPacket = 8;
  /// What the number of columns is known to be a multiple of.
  static constexpr int kColumnMultiple = 1;
  /// The shared memory in which the transposed operands are staged.
  static constexpr int kSharedBytes = 0;
};

/// The blocks of such a launch, a tile each.
template <class Config>
AIT_ANYWHERE constexpr int64_t pointwiseTiles(int64_t batch, int64_t rows, int64_t columns) {
  return batch * ceilDivide(rows, Config::kTile) * ceilDivide(columns, Config::kTile);
}

/// Extents, the columns last, and the operands: inputs, extras, outputs; strides as extents.
template <int rank, int operandCount>
struct RowArguments {
  static_assert(rank >= 1 && rank <= 8, "a loop over rows has 1 to 8 extents");
  int32_t extents[rank];
  int32_t rows;  // the product of all extents but the last
  OperandPlace<rank> operands[operandCount];
};

}  // namespace ait
