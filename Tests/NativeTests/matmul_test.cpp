// Matrix products of floats: sizes, layouts, blocks, epilogues, and what must not change a number.
#include "matmul_reference.h"

using namespace ait;
using namespace reference;

TEST(everySmallSize) {
  uint64_t seed = 1;
  for (const int64_t M : kRowCounts) {
    for (const int64_t N : kColumnCounts) {
      for (const int64_t K : kDepths) {
        const Shape shape{{}, M, N, K, {}, {}, {}, {}, seed++};
        checkProduct<float, float, Packing::packed, 0, float>(shape);
      }
    }
  }
}

TEST(allTranspositions) {
  uint64_t seed = 1;
  for (const int64_t M : {1, 3, 12, 29}) {
    for (const int64_t N : {1, 31, 64, 70}) {
      for (const int64_t K : {1, 16, 45}) {
        for (int bits = 0; bits < 64; ++bits) {
          Shape shape{{}, M, N, K, {}, {}, {}, {}, seed++};
          shape.a.isTransposed = bits & 1;
          shape.b.isTransposed = bits & 2;
          shape.c.isTransposed = bits & 4;
          shape.a.innerStride = bits & 8 ? 2 : 1;
          shape.b.innerStride = bits & 16 ? 3 : 1;
          shape.c.padding = bits & 32 ? 3 : 0;
          checkProduct<float, float, Packing::strided, 0, float, Access::strided>(shape);
        }
      }
    }
  }
}

TEST(severalBlocksOfEveryAxis) {
  // Rows are packed for all of K, and not; the last block of K is shorter.
  checkProduct<float, float, Packing::packed, 0, float>({{}, 311, 200, 1000});
  checkProduct<float, float, Packing::packed, 0, float>({{}, 150, 530, 1300});
  checkProduct<float, float, Packing::strided, 0, float>({{}, 203, 533, 901});
  checkProduct<float16, float16, Packing::packed, 0, float16>({{}, 200, 530, 1300});
  checkProduct<double, double, Packing::packed, 0, double>({{}, 150, 300, 700});
  checkProduct<float, float, Packing::packed, 0, float>({{}, 13, 40, 20000});
}

TEST(fewRowsOfManyBlocks) {
  for (const int64_t M : {1, 2, 3, 4}) {
    for (const int64_t N : {5, 33, 64, 200}) {
      checkProduct<float, float, Packing::packed, 0, float>({{}, M, N, 5000});
      checkProduct<float, float, Packing::strided, 0, float>({{}, M, N, 5000});
      checkProduct<float16, float16, Packing::packed, 0, float>({{}, M, N, 5000});
      checkProduct<float16, float16, Packing::strided, 0, float>({{}, M, N, 3000});
    }
  }
  // More than fits in scratch memory.
  checkProduct<float, float, Packing::packed, 0, float>({{}, 3, 50, 100000});
  checkProduct<float, float, Packing::strided, 1, float>({{3}, 2, 50, 3000});
}

TEST(emptyExtents) {
  checkProduct<float, float, Packing::packed, 0, float>({{}, 0, 5, 5});
  checkProduct<float, float, Packing::packed, 0, float>({{}, 5, 0, 5});
  checkProduct<float, float, Packing::strided, 0, float>({{}, 5, 5, 0});
  checkProduct<float, float, Packing::strided, 1, float>({{0}, 5, 5, 5});
  checkProduct<float, float, Packing::strided, 1, float>({{2}, 50, 70, 0});
  // Nothing is read where A and B have no elements.
  float c[6] = {9, 9, 9, 9, 9, 9};
  check::runKernel(matmul<MatmulConfig<float, float, Packing::strided, 1>, Identity, Inputs<>,
                          Outputs<Operand<float, Access::contiguous>>>,
                   {nullptr, nullptr, c}, {2, 1, 3, 0, 7, 1, 1, 7, 1, 1, 3, 3, 1}, onePool());
  for (const float element : c) CHECK_EQUAL(element, 0.0f);
}

// MARK: - Epilogues

namespace {

/// Uses a vector along N, a number per row, a matrix and a number; yields two results.
struct ManyExtras {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> sum, Vec<float, W> bias, Vec<float, W> rowScale,
                               Vec<float, W> residual, Vec<float, W> scalar) {
    const auto scaled = (sum + bias) * rowScale;
    return results(scaled + residual, maximum(scaled, scalar));
  }
};

struct Add {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> sum, Vec<float, W> residual) {
    return results(sum + residual);
  }
};

