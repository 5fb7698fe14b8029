// A tuple as small as generated kernels need: <tuple> would cost each of them more compile time
// than the kernel itself.
#pragma once

#include "ait/cpu/vector_type.h"

namespace ait {

template <class Integer, Integer... I>
struct IntegerSequence {};

/// The integers 0..<N as a parameter pack.
template <int N>
using Indices = __make_integer_seq<IntegerSequence, int, N>;

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
AIT_INLINE T& get(TupleEntry<I, T>& entry) {
  return entry.value;
}
template <int I, class T>
AIT_INLINE const T& get(const TupleEntry<I, T>& entry) {
  return entry.value;
}

template <class... T>
AIT_INLINE Tuple<T...> makeTuple(T... values) {
  return {{{values}...}};
}

/// What a generated body returns: one vector per result, in the order of the kernel's outputs.
template <class... V>
AIT_INLINE Tuple<V...> results(V... values) {
  return {{{values}...}};
}

/// The I-th type of a pack.
template <int I, class First, class... Rest>
struct TypeAtIndex {
  using Type = typename TypeAtIndex<I - 1, Rest...>::Type;
};
template <class First, class... Rest>
struct TypeAtIndex<0, First, Rest...> {
  using Type = First;
};

}  // namespace ait
