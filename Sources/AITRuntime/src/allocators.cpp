#include "allocators.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "error.h"
#include "objects.h"
#include "threading.h"

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#if defined(__GLIBCXX__)
// In place of libstdc++'s, which prints the exception's type: the demangler that this takes is 50
// KB of every library. Nothing of ours lets an exception through.
namespace __gnu_cxx {
__attribute__((visibility("hidden"))) void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx
#endif

namespace ait {
namespace {

constexpr size_t kAlignmentInBytes = 64;
// What the drivers of devices give, and copy engines want.
constexpr size_t kDeviceAlignmentInBytes = 256;
// Below it a page of its own wastes more than it gains.
constexpr size_t kSmallestMappingInBytes = size_t{256} << 10;
// Regions of several huge pages; smaller ones would waste a good part of one.
constexpr size_t kSmallestHugeInBytes = size_t{8} << 20;

class DefaultAllocator : public AITemplateAllocator {
 public:
  void* Allocate(size_t nbytes) override {
    if (const DeviceBackend* backend = deviceBackend()) return backend->allocate(nbytes);
    return allocateBytes(nbytes);
  }
  void Free(void* ptr) override {
    if (const DeviceBackend* backend = deviceBackend()) {
      if (ptr) backend->free(ptr, nullptr);
    } else {
      freeBytes(ptr);
    }
  }

  // Called by the destructor, whoever deletes the allocator.
  static void operator delete(void* memory) { std::free(memory); }
};

// Known ones form a list, so that a foreign allocator is told apart without run-time type
// information, which the clients of the ABI may lack.
class TrackingAllocator final : public DefaultAllocator {
 public:
  TrackingAllocator() {
    Lock lock(mutex);
    next_ = first;
    first = this;
  }

  ~TrackingAllocator() override {
    Lock lock(mutex);
    for (TrackingAllocator** link = &first; *link; link = &(*link)->next_) {
      if (*link == this) {
        *link = next_;
        break;
      }
    }
  }

  void* Allocate(size_t nbytes) override {
    void* memory = DefaultAllocator::Allocate(nbytes);
    if (memory) allocated_.fetch_add(nbytes, std::memory_order_relaxed);
    return memory;
  }

  static bool find(AITemplateAllocator* allocator, size_t& sizeInBytes) {
    Lock lock(mutex);
    for (TrackingAllocator* known = first; known; known = known->next_) {
      if (known == allocator) {
        sizeInBytes = known->allocated_.load(std::memory_order_relaxed);
        return true;
      }
    }
    return false;
  }

 private:
  static Mutex mutex;
  static TrackingAllocator* first;

  std::atomic<size_t> allocated_{0};
  TrackingAllocator* next_ = nullptr;
};

Mutex TrackingAllocator::mutex;
TrackingAllocator* TrackingAllocator::first = nullptr;

// A client's allocator is C++ code of its own and may throw.
void* allocateFrom(AITemplateAllocator* allocator, size_t sizeInBytes) noexcept {
#if defined(__cpp_exceptions)
  try {
    return allocator->Allocate(sizeInBytes);
  } catch (...) {
    return nullptr;
  }
#else
  return allocator->Allocate(sizeInBytes);
#endif
}

void freeTo(AITemplateAllocator* allocator, void* memory) noexcept {
#if defined(__cpp_exceptions)
  try {
    allocator->Free(memory);
  } catch (...) {
  }
#else
  allocator->Free(memory);
#endif
}

}  // namespace

const DeviceBackend* deviceBackend() {
  const DeviceCode* code = aitModelDescription()->device;
  return code ? code->backend : nullptr;
}

void* mapPages(size_t sizeInBytes) {
  void* pages = mmap(nullptr, sizeInBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (sizeInBytes >= kSmallestHugeInBytes) madvise(pages, sizeInBytes, MADV_HUGEPAGE);
#endif
  return pages;
}

void unmapPages(void* pages, size_t sizeInBytes) {
  if (pages) munmap(pages, sizeInBytes);
}

bool Memory::allocate(size_t sizeInBytes, const char* purpose, Region& region) {
  region = Region();
  if (sizeInBytes > SIZE_MAX / 2) return failForMemory(sizeInBytes, purpose);
  const size_t alignment = device_ ? kDeviceAlignmentInBytes : kAlignmentInBytes;
  region.sizeInBytes = sizeInBytes == 0 ? alignment : sizeInBytes;
  if (allocator_) {
    region.sizeInBytes += alignment;  // clients' allocators need not align
    region.base = allocateFrom(allocator_, region.sizeInBytes);
  } else if (device_) {
    region.base = device_->allocate(region.sizeInBytes, purpose);
  } else if (region.sizeInBytes >= kSmallestMappingInBytes) {
    region.base = mapPages(region.sizeInBytes);
    region.isMapped = true;
  } else {
    region.base = allocateBytes(region.sizeInBytes);
  }
  if (!region.base) {
    region = Region();
    if (device_ && !allocator_) return false;
    if (!allocator_) return failForMemory(sizeInBytes, purpose);
    return fail("the allocator that was given returned no memory (%zu bytes, for %s): free some",
                sizeInBytes, purpose);
  }
  const uintptr_t address = reinterpret_cast<uintptr_t>(region.base);
  const uintptr_t padding = (alignment - address % alignment) % alignment;
  region.data = static_cast<uint8_t*>(region.base) + padding;
  allocatedInBytes_ += region.sizeInBytes;
  return true;
}

void Memory::free(Region& region) {
  if (!region.base) return;
  allocatedInBytes_ -= region.sizeInBytes;
  if (allocator_) {
    freeTo(allocator_, region.base);
  } else if (device_) {
    device_->free(region.base);
  } else if (region.isMapped) {
    unmapPages(region.base, region.sizeInBytes);
  } else {
    freeBytes(region.base);
  }
  region = Region();
}

void* allocateBytes(size_t sizeInBytes) {
  void* memory = nullptr;
  const size_t size = sizeInBytes == 0 ? 1 : sizeInBytes;
  return posix_memalign(&memory, kAlignmentInBytes, size) == 0 ? memory : nullptr;
}

void freeBytes(void* memory) { std::free(memory); }

AITemplateAllocator* makeAllocator(bool isTracking) {
  if (isTracking) return makeObject<TrackingAllocator>();
  return makeObject<DefaultAllocator>();
}

bool deleteAllocator(AITemplateAllocator* allocator) {
#if defined(__cpp_exceptions)
  try {
    delete allocator;
    return true;
  } catch (...) {
    return false;
  }
#else
  delete allocator;
  return true;
#endif
}

bool trackedBytes(AITemplateAllocator* allocator, size_t& sizeInBytes) {
  return TrackingAllocator::find(allocator, sizeInBytes);
}

}  // namespace ait
