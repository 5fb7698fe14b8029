// Bandwidth of softmax, normalisation and reductions beside memcpy, on one thread.
//
//   clang++ -std=c++17 -O3 -ffp-contract=fast -march=native -ISources/AITCPU/Prelude
//     -ISources/AITRuntime/include Benchmarks/native/rows_bench.cpp
//
// Bytes are those of the operands, each counted once. The time is the shortest of many runs, of the
// processor rather than the clock, so that other programs disturb little.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "ait/cpu/normalize.h"
#include "ait/cpu/reduce.h"
#include "ait/cpu/softmax.h"

namespace {

using namespace ait;

constexpr Access C = Access::contiguous;
constexpr Access U = Access::uniform;

struct Parameters {
  static constexpr double kEpsilon = 1e-5;
  static constexpr double kCorrection = 1;
  static constexpr double kOrder = 2;
};

struct Plain {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> x0) {
    return results(x0);
  }
};

struct Affine {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1, Vec<float, W> x2) {
    return results(mulAdd(x0, x1, x2));
  }
};

class Serial final : public ThreadPool {
 public:
  int32_t threadCount() const override { return 1; }
  void run(int64_t count, Task task, void* context) override {
    for (int64_t i = 0; i < count; ++i) task(context, i, 0);
  }
  void* scratch(int32_t) override { return scratch_; }

 private:
  void* scratch_ = std::aligned_alloc(64, kScratchSizeInBytes);
};

double seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The shortest time of one run.
template <class Body>
double shortest(Body&& body) {
  double best = 1e9;
  const double end = seconds() + 0.4;
  while (seconds() < end) {
    int runs = 1;
    double start = seconds();
    body();
    double time = seconds() - start;
    if (time < 1e-4) {
      runs = static_cast<int>(2e-4 / (time + 1e-8));
      start = seconds();
      for (int i = 0; i < runs; ++i) body();
      time = (seconds() - start) / runs;
    }
    if (time < best) best = time;
  }
  return best;
}

class Bench {
 public:
  /// Operands whose bytes are `sizesInBytes`; the last is written.
  void run(const char* name, KernelFunction kernel, std::vector<int64_t> sizes,
           const std::vector<int64_t>& sizesInBytes) {
    std::vector<void*> buffers;
    double bytes = 0;
    for (const int64_t size : sizesInBytes) {
      void* buffer = std::aligned_alloc(64, (size + 63) / 64 * 64);
      // 0x3c: small positive numbers in every format.
      std::memset(buffer, 0x3c, size);
      buffers.push_back(buffer);
      bytes += static_cast<double>(size);
    }
    const KernelContext context{buffers.data(), sizes.data(), nullptr, pool_};
    const double time = shortest([&] { kernel(context); });
    std::printf("%-44s %9.1f us %7.1f GB/s\n", name, time * 1e6, bytes / time * 1e-9);
    for (void* buffer : buffers) std::free(buffer);
  }

 private:
  Serial pool_;
};

void benchMemcpy(int64_t bytes) {
  std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes, 2);
  const double time = shortest([&] {
    std::memcpy(to.data(), from.data(), bytes);
    asm volatile("" ::"r"(to.data()) : "memory");
  });
  std::printf("memcpy of %6.2f MiB %34.1f us %7.1f GB/s\n", static_cast<double>(bytes) / (1 << 20),
              time * 1e6, 2.0 * static_cast<double>(bytes) / time * 1e-9);
}

template <class T>
void benchSoftmax(Bench& bench, const char* name, int64_t rows, int64_t columns) {
  const int64_t bytes = rows * columns * static_cast<int64_t>(sizeof(T));
  bench.run(name,
            softmax<Plain, Plain, Inputs<Operand<T, C>>, Inputs<>, Outputs<Operand<T, C>>, 1, false,
                    false>,
            {rows, columns, columns, 1, columns, 1}, {bytes, bytes});
}

template <class T>
void benchLayerNorm(Bench& bench, const char* name, int64_t rows, int64_t columns) {
  const int64_t width = columns * static_cast<int64_t>(sizeof(T));
  using O = Operand<T, C>;
  bench.run(name,
            normalize<Normalization::layer, Parameters, Plain, Affine, Inputs<O>, Inputs<O, O>,
                      Outputs<O>, 1, 1, false>,
            {rows, columns, columns, 1, 0, 1, 0, 1, columns, 1},
            {rows * width, width, width, rows * width});
}

template <class Tag, class T, class R>
void benchAlong(Bench& bench, const char* name, int64_t rows, int64_t columns) {
  bench.run(
      name,
      reduce<Tag, Parameters, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>, Outputs<Operand<R, U>>,
             1, 1, false>,
      {rows, columns, columns, 1, 1, 0},
      {rows * columns * static_cast<int64_t>(sizeof(T)), rows * static_cast<int64_t>(sizeof(R))});
}

