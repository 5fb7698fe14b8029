// Numbers and buffers of device tests: seeded inputs, guarded and poisoned device memory.
#pragma once

#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "ait/gpu/types.h"
#include "driver.h"

namespace device {

// MARK: - Numbers

/// Seeded pseudo-random numbers (SplitMix64), the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// In [-1, 1).
  float uniform() { return static_cast<float>(static_cast<int64_t>(bits()) >> 40) * 0x1p-23f; }

 private:
  uint64_t state_;
};

inline float toFloat(float x) { return x; }
inline float toFloat(int32_t x) { return static_cast<float>(x); }
inline float toFloat(ait::bfloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}
inline float toFloat(ait::float16 x) {
  const int exponent = x.bits >> 10 & 31;
  const int fraction = x.bits & 1023;
  const float sign = x.bits >> 15 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

inline double toDouble(double x) { return x; }
inline double toDouble(int64_t x) { return static_cast<double>(x); }
template <class T>
double toDouble(T x) {
  return toFloat(x);
}

template <class T>
T fromFloat(float x);
template <>
inline double fromFloat<double>(float x) {
  return x;
}
template <>
inline float fromFloat<float>(float x) {
  return x;
}
template <>
inline ait::bfloat16 fromFloat<ait::bfloat16>(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  bits += 0x7fff + (bits >> 16 & 1);
  return {static_cast<uint16_t>(bits >> 16)};
}
/// For numbers in the range of the normal float16 and zero; inputs of tests are no others.
template <>
inline ait::float16 fromFloat<ait::float16>(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t sign = bits >> 16 & 0x8000;
  const float magnitude = std::fabs(x);
  if (magnitude < 0x1p-14f) {
    return {static_cast<uint16_t>(sign | static_cast<uint32_t>(std::rint(magnitude * 0x1p24f)))};
  }
  bits &= 0x7fffffff;
  bits += 0xfff + (bits >> 13 & 1);
  return {static_cast<uint16_t>(sign | ((bits >> 13) - (112 << 10)))};
}

// MARK: - Buffers

/// Device memory between guards. Guards and content are 0xff at first: NaN in every float format.
class Buffer {
 public:
  static constexpr size_t kGuard = 4096;

  Buffer() = default;
  explicit Buffer(size_t bytes) : bytes_(bytes) {
    AIT_CALL(cuMemAlloc, &base_, bytes + 2 * kGuard);
    AIT_CALL(cuMemsetD8, base_, 0xff, bytes + 2 * kGuard);
  }
  template <class T>
  explicit Buffer(const std::vector<T>& content) : Buffer(content.size() * sizeof(T)) {
    AIT_CALL(cuMemcpyHtoD, address(), content.data(), bytes_);
  }
  Buffer(Buffer&& other) noexcept : base_(other.base_), bytes_(other.bytes_) { other.base_ = 0; }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Buffer() {
    if (base_ != 0) Driver::shared().cuMemFree(base_);
  }

  Address address() const { return base_ + kGuard; }
  void* pointer() const { return reinterpret_cast<void*>(address()); }
  size_t bytes() const { return bytes_; }

  void poison() { AIT_CALL(cuMemsetD8, address(), 0xff, bytes_); }

  template <class T>
  std::vector<T> content() const {
    std::vector<T> result(bytes_ / sizeof(T));
    AIT_CALL(cuMemcpyDtoH, result.data(), address(), bytes_);
    return result;
  }

  bool guardsAreIntact() const {
    std::vector<uint8_t> guard(kGuard);
    for (const Address at : {base_, base_ + kGuard + bytes_}) {
      AIT_CALL(cuMemcpyDtoH, guard.data(), at, kGuard);
      for (const uint8_t byte : guard) {
        if (byte != 0xff) return false;
      }
    }
    return true;
  }

 private:
  Address base_ = 0;
  size_t bytes_ = 0;
};

/// `count` seeded numbers in [-scale, scale).
template <class T>
std::vector<T> randomNumbers(size_t count, uint64_t seed, float scale = 1) {
  std::vector<T> result(count);
  const unsigned threads = std::thread::hardware_concurrency();
  const size_t share = (count + threads - 1) / threads;
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      Random random(seed * 1000 + i);
      for (size_t at = i * share; at < count && at < (i + 1) * share; ++at) {
        result[at] = fromFloat<T>(random.uniform() * scale);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  return result;
}

/// ‖a − b‖ / ‖b‖, gathered value by value.
class ErrorNorm {
 public:
  void add(double actual, double expected) {
    if (std::isnan(actual) != std::isnan(expected)) isNaN_ = true;
    difference_ += (actual - expected) * (actual - expected);
    norm_ += expected * expected;
  }
  void add(const ErrorNorm& other) {
    difference_ += other.difference_;
    norm_ += other.norm_;
    isNaN_ |= other.isNaN_;
  }
  double value() const {
    return isNaN_ ? NAN : norm_ > 0 ? std::sqrt(difference_ / norm_) : std::sqrt(difference_);
  }

 private:
  double difference_ = 0;
  double norm_ = 0;
  bool isNaN_ = false;
};

/// Calls `body(i)` for i in 0..<count on all cores.
template <class Body>
void onAllCores(int64_t count, Body&& body) {
  const int64_t threads = std::thread::hardware_concurrency();
  std::vector<std::thread> workers;
  for (int64_t thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&, thread] {
      for (int64_t i = thread; i < count; i += threads) body(i);
    });
  }
  for (auto& worker : workers) worker.join();
}

}  // namespace device
