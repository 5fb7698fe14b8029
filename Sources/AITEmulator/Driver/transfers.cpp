// Transfer barriers, and the copies that count on them.
#include <algorithm>
#include <array>
#include <cstring>

#include "cluster.h"
#include "tensor_map.h"

namespace emulator {

namespace {

/// What the room of a barrier holds while it is one: data that is written over it shows.
uint64_t markOf(size_t offset) { return 0xba44'1e40'0000'0000 | offset; }

/// The barrier at a place of a block, known to be one.
PhaseBarrier& find(Fiber& fiber, Block& block, const uint64_t* state) {
  const size_t offset = sharedOffset(fiber, state, 8, 8, "barrier");
  auto found = block.phaseBarriers.find(offset);
  if (found == block.phaseBarriers.end()) {
    clusterOf(fiber).fail(fiber, "there is no barrier at offset " + std::to_string(offset) +
                                     " of the shared memory of rank " + std::to_string(block.rank) +
                                     ": it is not initialised yet");
  }
  uint64_t content;
  std::memcpy(&content, block.shared + offset, sizeof(content));
  if (content != markOf(offset)) {
    clusterOf(fiber).fail(fiber, "the barrier at offset " + std::to_string(offset) +
                                     " of the shared memory of rank " + std::to_string(block.rank) +
                                     " has been overwritten");
  }
  return found->second;
}

void endPhase(Cluster& cluster, PhaseBarrier& barrier) {
  if (barrier.arrivals != 0 || barrier.bytes != 0) return;
  ++barrier.phase;
  barrier.arrivals = barrier.count;
  for (Fiber* fiber : barrier.waiting) cluster.makeReady(*fiber);
  barrier.waiting.clear();
}

/// Fails unless the copy engine, or another block, can see the barrier.
void checkVisible(Fiber& fiber, const PhaseBarrier& barrier) {
  if (barrier.isPublished) return;
  clusterOf(fiber).fail(fiber, "the barrier is used from outside before publishBarriers");
}

Block& blockOf(Fiber& fiber, int rank, const char* what) {
  Cluster& cluster = clusterOf(fiber);
  if (rank < 0 || rank >= cluster.grid().clusterSize) {
    cluster.fail(fiber, std::string(what) + " goes to rank " + std::to_string(rank) +
                            " of a cluster of " + std::to_string(cluster.grid().clusterSize));
  }
  Block& block = cluster.block(rank);
  if (block.unfinished == 0) {
    cluster.fail(fiber,
                 std::string(what) + " goes to rank " + std::to_string(rank) + ", which has ended");
  }
  return block;
}

/// The bytes of a copy have come.
void complete(Cluster& cluster, Block& block, size_t barrierOffset, size_t bytes) {
  PhaseBarrier& barrier = block.phaseBarriers.at(barrierOffset);
  barrier.bytes -= static_cast<int64_t>(bytes);
  endPhase(cluster, barrier);
}

/// Checks and notes that a copy in the background is to write to a block's shared memory.
void announce(Fiber& fiber, Block& block, size_t offset, size_t bytes) {
  checkPendingWrites(fiber, block, offset, bytes, "copy");
  checkPublished(fiber, block, offset, bytes, "copy");
  checkProductOperands(fiber, block, offset, bytes);
  beginWrite(block, offset, bytes);
}

}  // namespace

void initializeBarrier(Thread& thread, uint64_t* state, int count) {
  Fiber& fiber = fiberOf(thread);
  const size_t offset = sharedOffset(fiber, state, 8, 8, "barrier");
  if (count < 1 || count >= 1 << 20) {
    clusterOf(fiber).fail(fiber, "a barrier of " + std::to_string(count) + " arrivals");
  }
  const uint64_t mark = markOf(offset);
  std::memcpy(state, &mark, sizeof(mark));
  PhaseBarrier barrier;
  barrier.count = barrier.arrivals = count;
  barrier.initializer = &fiber;
  fiber.owner->phaseBarriers[offset] = barrier;
}

void publishBarriers(Thread& thread) {
  for (auto& [offset, barrier] : fiberOf(thread).owner->phaseBarriers) {
    if (barrier.initializer == &fiberOf(thread)) barrier.isPublished = true;
  }
}

void arriveAtBarrier(Thread& thread, uint64_t* state, uint32_t bytes, int rank) {
  Fiber& fiber = fiberOf(thread);
  Block& block = blockOf(fiber, rank, "an arrival");
  PhaseBarrier& barrier = find(fiber, block, state);
  if (rank != thread.rank) checkVisible(fiber, barrier);
  if (barrier.arrivals == 0) {
    clusterOf(fiber).fail(fiber, "an arrival at a barrier where all " +
                                     std::to_string(barrier.count) +
                                     " have come; it waits for bytes");
  }
  barrier.bytes += bytes;
  --barrier.arrivals;
  endPhase(clusterOf(fiber), barrier);
}

bool hasBarrierEnded(Thread& thread, const uint64_t* state, uint32_t parity) {
  Fiber& fiber = fiberOf(thread);
  PhaseBarrier& barrier = find(fiber, *fiber.owner, state);
  if ((barrier.phase & 1) != parity) return true;
  // Who asks again and again must not keep the rest from going on.
  clusterOf(fiber).doDeferred();
  clusterOf(fiber).makeReady(fiber);
  clusterOf(fiber).wait(fiber, "its next question", 0);
  return (barrier.phase & 1) != parity;
}

void waitForBarrier(Thread& thread, const uint64_t* state, uint32_t parity, int line) {
  Fiber& fiber = fiberOf(thread);
  PhaseBarrier& barrier = find(fiber, *fiber.owner, state);
  if ((barrier.phase & 1) != parity) return;
  const uint64_t phase = barrier.phase;
  barrier.waiting.push_back(&fiber);
  clusterOf(fiber).wait(fiber, "a phase of a transfer barrier, in line", line);
  if (barrier.phase - phase > 1) {
    clusterOf(fiber).fail(fiber,
                          "the phase after the one waited for has ended, too: who waits in "
                          "line " +
                              std::to_string(line) + " may wait for ever");
  }
}

void publishSharedMemory(Thread& thread) { ++fiberOf(thread).publications; }

void copyToPeer(Thread& thread, void* to, const void* from, int bytes, uint64_t* state, int rank) {
  Fiber& fiber = fiberOf(thread);
  const size_t size = static_cast<size_t>(bytes);
  if (bytes <= 0 || bytes % 16 != 0) {
    clusterOf(fiber).fail(fiber, "a copy of " + std::to_string(bytes) + " bytes to a peer");
  }
  Block& target = blockOf(fiber, rank, "a copy");
  Block& own = *fiber.owner;
  const size_t source = sharedOffset(fiber, from, size, 16, "copy");
  const size_t offset = sharedOffset(fiber, to, size, 16, "copy");
  const size_t barrierOffset = sharedOffset(fiber, state, 8, 8, "barrier");
  checkVisible(fiber, find(fiber, target, state));
  checkPendingWrites(fiber, own, source, size, "copy");
  checkPublished(fiber, own, source, size, "copy");
  announce(fiber, target, offset, size);
  Cluster& cluster = clusterOf(fiber);
  cluster.defer([&cluster, &target, &own, source, offset, size, barrierOffset] {
    std::memcpy(target.shared + offset, own.shared + source, size);
    endWrite(target, offset, size);
    complete(cluster, target, barrierOffset, size);
  });
}

// MARK: - Tensor copies

namespace {

/// The place of a byte of a box as the copy engine swizzles: pieces of 16 bytes are exchanged by
/// the number of the 128-byte line they lie in.
size_t swizzled(size_t address, uint8_t span) {
  switch (span) {
    case 128:
      return address ^ (address >> 7 & 7) << 4;
    case 64:
      return address ^ (address >> 7 & 3) << 4;
    case 32:
      return address ^ (address >> 7 & 1) << 4;
    default:
      return address;
  }
}

/// Calls `body(offset in the box, address or 0 outside the tensor)` for each 16 bytes or element.
template <class Body>
void forEachElement(const MapContent& map, const int* position, Body&& body) {
  size_t place = 0;
  int index[5];
  for (index[4] = 0; index[4] < map.box[4]; ++index[4])
    for (index[3] = 0; index[3] < map.box[3]; ++index[3])
      for (index[2] = 0; index[2] < map.box[2]; ++index[2])
        for (index[1] = 0; index[1] < map.box[1]; ++index[1]) {
          uint64_t row = map.address;
          bool exists = true;
          for (int axis = 1; axis < map.rank; ++axis) {
            const int64_t at = int64_t{position[axis]} + index[axis];
            exists = exists && at >= 0 && at < static_cast<int64_t>(map.extents[axis]);
            row += static_cast<uint64_t>(at) * map.strides[axis];
          }
          for (index[0] = 0; index[0] < map.box[0]; ++index[0]) {
            const int64_t at = int64_t{position[0]} + index[0];
            const bool isThere = exists && at >= 0 && at < static_cast<int64_t>(map.extents[0]);
            body(place, isThere ? row + static_cast<uint64_t>(at) * map.elementSize : 0);
            place += map.elementSize;
          }
        }
}

/// The same of pixels of images: each line from its first to its last, then the next, then the next
/// image; `offsets` are what every pixel is moved by.
template <class Body>
void forEachPixel(const MapContent& map, const int* position, const int* offsets, Body&& body) {
  const int spatial = map.rank - 2;
  int64_t pixel[3] = {};
  for (int axis = 0; axis < spatial; ++axis) pixel[axis] = position[1 + axis];
  int64_t image = position[1 + spatial];
  size_t place = 0;
  for (int index = 0; index < map.box[1]; ++index) {
    bool exists = image >= 0 && image < static_cast<int64_t>(map.extents[1 + spatial]);
    uint64_t row = map.address + static_cast<uint64_t>(image) * map.strides[1 + spatial];
    for (int axis = 0; axis < spatial; ++axis) {
      const int64_t at = pixel[axis] + offsets[axis];
      exists = exists && at >= 0 && at < static_cast<int64_t>(map.extents[1 + axis]);
      row += static_cast<uint64_t>(at) * map.strides[1 + axis];
    }
    for (int channel = 0; channel < map.box[0]; ++channel) {
      const int64_t at = int64_t{position[0]} + channel;
      const bool isThere = exists && at >= 0 && at < static_cast<int64_t>(map.extents[0]);
      body(place, isThere ? row + static_cast<uint64_t>(at) * map.elementSize : 0);
      place += map.elementSize;
    }
    int axis = 0;
    for (; axis < spatial; ++axis) {
      pixel[axis] += map.steps[axis];
      if (pixel[axis] < static_cast<int64_t>(map.extents[1 + axis]) + map.upper[axis]) break;
      pixel[axis] = map.lower[axis];
    }
    if (axis == spatial) ++image;
  }
}

/// - offsets: of images; null for a box.
void startCopy(Thread& thread, int rank, void* to, const ait::TensorMap& tensorMap, uint64_t* state,
               const int* position, const int* offsets, uint32_t peers) {
  Fiber& fiber = fiberOf(thread);
  Cluster& cluster = clusterOf(fiber);
  MapContent map;
  std::memcpy(&map, &tensorMap, sizeof(map));
  if (reinterpret_cast<uintptr_t>(&tensorMap) % 64 != 0 || map.mark != MapContent::kMark) {
    cluster.fail(fiber, "a copy by a tensor map that the driver has not encoded");
  }
  if (rank != map.rank) {
    cluster.fail(fiber, "a copy of rank " + std::to_string(rank) + " by a map of rank " +
                            std::to_string(map.rank));
  }
  if ((map.isImage != 0) != (offsets != nullptr)) {
    cluster.fail(fiber, "a copy of a box by a map of images, or the other way round");
  }
  size_t size = map.elementSize;
  for (const uint16_t extent : map.box) size *= extent;
  const size_t offset = sharedOffset(fiber, to, size, 128, "copy");
  const size_t barrierOffset = sharedOffset(fiber, state, 8, 8, "barrier");
  std::array<int, 5> at;
  std::copy(position, position + 5, at.begin());
  std::array<int, 3> moved = {};
  if (offsets != nullptr) std::copy(offsets, offsets + 3, moved.begin());
  const auto forEach = [map, at, moved](auto&& body) {
    if (map.isImage != 0) {
      forEachPixel(map, at.data(), moved.data(), body);
    } else {
      forEachElement(map, at.data(), body);
    }
  };
  forEach([&](size_t, uint64_t address) {
    if (address == 0) return;
    checkGlobalRead(fiber, reinterpret_cast<const void*>(address), map.elementSize, "copy");
  });
  const bool isMulticast = peers != 0;
  if (!isMulticast) peers = 1u << thread.rank;
  for (int peer = 0; peers >> peer != 0; ++peer) {
    if ((peers >> peer & 1) == 0) continue;
    Block& target = blockOf(fiber, peer, "a copy");
    checkVisible(fiber, find(fiber, target, state));
    announce(fiber, target, offset, size);
    cluster.defer([&cluster, &target, map, forEach, offset, size, barrierOffset] {
      forEach([&](size_t place, uint64_t address) {
        char* element = target.shared + swizzled(offset + place, map.swizzle);
        if (address != 0) {
          std::memcpy(element, reinterpret_cast<const void*>(address), map.elementSize);
        } else {
          std::memset(element, 0, map.elementSize);
        }
      });
      endWrite(target, offset, size);
      complete(cluster, target, barrierOffset, size);
    });
  }
}

}  // namespace

void copyTensor(Thread& thread, int rank, void* to, const ait::TensorMap& tensorMap,
                uint64_t* state, const int* position, uint32_t peers) {
  startCopy(thread, rank, to, tensorMap, state, position, nullptr, peers);
}

void copyPixels(Thread& thread, int rank, void* to, const ait::TensorMap& tensorMap,
                uint64_t* state, const int* position, const int* offsets, uint32_t peers) {
  startCopy(thread, rank, to, tensorMap, state, position, offsets, peers);
}

}  // namespace emulator
