// Pools of channels-last images against straight loops.
#include "ait/cpu/pool.h"

#include <limits>

#include "check.h"

using check::GuardedBuffer;
using check::Random;

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;
ait::ThreadPool* const kPools[] = {&serialPool, &twoThreadPool};

struct Doubled {
  template <int W, class T>
  static auto apply(ait::Vec<T, W> x, ait::Vec<float, W> bias) {
    return ait::results(x + x + ait::convert<T>(bias));
  }
};

/// One pooling problem on [N, D1, D2, D3, C].
struct Problem {
  int64_t batch = 2, channels = 5;
  int64_t in[3] = {1, 7, 9};
  int64_t out[3] = {1, 1, 1};
  int64_t size[3] = {1, 3, 2};
  int64_t stride[3] = {1, 2, 1};
  int64_t low[3] = {0, 1, 0};
  int64_t high[3] = {0, 1, 1};
  int64_t step[3] = {1, 1, 1};

  void setRegularExtents() {
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t room = in[axis] + low[axis] + high[axis] - step[axis] * (size[axis] - 1) - 1;
      out[axis] = room < 0 ? 0 : room / stride[axis] + 1;
    }
  }
};

template <ait::PoolKind kKind, ait::PoolWindows kWindows, bool kCounts, class Element>
void checkProblem(const Problem& p, int64_t channelStride = 1) {
  using T = ait::ComputeType<Element>;
  using ait::Access;
  Random random(3);
  const int64_t pixels = p.batch * p.in[0] * p.in[1] * p.in[2];
  GuardedBuffer<Element> x(pixels * p.channels * channelStride);
  for (int64_t i = 0; i < x.count(); ++i) {
    x[i] = ait::toStorage<Element>(static_cast<T>(random.uniform(-4, 4)));
  }
  if (x.count() > 11) x[11] = ait::toStorage<Element>(std::numeric_limits<T>::quiet_NaN());
  const int64_t count = p.batch * p.out[0] * p.out[1] * p.out[2] * p.channels;
  GuardedBuffer<float> bias(p.channels);
  for (int64_t i = 0; i < p.channels; ++i) bias[i] = static_cast<float>(i);
  const int64_t C = p.channels * channelStride;
  std::vector<int64_t> sizes = {p.batch, p.out[0], p.out[1], p.out[2], p.channels};
  for (const int64_t stride :
       {p.in[0] * p.in[1] * p.in[2] * C, p.in[1] * p.in[2] * C, p.in[2] * C, C, channelStride}) {
    sizes.push_back(stride);
  }
  for (const int64_t stride : {0, 0, 0, 0, 1}) sizes.push_back(stride);
  for (const int64_t stride :
       {p.out[0] * p.out[1] * p.out[2] * p.channels, p.out[1] * p.out[2] * p.channels,
        p.out[2] * p.channels, p.channels, int64_t{1}}) {
    sizes.push_back(stride);
  }
  for (const auto* numbers : {p.in, p.size, p.stride, p.low, p.high, p.step}) {
    sizes.insert(sizes.end(), numbers, numbers + 3);
  }

  std::vector<double> expected;
  const int64_t all[5] = {p.batch, p.out[0], p.out[1], p.out[2], p.channels};
  for (int64_t flat = 0; flat < count; ++flat) {
    int64_t index[5];
    int64_t rest = flat;
    for (int axis = 4; axis >= 0; --axis) {
      index[axis] = rest % all[axis];
      rest /= all[axis];
    }
    double sum = 0, largest = -INFINITY;
    int64_t inside = 0, padded = 0;
    // Every place that a window may cover, one after the other.
    int64_t begin[3], end[3], step[3];
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t o = index[1 + axis];
      if (kWindows == ait::PoolWindows::adaptive) {
        begin[axis] = o * p.in[axis] / p.out[axis];
        end[axis] = ((o + 1) * p.in[axis] + p.out[axis] - 1) / p.out[axis];
        step[axis] = 1;
      } else {
        begin[axis] = o * p.stride[axis] - p.low[axis];
        end[axis] = begin[axis] + p.step[axis] * (p.size[axis] - 1) + 1;
        step[axis] = p.step[axis];
      }
    }
    for (int64_t i = begin[0]; i < end[0]; i += step[0]) {
      for (int64_t j = begin[1]; j < end[1]; j += step[1]) {
        for (int64_t k = begin[2]; k < end[2]; k += step[2]) {
          if (i >= p.in[0] + p.high[0] || j >= p.in[1] + p.high[1] || k >= p.in[2] + p.high[2]) {
            continue;
          }
          ++padded;
          if (i < 0 || j < 0 || k < 0 || i >= p.in[0] || j >= p.in[1] || k >= p.in[2]) continue;
          ++inside;
          const int64_t pixel = ((index[0] * p.in[0] + i) * p.in[1] + j) * p.in[2] + k;
          const double value = ait::toCompute<Element>(x[pixel * C + index[4] * channelStride]);
          sum += value;
          largest = std::isnan(value) || value > largest ? value : largest;
        }
      }
    }
    const double result = kKind == ait::PoolKind::maximum ? largest
                          : inside == 0                   ? 0
                                                          : sum / (kCounts ? padded : inside);
    expected.push_back(2 * result + static_cast<double>(index[4]));
  }

  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<Element> y(count);
    using Bias = ait::Inputs<ait::Operand<float, Access::contiguous>>;
    using Out = ait::Outputs<ait::Operand<Element, Access::contiguous>>;
    const std::vector<void*> buffers = {x.data(), bias.data(), y.data()};
    if (channelStride == 1) {
      using X = ait::Operand<Element, Access::contiguous>;
      check::runKernel(ait::pool<kKind, kWindows, kCounts, Doubled, X, Bias, Out>, buffers, sizes,
                       *pool);
    } else {
      using X = ait::Operand<Element, Access::strided>;
      check::runKernel(ait::pool<kKind, kWindows, kCounts, Doubled, X, Bias, Out>, buffers, sizes,
                       *pool);
    }
    for (int64_t i = 0; i < count; ++i) {
      CHECK_NEAR(ait::toCompute<Element>(y[i]), expected[i], sizeof(Element) == 2 ? 2e-3 : 1e-5, i,
                 p.in[1], p.channels);
    }
    CHECK(y.guardsAreIntact());
  }
}

