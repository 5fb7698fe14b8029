// C[b…] = epilogue(A[b…] B[b…], extras…) by warp groups: compute capability 9.0a.
//
//   struct Config : ait::MatmulHopperDefaults { using Element = ait::float16; … };
//   AIT_KERNEL(ait::MatmulHopperShape<Config>::kThreads, 1)
//   name(AIT_ARGUMENTS(ait::MatmulHopperArguments<Config, In, Out>) arguments) {
//     ait::matmulHopper<Config, Epilogue, In, Out>(arguments);
//   }
//
// One warp feeds the copy engine, which fills a ring of stages in shared memory; warp groups
// multiply out of it and hold the sums in registers. An element of C is the same number whatever M,
// N, the batch and the configuration but kSplitK: products are added in ascending K by the matrix
// units, and the parts of a split K in ascending order.
//
// A and B need addresses and strides that are multiples of 16 bytes; M, N and K may be any.
// Expected bound: the matrix units, 128 columns of a tile or more given.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue_pairs.h"
#include "ait/gpu/matmul_hopper_split.h"
#include "ait/gpu/matmul_tiles.h"
#include "ait/gpu/ring.h"

namespace ait {
namespace hopper {

/// Copies this block's part of the rows that a matrix in memory contributes to a stage.
///
/// - rows: the tile's extent along M or N; sharers: the blocks that share it; share: our place.
template <class Config, Major kMajor, int kRows, int kSharers, int kBoxRows, int kBatchRank>
AIT_DEVICE void copyPart(char* to, const TensorMap& map, TransferBarrier& barrier, int row, int k,
                         const MatmulTile<kBatchRank>& tile, uint32_t batchAxes, int share,
                         uint16_t peers) {
  constexpr int kStepK = MatmulHopperShape<Config>::kStepK;
  int position[5] = {0, 0, 0, 0, 0};
  AIT_UNROLL
  for (int axis = 0; axis < kBatchRank; ++axis) {
    position[2 + kBatchRank - 1 - axis] = batchAxes >> axis & 1 ? tile.position[axis] : 0;
  }
  if constexpr (kMajor == Major::k) {
    position[0] = k;
    position[1] = row + share * kBoxRows;
    copyTensor<2 + kBatchRank, (kSharers > 1)>(to + share * kBoxRows * 128, map, barrier, position,
                                               peers);
  } else {
    AIT_UNROLL
    for (int chunk = 0; chunk < kRows / 64; ++chunk) {
      position[0] = row + chunk * 64;
      position[1] = k + share * kBoxRows;
      copyTensor<2 + kBatchRank, (kSharers > 1)>(to + (chunk * kStepK + share * kBoxRows) * 128,
                                                 map, barrier, position, peers);
    }
  }
}

/// A as a matrix in memory: the rows of a tile, of which this block copies its share.
template <class Config, class In, class Out>
class MatrixRows {
  using Shape = MatmulHopperShape<Config>;
  using Tile = MatmulTile<Config::kBatchRank>;

 public:
  using Arguments = MatmulHopperArguments<Config, In, Out>;

  AIT_DEVICE MatrixRows(const Arguments& arguments, const Tile& tile, int share)
      : arguments_(arguments), tile_(tile), share_(share) {}

  AIT_DEVICE static int stepCount(const Arguments& arguments) {
    return (arguments.problem.K + Shape::kStepK - 1) / Shape::kStepK;
  }
  /// Where a step begins in the rows of B.
  AIT_DEVICE static int depthOf(const Arguments&, int step) { return step * Shape::kStepK; }

  AIT_DEVICE void copy(char* to, TransferBarrier& barrier, int step, uint16_t peers) const {
    copyPart<Config, Config::kMajorA, Shape::kTileM, Shape::kClusterN, Shape::kABoxRows>(
        to, arguments_.a, barrier, tile_.row, step * Shape::kStepK, tile_, arguments_.aBatchAxes,
        share_, peers);
  }

