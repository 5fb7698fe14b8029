// The fake driver's modules and kernels, as far as they are not launched.
#include <cstdlib>
#include <cstring>

#include "fake_cuda_kernels.h"

using namespace hostdriver;
using fake::fakes;

bool hostdriver::modelAttribute(int device, int attribute, int* value) {
  if (attribute != 75 && attribute != 76) return false;
  *value = fakes().capability[device][attribute - 75];
  return true;
}

extern "C" {

/// An image is the text "FAKE <major> <minor> <isSpecific> kernel kernel ...".
Status cuModuleLoadData(Module** module, const void* image) {
  DRIVER_ENTER();
  Context* context = currentContext();
  if (!context) return kInvalidContext;
  char* text = strdup(static_cast<const char*>(image));
  std::unique_ptr<char, void (*)(void*)> owner(text, std::free);
  char* rest = nullptr;
  if (std::strcmp(strtok_r(text, " ", &rest), "FAKE") != 0) return kInvalidImage;
  const int major = std::atoi(strtok_r(nullptr, " ", &rest));
  const int minor = std::atoi(strtok_r(nullptr, " ", &rest));
  const bool isSpecific = std::atoi(strtok_r(nullptr, " ", &rest)) != 0;
  const int* found = fakes().capability[context->device];
  if (found[0] != major || (isSpecific ? found[1] != minor : found[1] < minor)) return kNoBinary;
  *module = new Module{context, {}, nullptr};
  while (const char* symbol = strtok_r(nullptr, " ", &rest)) {
    auto known = fakes().kernels.find(symbol);
    if (known == fakes().kernels.end()) continue;
    (*module)->functions.emplace_back(new Function(known->second));
    (*module)->functions.back()->context = context;
  }
  state().modules.insert(*module);
  return kSuccess;
}
Status cuModuleUnload(Module* module) {
  DRIVER_ENTER();
  if (state().modules.erase(module) == 0) noteMisuse("unloaded what was not loaded");
  delete module;
  return kSuccess;
}
Status cuModuleGetFunction(Function** function, Module* module, const char* symbol) {
  DRIVER_ENTER();
  for (auto& each : module->functions) {
    if (each->symbol != symbol) continue;
    *function = each.get();
    return kSuccess;
  }
  return kNotFound;
}
Status cuFuncSetAttribute(Function* function, int attribute, int value) {
  DRIVER_ENTER();
  if (attribute == 8 && value > 227 * 1024) return kInvalidValue;
  if (attribute == 8) function->sharedLimit = value;
  if (attribute == 9) function->sharedMemoryShare = value;
  if (attribute == 14) function->allowsLargeClusters = value != 0;
  return kSuccess;
}
Status cuOccupancyMaxActiveClusters(int* count, Function*, const void*) {
  DRIVER_ENTER();
  *count = 3;
  return kSuccess;
}
Status cuOccupancyMaxActiveBlocksPerMultiprocessor(int* count, Function*, int, size_t) {
  DRIVER_ENTER();
  *count = 2;
  return kSuccess;
}
Status cuTensorMapEncodeTiled(void* map, int type, uint32_t rank, void* address,
                              const uint64_t* extents, const uint64_t*, const uint32_t*,
                              const uint32_t*, int, int, int, int) {
  DRIVER_ENTER();
  if (reinterpret_cast<uintptr_t>(map) % 64 != 0 || rank == 0 || rank > 5 || type < 0) {
    return kInvalidValue;
  }
  std::memset(map, 0, 128);
  std::memcpy(map, &address, sizeof(address));
  std::memcpy(static_cast<char*>(map) + 8, extents, rank * sizeof(uint64_t));
  return kSuccess;
}
Status cuTensorMapEncodeIm2col(void* map, int type, uint32_t rank, void* address,
                               const uint64_t* extents, const uint64_t* strides, const int*,
                               const int*, uint32_t, uint32_t, const uint32_t* steps, int, int, int,
                               int) {
  return cuTensorMapEncodeTiled(map, type, rank, address, extents, strides, nullptr, steps, 0, 0, 0,
                                0);
}

}  // extern "C"
