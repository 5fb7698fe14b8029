// The speed of matmul, as a share of what this machine's FMA units and memory reach.
//
//   make -C Benchmarks/native matmul
//   matmul_bench [--quick] [--threads N] [--only TEXT] [--patience SECONDS]
//
// Every figure is the best of many runs, with the measurement of the peak between them: on a
// shared machine both are disturbed alike, and the best run is the least disturbed one.
#include "bench.h"

#include "ait/cpu/math.h"
#include "ait/cpu/matmul.h"

#include <cstdio>
#include <string>

namespace {

using namespace ait;
using namespace bench;

// MARK: - Products

struct Identity {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> sum) {
    return results(sum);
  }
};

struct BiasRelu {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> sum, Vec<float, W> bias) {
    return results(maximum(sum + bias, broadcast<W>(0.0f)));
  }
};

struct BiasGelu {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> sum, Vec<float, W> bias) {
    const auto x = sum + bias;
    const auto one = constant<float, W>(1);
    return results(x * constant<float, W>(0.5f) *
                   (erf(x * constant<float, W>(0x1.6a09e6p-1f)) + one));
  }
};

struct Options {
  bool quick = false;
  /// Seconds to wait for the machine to be quiet, for each row of the table.
  double patience = 5;
  std::vector<int> threads = {1, 2};
  std::string only;
};

template <class T>
constexpr const char* kName = "f32";
template <>
constexpr const char* kName<float16> = "f16";
template <>
constexpr const char* kName<bfloat16> = "bf16";
template <>
constexpr const char* kName<double> = "f64";

/// The most that one thread reached so far.
template <class T>
double bestPeakOfThread = 0;

/// Measures one product; `run` executes it once.
template <class T, class Run>
void report(const Options& options, const std::string& name, int64_t M, int64_t N, int64_t K,
            int64_t memoryBytes, int64_t weightBytes, const char* memory, SpinningPool& pool,
            Run run) {
  const double flops = 2.0 * M * N * K;
  const bool isBound = M <= 4;
  double peak = 0;
  double bandwidth = 0;
  double best = 1e30;
  const double start = seconds();
  const double budget = options.quick ? 0.15 : 0.6;
  run();
  int quietRounds = 0;
  int64_t slice = 0;
  while (quietRounds < 8 || seconds() - start < budget) {
    if (seconds() - start > options.patience) break;
    const double before = measurePeak<T>(pool);
    if (isBound) {
      // As much at a time as one product reads, of memory as warm or cold as its weights.
      const char* from = memory + slice++ * weightBytes % memoryBytes;
      bandwidth = std::max(bandwidth, measureBandwidth(pool, from, weightBytes));
    }
    const int runs = flops < 2e7 ? 10 : 1;
    for (int i = 0; i < runs; ++i) {
      const double begin = seconds();
      run();
      best = std::min(best, seconds() - begin);
    }
    const double after = measurePeak<T>(pool);
    peak = std::max({peak, before, after});
    bestPeakOfThread<T> = std::max(bestPeakOfThread<T>, peak / pool.threadCount());
    // Rounds between two undisturbed measurements of the peak are what is waited for.
    quietRounds += std::min(before, after) > 0.95 * pool.threadCount() * bestPeakOfThread<T>;
  }
  const double rate = flops / best / 1e9;
  std::printf("| %-26s | %5ld x %5ld x %5ld | %d | %9.4f | %7.1f | %6.1f | %5.1f %% |",
              name.c_str(), static_cast<long>(M), static_cast<long>(N), static_cast<long>(K),
              pool.threadCount(), best * 1e3, rate, peak, 100 * rate / peak);
  if (isBound) {
    const double reached = weightBytes / best / 1e9;
    std::printf(" %6.1f | %6.1f | %5.1f %% |", reached, bandwidth, 100 * reached / bandwidth);
  }
  std::printf("\n");
  std::fflush(stdout);
}

enum class BLayout { packed, rows, columns };

/// Whether B is in a cache from the run before, or comes from memory, as the weights of a model
/// that is larger than the caches do.
enum class Weights { warm, cold };

/// A product with A [M, K] row-major and B packed, [K, N] or [N, K] row-major.
template <class AElement, class BElement, BLayout layout, class Body, class In>
void measure(const Options& options, const char* what, int64_t M, int64_t N, int64_t K,
             Weights weights = Weights::warm) {
  using Config = MatmulConfig<AElement, BElement,
                              layout == BLayout::packed ? Packing::packed : Packing::strided>;
  using Tile = typename Config::Tile;
  using Out = Outputs<Operand<AElement, Access::contiguous>>;
  const std::string name = std::string(kName<AElement>) + " " + kName<BElement> + " " + what;
  if (name.find(options.only) == std::string::npos) return;
  const int64_t bCount =
      layout == BLayout::packed ? packedElementCount(K, N, Tile::kColumns) : K * N;
  auto a = allocate<AElement>(M * K);
  const int64_t bBytes = bCount * sizeof(BElement);
  const int64_t copies = weights == Weights::cold ? (int64_t{160} << 20) / bBytes + 1 : 1;
  auto b = allocate<BElement>(bCount * copies);
  auto bias = allocate<AElement>(N);
  auto c = allocate<AElement>(M * N);
  fill(a.get(), M * K);
  fill(b.get(), bCount * copies);
  fill(bias.get(), N);
  fill(c.get(), M * N);
  constexpr bool kHasBias = In::kCount == 1;
  std::vector<void*> buffers = {a.get(), b.get()};
  std::vector<int64_t> sizes = {M, N, K, K, 1};
  if (layout == BLayout::columns) {
    sizes.insert(sizes.end(), {1, K});
  } else {
    sizes.insert(sizes.end(), {N, 1});
  }
  if (kHasBias) {
    buffers.push_back(bias.get());
    sizes.insert(sizes.end(), {0, 1});
  }
  buffers.push_back(c.get());
  sizes.insert(sizes.end(), {N, 1});
  int64_t copy = 0;
  for (const int threads : options.threads) {
    SpinningPool pool(threads);
    report<typename Tile::Accumulator>(
        options, name, M, N, K, bBytes * copies, bBytes, reinterpret_cast<char*>(b.get()), pool,
        [&] {
          buffers[1] = b.get() + copy++ % copies * bCount;
          matmul<Config, Body, In, Out>(KernelContext{buffers.data(), sizes.data(), nullptr, pool});
        });
  }
}

