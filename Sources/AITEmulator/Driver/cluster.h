// The blocks of a cluster while they run: their threads as fibers, and what these wait for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
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
  /// The 64-byte lines that the launches wrote which may still run when this one begins.
  const std::unordered_set<uintptr_t>* earlierWrites;
  /// Those that this launch writes.
  mutable std::unordered_set<uintptr_t> writes;

  /// Whether launches overlap on the device.
  bool hasProgrammaticLaunches() const { return architecture >= 900; }

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

/// A copy of a thread to shared memory in the background.
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
  bool hasWaited = false;            // for prerequisites
  bool hasArrivedAtCluster = false;  // and has not waited yet, for the end of a phase:
  uint64_t clusterPhase = 0;
  /// What it waits for, for reports; "" while it runs.
  const char* waitsFor = "";
  int waitsAt = 0;  // the line, or the barrier's identity

  std::vector<PendingCopy> copies;
  std::vector<std::vector<PendingCopy>> committedCopies;
  /// How often it has published its writes of shared memory.
  int publications = 0;
};

/// A barrier of the threads of a block.
struct BlockBarrier {
  struct Arrival {
    Fiber* fiber;
    int line;
    bool waits;  // or has gone on
  };
  int count = 0;
  uint64_t phase = 0;  // how often all have come
  std::vector<Arrival> arrived;
};

/// What counts arrivals and bytes in shared memory.
struct PhaseBarrier {
  int count = 0;
  int arrivals = 0;   // that are still to come
  int64_t bytes = 0;  // that are still to come
  uint64_t phase = 0;
  bool isPublished = false;
  const Fiber* initializer = nullptr;
  std::vector<Fiber*> waiting;
};

/// Who wrote 16 bytes of shared memory last by ordinary stores, and its publications by then.
struct Writer {
  const Fiber* fiber = nullptr;
  int publications = 0;
};

/// A product of a warp in the background; defined beside the products.
struct WarpProducts;
struct WarpProductsDeleter {
  void operator()(WarpProducts* products) const;
};

struct Block {
  Cluster* cluster = nullptr;
  int rank = 0;
  char* shared = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Meeting> warps;
  std::vector<Meeting> warpgroups;
  BlockBarrier barriers[16];
  size_t unfinished = 0;
  /// The copies that are still to come, by 4 bytes of shared memory.
  std::vector<uint16_t> pendingWrites;
  /// By 16 bytes of shared memory.
  std::vector<Writer> writers;
  /// By offset in shared memory.
  std::map<size_t, PhaseBarrier> phaseBarriers;
  std::vector<std::unique_ptr<WarpProducts, WarpProductsDeleter>> products;
  /// What the products of warp groups have been, in order: all warps of a group begin the same.
  std::vector<std::vector<ait::emulated::Product>> productLogs;
  /// The registers of the threads of each warp group, where it has set them.
  std::vector<int> registers;
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
  /// Has work done in the background, at the latest when nothing else can go on.
  void defer(std::function<void()> work) { deferred_.push_back(std::move(work)); }
  /// Does one piece of that work, any; false if there is none.
  bool doDeferred();
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
  uint64_t nextRandom();

  std::vector<std::function<void()>> deferred_;
  uint64_t random_;
  size_t lastRegion_ = 0;
};

/// What fibers are given.
extern const ait::emulated::Engine engine;

inline Fiber& fiberOf(Thread& thread) { return static_cast<Fiber&>(thread); }

/// Where a fiber is: "block 3, thread 17".
std::string placeOf(const Fiber& fiber);

inline Cluster& clusterOf(Fiber& fiber) { return *fiber.owner->cluster; }

/// The offset of bytes of a block's shared memory that may be touched, aligned so.
size_t sharedOffset(Fiber& fiber, const void* address, size_t bytes, size_t alignment,
                    const char* what);
/// Fails if a copy is still to write there.
void checkPendingWrites(Fiber& fiber, Block& block, size_t offset, size_t bytes, const char* what);
/// Fails if ordinary stores to these bytes have not been published.
void checkPublished(Fiber& fiber, Block& block, size_t offset, size_t bytes, const char* what);
/// Fails if products in the background read these bytes.
void checkProductOperands(Fiber& fiber, Block& block, size_t offset, size_t bytes);
/// Notes that a copy is to write there, and poisons it.
void beginWrite(Block& block, size_t offset, size_t bytes);
void endWrite(Block& block, size_t offset, size_t bytes);
void noteWrite(Fiber& fiber, size_t offset, size_t bytes);
/// Fails if the thread may not read memory of the device yet, or there is none.
void checkGlobalRead(Fiber& fiber, const void* address, size_t bytes, const char* what);

// The engine's functions, by file.
void initializeBarrier(Thread&, uint64_t* state, int count);
void arriveAtBarrier(Thread&, uint64_t* state, uint32_t bytes, int rank);
bool hasBarrierEnded(Thread&, const uint64_t* state, uint32_t parity);
void waitForBarrier(Thread&, const uint64_t* state, uint32_t parity, int line);
void publishBarriers(Thread&);
void publishSharedMemory(Thread&);
void copyToPeer(Thread&, void* to, const void* from, int bytes, uint64_t* state, int rank);
void copyTensor(Thread&, int rank, void* to, const ait::TensorMap&, uint64_t* state,
                const int* position, uint32_t peers);
void copyPixels(Thread&, int rank, void* to, const ait::TensorMap&, uint64_t* state,
                const int* position, const int* offsets, uint32_t peers);
void meet(Thread&, int size, void* slot, ait::emulated::Action action, const char* word, int line);
void beginProducts(Thread&, int line);
void addProduct(Thread&, const ait::emulated::Product&, int line);
void commitProducts(Thread&, int line);
void waitForProducts(Thread&, int pending, int line);
void setRegisters(Thread&, int count, bool isMore, int line);
/// What a warp leaves undone; "" if nothing.
const char* unfinishedProducts(const Block& block);

}  // namespace emulator
