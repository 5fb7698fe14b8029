// Numbers of products by the threads' own arithmetic units.
#pragma once

#include "ait/gpu/dialect.h"
#include "ait/gpu/matmul_simt_config.h"

namespace ait {
namespace simt {

/// Four neighbours in shared memory, read at once.
template <class T>
struct alignas(16) Quad {
  T values[4];
};

/// sum + a b; integers wrap.
template <class T>
AIT_DEVICE T multiplyAdd(T a, T b, T sum) {
  if constexpr (__is_same(T, float)) {
    return fusedMultiplyAdd(a, b, sum);
  } else if constexpr (__is_same(T, double)) {
    return a * b + sum;
  } else if constexpr (sizeof(T) == 8) {
    return static_cast<T>(static_cast<uint64_t>(sum) +
                          static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  } else {
    return static_cast<T>(static_cast<uint32_t>(sum) +
                          static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
  }
}

/// One element as the number that it is multiplied as.
template <class Element>
AIT_DEVICE SumType<Element> loadNumber(const Element* address) {
  const auto x = loadGlobal<static_cast<int>(sizeof(Element))>(address);
  Element element;
  __builtin_memcpy(&element, &x, sizeof(Element));
  return static_cast<SumType<Element>>(toCompute(element));
}

}  // namespace simt
}  // namespace ait
