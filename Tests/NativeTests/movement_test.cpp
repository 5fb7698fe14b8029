// Transpositions, gathers, padding and counting against plain loops.
#include "ait/cpu/movement.h"

#include <limits>

#include "check.h"

using check::GuardedBuffer;
using check::Random;

namespace {

std::atomic<int64_t> reportedIndex{0};
std::atomic<int64_t> reportedExtent{0};
std::atomic<int> reports{0};

}  // namespace

namespace ait {

void reportIndexError(int64_t index, int64_t extent) {
  reportedIndex = index;
  reportedExtent = extent;
  ++reports;
}

}  // namespace ait

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;
ait::ThreadPool* const kPools[] = {&serialPool, &twoThreadPool};

using Extents = std::vector<int64_t>;

int64_t product(const Extents& extents) {
  int64_t result = 1;
  for (const int64_t extent : extents) result *= extent;
  return result;
}

Extents rowMajor(const Extents& extents) {
  Extents strides(extents.size());
  int64_t next = 1;
  for (size_t axis = extents.size(); axis-- > 0;) {
    strides[axis] = next;
    next *= extents[axis];
  }
  return strides;
}

Extents joined(std::initializer_list<Extents> parts) {
  Extents result;
  for (const Extents& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

template <class Function>
void forEachIndex(const Extents& extents, Function function) {
  Extents index(extents.size());
  for (int64_t flat = 0; flat < product(extents); ++flat) {
    int64_t rest = flat;
    for (size_t axis = extents.size(); axis-- > 0;) {
      index[axis] = rest % extents[axis];
      rest /= extents[axis];
    }
    function(index, flat);
  }
}

int64_t dot(const Extents& index, const Extents& strides) {
  int64_t result = 0;
  for (size_t axis = 0; axis < index.size(); ++axis) result += index[axis] * strides[axis];
  return result;
}

template <class T>
void fillWithBits(GuardedBuffer<T>& buffer, Random& random) {
  for (int64_t i = 0; i < buffer.count(); ++i) buffer[i] = static_cast<T>(random.bits());
}

}  // namespace

// MARK: - Transpositions

namespace {

/// `extents` are those of the output; `order[i]` is the axis of the input that becomes axis i.
template <class T, int kRank>
void checkPermutation(const Extents& extents, const Extents& order, int64_t padding = 0) {
  Extents inputExtents(kRank);
  for (int i = 0; i < kRank; ++i) inputExtents[order[i]] = extents[i];
  // Rows that are longer than their data, so that what is between them is seen to stay.
  Extents inputPadded = inputExtents;
  inputPadded.back() += padding;
  Extents outputPadded = extents;
  outputPadded.back() += padding;
  const Extents inputOwn = rowMajor(inputPadded);
  const Extents outputStrides = rowMajor(outputPadded);
  Extents inputStrides(kRank);
  for (int i = 0; i < kRank; ++i) inputStrides[i] = inputOwn[order[i]];

  Random random(1);
  GuardedBuffer<T> input(product(inputPadded));
  fillWithBits(input, random);
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<T> output(product(outputPadded));
    check::runKernel(ait::permuteCopy<sizeof(T), kRank>, {input.data(), output.data()},
                     joined({extents, inputStrides, outputStrides}), *pool);
    std::vector<bool> written(output.count());
    forEachIndex(extents, [&](const Extents& index, int64_t) {
      const int64_t offset = dot(index, outputStrides);
      written[offset] = true;
      CHECK_EQUAL(output[offset], input[dot(index, inputStrides)], sizeof(T), extents[0],
                  extents.back(), offset);
    });
    for (int64_t i = 0; i < output.count(); ++i) {
      CHECK(written[i] || output[i] == static_cast<T>(-1), sizeof(T), i);
    }
    CHECK(output.guardsAreIntact(), sizeof(T), extents[0]);
  }
}

template <class T>
void checkPlanes() {
  for (const int64_t a : {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 65, 130}) {
    for (const int64_t b : {1, 3, 4, 16, 18, 63, 64, 70}) {
      checkPermutation<T, 2>({a, b}, {1, 0});
      checkPermutation<T, 2>({a, b}, {1, 0}, 3);
    }
  }
  checkPermutation<T, 2>({3, 5000}, {1, 0});
  checkPermutation<T, 2>({5000, 3}, {1, 0});
  checkPermutation<T, 2>({300, 301}, {1, 0});
}

}  // namespace

TEST(planesAreTransposed) {
  checkPlanes<uint8_t>();
  checkPlanes<uint16_t>();
  checkPlanes<uint32_t>();
  checkPlanes<uint64_t>();
}

