// Clusters, transfer barriers and tensor copies: compute capability 9.0.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

// MARK: - Clusters

/// The block's rank among the blocks of its cluster, which lie side by side in the grid.
AIT_DEVICE int clusterRank() {
  uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return static_cast<int>(rank);
}

/// A barrier of all threads of a cluster; writes to shared memory before it are visible after it.
/// It waits for the thread's stores to global memory as well.
AIT_DEVICE void synchronizeCluster() {
  asm volatile("barrier.cluster.arrive.release;\n\tbarrier.cluster.wait.acquire;" ::: "memory");
}
/// A barrier of all threads of a cluster that orders no memory.
AIT_DEVICE void meetCluster() {
  asm volatile("barrier.cluster.arrive.relaxed;\n\tbarrier.cluster.wait;" ::: "memory");
}

/// The two halves of `meetCluster`: a thread that has arrived waits before it arrives again.
AIT_DEVICE void arriveAtCluster() { asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory"); }
AIT_DEVICE void waitForCluster() { asm volatile("barrier.cluster.wait;" ::: "memory"); }

/// The address by which blocks of a cluster reach the shared memory of one of them.
AIT_DEVICE uint32_t peerAddress(const void* shared, int rank) {
  uint32_t address;
  asm("mapa.shared::cluster.u32 %0, %1, %2;"
      : "=r"(address)
      : "r"(sharedAddress(shared)), "r"(rank));
  return address;
}

// MARK: - Transfer barriers

/// A barrier in shared memory whose phases end when `count` arrivals and all announced bytes have
/// come. Phases are counted from 0; `wait(parity)` waits for the end of a phase by its lowest bit.
struct TransferBarrier {
  uint64_t state;

  AIT_DEVICE void initialize(int count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(this)), "r"(count)
                 : "memory");
  }
  /// Arrives, and announces the bytes of copies that complete on this barrier.
  AIT_DEVICE void arriveExpecting(uint32_t bytes) {
    asm volatile(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(this)),
        "r"(bytes)
        : "memory");
  }
  AIT_DEVICE void arrive() {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(this)) : "memory");
  }
  /// Arrives at the barrier at this place in a block of the cluster. For readers of shared memory:
  /// it does not publish writes to the peer, which would cost a fence of all memory.
  AIT_DEVICE void arrivePeer(int rank) {
    asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(peerAddress(this, rank))
                 : "memory");
  }
  AIT_DEVICE bool hasEnded(uint32_t parity) const {
    uint32_t ended;
    asm volatile(
        "{\n\t.reg .pred p;\n\tmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n\t"
        "selp.u32 %0, 1, 0, p;\n\t}"
        : "=r"(ended)
        : "r"(sharedAddress(this)), "r"(parity)
        : "memory");
    return ended != 0;
  }
  AIT_DEVICE void wait(uint32_t parity) const {
#if defined(AIT_BOUNDED_WAITS)
    // A try suspends the thread for some microseconds: this is about a second.
    for (int tries = 0; !hasEnded(parity); ++tries) {
      if (tries > 400000) trap();
    }
#else
    while (!hasEnded(parity)) {
    }
#endif
  }
};

/// Makes initialised barriers visible to the cluster and to the copy engine.
AIT_DEVICE void publishBarriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

/// Orders ordinary writes of shared memory before accesses of the copy engine and the matrix units.
AIT_DEVICE void publishSharedMemory() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Copies `bytes` bytes of this block's shared memory to another block of the cluster, where they
/// count on the barrier at the place of `barrier`; sizes and addresses are multiples of 16.
AIT_DEVICE void copyToPeer(void* to, const void* from, int bytes, TransferBarrier& barrier,
                           int rank) {
  asm volatile(
      "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, "
      "[%3];" ::"r"(peerAddress(to, rank)),
      "r"(sharedAddress(from)), "r"(bytes), "r"(peerAddress(&barrier, rank))
      : "memory");
}

// MARK: - Tensor copies

