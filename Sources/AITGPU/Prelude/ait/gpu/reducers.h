// Reducers that combine their elements, or functions of them, by one associative operation.
//
// A reducer is a type with
//
//   State    what a thread keeps for a result: a whole number of 4-byte words.
//   Result   the type of a result.
//   none()   the state of no elements.
//   take(state, x, count, position, step)
//            takes the first `count` of the elements x, which stand at `position`,
//            `position + step` … of the result's; `count` may be larger than their number.
//   merge(state, other)    takes what another state has taken.
//   finish(state, length)  the result of `length` elements.
#pragma once

#include "ait/gpu/dialect.h"

namespace ait {

/// A number that is not above any other of its type: minus infinity, the least integer, false.
template <class T>
AIT_DEVICE T lowestOf() {
  if constexpr (__is_same(T, float) || __is_same(T, double)) {
    return -static_cast<T>(__builtin_huge_val());
  } else if constexpr (static_cast<T>(-1) < static_cast<T>(0)) {
    return static_cast<T>(uint64_t{1} << (8 * sizeof(T) - 1));
  } else {
    return static_cast<T>(0);
  }
}

/// A number that is not below any other of its type: infinity, the greatest integer, true.
template <class T>
AIT_DEVICE T greatestOf() {
  if constexpr (__is_same(T, float) || __is_same(T, double)) {
    return static_cast<T>(__builtin_huge_val());
  } else if constexpr (__is_same(T, bool)) {
    return true;
  } else {
    return static_cast<T>(~lowestOf<T>());
  }
}

template <class T>
inline constexpr bool kIsFloating = __is_same(T, float) || __is_same(T, double);

/// The larger and the smaller number; a NaN if either is one.
template <class T>
AIT_DEVICE T largerOrNaN(T a, T b) {
  if constexpr (__is_same(T, float)) {
    return maximumOrNaN(a, b);
  } else if constexpr (__is_same(T, double)) {
    return a > b || a != a ? a : b;
  } else {
    return a > b ? a : b;
  }
}
template <class T>
AIT_DEVICE T smallerOrNaN(T a, T b) {
  if constexpr (__is_same(T, float)) {
    return minimumOrNaN(a, b);
  } else if constexpr (__is_same(T, double)) {
    return a < b || a != a ? a : b;
  } else {
    return a < b ? a : b;
  }
}

/// Maps each element and combines the results by one associative function. The rule has the types
/// of elements, states and results, `map`, `combine`, `finish`, and the `neutral` element.
template <class Rule>
struct Fold {
  using State = typename Rule::State;
  using Result = typename Rule::Result;

  static AIT_DEVICE State none() { return Rule::neutral(); }

  // As a tree: one operation that depends on the state before, and errors that grow slowly.
  template <int kCount, class T, class Index>
  static AIT_DEVICE void take(State& state, const T (&x)[kCount], int count, Index, Index) {
    State terms[kCount];
    AIT_UNROLL
    for (int i = 0; i < kCount; ++i) terms[i] = i < count ? Rule::map(x[i]) : Rule::neutral();
    AIT_UNROLL
    for (int distance = 1; distance < kCount; distance *= 2) {
      AIT_UNROLL
      for (int i = 0; i + distance < kCount; i += 2 * distance) {
        terms[i] = Rule::combine(terms[i], terms[i + distance]);
      }
    }
    state = Rule::combine(state, terms[0]);
  }

  static AIT_DEVICE void merge(State& state, const State& other) {
    state = Rule::combine(state, other);
  }
  static AIT_DEVICE Result finish(const State& state, int64_t length) {
    return Rule::finish(state, length);
  }
};

// MARK: - Sums and products

/// Numbers of T are added up in T, integers in wrapping int64.
template <class T>
struct SumRule {
  using Result = T;
  using State = T;

  static AIT_DEVICE State neutral() { return 0; }
  static AIT_DEVICE State map(T x) { return x; }
  static AIT_DEVICE State combine(State a, State b) { return a + b; }
  static AIT_DEVICE Result finish(State total, int64_t) { return total; }
};
template <class T>
struct IntegerSumRule {
  using Result = int64_t;
  using State = uint64_t;