 private:
  const Arguments& arguments_;
  const Tile& tile_;
  int share_;
};

/// - Rows: copies stages of A, as `MatrixRows` does, and names the arguments of the launch.
template <class Config, class Body, class In, class Out, class Rows = MatrixRows<Config, In, Out>>
class Block {
  using Shape = MatmulHopperShape<Config>;
  using Element = typename Config::Element;
  using Arguments = typename Rows::Arguments;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  using Tile = MatmulTile<Config::kBatchRank>;
  using Split = SplitTile<Config, Epilogue>;
  static constexpr int kStages = Shape::kStages;
  static constexpr int kClusterSize = Shape::kClusterSize;
  static constexpr int kClusterM = Shape::kClusterM;
  static constexpr int kClusterN = Shape::kClusterN;
  /// Blocks whose ring this block's copies reach.
  static constexpr int kPeers = kClusterM + kClusterN - 1;

 public:
  AIT_DEVICE explicit Block(const Arguments& arguments)
      : arguments_(arguments),
        shared_(dynamicSharedMemory()),
        full_(reinterpret_cast<TransferBarrier*>(shared_ + Shape::kBarrierOffset)),
        empty_(full_ + kStages),
        received_(empty_ + kStages),
        order_(arguments.tiles, arguments.problem.batchExtents),
        rank_(kClusterSize > 1 ? clusterRank() : 0),
        rankN_(rank_ % kClusterN),
        rankM_(rank_ / kClusterN % kClusterM),
        rankK_(Shape::kSplitK > 1 ? rank_ / (kClusterN * kClusterM) : 0) {
    const int steps = Rows::stepCount(arguments);
    const int share = (steps + Shape::kSplitK - 1) / Shape::kSplitK;
    firstStep_ = rankK_ * share < steps ? rankK_ * share : steps;
    lastStep_ = firstStep_ + share < steps ? firstStep_ + share : steps;
  }

  AIT_DEVICE void run() {
    const int warp = warpIndex();
    const bool isProducer = warp >= Shape::kConsumers * 4;
    if (warp == Shape::kConsumers * 4 && laneIndex() == 0) {
      prefetchTensorMap(arguments_.a);
      prefetchTensorMap(arguments_.b);
      for (int stage = 0; stage < kStages; ++stage) {
        full_[stage].initialize(1);
        empty_[stage].initialize(Shape::kReaders * 4 * kPeers);
      }
      if constexpr (Shape::kSplitK > 1) {
        received_->initialize(1);
        received_->arriveExpecting(Shape::kReceiveBytes);
      }
      publishBarriers();
    }
    meet(isProducer);
    if (isProducer) {
      if constexpr (Shape::kExchangesRegisters) releaseRegisters<Shape::kProducerRegisters>();
      if (warp == Shape::kConsumers * 4 && laneIndex() == 0) produce();
      synchronizeWarp();
      if constexpr (kClusterSize > 1 && kPeers == 1) waitForCluster();
    } else {
      if constexpr (Shape::kExchangesRegisters) acquireRegisters<Shape::kConsumerRegisters>();
      consume(warp);
    }
    // A block's shared memory must outlive its peers' arrivals and reads.
    if constexpr (kClusterSize > 1) meetCluster();
  }

 private:
  /// Makes the barriers known to all who use them. The producer waits for its peers only if it
  /// copies to them: the first copies are not to wait for other warps.
  AIT_DEVICE static void meet(bool isProducer) {
    if constexpr (kPeers > 1) {
      meetCluster();
    } else if constexpr (kClusterSize > 1) {
      arriveAtCluster();
      if (!isProducer) waitForCluster();
    } else {
      synchronizeWarp();
      if (isProducer) {
        arriveAtThreads(2, Shape::kThreads);
      } else {
        synchronizeThreads(2, Shape::kThreads);
      }
    }
  }

  /// This block's part of the tiles that a cluster computes together, as the matrix units do.
  AIT_DEVICE Tile tileOf(int index) const {
    Tile tile = order_.tile(index);
    tile.row += rankM_ * Shape::kTileM;
    tile.column += rankN_ * Shape::kColumns;
    return tile;
  }

  template <class Action>
  AIT_DEVICE void forEachTile(Action&& action) const {
    const int cluster = static_cast<int>(blockIndex()) / kClusterSize;
    if constexpr (Config::kIsPersistent) {
      const int clusters = static_cast<int>(blockCount()) / kClusterSize;
      AIT_NO_UNROLL
      for (int index = cluster; index < order_.count(); index += clusters) {
        action(tileOf(index));
      }
    } else {
      action(tileOf(cluster));
    }
  }

