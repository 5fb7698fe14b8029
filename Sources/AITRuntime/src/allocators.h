// Where a container's memory comes from.
#pragma once

#include <atomic>
#include <cstddef>

#include "ait/model_interface.h"
#include "device.h"

namespace ait {

/// A stretch of memory, 64-byte aligned; a device's is 256-byte aligned.
struct Region {
  void* data = nullptr;
  void* base = nullptr;    // as the allocator returned it
  size_t sizeInBytes = 0;  // from `base`
  bool isMapped = false;
};

/// The user's allocator, the device, or the operating system. Not for use by two threads at once.
class Memory {
 public:
  explicit Memory(AITemplateAllocator* allocator) : allocator_(allocator) {}

  /// Takes all memory from the device, or, if there is an allocator, trusts that it does.
  void use(Device* device) { device_ = device; }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Fails with a text that names the purpose. From the operating system, large regions are
  /// reserved only: pages cost memory once they are touched.
  bool allocate(size_t sizeInBytes, const char* purpose, Region& region);
  void free(Region& region);

  /// May be asked from any thread.
  size_t allocatedInBytes() const { return allocatedInBytes_.load(std::memory_order_relaxed); }

 private:
  AITemplateAllocator* const allocator_;
  Device* device_ = nullptr;
  std::atomic<size_t> allocatedInBytes_{0};
};

/// How this library reaches its device; null if it is for the CPU.
const DeviceBackend* deviceBackend();

/// Address space from the operating system; pages cost memory once they are touched.
void* mapPages(size_t sizeInBytes);
void unmapPages(void* pages, size_t sizeInBytes);

/// 64-byte aligned bytes; null if there are none.
void* allocateBytes(size_t sizeInBytes);
void freeBytes(void* memory);

AITemplateAllocator* makeAllocator(bool isTracking);
/// Returns false if the destructor of a client's allocator throws.
bool deleteAllocator(AITemplateAllocator* allocator);
/// Returns false if it is not one of our tracking allocators.
bool trackedBytes(AITemplateAllocator* allocator, size_t& sizeInBytes);

}  // namespace ait
