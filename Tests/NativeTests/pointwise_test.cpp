// Pointwise kernels against plain loops: ranks, broadcasts, strides, tails, threads, in place.
#include "ait/cpu/pointwise.h"

#include <array>

#include "check.h"

using namespace ait;
using check::GuardedBuffer;
using check::Random;

namespace {

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;
constexpr Access S = Access::strided;

template <Access A>
using F = Operand<float, A>;

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;

// MARK: - Bodies, each with its meaning in double

struct GELUOfSum {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1) {
    const auto x = x0 + x1;
    const auto t0 = ait::erf(x * constant<float, W>(0x1.6a09e6p-1f));
    return results(x * constant<float, W>(0.5f) * (t0 + constant<float, W>(1)));
  }
  static std::array<double, 1> expected(double a, double b) {
    const double x = a + b;
    return {0.5 * x * (1 + std::erf(x * std::sqrt(0.5)))};
  }
};

struct ThreeToTwo {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1, Vec<float, W> x2) {
    const auto t0 = x0 * x1;
    return results(t0 + x2, ait::maximum(t0, x2));
  }
  static std::array<double, 2> expected(double a, double b, double c) {
    return {a * b + c, std::fmax(a * b, c)};
  }
};

struct MixedTypes {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<int64_t, W> x1, Vec<bool, W> x2) {
    const auto t0 = convert<double>(x0) * convert<double>(x1);
    return results(select(x2, t0, convert<double>(x1)), convert<int8_t>(x1),
                   x0 < convert<float>(x1));
  }
  static std::array<double, 3> expected(double a, double b, double c) {
    return {c != 0 ? a * b : b, static_cast<double>(static_cast<int8_t>(b)),
            static_cast<double>(a < b)};
  }
};

struct Constant {
  template <int W>
  static AIT_INLINE auto apply() {
    return results(constant<float, W>(0x1.8p+0f), constant<int32_t, W>(-7));
  }
  static std::array<double, 2> expected() { return {1.5, -7}; }
};

struct Twice {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0) {
    return results(x0 + x0);
  }
  static std::array<double, 1> expected(double a) { return {a + a}; }
};

// MARK: - Running a kernel and a plain loop

template <class T>
double toDouble(T value) {
  return static_cast<double>(toCompute<T>(value));
}

template <class T>
T randomElement(Random& random) {
  if constexpr (std::is_same_v<T, bool>) {
    return random.bits() & 1;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(random.integer(-100, 100));
  } else {
    return toStorage<T>(static_cast<ComputeType<T>>(random.uniform(-3, 3)));
  }
}

/// What an element may differ by from the exact result, after storage in its type.
template <class T>
double toleranceOf() {
  if (std::is_same_v<T, float16>) return 1e-3;
  if (std::is_same_v<T, bfloat16>) return 8e-3;
  return 2e-6;
}

/// An operand with memory for all the elements that its strides reach.
template <class T>
struct Tensor {
  std::vector<int64_t> strides;
  GuardedBuffer<T> buffer;

  static int64_t extentOf(const std::vector<int64_t>& extents,
                          const std::vector<int64_t>& strides) {
    int64_t last = 0;
    for (size_t axis = 0; axis < extents.size(); ++axis) {
      if (extents[axis] == 0) return 0;
      last += (extents[axis] - 1) * strides[axis];
    }
    return last + 1;
  }

  Tensor(const std::vector<int64_t>& extents, std::vector<int64_t> strides)
      : strides(strides), buffer(extentOf(extents, strides)) {}

  int64_t offset(const std::vector<int64_t>& index) const {
    int64_t result = 0;
    for (size_t axis = 0; axis < index.size(); ++axis) result += index[axis] * strides[axis];
    return result;
  }
};

template <class Function>
void forEachIndex(const std::vector<int64_t>& extents, Function function) {
  int64_t count = 1;
  for (const int64_t extent : extents) count *= extent;
  std::vector<int64_t> index(extents.size());
  for (int64_t flat = 0; flat < count; ++flat) {
    int64_t rest = flat;
    for (size_t axis = extents.size(); axis-- > 0;) {
      index[axis] = rest % extents[axis];
      rest /= extents[axis];
    }
    function(index);
  }
}

/// Strides of a tensor for an access: a random broadcast of outer axes for inputs, gaps, or plain.
std::vector<int64_t> stridesFor(Access access, const std::vector<int64_t>& extents, bool isInput,
                                Random& random) {
  const size_t rank = extents.size();
  std::vector<int64_t> strides(rank);
  int64_t next = access == S ? random.integer(2, 3) : 1;
  for (size_t axis = rank; axis-- > 0;) {
    strides[axis] = next;
    next *= extents[axis];
    if (axis + 1 < rank || access == S) next += random.integer(0, 2);
    const bool isBroadcast = axis + 1 == rank ? access == U : isInput && random.integer(0, 3) == 0;
    if (isBroadcast) strides[axis] = 0;
  }
  if (access == U && !isInput) strides[rank - 1] = 0;
  return strides;
}

