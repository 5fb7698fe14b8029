// Normalisation of groups of neighbouring columns against plain loops: types, strides, tails,
// weights, exposures, in place, threads.
#include "ait/cpu/normalize_groups.h"

#include "rows_reference.h"

using namespace reference;

namespace {

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;
constexpr Access S = Access::strided;

template <Access A>
using F = Operand<float, A>;

using Numbers = std::vector<double>;

template <int channels>
struct Parameters {
  static constexpr double kEpsilon = 1e-5;
  static constexpr int64_t kChannels = channels;
};

/// A sample's elements, pixel by pixel, normalised by groups.
Numbers normalized(const Numbers& x, int64_t columns, int64_t channels) {
  Numbers result(x.size());
  const auto count = static_cast<int64_t>(x.size());
  for (int64_t group = 0; group < columns; group += channels) {
    const auto forEach = [&](auto body) {
      for (int64_t pixel = 0; pixel < count; pixel += columns) {
        for (int64_t i = 0; i < channels; ++i) body(pixel + group + i);
      }
    };
    const auto share = static_cast<double>(columns) / static_cast<double>(count * channels);
    double mean = 0;
    forEach([&](int64_t at) { mean += x[at] * share; });
    double variance = 0;
    forEach([&](int64_t at) { variance += (x[at] - mean) * (x[at] - mean) * share; });
    forEach([&](int64_t at) { result[at] = (x[at] - mean) / std::sqrt(variance + 1e-5); });
  }
  return result;
}

/// y · weight + bias
struct Affine {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1, Vec<float, W> x2) {
    return results(mulAdd(x0, x1, x2));
  }
  static Numbers epilogue(double y, const Numbers& extras) { return {y * extras[0] + extras[1]}; }
};

template <int channels, class Prologue, class Epilogue, class In, class Extras, class Out,
          int outerRank, int innerRank, bool kExposes = false>
RowCase caseOf() {
  return {normalizeGroups<Parameters<channels>, Prologue, Epilogue, In, Extras, Out, outerRank,
                          innerRank, kExposes>,
          outerRank,
          outerRank + innerRank - 1,
          false,
          kExposes,
          OperandTypes<In>::list(),
          OperandTypes<Extras>::list(),
          OperandTypes<Out>::list(),
          Prologue::prologue,
          nullptr,
          Epilogue::epilogue,
          anyElement};
}

/// Samples, pixels and columns in all ways: one vector and many, a part of one, blocks of pixels
/// and rests.
std::vector<Extents> shapes(int64_t channels) {
  std::vector<Extents> result;
  for (const int64_t groups : {1, 2, 3, 7, 32}) {
    for (const int64_t pixels : {1, 5, 70}) result.push_back({2, pixels, groups * channels});
  }
  result.push_back({1, 1500, 12 * channels});
  result.push_back({5, 0, channels});
  result.push_back({0, 4, channels});
  result.push_back({3, 4, 0});
  return result;
}

void run(RowCase test, int64_t channels, const std::vector<Extents>& shapes) {
  for (const Extents& extents : shapes) {
    test.operation = [&](const Numbers& x) { return normalized(x, extents.back(), channels); };
    runAll(test, {extents});
  }
}

template <int channels, class T>
void checkType() {
  run(caseOf<channels, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>, Outputs<Operand<T, C>>, 1,
             2>(),
      channels, shapes(channels));
}

}  // namespace

TEST(types) {
  checkType<1, float>();
  checkType<2, float>();
  checkType<5, float>();
  checkType<16, float>();
  checkType<4, double>();
  checkType<3, float16>();
  checkType<8, bfloat16>();
}

TEST(manyColumns) {
  run(caseOf<2, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 2>(), 2,
      {{1, 3, 4100}, {2, 20, 2050}});
  run(caseOf<2500, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 2>(), 2500,
      {{1, 9, 2500}, {2, 3, 5000}});
}

TEST(meansFarFromZero) {
  RowCase test = caseOf<4, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 2>();
  test.element = [](Random& random, const Type&) {
    return static_cast<double>(static_cast<float>(1e4 + random.uniform(-2, 2)));
  };
  run(test, 4, {{1, 3000, 16}, {2, 9, 24}});
  // Nothing but the mean.
  test.element = [](Random&, const Type&) { return static_cast<double>(1e4f / 3); };
  run(test, 4, {{1, 3000, 16}, {2, 9, 24}});
  // A border of zeros before everything else.
  int64_t count = 0;
  test.element = [&](Random& random, const Type&) {
    return count++ < 20000 ? 0 : static_cast<double>(static_cast<float>(random.uniform(99, 101)));
  };
  for (const int64_t pixels : {1200, 3000}) {
    count = 0;
    run(test, 4, {{1, pixels, 16}});
  }
}

TEST(severalAxesAndStrides) {
  const std::vector<Extents> some = {{2, 3, 4, 6}, {3, 1, 9, 18}, {2, 5, 0, 3}, {1, 30, 30, 33}};
  run(caseOf<3, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 3>(), 3, some);
  run(caseOf<3, Plain, Plain, Inputs<F<S>>, Inputs<>, Outputs<F<C>>, 2, 2>(), 3, some);
  run(caseOf<3, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<S>>, 1, 3>(), 3, some);
}

TEST(prologuesAndEpilogues) {
  const std::vector<Extents> some = {{2, 3, 4}, {3, 17, 34}, {40, 2, 98}, {1, 900, 20}};
  using Half = Operand<float16, C>;
  run(caseOf<2, Plain, Affine, Inputs<F<C>>, Inputs<F<C>, F<U>>, Outputs<F<C>>, 1, 2>(), 2, some);
  run(caseOf<2, Plain, Affine, Inputs<Half>, Inputs<Half, Half>, Outputs<Half>, 1, 2>(), 2, some);
  run(caseOf<2, Scaled, ScaledAndNegated, Inputs<F<C>, F<S>>, Inputs<F<U>>, Outputs<F<C>, Half>, 1,
             2>(),
      2, some);
}

TEST(exposedPrologues) {
  const std::vector<Extents> some = {{2, 3, 4}, {3, 17, 34}, {40, 2, 98}, {1, 900, 20}};
  using In = Inputs<F<C>, F<U>>;
  using Out = Outputs<F<C>, Operand<float16, C>>;
  run(caseOf<2, Scaled, Plain, In, Inputs<>, Out, 1, 2, true>(), 2, some);
}

TEST(outputsMayTakeThePlaceOfAnInput) {
  RowCase test = caseOf<2, Plain, Affine, Inputs<F<C>>, Inputs<F<C>, F<C>>, Outputs<F<C>>, 1, 2>();
  test.isInPlace = true;
  run(test, 2, {{3, 17, 34}, {1, 900, 20}});
}
