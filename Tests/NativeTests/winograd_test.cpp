// Winograd's convolutions against straight loops in double: edges, padding, blocks of channels and
// filters, batches, layouts of the filters, threads; and how far their sums are from the exact
// ones.
#include "ait/cpu/convolution_winograd.h"
#include "matmul_reference.h"

#include <memory>

using namespace ait;
using namespace reference;

namespace {

struct Problem {
  int64_t N = 1;
  int64_t outer = 1;
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 1;
  int64_t filters = 1;
  int64_t low[2] = {1, 1};
  int64_t high[2] = {1, 1};
  int64_t gap = 0;  // between the pixels of image and result
  bool filtersArePermuted = false;
  uint64_t seed = 1;
  int64_t stride = 1;

  int64_t rows() const { return outputs(height + low[0] + high[0]); }
  int64_t columns() const { return outputs(width + low[1] + high[1]); }
  int64_t outputs(int64_t extent) const { return extent < 3 ? 0 : (extent - 3) / stride + 1; }
};

/// Adds a number for each channel and a tensor; yields two results.
struct BiasAndResidual {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> sum, Vec<T, W> bias, Vec<T, W> residual) {
    const auto result = sum + bias + residual;
    return results(result, maximum(result, broadcast<W>(T{})));
  }
};

/// Runs a problem; returns the norm of its error over that of the right result.
template <int kOut, int kStride>
double errorOf(Problem problem) {
  problem.stride = kStride;
  using Tile = winograd::Tile;
  const int64_t C = problem.channels;
  const int64_t O = problem.filters;
  const int64_t rows = problem.rows();
  const int64_t columns = problem.columns();
  const int64_t pixel = C + problem.gap;
  const int64_t outPixel = O + problem.gap;
  const int64_t images = problem.N * problem.outer;
  GuardedBuffer<float> image(images * problem.height * problem.width * pixel);
  GuardedBuffer<float> filters(O * 9 * C);
  GuardedBuffer<float> bias(O);
  GuardedBuffer<float> residual(images * rows * columns * outPixel);
  GuardedBuffer<float> sums(images * rows * columns * outPixel);
  GuardedBuffer<float> clipped(images * rows * columns * outPixel);
  Random random(problem.seed);
  const auto fill = [&](GuardedBuffer<float>& buffer) {
    for (int64_t i = 0; i < static_cast<int64_t>(buffer.count()); ++i) {
      buffer[i] = static_cast<float>(random.integer(-10000, 10000)) / 7919;
    }
  };
  fill(image);
  fill(filters);
  fill(bias);
  fill(residual);
  const Extents weightStrides = problem.filtersArePermuted ? Extents{1, 0, 3 * O * C, O * C, O}
                                                           : Extents{9 * C, 0, 3 * C, C, 1};

  std::vector<int64_t> sizes = {problem.N, C, O, 1, problem.outer, problem.outer, 1, 1, 1, 1, 0};
  const auto append = [&](const Extents& more) {
    sizes.insert(sizes.end(), more.begin(), more.end());
  };
  append({problem.height, rows, 3, kStride, 1, 1, problem.low[0]});
  append({problem.width, columns, 3, kStride, 1, 1, problem.low[1]});
  const int64_t plane = problem.height * problem.width * pixel;
  append({problem.outer * plane, plane, problem.width * pixel, pixel, 1});
  append(weightStrides);
  append({0, 0, 0, 0, 1});
  const int64_t outPlane = rows * columns * outPixel;
  for (int operand = 0; operand < 3; ++operand) {
    append({problem.outer * outPlane, outPlane, columns * outPixel, outPixel, 1});
  }
  constexpr int64_t kFactors = (kOut + 2) * (kOut + 2);
  GuardedBuffer<float> packed(gemm::ceilDivide(O, Tile::kColumns) * Tile::kColumns * C * kFactors);
  check::runKernel(packWinogradFilters<kOut, kStride, Tile::kColumns>,
                   {filters.data(), packed.data()}, sizes, twoPool());

  using Whole = Operand<float, Access::contiguous>;
  std::vector<float> first;
  double error = 0;
  double norm = 0;
  for (const bool isThreaded : {false, true}) {
    sums.poison();
    clipped.poison();
    ThreadPool& pool = isThreaded ? static_cast<ThreadPool&>(twoPool()) : onePool();
    check::runKernel(
        winogradConvolution<kOut, kStride, BiasAndResidual, Inputs<Whole, Whole>,
                            Outputs<Whole, Whole>>,
        {image.data(), packed.data(), bias.data(), residual.data(), sums.data(), clipped.data()},
        sizes, pool);
    CHECK(sums.guardsAreIntact() && clipped.guardsAreIntact() && packed.guardsAreIntact());
    std::vector<float> now;
    for (int64_t at = 0; at < images * rows * columns; ++at) {
      for (int64_t o = 0; o < O; ++o) {
        const float value = sums[at * outPixel + o];
        now.push_back(value);
        CHECK_EQUAL(clipped[at * outPixel + o], value > 0 ? value : 0.0f, problem.seed, at, o);
      }
    }
    // The same numbers, however many threads.
    if (isThreaded) CHECK(now == first, problem.seed);
    first = now;
  }
  size_t next = 0;
  for (int64_t at = 0; at < images * rows * columns; ++at) {
    const int64_t y = at / columns % rows * kStride - problem.low[0];
    const int64_t x = at % columns * kStride - problem.low[1];
    for (int64_t o = 0; o < O; ++o, ++next) {
      double wanted = double{bias[o]} + residual[at * outPixel + o];
      for (int64_t i = 0; i < 9; ++i) {
        const int64_t row = y + i / 3;
        const int64_t column = x + i % 3;
        if (row < 0 || row >= problem.height || column < 0 || column >= problem.width) continue;
        const float* from =
            image.data() + at / (rows * columns) * plane + (row * problem.width + column) * pixel;
        const float* weight = filters.data() + o * weightStrides[0] + i / 3 * weightStrides[2] +
                              i % 3 * weightStrides[3];
        for (int64_t c = 0; c < C; ++c) wanted += double{from[c]} * weight[c * weightStrides[4]];
      }
      error += (first[next] - wanted) * (first[next] - wanted);
      norm += wanted * wanted;
    }
  }
  return norm > 0 ? std::sqrt(error / norm) : 0;
}