template <class Body, int kRank, class In, class Out>
struct Runner;

template <class Body, int kRank, class... I, class... O>
struct Runner<Body, kRank, Inputs<I...>, Outputs<O...>> {
  static void run(const std::vector<int64_t>& extents, ThreadPool& pool, Random& random) {
    run(extents, pool, random, Indices<sizeof...(I)>(), Indices<sizeof...(O)>());
  }

 private:
  template <int... i, int... o>
  static void run(const std::vector<int64_t>& extents, ThreadPool& pool, Random& random,
                  IntegerSequence<int, i...>, IntegerSequence<int, o...>) {
    Tuple<Tensor<typename I::Element>...> inputs{
        {{Tensor<typename I::Element>(extents, stridesFor(I::kAccess, extents, true, random))}...}};
    Tuple<Tensor<typename O::Element>...> outputs{{{Tensor<typename O::Element>(
        extents, stridesFor(O::kAccess, extents, false, random))}...}};
    const auto fill = [&](auto& tensor) {
      for (int64_t k = 0; k < tensor.buffer.count(); ++k) {
        tensor.buffer[k] = randomElement<std::decay_t<decltype(tensor.buffer[0])>>(random);
      }
    };
    (fill(get<i>(inputs)), ...);

    std::vector<int64_t> sizes = extents;
    const auto append = [&](const auto& tensor) {
      sizes.insert(sizes.end(), tensor.strides.begin(), tensor.strides.end());
    };
    (append(get<i>(inputs)), ...);
    (append(get<o>(outputs)), ...);
    check::runKernel(pointwise<Body, Inputs<I...>, Outputs<O...>, kRank>,
                     {get<i>(inputs).buffer.data()..., get<o>(outputs).buffer.data()...}, sizes,
                     pool);

    const auto name =
        check::text(kRank) + "D " + check::text(extents[0]) + " … " + check::text(extents.back());
    std::vector<bool> written[] = {std::vector<bool>(get<o>(outputs).buffer.count())...};
    forEachIndex(extents, [&](const std::vector<int64_t>& index) {
      const auto expected =
          Body::expected(toDouble(get<i>(inputs).buffer[get<i>(inputs).offset(index)])...);
      const auto compare = [&](auto& tensor, auto& isWritten, double value) {
        using T = std::decay_t<decltype(tensor.buffer[0])>;
        isWritten[tensor.offset(index)] = true;
        CHECK_NEAR(toDouble(tensor.buffer[tensor.offset(index)]), value, toleranceOf<T>(), name,
                   index.front(), index.back());
      };
      (compare(get<o>(outputs), written[o], expected[o]), ...);
    });
    const auto checkRest = [&](auto& tensor, const auto& isWritten) {
      CHECK(tensor.buffer.guardsAreIntact(), name);
      for (int64_t k = 0; k < tensor.buffer.count(); ++k) {
        if (isWritten[k]) continue;
        const auto* bytes = reinterpret_cast<const uint8_t*>(&tensor.buffer[k]);
        for (size_t byte = 0; byte < sizeof(tensor.buffer[0]); ++byte) {
          CHECK_EQUAL(bytes[byte], 0xff, name, k);
        }
      }
    };
    (checkRest(get<o>(outputs), written[o]), ...);
  }
};

template <class Body, int kRank, class In, class Out>
void checkShapes(const std::vector<std::vector<int64_t>>& shapes) {
  Random random(kRank * 100 + In::kCount);
  for (const auto& extents : shapes) {
    Runner<Body, kRank, In, Out>::run(extents, serialPool, random);
    Runner<Body, kRank, In, Out>::run(extents, twoThreadPool, random);
  }
}

}  // namespace

// MARK: - Shapes

TEST(everyTailOfOneDimension) {
  std::vector<std::vector<int64_t>> shapes;
  for (int64_t columns = 0; columns <= 2 * kLanes + 1; ++columns) shapes.push_back({columns});
  checkShapes<GELUOfSum, 1, Inputs<F<C>, F<C>>, Outputs<F<C>>>(shapes);
  checkShapes<GELUOfSum, 1, Inputs<F<C>, F<U>>, Outputs<F<C>>>(shapes);
  checkShapes<GELUOfSum, 1, Inputs<F<S>, F<C>>, Outputs<F<S>>>(shapes);
}

