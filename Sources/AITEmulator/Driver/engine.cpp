// What fibers ask for: meetings of lanes, barriers, checks of addresses, copies in the background.
#include <cstring>

#include "cluster.h"

namespace emulator {

namespace {

void fail(Thread& thread, const char* text) {
  Fiber& fiber = fiberOf(thread);
  clusterOf(fiber).fail(fiber, text);
}

std::string hexadecimal(const void* address) {
  char text[32];
  std::snprintf(text, sizeof(text), "%p", address);
  return text;
}

// MARK: - Order

/// Arrives, and unless it is the last, waits or goes on.
void arrive(Fiber& fiber, BlockBarrier& barrier, int count, const char* what, int identity,
            int line, bool waits = true) {
  barrier.arrived.push_back({&fiber, line, waits});
  if (static_cast<int>(barrier.arrived.size()) < count) {
    if (waits) clusterOf(fiber).wait(fiber, what, identity);
    return;
  }
  // What one has waited for, the others need not.
  bool hasWaited = false;
  for (const auto& each : barrier.arrived) hasWaited = hasWaited || each.fiber->hasWaited;
  for (const auto& each : barrier.arrived) {
    if (!each.waits) continue;
    each.fiber->hasWaited = hasWaited;
    if (each.fiber != &fiber) clusterOf(fiber).makeReady(*each.fiber);
  }
  barrier.arrived.clear();
  ++barrier.phase;
}

void enterBarrier(Thread& thread, int identity, int count, int line, bool waits) {
  Fiber& fiber = fiberOf(thread);
  Block& block = *fiber.owner;
  const int threads = static_cast<int>(block.fibers.size());
  if (identity < 0 || identity > 15) clusterOf(fiber).fail(fiber, "there are 16 barriers");
  if (count == 0) count = threads;
  if (count % 32 != 0 || count > threads) {
    clusterOf(fiber).fail(fiber, "a barrier of " + std::to_string(count) +
                                     " threads in a block of " + std::to_string(threads));
  }
  BlockBarrier& barrier = block.barriers[identity];
  if (barrier.arrived.empty()) barrier.count = count;
  if (barrier.count != count) {
    clusterOf(fiber).fail(fiber, "barrier " + std::to_string(identity) + " is entered for " +
                                     std::to_string(count) + " threads and for " +
                                     std::to_string(barrier.count));
  }
  for (const auto& each : barrier.arrived) {
    if (each.fiber == &fiber) {
      clusterOf(fiber).fail(fiber, "arrives twice at barrier " + std::to_string(identity));
    }
    if (each.fiber->index / 32 == thread.index / 32 && each.line != line) {
      clusterOf(fiber).fail(fiber, "lanes have diverged: this one is at a barrier in line " +
                                       std::to_string(line) + ", others of its warp in line " +
                                       std::to_string(each.line));
    }
  }
  arrive(fiber, barrier, count, identity == 0 ? "the block's barrier" : "a barrier by number",
         identity == 0 ? line : identity, line, waits);
}

void synchronize(Thread& thread, int identity, int count, int line) {
  enterBarrier(thread, identity, count, line, true);
}
void arriveAtThreads(Thread& thread, int identity, int count, int line) {
  enterBarrier(thread, identity, count, line, false);
}

void arriveAtCluster(Thread& thread, int line) {
  Fiber& fiber = fiberOf(thread);
  const Grid& grid = clusterOf(fiber).grid();
  BlockBarrier& barrier = clusterOf(fiber).barrier();
  if (fiber.hasArrivedAtCluster) {
    clusterOf(fiber).fail(fiber, "arrives at the cluster's barrier again before it has waited");
  }
  fiber.hasArrivedAtCluster = true;
  fiber.clusterPhase = barrier.phase;
  arrive(fiber, barrier, grid.clusterSize * grid.threads, "the cluster's barrier", line, line,
         false);
}

void waitForCluster(Thread& thread, int line) {
  Fiber& fiber = fiberOf(thread);
  BlockBarrier& barrier = clusterOf(fiber).barrier();
  if (!fiber.hasArrivedAtCluster) {
    clusterOf(fiber).fail(fiber, "waits at the cluster's barrier without having arrived");
  }
  fiber.hasArrivedAtCluster = false;
  if (barrier.phase != fiber.clusterPhase) return;
  for (auto& each : barrier.arrived) each.waits = each.waits || each.fiber == &fiber;
  clusterOf(fiber).wait(fiber, "the cluster's barrier", line);
}

void synchronizeCluster(Thread& thread, bool, int line) {
  arriveAtCluster(thread, line);
  waitForCluster(thread, line);
}

// MARK: - Memory

const char* nameOf(Touch touch) { return touch == Touch::store ? "store" : "load"; }

void touchGlobal(Thread& thread, const void* address, int bytes, Touch touch) {
  Fiber& fiber = fiberOf(thread);
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  const std::string what = std::string(nameOf(touch)) + " of " + std::to_string(bytes) + " bytes";
  if (at % static_cast<uintptr_t>(bytes) != 0) {
    clusterOf(fiber).fail(
        fiber, "a " + what + " at " + hexadecimal(address) + ", which is no multiple of them");
  }
  if (touch == Touch::load) {
    checkGlobalRead(fiber, address, static_cast<size_t>(bytes), nameOf(touch));
    return;
  }
  if (!clusterOf(fiber).isInRegions(at, static_cast<size_t>(bytes))) {
    clusterOf(fiber).fail(
        fiber, "a " + what + " at " + hexadecimal(address) + ", which is no memory of the device");
  }
  const Grid& grid = clusterOf(fiber).grid();
  if (!grid.hasProgrammaticLaunches()) return;
  if (!fiber.hasWaited) {
    clusterOf(fiber).fail(fiber, "a store to memory of the device before waitForPrerequisites");
  }
  grid.writes.insert(at / 64);
}

void touchShared(Thread& thread, const void* address, int bytes, Touch touch) {
  Fiber& fiber = fiberOf(thread);
  const size_t size = static_cast<size_t>(bytes);
  const size_t offset = sharedOffset(fiber, address, size, size, nameOf(touch));
  checkPendingWrites(fiber, *fiber.owner, offset, size, nameOf(touch));
  if (touch == Touch::store) noteWrite(fiber, offset, size);
}

// MARK: - Copies in the background

void copyAsync(Thread& thread, void* shared, const void* global, int bytes, int valid) {
  Fiber& fiber = fiberOf(thread);
  const size_t size = static_cast<size_t>(bytes);
  const size_t offset = sharedOffset(fiber, shared, size, size, "copy");
  if (valid < 0 || valid > bytes) {
    clusterOf(fiber).fail(fiber, "a copy of " + std::to_string(bytes) + " bytes, of which " +
                                     std::to_string(valid) + " exist");
  }
  PendingCopy copy = {static_cast<char*>(shared), bytes, {}};
  if (reinterpret_cast<uintptr_t>(global) % size != 0) {
    clusterOf(fiber).fail(fiber, "a copy of " + std::to_string(bytes) + " bytes from " +
                                     hexadecimal(global) + ", which is no multiple of them");
  }
  if (valid > 0) {
    checkGlobalRead(fiber, global, static_cast<size_t>(valid), "copy");
    std::memcpy(copy.data, global, static_cast<size_t>(valid));
  }
  checkPendingWrites(fiber, *fiber.owner, offset, size, "copy");
  beginWrite(*fiber.owner, offset, size);
  fiber.copies.push_back(copy);
}

void commitCopies(Thread& thread) {
  Fiber& fiber = fiberOf(thread);
  fiber.committedCopies.push_back(std::move(fiber.copies));
  fiber.copies.clear();
}

void waitForCopies(Thread& thread, int pending) {
  Fiber& fiber = fiberOf(thread);
  while (fiber.committedCopies.size() > static_cast<size_t>(pending)) {
    for (const PendingCopy& copy : fiber.committedCopies.front()) {
      std::memcpy(copy.to, copy.data, static_cast<size_t>(copy.bytes));
      const size_t offset = static_cast<size_t>(copy.to - fiber.shared);
      endWrite(*fiber.owner, offset, static_cast<size_t>(copy.bytes));
      noteWrite(fiber, offset, static_cast<size_t>(copy.bytes));
    }
    fiber.committedCopies.erase(fiber.committedCopies.begin());
  }
}

// MARK: - Launches

void waitForPrerequisites(Thread& thread) { fiberOf(thread).hasWaited = true; }

void launchDependents(Thread&) {}

}  // namespace

void meet(Thread& thread, int size, void* slot, ait::emulated::Action action, const char* word,
          int line) {
  Fiber& fiber = fiberOf(thread);
  Block& block = *fiber.owner;
  const int threads = static_cast<int>(block.fibers.size());
  const int first = thread.index / size * size;
  if (first + size > threads) {
    clusterOf(fiber).fail(fiber, std::string(word) + " in line " + std::to_string(line) +
                                     " takes all lanes, of which the block has not all");
  }
  Meeting& meeting =
      (size == 32 ? block.warps : block.warpgroups)[static_cast<size_t>(thread.index / size)];
  if (meeting.arrived.empty()) {
    meeting.slots.assign(static_cast<size_t>(size), nullptr);
    meeting.action = action;
    meeting.word = word;
    meeting.line = line;
  } else if (meeting.action != action || meeting.line != line) {
    clusterOf(fiber).fail(fiber, std::string("lanes have diverged: this one is at ") + word +
                                     " in line " + std::to_string(line) +
                                     ", others of its group are at " + meeting.word + " in line " +
                                     std::to_string(meeting.line));
  }
  meeting.slots[static_cast<size_t>(thread.index - first)] = slot;
  meeting.arrived.push_back(&fiber);
  if (static_cast<int>(meeting.arrived.size()) < size) {
    clusterOf(fiber).wait(fiber, word, line);
    return;
  }
  action(thread, meeting.slots.data());
  for (Fiber* other : meeting.arrived) {
    if (other != &fiber) clusterOf(fiber).makeReady(*other);
  }
  meeting.arrived.clear();
}

// MARK: - Checks of memory

size_t sharedOffset(Fiber& fiber, const void* address, size_t bytes, size_t alignment,
                    const char* what) {
  const ptrdiff_t offset = static_cast<const char*>(address) - fiber.shared;
  const size_t size = static_cast<size_t>(clusterOf(fiber).grid().sharedSizeInBytes);
  const std::string text = std::string("a ") + what + " of " + std::to_string(bytes) +
                           " bytes at offset " + std::to_string(offset) + " of " +
                           std::to_string(size) + " bytes of shared memory";
  if (offset < 0 || static_cast<size_t>(offset) + bytes > size) clusterOf(fiber).fail(fiber, text);
  if (static_cast<size_t>(offset) % alignment != 0) {
    clusterOf(fiber).fail(fiber, text + ", which is no multiple of " + std::to_string(alignment));
  }
  return static_cast<size_t>(offset);
}

void checkPendingWrites(Fiber& fiber, Block& block, size_t offset, size_t bytes, const char* what) {
  for (size_t word = offset / 4; word < (offset + bytes + 3) / 4; ++word) {
    if (block.pendingWrites[word] == 0) continue;
    clusterOf(fiber).fail(fiber, std::string("a ") + what + " at offset " + std::to_string(offset) +
                                     " of shared memory, where a copy is still to write");
  }
}

void checkPublished(Fiber& fiber, Block& block, size_t offset, size_t bytes, const char* what) {
  for (size_t piece = offset / 16; piece < (offset + bytes + 15) / 16; ++piece) {
    const Writer& writer = block.writers[piece];
    if (!writer.fiber || writer.publications != writer.fiber->publications) continue;
    clusterOf(fiber).fail(fiber, std::string("a ") + what + " of shared memory at offset " +
                                     std::to_string(piece * 16) + ", which " +
                                     placeOf(*writer.fiber) +
                                     " has written and not published (publishSharedMemory)");
  }
}

void beginWrite(Block& block, size_t offset, size_t bytes) {
  std::memset(block.shared + offset, 0xff, bytes);
  for (size_t word = offset / 4; word < (offset + bytes) / 4; ++word) {
    ++block.pendingWrites[word];
  }
  for (size_t piece = offset / 16; piece < (offset + bytes + 15) / 16; ++piece) {
    block.writers[piece] = Writer();
  }
}

void endWrite(Block& block, size_t offset, size_t bytes) {
  for (size_t word = offset / 4; word < (offset + bytes) / 4; ++word) {
    --block.pendingWrites[word];
  }
}

void noteWrite(Fiber& fiber, size_t offset, size_t bytes) {
  for (size_t piece = offset / 16; piece < (offset + bytes + 15) / 16; ++piece) {
    fiber.owner->writers[piece] = {&fiber, fiber.publications};
  }
}

void checkGlobalRead(Fiber& fiber, const void* address, size_t bytes, const char* what) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  if (!clusterOf(fiber).isInRegions(at, bytes)) {
    clusterOf(fiber).fail(fiber, std::string("a ") + what + " of " + std::to_string(bytes) +
                                     " bytes at " + hexadecimal(address) +
                                     ", which is no memory of the device");
  }
  const Grid& grid = clusterOf(fiber).grid();
  if (fiber.hasWaited || !grid.overlapsPrevious || !grid.hasProgrammaticLaunches()) return;
  for (uintptr_t line = at / 64; line <= (at + bytes - 1) / 64; ++line) {
    if (grid.earlierWrites->count(line) == 0) continue;
    clusterOf(fiber).fail(fiber, std::string("a ") + what + " at " + hexadecimal(address) +
                                     ", which a launch before this one writes, ahead of "
                                     "waitForPrerequisites");
  }
}

const ait::emulated::Engine engine = {
    fail,
    meet,
    synchronize,
    arriveAtThreads,
    synchronizeCluster,
    arriveAtCluster,
    waitForCluster,
    touchGlobal,
    touchShared,
    waitForPrerequisites,
    launchDependents,
    copyAsync,
    commitCopies,
    waitForCopies,
    initializeBarrier,
    arriveAtBarrier,
    hasBarrierEnded,
    waitForBarrier,
    publishBarriers,
    publishSharedMemory,
    copyToPeer,
    copyTensor,
    copyPixels,
    beginProducts,
    addProduct,
    commitProducts,
    waitForProducts,
    setRegisters,
};

}  // namespace emulator
