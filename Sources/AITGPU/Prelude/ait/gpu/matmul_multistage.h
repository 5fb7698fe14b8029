// C[b…] = epilogue(A[b…] B[b…], extras…) by warps: compute capability 8.0 and later.
//
// All threads of a block copy stages of A and B to shared memory in the background, in rows of 128
// bytes whose 16-byte pieces are exchanged so that neither copies nor fragments meet a bank twice;
// warps multiply out of it. Any M, N, K, any alignment. An element of C is the same number whatever
// M, N, the batch and the configuration. Expected bound: the matrix units.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue_pairs.h"
#include "ait/gpu/matmul_multistage_config.h"
#include "ait/gpu/matmul_tiles.h"

namespace ait {

/// One operand's part of a stage: `kRows` rows of 128 bytes along K; or, contiguous along the other
/// axis, chunks of 128 bytes of that axis, each a row per element of K.
template <class Element, Major kMajor, int kRows, int kThreads, int kAlignment>
struct StagedMatrix {
  static constexpr int kSize = static_cast<int>(sizeof(Element));
  /// Elements of a row of a stage, and of a piece of it.
  static constexpr int kLine = 128 / kSize;
  static constexpr int kPiece = 16 / kSize;
  static constexpr int kPieces = kRows * 8;

  /// The place of the 16-byte piece `piece` of row `row`.
  AIT_DEVICE static char* at(char* base, int row, int piece) {
    // Words that lie along the other axis are fetched one by one, of four rows at a time.
    const int exchange = kMajor == Major::mn && kSize == 4 ? (row & 3) << 1 : row & 7;
    return base + row * 128 + ((piece ^ exchange) << 4);
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
      const int outer = kMajor == Major::k ? first + row : k + row % kLine;
      const int inner =
          kMajor == Major::k ? k + piece * kPiece : first + row / kLine * kLine + piece * kPiece;
      const int outerExtent = kMajor == Major::k ? extent : depth;
      const int innerExtent = kMajor == Major::k ? depth : extent;
      int valid = innerExtent - inner;
      valid = outer >= outerExtent || valid < 0 ? 0 : valid > kPiece ? kPiece : valid;
      const Element* from = valid > 0 ? matrix + outer * stride + inner : matrix;
      copyPiece(at(base, row, piece), from, valid);
    }
  }

  /// Copies a piece, of which `valid` elements exist; the others are zeros. It takes one copy in
  /// the background of 16 bytes, 2 of 8, or 4 of 4; single 16-bit elements take 8 loads, which
  /// threads wait for, and a store.
  AIT_DEVICE static void copyPiece(char* to, const Element* from, int valid) {
    if constexpr (kAlignment * kSize >= 4) {
      constexpr int kStep = smaller(kAlignment, kPiece);
      AIT_UNROLL
      for (int i = 0; i < kPiece; i += kStep) {
        const int left = valid - i < 0 ? 0 : valid - i > kStep ? kStep : valid - i;
        copyAsync<kStep * kSize>(to + i * kSize, left > 0 ? from + i : from, left * kSize);
      }
    } else {
      OperandPacket<Operand<Element, Access::contiguous, 1>, kPiece> packet;
      packet.load(from, 1, 0, valid);
      Words<16> words;
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) words.words[i] = packet.packet.words[i];
      storeShared(to, words);
    }
  }

  /// The fragments of 16 rows by 32 bytes of K, as four matrices of 8 rows by 16 bytes: rows 0 and
  /// 8 at the first half of K, then both at the second; with `kSwapsHalves`, both halves of K at
  /// row 0, then both at row 8. Words are rounded to tf32.
  template <bool kSwapsHalves>
  AIT_DEVICE static void load(uint32_t (&x)[4], char* base, int row, int k) {
    const int lane = laneIndex();
    const int rowHalf = kSwapsHalves ? lane / 16 : lane / 8 % 2;
    const int kHalf = kSwapsHalves ? lane / 8 % 2 : lane / 16;
    if constexpr (kMajor == Major::k) {
      loadMatrices<false>(x, at(base, row + rowHalf * 8 + lane % 8, k / kPiece + kHalf));
    } else if constexpr (kSize == 2) {
      loadMatrices<true>(
          x, at(base, row / kLine * kLine + k + kHalf * 8 + lane % 8, row % kLine / 8 + rowHalf));
    } else {
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int column = row % kLine + (kSwapsHalves ? i / 2 : i % 2) * 8 + lane / 4;
        const int line = row / kLine * kLine + k + (kSwapsHalves ? i % 2 : i / 2) * 4 + lane % 4;
        const char* word = at(base, line, column / kPiece) + column % kPiece * kSize;
        __builtin_memcpy(&x[i], __builtin_assume_aligned(word, 4), 4);
      }
    }
    if constexpr (kSize == 4) {
      AIT_UNROLL
      for (int i = 0; i < 4; ++i) x[i] = roundToTensorFloat(x[i]);
    }
  }
};

/// A matrix of the batch, of an operand that lies in memory.
template <class Element, int kRank>
AIT_DEVICE const Element* matrixAt(const OperandPlace<kRank + 1>& place,
                                   const int (&position)[kRank + 1]) {
  const auto* matrix = static_cast<const Element*>(place.base);
  AIT_UNROLL
  for (int axis = 0; axis < kRank; ++axis) matrix += position[axis] * place.strides[axis];
  return matrix;
}

