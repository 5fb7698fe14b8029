// Products of floats with seven multiplications for eight: sizes, layouts, what must not change a
// number, and the numbers that they are not used for.
#include "matmul_reference.h"

using namespace ait;
using namespace reference;

namespace {

template <int batchRank>
using Seven = MatmulConfig<float, float, Packing::packed, batchRank, true>;
constexpr int kColumns = MatmulTile<float>::kColumns;

int64_t packedCount(int64_t K, int64_t N) {
  return packedElementCount(K, N, kColumns) + gemm::dispersionCount(N, kColumns);
}

/// One thread that says it is many, so that work is cut for them.
class PretendedPool final : public ThreadPool {
 public:
  explicit PretendedPool(int32_t threads) : threads_(threads) {}

  int32_t threadCount() const override { return threads_; }
  void run(int64_t count, Task task, void* context) override { pool_.run(count, task, context); }
  void* scratch(int32_t thread) override { return pool_.scratch(thread); }

 private:
  int32_t threads_;
  check::SerialPool pool_;
};

/// B packed, every matrix of a batch.
std::unique_ptr<GuardedBuffer<float>> packed(Matrix<float>& b, ThreadPool& pool) {
  const size_t rank = b.extents.size() - 2;
  const int64_t K = b.extents[rank];
  const int64_t N = b.extents[rank + 1];
  int64_t batch = 1;
  for (size_t axis = 0; axis < rank; ++axis) batch *= b.extents[axis];
  auto buffer = std::make_unique<GuardedBuffer<float>>(batch * packedCount(K, N));
  buffer->poison();
  check::runKernel(packWeightsForSeven<kColumns>, {b.data(), buffer->data()},
                   {batch, K, N, rank > 0 ? b.strides[0] : 0, b.strides[rank], b.strides[rank + 1]},
                   pool);
  CHECK(buffer->guardsAreIntact());
  return buffer;
}

struct BiasAndResidual {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> sum, Vec<float, W> bias, Vec<float, W> residual) {
    return results(sum + bias, sum - residual);
  }
};

/// Products of small integers, which must be exact, with a vector, a matrix and two results.
template <int batchRank>
void checkExact(const Shape& shape) {
  Random random(shape.seed);
  const Extents extents = joined(shape.batch, shape.M, shape.N);
  Matrix<float> a(joined(shape.batch, shape.M, shape.K), shape.a);
  Matrix<float> b(joined(shape.batch, shape.K, shape.N), shape.b);
  Matrix<float> bias(extents, {false, 1, 0, {1, 2}});
  Matrix<float> residual(extents, shape.extra);
  Matrix<float> sum(extents, shape.c);
  Matrix<float> difference(extents, shape.c);
  for (Matrix<float>* each : {&a, &b, &bias, &residual}) each->fill(random);
  const auto weights = packed(b, twoPool());
  std::vector<int64_t> sizes = shape.batch;
  append(sizes, {shape.M, shape.N, shape.K});
  append(sizes, a.strides);
  append(sizes, shape.batch.empty() ? Extents{} : Extents{packedCount(shape.K, shape.N)});
  append(sizes, {0, 0});
  for (const Extents* strides :
       {&bias.strides, &residual.strides, &sum.strides, &difference.strides}) {
    append(sizes, *strides);
  }
  using In = Inputs<Operand<float, Access::contiguous>, Operand<float, Access::strided>>;
  using Out = Outputs<Operand<float, Access::strided>, Operand<float, Access::strided>>;
  const auto product = [&](const Extents& index) {
    Extents left = index;
    Extents right = index;
    left[batchRank + 1] = 0;
    right[batchRank] = 0;
    const float* row = a.buffer->data() + dot(left, a.strides);
    const float* column = b.buffer->data() + dot(right, b.strides);
    double total = 0;
    for (int64_t k = 0; k < shape.K; ++k) {
      total += double{row[k * a.strides[batchRank + 1]]} * column[k * b.strides[batchRank]];
    }
    return total;
  };
  PretendedPool seven(7);
  for (ThreadPool* pool :
       {static_cast<ThreadPool*>(&onePool()), static_cast<ThreadPool*>(&twoPool()),
        static_cast<ThreadPool*>(&seven)}) {
    sum.buffer->poison();
    difference.buffer->poison();
    check::runKernel(
        matmul<Seven<batchRank>, BiasAndResidual, In, Out>,
        {a.data(), weights->data(), bias.data(), residual.data(), sum.data(), difference.data()},
        sizes, *pool);
    CHECK(holds(sum,
                [&](const Extents& index) {
                  return static_cast<float>(product(index) + bias[index]);
                }),
          describe(shape), pool->threadCount());
    CHECK(holds(difference,
                [&](const Extents& index) {
                  return static_cast<float>(product(index) - residual[index]);
                }),
          describe(shape), pool->threadCount());
  }
}

