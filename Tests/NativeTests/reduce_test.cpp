// Reductions against plain loops: every reducer, types, strides, tails, exposures, threads.
#include "ait/cpu/reduce.h"

#include <algorithm>
#include <numeric>

#include "rows_reference.h"

using namespace reference;

namespace {

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;
constexpr Access S = Access::strided;

template <Access A>
using F = Operand<float, A>;

constexpr double kInf = __builtin_huge_val();
const double kNaN = std::nan("");

// MARK: - What the reducers are to give

struct NoParameters {};
template <int kNumber>
struct Corrected {
  static constexpr double kCorrection = kNumber;
};
struct Order0 {
  static constexpr double kOrder = 0;
};
struct Order1 {
  static constexpr double kOrder = 1;
};
struct Order2 {
  static constexpr double kOrder = 2;
};
struct Order3 {
  static constexpr double kOrder = 3;
};
struct OrderInfinity {
  static constexpr double kOrder = __builtin_huge_val();
};
struct OrderMinusInfinity {
  static constexpr double kOrder = -__builtin_huge_val();
};

using Numbers = std::vector<double>;

double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }
double sumOf(const Numbers& x) { return std::accumulate(x.begin(), x.end(), 0.0); }
double meanOf(const Numbers& x) { return sumOf(x) / static_cast<double>(x.size()); }

template <class Tag, class Parameters>
double expectedOf(const Numbers& x) {
  if constexpr (std::is_same_v<Tag, Sum>) {
    return sumOf(x);
  } else if constexpr (std::is_same_v<Tag, Mean>) {
    return meanOf(x);
  } else if constexpr (std::is_same_v<Tag, Product>) {
    return std::accumulate(x.begin(), x.end(), 1.0, std::multiplies<double>());
  } else if constexpr (std::is_same_v<Tag, Maximum>) {
    return std::accumulate(x.begin(), x.end(), -kInf, larger);
  } else if constexpr (std::is_same_v<Tag, Minimum>) {
    return std::accumulate(x.begin(), x.end(), kInf, smaller);
  } else if constexpr (std::is_same_v<Tag, Any>) {
    return std::any_of(x.begin(), x.end(), [](double each) { return each != 0; });
  } else if constexpr (std::is_same_v<Tag, All>) {
    return std::all_of(x.begin(), x.end(), [](double each) { return each != 0; });
  } else if constexpr (std::is_same_v<Tag, LogSumExp>) {
    const double top = std::accumulate(x.begin(), x.end(), -kInf, larger);
    const double shift = std::isinf(top) ? 0 : top;
    double sum = 0;
    for (const double each : x) sum += std::exp(each - shift);
    return std::log(sum) + shift;
  } else if constexpr (std::is_same_v<Tag, Variance>) {
    const double mean = meanOf(x);
    double sum = 0;
    for (const double each : x) sum += (each - mean) * (each - mean);
    return sum / std::max(0.0, static_cast<double>(x.size()) - Parameters::kCorrection);
  } else if constexpr (std::is_same_v<Tag, Norm>) {
    double result = Parameters::kOrder == -kInf ? kInf : 0;
    for (const double each : x) {
      const double magnitude = std::fabs(each);
      if (Parameters::kOrder == kInf) {
        result = larger(result, magnitude);
      } else if (Parameters::kOrder == -kInf) {
        result = smaller(result, magnitude);
      } else {
        result += Parameters::kOrder == 0 ? each != 0 : std::pow(magnitude, Parameters::kOrder);
      }
    }
    const bool isSum = Parameters::kOrder == 0 || std::isinf(Parameters::kOrder);
    return isSum ? result : std::pow(result, 1 / Parameters::kOrder);
  } else {
    size_t best = 0;
    for (size_t i = 1; i < x.size(); ++i) {
      if (std::isnan(x[best])) break;
      const bool isBetter = std::is_same_v<Tag, ArgMaximum> ? x[i] > x[best] : x[i] < x[best];
      if (isBetter || std::isnan(x[i])) best = i;
    }
    return static_cast<double>(best);
  }
}

