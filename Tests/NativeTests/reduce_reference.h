// What reductions are to give, by plain loops, and the cases of them.
#pragma once

#include <algorithm>
#include <numeric>

#include "ait/cpu/reduce.h"
#include "rows_reference.h"

namespace reference {

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;
constexpr Access S = Access::strided;

template <Access A>
using F = Operand<float, A>;

constexpr double kInf = __builtin_huge_val();
const double kNaN = std::nan("");

// MARK: - The reducers

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

inline double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
inline double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }
inline double sumOf(const Numbers& x) { return std::accumulate(x.begin(), x.end(), 0.0); }
inline double meanOf(const Numbers& x) { return sumOf(x) / static_cast<double>(x.size()); }

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

}  // namespace reference
