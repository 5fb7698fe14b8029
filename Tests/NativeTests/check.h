// What tests of the native code need: checks, seeded numbers, guarded buffers, thread pools.
//
//   #include "check.h"
//   TEST(sumsOfOddSizes) { CHECK_EQUAL(sum(3), 6); }
//
// Each *_test.cpp is a program of its own; `main` is here. It takes words: only tests whose name
// contains one of them run.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "ait/kernel.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define AIT_CHECK_POISON(address, size) ASAN_POISON_MEMORY_REGION(address, size)
#define AIT_CHECK_UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION(address, size)
#endif
#endif
#if !defined(AIT_CHECK_POISON)
#define AIT_CHECK_POISON(address, size) ((void)(address), (void)(size))
#define AIT_CHECK_UNPOISON(address, size) ((void)(address), (void)(size))
#endif

namespace check {

// MARK: - Tests and checks

struct Test {
  const char* name;
  void (*function)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

struct Registration {
  Registration(const char* name, void (*function)()) { tests().push_back({name, function}); }
};

/// The failed checks of the test that is running.
inline std::atomic<int> failures{0};

/// Reports one failed check; a test that fails everywhere prints its first few failures alone.
inline void fail(const char* file, int line, const std::string& message) {
  if (failures.fetch_add(1) < 8) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, message.c_str());
  }
}

template <class T>
std::string text(const T& value) {
  std::ostringstream stream;
  stream.precision(17);
  if constexpr (sizeof(T) == 1 && std::is_integral_v<T>) {
    stream << static_cast<int>(value);
  } else {
    stream << value;
  }
  return stream.str();
}

/// The values that make a failing check of a table name its row, as text.
template <class... T>
[[gnu::noinline]] std::string details(const T&... values) {
  std::string result;
  ((result += " " + text(values)), ...);
  return result.empty() ? result : " (" + result.substr(1) + ")";
}

template <class A, class B>
bool isEqual(const A& actual, const B& expected) {
  if constexpr (std::is_floating_point_v<A> && std::is_floating_point_v<B>) {
    if (std::isnan(actual) || std::isnan(expected)) {
      return std::isnan(actual) && std::isnan(expected);
    }
  }
  return actual == expected;
}

inline bool isNear(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  return std::fabs(actual - expected) <= tolerance * std::fmax(1, std::fabs(expected));
}

// Checks are calls: inlined into unrolled loops, they would multiply the compile time of tests.
template <class... T>
[[gnu::noinline]] void checkCondition(bool holds, const char* file, int line, const char* condition,
                                      const T&... values) {
  if (!holds) fail(file, line, std::string("expected ") + condition + details(values...));
}

template <class A, class B, class... T>
[[gnu::noinline]] void checkEqual(const char* file, int line, const char* expression,
                                  const A& actual, const B& expected, const T&... values) {
  if (isEqual(actual, expected)) return;
  fail(file, line,
       std::string(expression) + " is " + text(actual) + ", expected " + text(expected) +
           details(values...));
}

template <class... T>
[[gnu::noinline]] void checkNear(const char* file, int line, const char* expression, double actual,
                                 double expected, double tolerance, const T&... values) {
  if (isNear(actual, expected, tolerance)) return;
  fail(file, line,
       std::string(expression) + " is " + text(actual) + ", expected " + text(expected) +
           " within " + text(tolerance) + details(values...));
}

/// Defines a test that `main` runs.
#define TEST(name)                                                  \
  static void name();                                               \
  static const check::Registration name##Registration{#name, name}; \
  static void name()

/// CHECK(condition, values…): fails unless the condition holds; prints the values then.
#define CHECK(condition, ...)                                             \
  check::checkCondition(static_cast<bool>(condition), __FILE__, __LINE__, \
                        #condition __VA_OPT__(, ) __VA_ARGS__)

/// CHECK_EQUAL(actual, expected, values…): NaN equals NaN.
#define CHECK_EQUAL(actual, ...) \
  check::checkEqual(__FILE__, __LINE__, #actual, (actual), __VA_ARGS__)

/// CHECK_NEAR(actual, expected, tolerance, values…): fails unless
/// `|actual - expected| <= tolerance * max(1, |expected|)`; infinities and NaNs agree exactly.
#define CHECK_NEAR(actual, ...) check::checkNear(__FILE__, __LINE__, #actual, (actual), __VA_ARGS__)

// MARK: - Numbers

/// Seeded pseudo-random numbers (SplitMix64), the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed = 1) : state_(seed) {}

  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// In [low, high).
  double uniform(double low = -1, double high = 1) {
    return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
  }

  /// In low...high.
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(bits() % static_cast<uint64_t>(high - low + 1));
  }

 private:
  uint64_t state_;
};

// MARK: - Buffers