TEST(permutationsOfSeveralAxes) {
  checkPermutation<uint32_t, 3>({5, 17, 33}, {0, 2, 1});
  checkPermutation<uint32_t, 3>({5, 17, 33}, {1, 2, 0});
  checkPermutation<uint16_t, 4>({2, 3, 40, 21}, {1, 0, 3, 2});
  checkPermutation<uint8_t, 4>({2, 0, 40, 21}, {1, 0, 3, 2});
  checkPermutation<uint64_t, 5>({2, 3, 2, 9, 10}, {2, 0, 1, 4, 3}, 1);
  checkPermutation<uint32_t, 3>({200, 4, 4}, {0, 2, 1});
}

TEST(otherInnerStridesAreFollowedToo) {
  // The last axis but one of the loops is not the contiguous one of the input.
  checkPermutation<uint32_t, 3>({6, 7, 8}, {2, 1, 0});
  checkPermutation<uint32_t, 3>({6, 7, 80}, {0, 1, 2});
}

// MARK: - Gathers

namespace {

template <class T, class Index>
void checkEmbedding(int64_t vocabulary, int64_t width, const std::vector<int64_t>& tokens) {
  Random random(2);
  GuardedBuffer<T> table(vocabulary * width);
  fillWithBits(table, random);
  const auto count = static_cast<int64_t>(tokens.size());
  GuardedBuffer<Index> index(count);
  int bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    index[i] = static_cast<Index>(tokens[i]);
    bad += tokens[i] < 0 || tokens[i] >= vocabulary;
  }
  for (ait::ThreadPool* pool : kPools) {
    reports = 0;
    GuardedBuffer<T> output(count * width);
    check::runKernel(ait::gather<sizeof(T), Index, 2>, {table.data(), index.data(), output.data()},
                     {count, width, 0, 1, 1, 0, width, 1, vocabulary, width}, *pool);
    for (int64_t i = 0; i < count; ++i) {
      const bool isLegal = tokens[i] >= 0 && tokens[i] < vocabulary;
      for (int64_t k = 0; k < width; ++k) {
        CHECK_EQUAL(output[i * width + k], isLegal ? table[tokens[i] * width + k] : T{0}, i, k);
      }
    }
    CHECK(output.guardsAreIntact());
    CHECK_EQUAL(reports.load() > 0, bad > 0 && width > 0);
  }
}

}  // namespace

TEST(embeddingsCopyRows) {
  checkEmbedding<uint32_t, int64_t>(10, 7, {0, 9, 3, 3, 1});
  checkEmbedding<uint16_t, int32_t>(10, 33, {5});
  checkEmbedding<uint8_t, int32_t>(3, 1, {2, 0, 1});
  checkEmbedding<uint64_t, int64_t>(4, 5, {});
  checkEmbedding<uint32_t, int64_t>(10, 0, {1});
  std::vector<int64_t> tokens;
  Random random(3);
  for (int i = 0; i < 700; ++i) tokens.push_back(random.integer(0, 99));
  checkEmbedding<uint32_t, int64_t>(100, 130, tokens);
  checkEmbedding<uint16_t, int32_t>(100, 40000, {7, 50, 99});
}

TEST(indicesOutOfRangeAreReportedAndGiveZero) {
  checkEmbedding<uint32_t, int64_t>(10, 7, {0, 10, 3, -1, 1});
  CHECK(reportedExtent == 10);
  checkEmbedding<uint32_t, int64_t>(10, 1, {std::numeric_limits<int64_t>::min()});
  CHECK_EQUAL(reportedIndex.load(), std::numeric_limits<int64_t>::min());
  checkEmbedding<uint16_t, int32_t>(10, 7, {std::numeric_limits<int32_t>::max()});
  checkEmbedding<uint16_t, int32_t>(0, 7, {0, 0});
}

TEST(gatherPicksOneElementForEachIndex) {
  // x [A, E, C] along axis 1 by an index [A, B, C].
  const int64_t A = 3, E = 5, B = 4, C = 21;
  Random random(4);
  GuardedBuffer<uint32_t> x(A * E * C);
  GuardedBuffer<int64_t> index(A * B * C);
  fillWithBits(x, random);
  for (int64_t i = 0; i < index.count(); ++i) index[i] = random.integer(0, E - 1);
  index[17] = E;
  for (ait::ThreadPool* pool : kPools) {
    reports = 0;
    GuardedBuffer<uint32_t> y(A * B * C);
    check::runKernel(ait::gather<4, int64_t, 3>, {x.data(), index.data(), y.data()},
                     {A, B, C, E * C, 0, 1, B * C, C, 1, B * C, C, 1, E, C}, *pool);
    forEachIndex({A, B, C}, [&](const Extents& at, int64_t flat) {
      const bool isLegal = index[flat] < E;
      CHECK_EQUAL(y[flat], isLegal ? x[at[0] * E * C + index[flat] * C + at[2]] : 0u, flat);
    });
    CHECK(reports == 1 && reportedIndex == E && reportedExtent == E);
    CHECK(y.guardsAreIntact());
  }
}

