// Inputs of reductions and gathers in device memory, their launches, and their meaning in double.
#pragma once

#include <functional>

#include "launches.h"
#include "reduce_cases.h"

namespace device {

/// What a reduction makes of some elements.
using Reducing = std::function<double(const std::vector<double>& x)>;

inline double meaningOfSum(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value;
  return sum;
}
inline double meaningOfVariance(const std::vector<double>& x) {
  const double mean = meaningOfSum(x) / static_cast<double>(x.size());
  double squares = 0;
  for (const double value : x) squares += (value - mean) * (value - mean);
  return squares / std::fmax(0, static_cast<double>(x.size()) - 1);
}
inline double meaningOfPosition(const std::vector<double>& x) {
  size_t best = 0;
  for (size_t i = 1; i < x.size(); ++i) {
    if (x[i] > x[best]) best = i;
  }
  return static_cast<double>(best);
}

/// A matrix, of which a configuration reduces the columns or the rows.
template <class T, class Result, class Config>
class ReduceProblem {
 public:
  ReduceProblem(int64_t rows, int64_t columns, uint64_t seed = 1)
      : rows_(rows), columns_(columns), results_(Config::kIsAcross ? columns : rows) {
    values_ = randomNumbers<T>(static_cast<size_t>(rows * columns), seed, 3);
    x = Buffer(values_);
    y = Buffer(static_cast<size_t>(results_) * sizeof(Result));
    workspace = Buffer(size_t{Config::kWorkspaceStates} * Config::kStateBytes);
  }

  /// One launch or two.
  std::vector<Launch> launches(const Module& module, const std::string& name) const {
    constexpr bool kIsAcross = Config::kIsAcross;
    ait::ReduceArguments<2, 2> arguments{};
    arguments.extents[0] = rows_;
    arguments.extents[1] = columns_;
    arguments.results = kIsAcross ? 1 : rows_;
    arguments.rows = kIsAcross ? rows_ : 1;
    arguments.length = kIsAcross ? rows_ : columns_;
    arguments.shares = ait::reduceShares<Config>(arguments.results, arguments.rows, columns_,
                                                 Driver::shared().multiprocessors());
    arguments.workspace = workspace.pointer();
    arguments.operands[0] = {x.pointer(), {columns_, 1}};
    arguments.operands[1] = {y.pointer(), {kIsAcross ? 0 : 1, kIsAcross ? 1 : 0}};
    std::vector<Launch> launches(arguments.shares.parts > 1 ? 2 : 1);
    for (Launch& launch : launches) {
      launch.threads = Config::kThreads;
      launch.isProgrammatic = &launch != &launches[0];
      launch.setArguments(arguments);
    }
    launches[0].function = module.function(name);
    launches[0].sharedBytes = ait::ReduceShape<Config>::kSharedBytes;
    launches[0].blocks = arguments.shares.blocks;
    if (launches.size() == 1) return launches;
    launches[1].function = module.function(name + "_finish");
    launches[1].sharedBytes = ait::ReduceShape<Config>::kFinishSharedBytes;
    launches[1].blocks = ait::ceilDivide(results_, arguments.shares.finishLanes);
    return launches;
  }

  /// The error over `count` results at most, NaN if one is unwritten or a guard is broken.
  double error(const Reducing& meaning, int64_t count = int64_t{1} << 62) const {
    const std::vector<Result> actual = y.content<Result>();
    if (!y.guardsAreIntact() || !workspace.guardsAreIntact()) return NAN;
    const int64_t step = results_ > count ? results_ / count : 1;
    std::vector<ErrorNorm> norms(static_cast<size_t>(results_));
    onAllCores((results_ + step - 1) / step, [&](int64_t i) {
      const int64_t result = i * step;
      std::vector<double> elements;
      const int64_t length = Config::kIsAcross ? rows_ : columns_;
      for (int64_t k = 0; k < length; ++k) {
        const int64_t at = Config::kIsAcross ? k * columns_ + result : result * columns_ + k;
        elements.push_back(toDouble(values_[static_cast<size_t>(at)]));
      }
      norms[static_cast<size_t>(result)].add(toDouble(actual[static_cast<size_t>(result)]),
                                             meaning(elements));
    });
    ErrorNorm total;
    for (const auto& norm : norms) total.add(norm);
    return total.value();
  }

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }

  Buffer x, y, workspace;

 private:
  int64_t rows_;
  int64_t columns_;
  int64_t results_;
  std::vector<T> values_;
};

/// Rows of a table by an index.
template <class T, class Index, class Config>
class GatherProblem {
 public:
  GatherProblem(int64_t tableRows, int64_t rows, int64_t columns) : columns_(columns) {
    values_ = randomNumbers<T>(static_cast<size_t>(tableRows * columns), 5);
    Random random(7);
    for (int64_t i = 0; i < rows; ++i) {
      indices_.push_back(static_cast<Index>(random.bits() % static_cast<uint64_t>(tableRows)));
    }
    table = Buffer(values_);
    index = Buffer(indices_);
    y = Buffer(static_cast<size_t>(rows * columns) * sizeof(T));
    record = Buffer(std::vector<ait::IndexErrorRecord>(1));
  }

  /// Puts an index that may be outside the table.
  void setIndex(size_t at, Index value) {
    indices_[at] = value;
    index = Buffer(indices_);
  }

  Launch launch(const Module& module, const std::string& name) const {
    ait::GatherArguments<2> arguments{};
    arguments.extents[0] = static_cast<int64_t>(indices_.size());
    arguments.extents[1] = columns_;
    arguments.packetsPerRow = ait::ceilDivide(columns_, Config::kPacket);
    arguments.packets = arguments.extents[0] * arguments.packetsPerRow;
    arguments.operands[0] = {table.pointer(), {0, 1}};
    arguments.operands[1] = {index.pointer(), {1, 0}};
    arguments.operands[2] = {y.pointer(), {columns_, 1}};
    arguments.axisExtent = static_cast<int64_t>(values_.size()) / columns_;
    arguments.axisStride = columns_;
    arguments.record = static_cast<ait::IndexErrorRecord*>(record.pointer());
    arguments.step = 3;
    Launch launch;
    launch.function = module.function(name);
    launch.threads = Config::kThreads;
    launch.blocks = ait::movementBlocks<Config>(arguments.packets);
    launch.setArguments(arguments);
    return launch;
  }

  /// Whether all rows are right, those of indices outside the table 0, and no guard is broken.
  bool isRight() const {
    const std::vector<T> actual = y.content<T>();
    const auto tableRows = static_cast<int64_t>(values_.size()) / columns_;
    for (size_t row = 0; row < indices_.size(); ++row) {
      const int64_t chosen = indices_[row];
      const bool isLegal = chosen >= 0 && chosen < tableRows;
      for (int64_t column = 0; column < columns_; ++column) {
        const uint16_t bits = actual[row * static_cast<size_t>(columns_) + column].bits;
        if (bits != (isLegal ? values_[chosen * columns_ + column].bits : 0)) return false;
      }
    }
    return y.guardsAreIntact() && record.guardsAreIntact();
  }

  Buffer table, index, y, record;

 private:
  int64_t columns_;
  std::vector<T> values_;
  std::vector<Index> indices_;
};

}  // namespace device
