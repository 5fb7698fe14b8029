// Attention for many queries: panels of queries, blocks of keys.
#pragma once

#include "ait/cpu/attention_problem.h"
#include "ait/cpu/matmul_micro.h"
#include "ait/cpu/matmul_pack.h"

namespace ait::attend {

using Tile = MatmulTile<float>;

/// Sets `sums[i][j]` to `Σ a[k * aStep + i * aRow] * b[k * bStep + j]`, as `gemm::multiply` does
/// for operands that are in the nearest cache. Rows are reached from every third, by an index
/// register.
template <int kRows, int kVectors>
AIT_INLINE void multiply(gemm::Sums<Tile, kRows, kVectors>& sums, const float* a, int64_t aStep,
                         int64_t aRow, const float* b, int64_t bStep, int64_t depth) {
  using Vector = Vec<float, Tile::kLanes>;
  constexpr int kThirds = (kRows + 2) / 3;
  const float* rows[kThirds];
#pragma clang loop unroll(full)
  for (int i = 0; i < kThirds; ++i) rows[i] = a + 3 * i * aRow;
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) sums.values[i][j] = Vector(typename Vector::Native{});
  }
#pragma clang loop unroll_count(2)
  for (int64_t k = 0; k < depth; ++k) {
    Vector factors[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) factors[j] = load<float, Tile::kLanes>(b + j * Tile::kLanes);
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
      const Vector factor = broadcast<Tile::kLanes>(rows[i / 3][i % 3 * aRow]);
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        sums.values[i][j] = mulAdd(factor, factors[j], sums.values[i][j]);
      }
    }
    b += bStep;
#pragma clang loop unroll(full)
    for (int i = 0; i < kThirds; ++i) rows[i] += aStep;
  }
}

/// Scores of `kRows` keys, which lie `depth` elements apart, with a panel of queries.
template <int kVectors, int kRows>
void scoreRows(const float* keys, const float* panel, int64_t depth, float* scores) {
  gemm::Sums<Tile, kRows, kVectors> sums;
  multiply(sums, keys, 1, depth, panel, kVectors * Tile::kLanes, depth);
  sums.store(scores);
}

/// `kRows` elements of the results of a panel: `stored · correction + values · weights`.
template <int kVectors, int kRows>
void sumRows(const float* values, int64_t width, const float* weights, int64_t keys,
             const float* correction, float* stored) {
  constexpr int W = Tile::kLanes;
  gemm::Sums<Tile, kRows, kVectors> sums;
  multiply(sums, values, width, 1, weights, kVectors * W, keys);
  if (correction != nullptr) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      const auto factor = load<float, W>(correction + j * W);
#pragma clang loop unroll(full)
      for (int i = 0; i < kRows; ++i) {
        const auto before = load<float, W>(stored + (i * kVectors + j) * W);
        sums.values[i][j] = mulAdd(before, factor, sums.values[i][j]);
      }
    }
  }
  sums.store(stored);
}

/// The products for 1 … Tile::kRows rows, chosen at run time.
template <int kVectors, class Sequence = Indices<Tile::kRows>>
struct AnyRows;
template <int kVectors, int... I>
struct AnyRows<kVectors, IntegerSequence<int, I...>> {
  static constexpr int kColumns = kVectors * Tile::kLanes;

  /// Calls `body(first, count)` for parts of at most Tile::kRows rows, as even as can be.
  template <class Body>
  static AIT_INLINE void split(int64_t rows, Body&& body) {
    int64_t first = 0;
    for (int64_t left = quotientUp(rows, Tile::kRows); left > 0; --left) {
      const int64_t count = quotientUp(rows - first, left);
      body(first, count);
      first += count;
    }
  }

  static void score(const float* keys, int64_t count, const float* panel, int64_t depth,
                    float* scores) {
    using Function = void (*)(const float*, const float*, int64_t, float*);
    static constexpr Function kFunctions[] = {scoreRows<kVectors, I + 1>...};
    split(count, [&](int64_t first, int64_t rows) {
      kFunctions[rows - 1](keys + first * depth, panel, depth, scores + first * kColumns);
    });
  }

