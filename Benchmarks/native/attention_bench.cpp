// The speed of attention, as a share of what this machine's FMA units or memory reach.
//
//   make -C Benchmarks/native attention
//   attention_bench [--threads N] [--only TEXT]
//
// Q, K and V are parts of one [batch, length, 3, heads, width] tensor, and the result is [batch,
// length, heads, width], as in models. Figures are the best of many runs, with the measurement of
// the peak between them; the share counts the two products alone. Decoding is measured with K and V
// beyond the caches and compared with the bandwidth of reading.
#include "bench.h"

#include "ait/cpu/attention.h"

#include <cstdio>
#include <string>

namespace {

using namespace ait;
using namespace bench;

template <class T, bool isCausal>
struct Config : AttentionConfig<T, void, 2, isCausal, false> {
  static constexpr float kScale = 0.125f;
};

struct Shape {
  const char* name;
  int64_t batch, heads, keyHeads, queries, keys, width;
};

constexpr Shape kShapes[] = {
    {"bert-base", 1, 12, 12, 128, 128, 64}, {"vit-b", 1, 12, 12, 197, 197, 64},
    {"long", 1, 12, 12, 1024, 1024, 64},    {"wide", 1, 4, 4, 512, 512, 128},
    {"narrow", 1, 12, 12, 256, 256, 32},    {"widest", 1, 2, 2, 512, 512, 256},
    {"decode", 8, 12, 12, 1, 1024, 64},     {"decode-gqa", 8, 32, 8, 1, 1024, 128},
};

std::string only;

template <class T, bool isCausal>
void report(const Shape& s, const char* type, SpinningPool& pool) {
  const std::string name = std::string(s.name) + " " + type + (isCausal ? " causal" : "");
  if (name.find(only) == std::string::npos) return;
  const int64_t queryRow = (s.heads + 2 * s.keyHeads) * s.width;
  const int64_t keyRow = s.queries == s.keys ? queryRow : 2 * s.keyHeads * s.width;
  const bool isJoined = s.queries == s.keys;
  const auto q = allocate<T>(s.batch * s.queries * queryRow);
  const auto cache = allocate<T>(isJoined ? 1 : s.batch * s.keys * keyRow);
  const auto result = allocate<T>(s.batch * s.queries * s.heads * s.width);
  fill(q.get(), s.batch * s.queries * queryRow);
  if (!isJoined) fill(cache.get(), s.batch * s.keys * keyRow);
  T* k = isJoined ? q.get() + s.heads * s.width : cache.get();
  T* v = k + s.keyHeads * s.width;
  const int64_t group = s.heads / s.keyHeads;
  const int64_t outRow = s.heads * s.width;
  const int64_t sizes[] = {
      s.batch,
      s.keyHeads,
      group,
      s.queries,
      s.keys,
      s.width,
      s.width,
      s.queries * queryRow,
      group * s.width,
      s.width,
      queryRow,
      1,  // Q
      s.keys * keyRow,
      s.width,
      0,
      keyRow,
      1,  // K
      s.keys * keyRow,
      s.width,
      0,
      keyRow,
      1,  // V
      s.queries * outRow,
      group * s.width,
      s.width,
      outRow,
      1,
  };
  void* buffers[] = {q.get(), k, v, result.get()};
  const KernelContext context{buffers, sizes, nullptr, pool};
  double peak = 0;
  double bandwidth = 0;
  double best = 1e30;
  const auto memory = allocate<char>(int64_t{64} << 20);
  std::memset(memory.get(), 1, int64_t{64} << 20);
  const bool isBound = s.queries == 1;
  attention<Config<T, isCausal>>(context);
  const double start = seconds();
  while (seconds() - start < 1.0) {
    if (isBound) {
      bandwidth = std::max(bandwidth, measureBandwidth(pool, memory.get(), int64_t{64} << 20));
    } else {
      peak = std::max(peak, measurePeak<float>(pool));
    }
    for (int i = 0; i < 10; ++i) {
      const double before = seconds();
      attention<Config<T, isCausal>>(context);
      best = std::min(best, seconds() - before);
    }
  }
  const double share = isCausal ? 0.5 * (1 + 1.0 / s.queries) : 1;
  const double flops = 4.0 * s.batch * s.heads * s.queries * s.keys * s.width * share;
  const double bytes = 2.0 * sizeof(T) * s.batch * s.keyHeads * s.keys * s.width;
  if (isBound) {
    std::printf("%-24s %9.3f ms %8.1f GB/s  %3.0f %% of %.0f\n", name.c_str(), best * 1e3,
                bytes / best / 1e9, 100 * bytes / best / 1e9 / bandwidth, bandwidth);
  } else {
    std::printf("%-24s %9.3f ms %8.1f GF/s  %3.0f %% of %.0f\n", name.c_str(), best * 1e3,
                flops / best / 1e9, 100 * flops / best / 1e9 / peak, peak);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  int threads = 1;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--threads" && i + 1 < count) threads = std::atoi(arguments[++i]);
    if (argument == "--only" && i + 1 < count) only = arguments[++i];
  }
  SpinningPool pool(threads);
  for (const Shape& shape : kShapes) {
    report<float, false>(shape, "f32", pool);
    if (shape.queries > 1) report<float, true>(shape, "f32", pool);
    report<bfloat16, false>(shape, "bf16", pool);
  }
}