TEST(indexSelectAlongAnInnerAxis) {
  // x [A, E, D] along axis 1 by an index [I]: loops A, I, D.
  const int64_t A = 3, E = 6, D = 10, I = 4;
  Random random(5);
  GuardedBuffer<uint16_t> x(A * E * D);
  fillWithBits(x, random);
  GuardedBuffer<int32_t> index(I);
  for (int64_t i = 0; i < I; ++i) index[i] = static_cast<int32_t>(random.integer(0, E - 1));
  GuardedBuffer<uint16_t> y(A * I * D);
  check::runKernel(ait::gather<2, int32_t, 3>, {x.data(), index.data(), y.data()},
                   {A, I, D, E * D, 0, 1, 0, 1, 0, I * D, D, 1, E, D}, twoThreadPool);
  forEachIndex({A, I, D}, [&](const Extents& at, int64_t flat) {
    CHECK_EQUAL(y[flat], x[(at[0] * E + index[at[1]]) * D + at[2]], flat);
  });
}

// MARK: - Padding

namespace {

template <class T, int kRank, uint64_t kBits>
void checkPad(const Extents& inputExtents, const Extents& low, const Extents& high) {
  Random random(6);
  Extents extents(kRank);
  for (int axis = 0; axis < kRank; ++axis) {
    extents[axis] = low[axis] + inputExtents[axis] + high[axis];
  }
  const Extents inputStrides = rowMajor(inputExtents);
  GuardedBuffer<T> input(product(inputExtents));
  fillWithBits(input, random);
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<T> output(product(extents));
    check::runKernel(ait::pad<sizeof(T), kRank, kBits>,
                     {input.count() == 0 ? nullptr : input.data(), output.data()},
                     joined({extents, low, inputExtents, inputStrides, rowMajor(extents)}), *pool);
    forEachIndex(extents, [&](const Extents& index, int64_t flat) {
      int64_t offset = 0;
      bool isInside = true;
      for (int axis = 0; axis < kRank; ++axis) {
        const int64_t position = index[axis] - low[axis];
        isInside = isInside && position >= 0 && position < inputExtents[axis];
        offset += position * inputStrides[axis];
      }
      CHECK_EQUAL(output[flat], isInside ? input[offset] : static_cast<T>(kBits), flat);
    });
    CHECK(output.guardsAreIntact());
  }
}

}  // namespace

TEST(paddingSurroundsATensor) {
  checkPad<uint32_t, 1, 0x3f800000>({5}, {2}, {3});
  checkPad<uint32_t, 1, 0>({5}, {0}, {0});
  checkPad<uint32_t, 1, 7>({0}, {2}, {3});
  checkPad<uint32_t, 1, 7>({0}, {0}, {0});
  checkPad<uint16_t, 2, 0x3c00>({3, 4}, {1, 0}, {0, 2});
  checkPad<uint16_t, 2, 0x3c00>({0, 4}, {1, 1}, {2, 2});
  checkPad<uint8_t, 3, 255>({2, 3, 4}, {1, 1, 1}, {1, 1, 1});
  checkPad<uint64_t, 4, 0x3ff0000000000000>({2, 3, 4, 5}, {0, 0, 1, 1}, {0, 0, 2, 2});
  checkPad<uint32_t, 4, 0>({2, 3, 100, 100}, {0, 0, 3, 3}, {0, 0, 3, 3});
  checkPad<uint32_t, 1, 9>({100000}, {1000}, {70000});
}

// MARK: - Counting

namespace {

template <class Number>
struct Half {
  static constexpr Number kStart = Number(-3);
  static constexpr Number kStep = Number(0.5);
};

struct Down {
  static constexpr int64_t kStart = 100;
  static constexpr int64_t kStep = -3;
};

template <class T, class Range>
void checkArange(int64_t count) {
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<T> output(count);
    check::runKernel(ait::arange<T, Range>, {output.data()}, {count}, *pool);
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_integral_v<T>) {
        CHECK_EQUAL(output[i], static_cast<T>(Range::kStart + i * Range::kStep), i);
      } else {
        const double expected = double{Range::kStart} + static_cast<double>(i) * Range::kStep;
        const auto number = static_cast<ait::ComputeType<T>>(expected);
        CHECK_EQUAL(ait::toCompute<T>(output[i]), ait::toCompute<T>(ait::toStorage<T>(number)), i);
      }
    }
    CHECK(output.guardsAreIntact());
  }
}

}  // namespace

TEST(arangeCounts) {
  checkArange<float, Half<double>>(0);
  checkArange<float, Half<double>>(100);
  checkArange<double, Half<double>>(100001);
  checkArange<ait::float16, Half<double>>(77);
  checkArange<ait::bfloat16, Half<double>>(77);
  checkArange<float, Down>(50);
  checkArange<int64_t, Down>(100003);
  checkArange<int32_t, Down>(31);
  checkArange<int8_t, Down>(300);
  checkArange<uint8_t, Down>(300);
}
