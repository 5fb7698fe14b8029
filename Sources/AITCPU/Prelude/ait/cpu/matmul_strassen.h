// Products of many rows with seven multiplications where the definition has eight.
//
// A *quad* of C, two row panels by two panels of B, is summed over halves of a block of K:
//
//   C11 C12     A11 A12   B11 B12     A11, A12: the upper rows; the first, the second half of K
//   C21 C22  =  A21 A22 · B21 B22     B11, B21: the left panel; the first, the second half of K
//
// Seven products of sums of quarters give C (Strassen 1969, in Winograd's form of fifteen
// additions):
//
//   S1 = A21 + A22   S2 = S1 - A11    S3 = A11 - A21   S4 = A12 - S2
//   T1 = B12 - B11   T2 = B22 - T1    T3 = B22 - B12   T4 = B21 - T2
//   U2 = A11 B11 + S2 T2              U3 = U2 + S3 T3
//   C11 = A11 B11 + A12 B21           C12 = U2 + S1 T1 + S4 B22
//   C21 = U3 + A22 T4                 C22 = U3 + S1 T1
//
// The sums of A are made once per task, where A is packed; those of B by the first of the products
// that need them, whose loads leave the units for additions idle. B is packed as for other
// products.
//
// Such sums err in relation to the largest quarter, not to an element's own terms: with random
// numbers by 8e-7 of the norm, where others err by 3.6e-7. Where the norms of a row's or a column's
// quarters differ by too much (`kMostDispersion`), or an element is not finite, the eight products
// are computed: so infinities, NaN and zeros stay in their places, and a row of large numbers does
// not disturb another. An element depends on the rows and columns that it is paired with; pairs
// follow from M and N alone, so the cut and the thread count change no number.
#pragma once

#include "ait/cpu/matmul_blocks.h"
#include "ait/cpu/matmul_strassen_pack.h"

namespace ait::gemm {

/// Pairs of row panels: M rows as evenly as can be, so that a panel has at least three quarters of
/// `kMostRows`. With an odd M, the last row of the last pair is zeros.
template <int kMostRows>
struct RowPairs {
  int64_t doubledRows;
  int64_t count;

  explicit RowPairs(int64_t rows)
      : doubledRows(ceilDivide(rows, 2)), count(ceilDivide(doubledRows, kMostRows)) {}

  int64_t start(int64_t pair) const { return doubledRows * pair / count * 2; }
  /// The rows of each of the two panels.
  int64_t rows(int64_t pair) const {
    return doubledRows * (pair + 1) / count - doubledRows * pair / count;
  }
};

/// One thread's share of a product: some row pairs by some pairs of panels of one matrix.
///
/// For every block of K, for every pair of panels, for each of the seven products, all row pairs in
/// turn. With AVX-512:
///
/// | data                  | size                   | where it stays                         |
/// | --------------------- | ---------------------- | -------------------------------------- |
/// | the sums of a product | 11 x 32                | registers                              |
/// | a quarter of A        | 11 x 128: 5.5 KiB      | streams from L2                        |
/// | a quarter of B        | 128 x 32: 16 KiB       | L1                                     |
/// | two panels of B       | 256 x 64: 64 KiB       | L2; from memory once per task          |
/// | A and its sums        | 2 x 128 x 256: 256 KiB | L2; once per task and block of K       |
/// | sums of past blocks   | 128 x 512: 256 KiB     | L2, L3; asked for one product ahead    |
///
/// While two panels are used, the next two are asked for.
template <class Config, class Body, class In, class Out>
class StrassenTask {
  using Tile = typename Config::Tile;
  using Sizes = gemm::Sizes<Config::kBatchRank>;
  using Vector = Vec<float, Tile::kLanes>;
  static constexpr int W = Tile::kLanes;
  static constexpr int kColumns = Tile::kColumns;
  static constexpr int kTileElements = Tile::kElements;
  static constexpr int kQuadElements = 4 * kTileElements;
  /// The dispersion of a row of A, times that of a column of B, that sums of quarters are taken
  /// for.
  static constexpr float kMostDispersion = 128;

