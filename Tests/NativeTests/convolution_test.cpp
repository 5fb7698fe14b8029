// Convolutions against straight loops: taps, strides, padding, dilation on either side, groups,
// layouts, element types, threads, and what must not change a number.
#include "ait/cpu/convolution.h"
#include "ait/cpu/convolution_depthwise_blocks.h"
#include "matmul_reference.h"

using namespace ait;
using namespace reference;

namespace {

/// A tensor whose axes lie in memory in some order, with gaps between the outermost, and guards.
template <class T>
struct Tensor {
  Extents extents;
  Extents strides;
  std::unique_ptr<GuardedBuffer<T>> buffer;

  explicit Tensor(Extents shape, std::vector<int> order = {}, int64_t gap = 0)
      : extents(std::move(shape)), strides(extents.size()) {
    if (order.empty()) {
      for (size_t axis = 0; axis < extents.size(); ++axis) order.push_back(static_cast<int>(axis));
    }
    int64_t stride = 1;
    int64_t count = 1;
    for (size_t i = order.size(); i > 0; --i) {
      strides[order[i - 1]] = stride;
      count += (extents[order[i - 1]] - 1) * stride;
      stride = stride * extents[order[i - 1]] + (i == 2 ? gap : 0);
    }
    for (const int64_t extent : extents) count = extent == 0 ? 0 : count;
    buffer = std::make_unique<GuardedBuffer<T>>(count);
  }

  T& operator[](const Extents& index) { return (*buffer)[dot(index, strides)]; }

  void fill(Random& random) {
    forEachIndex(extents, [&](const Extents& index) { (*this)[index] = smallElement<T>(random); });
  }
};

struct Axis {
  int64_t in = 1;
  int64_t taps = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t inputDilation = 1;
  int64_t low = 0;
  int64_t high = 0;

  int64_t out() const {
    const int64_t width = (in > 0 ? (in - 1) * inputDilation + 1 : 0) + low + high;
    const int64_t reach = (taps - 1) * dilation + 1;
    return width < reach ? 0 : (width - reach) / stride + 1;
  }
};

struct Problem {
  int64_t N = 1;
  int64_t groups = 1;
  int64_t channels = 1;  // of a group
  int64_t filters = 1;   // of a group
  Axis axes[3];
  bool isChannelsFirst = false;
  bool resultIsChannelsFirst = false;
  bool filtersArePermuted = false;
  int64_t gap = 0;
  uint64_t seed = 1;

  std::string text() const {
    std::string result = "N " + std::to_string(N) + " g " + std::to_string(groups) + " c " +
                         std::to_string(channels) + " f " + std::to_string(filters);
    for (const Axis& axis : axes) {
      result += " [" + std::to_string(axis.in) + " t" + std::to_string(axis.taps) + " s" +
                std::to_string(axis.stride) + " d" + std::to_string(axis.dilation) + " u" +
                std::to_string(axis.inputDilation) + " p" + std::to_string(axis.low) + "," +
                std::to_string(axis.high) + "]";
    }
    return result + " seed " + std::to_string(seed);
  }
};

/// Adds a number for each channel and a tensor; yields two results.
struct BiasAndResidual {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> sum, Vec<T, W> bias, Vec<T, W> residual) {
    const auto result = sum + bias + residual;
    return results(result, maximum(result, broadcast<W>(T{})));
  }
};

enum class Path { general, inPlace, depthwise, depthwiseBlocks };

