// C[b…] = epilogue(A[b…] B[b…], extras…) for at most 16 rows of A, B contiguous along K as the
// weight of a linear layer. Compute capability 8.0 and later.
//
// B is read once, straight into the registers that the matrix units take it from: 16 bytes, 8
// elements of K, of a row belong to a thread, and as A is read the same way, K may be permuted
// within a step. The warps of a block share K; their sums are added in the order of the warps.
// Expected bound: the bandwidth at which B is read.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue.h"
#include "ait/gpu/matmul_few_rows_config.h"

namespace ait {

template <class Config, class Body, class In, class Out>
class FewRowsBlock {
  using Shape = MatmulFewRowsShape<Config>;
  using Element = typename Config::Element;
  using Arguments = MatmulFewRowsArguments<Config, In, Out>;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kRowBlocks = Config::kRows / 8;
  static constexpr int kColumnBlocks = Config::kTileN / 16;
  static constexpr int kSteps = Config::kSteps;
  using PacketA = OperandPacket<Operand<Element, Access::contiguous, Config::kAlignmentA>, 8>;
  using PacketB = OperandPacket<Operand<Element, Access::contiguous, Config::kAlignmentB>, 8>;
  /// What a thread holds of a step: 8 elements of K of 2 rows of each block of B.
  using StepB = PacketB[kColumnBlocks][2];
  using StepA = PacketA[kRowBlocks];

 public:
  AIT_DEVICE explicit FewRowsBlock(const Arguments& arguments)
      : arguments_(arguments), epilogue_(arguments.problem) {
    const auto& problem = arguments.problem;
    const int tiles = (problem.N + Shape::kColumns - 1) / Shape::kColumns;
    int matrix = static_cast<int>(blockIndex()) / tiles;
    column_ = (static_cast<int>(blockIndex()) - matrix * tiles) * Shape::kColumns;
    int position[kRank + 1];
    AIT_UNROLL
    for (int axis = kRank - 1; axis >= 0; --axis) {
      const int rest = axis > 0 ? matrix / problem.batchExtents[axis] : 0;
      position[axis] = matrix - rest * problem.batchExtents[axis];
      matrix = rest;
    }
    epilogue_.seek(position);
    a_ = static_cast<const Element*>(arguments.a.base);
    b_ = static_cast<const Element*>(arguments.b.base);
    AIT_UNROLL
    for (int axis = 0; axis < kRank; ++axis) {
      a_ += position[axis] * arguments.a.strides[axis];
      b_ += position[axis] * arguments.b.strides[axis];
    }
    if constexpr (Config::kIsPaired) {
      second_ = static_cast<const Element*>(arguments.second.base);
      AIT_UNROLL
      for (int axis = 0; axis < kRank; ++axis) {
        second_ += position[axis] * arguments.second.strides[axis];
      }
    }
  }

  AIT_DEVICE void run() {
    launchDependents();
    const int K = arguments_.problem.K;
    constexpr int kStride = Config::kWarps * 32;
    float sums[kRowBlocks][kColumnBlocks][4];
    AIT_UNROLL
    for (int row = 0; row < kRowBlocks; ++row) {
      AIT_UNROLL
      for (int column = 0; column < kColumnBlocks; ++column) {
        AIT_UNROLL
        for (int i = 0; i < 4; ++i) sums[row][column][i] = 0;
      }
    }
    int k = threadIndex() / 32 * 32 + laneIndex() % 4 * 8;
    StepB b[kSteps];
    StepA a[kSteps];
    if constexpr (!Config::kIsConstantB) waitForPrerequisites();
    AIT_UNROLL
    for (int step = 0; step < kSteps; ++step) loadB(b[step], k + step * kStride);
    if constexpr (Config::kIsConstantB) waitForPrerequisites();
    AIT_UNROLL
    for (int step = 0; step < kSteps; ++step) loadA(a[step], k + step * kStride);
    // Warps go through K in turn, so that all of a block read neighbouring memory.
    AIT_NO_UNROLL
    for (int first = 0; first < K; first += kSteps * kStride) {
      AIT_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        multiply(sums, a[step], b[step]);
        // The registers of a step are free again: the step that takes its place is fetched.
        loadB(b[step], k + (kSteps + step) * kStride);
        loadA(a[step], k + (kSteps + step) * kStride);
      }
      k += kSteps * kStride;
    }
    finish(sums);
  }

