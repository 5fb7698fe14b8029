#include "cluster.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "fibers.h"

namespace emulator {

namespace {

constexpr unsigned char kPoison = 0xff;  // NaN in every floating-point type

size_t pageSize() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

/// The address space that a block's shared memory takes, with a page after it.
size_t sharedSpace(int sizeInBytes) {
  const size_t page = pageSize();
  return (static_cast<size_t>(sizeInBytes) + 1024 + page - 1) / page * page + page;
}

/// Where a fiber begins: its thread is found as kernels find it.
void runKernel() {
  Fiber& fiber = fiberOf(ait::emulated::thread());
  const Grid& grid = fiber.owner->cluster->grid();
  grid.function(grid.arguments);
  fiber.owner->cluster->finish(fiber);
}

}  // namespace

std::string placeOf(const Fiber& fiber) {
  return "block " + std::to_string(fiber.block) + ", thread " + std::to_string(fiber.index);
}

Cluster::Cluster(const Grid& grid, int64_t index)
    : grid_(grid), random_(static_cast<uint64_t>(index) * 0x9e3779b97f4a7c15 + 1) {
  for (int rank = 0; rank < grid.clusterSize; ++rank) {
    auto block = std::make_unique<Block>();
    block->cluster = this;
    block->rank = rank;
    void* memory = mmap(nullptr, sharedSpace(grid.sharedSizeInBytes), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      failure_ = "there is no memory for the shared memory of a block";
      return;
    }
    // What lies behind it, up to the page that no one may touch, is looked at in the end.
    block->shared = static_cast<char*>(memory);
    const size_t space = sharedSpace(grid.sharedSizeInBytes) - pageSize();
    std::memset(block->shared, kPoison, space);
    mprotect(block->shared + space, pageSize(), PROT_NONE);
    block->pendingWrites.resize(static_cast<size_t>(grid.sharedSizeInBytes + 3) / 4);
    block->writers.resize(static_cast<size_t>(grid.sharedSizeInBytes + 15) / 16);
    block->products.resize(static_cast<size_t>(grid.threads + 31) / 32);
    block->productLogs.resize(static_cast<size_t>(grid.threads + 127) / 128);
    block->registers.resize(static_cast<size_t>(grid.threads + 127) / 128);
    block->unfinished = static_cast<size_t>(grid.threads);
    block->warps.resize(static_cast<size_t>(grid.threads + 31) / 32);
    block->warpgroups.resize(static_cast<size_t>(grid.threads + 127) / 128);
    for (int thread = 0; thread < grid.threads; ++thread) {
      auto fiber = std::make_unique<Fiber>();
      fiber->engine = &engine;
      fiber->shared = block->shared;
      fiber->block = index * grid.clusterSize + rank;
      fiber->blockCount = grid.blocks;
      fiber->index = thread;
      fiber->rank = rank;
      fiber->owner = block.get();
      fiber->stack = StackPool::shared().acquire();
      if (!fiber->stack) {
        failure_ = "there is no memory for the stacks of threads";
        return;
      }
      fiber->saved = prepareStack(fiber->stack, static_cast<Thread*>(fiber.get()), runKernel);
      ready_.push_back(fiber.get());
      block->fibers.push_back(std::move(fiber));
    }
    blocks_.push_back(std::move(block));
  }
  unfinished_ = ready_.size();
}

Cluster::~Cluster() {
  for (auto& block : blocks_) {
    munmap(block->shared, sharedSpace(grid_.sharedSizeInBytes));
    for (auto& fiber : block->fibers) StackPool::shared().release(fiber->stack);
  }
}

bool Cluster::run() {
  std::vector<Fiber*> round;
  while (failure_.empty() && unfinished_ > 0) {
    if (ready_.empty()) {
      if (doDeferred()) continue;
      failure_ = deadlock();
      break;
    }
    round.swap(ready_);
    ready_.clear();
    // Each round begins elsewhere and goes another way, so that an order that a barrier should make
    // is not there by chance.
    const uint64_t random = nextRandom();
    std::rotate(round.begin(), round.begin() + static_cast<long>(random % round.size()),
                round.end());
    if (random >> 32 & 1) std::reverse(round.begin(), round.end());
    for (Fiber* fiber : round) {
      resume(*fiber);
      if (!failure_.empty()) break;
    }
  }
  if (failure_.empty() && !deferred_.empty()) {
    failure_ = "the block " + std::to_string(block(0).fibers[0]->block) +
               " ends while copies to it or its peers are under way";
  }
  for (auto& block : blocks_) {
    const bool hasWaited = std::any_of(block->fibers.begin(), block->fibers.end(),
                                       [](const auto& fiber) { return fiber->hasWaited; });
    if (failure_.empty() && grid_.overlapsPrevious && grid_.hasProgrammaticLaunches() &&
        !hasWaited) {
      failure_ = "no thread of block " + std::to_string(block->fibers[0]->block) +
                 " waits for its prerequisites";
    }
    if (failure_.empty() && *unfinishedProducts(*block)) {
      failure_ = "block " + std::to_string(block->fibers[0]->block) + " ends " +
                 unfinishedProducts(*block);
    }
    const char* end = block->shared + grid_.sharedSizeInBytes;
    const char* limit = block->shared + sharedSpace(grid_.sharedSizeInBytes) - pageSize();
    for (const char* at = end; at < limit && failure_.empty(); ++at) {
      if (static_cast<unsigned char>(*at) != kPoison) {
        failure_ = "block " + std::to_string(block->fibers[0]->block) + " wrote " +
                   std::to_string(at - end) + " bytes behind its shared memory";
      }
    }
  }
  return failure_.empty();
}

uint64_t Cluster::nextRandom() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

bool Cluster::doDeferred() {
  if (deferred_.empty()) return false;
  // Copies end in any order.
  const size_t chosen = nextRandom() % deferred_.size();
  const auto work = std::move(deferred_[chosen]);
  deferred_.erase(deferred_.begin() + static_cast<long>(chosen));
  work();
  return true;
}

void Cluster::resume(Fiber& fiber) {
  fiber.waitsFor = "";
  aitSwitchFiber(&scheduler_, fiber.saved);
}

void Cluster::wait(Fiber& fiber, const char* what, int at) {
  fiber.waitsFor = what;
  fiber.waitsAt = at;
  aitSwitchFiber(&fiber.saved, scheduler_);
}

void Cluster::fail(Fiber& fiber, const std::string& text) {
  failure_ = placeOf(fiber) + ": " + text;
  aitSwitchFiber(&fiber.saved, scheduler_);
  __builtin_unreachable();
}

void Cluster::finish(Fiber& fiber) {
  if (!fiber.copies.empty() || !fiber.committedCopies.empty()) {
    fail(fiber, "it ends without having waited for its copies");
  }
  fiber.isFinished = true;
  --fiber.owner->unfinished;
  --unfinished_;
  aitSwitchFiber(&fiber.saved, scheduler_);
  __builtin_unreachable();
}

std::string Cluster::deadlock() const {
  // Fibers that wait for the same are told together.
  std::map<std::string, std::pair<int, const Fiber*>> groups;
  int ended = 0;
  for (const auto& block : blocks_) {
    for (const auto& fiber : block->fibers) {
      if (fiber->isFinished) {
        ++ended;
        continue;
      }
      const std::string what =
          std::string(fiber->waitsFor) + " (" + std::to_string(fiber->waitsAt) + ")";
      auto& group = groups[what];
      if (group.first++ == 0) group.second = fiber.get();
    }
  }
  std::string text = "all threads wait";
  for (const auto& [what, group] : groups) {
    text += "; " + std::to_string(group.first) + " for " + what + ", the first being " +
            placeOf(*group.second);
  }
  if (ended > 0) text += "; " + std::to_string(ended) + " have ended";
  return text;
}

bool Cluster::isInRegions(uintptr_t address, size_t bytes) {
  const auto& regions = grid_.regions;
  if (lastRegion_ < regions.size() && address >= regions[lastRegion_].begin &&
      address + bytes <= regions[lastRegion_].end) {
    return true;
  }
  auto next =
      std::upper_bound(regions.begin(), regions.end(), address,
                       [](uintptr_t value, const Region& region) { return value < region.begin; });
  if (next == regions.begin()) return false;
  --next;
  if (address + bytes > next->end) return false;
  lastRegion_ = static_cast<size_t>(next - regions.begin());
  return true;
}

std::string Grid::run() {
  for (int64_t index = 0; index < blocks / clusterSize; ++index) {
    Cluster cluster(*this, index);
    if (!cluster.failure().empty() || !cluster.run()) return cluster.failure();
  }
  return "";
}

}  // namespace emulator
