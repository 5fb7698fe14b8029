// Every reducer against plain loops: types, tails, special values, long sums, nothing at all.
#include "reduce_reference.h"

using namespace reference;

namespace {

const std::vector<Extents>& shapes() {
  static const std::vector<Extents> all = [] {
    std::vector<Extents> shapes = {{1, 1},     {0, 5},    {40, 300}, {1, 4100},
                                   {2, 33001}, {700, 30}, {70, 5}};
    for (int64_t columns = 1; columns <= 5 * kLanes + 1; columns += columns > 20 ? 5 : 1) {
      shapes.push_back({3, columns});
    }
    return shapes;
  }();
  return all;
}

/// A reducer of one input, along its rows.
template <class Tag, class Parameters, class T, class R>
void checkAlong(const std::function<double(Random&, const Type&)>& element = anyElement,
                const std::vector<Extents>& extents = shapes()) {
  RowCase test = caseAlong<Tag, Parameters, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>,
                           Outputs<Operand<R, U>>, 1, 1>();
  test.element = element;
  // Elements that cancel leave what a float has rounded.
  if (std::is_same_v<T, float>) test.tolerance = 3e-5;
  runAll(test, extents);
}

/// The same, and with vectors across the results.
template <class Tag, class Parameters, class T, class R>
void checkBoth(const std::function<double(Random&, const Type&)>& element = anyElement,
               const std::vector<Extents>& extents = shapes()) {
  checkAlong<Tag, Parameters, T, R>(element, extents);
  RowCase test = caseAcross<Tag, Parameters, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>,
                            Outputs<Operand<R, C>>, 1, 1>();
  test.element = element;
  if (std::is_same_v<T, float>) test.tolerance = 3e-5;
  runAll(test, extents);
}

const std::vector<Extents> kEmpty = {{3, 0}, {1, 0}, {37, 0}};

}  // namespace

// MARK: - Reducers

TEST(sums) {
  checkBoth<Sum, NoParameters, float, float>();
  checkBoth<Sum, NoParameters, double, double>();
  checkBoth<Sum, NoParameters, float16, float16>();
  checkAlong<Sum, NoParameters, bfloat16, bfloat16>();
}

TEST(sumsOfIntegers) {
  checkBoth<Sum, NoParameters, int8_t, int64_t>();
  checkAlong<Sum, NoParameters, uint8_t, int64_t>();
  checkAlong<Sum, NoParameters, int16_t, int64_t>();
  checkBoth<Sum, NoParameters, int32_t, int64_t>();
  checkAlong<Sum, NoParameters, int64_t, int64_t>();
  checkBoth<Sum, NoParameters, bool, int64_t>();
}

TEST(means) {
  checkBoth<Mean, NoParameters, float, float>();
  checkAlong<Mean, NoParameters, float16, float16>();
}

TEST(products) {
  const auto nearOne = [](Random& random, const Type&) { return random.uniform(0.99, 1.0101); };
  checkBoth<Product, NoParameters, float, float>(nearOne);
  checkAlong<Product, NoParameters, double, double>(nearOne);
  const auto units = [](Random& random, const Type&) { return random.integer(0, 1) ? -1.0 : 1.0; };
  checkBoth<Product, NoParameters, int32_t, int64_t>(units);
}

TEST(extremes) {
  checkBoth<Maximum, NoParameters, float, float>();
  checkBoth<Minimum, NoParameters, float, float>();
  checkBoth<Maximum, NoParameters, double, double>();
  checkAlong<Minimum, NoParameters, float16, float16>();
  checkBoth<Maximum, NoParameters, int8_t, int8_t>();
  checkAlong<Minimum, NoParameters, uint8_t, uint8_t>();
  checkBoth<Minimum, NoParameters, int64_t, int64_t>();
  checkBoth<Maximum, NoParameters, bool, bool>();
  checkAlong<Minimum, NoParameters, bool, bool>();
}

TEST(truth) {
  const auto rarely = [](Random& random, const Type&) -> double {
    return random.integer(0, 50) == 0;
  };
  const auto mostly = [](Random& random, const Type&) -> double {
    return random.integer(0, 50) != 0;
  };
  checkBoth<Any, NoParameters, float, bool>(rarely);
  checkBoth<Any, NoParameters, bool, bool>(rarely);
  checkBoth<All, NoParameters, bool, bool>(mostly);
  checkBoth<All, NoParameters, int32_t, bool>(mostly);
}