  static void sum(const float* values, int64_t width, const float* weights, int64_t keys,
                  const float* correction, float* stored) {
    using Function = void (*)(const float*, int64_t, const float*, int64_t, const float*, float*);
    static constexpr Function kFunctions[] = {sumRows<kVectors, I + 1>...};
    split(width, [&](int64_t first, int64_t rows) {
      kFunctions[rows - 1](values + first, width, weights, keys, correction,
                           stored + first * kColumns);
    });
  }
};

// MARK: - Movement

/// Copies `count` rows without gaps, as floats.
template <class T>
void copyRows(float* destination, const T* source, int64_t count, int64_t length, int64_t row,
              int64_t column) {
  constexpr int W = kLanes;
  for (int64_t i = 0; i < count; ++i, destination += length, source += row) {
    if (column != 1) {
      for (int64_t j = 0; j < length; ++j) destination[j] = toCompute<T>(source[j * column]);
      continue;
    }
    int64_t j = 0;
    for (; j + W <= length; j += W) store<float, W>(destination + j, load<T, W>(source + j));
    if (j < length) {
      storePartial<float, W>(destination + j, loadPartial<T, W>(source + j, length - j),
                             length - j);
    }
  }
}

/// Writes rows as the columns of a panel: element (row i, column j) to `panel[j * kColumns + i]`,
/// times a factor. Columns beyond `count` rows are 0. `at(i)` is where row i begins.
template <int kColumns, class T, class At>
void packColumns(float* panel, int64_t count, int64_t length, int64_t column, float factor,
                 const At& at) {
  constexpr int W = kLanes;
  static_assert(kColumns % W == 0);
  for (int64_t first = 0; first < kColumns; first += W) {
    const T* rows[W];
    for (int64_t i = 0; i < W; ++i) rows[i] = first + i < count ? at(first + i) : nullptr;
    for (int64_t j = 0; j < length; j += W) {
      const int64_t rest = least(W, length - j);
      Vec<float, W> block[W];
      for (int i = 0; i < W; ++i) {
        if (rows[i] == nullptr) {
          block[i] = constant<float, W>(0);
        } else if (column == 1 && rest == W) {
          block[i] = convert<float>(load<T, W>(rows[i] + j));
        } else {
          block[i] = convert<float>(loadStridedPartial<T, W>(rows[i] + j * column, column, rest));
        }
        block[i] = block[i] * broadcast<W>(factor);
      }
      gemm::transpose(block);
      for (int i = 0; i < W && i < rest; ++i) {
        store<float, W>(panel + (j + i) * kColumns + first, block[i]);
      }
    }
  }
}

/// Writes the columns of a panel as rows, each times its column's factor.
template <int kColumns, class T, class At>
void unpackColumns(const float* panel, const float* factors, int64_t count, int64_t length,
                   int64_t column, const At& at) {
  constexpr int W = kLanes;
  for (int64_t first = 0; first < count; first += W) {
    const auto factor = load<float, W>(factors + first);
    const int64_t rows = least(W, count - first);
    for (int64_t j = 0; j < length; j += W) {
      const int64_t rest = least(W, length - j);
      Vec<float, W> block[W];
      for (int i = 0; i < W; ++i) {
        // Beyond the last column any element will do.
        const int64_t from = i < rest ? j + i : j;
        block[i] = load<float, W>(panel + from * kColumns + first) * factor;
      }
      gemm::transpose(block);
      for (int64_t i = 0; i < rows; ++i) {
        T* row = at(first + i) + j * column;
        if (column == 1 && rest == W) {
          store<T, W>(row, block[i]);
        } else if (column == 1) {
          storePartial<T, W>(row, block[i], rest);
        } else {
          storeStridedPartial<T, W>(row, column, block[i], rest);
        }
      }
    }
  }
}

// MARK: - Tasks

/// How a call is cut, from its sizes alone but for the number of panels of a task.
struct Cut {
  int64_t keyBlock;
  int64_t panelsPerTask;
  int64_t tasksPerHead;
};

/// The most elements of a row of K and of V together: beyond, a panel and a block exceed the
/// scratch.
inline constexpr int64_t kMaximumWidths = 4096;

