// Kernels that break a rule each, and one that breaks none of a kind beside them.
#include "ait/gpu/dialect.h"
#include "misuse.h"

using namespace ait;
using misuse::Arguments;

namespace {

AIT_DEVICE float load(const float* address) {
  const auto x = loadGlobal<4>(address);
  float value;
  __builtin_memcpy(&value, &x, 4);
  return value;
}
AIT_DEVICE void store(float* address, float value) {
  Words<4> x;
  __builtin_memcpy(&x, &value, 4);
  storeGlobal(address, x);
}
AIT_DEVICE float* numbers() { return reinterpret_cast<float*>(dynamicSharedMemory()); }
AIT_DEVICE TransferBarrier& barrier() {
  return *reinterpret_cast<TransferBarrier*>(dynamicSharedMemory() + 16384);
}

/// Has thread 0 initialise the barrier, and all know it.
AIT_DEVICE void prepareBarrier(int count = 1) {
  if (threadIndex() == 0) {
    barrier().initialize(count);
    publishBarriers();
  }
  synchronizeBlock();
}
/// Has the engine copy a box of 64 x 16 elements to the beginning of shared memory.
AIT_DEVICE void copyBox(const Arguments& arguments, uint32_t bytes = 2048) {
  barrier().arriveExpecting(bytes);
  const int position[5] = {0, 0, 0, 0, 0};
  copyTensor<2, false>(dynamicSharedMemory(), arguments.map, barrier(), position, 0);
}
/// Writes 16 KB of zeros by stores.
AIT_DEVICE void clear() {
  const Words<16> zeros = {};
  for (int at = threadIndex() * 16; at < 16384; at += 128 * 16) {
    storeShared(dynamicSharedMemory() + at, zeros);
  }
}
AIT_DEVICE void beginProduct(float (&sums)[16]) {
  const auto a = SharedMatrix::alongK(dynamicSharedMemory());
  const auto b = SharedMatrix::alongK(dynamicSharedMemory() + 8192);
  WarpgroupProduct<32>::add<float16, Major::k, Major::k>(sums, a, b);
}
AIT_DEVICE void storeAll(const Arguments& arguments, const float (&sums)[16]) {
  for (int i = 0; i < 16; ++i) store(arguments.out + threadIndex() * 16 + i, sums[i]);
}

}  // namespace

#define MISUSE(name)                                            \
  AIT_DEVICE void name##_body(const Arguments& arguments);      \
  AIT_KERNEL(128, 1) name(AIT_ARGUMENTS(Arguments) arguments) { \
    waitForPrerequisites();                                     \
    name##_body(arguments);                                     \
  }                                                             \
  AIT_DESCRIBE_KERNEL(name)                                     \
  AIT_DEVICE void name##_body([[maybe_unused]] const Arguments& arguments)

// MARK: - Order

MISUSE(barrier_right) {
  numbers()[threadIndex()] = 1;
  synchronizeBlock();
  store(arguments.out + threadIndex(), numbers()[127 - threadIndex()]);
}
MISUSE(barrier_missing) {
  numbers()[threadIndex()] = 1;
  store(arguments.out + threadIndex(), numbers()[127 - threadIndex()]);
}
MISUSE(barrier_of_some) {
  if (threadIndex() < 64) synchronizeBlock();
}
MISUSE(barrier_diverged) {
  if (laneIndex() < 16) {
    synchronizeBlock();
  } else {
    synchronizeBlock();
  }
}
MISUSE(barrier_counts) { synchronizeThreads(1, threadIndex() < 64 ? 64 : 96); }
MISUSE(shuffle_right) {
  store(arguments.out + threadIndex(), shuffleXor(static_cast<float>(laneIndex()), 1));
}
MISUSE(shuffle_of_some) {
  if (laneIndex() != 5) shuffleXor(1.0f, 1);
}
MISUSE(shuffle_diverged) {
  if (laneIndex() < 16) {
    shuffleXor(1.0f, 1);
  } else {
    shuffleXor(1.0f, 2);
  }
}

// MARK: - Memory

