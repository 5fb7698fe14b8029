// C[b…] = epilogue(A[b…] B[b…], extras…) by the threads' own arithmetic units, for element types
// that the matrix units do not take or do not keep exact: float32, float64, integers. Compute
// capability 8.0 and later.
//
// All threads of a block copy steps of 8 elements of K of A and B to shared memory in the
// background, K outermost, whichever axis the operand is contiguous along; a thread multiplies
// blocks of 4 x 4 out of it and holds their sums in registers. Any M, N, K, any strides. An element
// of C is the same number whatever M, N, the batch and the configuration: products are added one by
// one in ascending K. Expected bound: the arithmetic units; of operands contiguous along neither
// axis, a memory sector for each element.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue.h"
#include "ait/gpu/matmul_simt_config.h"
#include "ait/gpu/matmul_simt_numbers.h"
#include "ait/gpu/matmul_tiles.h"

namespace ait {
namespace simt {

/// A thread's copies of one operand: `kRows` rows or columns of C, step after step of K.
template <class Element, Major kMajor, bool kIsStrided, int kAlignment, int kRows, int kStepK,
          int kPitch, int kThreads>
class Copier {
  using Number = SumType<Element>;
  static constexpr int kSize = static_cast<int>(sizeof(Element));
  static constexpr bool kIsAlongK = kMajor == Major::k;
  /// Neighbours of the other axis that are copied at once: they are neighbours in a stage as well.
  static constexpr int kWidth =
      kIsAlongK || kIsStrided || kSize < 4 ? 1 : smaller(16 / kSize, kAlignment);
  /// Neighbouring threads copy what lies on one line of memory.
  static constexpr int kLanes = kIsAlongK ? kStepK : kRows / kWidth;
  static constexpr int kLines = kIsAlongK ? kRows : kStepK;
  static constexpr bool kHasAllLanes = kThreads >= kLanes;
  static constexpr int kLaneSteps = kHasAllLanes ? 1 : kLanes / kThreads;
  static constexpr int kLinesAtOnce = kHasAllLanes ? kThreads / kLanes : 1;
  static constexpr int kLineSteps = (kLines + kLinesAtOnce - 1) / kLinesAtOnce;
  static_assert(kThreads % kLanes == 0 || kLanes % kThreads == 0, "threads share a line evenly");

 public:
  /// - first, extent: the tile's first row, and how many there are; depth: the extent of K.
  AIT_DEVICE Copier(const Element* matrix, int64_t rowStride, int64_t innerStride, int first,
                    int extent, int depth)
      : matrix_(matrix),
        lane_(threadIndex() % kLanes),
        line_(threadIndex() / kLanes),
        rows_(extent - first),
        depth_(depth) {
    if constexpr (!kIsStrided) (kIsAlongK ? innerStride : rowStride) = 1;
    from_ = matrix + first * rowStride +
            (kIsAlongK ? lane_ * innerStride + line_ * rowStride
                       : lane_ * kWidth * rowStride + line_ * innerStride);
    laneStride_ = (kIsAlongK ? innerStride : rowStride * kWidth) * kThreads;
    lineStride_ = (kIsAlongK ? rowStride : innerStride) * kLinesAtOnce;
    stepStride_ = innerStride * kStepK;
  }

  /// Copies the next step of K to a stage; zeros where the operand has no elements.
  AIT_DEVICE void copy(Number* stage) {
    const Element* from = from_;
    AIT_UNROLL
    for (int i = 0; i < kLineSteps; ++i) {
      const int line = line_ + i * kLinesAtOnce;
      if (kLines % kLinesAtOnce == 0 || line < kLines) {
        AIT_UNROLL
        for (int j = 0; j < kLaneSteps; ++j) {
          const int lane = lane_ + j * kThreads;
          const int row = kIsAlongK ? line : lane * kWidth;
          const int k = kIsAlongK ? lane : line;
          int valid = k < depth_ ? rows_ - row : 0;
          valid = valid < 0 ? 0 : valid > kWidth ? kWidth : valid;
          copyPiece(stage + k * kPitch + row, from + j * laneStride_, valid);
        }
      }
      from += lineStride_;
    }
    from_ += stepStride_;
    depth_ -= kStepK;
  }