TEST(logarithmsOfSumsOfExponentials) {
  const auto wide = [](Random& random, const Type&) { return random.uniform(-300, 300); };
  checkBoth<LogSumExp, NoParameters, float, float>(anyElement);
  checkBoth<LogSumExp, NoParameters, float, float>(wide);
  checkBoth<LogSumExp, NoParameters, double, double>(wide);
  checkAlong<LogSumExp, NoParameters, bfloat16, bfloat16>(anyElement);
}

TEST(variances) {
  checkBoth<Variance, Corrected<1>, float, float>(anyElement);
  checkBoth<Variance, Corrected<0>, double, double>(anyElement);
  checkAlong<Variance, Corrected<1>, float16, float16>(anyElement);
  const auto farFromZero = [](Random& random, const Type&) {
    double sum = 1e4;
    for (int i = 0; i < 12; ++i) sum += random.uniform(-0.5, 0.5);
    return sum;
  };
  checkBoth<Variance, Corrected<1>, float, float>(farFromZero);
  // One element far from the rest, first or anywhere.
  const auto outliers = [](Random& random, const Type&) {
    return random.integer(0, 999) == 0 ? 1e4 : random.uniform(-1, 1);
  };
  checkBoth<Variance, Corrected<1>, float, float>(outliers);
}

TEST(norms) {
  const auto sparse = [](Random& random, const Type&) {
    return random.integer(0, 3) == 0 ? 0 : random.uniform(-3, 3);
  };
  checkAlong<Norm, Order0, float, float>(sparse);
  checkAlong<Norm, Order1, float16, float16>(sparse);
  checkBoth<Norm, Order2, float, float>(sparse);
  checkAlong<Norm, Order2, double, double>(sparse);
  checkAlong<Norm, Order3, float, float>(sparse);
  checkBoth<Norm, OrderInfinity, float, float>(sparse);
  checkAlong<Norm, OrderMinusInfinity, float, float>(sparse);
}

TEST(positionsOfExtremes) {
  const auto coarse = [](Random& random, const Type&) {
    return static_cast<double>(random.integer(-7, 7));
  };
  const auto natural = [](Random& random, const Type&) {
    return static_cast<double>(random.integer(0, 9));
  };
  checkBoth<ArgMaximum, NoParameters, float, int64_t>(coarse);
  checkBoth<ArgMaximum, NoParameters, float, int64_t>(anyElement);
  checkBoth<ArgMinimum, NoParameters, float, int64_t>(coarse);
  checkBoth<ArgMinimum, NoParameters, double, int64_t>(coarse);
  checkAlong<ArgMaximum, NoParameters, bfloat16, int64_t>(coarse);
  checkAlong<ArgMaximum, NoParameters, int8_t, int64_t>(coarse);
  checkAlong<ArgMinimum, NoParameters, uint8_t, int64_t>(natural);
  checkBoth<ArgMaximum, NoParameters, int64_t, int64_t>(coarse);
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
      checkBoth<Sum, NoParameters, float, float>(element);
      checkBoth<Maximum, NoParameters, float, float>(element);
      checkBoth<Minimum, NoParameters, float, float>(element);
      checkBoth<LogSumExp, NoParameters, float, float>(element);
      checkBoth<ArgMaximum, NoParameters, float, int64_t>(element);
      checkBoth<ArgMinimum, NoParameters, float, int64_t>(element);
      checkBoth<Any, NoParameters, float, bool>(element);
    }
  }
  // Both infinities in one row.
  const auto infinities = [](Random& random, const Type&) {
    const int64_t kind = random.integer(0, 9);
    return kind == 0 ? kInf : kind == 1 ? -kInf : random.uniform(-3, 3);
  };
  checkBoth<LogSumExp, NoParameters, float, float>(infinities);
  checkBoth<ArgMaximum, NoParameters, float, int64_t>(infinities);
}

TEST(reductionsOfNothing) {
  checkBoth<Sum, NoParameters, float, float>(anyElement, kEmpty);
  checkBoth<Sum, NoParameters, int32_t, int64_t>(anyElement, kEmpty);
  checkBoth<Product, NoParameters, float, float>(anyElement, kEmpty);
  checkBoth<Mean, NoParameters, float, float>(anyElement, kEmpty);
  checkBoth<Any, NoParameters, bool, bool>(anyElement, kEmpty);
  checkBoth<All, NoParameters, bool, bool>(anyElement, kEmpty);
  checkBoth<LogSumExp, NoParameters, float, float>(anyElement, kEmpty);
  checkBoth<Variance, Corrected<1>, float, float>(anyElement, kEmpty);
  checkBoth<Variance, Corrected<1>, float, float>(anyElement, {{3, 1}});
  checkBoth<Norm, Order2, float, float>(anyElement, kEmpty);
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
