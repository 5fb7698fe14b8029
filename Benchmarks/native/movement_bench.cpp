// Bandwidth of transpositions and row gathers beside memcpy; one thread.
//
//   clang++ -std=c++17 -O3 -ffp-contract=fast -march=native -ISources/AITCPU/Prelude
//     -ISources/AITRuntime/include Benchmarks/native/movement_bench.cpp
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "ait/cpu/movement.h"

namespace ait {
void reportIndexError(int64_t, int64_t) {}
}  // namespace ait

namespace {

class Caller final : public ait::ThreadPool {
 public:
  int32_t threadCount() const override { return 1; }
  void* scratch(int32_t) override { return nullptr; }
  void run(int64_t count, Task task, void* context) override {
    for (int64_t i = 0; i < count; ++i) task(context, i, 0);
  }
};

template <class Function>
double secondsOf(Function function) {
  std::vector<double> times;
  for (int i = 0; i < 41; ++i) {
    const auto start = std::chrono::steady_clock::now();
    function();
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

constexpr int64_t kBytes = 32 << 20;
std::vector<char> a(kBytes, 1), b(kBytes, 1);
Caller pool;

void measure(const char* name, ait::KernelFunction kernel, int64_t bytes,
             std::vector<int64_t> sizes) {
  void* const buffers[] = {a.data(), b.data()};
  const ait::KernelContext context{buffers, sizes.data(), nullptr, pool};
  const double copied = secondsOf([&] { std::memcpy(b.data(), a.data(), bytes); });
  const double seconds = secondsOf([&] { kernel(context); });
  std::printf("%-36s %9.1f µs %7.2f GB/s, memcpy %7.2f GB/s\n", name, seconds * 1e6,
              2 * bytes / seconds * 1e-9, 2 * bytes / copied * 1e-9);
}

template <int kSize>
void measurePlanes(int64_t planes, int64_t from, int64_t to) {
  char name[64];
  std::snprintf(name, sizeof name, "%d bytes, %lld x [%lld, %lld]", kSize,
                static_cast<long long>(planes), static_cast<long long>(from),
                static_cast<long long>(to));
  // Input [planes, to, from], output [planes, from, to].
  measure(name, ait::permuteCopy<kSize, 3>, planes * from * to * kSize,
          {planes, from, to, from * to, 1, from, from * to, to, 1});
}

}  // namespace

int main() {
  measurePlanes<4>(1, 128, 128);
  measurePlanes<4>(1, 100, 100);
  measurePlanes<4>(1, 512, 512);
  measurePlanes<4>(1, 2048, 2048);
  measurePlanes<4>(12, 64, 128);
  measurePlanes<4>(1, 224 * 224, 3);
  measurePlanes<4>(1, 3, 224 * 224);
  measurePlanes<4>(1, 56 * 56, 64);
  measurePlanes<2>(1, 512, 512);
  measurePlanes<1>(1, 512, 512);
  measurePlanes<8>(1, 512, 512);
  measurePlanes<4>(4096, 4, 4);
}