 private:
  AIT_DEVICE void loadB(StepB& b, int k) const {
    AIT_UNROLL
    for (int block = 0; block < kColumnBlocks; ++block) {
      AIT_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int n =
            column_ + (Config::kIsPaired ? block * 8 : block * 16 + half * 8) + laneIndex() / 4;
        const int count = n < arguments_.problem.N ? arguments_.problem.K - k : 0;
        const Element* matrix = b_;
        if constexpr (Config::kIsPaired) {
          if (half == 1) matrix = second_;
        }
        load<Reuse::none>(b[block][half], matrix + n * arguments_.b.strides[kRank], k, count);
      }
    }
  }

  AIT_DEVICE void loadA(StepA& a, int k) const {
    AIT_UNROLL
    for (int block = 0; block < kRowBlocks; ++block) {
      const int m = block * 8 + laneIndex() / 4;
      const int count = m < arguments_.problem.M ? arguments_.problem.K - k : 0;
      load<Reuse::likely>(a[block], a_ + m * arguments_.a.strides[kRank], k, count);
    }
  }

  /// Loads 8 elements from k on, of which `count` exist; zeros for the others.
  template <Reuse kReuse, class Packet>
  AIT_DEVICE static void load(Packet& packet, const Element* row, int k, int count) {
    if constexpr (Config::kDepthMultiple % 8 == 0) {
      if (count > 0) {
        packet.template load<kReuse>(row, 1, k);
      } else {
        packet.clear();
      }
    } else {
      packet.template load<kReuse>(row, 1, k, count);
    }
  }

  AIT_DEVICE static void multiply(float (&sums)[kRowBlocks][kColumnBlocks][4], const StepA& a,
                                  const StepB& b) {
    AIT_UNROLL
    for (int part = 0; part < 4; part += 2) {
      AIT_UNROLL
      for (int column = 0; column < kColumnBlocks; ++column) {
        const uint32_t weights[4] = {
            b[column][0].packet.words[part], b[column][1].packet.words[part],
            b[column][0].packet.words[part + 1], b[column][1].packet.words[part + 1]};
        AIT_UNROLL
        for (int row = 0; row < kRowBlocks; ++row) {
          multiplyTiles<Element>(sums[row][column], weights, a[row].packet.words[part],
                                 a[row].packet.words[part + 1]);
        }
      }
    }
  }

  /// Adds the sums of the warps and finishes them, 4 columns of a row by a thread.
  AIT_DEVICE void finish(const float (&sums)[kRowBlocks][kColumnBlocks][4]) const {
    float* shared = reinterpret_cast<float*>(dynamicSharedMemory());
    const int lane = laneIndex();
    constexpr int kSize = Config::kRows * Shape::kPitch;
    float* own = shared + threadIndex() / 32 * kSize;
    AIT_UNROLL
    for (int row = 0; row < kRowBlocks; ++row) {
      AIT_UNROLL
      for (int column = 0; column < kColumnBlocks; ++column) {
        AIT_UNROLL
        for (int i = 0; i < 4; ++i) {
          own[(row * 8 + lane % 4 * 2 + i % 2) * Shape::kPitch + column * 16 + lane / 4 +
              i / 2 * 8] = sums[row][column][i];
        }
      }
    }
    synchronizeBlock();
    constexpr int kQuads = Shape::kColumns / 4;
    // The sums of 4 neighbouring columns of a tile.
    const auto sumOf = [&](int row, int column) {
      Values<float, 4> sum = {{0, 0, 0, 0}};
      AIT_UNROLL
      for (int warp = 0; warp < Config::kWarps; ++warp) {
        float x[4];
        loadShared(shared + warp * kSize + row * Shape::kPitch + column, x);
        AIT_UNROLL
        for (int i = 0; i < 4; ++i) sum.values[i] += x[i];
      }
      return sum;
    };
    for (int quad = threadIndex(); quad < Config::kRows * kQuads; quad += Shape::kThreads) {
      const int row = quad / kQuads;
      const int column = quad % kQuads * 4;
      const auto place = epilogue_.row(row, column_ + column);
      typename Epilogue::template Extras<4> extras;
      place.template load<4>(extras, 0);
      if constexpr (Config::kIsPaired) {
        const int first = column / 8 * 16 + column % 8;
        place.template finish<4>(sumOf(row, first), sumOf(row, first + 8), extras, 0);
      } else {
        place.template finish<4>(sumOf(row, column), extras, 0);
      }
    }
  }

  const Arguments& arguments_;
  Epilogue epilogue_;
  const Element* a_;
  const Element* b_;
  const Element* second_ = nullptr;
  int column_;
};

/// Computes kTileN columns of a matrix product; blocks as `matmulFewRowsBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void matmulFewRows(const MatmulFewRowsArguments<Config, In, Out>& arguments) {
  FewRowsBlock<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