/// Panels of queries of one head, and all keys.
template <class Config>
class Blocks {
  using T = typename Config::Element;
  using Problem = attend::Problem<Config>;
  static constexpr int W = Tile::kLanes;
  static constexpr int kColumns = Tile::kColumns;

 public:
  static void run(const KernelContext& context, const Problem& problem) {
    const int64_t outer = problem.outerCount();
    const Cut cut = choose(problem, outer, context.pool.threadCount());
    if (problem.rows() == 0 || problem.width == 0) return;
    parallelFor(context.pool, outer * cut.tasksPerHead, [&](int64_t task, int32_t thread) {
      Blocks blocks(problem, cut, task / cut.tasksPerHead,
                    static_cast<float*>(context.pool.scratch(thread)));
      blocks.attend(task % cut.tasksPerHead);
    });
  }

 private:
  /// Blocks of 128 keys: their weights with 32 queries (16 KiB) and a panel of queries stay in L1.
  static Cut choose(const Problem& problem, int64_t outer, int64_t threads) {
    const int64_t widths = problem.depth + problem.width;
    const int64_t block = widths <= 512 ? 128 : 32;
    const int64_t blocks = quotientUp(problem.keys, block);
    const int64_t panels = quotientUp(problem.rows(), kColumns);
    // What a task keeps of its panels stays within 512 KiB.
    int64_t most = least(32, (512 << 10) / (widths * kColumns * 4 + 1));
    // A few tasks for each thread, so that all end at about the same time.
    while (most > 2 && outer * quotientUp(panels, most) < 4 * threads) --most;
    if (most < 1) most = 1;
    const int64_t tasks = quotientUp(panels, most);
    return {blocks == 0 ? 0 : quotientUp(problem.keys, blocks),
            quotientUp(panels, tasks == 0 ? 1 : tasks), tasks};
  }

  Blocks(const Problem& problem, const Cut& cut, int64_t outer, float* scratch)
      : problem_(problem),
        cut_(cut),
        q_(problem.q.elements + problem.offset(outer, problem.q.outer)),
        k_(problem.k.elements + problem.offset(outer, problem.k.outer)),
        v_(problem.v.elements + problem.offset(outer, problem.v.outer)),
        result_(problem.result.elements + problem.offset(outer, problem.result.outer)) {
    const auto take = [&](int64_t count) {
      float* part = scratch;
      scratch += quotientUp(count, 16) * 16;
      return part;
    };
    if constexpr (Config::kHasMask) {
      mask_ = reinterpret_cast<const typename Config::Mask*>(problem.mask.elements) +
              problem.offset(outer, problem.mask.outer);
      maskPanel_ = take(cut.keyBlock * kColumns);
    }
    keys_ = take(cut.keyBlock * problem.depth);
    values_ = take(cut.keyBlock * problem.width);
    weights_ = take(cut.keyBlock * kColumns);
    state_ = take(cut.panelsPerTask * kState);
    queries_ = take(cut.panelsPerTask * problem.depth * kColumns);
    sums_ = take(cut.panelsPerTask * problem.width * kColumns);
  }