// MARK: - Cases

template <class Tag, class Parameters, class Prologue, class Epilogue, class In, class Extras,
          class Out, int outerRank, int innerRank, bool kExposes = false>
RowCase caseAlong() {
  return {
      reduce<Tag, Parameters, Prologue, Epilogue, In, Extras, Out, outerRank, innerRank, kExposes>,
      outerRank,
      outerRank + innerRank - 1,
      true,
      kExposes,
      OperandTypes<In>::list(),
      OperandTypes<Extras>::list(),
      OperandTypes<Out>::list(),
      Prologue::prologue,
      [](const Numbers& row) { return Numbers{expectedOf<Tag, Parameters>(row)}; },
      Epilogue::epilogue,
      anyElement};
}

template <class Tag, class Parameters, class Prologue, class Epilogue, class In, class Extras,
          class Out, int outerRank, int innerRank, bool kExposes = false>
RowCase caseAcross() {
  RowCase test = caseAlong<Tag, Parameters, Prologue, Epilogue, In, Extras, Out, outerRank,
                           innerRank, kExposes>();
  test.kernel = reduceAcross<Tag, Parameters, Prologue, Epilogue, In, Extras, Out, outerRank,
                             innerRank, kExposes>;
  test.vectorAxis = outerRank - 1;
  return test;
}

/// A reducer of one input, both ways.
template <class Tag, class Parameters, class T, class R>
struct Both {
  RowCase along = caseAlong<Tag, Parameters, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>,
                            Outputs<Operand<R, U>>, 1, 1>();
  RowCase across = caseAcross<Tag, Parameters, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>,
                              Outputs<Operand<R, C>>, 1, 1>();

  Both() {
    // A long sum of a type with few bits is compared where its terms are, not where it cancels.
    if (std::is_same_v<T, float>) along.tolerance = across.tolerance = 3e-5;
  }

  void check(const std::function<double(Random&, const Type&)>& element,
             std::vector<Extents> shapes = {}, double tolerance = 0) {
    if (shapes.empty()) {
      for (int64_t columns = 1; columns <= 5 * kLanes + 1; columns += columns > 20 ? 5 : 1) {
        shapes.push_back({3, columns});
      }
      for (const Extents& extents : std::vector<Extents>{
               {1, 1}, {0, 5}, {40, 300}, {1, 4100}, {2, 33001}, {700, 30}, {70, 5}}) {
        shapes.push_back(extents);
      }
    }
    for (RowCase* test : {&along, &across}) {
      test->element = element;
      test->tolerance = std::fmax(test->tolerance, tolerance);
      runAll(*test, shapes);
    }
  }
};

template <class Tag, class T, class R>
void checkBoth(double tolerance = 0) {
  Both<Tag, NoParameters, T, R>().check(anyElement, {}, tolerance);
}

const std::vector<Extents> kEmpty = {{3, 0}, {1, 0}, {37, 0}};

}  // namespace

// MARK: - Reducers

TEST(sums) {
  checkBoth<Sum, float, float>();
  checkBoth<Sum, double, double>();
  checkBoth<Sum, float16, float16>();
  checkBoth<Sum, bfloat16, bfloat16>();
}

TEST(sumsOfIntegers) {
  checkBoth<Sum, int8_t, int64_t>();
  checkBoth<Sum, uint8_t, int64_t>();
  checkBoth<Sum, int16_t, int64_t>();
  checkBoth<Sum, int32_t, int64_t>();
  checkBoth<Sum, int64_t, int64_t>();
  checkBoth<Sum, bool, int64_t>();
}

TEST(means) {
  checkBoth<Mean, float, float>();
  checkBoth<Mean, float16, float16>();
}

