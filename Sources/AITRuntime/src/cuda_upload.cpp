// What the library was compiled with, brought to the device: once for all runtimes, in one region.
#include "allocators.h"
#include "cuda_device.h"
#include "error.h"

namespace ait {

bool CudaDevice::upload(Memory& memory, Region& image, Array<const void*>& places) {
  constexpr size_t kAlignmentInBytes = 256;
  const size_t constantCount = static_cast<size_t>(model_.constantCount);
  const size_t count = constantCount + static_cast<size_t>(model_.foldedCount);
  if (!places.allocate(count)) return failForMemory(count * sizeof(void*), "the constants");
  const auto sizeOf = [&](size_t index) {
    return static_cast<size_t>(index < constantCount
                                   ? model_.constants[index].sizeInBytes
                                   : model_.folded[index - constantCount].sizeInBytes);
  };
  const auto dataOf = [&](size_t index) {
    return index < constantCount ? model_.constants[index].data
                                 : model_.folded[index - constantCount].data;
  };
  const auto roomOf = [&](size_t index) {
    const size_t size = dataOf(index) ? sizeOf(index) : 0;
    return (size + kAlignmentInBytes - 1) / kAlignmentInBytes * kAlignmentInBytes;
  };
  size_t total = 0;
  for (size_t index = 0; index < count; ++index) total += roomOf(index);
  if (!memory.allocate(total, "the constants", image)) return false;
  uint8_t* next = static_cast<uint8_t*>(image.data);
  for (size_t index = 0; index < count; ++index) {
    if (!dataOf(index)) continue;
    places[index] = next;
    if (!copy(next, dataOf(index), sizeOf(index), AITemplateMemcpyKind::HostToDevice, nullptr)) {
      return false;
    }
    next += roomOf(index);
  }
  return true;
}

}  // namespace ait
