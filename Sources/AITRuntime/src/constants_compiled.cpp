// The constants as the library was compiled with them, where the steps read them.
#include <cstring>

#include "constants.h"
#include "error.h"

namespace ait {

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
