// Bandwidth of pointwise kernels beside memcpy, and the cost of awkward shapes.
//
//   clang++ -std=c++17 -O3 -ffp-contract=fast -march=native -pthread -ISources/AITCPU/Prelude
//     -ISources/AITRuntime/include -ITests/NativeTests Benchmarks/native/pointwise_bench.cpp
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "ait/cpu/pointwise.h"

namespace {

using ait::Access;
using ait::constant;
using ait::Inputs;
using ait::Operand;
using ait::Outputs;
using ait::Vec;

/// gelu(x + bias), exact.
struct BiasGELU {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1) {
    const auto x = x0 + x1;
    const auto t0 = x * constant<float, W>(0x1.6a09e6p-1f);
    const auto t1 = ait::erf(t0) + constant<float, W>(1);
    return ait::results(x * constant<float, W>(0.5f) * t1);
  }
};

struct Add {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1) {
    return ait::results(x0 + x1);
  }
};

template <Access A>
using F = Operand<float, A>;
constexpr Access C = Access::contiguous;
constexpr Access S = Access::strided;

/// Threads made anew for each loop: some 50 µs, little against what is measured with them.
class Threads final : public ait::ThreadPool {
 public:
  explicit Threads(int32_t count) : count_(count) {}
  int32_t threadCount() const override { return count_; }
  void* scratch(int32_t) override { return nullptr; }
  void run(int64_t count, Task task, void* context) override {
    const auto work = [&](int32_t thread) {
      for (int64_t i = thread; i < count; i += count_) task(context, i, thread);
    };
    std::vector<std::thread> threads;
    for (int32_t i = 1; i < count_; ++i) threads.emplace_back(work, i);
    work(0);
    for (std::thread& thread : threads) thread.join();
  }

 private:
  int32_t count_;
};

/// The median of the seconds of many calls.
template <class Function>
double secondsOf(Function function) {
  std::vector<double> times;
  for (int i = 0; i < 31; ++i) {
    const auto start = std::chrono::steady_clock::now();
    function();
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void print(const char* name, int32_t threads, int64_t bytes, int64_t elements, double seconds) {
  std::printf("%-44s %d thread%s %8.1f µs %7.2f GB/s %7.3f ns/element\n", name, threads,
              threads == 1 ? " " : "s", seconds * 1e6, bytes / seconds * 1e-9,
              seconds / elements * 1e9);
}

}  // namespace

int main() {
  constexpr int64_t kCount = 4 << 20;
  std::vector<float> a(kCount), b(kCount), c(kCount);
  for (int64_t i = 0; i < kCount; ++i) a[i] = b[i] = static_cast<float>(i % 1000) * 0.01f - 5;
  for (int32_t threads = 1; threads <= 2; ++threads) {
    Threads pool(threads);
    const auto measure = [&](const char* name, ait::KernelFunction kernel, int64_t elements,
                             int64_t bytes, std::vector<void*> buffers,
                             std::vector<int64_t> sizes) {
      const ait::KernelContext context{buffers.data(), sizes.data(), nullptr, pool};
      print(name, threads, bytes, elements, secondsOf([&] { kernel(context); }));
    };
    for (const int64_t elements : {int64_t{16384}, kCount}) {
      print("memcpy", threads, elements * 8, elements, secondsOf([&] {
              ait::parallelFor(pool, threads, [&](int64_t i, int32_t) {
                const int64_t part = elements / threads;
                std::memcpy(&c[i * part], &a[i * part], part * 4);
              });
            }));
      const int64_t rows = elements / 1024;
      measure("gelu(x[1024] + bias[1024])",
              ait::pointwise<BiasGELU, Inputs<F<C>, F<C>>, Outputs<F<C>>, 2>, elements,
              elements * 8, {a.data(), b.data(), c.data()}, {rows, 1024, 1024, 1, 0, 1, 1024, 1});
      measure("x + y", ait::pointwise<Add, Inputs<F<C>, F<C>>, Outputs<F<C>>, 1>, elements,
              elements * 12, {a.data(), b.data(), c.data()}, {elements, 1, 1, 1});
      measure("x += y", ait::pointwise<Add, Inputs<F<C>, F<C>>, Outputs<F<C>>, 1>, elements,
              elements * 12, {a.data(), b.data(), a.data()}, {elements, 1, 1, 1});
      measure("x[:, 3] + bias[3]", ait::pointwise<Add, Inputs<F<C>, F<C>>, Outputs<F<C>>, 2>,
              elements / 3 * 3, elements * 8, {a.data(), b.data(), c.data()},
              {elements / 3, 3, 3, 1, 0, 1, 3, 1});
      measure("x[:, 1] + y[:, 1]", ait::pointwise<Add, Inputs<F<C>, F<C>>, Outputs<F<C>>, 2>,
              elements, elements * 12, {a.data(), b.data(), c.data()},
              {elements, 1, 1, 1, 1, 1, 1, 1});
      measure("x[:, 12] + bias[12]", ait::pointwise<Add, Inputs<F<C>, F<C>>, Outputs<F<C>>, 2>,
              elements / 12 * 12, elements * 8, {a.data(), b.data(), c.data()},
              {elements / 12, 12, 12, 1, 0, 1, 12, 1});
      measure("x[1024] + y[1024], y stride 2",
              ait::pointwise<Add, Inputs<F<C>, F<S>>, Outputs<F<C>>, 2>, elements / 2, elements * 8,
              {a.data(), b.data(), c.data()}, {rows / 2, 1024, 1024, 1, 2048, 2, 1024, 1});
    }
    for (float& each : a) each = 0.5f;
  }
}