  // The parts of packed rows: the quarters, then their sums.
  enum Part : int { a11, a12, a21, a22, s1, s2, s3, s4, kParts };
  enum class Product { a11b11, a12b21, s1t1, s2t2, a22t4, s3t3, s4b22 };

 public:
  /// Rows of a panel: one less than other products have, as rows of A are reached by several
  /// registers. With twelve, clang spills and the loop runs at 80 % of the speed.
  static constexpr int kRows = Tile::kRows - 1;
  /// Row pairs of a task, at most.
  static constexpr int64_t kMostPairs = 9;
  /// Quads that a task keeps the sums of, at most.
  static constexpr int64_t kMostQuads =
      (ThreadPool::kScratchSizeInBytes / 4 - kHalfDepth * kColumns -
       kMostPairs * (kParts * kRows * kHalfDepth + 2 * kTileElements)) /
      kQuadElements;

  /// Whether there is enough to multiply for the additions to pay.
  static bool covers(const Sizes& sizes) {
    return sizes.M >= 64 && sizes.N >= 2 * kColumns && sizes.K >= 128 && sizes.K % 2 == 0;
  }

  StrassenTask(const KernelContext& context, const Sizes& sizes, const Blocking& cut)
      : context_(context), sizes_(sizes), cut_(cut), matrix_(context, sizes), pairs_(sizes.M) {}

  /// Computes the part of C that belongs to a task index.
  void run(int64_t task, int32_t thread) {
    matrix_.seek(context_, sizes_, task / cut_.tasksPerMatrix());
    // Neighbouring tasks share columns, so that threads read the same part of B at a time.
    const int64_t columnTask = task % cut_.tasksPerMatrix() / cut_.rowTasks;
    const int64_t rowTask = task % cut_.tasksPerMatrix() % cut_.rowTasks;
    firstPair_ = rowTask * cut_.rowPanelsPerTask;
    pairCount_ = smaller(cut_.rowPanelsPerTask, cut_.rowPanels - firstPair_);
    const int64_t first = columnTask * cut_.panelsPerTask;
    const int64_t end = smaller(first + cut_.panelsPerTask, cut_.panels);
    panelSum_ = static_cast<float*>(context_.pool.scratch(thread));
    packedA_ = panelSum_ + kHalfDepth * kColumns;
    kept_ = packedA_ + kMostPairs * kParts * kRows * kHalfDepth;
    float* sums = kept_ + kMostPairs * 2 * kTileElements;

    for (int64_t block = 0; block < cut_.depth.count; ++block) {
      firstK_ = block * cut_.depth.length;
      half_ = smaller(cut_.depth.length, sizes_.K - firstK_) / 2;
      rowLength_ = ceilDivide(half_, W) * W;
      isFirst_ = block == 0;
      isLast_ = block + 1 == cut_.depth.count;
      for (int64_t pair = 0; pair < pairCount_; ++pair) dispersions_[pair] = packPair(pair);
      for (column_ = first; column_ < end; ++column_) {
        const bool isEnd = column_ + 1 == end;
        const float* next =
            isEnd ? panel(2 * first) + 2 * half_ * kColumns : panel(2 * column_ + 2);
        const bool keepsSums = cut_.depth.count > 1;
        multiplyPanels(next, sums + (keepsSums ? column_ - first : 0) * pairCount_ * kQuadElements);
      }
    }
  }

 private:
  /// Where the current block of K begins in a panel of B.
  const float* panel(int64_t index) const {
    return matrix_.b + (index * sizes_.K + firstK_) * kColumns;
  }

  /// A part of a packed pair: `rowLength_` elements of each row.
  float* part(int64_t pair, Part index) const {
    return packedA_ + (index * pairCount_ + pair) * kRows * rowLength_;
  }

  // MARK: - Packing

