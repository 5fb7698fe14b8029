// Layer and root-mean-square normalisation against plain loops: types, strides, tails, weights,
// exposures, in place, threads.
#include "ait/cpu/normalize.h"

#include "rows_reference.h"

using namespace reference;

namespace {

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;
constexpr Access S = Access::strided;

template <Access A>
using F = Operand<float, A>;

using Numbers = std::vector<double>;

constexpr auto kLayer = Normalization::layer;
constexpr auto kRMS = Normalization::rms;

struct Parameters {
  static constexpr double kEpsilon = 1e-5;
};

template <Normalization kKind>
Numbers normalized(const Numbers& x) {
  double mean = 0;
  if (kKind == kLayer) {
    for (const double each : x) mean += each;
    mean /= static_cast<double>(x.size());
  }
  double moment = 0;
  for (const double each : x) moment += (each - mean) * (each - mean);
  moment /= static_cast<double>(x.size());
  Numbers result;
  for (const double each : x) {
    result.push_back((each - mean) / std::sqrt(moment + Parameters::kEpsilon));
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

template <Normalization kKind, class Prologue, class Epilogue, class In, class Extras, class Out,
          int outerRank, int innerRank, bool kExposes = false>
RowCase caseOf() {
  return {normalize<kKind, Parameters, Prologue, Epilogue, In, Extras, Out, outerRank, innerRank,
                    kExposes>,
          outerRank,
          outerRank + innerRank - 1,
          false,
          kExposes,
          OperandTypes<In>::list(),
          OperandTypes<Extras>::list(),
          OperandTypes<Out>::list(),
          Prologue::prologue,
          normalized<kKind>,
          Epilogue::epilogue,
          anyElement};
}

template <Normalization kKind, class T>
void checkType() {
  std::vector<Extents> shapes;
  for (int64_t columns = 0; columns <= 5 * kLanes + 1; columns += columns > 20 ? 5 : 1) {
    shapes.push_back({3, columns});
  }
  for (const Extents& extents :
       std::vector<Extents>{{1, 1}, {0, 5}, {40, 300}, {2, 20001}, {900, 40}, {70, 5}, {300, 1}}) {
    shapes.push_back(extents);
  }
  runAll(
      caseOf<kKind, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>, Outputs<Operand<T, C>>, 1, 1>(),
      shapes);
}

}  // namespace

TEST(types) {
  checkType<kLayer, float>();
  checkType<kLayer, double>();
  checkType<kLayer, float16>();
  checkType<kLayer, bfloat16>();
  checkType<kRMS, float>();
  checkType<kRMS, double>();
  checkType<kRMS, bfloat16>();
}

TEST(meansFarFromZero) {
  RowCase test = caseOf<kLayer, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 1>();
  test.element = [](Random& random, const Type&) {
    return static_cast<double>(static_cast<float>(1e4 + random.uniform(-2, 2)));
  };
  runAll(test, {{3, 100}, {3, 1024}, {2, 20001}});
  // Nothing but the mean.
  test.element = [](Random&, const Type&) { return static_cast<double>(1e4f / 3); };
  runAll(test, {{3, 100}, {3, 1024}, {2, 20001}});
}

TEST(severalAxesAndStrides) {
  const std::vector<Extents> shapes = {{2, 3, 4, 5},   {3, 1, 2, 17}, {2, 2, 0, 3},
                                       {0, 2, 3, 3},   {2, 2, 5, 0},  {5, 6, 7, 3},
                                       {1, 2, 300, 7}, {2, 1, 1, 65}, {1, 2, 9, 4099}};
  runAll(caseOf<kLayer, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 2, 2>(), shapes);
  runAll(caseOf<kLayer, Plain, Plain, Inputs<F<S>>, Inputs<>, Outputs<F<C>>, 1, 3>(), shapes);
  runAll(caseOf<kRMS, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<S>>, 3, 1>(), shapes);
}

TEST(prologuesAndEpilogues) {
  const std::vector<Extents> shapes = {
      {2, 3, 4}, {3, 17, 33}, {2, 0, 3}, {40, 2, 99}, {2, 900, 20}};
  using Half = Operand<float16, C>;
  runAll(caseOf<kLayer, Plain, Affine, Inputs<F<C>>, Inputs<F<C>, F<U>>, Outputs<F<C>>, 2, 1>(),
         shapes);
  runAll(caseOf<kLayer, Plain, Affine, Inputs<Half>, Inputs<Half, Half>, Outputs<Half>, 2, 1>(),
         shapes);
  runAll(caseOf<kRMS, Scaled, ScaledAndNegated, Inputs<F<C>, F<S>>, Inputs<F<U>>,
                Outputs<F<C>, Half>, 1, 2>(),
         shapes);
}

TEST(exposedPrologues) {
  const std::vector<Extents> shapes = {
      {2, 3, 4}, {3, 17, 33}, {2, 0, 3}, {40, 2, 99}, {2, 900, 20}};
  using In = Inputs<F<C>, F<U>>;
  using Out = Outputs<F<C>, Operand<float16, C>>;
  runAll(caseOf<kLayer, Scaled, Plain, In, Inputs<>, Out, 2, 1, true>(), shapes);
  runAll(caseOf<kRMS, Scaled, Scaled, In, Inputs<F<C>>, Out, 1, 2, true>(), shapes);
}

TEST(outputsMayTakeThePlaceOfAnInput) {
  RowCase test =
      caseOf<kLayer, Scaled, Affine, Inputs<F<C>, F<U>>, Inputs<F<C>, F<C>>, Outputs<F<C>>, 1, 2>();
  test.isInPlace = true;
  runAll(test, {{2, 3, 4}, {3, 17, 33}, {40, 2, 99}, {2, 900, 20}});
}

TEST(rowsThatDoNotFitTheScratchMemory) {
  RowCase test = caseOf<kLayer, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>>, 1, 2>();
  test.isInPlace = true;
  runAll(test, {{2, 2, 265001}, {1, 20000, 33}});
  runAll(caseOf<kRMS, Plain, Plain, Inputs<F<C>>, Inputs<>, Outputs<F<C>, F<C>>, 1, 2, true>(),
         {{2, 2, 265001}});
}