AIT_DEVICE void prefetchTensorMap(const TensorMap& map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

/// Copies the box of a tensor at `position` (innermost axis first) to shared memory; its bytes
/// count on `barrier`. Elements outside the tensor are zeros. With `kIsMulticast`, every block of
/// the cluster whose bit is set in `peers` receives the box at the same place, and on its barrier.
template <int kRank, bool kIsMulticast>
AIT_DEVICE void copyTensor(void* shared, const TensorMap& map, TransferBarrier& barrier,
                           const int (&position)[5], uint16_t peers) {
  const uint32_t to = sharedAddress(shared);
  const uint32_t at = sharedAddress(&barrier);
#define AIT_COPY_TENSOR(dimensions, coordinates, ...)                                             \
  if constexpr (kIsMulticast) {                                                                   \
    asm volatile("cp.async.bulk.tensor." dimensions                                               \
                 ".shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], " \
                 "[%1, {" coordinates "}], [%2], %3;" ::"r"(to),                                  \
                 "l"(&map), "r"(at), "h"(peers), __VA_ARGS__                                      \
                 : "memory");                                                                     \
  } else {                                                                                        \
    asm volatile("cp.async.bulk.tensor." dimensions                                               \
                 ".shared::cluster.global.mbarrier::complete_tx::bytes [%0], "                    \
                 "[%1, {" coordinates "}], [%2];" ::"r"(to),                                      \
                 "l"(&map), "r"(at), "h"(peers), __VA_ARGS__                                      \
                 : "memory");                                                                     \
  }
  if constexpr (kRank == 2) {
    AIT_COPY_TENSOR("2d", "%4, %5", "r"(position[0]), "r"(position[1]))
  } else if constexpr (kRank == 3) {
    AIT_COPY_TENSOR("3d", "%4, %5, %6", "r"(position[0]), "r"(position[1]), "r"(position[2]))
  } else if constexpr (kRank == 4) {
    AIT_COPY_TENSOR("4d", "%4, %5, %6, %7", "r"(position[0]), "r"(position[1]), "r"(position[2]),
                    "r"(position[3]))
  } else {
    static_assert(kRank == 5, "the copy engine knows tensors of rank 2 to 5");
    AIT_COPY_TENSOR("5d", "%4, %5, %6, %7, %8", "r"(position[0]), "r"(position[1]),
                    "r"(position[2]), "r"(position[3]), "r"(position[4]))
  }
#undef AIT_COPY_TENSOR
}

/// Copies channels of pixels of images, from the pixel at `position` (channel, width, …, image) on:
/// each line between the corners of the map, then the next, then the next image. Every pixel is
/// moved by `offsets` (width first), from 0 up to what its bits hold: 16 of one axis, 8 of two, 5
/// of three. The rest is as of `copyTensor`.
template <int kRank, bool kIsMulticast>
AIT_DEVICE void copyPixels(void* shared, const TensorMap& map, TransferBarrier& barrier,
                           const int (&position)[5], const int (&offsets)[3], uint16_t peers) {
  const uint32_t to = sharedAddress(shared);
  const uint32_t at = sharedAddress(&barrier);
  const auto offset = [&](int axis) { return static_cast<uint16_t>(offsets[axis]); };
#define AIT_COPY_PIXELS(dimensions, coordinates, moved, ...)                          \
  if constexpr (kIsMulticast) {                                                       \
    asm volatile("cp.async.bulk.tensor." dimensions                                   \
                 ".shared::cluster.global.im2col.mbarrier::complete_tx::bytes"        \
                 ".multicast::cluster [%0], [%1, {" coordinates "}], [%2], {" moved   \
                 "}, %3;" ::"r"(to),                                                  \
                 "l"(&map), "r"(at), "h"(peers), __VA_ARGS__                          \
                 : "memory");                                                         \
  } else {                                                                            \
    asm volatile("cp.async.bulk.tensor." dimensions                                   \
                 ".shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], " \
                 "[%1, {" coordinates "}], [%2], {" moved "};" ::"r"(to),             \
                 "l"(&map), "r"(at), "h"(peers), __VA_ARGS__                          \
                 : "memory");                                                         \
  }
  if constexpr (kRank == 3) {
    AIT_COPY_PIXELS("3d", "%4, %5, %6", "%7", "r"(position[0]), "r"(position[1]), "r"(position[2]),
                    "h"(offset(0)))
  } else if constexpr (kRank == 4) {
    AIT_COPY_PIXELS("4d", "%4, %5, %6, %7", "%8, %9", "r"(position[0]), "r"(position[1]),
                    "r"(position[2]), "r"(position[3]), "h"(offset(0)), "h"(offset(1)))
  } else {
    static_assert(kRank == 5, "images have 3 to 5 axes");
    AIT_COPY_PIXELS("5d", "%4, %5, %6, %7, %8", "%9, %10, %11", "r"(position[0]), "r"(position[1]),
                    "r"(position[2]), "r"(position[3]), "r"(position[4]), "h"(offset(0)),
                    "h"(offset(1)), "h"(offset(2)))
  }
#undef AIT_COPY_PIXELS
}

}  // namespace ait