MISUSE(load_outside) { load(arguments.in + misuse::kCount + threadIndex()); }
MISUSE(store_outside) { store(arguments.out - 1, 0); }
MISUSE(load_misaligned) { loadGlobal<16>(reinterpret_cast<const char*>(arguments.in) + 8); }
MISUSE(shared_outside) { storeShared(dynamicSharedMemory() + misuse::kSharedBytes, Words<16>{}); }
MISUSE(shared_misaligned) { storeShared(dynamicSharedMemory() + 8, Words<16>{}); }
MISUSE(shared_behind) { numbers()[misuse::kSharedBytes / 4 + 1] = 0; }

// MARK: - Copies of threads

MISUSE(copy_right) {
  copyAsync<16>(numbers() + threadIndex() * 4, arguments.in + threadIndex() * 4, 16);
  commitCopies();
  waitForCopies<0>();
  synchronizeBlock();
  store(arguments.out + threadIndex(), numbers()[127 - threadIndex()]);
}
MISUSE(copy_not_waited) {
  copyAsync<16>(numbers() + threadIndex() * 4, arguments.in + threadIndex() * 4, 16);
  commitCopies();
  waitForCopies<1>();
  synchronizeBlock();
  store(arguments.out + threadIndex(), numbers()[127 - threadIndex()]);
  waitForCopies<0>();
}
MISUSE(copy_loaded_early) {
  copyAsync<16>(numbers() + threadIndex() * 4, arguments.in + threadIndex() * 4, 16);
  commitCopies();
  float x[4];
  loadShared(numbers() + threadIndex() * 4, x);
  waitForCopies<0>();
}
MISUSE(copy_left) {
  copyAsync<16>(numbers() + threadIndex() * 4, arguments.in + threadIndex() * 4, 16);
  commitCopies();
}

// MARK: - Transfer barriers and tensor copies

MISUSE(box_right) {
  prepareBarrier();
  if (threadIndex() == 0) copyBox(arguments);
  barrier().wait(0);
  float x[4];
  loadShared(numbers() + threadIndex() * 4, x);
  store(arguments.out + threadIndex(), x[0]);
}
MISUSE(box_wrong_phase) {
  prepareBarrier();
  if (threadIndex() == 0) copyBox(arguments);
  barrier().wait(1);
  float x[4];
  loadShared(numbers() + threadIndex() * 4, x);
}
MISUSE(box_too_many_bytes) {
  prepareBarrier();
  if (threadIndex() == 0) copyBox(arguments, 4096);
  barrier().wait(0);
}
MISUSE(box_twice) {
  prepareBarrier();
  if (threadIndex() == 0) {
    copyBox(arguments, 4096);
    const int position[5] = {0, 0, 0, 0, 0};
    copyTensor<2, false>(dynamicSharedMemory() + 1024, arguments.map, barrier(), position, 0);
  }
  barrier().wait(0);
}
MISUSE(box_left) {
  prepareBarrier();
  if (threadIndex() == 0) copyBox(arguments);
}
MISUSE(box_over_stores) {
  clear();
  prepareBarrier();
  if (threadIndex() == 0) copyBox(arguments);
  barrier().wait(0);
}
MISUSE(arrival_too_many) {
  prepareBarrier(2);
  if (threadIndex() == 0) {
    barrier().arriveExpecting(16);
    barrier().arrive();
    barrier().arrive();
  }
}
MISUSE(barrier_not_initialised) { barrier().wait(0); }
MISUSE(barrier_not_published) {
  if (threadIndex() == 0) barrier().initialize(1);
  synchronizeBlock();
  if (threadIndex() == 0) copyBox(arguments);
  barrier().wait(0);
}
MISUSE(barrier_overwritten) {
  prepareBarrier();
  if (threadIndex() == 0) numbers()[16384 / 4] = 1;
  synchronizeBlock();
  barrier().wait(0);
}

// MARK: - Clusters of two

MISUSE(peer_right) {
  prepareBarrier();
  meetCluster();
  if (threadIndex() == 0) barrier().arrivePeer(1 - clusterRank());
  barrier().wait(0);
  meetCluster();
}
MISUSE(peer_ended) {
  prepareBarrier();
  meetCluster();
  if (clusterRank() == 0) return;
  // Long enough for the peer to end.
  for (int i = 0; i < 100; ++i) synchronizeBlock();
  if (threadIndex() == 0) barrier().arrivePeer(0);
}
MISUSE(peer_unpublished) {
  clear();
  prepareBarrier();
  if (threadIndex() == 0) barrier().arriveExpecting(256);
  synchronizeCluster();
  if (threadIndex() == 0) {
    copyToPeer(dynamicSharedMemory() + 20480, dynamicSharedMemory(), 256, barrier(),
               1 - clusterRank());
  }
  barrier().wait(0);
  meetCluster();
}