template <ait::PoolKind kKind, class Element>
void checkShapes() {
  constexpr auto kRegular = ait::PoolWindows::regular;
  constexpr auto kAdaptive = ait::PoolWindows::adaptive;
  for (const int64_t channels : {1, 3, 16, 17, 40}) {
    Problem p;
    p.channels = channels;
    p.setRegularExtents();
    checkProblem<kKind, kRegular, true, Element>(p);
    checkProblem<kKind, kRegular, false, Element>(p, 2);
    Problem deep;
    deep.channels = channels;
    deep.batch = 1;
    deep.in[0] = 5;
    deep.size[0] = 2;
    deep.low[0] = 1;
    deep.stride[0] = 3;
    deep.setRegularExtents();
    ++deep.out[2];  // a last window that reaches beyond the padding
    checkProblem<kKind, kRegular, true, Element>(deep);
    Problem even;
    even.channels = channels;
    even.in[0] = 4;
    even.out[0] = 3;
    even.out[1] = 5;
    even.out[2] = 11;
    checkProblem<kKind, kAdaptive, false, Element>(even);
  }
}

}  // namespace

TEST(maxima) {
  checkShapes<ait::PoolKind::maximum, float>();
  checkShapes<ait::PoolKind::maximum, double>();
  checkShapes<ait::PoolKind::maximum, ait::float16>();
}

TEST(averages) {
  checkShapes<ait::PoolKind::average, float>();
  checkShapes<ait::PoolKind::average, double>();
}

TEST(dilatedMaxima) {
  Problem p;
  p.step[1] = 2;
  p.step[2] = 3;
  p.low[1] = 2;
  p.low[2] = 1;
  p.setRegularExtents();
  checkProblem<ait::PoolKind::maximum, ait::PoolWindows::regular, false, float>(p);
}

TEST(nothing) {
  Problem p;
  p.batch = 0;
  p.setRegularExtents();
  checkProblem<ait::PoolKind::maximum, ait::PoolWindows::regular, false, float>(p);
  p.batch = 2;
  p.channels = 0;
  checkProblem<ait::PoolKind::average, ait::PoolWindows::regular, true, float>(p);
}

TEST(largeImagesAreShared) {
  Problem p;
  p.in[1] = 60;
  p.in[2] = 50;
  p.channels = 24;
  p.setRegularExtents();
  checkProblem<ait::PoolKind::average, ait::PoolWindows::regular, true, float>(p);
}
