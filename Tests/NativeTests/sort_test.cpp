// The first elements of rows in order, and running results, against the library's sort and plain
// loops.
#include "ait/cpu/sort.h"

#include <algorithm>
#include <limits>

#include "ait/cpu/scan.h"
#include "check.h"

using check::GuardedBuffer;
using check::Random;

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;
ait::ThreadPool* const kPools[] = {&serialPool, &twoThreadPool};

template <class T>
bool isBelow(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);
  }
  return a < b;
}

/// Rows lie along the last axis, or next to each other.
template <class Element, bool kLargest>
void checkTopK(int64_t rows, int64_t count, int64_t kept, bool isAcross = false) {
  using T = ait::ComputeType<Element>;
  Random random(static_cast<uint64_t>(count));
  GuardedBuffer<Element> x(rows * count);
  for (int64_t i = 0; i < x.count(); ++i) {
    // Few different numbers: ties.
    x[i] = ait::toStorage<Element>(static_cast<T>(random.integer(-20, 20)));
    if (std::is_floating_point_v<T> && random.integer(0, 9) == 0) {
      x[i] = ait::toStorage<Element>(std::numeric_limits<T>::quiet_NaN());
    }
  }
  const int64_t rowStride = isAcross ? 1 : count, step = isAcross ? rows : 1;
  const int64_t keptRow = isAcross ? 1 : kept, keptStep = isAcross ? rows : 1;
  GuardedBuffer<uint8_t> workspace(kept * 16);
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<Element> values(rows * kept);
    GuardedBuffer<int64_t> positions(rows * kept);
    check::runKernel(ait::topK<Element, kLargest, 2>, {x.data(), values.data(), positions.data()},
                     {rows, count, rowStride, step, keptRow, keptStep, keptRow, keptStep, kept},
                     *pool, workspace.data());
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<int64_t> order(count);
      for (int64_t i = 0; i < count; ++i) order[i] = i;
      const auto at = [&](int64_t i) { return ait::toCompute(x[row * rowStride + i * step]); };
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        const bool isLess = isBelow(at(a), at(b));
        const bool isMore = isBelow(at(b), at(a));
        return isLess == isMore ? a < b : isLess != kLargest;
      });
      for (int64_t i = 0; i < kept; ++i) {
        const int64_t place = row * keptRow + i * keptStep;
        CHECK_EQUAL(positions[place], order[i], row, i, count, kept);
        CHECK_EQUAL(ait::toCompute(values[place]), at(order[i]), row, i, count, kept);
      }
    }
    CHECK(values.guardsAreIntact() && positions.guardsAreIntact(), count, kept);
  }
}

template <class Element>
void checkSizes() {
  for (const int64_t count : {1, 2, 15, 16, 17, 33, 100, 1000}) {
    for (const int64_t kept : {int64_t{0}, int64_t{1}, int64_t{2}, count / 2, count}) {
      if (kept > count) continue;
      checkTopK<Element, true>(3, count, kept);
      checkTopK<Element, false>(2, count, kept, true);
    }
  }
  checkTopK<Element, true>(0, 5, 2);
}

}  // namespace

TEST(floats) { checkSizes<float>(); }
TEST(halves) { checkSizes<ait::bfloat16>(); }
TEST(doubles) { checkSizes<double>(); }
TEST(integers) {
  checkSizes<int64_t>();
  checkSizes<int8_t>();
}
TEST(truth) { checkTopK<bool, true>(3, 40, 40); }

TEST(longRows) {
  checkTopK<float, true>(5, 40000, 100);
  checkTopK<float, false>(2, 100000, 100000);  // a heap in scratch memory
  checkTopK<float, true>(1, 140000, 140000);   // in the workspace
}

namespace {

template <class Scan, class Element, class Result, class Number, bool kExclusive, bool kReversed,
          class Combine>
void checkScan(int64_t rows, int64_t count, int64_t columns, Combine combine, Number start) {
  using Access = ait::Access;
  Random random(2);
  GuardedBuffer<Element> x(rows * count * columns);
  for (int64_t i = 0; i < x.count(); ++i) {
    x[i] = ait::toStorage<Element>(static_cast<ait::ComputeType<Element>>(random.integer(0, 3)));
  }
  const std::vector<int64_t> sizes = {rows,      count,      columns,         count * columns,
                                      columns,   int64_t{1}, count * columns, columns,
                                      int64_t{1}};
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<Result> y(x.count());
    check::runKernel(
        ait::scan<Scan, Element, Result, Number, kExclusive, kReversed, Access::contiguous, 3>,
        {x.data(), y.data()}, sizes, *pool);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) {
        Number state = start;
        for (int64_t step = 0; step < count; ++step) {
          const int64_t i = kReversed ? count - 1 - step : step;
          const int64_t at = (row * count + i) * columns + column;
          const Number next = combine(state, static_cast<Number>(ait::toCompute(x[at])));
          CHECK_EQUAL(static_cast<double>(ait::toCompute(y[at])),
                      static_cast<double>(kExclusive ? state : next), count, columns, at);
          state = next;
        }
      }
    }
    CHECK(y.guardsAreIntact());
  }
}

}  // namespace

TEST(scans) {
  const auto add = [](auto a, auto b) { return static_cast<decltype(a)>(a + b); };
  const auto multiply = [](auto a, auto b) { return static_cast<decltype(a)>(a * b); };
  const auto larger = [](auto a, auto b) { return a > b ? a : b; };
  const auto smaller = [](auto a, auto b) { return a < b ? a : b; };
  for (const int64_t columns : {1, 3, 16, 37}) {
    for (const int64_t count : {0, 1, 9}) {
      checkScan<ait::SumScan, float, float, double, false, false>(3, count, columns, add, 0.0);
      checkScan<ait::SumScan, ait::float16, ait::float16, float, true, false>(2, count, columns,
                                                                              add, 0.0f);
      checkScan<ait::SumScan, int8_t, int64_t, int64_t, false, true>(2, count, columns, add,
                                                                     int64_t{0});
      checkScan<ait::SumScan, bool, int64_t, int64_t, true, true>(2, count, columns, add,
                                                                  int64_t{0});
      checkScan<ait::ProductScan, double, double, double, false, false>(2, count, columns, multiply,
                                                                        1.0);
      checkScan<ait::MaximumScan, int16_t, int16_t, int16_t, true, false>(
          2, count, columns, larger, std::numeric_limits<int16_t>::min());
      checkScan<ait::MinimumScan, uint8_t, uint8_t, uint8_t, true, false>(2, count, columns,
                                                                          smaller, uint8_t{255});
      checkScan<ait::MinimumScan, bool, bool, bool, true, false>(2, count, columns, smaller, true);
    }
  }
  checkScan<ait::SumScan, float, float, double, false, false>(40, 50, 40, add, 0.0);
}

TEST(notANumberStays) {
  float x[4] = {1, std::numeric_limits<float>::quiet_NaN(), 5, 2};
  float y[4];
  check::runKernel(
      ait::scan<ait::MaximumScan, float, float, float, false, false, ait::Access::contiguous, 2>,
      {x, y}, {4, 1, 1, 0, 1, 0}, serialPool);
  CHECK_EQUAL(y[0], 1.0f);
  for (int i = 1; i < 4; ++i) CHECK(std::isnan(y[i]), i);
}
