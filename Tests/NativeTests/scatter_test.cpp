// Updates of elements that an index chooses, against plain loops.
#include "ait/cpu/scatter.h"

#include "check.h"

using check::GuardedBuffer;
using check::Random;

namespace {

std::atomic<int64_t> reportedIndex{0};
std::atomic<int> reports{0};

}  // namespace

namespace ait {

void reportIndexError(int64_t index, int64_t) {
  reportedIndex = index;
  ++reports;
}

}  // namespace ait

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;
ait::ThreadPool* const kPools[] = {&serialPool, &twoThreadPool};

/// x [A, E, C], index and updates [a, K, c].
template <ait::ScatterKind kKind, bool kSelf, class Element>
void checkScatter(int64_t A, int64_t E, int64_t C, int64_t a, int64_t K, int64_t c) {
  using T = ait::ComputeType<Element>;
  Random random(6);
  GuardedBuffer<Element> x(A * E * C), updates(a * K * c);
  GuardedBuffer<int64_t> index(a * K * c);
  const auto fill = [&](GuardedBuffer<Element>& buffer) {
    for (int64_t i = 0; i < buffer.count(); ++i) {
      buffer[i] = ait::toStorage<Element>(static_cast<T>(random.integer(-3, 3)));
    }
  };
  fill(x);
  fill(updates);
  for (int64_t i = 0; i < index.count(); ++i) index[i] = random.integer(0, E - 1);
  std::vector<double> expected;
  for (int64_t i = 0; i < x.count(); ++i) expected.push_back(ait::toCompute(x[i]));
  std::vector<bool> isFresh(expected.size(), !kSelf);
  for (int64_t i = 0; i < a; ++i) {
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t j = 0; j < c; ++j) {
        const int64_t from = (i * K + k) * c + j;
        const int64_t to = (i * E + index[from]) * C + j;
        const double update = ait::toCompute(updates[from]);
        const double before = expected[to];
        const bool replaces = isFresh[to] || kKind == ait::ScatterKind::replace;
        isFresh[to] = false;
        expected[to] = replaces                                                    ? update
                       : kKind == ait::ScatterKind::add                            ? before + update
                       : kKind == ait::ScatterKind::multiply                       ? before * update
                       : (kKind == ait::ScatterKind::maximum) == (update > before) ? update
                                                                                   : before;
      }
    }
  }
  const std::vector<int64_t> sizes = {A,     E, C, a,     K, c, E * C, C, 1,
                                      K * c, c, 1, K * c, c, 1, E * C, C, 1};
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<Element> y(A * E * C);
    const auto kernel = ait::scatter<kKind, kSelf, Element, int64_t, 3>;
    check::runKernel(kernel, {x.data(), index.data(), updates.data(), y.data()}, sizes, *pool);
    const auto agrees = [&] {
      for (int64_t i = 0; i < y.count(); ++i) {
        CHECK_EQUAL(static_cast<double>(ait::toCompute(y[i])), expected[i], A, E, C, K, i);
      }
    };
    agrees();
    CHECK(y.guardsAreIntact());
    // In place.
    for (int64_t i = 0; i < y.count(); ++i) y[i] = x[i];
    check::runKernel(kernel, {y.data(), index.data(), updates.data(), y.data()}, sizes, *pool);
    agrees();
  }
}

template <ait::ScatterKind kKind, bool kSelf, class Element>
void checkSizes() {
  checkScatter<kKind, kSelf, Element>(3, 7, 5, 3, 4, 5);
  checkScatter<kKind, kSelf, Element>(4, 5, 300, 2, 9, 270);
  checkScatter<kKind, kSelf, Element>(1, 6, 1, 1, 20, 1);
  checkScatter<kKind, kSelf, Element>(2, 3, 4, 2, 0, 4);
  checkScatter<kKind, kSelf, Element>(40, 30, 40, 40, 10, 33);
}

}  // namespace

TEST(replaced) { checkSizes<ait::ScatterKind::replace, true, float>(); }
TEST(sums) {
  checkSizes<ait::ScatterKind::add, true, float>();
  checkSizes<ait::ScatterKind::add, false, double>();
}
TEST(products) { checkScatter<ait::ScatterKind::multiply, true, int64_t>(3, 7, 5, 3, 4, 5); }
TEST(extrema) {
  checkSizes<ait::ScatterKind::maximum, true, ait::bfloat16>();
  checkSizes<ait::ScatterKind::minimum, false, int32_t>();
}

TEST(illegalIndicesAreReported) {
  float x[3] = {1, 2, 3}, updates[2] = {10, 20}, y[3];
  int32_t index[2] = {-1, 2};
  reports = 0;
  check::runKernel(ait::scatter<ait::ScatterKind::add, true, float, int32_t, 2>,
                   {x, index, updates, y}, {3, 1, 2, 1, 1, 0, 1, 0, 1, 0, 1, 0}, serialPool);
  CHECK_EQUAL(reports.load(), 1);
  CHECK_EQUAL(reportedIndex.load(), int64_t{-1});
  CHECK_EQUAL(y[0], 1.0f);
  CHECK_EQUAL(y[2], 23.0f);
}
