// Runs on a device: streams, asynchrony, what is refused.
#include <dlfcn.h>

#include <thread>

#include "cuda_fixtures.h"

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
}

TEST(cudaRunComputes) {
  CudaBlend blend(2);
  CHECK_FAILS("2 unbound constants: 'b', 'q'", blend.run());
  blend.setConstants();
  int64_t totalShape[2] = {}, twiceShape[2] = {};
  int64_t* shapes[] = {totalShape, twiceShape};
  CHECK_OK(blend.run(nullptr, true, false, shapes));
  CHECK(blend.isRight());
  CHECK(totalShape[0] == 3 && totalShape[1] == 4 && twiceShape[0] == 3);
  CHECK(std::isnan(blend.total[12]) && std::isnan(blend.twice[12]));
}