  /// Copies the rows of a pair and adds their sums; the largest dispersion of a row, squared.
  float packPair(int64_t pair) const {
    const int64_t rows = pairs_.rows(firstPair_ + pair);
    const int64_t row = pairs_.start(firstPair_ + pair);
    const int64_t rowStride = sizes_.aStrides[Config::kBatchRank];
    const int64_t depthStride = sizes_.aStrides[Config::kBatchRank + 1];
    const float* upper = matrix_.a + row * rowStride + firstK_ * depthStride;
    const float* lower = upper + rows * rowStride;
    float* to = part(pair, a11);
    float dispersion = 1;
    for (int64_t i = 0; i < rows; ++i, to += rowLength_) {
      // The row of zeros that an odd M is filled up with disturbs nobody.
      const bool hasLower = row + rows + i < sizes_.M;
      float norms[4];
      if (depthStride == 1 && half_ % W == 0 && hasLower) {
        packRow<true>(to, upper, lower, norms);
      } else {
        packRow<false>(to, upper, hasLower ? lower : nullptr, norms);
      }
      dispersion = largerDispersion(dispersion, dispersionOf(norms, hasLower ? 4 : 2));
      upper += rowStride;
      lower += rowStride;
    }
    return dispersion;
  }

  /// Packs an upper and a lower row with their sums; the squares of the norms of their quarters.
  template <bool isContiguous>
  void packRow(float* to, const float* upper, const float* lower, float* norms) const {
    const int64_t stride = isContiguous ? 1 : sizes_.aStrides[Config::kBatchRank + 1];
    const int64_t step = pairCount_ * kRows * rowLength_;
    Vector squares[4] = {};
    for (int64_t k = 0; k < half_; k += W, to += W) {
      Vector values[4];
#pragma clang loop unroll(full)
      for (int i = a11; i <= a22; ++i) {
        const float* row = i >= a21 ? lower : upper;
        const int64_t first = i % 2 * half_ + k;
        if constexpr (isContiguous) {
          values[i] = load<float, W>(row + first);
        } else {
          alignas(64) float elements[W] = {};
          for (int64_t j = 0; row != nullptr && j < smaller(W, half_ - k); ++j) {
            elements[j] = row[(first + j) * stride];
          }
          values[i] = load<float, W>(elements);
        }
        squares[i] = mulAdd(values[i], values[i], squares[i]);
        store<float, W>(to + i * step, values[i]);
      }
      const Vector both = values[a21] + values[a22];
      const Vector difference = both - values[a11];
      store<float, W>(to + s1 * step, both);
      store<float, W>(to + s2 * step, difference);
      store<float, W>(to + s3 * step, values[a11] - values[a21]);
      store<float, W>(to + s4 * step, values[a12] - difference);
    }
    for (int i = a11; i <= a22; ++i) norms[i] = horizontalSum(squares[i]);
  }

  // MARK: - Pairs of panels

  /// Multiplies all rows of the task by the current block of K of two panels; finishes them if it
  /// is K's last. `next` is what comes after the left panel.
  void multiplyPanels(const float* next, float* sums) {
    const int64_t columns = sizes_.N - 2 * column_ * kColumns;
    const float* left = panel(2 * column_);
    const float* right = columns > kColumns ? panel(2 * column_ + 1) : nullptr;
    const float* panelDispersions = matrix_.b + packedElementCount(sizes_.K, sizes_.N, kColumns);
    bool isAnySafe = false;
    for (int64_t pair = 0; pair < pairCount_; ++pair) {
      const float dispersion = dispersions_[pair] * panelDispersions[column_];
      isSafe_[pair] = columns >= 2 * kColumns && dispersion <= kMostDispersion * kMostDispersion;
      isAnySafe = isAnySafe || isSafe_[pair];
      if (isSafe_[pair]) continue;
      withRows(pair, [&](auto rows) {
        multiplyEight<decltype(rows)::kCount>(pair, left, right, sums + pair * kQuadElements);
      });
    }
    if (isAnySafe) multiplySeven(left, right, next, sums);
  }

  /// A quarter of B, or the difference of one and another or the last difference.
  struct Quarter {
    const float* elements;
    const float* subtrahend = nullptr;
  };

  /// Memory that is asked for ahead, so many bytes with each k.
  struct Prefetch {
    const char* next;
    int64_t step;
  };

