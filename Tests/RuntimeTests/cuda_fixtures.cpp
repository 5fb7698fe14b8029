#include "cuda_fixtures.h"

#include <dlfcn.h>

namespace fixtures {

static void* library() {
  // The runtime asks for the name only, and is given what is there under it.
  static void* loaded = [] {
    void* found = dlopen(CUDA_FOLDER "/libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!found) std::printf("%s\n", dlerror());
    return found;
  }();
  return loaded;
}

void* driverFunction(const char* name) { return dlsym(library(), name); }

const fake::Control& driver() {
  static const fake::Control& control = [&]() -> const fake::Control& {
    using Get = const fake::Control* (*)();
    const fake::Control* found = reinterpret_cast<Get>(driverFunction("fakeCudaControl"))();
    models::addKernels(*found);
    return *found;
  }();
  return control;
}

OnFake::~OnFake() {
  harness::note(*driver().misuse() == '\0', "the driver is used well", __FILE__, __LINE__,
                driver().misuse());
  for (int device = 0; device < 2; ++device) {
    CHECK(driver().allocatedInBytes(device) == 0);
  }
  CHECK(driver().allocatedInBytes(-1) == 0);
  for (const char* kind : {"streams", "events", "graphs", "executables", "modules"}) {
    harness::note(driver().liveCount(kind) == 0, "nothing is left behind", __FILE__, __LINE__,
                  kind);
  }
}

CallersStream::CallersStream(int device) {
  void* context = nullptr;
  CHECK(call("cuDevicePrimaryCtxRetain", &context, device) == 0);
  CHECK(call("cuCtxPushCurrent_v2", context) == 0);
  CHECK(call("cuStreamCreate", &stream, 1u) == 0);
  CHECK(call("cuCtxPopCurrent_v2", &context) == 0);
  CHECK(call("cuDevicePrimaryCtxRelease_v2", device) == 0);
}

CallersStream::~CallersStream() { CHECK(call("cuStreamDestroy_v2", stream) == 0); }

void CallersStream::wait() { CHECK(call("cuStreamSynchronize", stream) == 0); }

}  // namespace fixtures
