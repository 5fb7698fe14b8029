// Attention for few queries: vectors along the rows of K and V, which are read once, as they lie.
#pragma once

#include "ait/cpu/attention_problem.h"
#include "ait/cpu/matmul_pack.h"

namespace ait::attend {

/// Up to so many queries that share keys. A panel costs the same for 1 to 16 of them.
inline constexpr int64_t kFewRows = 6;

/// All queries of one head of keys are a task.
template <class Config>
class FewRows {
  using T = typename Config::Element;
  using Problem = attend::Problem<Config>;
  static constexpr int W = kLanes;
  /// Keys whose weights are computed at once; V's rows are in the nearest cache for all queries.
  static constexpr int64_t kBlock = 64;
  // Vectors of a result that stay in registers.
  static constexpr int kChunk = 4;

 public:
  static void run(const KernelContext& context, const Problem& problem) {
    if (problem.rows() == 0 || problem.width == 0) return;
    parallelFor(context.pool, problem.outerCount(), [&](int64_t outer, int32_t thread) {
      FewRows few(problem, outer, static_cast<float*>(context.pool.scratch(thread)));
      few.attend();
    });
  }

 private:
  FewRows(const Problem& problem, int64_t outer, float* scratch)
      : problem_(problem),
        outer_(outer),
        k_(problem.k.elements + problem.offset(outer, problem.k.outer)),
        v_(problem.v.elements + problem.offset(outer, problem.v.outer)),
        paddedDepth_(quotientUp(problem.depth, W) * W),
        paddedWidth_(quotientUp(problem.width, W) * W) {
    weights_ = scratch;
    queries_ = weights_ + kFewRows * kBlock;
    sums_ = queries_ + kFewRows * paddedDepth_;
  }

  void attend() {
    const int64_t rows = problem_.rows();
    const T* q = problem_.q.elements + problem_.offset(outer_, problem_.q.outer);
    for (int64_t row = 0; row < rows; ++row) {
      const T* source = q + problem_.rowOffset(problem_.q, row);
      for (int64_t i = 0; i < paddedDepth_; ++i) {
        queries_[row * paddedDepth_ + i] =
            i < problem_.depth ? toCompute<T>(source[i * problem_.q.column]) * Config::kScale : 0;
      }
      for (int64_t i = 0; i < paddedWidth_; ++i) sums_[row * paddedWidth_ + i] = 0;
      tops_[row] = kLowest;
      totals_[row] = 0;
    }
    for (int64_t first = 0; first < problem_.keys; first += kBlock) {
      const int64_t count = least(kBlock, problem_.keys - first);
      for (int64_t key = 0; key < count; key += W) {
        for (int64_t row = 0; row < rows; ++row) score(row, first, key, least(W, count - key));
      }
      for (int64_t row = 0; row < rows; ++row) addBlock(row, first, count);
    }
    T* result = problem_.result.elements + problem_.offset(outer_, problem_.result.outer);
    for (int64_t row = 0; row < rows; ++row) {
      const auto factor = finalFactor<Config>(broadcast<W>(totals_[row]), problem_.keys);
      T* target = result + problem_.rowOffset(problem_.result, row);
      const int64_t column = problem_.result.column;
      for (int64_t i = 0; i < problem_.width; i += W) {
        const auto values = load<float, W>(sums_ + row * paddedWidth_ + i) * factor;
        const int64_t rest = least(W, problem_.width - i);
        if (column == 1) {
          storePartial<T, W>(target + i, values, rest);
        } else {
          storeStridedPartial<T, W>(target + i * column, column, values, rest);
        }
      }
    }
  }