  /// The seven products of the safe row pairs, each for all in turn, so that B's quarter stays in
  /// L1.
  void multiplySeven(const float* left, const float* right, const float* next, float* sums) {
    const float* b21 = left + half_ * kColumns;
    const float* b22 = right + half_ * kColumns;
    // Four products ask for the next left panel, three for the right one.
    const int64_t bytes = 2 * half_ * kColumns * 4;
    const int64_t steps = half_ * pairCount_;
    prefetch_ = {reinterpret_cast<const char*>(next), ceilDivide(bytes, 4 * steps)};
    multiplyPairs<Product::a11b11>(a11, {left}, sums);
    multiplyPairs<Product::a12b21>(a12, {b21}, sums);
    multiplyPairs<Product::s1t1>(s1, {right, left}, sums);
    multiplyPairs<Product::s2t2>(s2, {b22, panelSum_}, sums);
    prefetch_ = {reinterpret_cast<const char*>(next + sizes_.K * kColumns),
                 ceilDivide(bytes, 3 * steps)};
    multiplyPairs<Product::a22t4>(a22, {b21, panelSum_}, sums);
    multiplyPairs<Product::s3t3>(s3, {b22, right}, sums);
    multiplyPairs<Product::s4b22>(s4, {b22}, sums);
  }

  /// One of the seven products for all row pairs. The first of them makes B's difference.
  template <Product product>
  void multiplyPairs(Part a, Quarter b, float* sums) {
    for (int64_t pair = 0; pair < pairCount_; ++pair, sums += kQuadElements) {
      if (!isSafe_[pair]) continue;
      for (int quarter = 0; quarter < 4; ++quarter) {
        if (completes(product, quarter)) prefetchQuarter(pair, quarter, sums);
      }
      withRows(pair, [&](auto rows) {
        multiply<decltype(rows)::kCount, product>(part(pair, a), b,
                                                  kept_ + pair * 2 * kTileElements, sums);
      });
      if (b.subtrahend != nullptr) b = {panelSum_};
      for (int quarter = 0; isLast_ && quarter < 4; ++quarter) {
        if (completes(product, quarter)) finish(pair, quarter, sums);
      }
    }
  }

  /// Whether a quarter of C is whole with this product.
  static constexpr bool completes(Product product, int quarter) {
    return product == Product::a12b21  ? quarter == 0
           : product == Product::s4b22 ? quarter == 1
                                       : product == Product::s3t3 && quarter >= 2;
  }

  template <int count>
  struct Rows {
    static constexpr int kCount = count;
  };

  /// Calls `body` with the number of rows of a pair's panels as a type.
  template <class F>
  AIT_INLINE void withRows(int64_t pair, F&& body) const {
    const int64_t rows = pairs_.rows(firstPair_ + pair);
    if (rows == kRows) return body(Rows<kRows>{});
    if (rows == kRows - 1) return body(Rows<kRows - 1>{});
    if constexpr (kRows > 5) {
      if (rows == kRows - 2) return body(Rows<kRows - 2>{});
      return body(Rows<kRows - 3>{});
    }
  }

  // MARK: - Products

