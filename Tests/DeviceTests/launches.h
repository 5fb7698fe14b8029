// Launches of the kernel templates: what a library's runtime does, for tests and benchmarks.
#pragma once

#include "ait/gpu/matmul_few_rows_config.h"
#include "ait/gpu/matmul_hopper_config.h"
#include "ait/gpu/matmul_multistage_config.h"
#include "ait/gpu/matmul_simt_config.h"
#include "ait/gpu/matmul_simt_few_rows_config.h"
#include "ait/gpu/rows_config.h"
#include "memory.h"

namespace device {

/// A matrix of a product in memory: address, strides in elements.
struct Matrix {
  Address address;
  int64_t rowStride;
  int64_t batchStride = 0;
  /// The stride of the axis that the matrix is contiguous along, else.
  int64_t innerStride = 1;
};

/// The copy engine's view of a matrix whose rows are contiguous, in a batch.
template <class Element>
ait::TensorMap tensorMap(const Matrix& matrix, int64_t rows, int64_t columns, int64_t batch,
                         int boxRows, int boxColumns, int batchRank) {
  ait::TensorMap map;
  const int type = std::is_same_v<Element, ait::bfloat16> ? 9 : 6;
  const bool moves = matrix.batchStride != 0;
  const uint64_t extents[3] = {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows),
                               static_cast<uint64_t>(moves ? batch : 1)};
  const uint64_t strides[2] = {static_cast<uint64_t>(matrix.rowStride * 2),
                               static_cast<uint64_t>((moves ? matrix.batchStride : 8) * 2)};
  const uint32_t box[3] = {static_cast<uint32_t>(boxColumns), static_cast<uint32_t>(boxRows), 1};
  const uint32_t steps[3] = {1, 1, 1};
  // No interleaving, the 128-byte swizzle, 256-byte promotion in the L2, zeros outside.
  AIT_CALL(cuTensorMapEncodeTiled, &map, type, static_cast<uint32_t>(2 + batchRank),
           reinterpret_cast<void*>(matrix.address), extents, strides, box, steps, 0, 3, 3, 0);
  return map;
}

/// A launch of `matmulHopper`. `a` is M x K, or K x M if contiguous along M; `b` N x K or K x N.
template <class Config, class In, class Out>
Launch hopperLaunch(const Module& module, const std::string& name,
                    const ait::MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount>& problem,
                    const Matrix& a, const Matrix& b, bool isConstantB = false,
                    [[maybe_unused]] const Matrix& second = {}) {
  using Shape = ait::MatmulHopperShape<Config>;
  using Element = typename Config::Element;
  constexpr int kRank = Config::kBatchRank;
  static_assert(kRank <= 1, "tests have one batch axis");
  const int64_t batch = kRank > 0 ? problem.batchExtents[0] : 1;
  ait::MatmulHopperArguments<Config, In, Out> arguments{};
  const auto encode = [&](const Matrix& matrix, ait::Major major, int64_t extent, int boxRows) {
    return major == ait::Major::k
               ? tensorMap<Element>(matrix, extent, problem.K, batch, boxRows, Shape::kStepK, kRank)
               : tensorMap<Element>(matrix, problem.K, extent, batch, boxRows, 64, kRank);
  };
  // The matrix units' A is ours, or if they compute the transpose of C, our B.
  const Matrix& unitA = Config::kIsTransposed ? b : a;
  const Matrix& unitB = Config::kIsTransposed ? a : b;
  arguments.a = encode(unitA, Config::kMajorA, Config::kIsTransposed ? problem.N : problem.M,
                       Shape::kABoxRows);
  arguments.b = encode(unitB, Config::kMajorB, Config::kIsTransposed ? problem.M : problem.N,
                       Shape::kBBoxRows);
  if constexpr (Config::kIsPaired) {
    arguments.second = encode(second, Config::kMajorB, problem.N, Shape::kBBoxRows);
  }
  arguments.problem = problem;
  arguments.tiles = ait::matmulHopperTiles<Config>(problem.M, problem.N);
  arguments.aBatchAxes = unitA.batchStride != 0;
  arguments.bBatchAxes = unitB.batchStride != 0;
  // As for a launch that may begin early; `isProgrammatic` of the launch decides whether it does.
  arguments.stagesAhead = isConstantB ? Shape::kStages : 0;
  arguments.isProgrammatic = isConstantB;
  Launch launch;
  launch.function = module.function(name);
  launch.threads = Shape::kThreads;
  launch.sharedBytes = Shape::kSharedBytes;
  launch.clusterSize = Shape::kClusterSize;
  launch.blocks = Shape::kClusterSize;
  launch.setArguments(arguments);
  launch.prepare();
  launch.blocks =
      ait::matmulHopperBlocks<Config>(problem.M, problem.N, batch, launch.clustersAtOnce());
  return launch;
}

template <int kRank>
ait::OperandPlace<kRank + 1> placeOf(const Matrix& matrix) {
  ait::OperandPlace<kRank + 1> place{reinterpret_cast<void*>(matrix.address), {}};
  if (kRank > 0) place.strides[0] = matrix.batchStride;
  place.strides[kRank] = matrix.rowStride;
  return place;
}