  // MARK: Copies

  AIT_DEVICE void copyA(RingPlace<kStages> place, int step, const Rows& rows) const {
    const auto peers =
        static_cast<uint16_t>(((1u << kClusterN) - 1) << (rankK_ * kClusterM + rankM_) * kClusterN);
    rows.copy(shared_ + place.stage * Shape::kStageBytes, full_[place.stage], step, peers);
  }

  AIT_DEVICE void copyB(RingPlace<kStages> place, int step, const Tile& tile) const {
    uint32_t column = 0;
    for (int m = 0; m < kClusterM; ++m) column |= 1u << m * kClusterN;
    const auto peers = static_cast<uint16_t>(column << (rankK_ * kClusterM * kClusterN + rankN_));
    char* to = shared_ + place.stage * Shape::kStageBytes + Shape::kABytes;
    const auto copy = [&](char* to, const TensorMap& map) {
      copyPart<Config, Config::kMajorB, Shape::kColumns, kClusterM, Shape::kBBoxRows>(
          to, map, full_[place.stage], tile.column, Rows::depthOf(arguments_, step), tile,
          arguments_.bBatchAxes, rankM_, peers);
    };
    copy(to, arguments_.b);
    if constexpr (Config::kIsPaired) copy(to + Shape::kBBytes / 2, arguments_.second);
  }

  /// In the first round, keeps the copies that are under way few enough for the first to come soon:
  /// all that are under way come at the same time, and 48 KB keep them coming at full rate.
  AIT_DEVICE void startSlowly(int stage, int bytes) const {
    const int underWay = (48 * 1024 + bytes - 1) / bytes;
    if (stage >= underWay) full_[stage - underWay].wait(0);
  }

  /// The producer: one thread.
  AIT_DEVICE void produce() const {
    RingPlace<kStages> place;
    // Stages of the first tile that the constant factor, and then the other, is copied to before
    // the others.
    int ahead = arguments_.stagesAhead;
    if (ahead > lastStep_ - firstStep_) ahead = lastStep_ - firstStep_;
    bool isFirst = true;
    bool isFirstRound = ahead < kStages;
    forEachTile([&](const Tile& tile) {
      const Rows rows(arguments_, tile, rankN_);
      int step = firstStep_;
      if (isFirst) {
        RingPlace<kStages> early;
        AIT_NO_UNROLL
        for (int i = 0; i < ahead; ++i, early.advance()) {
          full_[early.stage].arriveExpecting(Shape::kStageBytes);
          if constexpr (Config::kIsTransposed) {
            copyA(early, step + i, rows);
          } else {
            copyB(early, step + i, tile);
          }
        }
        waitForPrerequisites();
        AIT_NO_UNROLL
        for (int i = 0; i < ahead; ++i, place.advance()) {
          startSlowly(i, Config::kIsTransposed ? Shape::kBBytes : Shape::kABytes);
          if constexpr (Config::kIsTransposed) {
            copyB(place, step + i, tile);
          } else {
            copyA(place, step + i, rows);
          }
        }
        step += ahead;
        isFirst = false;
      }
      AIT_NO_UNROLL
      for (; step < lastStep_; ++step) {
        // The phase before the first counts as ended: the first round does not wait.
        empty_[place.stage].wait(place.phase ^ 1);
        if (isFirstRound) startSlowly(place.stage, Shape::kStageBytes);
        full_[place.stage].arriveExpecting(Shape::kStageBytes);
        copyA(place, step, rows);
        copyB(place, step, tile);
        place.advance();
        isFirstRound = isFirstRound && place.stage != 0;
      }
    });
  }

  // MARK: Products