  /// Sets sums to stored ones, or to zeros.
  template <int kCount>
  static AIT_INLINE void begin(Sums<Tile, kCount>& sums, const float* start) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kCount; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < Tile::kVectors; ++j) {
        sums.values[i][j] =
            start == nullptr ? constant<float, W>(0) : load<float, W>(start + i * kColumns + j * W);
      }
    }
  }

  /// Adds a product of quarters to sums; on the way B's difference is made and stored.
  template <bool makesDifference, int kCount>
  AIT_INLINE void accumulate(Sums<Tile, kCount>& sums, const float* a, Quarter quarter,
                             Prefetch& prefetch) const {
    const char* next = prefetch.next;
    const float* b = quarter.elements;
    const float* subtrahend = quarter.subtrahend;
    float* difference = panelSum_;
    // Every third row has a pointer, the next two are reached from it by an index register.
    constexpr int kThirds = (kCount + 2) / 3;
    const int64_t rowLength = rowLength_;
    const float* rows[kThirds];
#pragma clang loop unroll(full)
    for (int i = 0; i < kThirds; ++i) rows[i] = a + 3 * i * rowLength;
    // Twice, since the loop's own instructions compete with the products for issue slots.
#pragma clang loop unroll_count(2)
    for (int64_t k = 0; k < half_; ++k) {
      Vector factors[Tile::kVectors];
#pragma clang loop unroll(full)
      for (int j = 0; j < Tile::kVectors; ++j) {
        factors[j] = load<float, W>(b + j * W);
        if constexpr (makesDifference) {
          factors[j] = factors[j] - load<float, W>(subtrahend + j * W);
          store<float, W>(difference + j * W, factors[j]);
        }
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < kCount; ++i) {
        const Vector factor = broadcast<W>(rows[i / 3][i % 3 * rowLength]);
#pragma clang loop unroll(full)
        for (int j = 0; j < Tile::kVectors; ++j) {
          sums.values[i][j] = mulAdd(factor, factors[j], sums.values[i][j]);
        }
      }
      __builtin_prefetch(next, 0, 2);
      next += prefetch.step;
#pragma clang loop unroll(full)
      for (int i = 0; i < kThirds; ++i) ++rows[i];
      b += kColumns;
      if constexpr (makesDifference) {
        subtrahend += kColumns;
        difference += kColumns;
      }
    }
    prefetch.next = next;
  }

  /// Computes one of the seven products for a row pair. `kept` holds A11 B11, then U2, and S1 T1.
  template <int kCount, Product product>
  __attribute__((noinline)) void multiply(const float* a, Quarter b, float* kept, float* sums) {
    constexpr bool isNew =
        product == Product::a11b11 || product == Product::s1t1 || product == Product::a22t4;
    constexpr bool isOfDifference = product == Product::s1t1 || product == Product::s2t2 ||
                                    product == Product::a22t4 || product == Product::s3t3;
    float* s1t1 = kept + kTileElements;
    Sums<Tile, kCount> total;
    begin(total, isNew ? nullptr : kept);
    if (isOfDifference && b.subtrahend != nullptr) {
      accumulate<isOfDifference>(total, a, b, prefetch_);
    } else {
      accumulate<false>(total, a, b, prefetch_);
    }
    if constexpr (product == Product::a11b11 || product == Product::s2t2) {
      total.store(kept);
    } else if constexpr (product == Product::s1t1) {
      total.store(s1t1);
    } else {
      constexpr int kQuarter = product == Product::a12b21  ? 0
                               : product == Product::s4b22 ? 1
                               : product == Product::a22t4 ? 2
                                                           : 3;
      if constexpr (product == Product::s3t3) addTo(sums + 2 * kTileElements, total);
      if constexpr (product == Product::s3t3 || product == Product::s4b22) total.add(s1t1);
      float* result = sums + kQuarter * kTileElements;
      if (!isFirst_) total.add(result);
      total.store(result);
    }
  }

  /// Adds sums to stored ones.
  template <int kCount>
  static AIT_INLINE void addTo(float* stored, const Sums<Tile, kCount>& sums) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kCount; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < Tile::kVectors; ++j) {
        float* at = stored + i * kColumns + j * W;
        store<float, W>(at, load<float, W>(at) + sums.values[i][j]);
      }
    }
  }

  /// The eight products for a row pair; the right panel may be missing.
  template <int kCount>
  void multiplyEight(int64_t pair, const float* left, const float* right, float* sums) const {
    for (int quarter = 0; quarter < 4; ++quarter) {
      const float* b = quarter % 2 == 0 ? left : right;
      if (b == nullptr) continue;
      const bool isUpper = quarter < 2;
      float* result = sums + quarter * kTileElements;
      multiplyAndAdd<kCount>(part(pair, isUpper ? a11 : a21), b, isFirst_, result);
      multiplyAndAdd<kCount>(part(pair, isUpper ? a12 : a22), b + half_ * kColumns, false, result);
      if (isLast_) finish(pair, quarter, sums);
    }
  }

  template <int kCount>
  __attribute__((noinline)) void multiplyAndAdd(const float* a, const float* b, bool isFirst,
                                                float* result) const {
    Sums<Tile, kCount> sums;
    begin(sums, nullptr);
    if (!isFirst) begin(sums, result);
    Prefetch none = {reinterpret_cast<const char*>(b), 0};
    accumulate<false>(sums, a, {b}, none);
    sums.store(result);
  }

  // MARK: - Results

  /// Asks for the sums of past blocks of a quarter of a quad, and for where it is finished.
  AIT_INLINE void prefetchQuarter(int64_t pair, int quarter, const float* sums) const {
    const int64_t rows = pairs_.rows(firstPair_ + pair);
    for (int64_t i = 0; !isFirst_ && i < rows * kColumns; i += 16) {
      __builtin_prefetch(sums + quarter * kTileElements + i, 1, 3);
    }
    if (!isLast_) return;
    const int64_t row = pairs_.start(firstPair_ + pair) + quarter / 2 * rows;
    matrix_.epilogue.prefetch(row, smaller(rows, sizes_.M - row),
                              (2 * column_ + quarter % 2) * kColumns, kColumns);
  }

  /// Finishes a quarter of a quad.
  void finish(int64_t pair, int quarter, const float* sums) const {
    const int64_t rows = pairs_.rows(firstPair_ + pair);
    const int64_t row = pairs_.start(firstPair_ + pair) + quarter / 2 * rows;
    const int64_t column = (2 * column_ + quarter % 2) * kColumns;
    matrix_.epilogue.finish(sums + quarter * kTileElements, kColumns, row,
                            smaller(rows, sizes_.M - row), column,
                            smaller(kColumns, sizes_.N - column));
  }

  const KernelContext& context_;
  const Sizes& sizes_;
  const Blocking& cut_;
  Matrix<Config, Body, In, Out> matrix_;
  RowPairs<kRows> pairs_;
  // The task, its block of K and its pair of panels.
  int64_t firstPair_ = 0;
  int64_t pairCount_ = 0;
  int64_t firstK_ = 0;
  int64_t half_ = 0;
  int64_t rowLength_ = 0;
  int64_t column_ = 0;
  bool isFirst_ = false;
  bool isLast_ = false;
  Prefetch prefetch_ = {};
  float dispersions_[kMostPairs];
  bool isSafe_[kMostPairs];
  // Scratch memory: B's difference, A, and of each row pair what `multiply` keeps.
  float* panelSum_ = nullptr;
  float* packedA_ = nullptr;
  float* kept_ = nullptr;
};

