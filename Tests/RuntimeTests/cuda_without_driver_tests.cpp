// A library for CUDA on a machine without the driver, or with one of old.
#include <dlfcn.h>

#include "cuda_models.h"
#include "fixtures.h"

using namespace fixtures;

// First of all: no test before it may have loaded the fake driver.
TEST(cudaWithoutDriver) {
  if (void* real = dlopen("libcuda.so.1", RTLD_NOW)) {
    dlclose(real);
    return;
  }
  models::Use use(models::cudaTiny);
  const char* text = nullptr;
  CHECK_OK(AITemplateGetTarget(&text));
  CHECK(std::string(text) == "cuda:sm_80+sm_90a");
  CHECK_OK(AITemplateGetModelName(&text));
  CHECK_OK(AITemplateGetManifest(&text));
  AITemplateModelHandle handle = nullptr;
  CHECK_FAILS("found no CUDA driver: libcuda.so.1 was not found",
              AITemplateModelContainerCreate(&handle, 1, nullptr));
  CHECK_FAILS("install the NVIDIA driver, or compile the model for cpu",
              AITemplateModelContainerCreate(&handle, 1, nullptr));
  void* memory = nullptr;
  CHECK_FAILS("found no CUDA driver", AITemplateDeviceMalloc(&memory, 8));
  CHECK(!handle && !memory);
  void* old = dlopen(CUDA_FOLDER "/old/libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  CHECK(old != nullptr);
  CHECK_FAILS("found a CUDA driver for CUDA 11.4 without the function cu",
              AITemplateModelContainerCreate(&handle, 1, nullptr));
  if (old) dlclose(old);
  CHECK_FAILS("found no CUDA driver", AITemplateModelContainerCreate(&handle, 1, nullptr));
}
