// Attention against plain loops: types, masks, causality, grouped heads, strides, odd sizes,
// threads.
#include "ait/cpu/attention.h"

#include <functional>

#include "check.h"

using namespace ait;

namespace {

template <class T, class Mask, bool isCausal = false, bool keepsNaN = false>
struct Config : AttentionConfig<T, Mask, 1, isCausal, keepsNaN> {
  static constexpr float kScale = 0.3f;
};

struct Shape {
  int64_t outer, heads, queries, keys, depth, width;
};

template <class T>
T stored(double value) {
  T result;
  if constexpr (std::is_same_v<T, bool>) {
    result = value != 0;
  } else {
    store<T, 1>(&result, Vec<float, 1>(typename Vec<float, 1>::Native{static_cast<float>(value)}));
  }
  return result;
}

template <class T>
double number(T value) {
  return static_cast<double>(toCompute<T>(value));
}

/// An operand [outer, heads, rows, columns] in an order of its own; heads may be shared.
template <class T>
struct Tensor {
  int64_t strides[4];
  check::GuardedBuffer<T> buffer;

  static int64_t total(const int64_t (&extents)[4]) {
    return extents[0] * extents[1] * extents[2] * extents[3];
  }

  /// `order` lists the axes from the slowest to the fastest; extents of 1 are repeated.
  Tensor(const int64_t (&extents)[4], const int (&order)[4], int64_t misalignment = 0)
      : buffer(total(extents), misalignment) {
    int64_t stride = 1;
    for (int i = 3; i >= 0; --i) {
      strides[order[i]] = extents[order[i]] == 1 ? 0 : stride;
      stride *= extents[order[i]];
    }
    if (extents[3] == 1) strides[3] = 1;
  }

  T& at(int64_t o, int64_t h, int64_t r, int64_t c) {
    return buffer[o * strides[0] + h * strides[1] + r * strides[2] + c * strides[3]];
  }
};

template <class C>
void runCase(const Shape& s, const int (&order)[4], const int64_t (&maskExtents)[4],
             ait::ThreadPool& pool, uint64_t seed, double maskedShare = 0.3) {
  using T = typename C::Element;
  using Mask = std::conditional_t<C::kHasMask, typename C::Mask, float>;
  if constexpr (C::kHasMask) static_assert(!std::is_same_v<Mask, void>);
  check::Random random(seed);
  Tensor<T> q({s.outer, s.heads, s.queries, s.depth}, order, 1);
  Tensor<T> k({s.outer, 1, s.keys, s.depth}, order, 2);
  Tensor<T> v({s.outer, 1, s.keys, s.width}, order, 3);
  Tensor<Mask> mask(maskExtents, {0, 1, 2, 3});
  // One mask column has no stride of its own.
  if (maskExtents[3] == 1) mask.strides[3] = 0;
  Tensor<T> result({s.outer, s.heads, s.queries, s.width}, order, 1);
  for (auto* tensor : {&q, &k, &v}) {
    for (int64_t i = 0; i < tensor->buffer.count(); ++i) {
      tensor->buffer[i] = stored<T>(random.uniform(-2, 2));
    }
  }
  for (int64_t i = 0; i < mask.buffer.count(); ++i) {
    const bool isOut = random.uniform(0, 1) < maskedShare;
    mask.buffer[i] = stored<Mask>(std::is_same_v<Mask, bool> ? !isOut
                                  : isOut                    ? -HUGE_VAL
                                                             : random.uniform(-3, 3));
  }
  std::vector<int64_t> sizes = {s.outer, s.heads, s.queries, s.keys, s.depth, s.width};
  std::vector<void*> buffers = {q.buffer.data(), k.buffer.data(), v.buffer.data()};
  const auto add = [&](const int64_t* strides) { sizes.insert(sizes.end(), strides, strides + 4); };
  add(q.strides);
  add(k.strides);
  add(v.strides);
  if (C::kHasMask) {
    add(mask.strides);
    buffers.push_back(mask.buffer.data());
  }
  add(result.strides);
  buffers.push_back(result.buffer.data());
  check::runKernel(attention<C>, buffers, sizes, pool);
  const double tolerance = std::is_same_v<T, float>     ? 5e-5
                           : std::is_same_v<T, float16> ? 2e-3
                                                        : 1.6e-2;
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t h = 0; h < s.heads; ++h) {
      for (int64_t t = 0; t < s.queries; ++t) {
        std::vector<double> scores(s.keys);
        double top = -HUGE_VAL;
        for (int64_t n = 0; n < s.keys; ++n) {
          double sum = 0;
          for (int64_t d = 0; d < s.depth; ++d) {
            sum += number<T>(q.at(o, h, t, d)) * number<T>(k.at(o, 0, n, d));
          }
          sum *= static_cast<double>(C::kScale);
          if (C::kHasMask) {
            const double m = number<Mask>(mask.at(o, h, t, n));
            sum = std::is_same_v<Mask, bool> ? (m != 0 ? sum : -HUGE_VAL) : sum + m;
          }
          if (C::kIsCausal && n > t) sum = -HUGE_VAL;
          scores[n] = sum;
          top = std::fmax(top, sum);
        }
        double total = 0;
        for (double& score : scores) {
          score = top == -HUGE_VAL ? 0 : std::exp(score - top);
          total += score;
        }
        for (int64_t e = 0; e < s.width; ++e) {
          double sum = 0;
          for (int64_t n = 0; n < s.keys; ++n) sum += scores[n] * number<T>(v.at(o, 0, n, e));
          const double expected =
              total == 0 ? (C::kKeepsNaN && s.keys > 0 ? std::nan("") : 0) : sum / total;
          CHECK_NEAR(number<T>(result.at(o, h, t, e)), expected, tolerance, s.heads, s.queries,
                     s.keys, s.depth, s.width, h, t, e);
        }
      }
    }
  }
  CHECK(result.buffer.guardsAreIntact());
}

