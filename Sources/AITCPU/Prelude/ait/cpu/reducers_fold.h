// Reducers that combine their elements, or functions of them, by one associative operation.
#pragma once

#include "ait/cpu/reducers_state.h"

namespace ait {

/// A reducer that maps each element and combines the results by one associative function. The rule
/// has the types of the mapped elements, of totals and of results, `map`, `combine`, `finish`, and
/// the neutral element of `combine`.
template <class Rule>
struct Fold {
  using T = typename Rule::Element;
  using Lane = typename Rule::Lane;
  using Wide = typename Rule::Wide;
  using Result = typename Rule::Result;
  static constexpr int kPasses = 1;

  template <int W>
  struct Total {
    Vec<Wide, W> value = broadcast<W, Wide>(static_cast<Wide>(Rule::kNeutral));

    AIT_INLINE void merge(const Total& other) { value = Rule::combine(value, other.value); }

    AIT_INLINE Total<1> collapsed() const {
      const auto combine = [](auto a, auto b) AIT_INLINE_LAMBDA { return Rule::combine(a, b); };
      return {broadcast<1, Wide>(horizontal(value, combine))};
    }

    AIT_INLINE Vec<Result, W> finish(int64_t count) const {
      return Rule::finish(value, static_cast<double>(count));
    }
  };

  template <int W>
  struct Partial {
    Vec<Lane, W> value = broadcast<W, Lane>(static_cast<Lane>(Rule::kNeutral));

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x) {
      value = Rule::combine(value, Rule::map(x));
    }

    // As a tree: one dependent operation for four vectors.
    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x0, Vec<T, W> x1, Vec<T, W> x2, Vec<T, W> x3) {
      const auto low = Rule::combine(Rule::map(x0), Rule::map(x1));
      const auto high = Rule::combine(Rule::map(x2), Rule::map(x3));
      value = Rule::combine(value, Rule::combine(low, high));
    }

    template <int kPass>
    AIT_INLINE void stepFirst(Vec<T, W> x, int64_t count) {
      const auto neutral = broadcast<W, Lane>(static_cast<Lane>(Rule::kNeutral));
      value = Rule::combine(value, select(firstLanes<W>(count), Rule::map(x), neutral));
    }

    AIT_INLINE void nextPass() {}

    AIT_INLINE Total<W> total(BlockPlace) const { return {convert<Wide>(value)}; }
  };
};

/// The types in which numbers of T are added up: within a block, over all blocks, and as a result.
template <class T, bool kIsFloat = __is_floating_point(T)>
struct SumTypes {
  using Lane = T;
  using Wide = double;
  using Result = T;
};
template <class T>
struct SumTypes<T, false> {
  using Lane = typename SignedOfSize<(sizeof(T) < 4 ? 4 : 8)>::Type;
  using Wide = int64_t;
  using Result = int64_t;
};

template <class T>
struct SumRule : SumTypes<T> {
  using Element = T;
  static constexpr int kNeutral = 0;

  template <int W>
  static AIT_INLINE auto map(Vec<T, W> x) {
    return convert<typename SumTypes<T>::Lane>(x);
  }
  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return a + b;
  }
  template <class V>
  static AIT_INLINE auto finish(V total, double) {
    return convert<typename SumTypes<T>::Result>(total);
  }
};

template <class T>
struct MeanRule : SumRule<T> {
  static_assert(__is_floating_point(T), "means are of floating-point numbers");

  template <int W>
  static AIT_INLINE Vec<T, W> finish(Vec<double, W> total, double count) {
    return convert<T>(total / constant<double, W>(count));
  }
};

/// Of floats in double throughout: no lane may overflow where the product does not.
template <class T>
struct ProductRule {
  using Element = T;
  using Wide = typename SumTypes<T>::Wide;
  using Lane = Wide;
  using Result = typename SumTypes<T>::Result;
  static constexpr int kNeutral = 1;

  template <int W>
  static AIT_INLINE Vec<Wide, W> map(Vec<T, W> x) {
    return convert<Wide>(x);
  }
  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return a * b;
  }
  template <int W>
  static AIT_INLINE Vec<Result, W> finish(Vec<Wide, W> total, double) {
    return convert<Result>(total);
  }
};

/// What the rules have in common that combine elements as they are.
template <class T>
struct SelectionRule {
  using Element = T;
  using Lane = T;
  using Wide = T;
  using Result = T;

  template <class V>
  static AIT_INLINE V map(V x) {
    return x;
  }
  template <class V>
  static AIT_INLINE V finish(V total, double) {
    return total;
  }
};

template <class T>
struct MaximumRule : SelectionRule<T> {
  static constexpr T kNeutral = lowestOf<T>();

  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return maximum(a, b);
  }
};

template <class T>
struct MinimumRule : SelectionRule<T> {
  static constexpr T kNeutral = greatestOf<T>();

  template <class V>
  static AIT_INLINE V combine(V a, V b) {
    return minimum(a, b);
  }
};

/// NaN is true.
template <class T, class Extremum>
struct TruthRule : Extremum {
  using Element = T;

  template <int W>
  static AIT_INLINE Vec<bool, W> map(Vec<T, W> x) {
    return convert<bool>(x);
  }
};

// MARK: - Norms

/// (Σ|x|^p)^(1/p), for p = 0 the number of x that are not 0.
template <class T, class Parameters>
struct PowerNormRule : SumRule<T> {
  static constexpr double kOrder = Parameters::kOrder;

  template <int W>
  static AIT_INLINE Vec<T, W> map(Vec<T, W> x) {
    if constexpr (kOrder == 0) {
      return convert<T>(x != constant<T, W>(0));
    } else if constexpr (kOrder == 1) {
      return abs(x);
    } else if constexpr (kOrder == 2) {
      return x * x;
    } else {
      return power(abs(x), constant<T, W>(static_cast<T>(kOrder)));
    }
  }

  template <int W>
  static AIT_INLINE Vec<T, W> finish(Vec<double, W> total, double) {
    if constexpr (kOrder == 0 || kOrder == 1) {
      return convert<T>(total);
    } else if constexpr (kOrder == 2) {
      return convert<T>(sqrt(total));
    } else {
      return convert<T>(power(total, constant<double, W>(1 / kOrder)));
    }
  }
};

/// max|x| or, for p = −∞, min|x|.
template <class T, class Extremum>
struct ExtremeNormRule : Extremum {
  static constexpr T kNeutral = Extremum::kNeutral < 0 ? 0 : Extremum::kNeutral;

  template <class V>
  static AIT_INLINE V map(V x) {
    return abs(x);
  }
};

template <class T, class Parameters, bool kIsExtreme, bool kIsMaximum>
struct NormRule {
  using Type = PowerNormRule<T, Parameters>;
};
template <class T, class Parameters>
struct NormRule<T, Parameters, true, true> {
  using Type = ExtremeNormRule<T, MaximumRule<T>>;
};
template <class T, class Parameters>
struct NormRule<T, Parameters, true, false> {
  using Type = ExtremeNormRule<T, MinimumRule<T>>;
};

}  // namespace ait
