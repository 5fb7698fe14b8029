// A CUDA driver on the host, for tests: its library is built as libcuda.so.1. Devices, memory and
// streams are those of the emulating driver; kernels are functions of the host that refuse memory
// which is not their device's.
#pragma once

#include "driver_state.h"

namespace fake {

using hostdriver::Launch;
using hostdriver::Launched;
using Kernel = void (*)(const Launch& launch);

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