/// Elements between guards. All bytes are 0xff at first: NaN in every float format. With the
/// address sanitizer, touching a guard ends the test; without it, `guardsAreIntact` finds writes.
template <class T>
class GuardedBuffer {
 public:
  /// `misalignment` elements shift the buffer from a 64-byte boundary.
  explicit GuardedBuffer(int64_t count, int64_t misalignment = 0)
      : sizeInBytes_(count * static_cast<int64_t>(sizeof(T))),
        frontInBytes_(kGuard + misalignment * static_cast<int64_t>(sizeof(T))) {
    allocatedInBytes_ = (frontInBytes_ + sizeInBytes_ + kGuard + 63) / 64 * 64;
    bytes_ = static_cast<uint8_t*>(std::aligned_alloc(64, allocatedInBytes_));
    std::memset(bytes_, 0xff, allocatedInBytes_);
    guard();
  }

  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  ~GuardedBuffer() {
    AIT_CHECK_UNPOISON(bytes_, allocatedInBytes_);
    std::free(bytes_);
  }

  T* data() { return reinterpret_cast<T*>(bytes_ + frontInBytes_); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_ + frontInBytes_); }
  int64_t count() const { return sizeInBytes_ / static_cast<int64_t>(sizeof(T)); }
  T& operator[](int64_t index) { return data()[index]; }
  const T& operator[](int64_t index) const { return data()[index]; }

  /// Puts 0xff into every element again.
  void poison() { std::memset(data(), 0xff, sizeInBytes_); }

  /// Whether no byte outside the elements has been written.
  bool guardsAreIntact() {
    AIT_CHECK_UNPOISON(bytes_, allocatedInBytes_);
    bool intact = true;
    for (int64_t i = 0; i < frontInBytes_; ++i) intact &= bytes_[i] == 0xff;
    for (int64_t i = frontInBytes_ + sizeInBytes_; i < allocatedInBytes_; ++i) {
      intact &= bytes_[i] == 0xff;
    }
    guard();
    return intact;
  }

 private:
  // More than the widest vector access, so that a stray one ends inside.
  static constexpr int64_t kGuard = 256;

  void guard() {
    AIT_CHECK_POISON(bytes_, frontInBytes_ / 8 * 8);
    AIT_CHECK_POISON(bytes_ + frontInBytes_ + sizeInBytes_,
                     allocatedInBytes_ - frontInBytes_ - sizeInBytes_);
  }

  int64_t sizeInBytes_;
  int64_t frontInBytes_;
  int64_t allocatedInBytes_;
  uint8_t* bytes_;
};

// MARK: - Thread pools

/// Runs everything on the caller.
class SerialPool final : public ait::ThreadPool {
 public:
  int32_t threadCount() const override { return 1; }

  void run(int64_t count, Task task, void* context) override {
    for (int64_t index = 0; index < count; ++index) task(context, index, 0);
  }

  void* scratch(int32_t) override { return scratch_.data(); }

 private:
  GuardedBuffer<uint8_t> scratch_{kScratchSizeInBytes};
};

/// Runs each loop on two new threads: slow, and a race to the thread sanitizer if it is one.
class TwoThreadPool final : public ait::ThreadPool {
 public:
  int32_t threadCount() const override { return 2; }

  void run(int64_t count, Task task, void* context) override {
    std::atomic<int64_t> next{0};
    const auto work = [&](int32_t thread) {
      for (int64_t index = next++; index < count; index = next++) task(context, index, thread);
    };
    std::thread first(work, 0);
    std::thread second(work, 1);
    first.join();
    second.join();
  }

  void* scratch(int32_t thread) override { return scratch_[thread].data(); }

 private:
  GuardedBuffer<uint8_t> scratch_[2]{GuardedBuffer<uint8_t>(kScratchSizeInBytes),
                                     GuardedBuffer<uint8_t>(kScratchSizeInBytes)};
};

/// Runs a kernel that needs no workspace.
inline void runKernel(ait::KernelFunction kernel, const std::vector<void*>& buffers,
                      const std::vector<int64_t>& sizes, ait::ThreadPool& pool,
                      void* workspace = nullptr) {
  kernel(ait::KernelContext{buffers.data(), sizes.data(), workspace, pool});
}

}  // namespace check

/// Runs the tests whose name contains one of the arguments, or all; prints the count last.
int main(int argumentCount, char** arguments) {
  int passed = 0;
  int failed = 0;
  for (const check::Test& test : check::tests()) {
    bool wanted = argumentCount < 2;
    for (int i = 1; i < argumentCount; ++i)
      wanted |= std::strstr(test.name, arguments[i]) != nullptr;
    if (!wanted) continue;
    check::failures = 0;
    test.function();
    if (check::failures == 0) {
      ++passed;
    } else {
      ++failed;
      std::fprintf(stderr, "%s: %d failed checks\n", test.name, check::failures.load());
    }
  }
  std::fflush(stderr);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