TEST(products) {
  const auto nearOne = [](Random& random, const Type&) { return random.uniform(0.99, 1.0101); };
  Both<Product, NoParameters, float, float>().check(nearOne);
  Both<Product, NoParameters, double, double>().check(nearOne);
  const auto units = [](Random& random, const Type&) { return random.integer(0, 1) ? -1.0 : 1.0; };
  Both<Product, NoParameters, int32_t, int64_t>().check(units);
}

TEST(extremes) {
  checkBoth<Maximum, float, float>();
  checkBoth<Minimum, float, float>();
  checkBoth<Maximum, double, double>();
  checkBoth<Minimum, float16, float16>();
  checkBoth<Maximum, int8_t, int8_t>();
  checkBoth<Minimum, uint8_t, uint8_t>();
  checkBoth<Minimum, int64_t, int64_t>();
  checkBoth<Maximum, bool, bool>();
  checkBoth<Minimum, bool, bool>();
}

TEST(truth) {
  const auto rarely = [](Random& random, const Type&) -> double {
    return random.integer(0, 50) == 0;
  };
  const auto mostly = [](Random& random, const Type&) -> double {
    return random.integer(0, 50) != 0;
  };
  Both<Any, NoParameters, float, bool>().check(rarely);
  Both<Any, NoParameters, bool, bool>().check(rarely);
  Both<All, NoParameters, bool, bool>().check(mostly);
  Both<All, NoParameters, int32_t, bool>().check(mostly);
}

TEST(logarithmsOfSumsOfExponentials) {
  const auto wide = [](Random& random, const Type&) { return random.uniform(-300, 300); };
  Both<LogSumExp, NoParameters, float, float>().check(anyElement);
  Both<LogSumExp, NoParameters, float, float>().check(wide);
  Both<LogSumExp, NoParameters, double, double>().check(wide);
  Both<LogSumExp, NoParameters, bfloat16, bfloat16>().check(anyElement);
}

TEST(variances) {
  Both<Variance, Corrected<1>, float, float>().check(anyElement);
  Both<Variance, Corrected<0>, double, double>().check(anyElement);
  Both<Variance, Corrected<1>, float16, float16>().check(anyElement);
  const auto farFromZero = [](Random& random, const Type&) {
    double sum = 1e4;
    for (int i = 0; i < 12; ++i) sum += random.uniform(-0.5, 0.5);
    return sum;
  };
  Both<Variance, Corrected<1>, float, float>().check(farFromZero);
  // One element far from the rest, first or anywhere.
  const auto outliers = [](Random& random, const Type&) {
    return random.integer(0, 999) == 0 ? 1e4 : random.uniform(-1, 1);
  };
  Both<Variance, Corrected<1>, float, float>().check(outliers);
}

TEST(norms) {
  const auto sparse = [](Random& random, const Type&) {
    return random.integer(0, 3) == 0 ? 0 : random.uniform(-3, 3);
  };
  Both<Norm, Order0, float, float>().check(sparse);
  Both<Norm, Order1, float16, float16>().check(sparse);
  Both<Norm, Order2, float, float>().check(sparse);
  Both<Norm, Order2, double, double>().check(sparse);
  Both<Norm, Order3, float, float>().check(sparse);
  Both<Norm, OrderInfinity, float, float>().check(sparse);
  Both<Norm, OrderMinusInfinity, float, float>().check(sparse);
}

TEST(positionsOfExtremes) {
  const auto coarse = [](Random& random, const Type&) {
    return static_cast<double>(random.integer(-7, 7));
  };
  const auto natural = [](Random& random, const Type&) {
    return static_cast<double>(random.integer(0, 9));
  };
  Both<ArgMaximum, NoParameters, float, int64_t>().check(coarse);
  Both<ArgMaximum, NoParameters, float, int64_t>().check(anyElement);
  Both<ArgMinimum, NoParameters, float, int64_t>().check(coarse);
  Both<ArgMinimum, NoParameters, double, int64_t>().check(coarse);
  Both<ArgMaximum, NoParameters, bfloat16, int64_t>().check(coarse);
  Both<ArgMaximum, NoParameters, int8_t, int64_t>().check(coarse);
  Both<ArgMinimum, NoParameters, uint8_t, int64_t>().check(natural);
  Both<ArgMaximum, NoParameters, int64_t, int64_t>().check(coarse);
}

