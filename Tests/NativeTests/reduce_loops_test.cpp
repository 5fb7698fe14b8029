// The loops of reductions against plain loops: axes, strides, prologues and epilogues, exposures,
// in place, threads.
#include "reduce_reference.h"

using namespace reference;

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
