// The driver's devices, contexts and memory.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "driver_state.h"

namespace hostdriver {

constexpr size_t kGuardInBytes = 256;
constexpr unsigned char kGuard = 0xAB, kFresh = 0xCD, kFreed = 0xDD;

State& state() {
  static State* all = new State();  // outlives the threads of streams
  return *all;
}

std::vector<Context*>& contextStack() {
  static thread_local std::vector<Context*> stack;
  return stack;
}

Context* currentContext() { return contextStack().empty() ? nullptr : contextStack().back(); }

int& captureModeOfThread() {
  static thread_local int mode = 0;  // global
  return mode;
}

Status enter(const char* function) {
  State& all = state();
  ++all.calls[function];
  if (all.process != 0 && all.process != getpid()) return kNotInitialized;
  auto failure = all.failures.find(function);
  if (failure == all.failures.end() || failure->second.first-- > 0) return kSuccess;
  const Status status = failure->second.second;
  all.failures.erase(failure);
  return status;
}

void noteMisuse(const std::string& text) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  state().misuse += text + "\n";
}

bool isMemoryOf(int device, const void* memory, size_t sizeInBytes) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  const uintptr_t address = reinterpret_cast<uintptr_t>(memory);
  auto next = state().allocations.upper_bound(address);
  if (next == state().allocations.begin()) return false;
  const auto& [begin, allocation] = *--next;
  return allocation.device == device && address + sizeInBytes <= begin + allocation.size;
}

bool touches(const Launch& launch, const void* memory, size_t sizeInBytes) {
  if (sizeInBytes == 0 || isMemoryOf(launch.device, memory, sizeInBytes)) return true;
  State& all = state();
  all.contexts[launch.device].lost = kIllegalAddress;
  return false;
}

bool isForbiddenByCapture() {
  bool isForbidden = false;
  for (Stream* stream : state().streams) {
    if (!stream->capture) continue;
    const bool isOwn = stream->capturer == std::this_thread::get_id();
    // As the driver does: modes global 0, thread-local 1, relaxed 2; of the capture and the thread.
    const bool isStrict = captureModeOfThread() == 0 &&
                          (stream->captureMode == 0 || (isOwn && stream->captureMode == 1));
    if (!isStrict) continue;
    stream->isInvalidated = true;
    isForbidden = true;
  }
  return isForbidden;
}

size_t allocatedInBytes(int device) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  size_t total = 0;
  for (const auto& [begin, allocation] : state().allocations) {
    if (allocation.device == device) total += allocation.size;
  }
  return total;
}

static void* allocate(size_t size, int device) {
  void* base = nullptr;
  if (posix_memalign(&base, 256, size + 2 * kGuardInBytes) != 0) return nullptr;
  unsigned char* bytes = static_cast<unsigned char*>(base);
  std::memset(bytes, kGuard, size + 2 * kGuardInBytes);
  std::memset(bytes + kGuardInBytes, kFresh, size);
  state().allocations[reinterpret_cast<uintptr_t>(bytes + kGuardInBytes)] = {size, device, base};
  return bytes + kGuardInBytes;
}

static Status release(void* memory, bool isHost) {
  State& all = state();
  auto found = all.allocations.find(reinterpret_cast<uintptr_t>(memory));
  if (found == all.allocations.end() || (found->second.device < 0) != isHost) {
    noteMisuse("freed what was not allocated");
    return kInvalidValue;
  }
  unsigned char* bytes = static_cast<unsigned char*>(found->second.base);
  const size_t size = found->second.size;
  for (size_t index = 0; index < kGuardInBytes; ++index) {
    if (bytes[index] == kGuard && bytes[kGuardInBytes + size + index] == kGuard) continue;
    noteMisuse("a guard byte changed");
    break;
  }
  // The real driver waits for the device here; whoever relies on it shows.
  std::memset(bytes, kFreed, size + 2 * kGuardInBytes);
  std::free(bytes);
  all.allocations.erase(found);
  return kSuccess;
}

}  // namespace hostdriver

using namespace hostdriver;