// MARK: - Special values

TEST(specialValues) {
  const auto special = [](double value, int rarity) {
    return [=](Random& random, const Type&) {
      return random.integer(0, rarity) == 0 ? value : random.uniform(-3, 3);
    };
  };
  for (const double value : {kNaN, kInf, -kInf}) {
    for (const int rarity : {0, 30}) {
      const auto element = special(value, rarity);
      Both<Sum, NoParameters, float, float>().check(element);
      Both<Maximum, NoParameters, float, float>().check(element);
      Both<Minimum, NoParameters, float, float>().check(element);
      Both<LogSumExp, NoParameters, float, float>().check(element);
      Both<ArgMaximum, NoParameters, float, int64_t>().check(element);
      Both<ArgMinimum, NoParameters, float, int64_t>().check(element);
      Both<Any, NoParameters, float, bool>().check(element);
    }
  }
  // Both infinities in one row.
  const auto infinities = [](Random& random, const Type&) {
    const int64_t kind = random.integer(0, 9);
    return kind == 0 ? kInf : kind == 1 ? -kInf : random.uniform(-3, 3);
  };
  Both<LogSumExp, NoParameters, float, float>().check(infinities);
  Both<ArgMaximum, NoParameters, float, int64_t>().check(infinities);
}

TEST(reductionsOfNothing) {
  Both<Sum, NoParameters, float, float>().check(anyElement, kEmpty);
  Both<Sum, NoParameters, int32_t, int64_t>().check(anyElement, kEmpty);
  Both<Product, NoParameters, float, float>().check(anyElement, kEmpty);
  Both<Mean, NoParameters, float, float>().check(anyElement, kEmpty);
  Both<Any, NoParameters, bool, bool>().check(anyElement, kEmpty);
  Both<All, NoParameters, bool, bool>().check(anyElement, kEmpty);
  Both<LogSumExp, NoParameters, float, float>().check(anyElement, kEmpty);
  Both<Variance, Corrected<1>, float, float>().check(anyElement, kEmpty);
  Both<Variance, Corrected<1>, float, float>().check(anyElement, {{3, 1}});
  Both<Norm, Order2, float, float>().check(anyElement, kEmpty);
}

TEST(integersWrapAround) {
  std::vector<int64_t> x(1000, int64_t{1} << 62);
  int64_t y[2];
  check::SerialPool pool;
  const auto run = [&](KernelFunction kernel, void* input, int64_t count) {
    check::runKernel(kernel, {input, y}, {1, count, 0, 1, 0, 0}, pool);
  };
  run(reduce<Sum, NoParameters, Plain, Plain, Inputs<Operand<int64_t, C>>, Inputs<>,
             Outputs<Operand<int64_t, U>>, 1, 1, false>,
      x.data(), 1000);
  CHECK_EQUAL(y[0], 0);
  run(reduce<Product, NoParameters, Plain, Plain, Inputs<Operand<int64_t, C>>, Inputs<>,
             Outputs<Operand<int64_t, U>>, 1, 1, false>,
      x.data(), 1000);
  CHECK_EQUAL(y[0], 0);
  // A block of 16-bit integers at their limit, and more.
  std::vector<int16_t> small(100000, -32768);
  run(reduce<Sum, NoParameters, Plain, Plain, Inputs<Operand<int16_t, C>>, Inputs<>,
             Outputs<Operand<int64_t, U>>, 1, 1, false>,
      small.data(), 100000);
  CHECK_EQUAL(y[0], int64_t{-3276800000});
}

