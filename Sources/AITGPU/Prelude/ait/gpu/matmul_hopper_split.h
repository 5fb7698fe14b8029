// The end of a product whose K is split among the blocks of a cluster: sums meet in shared memory.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue.h"
#include "ait/gpu/matmul_hopper_config.h"
#include "ait/gpu/matmul_tiles.h"

namespace ait {
namespace hopper {

/// The first of the 16 rows of a warp in one of its group's blocks of 64 rows.
template <class Shape>
AIT_DEVICE int rowOfWarp(int warp, int block) {
  const int group = Shape::kIsPingPong ? 0 : warp / 4;
  return group * Shape::kGroupM + block * 64 + warp % 4 * 16;
}

/// A tile of which every block of a cluster has a part of the sums. Each finishes an equal share of
/// the rows: it sends the others' rows to them and adds what it receives, in the order of K.
///
/// A block receives beside the ring: peers may still be multiplying. Bound by the way between
/// multiprocessors, some 14 bytes a cycle on an H200.
template <class Config, class Epilogue>
class SplitTile {
  using Shape = MatmulHopperShape<Config>;
  using Tile = MatmulTile<Config::kBatchRank>;
  using Sums = float[Shape::kBlocksM][Shape::kTileN / 2];
  static constexpr int kParts = Shape::kSplitK;
  static constexpr int kRows = Shape::kRowsOfC / kParts;
  static constexpr int kColumns = Shape::kColumnsOfC;
  /// Quadruples of columns of a share, and those that a thread finishes.
  static constexpr int kQuads = kRows * kColumns / 4;
  static constexpr int kQuadsPerThread =
      (kQuads + Shape::kConsumerThreads - 1) / Shape::kConsumerThreads;

  /// A quadruple's row in the share, and its first column.
  struct Quad {
    int row;
    int column;
    bool exists;
  };
  AIT_DEVICE static Quad quad(int i) {
    const int index = i * Shape::kConsumerThreads + threadIndex();
    return {index / (kColumns / 4), index % (kColumns / 4) * 4,
            kQuads % Shape::kConsumerThreads == 0 || index < kQuads};
  }

 public:
  using Extras = typename Epilogue::template Extras<4>[kQuadsPerThread];

  /// Leaves a block's sums in shared memory, and sends each peer those of its rows. Those of its
  /// own have come when the phase of `received` ends.
  ///
  /// - rank: the block's among those of its cluster with the same part of K.
  AIT_DEVICE static void send(const Sums& sums, char* shared, TransferBarrier& received, int rankK,
                              int rank) {
    float* tile = reinterpret_cast<float*>(shared + Shape::kStagingOffset);
    const int lane = laneIndex();
    const int warp = threadIndex() / 32;
    AIT_UNROLL
    for (int block = 0; block < Shape::kBlocksM; ++block) {
      AIT_UNROLL
      for (int i = 0; i < Shape::kTileN / 2; i += 2) {
        const int row = rowOfWarp<Shape>(warp, block) + lane / 4 + i / 2 % 2 * 8;
        const int column = i / 4 * 8 + lane % 4 * 2;
        if constexpr (Shape::kIsTransposed) {
          tile[column * Shape::kPartPitch + row] = sums[block][i];
          tile[(column + 1) * Shape::kPartPitch + row] = sums[block][i + 1];
        } else {
          storeShared(tile + row * Shape::kPartPitch + column, sums[block][i], sums[block][i + 1]);
        }
      }
    }
    publishSharedMemory();
    synchronizeThreads(1, Shape::kConsumerThreads);
    const int k = threadIndex();
    if (k < kParts && k != rankK) {
      copyToPeer(shared + Shape::kReceiveOffset + placeOf(rankK, k) * Shape::kPartBytes,
                 shared + Shape::kStagingOffset + k * Shape::kPartBytes, Shape::kPartBytes,
                 received, k * Shape::kClusterM * Shape::kClusterN + rank);
    }
  }

  /// Loads the extras of a block's share, while the parts of its peers come: the sums have left
  /// their registers.
  AIT_DEVICE static void load(Extras& extras, const Epilogue& epilogue, const Tile& tile,
                              int rankK) {
    AIT_UNROLL
    for (int i = 0; i < kQuadsPerThread; ++i) {
      const Quad at = quad(i);
      if (!at.exists) continue;
      epilogue.row(tile.row + rankK * kRows + at.row, tile.column + at.column)
          .template load<4>(extras[i], 0);
    }
  }

  /// Adds the parts of a block's share of the rows in the order of K, and finishes them.
  AIT_DEVICE static void finish(const Extras& extras, const char* shared, const Epilogue& epilogue,
                                const Tile& tile, int rankK) {
    AIT_UNROLL
    for (int i = 0; i < kQuadsPerThread; ++i) {
      const Quad at = quad(i);
      if (!at.exists) continue;
      const int place = at.row * Shape::kPartPitch + at.column;
      Values<float, 4> sum;
      loadShared(part(shared, 0, rankK) + place, sum.values);
      AIT_UNROLL
      for (int k = 1; k < kParts; ++k) {
        float x[4];
        loadShared(part(shared, k, rankK) + place, x);
        AIT_UNROLL
        for (int column = 0; column < 4; ++column) sum.values[column] += x[column];
      }
      epilogue.row(tile.row + rankK * kRows + at.row, tile.column + at.column)
          .template finish<4>(sum, extras[i], 0);
    }
  }

 private:
  /// Where block `to` receives the part `from` of K: in their order, without its own.
  AIT_DEVICE static int placeOf(int from, int to) { return from - (from > to ? 1 : 0); }

  /// The sums of a block's share from a part of K: its own, or what it has received.
  AIT_DEVICE static const float* part(const char* shared, int k, int rankK) {
    return reinterpret_cast<const float*>(
        k == rankK ? shared + Shape::kStagingOffset + rankK * Shape::kPartBytes
                   : shared + Shape::kReceiveOffset + placeOf(k, rankK) * Shape::kPartBytes);
  }
};

}  // namespace hopper
}  // namespace ait
