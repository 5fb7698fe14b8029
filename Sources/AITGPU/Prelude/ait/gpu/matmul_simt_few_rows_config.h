// The configuration of `matmulSimtFewRows`. Compiles on the host.
#pragma once

#include "ait/gpu/matmul_simt_config.h"

namespace ait {

/// A configuration inherits from this and names `Element`, any type but bool.
struct MatmulSimtFewRowsDefaults : MatmulDefaults {
  /// The most rows of A: 8 or 16.
  static constexpr int kRows = 8;
  /// The threads of a block that share K where B is contiguous along it: 32 to 256.
  static constexpr int kThreadsAlongK = 256;
  static constexpr Major kMajorB = Major::k;
  /// Whether A is contiguous along K.
  static constexpr bool kIsAlongKA = true;
  /// Elements that the addresses and strides of A and B are multiples of.
  static constexpr int kAlignmentA = 1;
  static constexpr int kAlignmentB = 1;
  /// Whether B is constant, so that its loads need not wait for launches before this one.
  static constexpr bool kIsConstantB = false;
};

template <class Config>
struct MatmulSimtFewRowsShape : Config {
  using Number = SumType<typename Config::Element>;
  static constexpr bool kIsAlongK = Config::kMajorB == Major::k;
  static constexpr int kSize = static_cast<int>(sizeof(typename Config::Element));
  static constexpr int kThreads = 256;
  /// The columns of C that a thread has sums of.
  static constexpr int kColumns = sizeof(Number) > 4 ? 2 : 4;
  /// Elements of B that a thread loads at once: along K, or its columns.
  static constexpr int kPacket = kIsAlongK ? larger(2, 16 / kSize) : kColumns;
  /// Threads that share K; the others have other columns.
  static constexpr int kThreadsK = kIsAlongK ? Config::kThreadsAlongK : 32;
  static constexpr int kGroups = kThreads / kThreadsK;
  static constexpr int kTileN = kGroups * kColumns;
  /// The elements of K of a step.
  static constexpr int kStepK = kIsAlongK ? kThreadsK * kPacket : kThreadsK;
  /// Steps whose loads are under way together; elements that are loaded one by one take an address
  /// each, which leaves registers for one step.
  static constexpr bool kLoadsPackets =
      Config::kIsAlongKA && smaller(Config::kAlignmentA, Config::kAlignmentB) * kSize >= 16;
  static constexpr int kSteps = !kIsAlongK ? 4 : kLoadsPackets ? 2 : 1;

  /// A block's sums, and how many threads add the parts of each.
  static constexpr int kSums = Config::kRows * kColumns;
  static constexpr int kThreadsOfSum = larger(1, kThreads / (kSums * kGroups));
  /// The parts of a sum lie in neighbouring places; those of the next sum 8 banks on.
  static constexpr int kPitch = kThreads + 8;
  static constexpr int kSharedBytes = kSums * kPitch * static_cast<int>(sizeof(Number));

  static_assert(Config::kRows == 8 || Config::kRows == 16, "few rows are at most 8 or 16");
  static_assert(kThreadsK % 32 == 0 && kThreads % kThreadsK == 0, "warps share K");
  static_assert(kThreadsK % kThreadsOfSum == 0, "threads share the parts of a sum evenly");
};

/// The arguments: A with strides batch…, m, k; B with strides batch…, then that of the axis that it
/// is not contiguous along.
template <class Config, class In, class Out>
struct MatmulSimtFewRowsArguments {
  OperandPlace<Config::kBatchRank + 2> a;
  OperandPlace<Config::kBatchRank + 1> b;
  MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount> problem;
};

template <class Config>
AIT_ANYWHERE constexpr int64_t matmulSimtFewRowsBlocks(int64_t N, int64_t batch) {
  return ceilDivide(N, MatmulSimtFewRowsShape<Config>::kTileN) * batch;
}

}  // namespace ait