  /// The scores of `count` keys of the block, one in each lane.
  AIT_INLINE void score(int64_t row, int64_t first, int64_t key, int64_t count) {
    const float* query = queries_ + row * paddedDepth_;
    const int64_t whole = problem_.depth / W * W;
    const int64_t rest = problem_.depth - whole;
    Vec<float, W> products[W];
#pragma clang loop unroll(full)
    for (int i = 0; i < W; ++i) {
      // Lanes beyond the last key repeat it.
      const T* source = k_ + (first + key + least(i, count - 1)) * problem_.k.row;
      Vec<float, W> sum = constant<float, W>(0);
      for (int64_t j = 0; j < whole; j += W) {
        sum = mulAdd(load<T, W>(source + j), load<float, W>(query + j), sum);
      }
      if (rest > 0) {
        sum = mulAdd(loadPartial<T, W>(source + whole, rest), load<float, W>(query + whole), sum);
      }
      products[i] = sum;
    }
    gemm::transpose(products);
#pragma clang loop unroll(full)
    for (int step = W / 2; step > 0; step /= 2) {
#pragma clang loop unroll(full)
      for (int i = 0; i < step; ++i) products[i] = products[i] + products[i + step];
    }
    Vec<float, W> scores = products[0];
    if constexpr (Config::kHasMask) {
      using Mask = typename Config::Mask;
      const auto& mask = problem_.mask;
      const Mask* start = reinterpret_cast<const Mask*>(mask.elements) +
                          problem_.offset(outer_, mask.outer) + problem_.rowOffset(mask, row) +
                          (first + key) * mask.column;
      scores = masked<Config>(scores, loadMask<Mask, W>(start, mask.column, count));
    }
    const auto isSeen = firstLanes<W>(least(count, problem_.visible(row) - first - key));
    store<float, W>(weights_ + row * kBlock + key,
                    select(isSeen, scores, constant<float, W>(kLowest)));
  }

  /// Adds the values of a block of keys to a row's sums.
  void addBlock(int64_t row, int64_t first, int64_t count) {
    float* weights = weights_ + row * kBlock;
    const auto larger = [](auto a, auto b) AIT_INLINE_LAMBDA { return largerNumber(a, b); };
    auto top = constant<float, W>(kLowest);
    for (int64_t key = 0; key < count; key += W) {
      top = largerNumber(top, load<float, W>(weights + key));
    }
    const float before = tops_[row];
    const float highest = horizontal(top, larger);
    const float now = before > highest ? before : highest;
    const auto shifts = shift(broadcast<W>(now));
    auto sum = constant<float, W>(0);
    for (int64_t key = 0; key < count; key += W) {
      // Lanes beyond the last key are −∞.
      const auto weight = expOfDifference(load<float, W>(weights + key) - shifts);
      store<float, W>(weights + key, weight);
      sum += weight;
    }
    const auto correction = expOfDifference(broadcast<W>(before) - shifts);
    tops_[row] = now;
    totals_[row] = totals_[row] * correction[0] + static_cast<float>(horizontalSum(sum));
    const T* values = v_ + first * problem_.v.row;
    float* sums = sums_ + row * paddedWidth_;
    int64_t i = 0;
    for (; i + kChunk * W <= problem_.width; i += kChunk * W) {
      addValues<kChunk>(values + i, weights, count, correction, sums + i);
    }
    for (; i + W <= problem_.width; i += W) {
      addValues<1>(values + i, weights, count, correction, sums + i);
    }
    if (i < problem_.width) {
      auto rest = load<float, W>(sums + i) * correction;
      for (int64_t key = 0; key < count; ++key) {
        const auto value = loadPartial<T, W>(values + key * problem_.v.row + i, problem_.width - i);
        rest = mulAdd(broadcast<W>(weights[key]), value, rest);
      }
      store<float, W>(sums + i, rest);
    }
  }

  template <int kVectors>
  AIT_INLINE void addValues(const T* values, const float* weights, int64_t count,
                            Vec<float, W> correction, float* sums) const {
    Vec<float, W> results[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) results[j] = load<float, W>(sums + j * W) * correction;
    for (int64_t key = 0; key < count; ++key) {
      const auto weight = broadcast<W>(weights[key]);
      const T* row = values + key * problem_.v.row;
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        results[j] = mulAdd(weight, load<T, W>(row + j * W), results[j]);
      }
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) store<float, W>(sums + j * W, results[j]);
  }

  const Problem& problem_;
  int64_t outer_;
  const T* k_;
  const T* v_;
  int64_t paddedDepth_;
  int64_t paddedWidth_;
  float* weights_;
  float* queries_;
  float* sums_;
  float tops_[kFewRows];
  float totals_[kFewRows];
};

}  // namespace ait::attend
