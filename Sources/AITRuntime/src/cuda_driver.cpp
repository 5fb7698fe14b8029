#include "cuda_driver.h"

#include <dlfcn.h>
#include <pthread.h>

#include "error.h"

namespace ait {
namespace {

// Of C's kind: an object with a constructor would keep this file in libraries for the CPU.
pthread_mutex_t loadMutex = PTHREAD_MUTEX_INITIALIZER;
CudaDriver driver;
bool isLoaded = false;

bool find() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = dlerror();
    return fail(
        "found no CUDA driver: libcuda.so.1 was not found (%s); install the NVIDIA driver, or "
        "compile the model for cpu",
        reason ? reason : "?");
  }
  const char* missing = nullptr;
#define AIT_CUDA_FIND(name, symbol, parameters)                                  \
  driver.name = reinterpret_cast<int32_t(*) parameters>(dlsym(library, symbol)); \
  if (!driver.name && !missing) missing = symbol;
  AIT_CUDA_FUNCTIONS(AIT_CUDA_FIND)
#undef AIT_CUDA_FIND
  if (missing) {
    const int32_t version = driver.driverGetVersion ? driver.version() : 0;
    dlclose(library);
    return fail(
        "found a CUDA driver for CUDA %d.%d without the function %s, expected one for CUDA 12.0 "
        "or later: update the NVIDIA driver",
        version / 1000, version % 1000 / 10, missing);
  }
  driver.isEmulating = dlsym(library, "aitEmulatedSetCapability") != nullptr;
  // The library stays: contexts and memory of other users of the driver live in it.
  isLoaded = true;
  return true;
}

}  // namespace

const CudaDriver* CudaDriver::load() {
  pthread_mutex_lock(&loadMutex);
  const bool isFound = isLoaded || find();
  pthread_mutex_unlock(&loadMutex);
  if (!isFound) return nullptr;
  // Again each time: it does nothing the second time, and fails in the child of a fork.
  const int32_t status = driver.init(0);
  if (status == kCudaSuccess) return &driver;
  if (status == kCudaNoDevice) {
    fail(
        "found no CUDA device: the driver is there, but sees no GPU; check nvidia-smi and "
        "CUDA_VISIBLE_DEVICES, or compile the model for cpu");
  } else {
    driver.check(status, "start the CUDA driver");
  }
  return nullptr;
}

int32_t CudaDriver::version() const {
  int32_t version = 0;
  return driverGetVersion(&version) == kCudaSuccess ? version : 0;
}

const char* CudaDriver::errorName(int32_t status) const {
  const char* name = nullptr;
  return getErrorName(status, &name) == kCudaSuccess && name ? name : "unknown error";
}

const char* CudaDriver::errorText(int32_t status) const {
  const char* text = nullptr;
  return getErrorString(status, &text) == kCudaSuccess && text ? text : "no text";
}

bool CudaDriver::check(int32_t status, const char* act) const {
  if (status == kCudaSuccess) return true;
  return fail("cannot %s: the CUDA driver reports %s (%d), %s%s", act, errorName(status), status,
              errorText(status), cudaAdvice(status));
}

bool isCudaDeviceLost(int32_t status) {
  constexpr int32_t kTimeout = 702, kAssertion = 710, kStackError = 714;
  return status == kCudaIllegalAddress || status == kTimeout || status == kAssertion ||
         (status >= kStackError && status <= kCudaLaunchFailed);
}

const char* cudaAdvice(int32_t status) {
  switch (status) {
    case kCudaNotInitialized:
      return ": in the child of a fork, CUDA works only if the parent never used it; start the "
             "process anew (spawn) instead";
    case kCudaOutOfMemory:
      return ": free some, or use fewer runtimes";
    case kCudaInvalidImage:
    case kCudaNoBinaryForDevice:
    case kCudaUnsupportedVersion:
      return ": update the NVIDIA driver, or compile the model for this device";
    default:
      return isCudaDeviceLost(status) ? ": the process can use the device no more; start it anew"
                                      : "";
  }
}

}  // namespace ait
