// C[b…] = epilogue(A[b…] B[b…], extras…) by warps: compute capability 8.0 and later.
//
// All threads of a block copy stages of A and B to shared memory in the background, in rows of 128
// bytes whose 16-byte pieces are exchanged so that neither copies nor fragments meet a bank twice;
// warps multiply out of it. Any M, N, K, any alignment. An element of C is the same number whatever
// M, N, the batch and the configuration. Expected bound: the matrix units.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue.h"
#include "ait/gpu/matmul_multistage_config.h"
#include "ait/gpu/matmul_tiles.h"

namespace ait {

/// One operand's part of a stage: `kRows` rows of 64 elements of K; or, contiguous along the other
/// axis, chunks of 64 of that axis, each 64 rows, one per element of K.
template <class Element, Major kMajor, int kRows, int kThreads, int kAlignment>
struct StagedMatrix {
  static constexpr int kPieces = kRows * 8;

  /// The place of the 16-byte piece `piece` of row `row`.
  AIT_DEVICE static char* at(char* base, int row, int piece) {
    return base + row * 128 + ((piece ^ row & 7) << 4);
  }

  /// Copies a stage: rows from `first` of `extent`, K from `k` of `depth`.
  AIT_DEVICE static void copy(char* base, const Element* matrix, int64_t stride, int first,
                              int extent, int k, int depth) {
    AIT_UNROLL
    for (int i = 0; i < kPieces; i += kThreads) {
      const int index = i + threadIndex();
      const int row = index / 8;
      const int piece = index % 8;
      // A row in memory, and the place in it.
      const int outer = kMajor == Major::k ? first + row : k + row % 64;
      const int inner = kMajor == Major::k ? k + piece * 8 : first + row / 64 * 64 + piece * 8;
      const int outerExtent = kMajor == Major::k ? extent : depth;
      const int innerExtent = kMajor == Major::k ? depth : extent;
      int valid = innerExtent - inner;
      valid = outer >= outerExtent || valid < 0 ? 0 : valid > 8 ? 8 : valid;
      const Element* from = valid > 0 ? matrix + outer * stride + inner : matrix;
      copyPiece(at(base, row, piece), from, valid);
    }
  }

  /// Copies 8 elements, of which `valid` exist; the others are zeros.
  AIT_DEVICE static void copyPiece(char* to, const Element* from, int valid) {
    if constexpr (kAlignment >= 2) {
      constexpr int kStep = smaller(kAlignment, 8);
      AIT_UNROLL
      for (int i = 0; i < 8; i += kStep) {
        const int left = valid - i < 0 ? 0 : valid - i > kStep ? kStep : valid - i;
        copyAsync<kStep * 2>(to + i * 2, left > 0 ? from + i : from, left * 2);
      }
    } else {
      OperandPacket<Operand<Element, Access::contiguous, 1>, 8> packet;
      packet.load(from, 1, 0, valid);
      Words<16> words;
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) words.words[i] = packet.packet.words[i];
      storeShared(to, words);
    }
  }

  /// The fragments of 16 rows by 16 elements of K, as four 8 x 8 matrices: rows 0 and 8 at K 0,
  /// then both at K 8; with `kSwapsHalves`, K 0 and 8 at row 0, then both at row 8.
  template <bool kSwapsHalves>
  AIT_DEVICE static void load(uint32_t (&x)[4], char* base, int row, int k) {
    const int lane = laneIndex();
    const int rowHalf = kSwapsHalves ? lane / 16 : lane / 8 % 2;
    const int kHalf = kSwapsHalves ? lane / 8 % 2 : lane / 16;
    if constexpr (kMajor == Major::k) {
      loadMatrices<false>(x, at(base, row + rowHalf * 8 + lane % 8, k / 8 + kHalf));
    } else {
      loadMatrices<true>(
          x, at(base, row / 64 * 64 + k + kHalf * 8 + lane % 8, row % 64 / 8 + rowHalf));
    }
  }
};

template <class Config, class Body, class In, class Out>
class MultistageBlock {
  using Shape = MatmulMultistageShape<Config>;
  using Element = typename Config::Element;
  using Arguments = MatmulMultistageArguments<Config, In, Out>;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  using A =
      StagedMatrix<Element, Config::kMajorA, Shape::kTileM, Shape::kThreads, Config::kAlignmentA>;
  using B =
      StagedMatrix<Element, Config::kMajorB, Shape::kTileN, Shape::kThreads, Config::kAlignmentB>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kStages = Config::kStages;
  static constexpr int kBlocksM = Shape::kWarpM / 16;
  static constexpr int kStagedColumns = Shape::kStagedColumns;