/// A as a matrix in memory: the rows of a tile.
template <class Config, class In, class Out>
class StagedRows {
  using Shape = MatmulMultistageShape<Config>;
  using Element = typename Config::Element;
  static constexpr int kRank = Config::kBatchRank;

 public:
  using Arguments = MatmulMultistageArguments<Config, In, Out>;

  AIT_DEVICE StagedRows(const Arguments& arguments, const MatmulTile<kRank>& tile)
      : arguments_(arguments),
        matrix_(matrixAt<Element, kRank>(arguments.a, tile.position)),
        row_(tile.row) {}

  /// Copies a stage: step `step` of K.
  AIT_DEVICE void copy(char* to, int step) const {
    using A =
        StagedMatrix<Element, Config::kMajorA, Shape::kTileM, Shape::kThreads, Config::kAlignmentA>;
    const auto& problem = arguments_.problem;
    A::copy(to, matrix_, arguments_.a.strides[kRank], row_, problem.M, step * Shape::kStepK,
            problem.K);
  }

 private:
  const Arguments& arguments_;
  const Element* matrix_;
  int row_;
};

/// - Rows: copies stages of A, as `StagedRows` does, and names the arguments of the launch.
template <class Config, class Body, class In, class Out, class Rows = StagedRows<Config, In, Out>>
class MultistageBlock {
  using Shape = MatmulMultistageShape<Config>;
  using Element = typename Config::Element;
  using Arguments = typename Rows::Arguments;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  using A =
      StagedMatrix<Element, Config::kMajorA, Shape::kTileM, Shape::kThreads, Config::kAlignmentA>;
  /// B, or one of a pair.
  using B =
      StagedMatrix<Element, Config::kMajorB, Shape::kColumns, Shape::kThreads, Config::kAlignmentB>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kStages = Config::kStages;
  static constexpr int kBlocksM = Shape::kWarpM / 16;
  static constexpr int kStagedColumns = Shape::kStagedColumns;
  /// Where the second matrix of a pair begins in B's part of a stage.
  static constexpr int kSecond = Shape::kColumns * 128;

 public:
  AIT_DEVICE explicit MultistageBlock(const Arguments& arguments)
      : arguments_(arguments),
        shared_(dynamicSharedMemory()),
        tile_(TileOrder<Config::kTileM, Shape::kColumns, Config::kRasterGroup, kRank>(
                  arguments.tiles, arguments.problem.batchExtents)
                  .tile(static_cast<int>(blockIndex()))),
        a_(arguments, tile_),
        b_(matrix(arguments.b)) {}

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
    if constexpr (!Config::kIsPaired) {
      columns.load(epilogue, tile_.row, tile_.column + column);
    }
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
      const int first = tile_.row + row + block * 16;
      if constexpr (Config::kIsPaired) {
        finishWarpPairs<Shape::kWarpN>(epilogue, staging, sums[block], first,
                                       tile_.column + column / 2);
      } else {
        finishWarpRows<Shape::kWarpN, kStagedColumns>(epilogue, columns, staging, sums[block],
                                                      first, tile_.column + column);
      }
    }
  }

 private:
  AIT_DEVICE const Element* matrix(const OperandPlace<kRank + 1>& place) const {
    return matrixAt<Element, kRank>(place, tile_.position);
  }

  AIT_DEVICE void copy(int stage, int step) const {
    const auto& problem = arguments_.problem;
    char* to = shared_ + stage * Shape::kStageBytes;
    a_.copy(to, step);
    B::copy(to + Shape::kABytes, b_, arguments_.b.strides[kRank], tile_.column, problem.N,
            step * Shape::kStepK, problem.K);
    if constexpr (Config::kIsPaired) {
      B::copy(to + Shape::kABytes + kSecond, matrix(arguments_.second),
              arguments_.second.strides[kRank], tile_.column, problem.N, step * Shape::kStepK,
              problem.K);
    }
  }

  AIT_DEVICE static void multiply(float (&sums)[kBlocksM][Shape::kWarpN / 2], char* stage, int row,
                                  int column) {
    AIT_UNROLL
    for (int k = 0; k < Shape::kStepK; k += Shape::kInstructionK) {
      uint32_t a[kBlocksM][4];
      AIT_UNROLL
      for (int block = 0; block < kBlocksM; ++block) {
        A::template load<false>(a[block], stage, row + block * 16, k);
      }
      AIT_UNROLL
      for (int n = 0; n < Shape::kWarpN; n += 16) {
        uint32_t b[4];
        if constexpr (Config::kIsPaired) {
          // Half of a warp's columns are those of the second matrix.
          const bool isSecond = n >= Shape::kWarpN / 2;
          B::template load<true>(b, stage + Shape::kABytes + (isSecond ? kSecond : 0),
                                 column / 2 + n - (isSecond ? Shape::kWarpN / 2 : 0), k);
        } else {
          B::template load<true>(b, stage + Shape::kABytes, column + n, k);
        }
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
  Rows a_;
  const Element* b_;
};

/// Computes a tile of a matrix product; blocks as `matmulMultistageBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void matmulMultistage(const MatmulMultistageArguments<Config, In, Out>& arguments) {
  MultistageBlock<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
