// Clusters, transfer barriers and tensor copies on the processor. A copy is delivered when no
// thread of the cluster can go on without it.
#pragma once

#include "ait/gpu/dialect_emulated_engine.h"

namespace ait {

// MARK: - Clusters

AIT_DEVICE int clusterRank() { return emulated::thread().rank; }

AIT_DEVICE void synchronizeCluster(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->synchronizeCluster(thread, true, line);
}
AIT_DEVICE void meetCluster(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->synchronizeCluster(thread, false, line);
}

AIT_DEVICE void arriveAtCluster(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->arriveAtCluster(thread, line);
}
AIT_DEVICE void waitForCluster(int line = __builtin_LINE()) {
  auto& thread = emulated::thread();
  thread.engine->waitForCluster(thread, line);
}

AIT_DEVICE uint32_t peerAddress(const void* shared, int rank) {
  return sharedAddress(shared) + static_cast<uint32_t>(rank) * emulated::kPeerDistance;
}

// MARK: - Transfer barriers

struct TransferBarrier {
  uint64_t state;

  AIT_DEVICE void initialize(int count) {
    auto& thread = emulated::thread();
    thread.engine->initializeBarrier(thread, &state, count);
  }
  AIT_DEVICE void arriveExpecting(uint32_t bytes) {
    auto& thread = emulated::thread();
    thread.engine->arriveAtBarrier(thread, &state, bytes, thread.rank);
  }
  AIT_DEVICE void arrive() {
    auto& thread = emulated::thread();
    thread.engine->arriveAtBarrier(thread, &state, 0, thread.rank);
  }
  AIT_DEVICE void arrivePeer(int rank) {
    auto& thread = emulated::thread();
    thread.engine->arriveAtBarrier(thread, &state, 0, rank);
  }
  AIT_DEVICE bool hasEnded(uint32_t parity) const {
    auto& thread = emulated::thread();
    return thread.engine->hasBarrierEnded(thread, &state, parity);
  }
  AIT_DEVICE void wait(uint32_t parity, int line = __builtin_LINE()) const {
    auto& thread = emulated::thread();
    thread.engine->waitForBarrier(thread, &state, parity, line);
  }
};

AIT_DEVICE void publishBarriers() {
  auto& thread = emulated::thread();
  thread.engine->publishBarriers(thread);
}
AIT_DEVICE void publishSharedMemory() {
  auto& thread = emulated::thread();
  thread.engine->publishSharedMemory(thread);
}

AIT_DEVICE void copyToPeer(void* to, const void* from, int bytes, TransferBarrier& barrier,
                           int rank) {
  auto& thread = emulated::thread();
  thread.engine->copyToPeer(thread, to, from, bytes, &barrier.state, rank);
}

// MARK: - Tensor copies

AIT_DEVICE void prefetchTensorMap(const TensorMap&) {}

template <int kRank, bool kIsMulticast>
AIT_DEVICE void copyTensor(void* shared, const TensorMap& map, TransferBarrier& barrier,
                           const int (&position)[5], uint16_t peers) {
  static_assert(kRank >= 2 && kRank <= 5, "the copy engine knows tensors of rank 2 to 5");
  auto& thread = emulated::thread();
  thread.engine->copyTensor(thread, kRank, shared, map, &barrier.state, position,
                            kIsMulticast ? peers : 0u);
}

template <int kRank, bool kIsMulticast>
AIT_DEVICE void copyPixels(void* shared, const TensorMap& map, TransferBarrier& barrier,
                           const int (&position)[5], const int (&offsets)[3], uint16_t peers) {
  static_assert(kRank >= 3 && kRank <= 5, "images have 3 to 5 axes");
  auto& thread = emulated::thread();
  thread.engine->copyPixels(thread, kRank, shared, map, &barrier.state, position, offsets,
                            kIsMulticast ? peers : 0u);
}

}  // namespace ait
