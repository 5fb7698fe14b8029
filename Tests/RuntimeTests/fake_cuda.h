// A CUDA driver on the host, for tests: its library is built as libcuda.so.1. Streams are threads,
// so work is really asynchronous; memory is poisoned and guarded; kernels are functions of the host
// that refuse memory which is not their device's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fake {

/// What a kernel sees when it runs, on the thread of its stream.
struct Launch {
  void** arguments;
  uint32_t grid[3];
  uint32_t blockSize;
  int device;

  /// Whether the bytes are memory of the device; if not, the device is lost (illegal address).
  bool (*touches)(const Launch& launch, const void* memory, size_t sizeInBytes);
};

using Kernel = void (*)(const Launch& launch);

/// What was last launched under a name.
struct Launched {
  uint32_t grid[3];
  uint32_t blockSize;
  uint32_t sharedSizeInBytes;
  uint32_t clusterSize;
  bool overlapsPrevious;
};

/// The fake's own functions: what `fakeCudaControl` returns.
struct Control {
  /// Devices as they are at first, no failures to come, all counts zero.
  void (*reset)();
  void (*setDriverVersion)(int version);
  void (*setDeviceCount)(int count);
  void (*setCapability)(int device, int major, int minor);
  void (*setMemory)(int device, size_t sizeInBytes);
  /// Each piece of work of a stream takes so long.
  void (*setDelay)(int microseconds);

  void (*addKernel)(const char* symbol, Kernel kernel, const size_t* argumentSizes, size_t count);

  /// The call after `skip` more calls of the function returns the status.
  void (*failCall)(const char* function, int skip, int status);
  /// The launch after `skip` more launches loses the device when it runs.
  void (*failRunningKernel)(int skip);

  size_t (*callCount)(const char* function);
  size_t (*launchCount)(const char* symbol);  // that ran
  Launched (*lastLaunch)(const char* symbol);
  size_t (*allocatedInBytes)(int device);
  size_t (*liveCount)(const char* kind);  // streams, events, graphs, executables, modules
  int (*contextReferences)(int device);
  /// What was used wrongly so far, such as a guard byte that changed; "" if nothing.
  const char* (*misuse)();
};

}  // namespace fake

extern "C" const fake::Control* fakeCudaControl();