 private:
  AIT_DEVICE void copyPiece(Number* to, const Element* from, int valid) const {
    if constexpr (kSize >= 4) {
      copyAsync<kWidth * kSize>(to, valid > 0 ? from : matrix_, valid * kSize);
    } else {
      Number number = 0;
      if (valid > 0) number = loadNumber(from);
      *to = number;
    }
  }

  const Element* matrix_;
  const Element* from_;
  int64_t laneStride_;
  int64_t lineStride_;
  int64_t stepStride_;
  int lane_;
  int line_;
  int rows_;
  int depth_;
};

/// Where a block takes its operands from: matrices in memory.
template <class Config, class In, class Out>
struct MatrixSources {
  using Shape = MatmulSimtShape<Config>;
  using Element = typename Config::Element;
  using Arguments = MatmulSimtArguments<Config, In, Out>;
  using Tile = MatmulTile<Config::kBatchRank>;
  static constexpr int kRank = Config::kBatchRank;
  using CopierA = Copier<Element, Config::kMajorA, Config::kIsStridedA, Config::kAlignmentA,
                         Config::kTileM, Shape::kStepK, Shape::kPitchA, Shape::kThreads>;
  using CopierB = Copier<Element, Config::kMajorB, Config::kIsStridedB, Config::kAlignmentB,
                         Config::kTileN, Shape::kStepK, Shape::kPitchB, Shape::kThreads>;

  AIT_DEVICE static CopierA a(const Arguments& arguments, const Tile& tile) {
    return CopierA(matrix(arguments.a, tile), arguments.a.strides[kRank],
                   arguments.a.strides[kRank + 1], tile.row, arguments.problem.M,
                   arguments.problem.K);
  }
  AIT_DEVICE static CopierB b(const Arguments& arguments, const Tile& tile) {
    return CopierB(matrix(arguments.b, tile), arguments.b.strides[kRank],
                   arguments.b.strides[kRank + 1], tile.column, arguments.problem.N,
                   arguments.problem.K);
  }

 private:
  AIT_DEVICE static const Element* matrix(const OperandPlace<kRank + 2>& operand,
                                          const Tile& tile) {
    const auto* matrix = static_cast<const Element*>(operand.base);
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) matrix += tile.position[axis] * operand.strides[axis];
    return matrix;
  }
};

template <class Config, class Body, class In, class Out,
          class Sources = MatrixSources<Config, In, Out>>
class Block {
  using Shape = MatmulSimtShape<Config>;
  using Number = typename Shape::Number;
  using Arguments = typename Sources::Arguments;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kStages = Config::kStages;
  static constexpr int kStepK = Shape::kStepK;
  static constexpr int kBlocksM = Shape::kBlocksM;
  static constexpr int kBlocksN = Shape::kBlocksN;
  using Sums = Number[kBlocksM * 4][kBlocksN * 4];

 public:
  AIT_DEVICE explicit Block(const Arguments& arguments)
      : arguments_(arguments), shared_(reinterpret_cast<Number*>(dynamicSharedMemory())) {
    const int warp = warpIndex();
    row_ = warp / Config::kWarpsN * Shape::kWarpM + laneIndex() / 8 * 4;
    column_ = warp % Config::kWarpsN * Shape::kWarpN + laneIndex() % 8 * 4;
  }