/// Computes a product by `StrassenTask`s.
template <class Config, class Body, class In, class Out>
void multiplyBySeven(const KernelContext& context, const gemm::Sizes<Config::kBatchRank>& sizes) {
  using Task = StrassenTask<Config, Body, In, Out>;
  Blocking cut(DepthBlocks(sizes.K, 2 * kHalfDepth));
  cut.rowPanels = RowPairs<Task::kRows>(sizes.M).count;
  cut.panels = ceilDivide(sizes.N, 2 * Config::Tile::kColumns);
  const int64_t mostPairs = smaller(cut.rowPanels, Task::kMostPairs);
  // In percent of a step of a quad, which takes 77 cycles with AVX-512: rows of A that another
  // thread wrote cost as much again as packing them, panels that two threads read little. Tasks are
  // large, since each packs its rows; packed once for all, they would come from another core's
  // cache, which takes longer (0.7 times the speed with 128 x 768 x 768). As few tasks as threads
  // are 2 to 7 % slower where cores are shared and do not run alike.
  const TaskCosts costs = {40, 10, 12};
  cutIntoTasks(cut, sizes.batch(), mostPairs, Task::kMostQuads / mostPairs,
               context.pool.threadCount(), costs);
  parallelFor(context.pool, sizes.batch() * cut.tasksPerMatrix(),
              [&](int64_t index, int32_t thread) {
                Task task(context, sizes, cut);
                task.run(index, thread);
              });
}

}  // namespace ait::gemm