  static AIT_DEVICE State neutral() { return 0; }
  static AIT_DEVICE State map(T x) { return static_cast<uint64_t>(static_cast<int64_t>(x)); }
  static AIT_DEVICE State combine(State a, State b) { return a + b; }
  static AIT_DEVICE Result finish(State total, int64_t) { return static_cast<int64_t>(total); }
};

template <class T>
struct MeanRule : SumRule<T> {
  static AIT_DEVICE T finish(T total, int64_t length) { return total / static_cast<T>(length); }
};

/// Of floats in double throughout: no partial product may overflow where the product does not.
template <class T>
struct ProductRule {
  using Result = T;
  using State = double;

  static AIT_DEVICE State neutral() { return 1; }
  static AIT_DEVICE State map(T x) { return x; }
  static AIT_DEVICE State combine(State a, State b) { return a * b; }
  static AIT_DEVICE Result finish(State total, int64_t) { return static_cast<T>(total); }
};
template <class T>
struct IntegerProductRule : IntegerSumRule<T> {
  static AIT_DEVICE uint64_t neutral() { return 1; }
  static AIT_DEVICE uint64_t combine(uint64_t a, uint64_t b) { return a * b; }
};

// MARK: - Extremes and truth

/// What states of T are kept in: words.
template <class T>
struct SelectedOf {
  using Type = int32_t;
};
template <>
struct SelectedOf<int64_t> {
  using Type = int64_t;
};
template <>
struct SelectedOf<float> {
  using Type = float;
};
template <>
struct SelectedOf<double> {
  using Type = double;
};

template <class T>
struct MaximumRule {
  using Result = T;
  using State = typename SelectedOf<T>::Type;

  static AIT_DEVICE State neutral() { return lowestOf<T>(); }
  static AIT_DEVICE State map(T x) { return x; }
  static AIT_DEVICE State combine(State a, State b) { return largerOrNaN(a, b); }
  static AIT_DEVICE Result finish(State total, int64_t) { return static_cast<T>(total); }
};
template <class T>
struct MinimumRule : MaximumRule<T> {
  using State = typename SelectedOf<T>::Type;

  static AIT_DEVICE State neutral() { return greatestOf<T>(); }
  static AIT_DEVICE State combine(State a, State b) { return smallerOrNaN(a, b); }
};

/// NaN is true.
template <class T>
struct AnyRule {
  using Result = bool;
  using State = int32_t;

  static AIT_DEVICE State neutral() { return 0; }
  static AIT_DEVICE State map(T x) { return x != static_cast<T>(0) ? 1 : 0; }
  static AIT_DEVICE State combine(State a, State b) { return a | b; }
  static AIT_DEVICE Result finish(State total, int64_t) { return total != 0; }
};
template <class T>
struct AllRule : AnyRule<T> {
  static AIT_DEVICE int32_t neutral() { return 1; }
  static AIT_DEVICE int32_t combine(int32_t a, int32_t b) { return a & b; }
};

// MARK: - By name

template <class T, bool kIsFloat, class Floating, class Integer>
struct ByKind {
  using Type = Fold<Floating>;
};
template <class T, class Floating, class Integer>
struct ByKind<T, false, Floating, Integer> {
  using Type = Fold<Integer>;
};

template <class T>
using SumReducer = typename ByKind<T, kIsFloating<T>, SumRule<T>, IntegerSumRule<T>>::Type;
template <class T>
using ProductReducer =
    typename ByKind<T, kIsFloating<T>, ProductRule<T>, IntegerProductRule<T>>::Type;
template <class T>
using MeanReducer = Fold<MeanRule<T>>;
template <class T>
using MaximumReducer = Fold<MaximumRule<T>>;
template <class T>
using MinimumReducer = Fold<MinimumRule<T>>;
template <class T>
using AnyReducer = Fold<AnyRule<T>>;
template <class T>
using AllReducer = Fold<AllRule<T>>;

}  // namespace ait