/// A [M, K] times B [K, N], both without gaps.
template <bool usesSeven = true>
std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, int64_t M,
                           int64_t N, int64_t K, ThreadPool& pool) {
  std::vector<float> weights(packedCount(K, N));
  check::runKernel(packWeightsForSeven<kColumns>, {const_cast<float*>(b.data()), weights.data()},
                   {1, K, N, 0, N, 1}, pool);
  std::vector<float> c(M * N);
  using Config = MatmulConfig<float, float, Packing::packed, 0, usesSeven>;
  check::runKernel(matmul<Config, Identity, Inputs<>, Outputs<Operand<float, Access::contiguous>>>,
                   {const_cast<float*>(a.data()), weights.data(), c.data()},
                   {M, N, K, K, 1, 0, 0, N, 1}, pool);
  return c;
}

std::vector<float> uniform(int64_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> elements(count);
  for (float& element : elements) element = static_cast<float>(random.uniform() * 2 - 1);
  return elements;
}

/// The normalised error of rows `first ..< end` of a product.
double errorOfRows(const std::vector<float>& c, const std::vector<float>& a,
                   const std::vector<float>& b, int64_t N, int64_t K, int64_t first, int64_t end) {
  double error = 0;
  double norm = 0;
  for (int64_t m = first; m < end; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += double{a[m * K + k]} * b[k * N + n];
      error += (c[m * N + n] - sum) * (c[m * N + n] - sum);
      norm += sum * sum;
    }
  }
  return std::sqrt(error / norm);
}

}  // namespace

TEST(sizesAroundTheQuads) {
  uint64_t seed = 1;
  for (const int64_t M : {64, 65, 67, 87, 88, 89, 131, 199, 221}) {
    for (const int64_t N : {64, 65, 96, 97, 128, 203}) {
      checkExact<0>({{}, M, N, 128, {}, {}, {}, {}, seed++});
    }
  }
  for (const int64_t K : {130, 142, 254, 256, 258, 270, 514, 770, 1536}) {
    checkExact<0>({{}, 70, 130, K, {}, {}, {}, {}, seed++});
  }
  checkExact<0>({{}, 500, 600, 300, {}, {}, {}, {}, seed++});
  checkExact<0>({{}, 100, 2700, 260, {}, {}, {}, {}, seed++});
}

TEST(whatIsTooSmallOrOddIsMultipliedAsOtherProducts) {
  checkExact<0>({{}, 1, 130, 256});
  checkExact<0>({{}, 63, 130, 256});
  checkExact<0>({{}, 64, 63, 256});
  checkExact<0>({{}, 64, 130, 126});
  checkExact<0>({{}, 64, 130, 2});
}

TEST(layoutsAndBatches) {
  Random random(9);
  for (int i = 0; i < 24; ++i) {
    Shape shape{{}, random.integer(64, 110), random.integer(64, 140), 2 * random.integer(64, 150)};
    shape.seed = 100 + i;
    shape.a = randomLayout(random, false, 0);
    shape.b = randomLayout(random, false, 0);
    shape.c = randomLayout(random, false, 0);
    shape.extra = randomLayout(random, false, 0);
    checkExact<0>(shape);
    shape.batch = {random.integer(1, 3)};
    shape.b = {};
    checkExact<1>(shape);
  }
}

TEST(numbersAreCloseAndDoNotDependOnThreads) {
  for (const int64_t K : {128, 384, 1000}) {
    constexpr int64_t M = 131;
    constexpr int64_t N = 200;
    const auto a = uniform(M * K, 1);
    const auto b = uniform(K * N, 2);
    const auto c = product(a, b, M, N, K, onePool());
    // 8e-7 is what one level of the algorithm errs by.
    CHECK(errorOfRows(c, a, b, N, K, 0, M) < 1.2e-6, K, errorOfRows(c, a, b, N, K, 0, M));
    // The eight products would give other numbers.
    CHECK(c != product<false>(a, b, M, N, K, onePool()), K);
    CHECK(c == product(a, b, M, N, K, twoPool()), K);
    for (const int32_t threads : {3, 16, 64}) {
      PretendedPool pool(threads);
      CHECK(c == product(a, b, M, N, K, pool), threads, K);
    }
  }
}