TEST(everyTailOfTwoDimensions) {
  std::vector<std::vector<int64_t>> shapes;
  for (int64_t columns = 0; columns <= 2 * kLanes + 1; ++columns) {
    for (const int64_t rows : {0, 1, 2, 5}) shapes.push_back({rows, columns});
    shapes.push_back({300, columns});
  }
  checkShapes<GELUOfSum, 2, Inputs<F<C>, F<C>>, Outputs<F<C>>>(shapes);
  checkShapes<GELUOfSum, 2, Inputs<F<U>, F<C>>, Outputs<F<C>>>(shapes);
  checkShapes<GELUOfSum, 2, Inputs<F<S>, F<U>>, Outputs<F<S>>>(shapes);
}

TEST(higherRanksBroadcastAnyAxis) {
  checkShapes<ThreeToTwo, 3, Inputs<F<C>, F<U>, F<C>>, Outputs<F<C>, F<S>>>(
      {{2, 3, 4}, {1, 1, 1}, {5, 0, 3}, {3, 7, 33}, {40, 1, 3}, {7, 90, 1}, {3, 5, 200}});
  checkShapes<ThreeToTwo, 4, Inputs<F<S>, F<C>, F<C>>, Outputs<F<C>, F<C>>>(
      {{2, 3, 4, 5}, {3, 1, 2, 17}, {2, 2, 2, 0}, {5, 6, 7, 3}, {2, 1, 1, 65}});
  checkShapes<ThreeToTwo, 8, Inputs<F<C>, F<C>, F<U>>, Outputs<F<C>, F<C>>>(
      {{2, 1, 3, 2, 1, 2, 2, 5}, {1, 2, 1, 2, 2, 1, 3, 19}});
}

TEST(largeTensorsAreSplitAmongThreads) {
  checkShapes<GELUOfSum, 1, Inputs<F<C>, F<C>>, Outputs<F<C>>>({{100003}, {65536}});
  checkShapes<GELUOfSum, 2, Inputs<F<C>, F<C>>, Outputs<F<C>>>(
      {{1000, 77}, {3, 50001}, {40000, 3}, {50000, 1}, {1, 99999}});
  checkShapes<ThreeToTwo, 3, Inputs<F<C>, F<U>, F<S>>, Outputs<F<C>, F<C>>>(
      {{11, 13, 501}, {2, 70000, 1}, {60, 300, 5}});
}

// MARK: - Types

TEST(operandsOfSeveralTypes) {
  using In = Inputs<Operand<float16, C>, Operand<int64_t, C>, Operand<bool, C>>;
  using Out = Outputs<Operand<double, C>, Operand<int8_t, C>, Operand<bool, C>>;
  checkShapes<MixedTypes, 2, In, Out>({{3, 5}, {20, 3}, {4, 33}, {2, 16}, {1, 7}, {0, 4}});
  using Uniform = Inputs<Operand<bfloat16, U>, Operand<int64_t, S>, Operand<bool, U>>;
  using Strided = Outputs<Operand<double, S>, Operand<int8_t, S>, Operand<bool, C>>;
  checkShapes<MixedTypes, 2, Uniform, Strided>({{3, 5}, {20, 3}, {4, 33}, {2, 16}});
}

TEST(halfPrecisionIsRoundedOnce) {
  using In = Inputs<Operand<float16, C>, Operand<float16, U>>;
  checkShapes<GELUOfSum, 2, In, Outputs<Operand<float16, C>>>({{3, 5}, {4, 33}, {50, 2}});
  using InB = Inputs<Operand<bfloat16, C>, Operand<float, C>>;
  checkShapes<GELUOfSum, 2, InB, Outputs<Operand<bfloat16, C>>>({{3, 5}, {4, 33}, {50, 2}});
}

TEST(bodiesWithoutInputs) {
  checkShapes<Constant, 2, Inputs<>, Outputs<F<C>, Operand<int32_t, S>>>(
      {{3, 5}, {1, 1}, {0, 3}, {90, 1}, {4, 33}, {30, 3000}});
}

// MARK: - In place

TEST(outputsMayTakeThePlaceOfAnInput) {
  for (const auto& extents : std::vector<std::vector<int64_t>>{{1, 40000}, {3, 17}, {500, 3}}) {
    const int64_t count = extents[0] * extents[1];
    GuardedBuffer<float> buffer(count);
    for (int64_t i = 0; i < count; ++i) buffer[i] = static_cast<float>(i);
    check::runKernel(pointwise<Twice, Inputs<F<C>>, Outputs<F<C>>, 2>,
                     {buffer.data(), buffer.data()},
                     {extents[0], extents[1], extents[1], 1, extents[1], 1}, twoThreadPool);
    for (int64_t i = 0; i < count; ++i) CHECK_EQUAL(buffer[i], static_cast<float>(2 * i), i);
    CHECK(buffer.guardsAreIntact());
  }
}