TEST(longSumsAreAccurate) {
  // A million elements that do not cancel, and whose float sum would stagnate.
  const auto biased = [](Random& random, const Type&) { return random.uniform(0, 1); };
  for (const Extents& shape : std::vector<Extents>{{1, 1000003}, {1000003, 1}, {3, 400001}}) {
    auto along =
        caseAlong<Sum, NoParameters, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<U>>, 1, 1>();
    along.element = biased;
    along.tolerance = 1e-6;
    runAll(along, {shape});
    auto across =
        caseAcross<Sum, NoParameters, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 1>();
    across.element = biased;
    across.tolerance = 1e-6;
    runAll(across, {{shape[1], shape[0]}});
  }
}

// MARK: - Loops

TEST(severalAxesAndStrides) {
  const std::vector<Extents> shapes = {{2, 3, 4, 5},   {3, 1, 2, 17}, {2, 2, 0, 3},
                                       {0, 2, 3, 3},   {2, 2, 5, 0},  {5, 6, 7, 3},
                                       {1, 2, 300, 7}, {2, 1, 1, 65}, {1, 2, 9, 4099}};
  runAll(caseAlong<Sum, NoParameters, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<U>>, 2, 2>(),
         shapes);
  runAll(
      caseAlong<Maximum, NoParameters, Plain, Plain, Inputs<F<S>>, Inputs<>, Outputs<F<U>>, 1, 3>(),
      shapes);
  runAll(caseAlong<Variance, Corrected<1>, Plain, Plain, Inputs<Operand<double, C>>, Inputs<>,
                   Outputs<Operand<double, U>>, 2, 2>(),
         shapes);
  runAll(caseAcross<Sum, NoParameters, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 2, 2>(),
         shapes);
  runAll(caseAcross<Maximum, NoParameters, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<S>>, 3,
                    1>(),
         shapes);
  runAll(caseAcross<Variance, Corrected<1>, Plain, Plain, Inputs<Operand<double, C>>, Inputs<>,
                    Outputs<Operand<double, C>>, 1, 3>(),
         shapes);
}

TEST(prologuesAndEpilogues) {
  const std::vector<Extents> shapes = {{2, 3, 4},   {3, 17, 33}, {2, 0, 3},   {2, 3, 0},
                                       {40, 1, 99}, {1, 1, 7},   {3, 700, 40}};
  runAll(caseAlong<Sum, NoParameters, Scaled, Scaled, Inputs<F<C>, F<U>>, Inputs<F<U>>,
                   Outputs<F<U>>, 1, 2>(),
         shapes);
  runAll(caseAlong<Mean, NoParameters, Scaled, ScaledAndNegated, Inputs<F<U>, F<S>>, Inputs<F<U>>,
                   Outputs<F<U>, Operand<float16, U>>, 2, 1>(),
         shapes);
  runAll(caseAcross<Maximum, NoParameters, Scaled, Scaled, Inputs<F<C>, F<U>>, Inputs<F<C>>,
                    Outputs<F<C>>, 1, 2>(),
         shapes);
  runAll(caseAcross<Sum, NoParameters, Scaled, ScaledAndNegated, Inputs<F<C>, F<S>>, Inputs<F<U>>,
                    Outputs<F<S>, Operand<float16, C>>, 2, 1>(),
         shapes);
}

TEST(exposedPrologues) {
  const std::vector<Extents> shapes = {{2, 3, 4},   {3, 17, 33}, {2, 0, 3},     {2, 3, 0},
                                       {40, 1, 99}, {1, 1, 7},   {1, 2, 70001}, {2, 9000, 4}};
  using In = Inputs<F<C>, F<U>>;
  using Out = Outputs<F<U>, Operand<float16, C>>;
  runAll(caseAlong<Sum, NoParameters, Scaled, Plain, In, Inputs<>, Out, 1, 2, true>(), shapes);
  runAll(caseAlong<Variance, Corrected<1>, Scaled, Plain, In, Inputs<>, Out, 2, 1, true>(), shapes);
  using OutAcross = Outputs<F<C>, Operand<float16, C>>;
  runAll(caseAcross<Sum, NoParameters, Scaled, Plain, In, Inputs<>, OutAcross, 1, 2, true>(),
         shapes);
  runAll(caseAcross<LogSumExp, NoParameters, Scaled, Plain, In, Inputs<>, OutAcross, 2, 1, true>(),
         shapes);
}