  void attend(int64_t task) {
    const int64_t rows = problem_.rows();
    const int64_t firstRow = task * cut_.panelsPerTask * kColumns;
    const int64_t panels = least(cut_.panelsPerTask, quotientUp(rows - firstRow, kColumns));
    int64_t seen = 0;
    for (int64_t panel = 0; panel < panels; ++panel) {
      begin(panel, firstRow + panel * kColumns);
      const int64_t visible = visibleKeys(firstRow + panel * kColumns);
      seen = visible > seen ? visible : seen;
    }
    for (int64_t first = 0; first < seen; first += cut_.keyBlock) {
      const int64_t count = least(cut_.keyBlock, seen - first);
      copyRows(keys_, k_ + first * problem_.k.row, count, problem_.depth, problem_.k.row,
               problem_.k.column);
      copyRows(values_, v_ + first * problem_.v.row, count, problem_.width, problem_.v.row,
               problem_.v.column);
      const int64_t ahead = least(cut_.keyBlock, seen - first - count);
      for (int64_t panel = 0; panel < panels; ++panel) {
        for (int64_t key = panel * ahead / panels; key < (panel + 1) * ahead / panels; ++key) {
          prefetchRow(k_ + (first + count + key) * problem_.k.row, problem_.depth);
          prefetchRow(v_ + (first + count + key) * problem_.v.row, problem_.width);
        }
        const int64_t row = firstRow + panel * kColumns;
        const int64_t visible = least(count, visibleKeys(row) - first);
        if (visible <= 0) continue;
        if (isNarrow(row)) {
          step<Tile::kVectors / 2>(panel, row, first, visible);
        } else {
          step<Tile::kVectors>(panel, row, first, visible);
        }
      }
    }
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t row = firstRow + panel * kColumns;
      if (isNarrow(row)) {
        finish<kColumns / 2>(panel, row);
      } else {
        finish<kColumns>(panel, row);
      }
    }
  }

  /// Asks for a row of the next block: rows that lie far from each other are no stream to the
  /// hardware.
  static AIT_INLINE void prefetchRow(const T* row, int64_t length) {
    for (int64_t i = 0; i < length; i += 64 / sizeof(T)) __builtin_prefetch(row + i, 0, 2);
  }

  int64_t rowsOf(int64_t row) const { return least(kColumns, problem_.rows() - row); }

  /// Whether half the vectors of a panel hold its rows.
  bool isNarrow(int64_t row) const { return rowsOf(row) <= kColumns / 2; }

  /// How many keys a panel's rows count at most.
  int64_t visibleKeys(int64_t row) const {
    if (!Config::kIsCausal) return problem_.keys;
    const int64_t last = row + rowsOf(row) - 1;
    // A panel that a head ends in has its last query.
    const bool isOneHead = row / problem_.queries == last / problem_.queries;
    return least(problem_.keys, isOneHead ? last % problem_.queries + 1 : problem_.queries);
  }

  /// The maxima, the sums of weights and the corrections of a panel.
  static constexpr int64_t kState = 3 * kColumns;
  float* tops(int64_t panel) const { return state_ + panel * kState; }
  float* totals(int64_t panel) const { return tops(panel) + kColumns; }
  float* corrections(int64_t panel) const { return totals(panel) + kColumns; }
  float* sums(int64_t panel) const { return sums_ + panel * problem_.width * kColumns; }
  float* queries(int64_t panel) const { return queries_ + panel * problem_.depth * kColumns; }

  void begin(int64_t panel, int64_t row) {
    for (int64_t i = 0; i < kColumns; ++i) {
      tops(panel)[i] = kLowest;
      totals(panel)[i] = 0;
    }
    const auto at = [&](int64_t i) { return q_ + problem_.rowOffset(problem_.q, row + i); };
    if (isNarrow(row)) {
      packColumns<kColumns / 2, T>(queries(panel), rowsOf(row), problem_.depth, problem_.q.column,
                                   Config::kScale, at);
    } else {
      packColumns<kColumns, T>(queries(panel), rowsOf(row), problem_.depth, problem_.q.column,
                               Config::kScale, at);
    }
  }

  /// Adds a block of keys to a panel: `count` keys from `first` on, which lie in `keys_`.
  template <int kVectors>
  void step(int64_t panel, int64_t row, int64_t first, int64_t count) {
    AnyRows<kVectors>::score(keys_, count, queries(panel), problem_.depth, weights_);
    Vec<float, W> tops[kVectors];
    applyMask<kVectors>(row, first, count);
    applyCausality<kVectors>(row, first, count);
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) tops[j] = load<float, W>(this->tops(panel) + j * W);
    Vec<float, W> before[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) before[j] = tops[j];
    for (int64_t key = 0; key < count; ++key) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        tops[j] = largerNumber(tops[j], load<float, W>(at<kVectors>(key, j)));
      }
    }
    Vec<float, W> shifts[kVectors];
    Vec<float, W> sums[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      store<float, W>(this->tops(panel) + j * W, tops[j]);
      shifts[j] = shift(tops[j]);
      const auto correction = expOfDifference(before[j] - shifts[j]);
      store<float, W>(corrections(panel) + j * W, correction);
      sums[j] = load<float, W>(totals(panel) + j * W) * correction;
    }
    for (int64_t key = 0; key < count; ++key) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        const auto weight = expOfDifference(load<float, W>(at<kVectors>(key, j)) - shifts[j]);
        store<float, W>(at<kVectors>(key, j), weight);
        sums[j] += weight;
      }
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) store<float, W>(totals(panel) + j * W, sums[j]);
    AnyRows<kVectors>::sum(values_, problem_.width, weights_, count,
                           first == 0 ? nullptr : corrections(panel), this->sums(panel));
  }

  template <int kVectors>
  AIT_INLINE float* at(int64_t key, int vector) const {
    return weights_ + (key * kVectors + vector) * W;
  }

  template <int kVectors>
  void applyMask(int64_t row, int64_t first, int64_t count) {
    if constexpr (Config::kHasMask) {
      using Mask = typename Config::Mask;
      const auto& mask = problem_.mask;
      const Mask* start = mask_ + first * mask.column;
      if (mask.row == 0 && (mask.head == 0 || problem_.heads == 1)) {
        for (int64_t key = 0; key < count; ++key) {
          const auto each =
              broadcast<W>(static_cast<float>(toCompute<Mask>(start[key * mask.column])));
#pragma clang loop unroll(full)
          for (int j = 0; j < kVectors; ++j) {
            float* score = at<kVectors>(key, j);
            store<float, W>(score, masked<Config>(load<float, W>(score), each));
          }
        }
        return;
      }
      packColumns<kVectors * W, Mask>(
          maskPanel_, rowsOf(row), count, mask.column, 1,
          [&](int64_t i) { return start + problem_.rowOffset(mask, row + i); });
      for (int64_t i = 0; i < count * kVectors * W; i += W) {
        store<float, W>(weights_ + i, masked<Config>(load<float, W>(weights_ + i),
                                                     load<float, W>(maskPanel_ + i)));
      }
    }
  }

  /// Rules later keys out, where the panel has a query before some key of the block.
  template <int kVectors>
  void applyCausality(int64_t row, int64_t first, int64_t count) {
    if constexpr (Config::kIsCausal) {
      int32_t positions[kVectors * W];
      int64_t least = problem_.queries;
      for (int64_t i = 0; i < kVectors * W; ++i) {
        const int64_t position = (row + i) % problem_.queries;
        positions[i] = static_cast<int32_t>(position);
        if (i < rowsOf(row) && position < least) least = position;
      }
      for (int64_t key = least + 1 > first ? least + 1 - first : 0; key < count; ++key) {
        const auto own = broadcast<W>(static_cast<int32_t>(first + key));
#pragma clang loop unroll(full)
        for (int j = 0; j < kVectors; ++j) {
          float* score = at<kVectors>(key, j);
          const auto isSeen = load<int32_t, W>(positions + j * W) >= own;
          store<float, W>(score,
                          select(isSeen, load<float, W>(score), constant<float, W>(kLowest)));
        }
      }
    }
  }

  template <int kPanel>
  void finish(int64_t panel, int64_t row) {
    float* factors = corrections(panel);
    for (int64_t i = 0; i < kPanel; i += W) {
      const auto total = load<float, W>(totals(panel) + i);
      store<float, W>(factors + i, finalFactor<Config>(total, problem_.keys));
    }
    if (problem_.keys == 0) {
      for (int64_t i = 0; i < problem_.width * kPanel; ++i) sums(panel)[i] = 0;
    }
    unpackColumns<kPanel, T>(
        sums(panel), factors, rowsOf(row), problem_.width, problem_.result.column,
        [&](int64_t i) { return result_ + problem_.rowOffset(problem_.result, row + i); });
  }

  const Problem& problem_;
  const Cut& cut_;
  const T* q_;
  const T* k_;
  const T* v_;
  T* result_;
  const typename Config::Mask* mask_ = nullptr;
  float* maskPanel_ = nullptr;
  float* keys_;
  float* values_;
  float* weights_;
  float* state_;
  float* queries_;
  float* sums_;
};

}  // namespace ait::attend