template <Packing packing, Access residualAccess, Access outputAccess>
void checkManyExtras(const Shape& shape) {
  using Config = MatmulConfig<float, float, packing, 1>;
  Factors<Config> factors(shape);
  Random random(shape.seed + 77);
  const Extents extents = joined(shape.batch, shape.M, shape.N);
  Matrix<float> bias(extents, {false, 1, 0, {1, 2}});
  Matrix<float16> rowScale(extents, {false, 1, 0, {0, 2}});
  Matrix<float> residual(extents, shape.extra);
  Matrix<float> scalar(extents, {false, 1, 0, {0, 1, 2}});
  Matrix<float> sum(extents, shape.c);
  Matrix<float16> clipped(extents, shape.c);
  bias.fill(random);
  rowScale.fill(random);
  residual.fill(random);
  scalar.fill(random);
  std::vector<int64_t> sizes = factors.sizes();
  for (const Extents* strides : {&bias.strides, &rowScale.strides, &residual.strides,
                                 &scalar.strides, &sum.strides, &clipped.strides}) {
    append(sizes, *strides);
  }
  using In = Inputs<Operand<float, Access::contiguous>, Operand<float16, Access::uniform>,
                    Operand<float, residualAccess>, Operand<float, Access::uniform>>;
  using Out = Outputs<Operand<float, outputAccess>, Operand<float16, outputAccess>>;
  for (const bool isThreaded : {false, true}) {
    sum.buffer->poison();
    clipped.buffer->poison();
    ThreadPool& pool = isThreaded ? static_cast<ThreadPool&>(twoPool()) : onePool();
    check::runKernel(matmul<Config, ManyExtras, In, Out>,
                     {factors.a.data(), factors.bData(), bias.data(), rowScale.data(),
                      residual.data(), scalar.data(), sum.data(), clipped.data()},
                     sizes, pool);
    const auto scaled = [&](const Extents& index) {
      return (factors.sum(index) + bias[index]) * toCompute(rowScale[index]);
    };
    CHECK(holds(sum,
                [&](const Extents& index) {
                  return static_cast<float>(scaled(index) + residual[index]);
                }),
          describe(shape), isThreaded);
    CHECK(holds(clipped,
                [&](const Extents& index) {
                  const double value = scaled(index);
                  // Of -0 and 0, the kernel's maximum yields the second.
                  return toStorage<float16>(value > scalar[index] ? value : scalar[index]);
                }),
          describe(shape), isThreaded);
  }
}

}  // namespace

TEST(extrasOfEveryAccessAndTwoOutputs) {
  Random random(5);
  for (int i = 0; i < 120; ++i) {
    Shape shape;
    shape.seed = i;
    shape.batch = {random.integer(1, 3)};
    shape.M = pick(random, kRowCounts);
    shape.N = pick(random, kColumnCounts);
    shape.K = i % 10 == 0 ? 0 : i % 10 == 1 ? 800 : random.integer(1, 60);
    shape.c.padding = random.integer(0, 3);
    checkManyExtras<Packing::packed, Access::contiguous, Access::contiguous>(shape);
    shape.extra.isTransposed = true;
    shape.c.isTransposed = i % 2;
    shape.c.innerStride = 1 + i % 3;
    checkManyExtras<Packing::strided, Access::strided, Access::strided>(shape);
  }
}

TEST(epilogueMayOverwriteAnExtra) {
  using Config = MatmulConfig<float, float, Packing::packed>;
  using Element = Operand<float, Access::contiguous>;
  const Shape shape{{}, 30, 75, 40};
  Factors<Config> factors(shape);
  Matrix<float> c({shape.M, shape.N}, {});
  Random random(3);
  c.fill(random);
  Matrix<float> before({shape.M, shape.N}, {});
  std::memcpy(before.data(), c.data(), c.buffer->count() * sizeof(float));
  std::vector<int64_t> sizes = factors.sizes();
  append(sizes, c.strides);
  append(sizes, c.strides);
  check::runKernel(matmul<Config, Add, Inputs<Element>, Outputs<Element>>,
                   {factors.a.data(), factors.bData(), c.data(), c.data()}, sizes, twoPool());
  CHECK(holds(c, [&](const Extents& index) {
    return static_cast<float>(factors.sum(index) + before[index]);
  }));
}

// MARK: - Numbers

