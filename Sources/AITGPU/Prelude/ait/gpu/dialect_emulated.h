// The dialect on the processor: kernels run without a GPU, slowly, and are watched. Threads of a
// block are fibers; what several of them do together, the last of them to come does for all, with
// the layouts that the PTX manual gives. Work in the background is done as late as may be, and its
// destination is poisoned until then, so that a wait that is missing shows.
//
// To add a word: let every lane bring a slot that holds its operands and its results, and let
// `forWarp` compute the results of all.
#pragma once

#include "ait/gpu/dialect_emulated_engine.h"

#define AIT_DEVICE inline
#define AIT_INLINE inline
#define AIT_UNROLL
#define AIT_NO_UNROLL

#define AIT_KERNEL(threads, blocks) extern "C" __attribute__((visibility("default"))) void
#define AIT_ARGUMENTS(...) const __VA_ARGS__&
/// Tells the driver of a kernel; follows its definition.
#define AIT_DESCRIBE_KERNEL(name)                                                               \
  extern "C" __attribute__((visibility("default")))                                             \
  const ait::emulated::KernelDescription name##_description = {                                 \
      ait::emulated::kVersion, AIT_EMULATED_ARCHITECTURE, reinterpret_cast<const void*>(&name), \
      ait::emulated::argumentSize(&name)};

namespace ait {

// MARK: - Places and order

inline constexpr int kWarpSize = 32;

AIT_DEVICE int threadIndex() { return emulated::thread().index; }
AIT_DEVICE int64_t blockIndex() { return emulated::thread().block; }
AIT_DEVICE int64_t blockCount() { return emulated::thread().blockCount; }
AIT_DEVICE int laneIndex() { return emulated::thread().index & 31; }

AIT_DEVICE void synchronizeBlock(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->synchronize(thread, 0, 0, line);
}
/// A barrier of `count` threads, a multiple of 32, with an identity from 1 to 15.
AIT_DEVICE void synchronizeThreads(int identity, int count, int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->synchronize(thread, identity, count, line);
}
AIT_DEVICE void arriveAtThreads(int identity, int count, int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->arriveAtThreads(thread, identity, count, line);
}

namespace emulated {

/// Has all lanes of a warp come together; the last computes the results of all slots.
template <class Slot>
inline void forWarp(Slot& slot, void (*action)(Thread& thread, void* const* slots),
                    const char* word, int line) {
  auto& self = thread();
  self.engine->meet(self, 32, &slot, action, word, line);
}

/// The slot that a lane has brought.
template <class Slot>
inline Slot& slotOf(void* const* slots, int lane) {
  return *static_cast<Slot*>(slots[lane]);
}

template <class T>
struct ShuffleSlot {
  T value;
  int operand;
  T result;
};

}  // namespace emulated

AIT_DEVICE void synchronizeWarp(int line = __builtin_LINE()) {
  int slot = 0;
  emulated::forWarp(slot, [](emulated::Thread&, void* const*) {}, "synchronizeWarp", line);
}

template <class T>
AIT_DEVICE T shuffleXor(T value, int mask, int line = __builtin_LINE()) {
  using Slot = emulated::ShuffleSlot<T>;
  Slot slot = {value, mask, value};
  emulated::forWarp(
      slot,
      [](emulated::Thread&, void* const* slots) {
        for (int lane = 0; lane < 32; ++lane) {
          Slot& own = emulated::slotOf<Slot>(slots, lane);
          own.result = emulated::slotOf<Slot>(slots, (lane ^ own.operand) & 31).value;
        }
      },
      "shuffleXor", line);
  return slot.result;
}
template <class T>
AIT_DEVICE T shuffle(T value, int from, int line = __builtin_LINE()) {
  using Slot = emulated::ShuffleSlot<T>;
  Slot slot = {value, from, value};
  emulated::forWarp(
      slot,
      [](emulated::Thread&, void* const* slots) {
        for (int lane = 0; lane < 32; ++lane) {
          Slot& own = emulated::slotOf<Slot>(slots, lane);
          own.result = emulated::slotOf<Slot>(slots, own.operand & 31).value;
        }
      },
      "shuffle", line);
  return slot.result;
}

/// A shuffle, as on a GPU: lanes that are elsewhere are missed.
AIT_DEVICE int warpIndex(int line = __builtin_LINE()) {
  return shuffle(emulated::thread().index >> 5, 0, line);
}

AIT_DEVICE void computeNow(int&) {}

AIT_DEVICE void trap() {
  auto& thread = emulated::thread();
  thread.engine->fail(thread, "it called trap()");
}

// MARK: - Launches

AIT_DEVICE void waitForPrerequisites() {
  auto& thread = emulated::thread();
  thread.engine->waitForPrerequisites(thread);
}
AIT_DEVICE void launchDependents() {
  auto& thread = emulated::thread();
  thread.engine->launchDependents(thread);
}

// MARK: - Memory

AIT_DEVICE char* dynamicSharedMemory() { return emulated::thread().shared; }

/// The 32-bit address of shared memory of the thread's own block.
AIT_DEVICE uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(static_cast<const char*>(pointer) - emulated::thread().shared) +
         emulated::kSharedBase;
}

