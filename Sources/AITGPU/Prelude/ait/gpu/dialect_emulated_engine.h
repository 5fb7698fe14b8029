// The seam between kernels that were compiled for the processor and the emulating driver that runs
// them: what a thread knows of itself, and what it asks of the driver.
//
// A thread of a block is a fiber. Its stack begins at a multiple of its size and holds, at the far
// end, a pointer to its `Thread`: so the dialect finds it without a variable of the system thread.
#pragma once

#include "ait/gpu/types.h"

namespace ait {
namespace emulated {

inline constexpr uintptr_t kStackSize = uintptr_t{1} << 17;
/// Changes with this file: an image of another version is refused.
inline constexpr int kVersion = 3;
/// Where a block's shared memory begins, as 32-bit addresses count it.
inline constexpr uint32_t kSharedBase = 1024;
/// The distance of the shared memories of a cluster's blocks in 32-bit addresses.
inline constexpr uint32_t kPeerDistance = 1u << 24;

struct Thread;

/// What the threads of a group do once together; `slots` holds what each has brought, by lane.
using Action = void (*)(Thread& thread, void* const* slots);

/// A product that a thread's warp group begins: sums += A B, or sums = A B, of 64 x K and K x
/// `columns`.
struct Product {
  /// columns / 2 numbers, of the thread.
  float* sums;
  int columns;
  /// The elements of K of an instruction, which take 32 bytes.
  int depth;
  /// 0 if A is in registers: the thread's four words.
  uint64_t a;
  uint64_t b;
  const uint32_t* registers;
  bool isATransposed;
  bool isBTransposed;
  bool accumulates;
  /// Converts an element.
  float (*convert)(const char* element);
  int elementSize;
};

enum class Touch : int { load, store };

/// What the driver does for a thread. Where a call has a `line`, it is that of the kernel's text:
/// lanes of a warp that meet in different lines have diverged.
struct Engine {
  /// Ends the launch with an error.
  void (*fail)(Thread&, const char* text);

  /// Waits until all threads of a warp (32) or a warp group (128) are here; the last to come acts
  /// for all. `word` is what they execute.
  void (*meet)(Thread&, int size, void* slot, Action action, const char* word, int line);
  /// A barrier of `count` threads of the block; 0 for all.
  void (*synchronize)(Thread&, int identity, int count, int line);
  /// Arrives at such a barrier and goes on.
  void (*arriveAtThreads)(Thread&, int identity, int count, int line);
  /// `ordersMemory`: whether it is more than a meeting.
  void (*synchronizeCluster)(Thread&, bool ordersMemory, int line);
  void (*arriveAtCluster)(Thread&, int line);
  void (*waitForCluster)(Thread&, int line);

  /// Fails unless memory of the device, or shared memory, may be touched so.
  void (*touchGlobal)(Thread&, const void* address, int bytes, Touch);
  void (*touchShared)(Thread&, const void* address, int bytes, Touch);

  void (*waitForPrerequisites)(Thread&);
  void (*launchDependents)(Thread&);

  void (*copyAsync)(Thread&, void* shared, const void* global, int bytes, int valid);
  void (*commitCopies)(Thread&);
  void (*waitForCopies)(Thread&, int pending);

  // Transfer barriers, of which `state` is what kernels give room for.
  void (*initializeBarrier)(Thread&, uint64_t* state, int count);
  /// `rank`: the block of the cluster at whose barrier, at the same place, the thread arrives.
  void (*arriveAtBarrier)(Thread&, uint64_t* state, uint32_t bytes, int rank);
  bool (*hasBarrierEnded)(Thread&, const uint64_t* state, uint32_t parity);
  void (*waitForBarrier)(Thread&, const uint64_t* state, uint32_t parity, int line);
  void (*publishBarriers)(Thread&);
  void (*publishSharedMemory)(Thread&);

  void (*copyToPeer)(Thread&, void* to, const void* from, int bytes, uint64_t* state, int rank);
  /// `peers`: a bit for every block of the cluster that receives the box; 0 for the thread's own.
  void (*copyTensor)(Thread&, int rank, void* to, const TensorMap&, uint64_t* state,
                     const int* position, uint32_t peers);
  /// The same of pixels of images, each moved by `offsets`.
  void (*copyPixels)(Thread&, int rank, void* to, const TensorMap&, uint64_t* state,
                     const int* position, const int* offsets, uint32_t peers);

  // Products of warp groups.
  void (*beginProducts)(Thread&, int line);
  void (*addProduct)(Thread&, const Product&, int line);
  void (*commitProducts)(Thread&, int line);
  void (*waitForProducts)(Thread&, int pending, int line);
  void (*setRegisters)(Thread&, int count, bool isMore, int line);
};

/// A thread of a block that runs.
struct Thread {
  const Engine* engine;
  /// The block's shared memory.
  char* shared;
  int64_t block;
  int64_t blockCount;
  int index;
  /// The block's place in its cluster.
  int rank;
};

/// The thread that asks.
inline Thread& thread() {
  const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return **reinterpret_cast<Thread**>((frame | (kStackSize - 1)) - 15);
}

/// What the driver is told of a kernel, as a cubin tells it.
struct KernelDescription {
  int version;
  int architecture;
  const void* function;
  uint64_t argumentSizeInBytes;
};

template <class Arguments>
constexpr uint64_t argumentSize(void (*)(const Arguments&)) {
  return sizeof(Arguments);
}

}  // namespace emulated
}  // namespace ait
