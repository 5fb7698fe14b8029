// Softmax and log-softmax against plain loops: types, strides, tails, exposures, in place, threads.
#include "ait/cpu/softmax.h"

#include "rows_reference.h"

using namespace reference;

namespace {

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;
constexpr Access S = Access::strided;

template <Access A>
using F = Operand<float, A>;

using Numbers = std::vector<double>;

constexpr double kInf = __builtin_huge_val();
const double kNaN = std::nan("");

template <bool kLogarithmic>
Numbers softmaxOf(const Numbers& x) {
  double top = -kInf;
  for (const double each : x) top = std::isnan(each) || each > top ? each : top;
  double sum = 0;
  for (const double each : x) sum += std::exp(each - top);
  Numbers result;
  for (const double each : x) {
    result.push_back(kLogarithmic ? each - top - std::log(sum) : std::exp(each - top) / sum);
  }
  return result;
}

double wide(Random& random, const Type&) { return random.uniform(-20, 20); }

template <class Prologue, class Epilogue, class In, class Extras, class Out, int outerRank,
          bool kLogarithmic = false, bool kExposes = false>
RowCase caseAlong() {
  return {softmax<Prologue, Epilogue, In, Extras, Out, outerRank, kLogarithmic, kExposes>,
          outerRank,
          outerRank,
          false,
          kExposes,
          OperandTypes<In>::list(),
          OperandTypes<Extras>::list(),
          OperandTypes<Out>::list(),
          Prologue::prologue,
          softmaxOf<kLogarithmic>,
          Epilogue::epilogue,
          std::is_same_v<Prologue, Plain> ? wide : anyElement};
}

template <class Prologue, class Epilogue, class In, class Extras, class Out, int outerRank,
          bool kLogarithmic = false, bool kExposes = false>
RowCase caseAcross() {
  RowCase test =
      caseAlong<Prologue, Epilogue, In, Extras, Out, outerRank, kLogarithmic, kExposes>();
  test.kernel =
      softmaxAcross<Prologue, Epilogue, In, Extras, Out, outerRank, kLogarithmic, kExposes>;
  test.vectorAxis = outerRank - 1;
  return test;
}

const std::vector<Extents>& shapes() {
  static const std::vector<Extents> all = [] {
    std::vector<Extents> shapes;
    for (int64_t columns = 0; columns <= 5 * kLanes + 1; columns += columns > 20 ? 5 : 1) {
      shapes.push_back({3, columns});
    }
    for (const Extents& extents : std::vector<Extents>{
             {1, 1}, {0, 5}, {40, 300}, {1, 8201}, {2, 20001}, {900, 40}, {70, 5}, {300, 1}}) {
      shapes.push_back(extents);
    }
    return shapes;
  }();
  return all;
}

template <class T, bool kLogarithmic>
void checkBoth(double (*element)(Random&, const Type&) = wide) {
  using In = Inputs<Operand<T, C>>;
  using Out = Outputs<Operand<T, C>>;
  RowCase along = caseAlong<Plain, Plain, In, Inputs<>, Out, 1, kLogarithmic>();
  along.element = element;
  runAll(along, shapes());
  RowCase across = caseAcross<Plain, Plain, In, Inputs<>, Out, 1, kLogarithmic>();
  across.element = element;
  runAll(across, shapes());
}

}  // namespace

TEST(types) {
  checkBoth<float, false>();
  checkBoth<double, false>();
  checkBoth<float16, false>();
  checkBoth<bfloat16, false>();
}

TEST(logarithms) {
  checkBoth<float, true>();
  checkBoth<double, true>();
  checkBoth<float16, true>();
}

