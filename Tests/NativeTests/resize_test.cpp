// Resizing of channels-last images against interpolation along one axis after the other.
#include "ait/cpu/resize.h"

#include "check.h"

using check::GuardedBuffer;
using check::Random;

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;
ait::ThreadPool* const kPools[] = {&serialPool, &twoThreadPool};

struct Identity {
  template <int W, class T>
  static auto apply(ait::Vec<T, W> x) {
    return ait::results(x);
  }
};

struct Computed {
  static constexpr double kScales[3] = {0, 0, 0};
};
struct Given {
  static constexpr double kScales[3] = {0, 1.7, 0.6};
};

/// A tensor of five axes.
struct Image {
  int64_t extents[5];
  std::vector<double> values;

  double at(const int64_t* index) const {
    int64_t offset = 0;
    for (int axis = 0; axis < 5; ++axis) offset = offset * extents[axis] + index[axis];
    return values[offset];
  }
};

/// Keys' cubic.
double cubic(double d) {
  d = std::fabs(d);
  if (d <= 1) return 1.25 * d * d * d - 2.25 * d * d + 1;
  return d < 2 ? -0.75 * (d * d * d - 5 * d * d + 8 * d - 4) : 0;
}

/// The image with another extent along one axis.
template <ait::ResizeMode kMode>
Image along(const Image& x, int axis, int64_t out, bool aligns, double scale) {
  Image y = x;
  y.extents[axis] = out;
  int64_t count = 1;
  for (const int64_t extent : y.extents) count *= extent;
  y.values.assign(count, 0);
  const int64_t in = x.extents[axis];
  const double ratio = aligns      ? (out > 1 ? (in - 1.0) / (out - 1.0) : 0)
                       : scale > 0 ? 1 / scale
                                   : static_cast<double>(in) / out;
  for (int64_t flat = 0; flat < count; ++flat) {
    int64_t index[5];
    int64_t rest = flat;
    for (int i = 4; i >= 0; --i) {
      index[i] = rest % y.extents[i];
      rest /= y.extents[i];
    }
    const int64_t o = index[axis];
    const auto tap = [&](int64_t position) {
      int64_t from[5];
      std::memcpy(from, index, sizeof(from));
      from[axis] = position < 0 ? 0 : position >= in ? in - 1 : position;
      return x.at(from);
    };
    if (kMode == ait::ResizeMode::nearest) {
      const float r = scale > 0 ? static_cast<float>(1 / scale)
                                : static_cast<float>(in) / static_cast<float>(out);
      y.values[flat] = tap(static_cast<int64_t>(std::floor(static_cast<float>(o) * r)));
    } else if (kMode == ait::ResizeMode::nearestExact) {
      const float r = scale > 0 ? static_cast<float>(1 / scale)
                                : static_cast<float>(in) / static_cast<float>(out);
      y.values[flat] = tap(static_cast<int64_t>(std::floor((static_cast<float>(o) + 0.5f) * r)));
    } else {
      double source = aligns ? static_cast<double>(o) * ratio : (o + 0.5) * ratio - 0.5;
      if (kMode == ait::ResizeMode::linear) source = std::fmin(std::fmax(source, 0), in - 1.0);
      const double first = std::floor(source);
      double sum = 0;
      for (int64_t offset = -1; offset <= 2; ++offset) {
        const double d = source - (first + static_cast<double>(offset));
        const double weight =
            kMode == ait::ResizeMode::cubic ? cubic(d) : std::fmax(0, 1 - std::fabs(d));
        if (weight != 0) sum += weight * tap(static_cast<int64_t>(first) + offset);
      }
      y.values[flat] = sum;
    }
  }
  return y;
}

template <ait::ResizeMode kMode, bool kAligns, class Scales, int kAxes, class Element>
void checkResize(std::vector<int64_t> in, std::vector<int64_t> out, int64_t channels) {
  using ait::Access;
  Random random(5);
  Image x = {{2, in[0], in[1], in[2], channels}, {}};
  GuardedBuffer<Element> input(2 * in[0] * in[1] * in[2] * channels);
  for (int64_t i = 0; i < input.count(); ++i) {
    input[i] =
        ait::toStorage<Element>(static_cast<ait::ComputeType<Element>>(random.uniform(-3, 3)));
    x.values.push_back(ait::toCompute<Element>(input[i]));
  }
  Image expected = x;
  for (int axis = 0; axis < 3; ++axis) {
    expected = along<kMode>(expected, 1 + axis, out[axis], kAligns, Scales::kScales[axis]);
  }
  std::vector<int64_t> sizes = {2, out[0], out[1], out[2], channels};
  for (const auto& extents : {in, out}) {
    const int64_t line = extents[2] * channels;
    for (const int64_t stride :
         {extents[0] * extents[1] * line, extents[1] * line, line, channels, int64_t{1}}) {
      sizes.push_back(stride);
    }
  }
  sizes.insert(sizes.end(), in.begin(), in.end());
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<Element> y(static_cast<int64_t>(expected.values.size()));
    using X = ait::Operand<Element, Access::contiguous>;
    check::runKernel(ait::resize<kMode, kAligns, Scales, kAxes, Identity, X, ait::Inputs<>,
                                 ait::Outputs<ait::Operand<Element, Access::contiguous>>>,
                     {input.data(), y.data()}, sizes, *pool);
    for (int64_t i = 0; i < y.count(); ++i) {
      CHECK_NEAR(ait::toCompute<Element>(y[i]), expected.values[i],
                 sizeof(Element) == 2 ? 2e-3 : 2e-6, i, in[1], out[1], channels);
    }
    CHECK(y.guardsAreIntact());
  }
}

template <ait::ResizeMode kMode, bool kAligns, class Scales, class Element>
void checkModes() {
  for (const int64_t channels : {1, 3, 16, 21}) {
    checkResize<kMode, kAligns, Scales, 2, Element>({1, 5, 7}, {1, 9, 4}, channels);
    checkResize<kMode, kAligns, Scales, 2, Element>({1, 1, 3}, {1, 4, 6}, channels);
    checkResize<kMode, kAligns, Scales, 1, Element>({1, 1, 10}, {1, 1, 6}, channels);
    if (kMode != ait::ResizeMode::cubic) {
      checkResize<kMode, kAligns, Scales, 3, Element>({3, 5, 2}, {4, 3, 5}, channels);
    }
  }
}

}  // namespace

TEST(nearest) {
  checkModes<ait::ResizeMode::nearest, false, Computed, float>();
  checkModes<ait::ResizeMode::nearest, false, Given, ait::bfloat16>();
  checkModes<ait::ResizeMode::nearestExact, false, Computed, float>();
}

TEST(linear) {
  checkModes<ait::ResizeMode::linear, false, Computed, float>();
  checkModes<ait::ResizeMode::linear, true, Computed, ait::float16>();
  checkModes<ait::ResizeMode::linear, false, Given, double>();
}

TEST(cubic) {
  checkModes<ait::ResizeMode::cubic, false, Computed, float>();
  checkModes<ait::ResizeMode::cubic, true, Computed, double>();
}

TEST(nothingAndMuch) {
  checkResize<ait::ResizeMode::linear, false, Computed, 2, float>({1, 3, 3}, {1, 0, 4}, 5);
  checkResize<ait::ResizeMode::linear, false, Computed, 2, float>({1, 3, 3}, {1, 4, 4}, 0);
  checkResize<ait::ResizeMode::nearest, false, Computed, 2, float>({1, 30, 40}, {1, 60, 80}, 12);
}
