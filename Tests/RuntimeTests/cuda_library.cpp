// Makes a library of a model for CUDA that the Swift tests load: `blend`, on the fake driver if the
// process has loaded it. Linked last, as the models are made before.
#include <dlfcn.h>

#include "cuda_models.h"

namespace {

const bool isPrepared = [] {
  models::current = &models::cudaBlend;
  using Get = const fake::Control* (*)();
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  const Get get = driver ? reinterpret_cast<Get>(dlsym(driver, "fakeCudaControl")) : nullptr;
  if (get) models::addKernels(*get());
  return get != nullptr;
}();

}  // namespace
