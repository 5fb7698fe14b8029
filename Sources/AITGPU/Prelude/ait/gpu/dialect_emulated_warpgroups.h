// Matrix products of a warp group on the processor. They are computed when they are waited for, out
// of what shared memory holds then; until then the sums hold NaN.
#pragma once

#include "ait/gpu/dialect_emulated_numbers.h"

namespace ait {

struct SharedMatrix {
  uint64_t descriptor;

  static AIT_DEVICE SharedMatrix alongK(const void* shared) { return SharedMatrix(shared, 16); }
  static AIT_DEVICE SharedMatrix across(const void* shared, int chunkBytes) {
    return SharedMatrix(shared, chunkBytes);
  }

  AIT_DEVICE SharedMatrix advanced(int bytes) const {
    SharedMatrix other(*this);
    other.descriptor += static_cast<uint64_t>(bytes >> 4);
    return other;
  }

 private:
  AIT_DEVICE SharedMatrix(const void* shared, int chunkStride)
      : descriptor((sharedAddress(shared) & 0x3ffffu) >> 4 |
                   static_cast<uint64_t>(chunkStride >> 4) << 16 | uint64_t{1024 >> 4} << 32 |
                   uint64_t{1} << 62) {}
};

AIT_DEVICE void beginProducts(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->beginProducts(thread, line);
}
AIT_DEVICE void commitProducts(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->commitProducts(thread, line);
}
template <int kPending>
AIT_DEVICE void waitForProducts(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->waitForProducts(thread, kPending, line);
}
AIT_DEVICE void pinSum(float&) {}

template <int kCount>
AIT_DEVICE void releaseRegisters(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->setRegisters(thread, kCount, false, line);
}
template <int kCount>
AIT_DEVICE void acquireRegisters(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->setRegisters(thread, kCount, true, line);
}

namespace emulated {

template <class T>
inline float convertElement(const char* element) {
  uint16_t bits;
  __builtin_memcpy(&bits, element, sizeof(bits));
  return fromBits<T>(bits);
}

}  // namespace emulated

template <int N>
struct WarpgroupProduct {
  static_assert(N == 8 || N == 16 || N == 24 || (N % 32 == 0 && N <= 256),
                "a warp group's product is 8, 16, 24, 32, 64, 96, 128, 160, 192, 224 or 256 wide");

  template <class T, Major kMajorA, Major kMajorB>
  static AIT_DEVICE void add(float (&sums)[N / 2], SharedMatrix A, SharedMatrix B,
                             int line = __builtin_LINE()) {
    begin<T>(sums, A.descriptor, nullptr, kMajorA, B, kMajorB, true, line);
  }
  template <class T, Major kMajorA, Major kMajorB>
  static AIT_DEVICE void set(float (&sums)[N / 2], SharedMatrix A, SharedMatrix B,
                             int line = __builtin_LINE()) {
    begin<T>(sums, A.descriptor, nullptr, kMajorA, B, kMajorB, false, line);
  }
  template <class T, Major kMajorB>
  static AIT_DEVICE void add(float (&sums)[N / 2], const uint32_t (&A)[4], SharedMatrix B,
                             int line = __builtin_LINE()) {
    begin<T>(sums, 0, A, Major::k, B, kMajorB, true, line);
  }

 private:
  template <class T>
  static void begin(float (&sums)[N / 2], uint64_t a, const uint32_t* registers, Major majorA,
                    SharedMatrix B, Major majorB, bool accumulates, int line) {
    static_assert(__is_same(T, float16) || __is_same(T, bfloat16),
                  "warp groups multiply float16 and bfloat16");
    auto& thread = emulated::thread();
    const emulated::Product product = {sums,
                                       N,
                                       16,
                                       a,
                                       B.descriptor,
                                       registers,
                                       majorA == Major::mn,
                                       majorB == Major::mn,
                                       accumulates,
                                       emulated::convertElement<T>,
                                       2};
    thread.engine->addProduct(thread, product, line);
  }
};

}  // namespace ait