TEST(exposedPrologueMayTakeThePlaceOfItsInput) {
  const int64_t rows = 5;
  const int64_t columns = 9001;
  for (const bool isAcross : {false, true}) {
    GuardedBuffer<float> x(rows * columns);
    GuardedBuffer<float> y(isAcross ? columns : rows);
    float factor = 3;
    for (int64_t i = 0; i < x.count(); ++i) x[i] = static_cast<float>(i % 7);
    check::TwoThreadPool pool;
    if (isAcross) {
      // Columns are the results.
      check::runKernel(reduceAcross<Variance, Corrected<0>, Scaled, Plain, Inputs<F<C>, F<U>>,
                                    Inputs<>, Outputs<F<C>, F<C>>, 1, 1, true>,
                       {x.data(), &factor, y.data(), x.data()},
                       {columns, rows, 1, columns, 0, 0, 1, 0, 1, columns}, pool);
    } else {
      check::runKernel(reduce<Variance, Corrected<0>, Scaled, Plain, Inputs<F<C>, F<U>>, Inputs<>,
                              Outputs<F<U>, F<C>>, 1, 1, true>,
                       {x.data(), &factor, y.data(), x.data()},
                       {rows, columns, columns, 1, 0, 0, 1, 0, columns, 1}, pool);
    }
    for (int64_t i = 0; i < x.count(); ++i) CHECK_EQUAL(x[i], static_cast<float>(i % 7) * 3 + 0.5f);
    for (int64_t i = 0; i < y.count(); ++i) {
      Numbers row;
      for (int64_t j = 0; j < (isAcross ? rows : columns); ++j) {
        row.push_back(x[isAcross ? j * columns + i : i * columns + j]);
      }
      CHECK_NEAR(y[i], (expectedOf<Variance, Corrected<0>>(row)), 1e-5);
    }
  }
}

// MARK: - Threads

TEST(resultsDoNotDependOnTheNumberOfThreads) {
  Random random(7);
  const int64_t count = 1 << 20;
  std::vector<float> x(count);
  for (float& each : x) each = static_cast<float>(random.uniform(-1, 1));
  check::SerialPool serial;
  check::TwoThreadPool twoThreads;
  for (int64_t rows : {1, 3, 16, 64}) {
    const int64_t columns = count / rows;
    std::vector<float> results[2][2];
    for (int isAcross = 0; isAcross < 2; ++isAcross) {
      for (int threads = 0; threads < 2; ++threads) {
        results[isAcross][threads].resize(rows);
        ThreadPool& pool = threads ? static_cast<ThreadPool&>(twoThreads) : serial;
        if (isAcross) {
          check::runKernel(reduceAcross<Variance, Corrected<0>, Plain, Plain, Inputs<F<C>>,
                                        Inputs<>, Outputs<F<C>>, 1, 1, false>,
                           {x.data(), results[isAcross][threads].data()},
                           {rows, columns, 1, rows, 1, 0}, pool);
        } else {
          check::runKernel(reduce<Variance, Corrected<0>, Plain, Plain, Inputs<F<C>>, Inputs<>,
                                  Outputs<F<U>>, 1, 1, false>,
                           {x.data(), results[isAcross][threads].data()},
                           {rows, columns, columns, 1, 1, 0}, pool);
        }
      }
      for (int64_t row = 0; row < rows; ++row) {
        CHECK_EQUAL(results[isAcross][1][row], results[isAcross][0][row], rows, row);
      }
    }
  }
}