/// `kTaps` and `kStride` are those of the last axis, where a path asks for them.
template <class T, Filters filters, Path path = Path::general, int kTaps = 0, int kStride = 0>
void checkConvolution(const Problem& problem) {
  using Config =
      ConvolutionConfig<T, T, filters, path == Path::inPlace ? Image::inPlace : Image::copied>;
  constexpr int kWidth = Config::Tile::kColumns;
  const Axis* axes = problem.axes;
  const std::vector<int> first = {0, 4, 1, 2, 3};
  const int64_t C = problem.groups * problem.channels;
  const int64_t O = problem.groups * problem.filters;
  Tensor<T> image({problem.N, axes[0].in, axes[1].in, axes[2].in, C},
                  problem.isChannelsFirst ? first : std::vector<int>{}, problem.gap);
  Tensor<T> weight({O, axes[0].taps, axes[1].taps, axes[2].taps, problem.channels},
                   problem.filtersArePermuted ? first : std::vector<int>{});
  const Extents shape = {problem.N, axes[0].out(), axes[1].out(), axes[2].out(), O};
  const std::vector<int> order = problem.resultIsChannelsFirst ? first : std::vector<int>{};
  Tensor<T> sums(shape, order, problem.gap);
  Tensor<T> clipped(shape, order, problem.gap);
  Tensor<T> residual(shape, order);
  Tensor<T> bias({O});
  Random random(problem.seed);
  image.fill(random);
  weight.fill(random);
  residual.fill(random);
  bias.fill(random);

  std::vector<int64_t> sizes = {problem.N, problem.channels, problem.filters, problem.groups};
  for (int axis = 0; axis < 3; ++axis) {
    append(sizes, {axes[axis].in, axes[axis].out(), axes[axis].taps, axes[axis].stride,
                   axes[axis].dilation, axes[axis].inputDilation, axes[axis].low});
  }
  append(sizes, image.strides);
  append(sizes, weight.strides);
  append(sizes, {0, 0, 0, 0, 1});
  append(sizes, residual.strides);
  append(sizes, sums.strides);
  append(sizes, clipped.strides);

  const int64_t taps = axes[0].taps * axes[1].taps * axes[2].taps;
  constexpr bool kIsDepthwise = path == Path::depthwise || path == Path::depthwiseBlocks;
  GuardedBuffer<T> packed(
      kIsDepthwise
          ? taps * O
          : problem.groups * packedElementCount(taps * problem.channels, problem.filters, kWidth));
  void* filterData = weight.buffer->data();
  if (filters == Filters::packed) {
    check::runKernel(kIsDepthwise ? packDepthwiseFilters<T> : packFilters<T, kWidth>,
                     {weight.buffer->data(), packed.data()}, sizes, twoPool());
    filterData = packed.data();
  }

  Tensor<T> wanted(shape, order, problem.gap);
  Tensor<T> wantedClipped(shape, order, problem.gap);
  forEachIndex(shape, [&](const Extents& index) {
    const int64_t group = index[4] / problem.filters;
    double sum = 0;
    forEachIndex({axes[0].taps, axes[1].taps, axes[2].taps}, [&](const Extents& tap) {
      Extents at = {index[0], 0, 0, 0, 0};
      for (int axis = 0; axis < 3; ++axis) {
        const int64_t position =
            index[axis + 1] * axes[axis].stride + tap[axis] * axes[axis].dilation - axes[axis].low;
        if (position < 0 || position % axes[axis].inputDilation != 0) return;
        at[axis + 1] = position / axes[axis].inputDilation;
        if (at[axis + 1] >= axes[axis].in) return;
      }
      for (int64_t c = 0; c < problem.channels; ++c) {
        at[4] = group * problem.channels + c;
        sum += static_cast<double>(toCompute(image[at])) *
               static_cast<double>(toCompute(weight[{index[4], tap[0], tap[1], tap[2], c}]));
      }
    });
    sum += toCompute(bias[{index[4]}]) + toCompute(residual[index]);
    wanted[index] = toStorage<T>(static_cast<ComputeType<T>>(sum));
    wantedClipped[index] = toStorage<T>(static_cast<ComputeType<T>>(sum > 0 ? sum : 0));
  });

  GuardedBuffer<char> workspace(packed.count() * sizeof(T));
  using Whole = Operand<T, Access::strided>;
  using In = Inputs<Operand<T, Access::contiguous>, Whole>;
  using Out = Outputs<Whole, Whole>;
  for (const bool isThreaded : {false, true}) {
    sums.buffer->poison();
    clipped.buffer->poison();
    ThreadPool& pool = isThreaded ? static_cast<ThreadPool&>(twoPool()) : onePool();
    KernelFunction kernel = nullptr;
    if constexpr (path == Path::depthwise) {
      kernel = problem.isChannelsFirst
                   ? depthwiseConvolution<Config, Access::strided, BiasAndResidual, In, Out>
                   : depthwiseConvolution<Config, Access::contiguous, BiasAndResidual, In, Out>;
    } else if constexpr (path == Path::depthwiseBlocks) {
      kernel = depthwiseBlocksConvolution<Config, kTaps, kStride, BiasAndResidual, In, Out>;
    } else {
      kernel = convolution<Config, BiasAndResidual, In, Out>;
    }
    check::runKernel(kernel,
                     {image.buffer->data(), filterData, bias.buffer->data(),
                      residual.buffer->data(), sums.buffer->data(), clipped.buffer->data()},
                     sizes, pool, filters == Filters::strided ? workspace.data() : nullptr);
    const auto isRight = [](Tensor<T>& actual, Tensor<T>& expected) {
      return actual.buffer->guardsAreIntact() &&
             std::memcmp(actual.buffer->data(), expected.buffer->data(),
                         actual.buffer->count() * sizeof(T)) == 0;
    };
    CHECK(isRight(sums, wanted), problem.text(), isThreaded);
    CHECK(isRight(clipped, wantedClipped), problem.text(), isThreaded);
    CHECK(workspace.guardsAreIntact() && packed.guardsAreIntact(), problem.text());
  }
}

