// The blocks of a cluster while they run: their threads as fibers, and what these wait for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ait/gpu/dialect_emulated_engine.h"

namespace emulator {

using ait::emulated::Thread;
using ait::emulated::Touch;

struct Block;
class Cluster;

/// Memory that kernels may touch.
struct Region {
  uintptr_t begin;
  uintptr_t end;
};

/// A launch of a kernel.
struct Grid {
  std::string kernel;
  void (*function)(const void* arguments);
  const void* arguments;
  int architecture;
  int64_t blocks;
  int threads;
  int sharedSizeInBytes;
  int clusterSize;
  bool overlapsPrevious;
  /// In ascending order.
  std::vector<Region> regions;

  /// Runs all blocks.
  ///
  /// Returns what went wrong, "" if nothing did.
  std::string run();
};

/// Lanes that come together.
struct Meeting {
  std::vector<void*> slots;
  std::vector<struct Fiber*> arrived;
  ait::emulated::Action action = nullptr;
  const char* word = nullptr;
  int line = 0;
};

/// A copy to shared memory in the background.
struct PendingCopy {
  char* to;
  int bytes;
  unsigned char data[16];
};

struct Fiber : Thread {
  Block* owner = nullptr;
  char* stack = nullptr;
  void* saved = nullptr;
  bool isFinished = false;
  bool hasWaited = false;  // for prerequisites
  /// What it waits for, for reports; "" while it runs.
  const char* waitsFor = "";
  int waitsAt = 0;  // the line, or the barrier's identity

  std::vector<PendingCopy> copies;
  std::vector<std::vector<PendingCopy>> committedCopies;
};

/// A barrier of the threads of a block.
struct BlockBarrier {
  int count = 0;
  std::vector<Fiber*> arrived;
  std::vector<int> lines;
};

struct Block {
  Cluster* cluster = nullptr;
  int rank = 0;
  char* shared = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Meeting> warps;
  std::vector<Meeting> warpgroups;
  BlockBarrier barriers[16];
  /// The copies that are still to come, by 4 bytes of shared memory.
  std::vector<uint16_t> pendingWrites;
};

class Cluster {
 public:
  Cluster(const Grid& grid, int64_t index);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Runs the blocks to their ends; false if something went wrong.
  bool run();
  const std::string& failure() const { return failure_; }

  // What fibers call.

  /// Lets others run until the fiber is made ready again.
  void wait(Fiber& fiber, const char* what, int at);
  void makeReady(Fiber& fiber) { ready_.push_back(&fiber); }
  /// Ends the launch: does not return.
  [[noreturn]] void fail(Fiber& fiber, const std::string& text);
  [[noreturn]] void finish(Fiber& fiber);

  const Grid& grid() const { return grid_; }
  Block& block(int rank) { return *blocks_[static_cast<size_t>(rank)]; }
  BlockBarrier& barrier() { return barrier_; }
  /// The region that holds an address; the last one that was found is tried first.
  bool isInRegions(uintptr_t address, size_t bytes);

 private:
  void resume(Fiber& fiber);
  std::string deadlock() const;

  const Grid& grid_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<Fiber*> ready_;
  BlockBarrier barrier_;  // of the cluster
  size_t unfinished_ = 0;
  void* scheduler_ = nullptr;
  std::string failure_;
  uint64_t random_;
  size_t lastRegion_ = 0;
};

/// What fibers are given.
extern const ait::emulated::Engine engine;

inline Fiber& fiberOf(Thread& thread) { return static_cast<Fiber&>(thread); }

/// Where a fiber is: "block 3, thread 17".
std::string placeOf(const Fiber& fiber);

}  // namespace emulator
