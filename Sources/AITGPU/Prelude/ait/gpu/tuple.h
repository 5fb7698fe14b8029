// A tuple as small as generated kernels need.
#pragma once

#include "ait/gpu/dialect.h"

namespace ait {

template <class Integer, Integer... I>
struct IntegerSequence {};

/// The integers 0..<N as a parameter pack: `Indices<N>`.
template <int N>
struct IndicesOf {
  template <class Next>
  struct Append;
  template <int... I>
  struct Append<IntegerSequence<int, I...>> {
    using Type = IntegerSequence<int, I..., N - 1>;
  };
  using Type = typename Append<typename IndicesOf<N - 1>::Type>::Type;
};
template <>
struct IndicesOf<0> {
  using Type = IntegerSequence<int>;
};
template <int N>
using Indices = typename IndicesOf<N>::Type;

template <int I, class T>
struct TupleEntry {
  T value;
};

template <class Sequence, class... T>
struct TupleBase;
template <int... I, class... T>
struct TupleBase<IntegerSequence<int, I...>, T...> : TupleEntry<I, T>... {};

/// An aggregate of values of several types, read with `get<I>(tuple)`.
template <class... T>
struct Tuple : TupleBase<Indices<sizeof...(T)>, T...> {
  static constexpr int kCount = sizeof...(T);
};

template <int I, class T>
AIT_DEVICE T& get(TupleEntry<I, T>& entry) {
  return entry.value;
}
template <int I, class T>
AIT_DEVICE const T& get(const TupleEntry<I, T>& entry) {
  return entry.value;
}

template <class... T>
AIT_DEVICE Tuple<T...> makeTuple(T... values) {
  return {{{values}...}};
}

/// What a generated body returns: one value per result, in the order of the kernel's outputs.
template <class... V>
AIT_DEVICE Tuple<V...> results(V... values) {
  return {{{values}...}};
}

}  // namespace ait