// MARK: - Products

MISUSE(product_right) {
  clear();
  publishSharedMemory();
  synchronizeBlock();
  float sums[16] = {};
  beginProducts();
  beginProduct(sums);
  commitProducts();
  waitForProducts<0>();
  storeAll(arguments, sums);
}
MISUSE(product_read_early) {
  clear();
  publishSharedMemory();
  synchronizeBlock();
  float sums[16] = {};
  beginProducts();
  beginProduct(sums);
  commitProducts();
  storeAll(arguments, sums);
  waitForProducts<0>();
}
MISUSE(product_written_early) {
  clear();
  publishSharedMemory();
  synchronizeBlock();
  float sums[16] = {};
  beginProducts();
  beginProduct(sums);
  commitProducts();
  sums[3] = 0;
  waitForProducts<0>();
  storeAll(arguments, sums);
}
MISUSE(product_registers_written_early) {
  clear();
  publishSharedMemory();
  synchronizeBlock();
  float sums[16] = {};
  uint32_t a[4] = {};
  beginProducts();
  WarpgroupProduct<32>::add<float16, Major::mn>(
      sums, a, SharedMatrix::across(dynamicSharedMemory(), 8192));
  commitProducts();
  a[2] = 1;
  waitForProducts<0>();
  storeAll(arguments, sums);
}
MISUSE(product_not_begun) {
  clear();
  publishSharedMemory();
  synchronizeBlock();
  float sums[16] = {};
  beginProduct(sums);
  commitProducts();
  waitForProducts<0>();
  storeAll(arguments, sums);
}
MISUSE(product_unpublished) {
  clear();
  synchronizeBlock();
  float sums[16] = {};
  beginProducts();
  beginProduct(sums);
  commitProducts();
  waitForProducts<0>();
  storeAll(arguments, sums);
}
MISUSE(product_overwritten) {
  prepareBarrier();
  float sums[16] = {};
  beginProducts();
  beginProduct(sums);
  commitProducts();
  synchronizeBlock();
  if (threadIndex() == 0) copyBox(arguments);
  waitForProducts<0>();
  storeAll(arguments, sums);
}
MISUSE(product_left) {
  float sums[16] = {};
  beginProducts();
  beginProduct(sums);
  commitProducts();
}
MISUSE(product_diverged) {
  float sums[16] = {};
  beginProducts();
  const auto a = SharedMatrix::alongK(dynamicSharedMemory() + (warpIndex() == 2 ? 1024 : 0));
  WarpgroupProduct<32>::add<float16, Major::k, Major::k>(sums, a, a);
  commitProducts();
  waitForProducts<0>();
}
MISUSE(registers_too_many) { acquireRegisters<250>(); }

// MARK: - Launches

AIT_KERNEL(128, 1) prerequisites_right(AIT_ARGUMENTS(Arguments) arguments) {
  launchDependents();
  const float x = load(arguments.in + threadIndex());
  waitForPrerequisites();
  store(arguments.out + threadIndex(), x + load(arguments.out + threadIndex()));
}
AIT_DESCRIBE_KERNEL(prerequisites_right)
AIT_KERNEL(128, 1) prerequisites_stored_early(AIT_ARGUMENTS(Arguments) arguments) {
  store(arguments.out + threadIndex(), 0);
  waitForPrerequisites();
}
AIT_DESCRIBE_KERNEL(prerequisites_stored_early)
AIT_KERNEL(128, 1) prerequisites_loaded_early(AIT_ARGUMENTS(Arguments) arguments) {
  load(arguments.out + threadIndex());
  waitForPrerequisites();
}
AIT_DESCRIBE_KERNEL(prerequisites_loaded_early)
AIT_KERNEL(128, 1) prerequisites_not_waited(AIT_ARGUMENTS(Arguments) arguments) {
  load(arguments.in + threadIndex());
}
AIT_DESCRIBE_KERNEL(prerequisites_not_waited)