/// A launch of `matmulMultistage`.
template <class Config, class In, class Out>
Launch multistageLaunch(
    const Module& module, const std::string& name,
    const ait::MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount>& problem,
    const Matrix& a, const Matrix& b, [[maybe_unused]] const Matrix& second = {}) {
  using Shape = ait::MatmulMultistageShape<Config>;
  const int64_t batch = Config::kBatchRank > 0 ? problem.batchExtents[0] : 1;
  Launch launch;
  launch.function = module.function(name);
  launch.threads = Shape::kThreads;
  launch.sharedBytes = Shape::kSharedBytes;
  launch.blocks = ait::matmulMultistageBlocks<Config>(problem.M, problem.N, batch);
  ait::MatmulMultistageArguments<Config, In, Out> arguments{};
  arguments.a = placeOf<Config::kBatchRank>(a);
  arguments.b = placeOf<Config::kBatchRank>(b);
  if constexpr (Config::kIsPaired) arguments.second = placeOf<Config::kBatchRank>(second);
  arguments.problem = problem;
  arguments.tiles = ait::matmulMultistageTiles<Config>(problem.M, problem.N);
  launch.setArguments(arguments);
  launch.prepare();
  return launch;
}

/// A launch of `matmulFewRows`.
template <class Config, class In, class Out>
Launch fewRowsLaunch(
    const Module& module, const std::string& name,
    const ait::MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount>& problem,
    const Matrix& a, const Matrix& b, [[maybe_unused]] const Matrix& second = {}) {
  using Shape = ait::MatmulFewRowsShape<Config>;
  const int64_t batch = Config::kBatchRank > 0 ? problem.batchExtents[0] : 1;
  Launch launch;
  launch.function = module.function(name);
  launch.threads = Shape::kThreads;
  launch.sharedBytes = Shape::kSharedBytes;
  launch.blocks = ait::matmulFewRowsBlocks<Config>(problem.N, batch);
  ait::MatmulFewRowsArguments<Config, In, Out> arguments{};
  arguments.a = placeOf<Config::kBatchRank>(a);
  arguments.b = placeOf<Config::kBatchRank>(b);
  if constexpr (Config::kIsPaired) arguments.second = placeOf<Config::kBatchRank>(second);
  arguments.problem = problem;
  launch.setArguments(arguments);
  launch.prepare();
  return launch;
}

/// A or B with the strides along M or N and along K.
template <int kRank>
ait::OperandPlace<kRank + 2> placeOf(const Matrix& matrix, ait::Major major) {
  ait::OperandPlace<kRank + 2> place{reinterpret_cast<void*>(matrix.address), {}};
  if (kRank > 0) place.strides[0] = matrix.batchStride;
  const bool isAlongK = major == ait::Major::k;
  place.strides[kRank] = isAlongK ? matrix.rowStride : matrix.innerStride;
  place.strides[kRank + 1] = isAlongK ? matrix.innerStride : matrix.rowStride;
  return place;
}

/// A launch of `matmulSimt`.
template <class Config, class In, class Out>
Launch simtLaunch(const Module& module, const std::string& name,
                  const ait::MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount>& problem,
                  const Matrix& a, const Matrix& b) {
  using Shape = ait::MatmulSimtShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  Launch launch;
  launch.function = module.function(name);
  launch.threads = Shape::kThreads;
  launch.sharedBytes = Shape::kSharedBytes;
  launch.blocks =
      ait::matmulSimtBlocks<Config>(problem.M, problem.N, kRank > 0 ? problem.batchExtents[0] : 1);
  launch.setArguments(ait::MatmulSimtArguments<Config, In, Out>{
      placeOf<kRank>(a, Config::kMajorA), placeOf<kRank>(b, Config::kMajorB), problem,
      ait::matmulSimtTiles<Config>(problem.M, problem.N)});
  launch.prepare();
  return launch;
}

/// A launch of `matmulSimtFewRows`.
template <class Config, class In, class Out>
Launch simtFewRowsLaunch(
    const Module& module, const std::string& name,
    const ait::MatmulProblem<Config::kBatchRank, In::kCount + Out::kCount>& problem,
    const Matrix& a, const Matrix& b) {
  using Shape = ait::MatmulSimtFewRowsShape<Config>;
  constexpr int kRank = Config::kBatchRank;
  Launch launch;
  launch.function = module.function(name);
  launch.threads = Shape::kThreads;
  launch.sharedBytes = Shape::kSharedBytes;
  launch.blocks =
      ait::matmulSimtFewRowsBlocks<Config>(problem.N, kRank > 0 ? problem.batchExtents[0] : 1);
  launch.setArguments(ait::MatmulSimtFewRowsArguments<Config, In, Out>{
      placeOf<kRank>(a, Config::kMajorA), placeOf<kRank>(b), problem});
  launch.prepare();
  return launch;
}

/// A launch of a kernel that works on rows.
template <class Config, class Arguments>
Launch rowLaunch(const Module& module, const std::string& name, const Arguments& arguments) {
  Launch launch;
  launch.function = module.function(name);
  launch.threads = ait::RowShape<Config>::kThreads;
  launch.sharedBytes = 256;
  launch.blocks = ait::ceilDivide(arguments.rows, Config::kRowsPerBlock);
  launch.setArguments(arguments);
  launch.prepare();
  return launch;
}

/// A launch of a pointwise kernel.
template <class Config, class Arguments>
Launch pointwiseLaunch(const Module& module, const std::string& name, const Arguments& arguments,
                       int64_t columns) {
  Launch launch;
  launch.function = module.function(name);
  launch.threads = Config::kThreads;
  launch.blocks = ait::pointwiseBlocks<Config>(arguments.rows, columns);
  launch.setArguments(arguments);
  return launch;
}

}  // namespace device
