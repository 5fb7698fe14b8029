// C[b…] = epilogue(A[b…] B[b…], extras…) for at most 16 rows of A by the threads' own arithmetic
// units, for element types that the matrix units do not take or do not keep exact. Compute
// capability 8.0 and later.
//
// B is read once, straight into registers, 16 bytes of a thread at a time where its alignment
// allows, along the axis that it is contiguous along. The threads of a block share K; their sums
// are added through shared memory, in the order of the threads. Expected bound: the bandwidth at
// which B is read.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_epilogue.h"
#include "ait/gpu/matmul_simt_few_rows_config.h"
#include "ait/gpu/matmul_simt_numbers.h"

namespace ait {
namespace simt {

template <class Config, class Body, class In, class Out>
class FewRows {
  using Shape = MatmulSimtFewRowsShape<Config>;
  using Element = typename Config::Element;
  using Number = typename Shape::Number;
  using Arguments = MatmulSimtFewRowsArguments<Config, In, Out>;
  using Epilogue = MatrixEpilogue<Config, Body, In, Out>;
  static constexpr int kRank = Config::kBatchRank;
  static constexpr int kRows = Config::kRows;
  static constexpr int kColumns = Shape::kColumns;
  static constexpr int kPacket = Shape::kPacket;
  static constexpr int kSteps = Shape::kSteps;
  static constexpr bool kIsAlongK = Shape::kIsAlongK;
  using PacketA =
      OperandPacket<Operand<Element, Config::kIsAlongKA ? Access::contiguous : Access::strided,
                            Config::kAlignmentA>,
                    kPacket>;
  using PacketB = OperandPacket<Operand<Element, Access::contiguous, Config::kAlignmentB>, kPacket>;
  /// What a thread holds of a step: kPacket elements of K of each of its columns, or its columns.
  using StepB = PacketB[kIsAlongK ? kColumns : 1];
  using Sums = Number[kRows][kColumns];

 public:
  AIT_DEVICE explicit FewRows(const Arguments& arguments)
      : arguments_(arguments), epilogue_(arguments.problem) {
    const auto& problem = arguments.problem;
    const int tiles = (problem.N + Shape::kTileN - 1) / Shape::kTileN;
    int matrix = static_cast<int>(blockIndex()) / tiles;
    column_ = (static_cast<int>(blockIndex()) - matrix * tiles) * Shape::kTileN;
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
    // Neighbouring threads read neighbouring memory.
    const int thread = threadIndex();
    group_ = kIsAlongK ? thread / Shape::kThreadsK : thread % Shape::kGroups;
    share_ = kIsAlongK ? thread % Shape::kThreadsK : thread / Shape::kGroups;
  }

  AIT_DEVICE void run() {
    launchDependents();
    const int K = arguments_.problem.K;
    Sums sums;
    AIT_UNROLL
    for (int row = 0; row < kRows; ++row) {
      AIT_UNROLL
      for (int column = 0; column < kColumns; ++column) sums[row][column] = 0;
    }
    int k = share_ * (kIsAlongK ? kPacket : 1);
    StepB b[kSteps];
    if constexpr (!Config::kIsConstantB) waitForPrerequisites();
    AIT_UNROLL
    for (int step = 0; step < kSteps; ++step) load(b[step], k + step * Shape::kStepK);
    if constexpr (Config::kIsConstantB) waitForPrerequisites();
    AIT_NO_UNROLL
    for (int first = 0; first < K; first += kSteps * Shape::kStepK) {
      AIT_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        multiply(sums, b[step], k + step * Shape::kStepK);
        // The registers of a step are free again: the step that takes its place is fetched.
        load(b[step], k + (kSteps + step) * Shape::kStepK);
      }
      k += kSteps * Shape::kStepK;
    }
    finish(sums);
  }

 private:
  /// Loads the elements of B from k on; zeros where there are none.
  AIT_DEVICE void load(StepB& b, int k) const {
    const auto& problem = arguments_.problem;
    const int64_t stride = arguments_.b.strides[kRank];
    const int first = column_ + group_ * kColumns;
    if constexpr (kIsAlongK) {
      AIT_UNROLL
      for (int column = 0; column < kColumns; ++column) {
        const int count = first + column < problem.N ? problem.K - k : 0;
        b[column].template load<Reuse::none>(b_ + (first + column) * stride, 1, k, count);
      }
    } else {
      const int count = k < problem.K ? problem.N - first : 0;
      b[0].template load<Reuse::none>(b_ + k * stride, 1, first, count);
    }
  }