constexpr int kDense[4] = {0, 1, 2, 3};
constexpr int kJoined[4] = {0, 2, 1, 3};      // [outer, rows, heads, columns]
constexpr int kTransposed[4] = {0, 1, 3, 2};  // columns far apart

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {2, 1, 37, 45, 64, 64},   {3, 1, 1, 300, 80, 80},  {1, 4, 1, 131, 64, 64},
      {2, 2, 16, 17, 7, 33},    {1, 3, 33, 129, 32, 24}, {1, 1, 70, 260, 16, 96},
      {1, 2, 300, 30, 40, 5},   {2, 1, 5, 1, 3, 1},      {1, 1, 9, 0, 8, 8},
      {1, 1, 2, 0, 8, 8},       {1, 1, 0, 9, 8, 8},      {1, 1, 20, 9, 0, 8},
      {1, 1, 3, 9, 0, 20},      {0, 1, 3, 9, 8, 20},     {1, 1, 40, 70, 256, 256},
      {1, 1, 33, 70, 600, 300}, {1, 7, 3, 40, 5, 0},
  };
  return all;
}

template <class C>
void runAll(double maskedShare = 0.3) {
  check::SerialPool serial;
  check::TwoThreadPool two;
  uint64_t seed = 1;
  for (const Shape& s : shapes()) {
    const int64_t masks[][4] = {{s.outer, s.heads, s.queries, s.keys},
                                {s.outer, 1, 1, s.keys},
                                {1, 1, s.queries, s.keys},
                                {1, s.heads, s.queries, 1}};
    for (const auto& mask : masks) {
      runCase<C>(s, kDense, mask, serial, ++seed, maskedShare);
      runCase<C>(s, kJoined, mask, two, ++seed, maskedShare);
      if (!C::kHasMask) break;
    }
    runCase<C>(s, kTransposed, masks[0], two, ++seed, maskedShare);
  }
}

}  // namespace

TEST(types) {
  runAll<Config<float, void>>();
  runAll<Config<float16, void>>();
  runAll<Config<bfloat16, void>>();
}

TEST(causal) {
  runAll<Config<float, void, true>>();
  runAll<Config<float16, bool, true>>();
}

TEST(masks) {
  runAll<Config<float, bool>>();
  runAll<Config<float, float>>();
  runAll<Config<bfloat16, bfloat16>>();
  runAll<Config<float16, float>>();
}

TEST(queriesWithoutKeys) {
  runAll<Config<float, bool, false, false>>(1);
  runAll<Config<float, bool, false, true>>(1);
  runAll<Config<float, bool, true, true>>(0.9);
  runAll<Config<float, float, false, false>>(0.95);
}
