// What tests do to the fake driver, and what they ask of it.
#include "fake_cuda.h"

#include "fake_cuda_kernels.h"

using namespace hostdriver;

namespace fake {

Fakes& fakes() {
  static Fakes* all = new Fakes();
  return *all;
}

static void reset() {
  State& all = state();
  std::lock_guard<std::recursive_mutex> lock(all.mutex);
  all.deviceName = "Fake";
  all.driverVersion = 13000;
  all.deviceCount = 2;
  for (int device = 0; device < 2; ++device) {
    fakes().capability[device][0] = 9;
    fakes().capability[device][1] = 0;
    all.memory[device] = size_t{1} << 30;
    all.contexts[device].device = device;
    all.contexts[device].lost = kSuccess;
  }
  all.delay = 0;
  all.runningKernelsUntilFailure = -1;
  all.failures.clear();
  all.calls.clear();
  all.launches.clear();
  all.lastLaunches.clear();
  all.misuse.clear();
}

static const Control control = {
    reset,
    [](int version) { state().driverVersion = version; },
    [](int count) { state().deviceCount = count; },
    [](int device, int major, int minor) {
      fakes().capability[device][0] = major;
      fakes().capability[device][1] = minor;
    },
    [](int device, size_t size) { state().memory[device] = size; },
    [](int microseconds) { state().delay = microseconds; },
    [](const char* symbol, Kernel kernel, const size_t* sizes, size_t count) {
      Function& function = fakes().kernels[symbol];
      function.symbol = symbol;
      function.run = [kernel](const Launch& launch) {
        kernel(launch);
        return Status{kSuccess};
      };
      function.sizes.assign(sizes, sizes + count);
    },
    [](const char* function, int skip, int status) {
      std::lock_guard<std::recursive_mutex> lock(state().mutex);
      state().failures[function] = {skip, status};
    },
    [](int skip) { state().runningKernelsUntilFailure = skip; },
    [](const char* function) {
      std::lock_guard<std::recursive_mutex> lock(state().mutex);
      return state().calls[function];
    },
    [](const char* symbol) {
      std::lock_guard<std::recursive_mutex> lock(state().mutex);
      return state().launches[symbol];
    },
    [](const char* symbol) {
      std::lock_guard<std::recursive_mutex> lock(state().mutex);
      return state().lastLaunches[symbol];
    },
    allocatedInBytes,
    [](const char* kind) {
      std::lock_guard<std::recursive_mutex> lock(state().mutex);
      const std::string text = kind;
      if (text == "streams") return state().streams.size();
      if (text == "events") return state().events.size();
      if (text == "graphs") return state().graphs.size();
      if (text == "executables") return state().executables.size();
      return state().modules.size();
    },
    [](int device) { return state().contexts[device].references; },
    []() -> const char* { return state().misuse.c_str(); },
};

}  // namespace fake

extern "C" const fake::Control* fakeCudaControl() {
  static const bool isReset = (fake::reset(), true);
  (void)isReset;
  return &fake::control;
}