  AIT_DEVICE void multiply(Sums& sums, const StepB& b, int k) const {
    const auto& problem = arguments_.problem;
    const int64_t rowStride = arguments_.a.strides[kRank];
    const int64_t innerStride = arguments_.a.strides[kRank + 1];
    AIT_UNROLL
    for (int row = 0; row < kRows; ++row) {
      const Element* from = a_ + row * rowStride;
      if constexpr (kIsAlongK) {
        PacketA a;
        a.load(from, innerStride, k, row < problem.M ? problem.K - k : 0);
        AIT_UNROLL
        for (int i = 0; i < kPacket; ++i) {
          AIT_UNROLL
          for (int column = 0; column < kColumns; ++column) {
            sums[row][column] =
                multiplyAdd(static_cast<Number>(a.at(i)), static_cast<Number>(b[column].at(i)),
                            sums[row][column]);
          }
        }
      } else {
        const Number a =
            row < problem.M && k < problem.K ? loadNumber(from + k * innerStride) : Number(0);
        AIT_UNROLL
        for (int column = 0; column < kColumns; ++column) {
          sums[row][column] =
              multiplyAdd(a, static_cast<Number>(b[0].at(column)), sums[row][column]);
        }
      }
    }
  }

  /// Adds the sums of the threads that share K, and finishes two columns of a row by a thread.
  AIT_DEVICE void finish(const Sums& sums) const {
    Number* shared = reinterpret_cast<Number*>(dynamicSharedMemory());
    const int place = group_ * Shape::kThreadsK + share_;
    AIT_UNROLL
    for (int row = 0; row < kRows; ++row) {
      AIT_UNROLL
      for (int column = 0; column < kColumns; ++column) {
        shared[(row * kColumns + column) * Shape::kPitch + place] = sums[row][column];
      }
    }
    synchronizeBlock();
    // Sum s of group g has its parts at s kPitch + g kThreadsK; a thread adds every
    // kThreadsOfSum-th of them into the first that it has read.
    constexpr int kOfSum = Shape::kThreadsOfSum;
    const int part = threadIndex() % kOfSum;
    AIT_UNROLL
    for (int index = 0; index < Shape::kSums * Shape::kGroups; index += Shape::kThreads / kOfSum) {
      const int sum = index + threadIndex() / kOfSum;
      if (sum < Shape::kSums * Shape::kGroups) {
        Number* parts = shared + sum / Shape::kGroups * Shape::kPitch +
                        sum % Shape::kGroups * Shape::kThreadsK + part;
        Number total = parts[0];
        AIT_UNROLL
        for (int i = kOfSum; i < Shape::kThreadsK; i += kOfSum)
          total = multiplyAdd(Number(1), parts[i], total);
        parts[0] = total;
      }
    }
    synchronizeBlock();
    constexpr int kPairs = Shape::kTileN / 2;
    for (int pair = threadIndex(); pair < kRows * kPairs; pair += Shape::kThreads) {
      const int row = pair / kPairs;
      const int column = pair % kPairs * 2;
      const auto place = epilogue_.row(row, column_ + column);
      typename Epilogue::template Extras<2> extras;
      place.template load<2>(extras, 0);
      Values<Number, 2> values;
      AIT_UNROLL
      for (int i = 0; i < 2; ++i) {
        const Number* parts = shared + (row * kColumns + (column + i) % kColumns) * Shape::kPitch +
                              (column + i) / kColumns * Shape::kThreadsK;
        Number total = parts[0];
        AIT_UNROLL
        for (int other = 1; other < kOfSum; ++other)
          total = multiplyAdd(Number(1), parts[other], total);
        values.values[i] = total;
      }
      place.template finish<2>(values, extras, 0);
    }
  }

  const Arguments& arguments_;
  Epilogue epilogue_;
  const Element* a_;
  const Element* b_;
  int column_;
  int group_;
  int share_;
};

}  // namespace simt

/// Computes some columns of a matrix product; blocks as `matmulSimtFewRowsBlocks`.
template <class Config, class Body, class In, class Out>
AIT_DEVICE void matmulSimtFewRows(const MatmulSimtFewRowsArguments<Config, In, Out>& arguments) {
  simt::FewRows<Config, Body, In, Out>(arguments).run();
}

}  // namespace ait
