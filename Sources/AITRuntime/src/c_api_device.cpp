// What the C ABI offers of the device that a container is on: part of `ait.h`.
#include <cstring>

#include "allocators.h"
#include "c_api.h"

using namespace ait;

namespace {

/// Streams are the device's; a model for the CPU has none.
bool hasStreams(ModelContainer& container) {
  return container.device() ||
         fail("found a call for a stream, but the model was compiled for %s, which has none",
              container.model().target);
}

}  // namespace

extern "C" {

AITemplateError AITemplateModelContainerGetDeviceName(AITemplateModelHandle handle,
                                                      const char** name_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(name_out, "name_out")) return false;
    *name_out = container.device() ? container.device()->name() : "";
    return true;
  });
}

AITemplateError AITemplateModelContainerDeviceMalloc(AITemplateModelHandle handle, void** ptr_out,
                                                     size_t size) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(ptr_out, "ptr_out")) return false;
    *ptr_out = nullptr;
    if (size == 0) return true;
    if (Device* device = container.device()) {
      *ptr_out = device->allocate(size, "a tensor");
      return *ptr_out != nullptr;
    }
    *ptr_out = size <= SIZE_MAX / 2 ? allocateBytes(size) : nullptr;
    return *ptr_out || failForMemory(size, "a tensor");
  });
}

AITemplateError AITemplateModelContainerDeviceFree(AITemplateModelHandle handle, void* ptr) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (Device* device = container.device()) {
      device->free(ptr);
    } else {
      freeBytes(ptr);
    }
    return true;
  });
}

AITemplateError AITemplateModelContainerMemcpy(AITemplateModelHandle handle, void* dst,
                                               const void* src, size_t count,
                                               AITemplateMemcpyKind kind,
                                               AITemplateStreamHandle stream) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isMemcpyKind(kind)) return false;
    if (count == 0) return true;
    if (!isGiven(dst, "dst") || !isGiven(src, "src")) return false;
    if (Device* device = container.device()) {
      return device->isUsable() && device->copy(dst, src, count, kind, stream);
    }
    std::memmove(dst, src, count);
    return true;
  });
}

AITemplateError AITemplateModelContainerStreamCreate(AITemplateModelHandle handle,
                                                     AITemplateStreamHandle* stream_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(stream_out, "stream_handle_out") || !hasStreams(container)) return false;
    Stream stream = nullptr;
    const bool isMade = container.device()->isUsable() && container.device()->makeStream(stream);
    *stream_out = static_cast<AITemplateStreamHandle>(stream);
    return isMade;
  });
}

AITemplateError AITemplateModelContainerStreamDestroy(AITemplateModelHandle handle,
                                                      AITemplateStreamHandle stream) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!hasStreams(container)) return false;
    container.device()->destroyStream(stream);
    return true;
  });
}

AITemplateError AITemplateModelContainerStreamSynchronize(AITemplateModelHandle handle,
                                                          AITemplateStreamHandle stream) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    Device* device = container.device();
    // What the CPU was given to do is done.
    return !device || (device->isUsable() && device->synchronize(stream));
  });
}

}  // extern "C"