TEST(specialValues) {
  checkBoth<float, false>([](Random&, const Type&) { return -kInf; });
  checkBoth<float, false>(
      [](Random& random, const Type&) { return random.integer(0, 1) ? -kInf : 0.5; });
  checkBoth<float, true>(
      [](Random& random, const Type&) { return random.integer(0, 1) ? -kInf : 0.5; });
  checkBoth<float, false>(
      [](Random& random, const Type&) { return random.integer(0, 30) ? 0.5 : kNaN; });
  checkBoth<float, true>(
      [](Random& random, const Type&) { return random.integer(0, 30) ? 0.5 : kNaN; });
  checkBoth<float, false>(
      [](Random& random, const Type&) { return random.integer(0, 30) ? 0.5 : kInf; });
  checkBoth<float, false>([](Random& random, const Type&) { return random.uniform(-1e5, 1e5); });
}

TEST(severalAxesAndStrides) {
  const std::vector<Extents> shapes = {{2, 3, 4},  {3, 17, 33}, {2, 0, 3},   {2, 3, 0}, {0, 2, 2},
                                       {1, 1, 70}, {5, 70, 2},  {2, 300, 9}, {1, 2, 1}};
  runAll(caseAlong<Plain, Plain, Inputs<F<S>>, Inputs<>, Outputs<F<C>>, 2>(), shapes);
  runAll(caseAlong<Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<S>>, 2>(), shapes);
  runAll(caseAcross<Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<S>>, 2>(), shapes);
  runAll(caseAcross<Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 2, true>(), shapes);
}

TEST(prologuesAndEpilogues) {
  const std::vector<Extents> shapes = {
      {2, 3, 4}, {3, 17, 33}, {2, 0, 3}, {40, 2, 99}, {2, 900, 20}};
  using Extras = Inputs<F<U>>;
  using Half = Operand<float16, C>;
  runAll(caseAlong<Scaled, Scaled, Inputs<F<C>, F<U>>, Extras, Outputs<F<C>>, 2>(), shapes);
  runAll(caseAlong<Scaled, ScaledAndNegated, Inputs<F<S>, F<C>>, Extras, Outputs<F<C>, Half>, 2>(),
         shapes);
  runAll(caseAcross<Scaled, Scaled, Inputs<F<C>, F<U>>, Extras, Outputs<F<C>>, 2>(), shapes);
  runAll(caseAcross<Scaled, ScaledAndNegated, Inputs<F<C>, F<S>>, Extras, Outputs<F<C>, Half>, 2>(),
         shapes);
}

TEST(exposedPrologues) {
  const std::vector<Extents> shapes = {
      {2, 3, 4}, {3, 17, 33}, {2, 0, 3}, {40, 2, 99}, {2, 900, 20}};
  using In = Inputs<F<C>, F<U>>;
  using Out = Outputs<F<C>, Operand<float16, C>>;
  runAll(caseAlong<Scaled, Plain, In, Inputs<>, Out, 2, false, true>(), shapes);
  runAll(caseAcross<Scaled, Plain, In, Inputs<>, Out, 2, true, true>(), shapes);
}

TEST(outputsMayTakeThePlaceOfAnInput) {
  const std::vector<Extents> shapes = {{2, 3, 4}, {3, 17, 33}, {40, 2, 99}, {2, 900, 20}};
  using In = Inputs<F<C>, F<U>>;
  RowCase along = caseAlong<Scaled, Plain, In, Inputs<>, Outputs<F<C>>, 2>();
  along.isInPlace = true;
  runAll(along, shapes);
  RowCase across = caseAcross<Scaled, Plain, In, Inputs<>, Outputs<F<C>>, 2>();
  across.isInPlace = true;
  runAll(across, shapes);
}

TEST(rowsThatDoNotFitTheScratchMemory) {
  RowCase along = caseAlong<Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1>();
  along.isInPlace = true;
  runAll(along, {{2, 530001}});
  using Exposed = Outputs<F<C>, F<C>>;
  runAll(caseAlong<Plain, Plain, Inputs<F<C>>, Inputs<>, Exposed, 1, true, true>(), {{2, 530001}});
  RowCase across = caseAcross<Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1>();
  across.isInPlace = true;
  runAll(across, {{3, 17001}});
  runAll(caseAcross<Plain, Plain, Inputs<F<C>>, Inputs<>, Exposed, 1, true, true>(), {{3, 17001}});
}