  AIT_DEVICE SharedMatrix matrixA(int stage, int row) const {
    const char* at = shared_ + stage * Shape::kStageBytes;
    return Config::kMajorA == Major::k
               ? SharedMatrix::alongK(at + row * 128)
               : SharedMatrix::across(at + row / 64 * kChunkBytes, kChunkBytes);
  }
  AIT_DEVICE SharedMatrix matrixB(int stage) const {
    const char* at = shared_ + stage * Shape::kStageBytes + Shape::kABytes;
    return Config::kMajorB == Major::k ? SharedMatrix::alongK(at)
                                       : SharedMatrix::across(at, kChunkBytes);
  }
  /// A stage's 64 rows or columns of a matrix that is not contiguous along K.
  static constexpr int kChunkBytes = Shape::kStepK * 128;
  /// The bytes from the first to the second instruction's part of a stage.
  static constexpr int kAdvanceA = Config::kMajorA == Major::k ? 32 : Shape::kInstructionK * 128;
  static constexpr int kAdvanceB = Config::kMajorB == Major::k ? 32 : Shape::kInstructionK * 128;

  using Sums = float[Shape::kBlocksM][Shape::kTileN / 2];

  /// Starts the products of a stage.
  AIT_DEVICE void multiply(Sums& sums, int stage, int group) const {
    const SharedMatrix b = matrixB(stage);
    beginProducts();
    AIT_UNROLL
    for (int i = 0; i < Shape::kStepK / Shape::kInstructionK; ++i) {
      AIT_UNROLL
      for (int block = 0; block < Shape::kBlocksM; ++block) {
        const SharedMatrix a = matrixA(stage, group * Shape::kGroupM + block * 64);
        WarpgroupProduct<Shape::kTileN>::template add<Element, Config::kMajorA, Config::kMajorB>(
            sums[block], a.advanced(i * kAdvanceA), b.advanced(i * kAdvanceB));
      }
    }
    commitProducts();
  }

  /// Tells the blocks that copy into this stage that this warp has read it.
  AIT_DEVICE void release(int stage) const {
    const int lane = laneIndex();
    if constexpr (kPeers == 1) {
      if (lane == 0) empty_[stage].arrive();
    } else if (lane < kPeers) {
      // Those in the same row of the cluster, then the others in the same column.
      const int m = lane < kClusterN
                        ? rankM_
                        : (lane - kClusterN < rankM_ ? lane - kClusterN : lane - kClusterN + 1);
      const int n = lane < kClusterN ? lane : rankN_;
      empty_[stage].arrivePeer((rankK_ * kClusterM + m) * kClusterN + n);
    }
  }

  /// A consumer: one warp of a warp group.
  ///
  /// A rehearsal is an epilogue for no row. The epilogue of the tutorial's first product took 3100
  /// cycles after one, and 3800 without, on an H200.
  AIT_DEVICE void consume(int warp) const {
    RingPlace<kStages> place;
    Epilogue epilogue(arguments_.problem);
    bool isRehearsal = Config::kRehearses && arguments_.isProgrammatic != 0;
    if (!isRehearsal) waitForPrerequisites();
    int index = static_cast<int>(blockIndex()) / kClusterSize;
    const int clusters = static_cast<int>(blockCount()) / kClusterSize;
    const int group = warp / 4;
    bool waitsForTurn = group > 0;
    if (Config::kIsPingPong && waitsForTurn) {
      index += clusters;
      place.advance(lastStep_ - firstStep_);
    }
    AIT_NO_UNROLL
    while (index < order_.count()) {
      Tile tile = tileOf(index);
      epilogue.seek(tile.position);
      Tile ofC = Config::kIsTransposed ? transposed(tile) : tile;
      ColumnExtras<Shape::kTileN, Shape::kStagedColumns, Epilogue, Shape::kKeepsExtras> columns;
      typename Split::Extras extras;
      Sums sums;
      AIT_UNROLL
      for (int block = 0; block < Shape::kBlocksM; ++block) {
        AIT_UNROLL
        for (int i = 0; i < Shape::kTileN / 2; ++i) sums[block][i] = 0;
      }
      float* staging =
          reinterpret_cast<float*>(shared_ + Shape::kStagingOffset) + warp * Shape::kWarpFloats;
      if (isRehearsal) {
        ofC.row = arguments_.problem.M;
        staging = reinterpret_cast<float*>(shared_ + Shape::kRehearsalOffset);
      } else {
        if (!Config::kIsPersistent) waitForPrerequisites();
        if constexpr (Shape::kSplitK == 1 && !Config::kIsTransposed && !Config::kIsPaired) {
          columns.load(epilogue, ofC.row, ofC.column);
        }
        if (Config::kIsPingPong && waitsForTurn) takeTurn(group);
        sumProducts(sums, place, Config::kIsPingPong ? 0 : group, [&] {
          if (Config::kIsPingPong && index + clusters < order_.count()) passTurn(group);
        });
        if constexpr (Shape::kStagesInRing) synchronizeThreads(1, Shape::kConsumerThreads);
        if constexpr (Shape::kSplitK > 1) {
          Split::send(sums, shared_, *received_, rankK_, rankM_ * kClusterN + rankN_);
          Split::load(extras, epilogue, ofC, rankK_);
          received_->wait(0);
        }
      }
      if constexpr (Shape::kSplitK > 1) {
        Split::finish(extras, shared_, epilogue, ofC, rankK_);
      } else {
        AIT_UNROLL
        for (int block = 0; block < Shape::kBlocksM; ++block) {
          const int row = rowOfWarp<Shape>(warp, block);
          if constexpr (Config::kIsPaired) {
            finishWarpPairs<Shape::kTileN>(epilogue, staging, sums[block], ofC.row + row,
                                           ofC.column);
          } else if constexpr (Config::kIsTransposed) {
            finishWarpColumns<Shape::kTileN>(epilogue, staging, sums[block], ofC.row,
                                             ofC.column + row);
          } else {
            finishWarpRows<Shape::kTileN, Shape::kStagedColumns>(
                epilogue, columns, staging, sums[block], ofC.row + row, ofC.column);
          }
        }
      }
      if (!isRehearsal) index += Config::kIsPersistent ? clusters : order_.count();
      if constexpr (Config::kIsPingPong) {
        // The other group's tile.
        index += clusters;
        place.advance(lastStep_ - firstStep_);
        waitsForTurn = true;
      }
      isRehearsal = false;
    }
  }