 public:
  AIT_DEVICE explicit MultistageBlock(const Arguments& arguments)
      : arguments_(arguments), shared_(dynamicSharedMemory()) {
    const TileOrder<Config::kTileM, Config::kTileN, Config::kRasterGroup, kRank> order(
        arguments.problem);
    tile_ = order.tile(static_cast<int>(blockIndex()));
    a_ = static_cast<const Element*>(arguments.a.base);
    b_ = static_cast<const Element*>(arguments.b.base);
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) {
      a_ += tile_.position[axis] * arguments.a.strides[axis];
      b_ += tile_.position[axis] * arguments.b.strides[axis];
    }
  }

  AIT_DEVICE void run() {
    launchDependents();
    const auto& problem = arguments_.problem;
    const int steps = (problem.K + Shape::kStepK - 1) / Shape::kStepK;
    const int warp = warpIndex();
    const int row = warp / Config::kWarpsN * Shape::kWarpM;
    const int column = warp % Config::kWarpsN * Shape::kWarpN;
    float sums[kBlocksM][Shape::kWarpN / 2];
    AIT_UNROLL
    for (int block = 0; block < kBlocksM; ++block) {
      AIT_UNROLL
      for (int i = 0; i < Shape::kWarpN / 2; ++i) sums[block][i] = 0;
    }
    Epilogue epilogue(problem);
    epilogue.seek(tile_.position);
    waitForPrerequisites();
    ColumnExtras<Shape::kWarpN, kStagedColumns, Epilogue> columns;
    columns.load(epilogue, tile_.row, tile_.column + column);
    AIT_UNROLL
    for (int stage = 0; stage < kStages - 1; ++stage) {
      if (stage < steps) copy(stage, stage);
      commitCopies();
    }
    int stage = 0;
    AIT_NO_UNROLL
    for (int step = 0; step < steps; ++step) {
      waitForCopies<kStages - 2>();
      // All have copied this stage, and all have read the one that is copied to next.
      synchronizeBlock();
      const int next = step + kStages - 1;
      if (next < steps) copy(stage == 0 ? kStages - 1 : stage - 1, next);
      commitCopies();
      multiply(sums, shared_ + stage * Shape::kStageBytes, row, column);
      stage = stage + 1 == kStages ? 0 : stage + 1;
    }
    waitForCopies<0>();
    synchronizeBlock();
    float* staging = reinterpret_cast<float*>(shared_) + warp * Staging<kStagedColumns>::kFloats;
    AIT_UNROLL
    for (int block = 0; block < kBlocksM; ++block) {
      finishWarpRows<Shape::kWarpN, kStagedColumns>(epilogue, columns, staging, sums[block],
                                                    tile_.row + row + block * 16,
                                                    tile_.column + column);
    }
  }

 private:
  AIT_DEVICE void copy(int stage, int step) const {
    const auto& problem = arguments_.problem;
    char* to = shared_ + stage * Shape::kStageBytes;
    A::copy(to, a_, arguments_.a.strides[kRank], tile_.row, problem.M, step * Shape::kStepK,
            problem.K);
    B::copy(to + Shape::kABytes, b_, arguments_.b.strides[kRank], tile_.column, problem.N,
            step * Shape::kStepK, problem.K);
  }

  AIT_DEVICE static void multiply(float (&sums)[kBlocksM][Shape::kWarpN / 2], char* stage, int row,
                                  int column) {
    AIT_UNROLL
    for (int k = 0; k < Shape::kStepK; k += 16) {
      uint32_t a[kBlocksM][4];
      AIT_UNROLL
      for (int block = 0; block < kBlocksM; ++block) {
        A::template load<false>(a[block], stage, row + block * 16, k);
      }
      AIT_UNROLL
      for (int n = 0; n < Shape::kWarpN; n += 16) {
        uint32_t b[4];
        B::template load<true>(b, stage + Shape::kABytes, column + n, k);
        AIT_UNROLL
        for (int block = 0; block < kBlocksM; ++block) {
          AIT_UNROLL
          for (int half = 0; half < 2; ++half) {
            auto& sum = *reinterpret_cast<float (*)[4]>(&sums[block][(n / 8 + half) * 4]);
            multiplyTiles<Element>(sum, a[block], b[half * 2], b[half * 2 + 1]);
          }
        }
      }
    }
  }

  const Arguments& arguments_;
  char* shared_;
  MatmulTile<kRank> tile_;
  const Element* a_;
  const Element* b_;
};

/// Computes a tile of a matrix product; blocks as `matmulMultistageBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void matmulMultistage(const MatmulMultistageArguments<Config, In, Out>& arguments) {
  MultistageBlock<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