template <class Tag, class T, class R>
void benchAcross(Bench& bench, const char* name, int64_t rows, int64_t columns) {
  bench.run(name,
            reduceAcross<Tag, Parameters, Plain, Plain, Inputs<Operand<T, C>>, Inputs<>,
                         Outputs<Operand<R, C>>, 1, 1, false>,
            {columns, rows, 1, columns, 1, 0},
            {rows * columns * static_cast<int64_t>(sizeof(T)),
             columns * static_cast<int64_t>(sizeof(R))});
}

}  // namespace

int main() {
  for (const int64_t bytes : {16 << 10, 256 << 10, 2 << 20, 16 << 20, 64 << 20}) benchMemcpy(bytes);
  Bench bench;
  benchSoftmax<float>(bench, "softmax f32 4096x1024", 4096, 1024);
  benchSoftmax<float>(bench, "softmax f32 64x1024", 64, 1024);
  benchSoftmax<float>(bench, "softmax f32 65536x16", 65536, 16);
  benchSoftmax<float>(bench, "softmax f32 1024x16", 1024, 16);
  benchSoftmax<float>(bench, "softmax f32 1024x10", 1024, 10);
  benchSoftmax<float>(bench, "softmax f32 1024x77", 1024, 77);
  benchSoftmax<float16>(bench, "softmax f16 4096x1024", 4096, 1024);
  benchSoftmax<float>(bench, "softmax f32 4x1048576", 4, 1 << 20);
  bench.run("softmax across f32 64x128x256 (axis 1)",
            softmaxAcross<Plain, Plain, Inputs<Operand<float, C>>, Inputs<>,
                          Outputs<Operand<float, C>>, 2, false, false>,
            {64, 256, 128, 128 * 256, 1, 256, 128 * 256, 1, 256}, {8 << 20, 8 << 20});
  benchLayerNorm<float>(bench, "layer norm f32 1024x512", 1024, 512);
  benchLayerNorm<float16>(bench, "layer norm f16 1024x512", 1024, 512);
  benchLayerNorm<float>(bench, "layer norm f32 64x512", 64, 512);
  benchLayerNorm<float>(bench, "layer norm f32 8192x1024", 8192, 1024);
  benchLayerNorm<float16>(bench, "layer norm f16 8192x1024", 8192, 1024);
  benchLayerNorm<float>(bench, "layer norm f32 1024x64", 1024, 64);
  benchLayerNorm<float>(bench, "layer norm f32 1024x49", 1024, 49);
  benchAlong<Sum, float, float>(bench, "sum of rows f32 4096x4096", 4096, 4096);
  benchAcross<Sum, float, float>(bench, "sum of columns f32 4096x4096", 4096, 4096);
  benchAlong<Sum, float, float>(bench, "sum of rows f32 16x4096", 16, 4096);
  benchAcross<Sum, float, float>(bench, "sum of columns f32 64x1024", 64, 1024);
  benchAlong<Sum, float, float>(bench, "sum of all f32 16M", 1, 1 << 24);
  benchAlong<Sum, float16, float16>(bench, "sum of rows f16 1024x4096", 1024, 4096);
  benchAlong<Sum, int8_t, int64_t>(bench, "sum of rows i8 64x4096", 64, 4096);
  benchAlong<Sum, float, float>(bench, "sum of rows f32 4096x16", 4096, 16);
  benchAlong<Sum, float, float>(bench, "sum of rows f32 2048x49", 2048, 49);
  benchAcross<Sum, float, float>(bench, "sum of columns f32 16384x4", 16384, 4);
  benchAlong<Maximum, float, float>(bench, "maximum of rows f32 16x4096", 16, 4096);
  benchAlong<ArgMaximum, float, int64_t>(bench, "argmax of rows f32 16x4096", 16, 4096);
  benchAcross<ArgMaximum, float, int64_t>(bench, "argmax of columns f32 64x1024", 64, 1024);
  benchAlong<Variance, float, float>(bench, "variance of rows f32 16x4096", 16, 4096);
  benchAcross<Variance, float, float>(bench, "variance of columns f32 64x1024", 64, 1024);
  benchAlong<Variance, float, float>(bench, "variance of rows f32 4096x16", 4096, 16);
  benchAlong<LogSumExp, float, float>(bench, "log sum exp of rows f32 16x4096", 16, 4096);
  benchAlong<LogSumExp, float, float>(bench, "log sum exp of rows f32 4096x16", 4096, 16);
  benchAlong<Norm, float, float>(bench, "norm of rows f32 16x4096", 16, 4096);
  benchAlong<Any, bool, bool>(bench, "any of rows bool 16x4096", 16, 4096);
}
