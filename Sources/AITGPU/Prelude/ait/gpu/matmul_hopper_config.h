// The configuration of `matmulHopper`, and what follows from it. Compiles on the host, which needs
// the sizes for the launch.
#pragma once

#include "ait/gpu/matmul_config.h"

namespace ait {

/// The facts about a product that are known when it is compiled. A configuration inherits from this
/// and names `Element`, float16 or bfloat16; it may replace every constant.
///
/// M, N, A and B are those of the matrix units' product, which is C or, with `kIsTransposed`, its
/// transpose.
struct MatmulHopperDefaults : MatmulDefaults {
  /// The part of C that a block computes.
  static constexpr int kTileM = 128;
  static constexpr int kTileN = 128;
  /// The depth of the ring between the copy engine and the matrix units, in steps of 64 elements.
  static constexpr int kStages = 4;
  /// Warp groups that multiply; each takes an equal part of the rows, or whole tiles in turn.
  static constexpr int kConsumers = 2;
  /// Blocks of a cluster along M and N: those with the same rows share A, each loading a part for
  /// all; those with the same columns share B.
  static constexpr int kClusterM = 1;
  static constexpr int kClusterN = 1;
  /// Blocks of a cluster along K. Their sums are added in the order of K.
  static constexpr int kSplitK = 1;
  /// Whether blocks go on to further tiles: copies for the next one overlap the epilogue.
  static constexpr bool kIsPersistent = false;
  /// Whether the two warp groups of a persistent block have tiles of their own, in turn: one's
  /// epilogue runs while the other multiplies.
  static constexpr bool kIsPingPong = false;
  static constexpr Major kMajorA = Major::k;
  static constexpr Major kMajorB = Major::k;
  /// Whether the matrix units compute the transpose of C, B^T A^T: an instruction takes 64 rows,
  /// but as few as 8 columns, so that few rows of C cost the copies and products of few.
  static constexpr bool kIsTransposed = false;
  /// Tiles along M that are computed together before the next along N, for both to stay in the L2.
  static constexpr int kRasterGroup = 8;
  /// Whether blocks run their epilogue for no row while they wait for other launches, so that its
  /// code is near when it counts; it costs some registers.
  static constexpr bool kRehearses = false;
  /// Blocks that are to fit a multiprocessor, of this launch or of it and the next: it limits the
  /// registers of a thread.
  static constexpr int kBlocksPerMultiprocessor = 1;
};

/// What follows from a configuration.
template <class Config>
struct MatmulHopperShape : Config {
  using Config::kClusterM, Config::kClusterN, Config::kConsumers, Config::kSplitK;
  using Config::kStages, Config::kTileM, Config::kTileN;

  static constexpr int kElementSize = static_cast<int>(sizeof(typename Config::Element));
  /// The columns of C in a tile.
  static constexpr int kColumns = Config::kIsPaired ? kTileN / 2 : kTileN;
  /// Elements of K in a stage: a row of the 128-byte swizzle.
  static constexpr int kStepK = 128 / kElementSize;
  /// Elements of K in an instruction.
  static constexpr int kInstructionK = 32 / kElementSize;

  static constexpr int kConsumerThreads = kConsumers * 128;
  /// One warp beside the consumers feeds the copy engine. Where sums take most of a thread's
  /// registers, it is one of a whole warp group, which gives its registers to the consumers.
  static constexpr bool kExchangesRegisters =
      Config::kIsPingPong ||
      (kConsumers >= 2 && kTileM / kConsumers * kTileN >= 64 * (kConsumers == 2 ? 160 : 192));
  /// What consumers then have, and the warps that feed them: 65536 in all.
  static constexpr int kConsumerRegisters = kConsumers == 2 ? 232 : 160;
  static constexpr int kProducerRegisters = kConsumers == 2 ? 40 : 24;
  static constexpr int kThreads = kConsumerThreads + (kExchangesRegisters ? 128 : 32);
  static constexpr int kClusterSize = kClusterM * kClusterN * kSplitK;

