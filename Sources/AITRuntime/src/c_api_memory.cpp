// AITemplate's C ABI: allocators and memory.
#include <cstring>

#include "allocators.h"
#include "c_api.h"

using namespace ait;

extern "C" {

AITemplateError AITemplateAllocatorCreate(AITemplateAllocator** allocator_out,
                                          AITemplateAllocatorType allocator_type) {
  return answer(__func__, [&] {
    if (!isGiven(allocator_out, "allocator_out")) return false;
    if (allocator_type != AITemplateAllocatorType::kDefault &&
        allocator_type != AITemplateAllocatorType::kTracking) {
      return fail("found allocator_type = %d, expected 0 (default) or 1 (tracking)",
                  static_cast<int>(allocator_type));
    }
    AITemplateAllocator* allocator =
        makeAllocator(allocator_type == AITemplateAllocatorType::kTracking);
    if (!allocator) return failForMemory(64, "an allocator");
    *allocator_out = allocator;
    return true;
  });
}

AITemplateError AITemplateAllocatorDelete(AITemplateAllocator* allocator) {
  return answer(__func__, [&] {
    return isGiven(allocator, "allocator") &&
           (deleteAllocator(allocator) || fail("the allocator's destructor threw an exception"));
  });
}

AITemplateError AITemplateTrackingAllocatorGetNumBytes(AITemplateAllocator* allocator,
                                                       size_t* num_bytes_out) {
  return answer(__func__, [&] {
    return isGiven(allocator, "allocator") && isGiven(num_bytes_out, "num_bytes_out") &&
           (trackedBytes(allocator, *num_bytes_out) ||
            fail("the allocator is not a tracking one of this library: make it with "
                 "AITemplateAllocatorCreate and type 1"));
  });
}

AITemplateError AITemplateDeviceMalloc(void** ptr_out, size_t size, AITemplateStreamHandle stream,
                                       bool sync) {
  return answer(__func__, [&] {
    if (!isGiven(ptr_out, "ptr_out")) return false;
    *ptr_out = nullptr;
    if (size == 0) return true;
    (void)stream, (void)sync;  // no memory is handed out before it may be used
    if (const DeviceBackend* backend = deviceBackend()) {
      *ptr_out = backend->allocate(size);
      return *ptr_out != nullptr;
    }
    void* memory = size <= SIZE_MAX / 2 ? allocateBytes(size) : nullptr;
    if (!memory) return failForMemory(size, "a tensor");
    *ptr_out = memory;
    return true;
  });
}

AITemplateError AITemplateDeviceFree(void* ptr, AITemplateStreamHandle stream, bool) {
  return answer(__func__, [&] {
    const DeviceBackend* backend = deviceBackend();
    if (backend) return !ptr || backend->free(ptr, stream);
    freeBytes(ptr);
    return true;
  });
}

AITemplateError AITemplateMemcpy(void* dst, const void* src, size_t count,
                                 AITemplateMemcpyKind kind, AITemplateStreamHandle stream,
                                 bool sync) {
  return answer(__func__, [&] {
    if (!isMemcpyKind(kind)) return false;
    if (count == 0) return true;
    if (!isGiven(dst, "dst") || !isGiven(src, "src")) return false;
    if (const DeviceBackend* backend = deviceBackend()) {
      return backend->copy(dst, src, count, kind, stream, sync);
    }
    std::memmove(dst, src, count);  // clients may move within a tensor
    return true;
  });
}

}  // extern "C"