template <class A, class B, BLayout layout>
void measurePlain(const Options& options, const char* what, int64_t M, int64_t N, int64_t K,
                  Weights weights = Weights::warm) {
  measure<A, B, layout, Identity, Inputs<>>(options, what, M, N, K, weights);
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--quick") options.quick = true;
    if (argument == "--threads" && i + 1 < count) options.threads = {std::atoi(arguments[++i])};
    if (argument == "--patience" && i + 1 < count) options.patience = std::atof(arguments[++i]);
    if (argument == "--only" && i + 1 < count) options.only = arguments[++i];
  }
  std::printf("tile %d x %d\n\n", MatmulTile<float>::kRows, MatmulTile<float>::kColumns);
  std::printf("| %-26s | %-21s | T | %9s | %7s | %6s | %7s | weights GB/s, memory GB/s, share\n",
              "A, B", "M x N x K", "ms", "GFLOP/s", "peak", "share");
  std::printf("| --- | --- | --- | --- | --- | --- | --- |\n");
  using BiasInputs = Inputs<Operand<float, Access::contiguous>>;

  std::vector<int64_t> squares = {256, 384, 512, 768, 1024, 1536, 2048};
  std::vector<int64_t> widths = {512, 768, 1024, 2048};
  if (options.quick) {
    squares = {256, 512, 1024};
    widths = {512, 2048};
  }
  for (const int64_t n : squares) {
    measure<float, float, BLayout::packed, BiasRelu, BiasInputs>(options, "packed, bias", n, n, n);
  }
  // The products of the tutorial.
  for (const int64_t M : {1, 32, 1024}) {
    measure<float, float, BLayout::packed, BiasGelu, BiasInputs>(options, "packed, bias, gelu", M,
                                                                 2048, 512);
    measure<float, float, BLayout::packed, BiasRelu, BiasInputs>(options, "packed, bias", M, 512,
                                                                 2048);
  }
  for (const int64_t M : {2, 4, 8, 12, 16, 32, 64}) {
    for (const int64_t n : widths) {
      measure<float, float, BLayout::packed, BiasRelu, BiasInputs>(options, "packed, bias", M, n,
                                                                   n);
    }
  }
  for (const int64_t M : {1, 2, 4, 8, 12, 16, 32, 64, 128}) {
    measurePlain<float, float, BLayout::packed>(options, "packed, cold", M, 2048, 2048,
                                                Weights::cold);
    measurePlain<float16, float16, BLayout::packed>(options, "packed, cold", M, 2048, 2048,
                                                    Weights::cold);
  }
  // 4 MiB and 16 MiB stay in the L3 cache, the rest comes from memory.
  for (const int64_t n : {1024, 2048, 4096, 6144}) {
    measurePlain<float, float, BLayout::packed>(options, "packed", 1, n, n);
    measurePlain<float16, float16, BLayout::packed>(options, "packed", 1, n, n);
    measurePlain<bfloat16, bfloat16, BLayout::packed>(options, "packed", 1, n, n);
  }
  measurePlain<float, float, BLayout::packed>(options, "packed", 1, 64, 16384);
  for (const int64_t n : squares) {
    measurePlain<float, float, BLayout::rows>(options, "strided kn", n, n, n);
    measurePlain<float, float, BLayout::columns>(options, "strided nk", n, n, n);
    measurePlain<float16, float16, BLayout::packed>(options, "packed", n, n, n);
    measurePlain<bfloat16, bfloat16, BLayout::packed>(options, "packed", n, n, n);
    measurePlain<double, double, BLayout::packed>(options, "packed", n, n, n);
  }
  // Attention: 64 is the length of a head.
  measurePlain<float, float, BLayout::columns>(options, "strided nk", 512, 512, 64);
  measurePlain<float, float, BLayout::rows>(options, "strided kn", 512, 64, 512);
  for (const int64_t M : {8, 32}) {
    for (const int64_t n : widths) {
      measurePlain<float16, float16, BLayout::packed>(options, "packed", M, n, n);
      measurePlain<bfloat16, bfloat16, BLayout::packed>(options, "packed", M, n, n);
    }
  }
}
