// What benchmarks of products share: memory, threads, and the limits of the machine.
#pragma once

#include "ait/cpu/matmul_tile.h"
#include "ait/kernel.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace bench {

using namespace ait;

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
using Buffer = std::unique_ptr<T[], decltype(&std::free)>;

template <class T>
Buffer<T> allocate(int64_t count) {
  const int64_t bytes = (std::max<int64_t>(count, 1) * sizeof(T) + 63) / 64 * 64;
  return Buffer<T>(static_cast<T*>(std::aligned_alloc(64, bytes)), &std::free);
}

// MARK: - Threads

/// Threads that spin between loops, so that the time to wake them is not measured.
class SpinningPool final : public ThreadPool {
 public:
  explicit SpinningPool(int32_t threads) {
    for (int32_t thread = 0; thread < threads; ++thread) {
      scratch_.push_back(allocate<char>(kScratchSizeInBytes));
      std::memset(scratch_.back().get(), 0, kScratchSizeInBytes);
    }
    for (int32_t thread = 1; thread < threads; ++thread) {
      workers_.emplace_back([this, thread] { work(thread); });
    }
  }

  ~SpinningPool() override {
    stops_ = true;
    generation_.fetch_add(1);
    for (std::thread& worker : workers_) worker.join();
  }

  int32_t threadCount() const override { return static_cast<int32_t>(scratch_.size()); }

  void run(int64_t count, Task task, void* context) override {
    count_ = count;
    task_ = task;
    context_ = context;
    next_ = 0;
    running_ = static_cast<int32_t>(workers_.size());
    generation_.fetch_add(1);
    takeIndices(0);
    while (running_.load() != 0) _mm_pause();
  }

  void* scratch(int32_t thread) override { return scratch_[thread].get(); }

 private:
  void work(int32_t thread) {
    for (int64_t seen = 0;;) {
      while (generation_.load() == seen) _mm_pause();
      ++seen;
      if (stops_) return;
      takeIndices(thread);
      running_.fetch_sub(1);
    }
  }

  void takeIndices(int32_t thread) {
    for (int64_t index = next_++; index < count_; index = next_++) task_(context_, index, thread);
  }

  std::vector<Buffer<char>> scratch_;
  std::vector<std::thread> workers_;
  std::atomic<int64_t> generation_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<int32_t> running_{0};
  std::atomic<bool> stops_{false};
  int64_t count_ = 0;
  Task task_ = nullptr;
  void* context_ = nullptr;
};

// MARK: - Limits of the machine

/// Multiply-adds on registers alone, on every thread; in GFLOP/s.
template <class T>
double measurePeak(ThreadPool& pool) {
  using Tile = MatmulTile<T>;
  constexpr int kChains = 12;
  constexpr int kRounds = 12000;
  const double start = seconds();
  parallelFor(pool, pool.threadCount(), [](int64_t, int32_t) {
    Vec<T, Tile::kLanes> sums[kChains];
    for (int i = 0; i < kChains; ++i) sums[i] = broadcast<Tile::kLanes>(static_cast<T>(i));
    const auto factor = broadcast<Tile::kLanes>(static_cast<T>(0.999));
    for (int round = 0; round < kRounds; ++round) {
#pragma clang loop unroll(full)
      for (int i = 0; i < kChains; ++i) sums[i] = mulAdd(sums[i], factor, factor);
#pragma clang loop unroll(full)
      for (int i = 0; i < kChains; ++i) asm volatile("" : "+v"(sums[i].native));
    }
  });
  const double flops = 2.0 * pool.threadCount() * kRounds * kChains * Tile::kLanes;
  return flops / (seconds() - start) / 1e9;
}

/// Reads `bytes` bytes once, on every thread; in GB/s.
inline double measureBandwidth(ThreadPool& pool, const char* memory, int64_t bytes) {
  constexpr int64_t kPiece = int64_t{256} << 10;
  const double start = seconds();
  parallelFor(pool, bytes / kPiece, [&](int64_t piece, int32_t) {
    const auto* from = reinterpret_cast<const int32_t*>(memory + piece * kPiece);
    Vec<int32_t, kLanes> sums[4] = {};
    for (int64_t i = 0; i < kPiece / 4; i += 4 * kLanes) {
#pragma clang loop unroll(full)
      for (int j = 0; j < 4; ++j) sums[j] += load<int32_t, kLanes>(from + i + j * kLanes);
    }
    for (int j = 0; j < 4; ++j) asm volatile("" : : "v"(sums[j].native));
  });
  return bytes / (seconds() - start) / 1e9;
}

// MARK: - Operands

template <class T>
void fill(T* elements, int64_t count) {
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525 + 1013904223;
    elements[i] = toStorage<T>(static_cast<ComputeType<T>>((state >> 8) * 0x1p-23 - 1));
  }
}

}  // namespace bench