template <int kOut, int kStride>
void checkRandomProblems(uint64_t seed, double bound) {
  Random random(seed);
  for (int i = 0; i < 60; ++i) {
    Problem problem;
    problem.seed = seed * 1000 + i;
    problem.N = random.integer(1, 2);
    problem.outer = random.integer(1, 2);
    problem.height = random.integer(2, 17);
    problem.width = random.integer(2, 17);
    problem.channels = random.integer(1, 70);
    problem.filters = random.integer(1, 70);
    for (int axis = 0; axis < 2; ++axis) {
      problem.low[axis] = random.integer(0, 4);
      problem.high[axis] = random.integer(1, 3);
    }
    problem.gap = random.integer(0, 2) == 0 ? random.integer(1, 5) : 0;
    problem.filtersArePermuted = random.integer(0, 1) == 0;
    const double error = errorOf<kOut, kStride>(problem);
    CHECK(error < bound, problem.seed, error);
  }
}

}  // namespace

TEST(twoOutputs) { checkRandomProblems<2, 1>(1, 6e-7); }

TEST(fourOutputs) { checkRandomProblems<4, 1>(2, 3e-6); }

TEST(stridedOutputs) {
  checkRandomProblems<2, 2>(3, 6e-7);
  checkRandomProblems<4, 2>(4, 1e-6);
}

TEST(layersOfNetworks) {
  // Several blocks of patches; many channels.
  const double two = errorOf<2, 1>({1, 1, 14, 14, 512, 40});
  CHECK(two < 1e-6, two);
  const double four = errorOf<4, 1>({2, 1, 28, 28, 128, 40});
  CHECK(four < 3e-6, four);
  const double strided = errorOf<4, 2>({2, 1, 28, 28, 128, 40});
  CHECK(strided < 1e-6, strided);
}

TEST(emptyExtents) {
  Problem problem{1, 1, 5, 6, 0, 40};
  errorOf<4, 1>(problem);
  problem.channels = 20;
  problem.N = 0;
  errorOf<2, 1>(problem);
  problem.N = 1;
  problem.low[0] = problem.high[0] = -2;
  problem.height = 6;
  errorOf<4, 1>(problem);
}