  /// Warp groups that read a stage.
  static constexpr int kReaders = Config::kIsPingPong ? 1 : kConsumers;
  /// Rows of a warp group, and the instructions they take.
  static constexpr int kGroupM = kTileM / kReaders;
  static constexpr int kBlocksM = kGroupM / 64;

  static constexpr int kABytes = kTileM * 128;
  static constexpr int kBBytes = kTileN * 128;
  static constexpr int kStageBytes = kABytes + kBBytes;
  static constexpr int kRingBytes = kStages * kStageBytes;

  /// Columns that a warp stages at once on their way from the matrix units to rows. Persistent
  /// blocks stage beside the ring, which needs the room.
  static constexpr int kStagedColumns =
      Config::kIsPaired || (kTileN % 64 == 0 && !Config::kIsPersistent) ? 64 : 32;
  /// Whether extras of columns are loaded long before they are used: of wide tiles sums leave too
  /// few registers, and where tiles take turns the other's products hide the loads.
  static constexpr bool kKeepsExtras = kTileN <= 128 && !Config::kIsPingPong;
  /// The floats that a warp stages at once.
  static constexpr int kWarpFloats =
      Config::kIsTransposed ? kTileN * 20 : 16 * (kStagedColumns + 8);
  /// A tile of C. A block of a split product puts down its whole tile, and receives its rows' other
  /// sums; the pitch keeps lanes that store at once off each other's banks.
  static constexpr int kRowsOfC = Config::kIsTransposed ? kTileN : kTileM;
  static constexpr int kColumnsOfC = Config::kIsTransposed ? kTileM : kTileN;
  static constexpr int kPartPitch = kColumnsOfC + (Config::kIsTransposed ? 4 : 8);
  static constexpr int kPartBytes = kRowsOfC / kSplitK * kPartPitch * 4;
  static constexpr int kStagingBytes =
      kSplitK > 1 ? kSplitK * kPartBytes : kConsumers * 4 * kWarpFloats * 4;
  /// A block with one tile stages in the ring, which it has emptied.
  static constexpr bool kStagesInRing = !Config::kIsPersistent && kStagingBytes <= kRingBytes;
  static constexpr int kStagingOffset = kStagesInRing ? 0 : kRingBytes;
  static constexpr int kReceiveOffset = kRingBytes + (kStagesInRing ? 0 : kStagingBytes);
  static constexpr int kReceiveBytes = (kSplitK - 1) * kPartBytes;
  /// Where sums of a rehearsed epilogue go: one warp's staging, which is written and never used.
  static constexpr int kRehearsalOffset = kReceiveOffset + kReceiveBytes;
  static constexpr int kRehearsalBytes = Config::kRehearses ? kWarpFloats * 4 : 0;
  static constexpr int kBarrierOffset = kRehearsalOffset + kRehearsalBytes;
  /// The dynamic shared memory of a launch.
  static constexpr int kSharedBytes = kBarrierOffset + (2 * kStages + 1) * 8;

  /// The copy engine's boxes, innermost axis first: {kStepK, rows} of a matrix contiguous along K,
  /// {64, steps of K} of one that is not.
  static constexpr int kABoxRows =
      Config::kMajorA == Major::k ? kTileM / kClusterN : kStepK / kClusterN;
  static constexpr int kBBoxRows =
      Config::kMajorB == Major::k ? kColumns / kClusterM : kStepK / kClusterM;