TEST(rowsAndColumnsOfOtherSizesDoNotDisturb) {
  constexpr int64_t M = 128;
  constexpr int64_t N = 128;
  constexpr int64_t K = 512;
  auto a = uniform(M * K, 3);
  auto b = uniform(K * N, 4);
  for (int64_t k = 0; k < K; ++k) {
    a[5 * K + k] *= 1e6f;  // as some models have in a token
    a[90 * K + k] *= 1e-6f;
    a[100 * K + k] = 0;
    b[k * N + 7] *= 1e5f;
    b[k * N + 70] = 0;
  }
  const auto c = product(a, b, M, N, K, twoPool());
  for (int64_t m = 0; m < M; ++m) {
    if (m != 100) CHECK(errorOfRows(c, a, b, N, K, m, m + 1) < 2e-6, m);
    CHECK_EQUAL(c[m * N + 70], 0.0f, m);
  }
  for (int64_t n = 0; n < N; ++n) {
    CHECK_EQUAL(c[100 * N + n], 0.0f, n);
    // Of one column: the large one hides no error of the others.
    double error = 0;
    double norm = 0;
    for (int64_t m = 6; m < 80; ++m) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += double{a[m * K + k]} * b[k * N + n];
      error += (c[m * N + n] - sum) * (c[m * N + n] - sum);
      norm += sum * sum;
    }
    CHECK(std::sqrt(error) <= 2e-6 * std::sqrt(norm), n);
  }
}

TEST(infinitiesAndNaNsStayInTheirPlaces) {
  constexpr int64_t M = 90;
  constexpr int64_t N = 200;
  constexpr int64_t K = 300;
  std::vector<float> a(M * K, 1);
  std::vector<float> b(K * N, 1);
  a[3 * K + 2] = INFINITY;
  a[70 * K + 299] = NAN;
  b[4 * N + 39] = NAN;
  b[280 * N + 130] = -INFINITY;
  const auto c = product(a, b, M, N, K, twoPool());
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      const bool isNaN = m == 70 || n == 39 || (m == 3 && n == 130);
      CHECK_EQUAL(c[m * N + n],
                  isNaN      ? NAN
                  : m == 3   ? INFINITY
                  : n == 130 ? -INFINITY
                             : float{K},
                  m, n);
    }
  }
}

TEST(packedWeightsTellTheirDispersion) {
  constexpr int64_t K = 300;
  constexpr int64_t N = 7 * kColumns - 3;
  auto b = uniform(K * N, 5);
  for (int64_t k = 0; k < K; ++k) b[k * N + 2 * kColumns + 3] *= 50;
  b[17 * N + 5 * kColumns] = INFINITY;
  std::vector<float> weights(packedCount(K, N));
  check::runKernel(packWeightsForSeven<kColumns>, {b.data(), weights.data()}, {1, K, N, 0, N, 1},
                   twoPool());
  const float* found = weights.data() + packedElementCount(K, N, kColumns);
  // Blocks of 152 and 148.
  const auto norm = [&](int64_t first, int64_t half, int64_t column) {
    double sum = 0;
    for (int64_t k = first; k < first + half; ++k)
      sum += double{b[k * N + column]} * b[k * N + column];
    return sum;
  };
  for (int64_t pair = 0; pair < 2; ++pair) {
    double expected = 1;
    for (int64_t column = 2 * pair * kColumns; column < (2 * pair + 1) * kColumns; ++column) {
      for (int64_t block = 0; block < 2; ++block) {
        const int64_t first = block * 152;
        const int64_t half = block == 0 ? 76 : 74;
        double least = INFINITY;
        double most = 0;
        for (const int64_t n : {column, column + kColumns}) {
          for (const int64_t start : {first, first + half}) {
            least = std::min(least, norm(start, half, n));
            most = std::max(most, norm(start, half, n));
          }
        }
        expected = std::max(expected, most / least);
      }
    }
    CHECK(std::abs(found[pair] / expected - 1) < 1e-4, pair, found[pair], expected);
  }
  CHECK(found[1] > 1000);
  CHECK(!(found[2] < INFINITY), found[2]);
}