Axis randomAxis(Random& random, int64_t maxIn, bool isInPlace = false) {
  Axis axis;
  axis.in = random.integer(1, maxIn);
  axis.taps = random.integer(1, 4);
  axis.stride = random.integer(1, 3);
  axis.dilation = random.integer(0, 2) == 0 ? random.integer(2, 5) : 1;
  if (!isInPlace) {
    axis.inputDilation = random.integer(0, 2) == 0 ? random.integer(2, 4) : 1;
    axis.low = random.integer(0, 4);
    axis.high = random.integer(0, 4);
  }
  return axis;
}

template <class T, Filters filters, int kTaps, int kStride>
void checkRandomBlocks(int count, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    Problem problem;
    problem.seed = seed * 1000 + i;
    problem.N = random.integer(1, 3);
    problem.groups = pick(random, {1, 7, 16, 33, 40, 64, 150});
    problem.axes[0] = randomAxis(random, random.integer(0, 2) == 0 ? 4 : 1);
    problem.axes[1] = randomAxis(random, 9);
    problem.axes[2] = {
        random.integer(1, 40),       kTaps, kStride, 1, 1, random.integer(0, kTaps - 1),
        random.integer(0, kTaps - 1)};
    problem.resultIsChannelsFirst = random.integer(0, 3) == 0;
    problem.filtersArePermuted = random.integer(0, 1) == 0;
    problem.gap = random.integer(0, 2) == 0 ? random.integer(1, 5) : 0;
    checkConvolution<T, filters, Path::depthwiseBlocks, kTaps, kStride>(problem);
  }
}

template <class T, Filters filters, Path path>
void checkRandomConvolutions(int count, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    Problem problem;
    problem.seed = seed * 1000 + i;
    problem.N = random.integer(1, 3);
    problem.groups = path == Path::depthwise ? pick(random, {1, 7, 16, 33, 40, 64, 150})
                                             : pick(random, {1, 1, 2, 3});
    if (path != Path::depthwise) {
      problem.channels = pick(random, {1, 2, 3, 5, 8, 17, 32, 40});
      problem.filters = pick(random, {1, 3, 8, 16, 17, 31, 32, 33, 65});
    }
    problem.axes[0] = randomAxis(random, random.integer(0, 2) == 0 ? 4 : 1, path == Path::inPlace);
    problem.axes[1] = randomAxis(random, 9, path == Path::inPlace);
    problem.axes[2] = randomAxis(random, 30, path == Path::inPlace);
    problem.isChannelsFirst = path != Path::inPlace && random.integer(0, 3) == 0;
    problem.resultIsChannelsFirst = random.integer(0, 3) == 0;
    problem.filtersArePermuted = random.integer(0, 1) == 0;
    problem.gap = random.integer(0, 2) == 0 ? random.integer(1, 5) : 0;
    checkConvolution<T, filters, path>(problem);
  }
}

}  // namespace