  /// Waits until the other group has seen all stages of the tile before: a barrier of a stage tells
  /// this round from the one before it, not from earlier ones.
  AIT_DEVICE static void takeTurn(int group) {
    synchronizeThreads(3 + group, Shape::kConsumerThreads);
  }
  AIT_DEVICE static void passTurn(int group) {
    arriveAtThreads(3 + (group ^ 1), Shape::kConsumerThreads);
  }

  AIT_DEVICE static Tile transposed(Tile tile) {
    const int row = tile.row;
    tile.row = tile.column;
    tile.column = row;
    return tile;
  }

  /// The sums of a tile, from the stages as they come.
  ///
  /// - group: whose rows of the tile these are.
  /// - end: called when the last products are under way.
  template <class End>
  AIT_DEVICE void sumProducts(Sums& sums, RingPlace<kStages>& place, int group, End&& end) const {
    // A stage is given back when the products of the next are under way.
    int previous = -1;
    AIT_NO_UNROLL
    for (int step = firstStep_; step < lastStep_; ++step) {
      full_[place.stage].wait(place.phase);
      // Not earlier: what starts next competes for the copies of this launch.
      if (step == firstStep_ + (lastStep_ - firstStep_) / 2) launchDependents();
      multiply(sums, place.stage, group);
      waitForProducts<1>();
      if (previous >= 0) release(previous);
      previous = place.stage;
      place.advance();
    }
    end();
    waitForProducts<0>();
    AIT_UNROLL
    for (int block = 0; block < Shape::kBlocksM; ++block) {
      AIT_UNROLL
      for (int i = 0; i < Shape::kTileN / 2; ++i) pinSum(sums[block][i]);
    }
    if (previous >= 0) release(previous);
  }

  const Arguments& arguments_;
  char* shared_;
  TransferBarrier* full_;
  TransferBarrier* empty_;
  TransferBarrier* received_;
  TileOrder<Shape::kTileM * Shape::kClusterM, Shape::kColumns * Shape::kClusterN,
            Config::kRasterGroup, Config::kBatchRank>
      order_;
  int rank_;
  int rankN_;
  int rankM_;
  int rankK_;
  int firstStep_;
  int lastStep_;
};

}  // namespace hopper

/// Computes tiles of a matrix product; see the head of this file.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void matmulHopper(const MatmulHopperArguments<Config, In, Out>& arguments) {
  hopper::Block<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
