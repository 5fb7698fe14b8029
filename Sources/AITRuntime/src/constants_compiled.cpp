// The constants as the library was compiled with them, where the steps read them.
#include <cstring>

#include "constants.h"
#include "error.h"

namespace ait {

/// Once for all runtimes, in one region: what the library was compiled with, and the queue of fold
/// steps.
bool Constants::upload() {
  constexpr size_t kAlignmentInBytes = 256;
  const size_t constantCount = static_cast<size_t>(model_.constantCount);
  const size_t count = constantCount + static_cast<size_t>(model_.foldedCount);
  if (!uploaded_.allocate(count)) return failForMemory(count * sizeof(void*), "the constants");
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
  if (!memory_.allocate(total, "the constants", image_)) return false;
  uint8_t* next = static_cast<uint8_t*>(image_.data);
  for (size_t index = 0; index < count; ++index) {
    if (!dataOf(index)) continue;
    uploaded_[index] = next;
    if (!device_->copy(next, dataOf(index), sizeOf(index), AITemplateMemcpyKind::HostToDevice,
                       nullptr)) {
      return false;
    }
    next += roomOf(index);
  }
  queue_ = device_->makeQueue();
  return queue_ != nullptr;
}

Snapshot* Constants::makeCompiled() const {
  Snapshot* snapshot = Snapshot::make(model_, device_ ? uploaded_.data() : nullptr);
  if (snapshot) folding_.markInitial(*snapshot);
  return snapshot;
}

const Snapshot* Constants::acquireCompiled() {
  Lock writer(writerMutex_);
  if (device_ && !device_->isUsable()) return nullptr;
  Snapshot* snapshot = makeCompiled();
  if (!snapshot) return nullptr;
  if (checkPresence(*snapshot) && finish(*snapshot, nullptr)) return snapshot;
  Snapshot::destroy(snapshot, memory_);
  return nullptr;
}

void Constants::releaseCompiled(const Snapshot* snapshot) {
  Lock writer(writerMutex_);
  Snapshot::destroy(const_cast<Snapshot*>(snapshot), memory_);
}

bool Constants::copy(void* target, const void* source, size_t sizeInBytes, Stream stream) {
  if (device_) {
    return device_->copy(target, source, sizeInBytes, AITemplateMemcpyKind::DeviceToDevice, stream);
  }
  if (sizeInBytes > 0) std::memcpy(target, source, sizeInBytes);
  return true;
}

}  // namespace ait