template <int kBytes>
struct Words {
  uint32_t words[kBytes / 4];
};
template <>
struct Words<2> {
  uint16_t words[1];
};
template <>
struct Words<1> {
  uint8_t words[1];
};

enum class Reuse { likely, none };

namespace emulated {

inline void touchGlobal(const void* address, int bytes, Touch touch) {
  auto& self = thread();
  self.engine->touchGlobal(self, address, bytes, touch);
}
inline void touchShared(const void* address, int bytes, Touch touch) {
  auto& self = thread();
  self.engine->touchShared(self, address, bytes, touch);
}

}  // namespace emulated

template <int kBytes, Reuse kReuse = Reuse::likely>
AIT_DEVICE Words<kBytes> loadGlobal(const void* address) {
  emulated::touchGlobal(address, kBytes, emulated::Touch::load);
  Words<kBytes> x;
  __builtin_memcpy(&x, address, kBytes);
  return x;
}

template <int kBytes>
AIT_DEVICE void storeGlobal(void* address, const Words<kBytes>& x) {
  emulated::touchGlobal(address, kBytes, emulated::Touch::store);
  __builtin_memcpy(address, &x, kBytes);
}

template <int kCount>
AIT_DEVICE void loadShared(const float* address, float (&x)[kCount]) {
  static_assert(kCount == 4, "four floats are loaded at once");
  emulated::touchShared(address, 16, emulated::Touch::load);
  __builtin_memcpy(x, address, 16);
}
AIT_DEVICE void storeShared(float* address, float x, float y) {
  emulated::touchShared(address, 8, emulated::Touch::store);
  address[0] = x;
  address[1] = y;
}
AIT_DEVICE void storeShared(void* address, const Words<16>& x) {
  emulated::touchShared(address, 16, emulated::Touch::store);
  __builtin_memcpy(address, &x, 16);
}

/// Sets a flag in memory that the host sees as well; whether this thread is the first to.
AIT_DEVICE bool claimFlag(int32_t* flag) {
  return __atomic_exchange_n(flag, 1, __ATOMIC_ACQ_REL) == 0;
}
/// Orders what this thread has written for the host and all devices.
AIT_DEVICE void fenceSystem() { __atomic_thread_fence(__ATOMIC_ACQ_REL); }

// MARK: - Copies in the background

template <int kBytes>
AIT_DEVICE void copyAsync(void* shared, const void* global, int valid) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16, "a copy moves 4, 8 or 16 bytes");
  auto& thread = emulated::thread();
  thread.engine->copyAsync(thread, shared, global, kBytes, valid);
}
AIT_DEVICE void commitCopies() {
  auto& thread = emulated::thread();
  thread.engine->commitCopies(thread);
}
template <int kPending>
AIT_DEVICE void waitForCopies() {
  auto& thread = emulated::thread();
  thread.engine->waitForCopies(thread, kPending);
}

}  // namespace ait

#include "ait/gpu/dialect_emulated_matrices.h"

#if AIT_EMULATED_ARCHITECTURE >= 900
#include "ait/gpu/dialect_emulated_clusters.h"
#include "ait/gpu/dialect_emulated_warpgroups.h"
#endif