  static_assert(kElementSize == 2, "the warp-group kernel multiplies float16 and bfloat16");
  static_assert(kConsumers >= 1 && kConsumers <= 3, "one to three warp groups multiply");
  static_assert(kTileM % (64 * kReaders) == 0, "a warp group computes a multiple of 64 rows");
  static_assert(kTileN <= 256 && kTileN % (Config::kIsTransposed ? 8 : 32) == 0,
                "a tile has a multiple of 32 columns (8 if transposed), at most 256");
  static_assert(Config::kMajorB == Major::k || kTileN % 64 == 0,
                "B contiguous along N is copied in boxes of 64 columns");
  static_assert(!Config::kIsPaired || (kTileN % 128 == 0 && kSplitK == 1 && !Config::kRehearses),
                "a paired tile has 64 columns of each matrix, and one block's sums");
  static_assert(kBlocksM * kTileN <= (Config::kIsPingPong ? 384
                                      : kConsumers == 3   ? 192
                                                          : 256),
                "sums beyond 128 registers of a thread spill, beyond 192 where tiles take turns "
                "and beyond 96 "
                "with three warp groups: a smaller tile, or another number of groups");
  static_assert(
      !Config::kIsPingPong || (Config::kIsPersistent && kConsumers == 2 && !Config::kIsPaired &&
                               !Config::kIsTransposed),
      "two warp groups of a persistent block take turns at tiles of one matrix's columns");
  static_assert(kABoxRows % 8 == 0 && kBBoxRows % 8 == 0,
                "blocks that share a tile copy whole groups of 8 rows of it");
  static_assert(kABoxRows <= 256 && kBBoxRows <= 256, "a box has at most 256 rows");
  static_assert(kStages >= 2, "copies and products overlap in at least 2 stages");
  static_assert(kClusterSize <= 16, "a cluster has at most 16 blocks (8 without an opt-in)");
  static_assert(kSplitK == 1 || !Config::kIsPersistent,
                "a split product computes one tile a cluster: its peers read the ring's memory");
  static_assert(!Config::kRehearses || (!Config::kIsPersistent && kSplitK == 1),
                "a persistent block has its epilogue's code near from the second tile on; a split "
                "product would rehearse on memory that copies write");
  static_assert(kRowsOfC % kSplitK == 0, "peers share the rows of a split tile");
  static_assert(kSharedBytes <= 232448, "a block has at most 227 KB of shared memory");
};

/// The arguments of `matmulHopper`. The maps are those of the matrix units' A and B with the axes
/// {k, m} (or {m, k} where A is contiguous along M), then batch axes, last first; boxes as above, 1
/// along the batch.
template <class Config, class In, class Out>
struct MatmulHopperArguments : SecondMatrix<TensorMap, Config::kIsPaired> {
  TensorMap a;
  TensorMap b;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
  TileCounts tiles;
  /// A bit per batch axis along which A and B move, bit 0 for the first axis; along the others they
  /// are broadcast, and their maps have the extent 1.
  uint32_t aBatchAxes;
  uint32_t bBatchAxes;
  /// The stages of C's right factor (B, or A if transposed) that are copied before launches before
  /// this one have finished; 0 if it is not constant.
  int32_t stagesAhead;
  /// Whether the launch may begin while the one before it ends.
  int32_t isProgrammatic;
};

/// The tiles of a cluster, for the arguments.
template <class Config>
AIT_ANYWHERE constexpr TileCounts matmulHopperTiles(int64_t M, int64_t N) {
  using Shape = MatmulHopperShape<Config>;
  return tileCounts(Config::kIsTransposed ? N : M, Config::kIsTransposed ? M : N,
                    Shape::kTileM * Shape::kClusterM, Shape::kColumns * Shape::kClusterN,
                    Config::kRasterGroup);
}

/// The blocks of a launch: for one tile each, or, for persistent blocks, as many as there is room
/// for, given the clusters that the device holds at once.
template <class Config>
AIT_ANYWHERE constexpr int64_t matmulHopperBlocks(int64_t M, int64_t N, int64_t batch,
                                                  int64_t clustersAtOnce) {
  using Shape = MatmulHopperShape<Config>;
  const TileCounts tiles = matmulHopperTiles<Config>(M, N);
  const int64_t clusters = int64_t{tiles.M} * tiles.N * batch;
  const bool isLimited = Config::kIsPersistent && clusters > clustersAtOnce;
  return (isLimited ? clustersAtOnce : clusters) * Shape::kClusterSize;
}

}  // namespace ait