  AIT_DEVICE void run() const {
    launchDependents();
    const auto& problem = arguments_.problem;
    const int steps = (problem.K + kStepK - 1) / kStepK;
    const auto place = tile();
    auto a = Sources::a(arguments_, place);
    auto b = Sources::b(arguments_, place);
    Sums sums;
    AIT_UNROLL
    for (int i = 0; i < kBlocksM * 4; ++i) {
      AIT_UNROLL
      for (int j = 0; j < kBlocksN * 4; ++j) sums[i][j] = 0;
    }
    waitForPrerequisites();
    AIT_UNROLL
    for (int stage = 0; stage < kStages - 1; ++stage) {
      if (stage < steps) {
        a.copy(stageOf(stage));
        b.copy(stageOf(stage) + kStepK * Shape::kPitchA);
      }
      commitCopies();
    }
    int stage = 0;
    int free = kStages - 1;
    AIT_NO_UNROLL
    for (int step = 0; step < steps; ++step) {
      waitForCopies<kStages - 2>();
      // All have copied this stage, and all have read the one that is copied to next.
      synchronizeBlock();
      if (step + kStages - 1 < steps) {
        a.copy(stageOf(free));
        b.copy(stageOf(free) + kStepK * Shape::kPitchA);
      }
      commitCopies();
      multiply(sums, stageOf(stage));
      free = stage;
      stage = stage + 1 == kStages ? 0 : stage + 1;
    }
    waitForCopies<0>();
    finish(sums);
  }

 private:
  /// The block's tile, computed when it is needed: kept, it would take registers from the sums.
  AIT_DEVICE MatmulTile<kRank> tile() const {
    const TileOrder<Config::kTileM, Config::kTileN, Config::kRasterGroup, kRank> order(
        arguments_.tiles, arguments_.problem.batchExtents);
    return order.tile(static_cast<int>(blockIndex()));
  }

  AIT_DEVICE Number* stageOf(int stage) const { return shared_ + stage * Shape::kStageSize; }

  AIT_DEVICE void multiply(Sums& sums, const Number* stage) const {
    const Number* a = stage + row_;
    const Number* b = stage + kStepK * Shape::kPitchA + column_;
    AIT_UNROLL
    for (int k = 0; k < kStepK; ++k) {
      Quad<Number> rows[kBlocksM];
      Quad<Number> columns[kBlocksN];
      AIT_UNROLL
      for (int block = 0; block < kBlocksM; ++block) {
        rows[block] = *reinterpret_cast<const Quad<Number>*>(a + k * Shape::kPitchA + block * 16);
      }
      AIT_UNROLL
      for (int block = 0; block < kBlocksN; ++block) {
        columns[block] =
            *reinterpret_cast<const Quad<Number>*>(b + k * Shape::kPitchB + block * 32);
      }
      AIT_UNROLL
      for (int i = 0; i < kBlocksM * 4; ++i) {
        AIT_UNROLL
        for (int j = 0; j < kBlocksN * 4; ++j) {
          sums[i][j] =
              multiplyAdd(rows[i / 4].values[i % 4], columns[j / 4].values[j % 4], sums[i][j]);
        }
      }
    }
  }

  /// Finishes the sums, 4 columns of a row at a time; the extras of 2 rows are loaded together:
  /// those of more find no registers.
  AIT_DEVICE void finish(const Sums& sums) const {
    Epilogue epilogue(arguments_.problem);
    const auto place = tile();
    epilogue.seek(place.position);
    AIT_UNROLL
    for (int block = 0; block < kBlocksM * kBlocksN; ++block) {
      const int blockM = block / kBlocksN;
      const int blockN = block % kBlocksN;
      const auto rowOf = [&](int i) {
        return epilogue.row(place.row + row_ + blockM * 16 + i,
                            place.column + column_ + blockN * 32);
      };
      AIT_UNROLL
      for (int first = 0; first < 4; first += 2) {
        typename Epilogue::template Extras<4> extras[2];
        AIT_UNROLL
        for (int i = 0; i < 2; ++i) rowOf(first + i).template load<4>(extras[i], 0);
        AIT_UNROLL
        for (int i = 0; i < 2; ++i) {
          Values<Number, 4> values;
          AIT_UNROLL
          for (int j = 0; j < 4; ++j) {
            values.values[j] = sums[blockM * 4 + first + i][blockN * 4 + j];
          }
          rowOf(first + i).template finish<4>(values, extras[i], 0);
        }
      }
    }
  }

  const Arguments& arguments_;
  Number* shared_;
  int row_;
  int column_;
};

}  // namespace simt

/// Computes a tile of a matrix product; blocks as `matmulSimtBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void matmulSimt(const MatmulSimtArguments<Config, In, Out>& arguments) {
  simt::Block<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