TEST(randomProblems) {
  checkRandomConvolutions<float, Filters::packed, Path::general>(300, 1);
  checkRandomConvolutions<float, Filters::strided, Path::general>(150, 2);
}

TEST(otherTypes) {
  checkRandomConvolutions<float16, Filters::packed, Path::general>(60, 3);
  checkRandomConvolutions<bfloat16, Filters::strided, Path::general>(60, 4);
  checkRandomConvolutions<double, Filters::packed, Path::general>(60, 5);
}

TEST(imagesInPlace) {
  checkRandomConvolutions<float, Filters::packed, Path::inPlace>(150, 6);
  checkRandomConvolutions<double, Filters::strided, Path::inPlace>(50, 7);
}

TEST(depthwise) {
  checkRandomConvolutions<float, Filters::packed, Path::depthwise>(300, 8);
  checkRandomConvolutions<float16, Filters::strided, Path::depthwise>(60, 9);
  checkRandomConvolutions<bfloat16, Filters::packed, Path::depthwise>(60, 10);
  checkRandomConvolutions<double, Filters::strided, Path::depthwise>(60, 11);
}

TEST(depthwiseBlocks) {
  checkRandomBlocks<float, Filters::packed, 3, 1>(200, 12);
  checkRandomBlocks<float, Filters::packed, 3, 2>(200, 13);
  checkRandomBlocks<float, Filters::strided, 5, 1>(100, 14);
  checkRandomBlocks<float, Filters::packed, 5, 2>(200, 15);
  checkRandomBlocks<float, Filters::packed, 7, 1>(200, 16);
  checkRandomBlocks<float16, Filters::packed, 3, 1>(60, 17);
  checkRandomBlocks<bfloat16, Filters::strided, 5, 2>(60, 18);
  checkRandomBlocks<double, Filters::packed, 3, 2>(60, 19);
}

TEST(emptyExtents) {
  for (int which = 0; which < 5; ++which) {
    Problem problem;
    problem.N = which == 0 ? 0 : 2;
    problem.channels = which == 1 ? 0 : 3;
    problem.filters = which == 2 ? 0 : 5;
    problem.axes[1] = {which == 3 ? 0 : 5, 3, 1, 1, 1, 2, 2};
    problem.axes[2] = {which == 4 ? 0 : 6, 3, 1, 1, 1, 3, 1};
    checkConvolution<float, Filters::packed>(problem);
    checkConvolution<float, Filters::strided>(problem);
  }
}

TEST(severalBlocks) {
  // Several blocks of taps and channels.
  checkConvolution<float, Filters::packed>(
      {1, 1, 300, 70, {{}, {9, 3, 1, 1, 1, 1, 1}, {14, 3, 1, 1, 1, 1, 1}}});
  // One output's window does not fit scratch memory: blocks of channels.
  checkConvolution<float, Filters::packed>(
      {1, 1, 20000, 40, {{}, {3, 3, 1, 1, 1, 1, 1}, {3, 3, 1, 1, 1, 1, 1}}});
  // One row's does not: blocks of a row.
  checkConvolution<float, Filters::packed>(
      {1, 1, 128, 33, {{}, {4, 3, 1, 1, 1, 1, 1}, {700, 3, 1, 1, 1, 1, 1}}});
  // Taps far apart have segments of their own.
  checkConvolution<float, Filters::packed>(
      {1, 1, 12, 33, {{}, {1, 1, 1, 1, 1, 0, 0}, {4000, 3, 1, 1500, 1, 0, 0}}});
  // More rows than are copied at a time.
  checkConvolution<float, Filters::packed>(
      {2, 1, 64, 40, {{}, {80, 3, 2, 1, 1, 1, 1}, {80, 5, 2, 1, 1, 2, 2}}});
}