extern "C" {

Status cuGetErrorName(Status status, const char** name) {
  switch (status) {
    case kOutOfMemory:
      *name = "CUDA_ERROR_OUT_OF_MEMORY";
      break;
    case kNotInitialized:
      *name = "CUDA_ERROR_NOT_INITIALIZED";
      break;
    case kNoBinary:
      *name = "CUDA_ERROR_NO_BINARY_FOR_GPU";
      break;
    case kIllegalAddress:
      *name = "CUDA_ERROR_ILLEGAL_ADDRESS";
      break;
    case kLaunchFailed:
      *name = "CUDA_ERROR_LAUNCH_FAILED";
      break;
    default:
      *name = "CUDA_ERROR_OF_A_TEST";
      break;
  }
  return kSuccess;
}
Status cuGetErrorString(Status, const char** text) {
  *text = "text of the driver";
  return kSuccess;
}
Status cuInit(unsigned) {
  DRIVER_ENTER();
  if (state().process == 0) state().process = getpid();
  return state().deviceCount == 0 ? kNoDevice : kSuccess;
}
Status cuDriverGetVersion(int* version) {
  *version = state().driverVersion;
  return kSuccess;
}

// MARK: - Devices and contexts

Status cuDeviceGetCount(int* count) {
  DRIVER_ENTER();
  *count = state().deviceCount;
  return kSuccess;
}
Status cuDeviceGet(int* device, int number) {
  DRIVER_ENTER();
  *device = number;
  return number < state().deviceCount ? kSuccess : kInvalidDevice;
}
Status cuDeviceGetName(char* name, int size, int device) {
  std::snprintf(name, static_cast<size_t>(size), "%s %d", state().deviceName, device);
  return kSuccess;
}
Status cuDeviceGetAttribute(int* value, int attribute, int device) {
  DRIVER_ENTER();
  switch (attribute) {
    case 16:
      *value = 4;
      break;
    case 38:
      *value = 4096;
      break;
    default:
      return modelAttribute(device, attribute, value) ? kSuccess : kInvalidValue;
  }
  return kSuccess;
}
Status cuDevicePrimaryCtxRetain(Context** context, int device) {
  DRIVER_ENTER();
  *context = &state().contexts[device];
  ++(*context)->references;
  return kSuccess;
}
Status cuDevicePrimaryCtxRelease_v2(int device) {
  DRIVER_ENTER();
  Context& context = state().contexts[device];
  if (--context.references < 0) noteMisuse("a context was released too often");
  if (context.references == 0 && state().isForgiving) context.lost = kSuccess;
  return kSuccess;
}
Status cuCtxSetCurrent(Context* context) {
  DRIVER_ENTER();
  if (contextStack().empty()) contextStack().push_back(nullptr);
  contextStack().back() = context;
  return kSuccess;
}
/// Another context on device 0, not the primary one.
Status cuCtxCreate_v2(Context** context, unsigned, int) {
  *context = &state().secondary;
  contextStack().push_back(*context);
  return kSuccess;
}
Status cuCtxGetCurrent(Context** context) {
  *context = currentContext();
  return kSuccess;
}
Status cuCtxGetDevice(int* device) {
  if (!currentContext()) return kInvalidContext;
  *device = currentContext()->device;
  return kSuccess;
}
Status cuCtxPushCurrent_v2(Context* context) {
  DRIVER_ENTER();
  contextStack().push_back(context);
  return kSuccess;
}
Status cuCtxPopCurrent_v2(Context** context) {
  if (contextStack().empty()) return kInvalidContext;
  *context = currentContext();
  contextStack().pop_back();
  return kSuccess;
}

// MARK: - Memory

Status cuMemGetInfo_v2(size_t* available, size_t* total) {
  DRIVER_ENTER();
  const int device = currentContext()->device;
  *total = state().memory[device];
  *available = *total - allocatedInBytes(device);
  return kSuccess;
}
Status cuMemAlloc_v2(uint64_t* address, size_t size) {
  DRIVER_ENTER();
  if (!currentContext()) return kInvalidContext;
  if (size == 0) return kInvalidValue;
  if (isForbiddenByCapture()) return kCaptureUnsupported;
  const int device = currentContext()->device;
  if (const Status lost = currentContext()->lost) return lost;
  if (size > state().memory[device] - allocatedInBytes(device)) return kOutOfMemory;
  *address = reinterpret_cast<uint64_t>(allocate(size, device));
  return *address ? kSuccess : kOutOfMemory;
}
Status cuMemFree_v2(uint64_t address) {
  DRIVER_ENTER();
  if (!currentContext()) return kInvalidContext;
  if (isForbiddenByCapture()) return kCaptureUnsupported;
  return release(reinterpret_cast<void*>(address), false);
}
Status cuMemHostAlloc(void** memory, size_t size, unsigned) {
  DRIVER_ENTER();
  *memory = allocate(size, -1);
  return *memory ? kSuccess : kOutOfMemory;
}
Status cuMemFreeHost(void* memory) {
  DRIVER_ENTER();
  return release(memory, true);
}
Status cuPointerGetAttributes(unsigned count, int* attributes, void** values, uint64_t address) {
  DRIVER_ENTER();
  const void* memory = reinterpret_cast<const void*>(address);
  int owner = -2;
  for (int device = -1; device < 2; ++device) {
    if (isMemoryOf(device, memory, 1)) owner = device;
  }
  for (unsigned index = 0; index < count; ++index) {
    int* value = static_cast<int*>(values[index]);
    switch (attributes[index]) {
      case 2:
        *value = owner >= 0 ? 2 : owner == -1 ? 1 : 0;
        break;
      case 8:
        *value = 0;
        break;
      case 9:
        *value = owner == -1 ? 0 : owner;
        break;
      default:
        return kInvalidValue;
    }
  }
  return kSuccess;
}

}  // extern "C"