namespace {

void fillUniform(float* elements, int64_t count, uint64_t seed) {
  Random random(seed);
  for (int64_t i = 0; i < count; ++i) elements[i] = static_cast<float>(random.uniform());
}

/// Says that it has many threads, so that work is cut for them.
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

/// The product of contiguous A [M, K] and B [K, N].
template <Packing packing>
std::vector<float> product(const float* a, const float* b, int64_t M, int64_t N, int64_t K,
                           ThreadPool& pool, bool isTransposed = false) {
  using Config = MatmulConfig<float, float, packing>;
  std::vector<float> c(M * N);
  const int64_t kStep = isTransposed ? 1 : N;
  const int64_t nStep = isTransposed ? K : 1;
  std::vector<float> packed(packedElementCount(K, N, Config::Tile::kColumns));
  check::runKernel(packWeights<float, Config::Tile::kColumns>,
                   {const_cast<float*>(b), packed.data()}, {1, K, N, 0, kStep, nStep}, pool);
  check::runKernel(matmul<Config, Identity, Inputs<>, Outputs<Operand<float, Access::contiguous>>>,
                   {const_cast<float*>(a),
                    packing == Packing::packed ? packed.data() : const_cast<float*>(b), c.data()},
                   {M, N, K, K, 1, kStep, nStep, N, 1}, pool);
  return c;
}

}  // namespace

TEST(errorIsSmall) {
  for (const int64_t K : {10, 300, 4096}) {
    constexpr int64_t M = 20;
    constexpr int64_t N = 70;
    std::vector<float> a(M * K);
    std::vector<float> b(K * N);
    fillUniform(a.data(), M * K, 1);
    fillUniform(b.data(), K * N, 2);
    const std::vector<float> c = product<Packing::packed>(a.data(), b.data(), M, N, K, onePool());
    double error = 0;
    double norm = 0;
    for (int64_t m = 0; m < M; ++m) {
      for (int64_t n = 0; n < N; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < K; ++k) sum += double{a[m * K + k]} * b[k * N + n];
        error += (c[m * N + n] - sum) * (c[m * N + n] - sum);
        norm += sum * sum;
      }
    }
    CHECK(std::sqrt(error / norm) < 1e-6, K, std::sqrt(error / norm));
  }
}

TEST(elementsDoNotDependOnTheCut) {
  constexpr int64_t M = 61;
  constexpr int64_t N = 203;
  for (const int64_t K : {100, 900, 3000}) {
    std::vector<float> a(M * K);
    std::vector<float> b(K * N);
    std::vector<float> transposed(K * N);
    fillUniform(a.data(), M * K, 1);
    fillUniform(b.data(), K * N, 2);
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t n = 0; n < N; ++n) transposed[n * K + k] = b[k * N + n];
    }
    const auto whole = product<Packing::packed>(a.data(), b.data(), M, N, K, onePool());
    const auto isPart = [&](const std::vector<float>& rows, int64_t first) {
      return std::memcmp(rows.data(), &whole[first * N], rows.size() * sizeof(float)) == 0;
    };
    CHECK(isPart(product<Packing::packed>(a.data(), b.data(), M, N, K, twoPool()), 0), K);
    CHECK(isPart(product<Packing::strided>(a.data(), b.data(), M, N, K, twoPool()), 0), K);
    CHECK(
        isPart(product<Packing::strided>(a.data(), transposed.data(), M, N, K, twoPool(), true), 0),
        K);
    for (const int32_t threads : {3, 16, 64}) {
      PretendedPool pool(threads);
      CHECK(isPart(product<Packing::packed>(a.data(), b.data(), M, N, K, pool), 0), threads, K);
      CHECK(isPart(product<Packing::strided>(a.data(), b.data(), M, N, K, pool), 0), threads, K);
      for (const int64_t rows : {1, 2, 4, 8}) {
        CHECK(isPart(product<Packing::packed>(a.data(), b.data(), rows, N, K, pool), 0), threads,
              rows, K);
      }
    }
    for (const int64_t rows : {1, 2, 3, 4, 5, 9, 13}) {
      const float* part = a.data() + 7 * K;
      CHECK(isPart(product<Packing::packed>(part, b.data(), rows, N, K, twoPool()), 7), rows, K);
      CHECK(isPart(product<Packing::strided>(part, b.data(), rows, N, K, onePool()), 7), rows, K);
    }
  }
}

TEST(infinitiesAndNaNsStayInTheirPlaces) {
  constexpr int64_t M = 14;
  constexpr int64_t N = 40;
  constexpr int64_t K = 9;
  std::vector<float> a(M * K, 1);
  std::vector<float> b(K * N, 1);
  a[3 * K + 2] = INFINITY;
  b[4 * N + 39] = NAN;
  const auto c = product<Packing::packed>(a.data(), b.data(), M, N, K, onePool());
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      CHECK_EQUAL(c[m * N + n], n == 39 ? NAN : m == 3 ? INFINITY : 9.0f, m, n);
    }
  }
}
