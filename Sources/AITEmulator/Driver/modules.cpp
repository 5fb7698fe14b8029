// The emulating driver's modules: shared objects that clang has made of kernels.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "cluster.h"
#include "driver_state.h"
#include "tensor_map.h"

using namespace hostdriver;

namespace emulator {

namespace {

/// The compute capability that the thread asks for, times 10.
int& capability() {
  static thread_local int value = [] {
    const char* wish = std::getenv("AIT_EMULATED_CAPABILITY");
    const int number = wish ? std::atoi(wish) : 0;
    return number > 0 ? number : 90;
  }();
  return value;
}

/// The loaded object of a module.
struct SharedObject : Code {
  void* handle = nullptr;
  ~SharedObject() override {
    if (handle) dlclose(handle);
  }
};

/// The length of an ELF image: its section headers come last.
size_t imageSize(const unsigned char* image) {
  static const unsigned char magic[] = {0x7f, 'E', 'L', 'F', 2};
  if (std::memcmp(image, magic, sizeof(magic)) != 0) return 0;
  uint64_t offset;
  uint16_t size, count;
  std::memcpy(&offset, image + 40, sizeof(offset));
  std::memcpy(&size, image + 58, sizeof(size));
  std::memcpy(&count, image + 60, sizeof(count));
  return offset + size_t{size} * count;
}

void* load(const void* image) {
  const size_t size = imageSize(static_cast<const unsigned char*>(image));
  if (size == 0) return nullptr;
  const int file = memfd_create("ait-kernels", MFD_CLOEXEC);
  if (file < 0) return nullptr;
  void* handle = nullptr;
  if (write(file, image, size) == static_cast<ssize_t>(size)) {
    // The system takes two files that are called the same for one. So each load writes its number
    // into the path, in `/` and `./`.
    static unsigned loads = 0;
    std::string path = "/proc/self/fd/";
    for (unsigned digits = ++loads; digits > 0; digits >>= 1) path += digits & 1 ? "./" : "/";
    path += std::to_string(file);
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) std::fprintf(stderr, "emulated device: %s\n", dlerror());
  }
  close(file);
  return handle;
}

/// Memory that kernels of a device may touch.
std::vector<Region> regions(int device) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  std::vector<Region> result;
  for (const auto& [begin, allocation] : state().allocations) {
    if (allocation.device == device || allocation.device < 0) {
      result.push_back({begin, begin + allocation.size});
    }
  }
  return result;
}

Status runGrid(const std::string& symbol, const ait::emulated::KernelDescription& description,
               const Launch& launch) {
  Grid grid;
  grid.kernel = symbol;
  grid.function = reinterpret_cast<void (*)(const void*)>(const_cast<void*>(description.function));
  grid.arguments = launch.arguments[0];
  grid.architecture = description.architecture;
  grid.blocks = int64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  grid.threads = static_cast<int>(launch.blockSize);
  grid.sharedSizeInBytes = static_cast<int>(launch.sharedSizeInBytes);
  grid.clusterSize = static_cast<int>(launch.clusterSize);
  grid.overlapsPrevious = launch.overlapsPrevious;
  grid.regions = regions(launch.device);
  // A stream is a thread: what its launches wrote which the next one may overlap.
  static thread_local std::unordered_set<uintptr_t> writes;
  if (!launch.overlapsPrevious) writes.clear();
  grid.earlierWrites = &writes;
  const std::string failure = grid.run();
  writes.insert(grid.writes.begin(), grid.writes.end());
  if (failure.empty()) return kSuccess;
  std::fprintf(stderr, "emulated device: kernel %s: %s\n", symbol.c_str(), failure.c_str());
  return kLaunchFailed;
}

}  // namespace

}  // namespace emulator

bool hostdriver::modelAttribute(int, int attribute, int* value) {
  if (attribute != 75 && attribute != 76) return false;
  *value = attribute == 75 ? emulator::capability() / 10 : emulator::capability() % 10;
  return true;
}

extern "C" {

/// Chooses what the device is to the calling thread, such as 80 for compute capability 8.0. That
/// the driver has this function tells that it emulates.
void aitEmulatedSetCapability(int capability) { emulator::capability() = capability; }

Status cuModuleLoadData(Module** module, const void* image) {
  DRIVER_ENTER();
  state().isForgiving = true;
  if (!currentContext()) return kInvalidContext;
  auto code = std::make_unique<emulator::SharedObject>();
  code->handle = emulator::load(image);
  if (!code->handle) return kInvalidImage;
  *module = new Module{currentContext(), {}, std::move(code)};
  state().modules.insert(*module);
  return kSuccess;
}
Status cuModuleUnload(Module* module) {
  DRIVER_ENTER();
  if (state().modules.erase(module) == 0) return kInvalidHandle;
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
  void* handle = static_cast<emulator::SharedObject&>(*module->code).handle;
  const std::string name = std::string(symbol) + "_description";
  const void* found = dlsym(handle, name.c_str());
  if (!found) return kNotFound;
  const auto& description = *static_cast<const ait::emulated::KernelDescription*>(found);
  if (description.version != ait::emulated::kVersion) return kInvalidImage;
  auto made = std::make_unique<Function>();
  made->symbol = symbol;
  made->sizes = {description.argumentSizeInBytes};
  made->context = module->context;
  made->run = [name = made->symbol, description](const Launch& launch) {
    return emulator::runGrid(name, description, launch);
  };
  *function = made.get();
  module->functions.push_back(std::move(made));
  return kSuccess;
}
Status cuFuncSetAttribute(Function* function, int attribute, int value) {
  DRIVER_ENTER();
  if (attribute == 8 && value > 227 * 1024) return kInvalidValue;
  if (attribute == 8) function->sharedLimit = value > 48 * 1024 ? value : 48 * 1024;
  if (attribute == 9) function->sharedMemoryShare = value;
  if (attribute == 14) function->allowsLargeClusters = value != 0;
  return kSuccess;
}
Status cuFuncGetAttribute(int* value, int, Function*) {
  *value = 0;
  return kSuccess;
}
// Few, so that persistent kernels go through their loops.
Status cuOccupancyMaxActiveClusters(int* count, Function*, const void*) {
  DRIVER_ENTER();
  *count = 3;
  return kSuccess;
}
Status cuOccupancyMaxActiveBlocksPerMultiprocessor(int* count, Function*, int, size_t) {
  DRIVER_ENTER();
  *count = 1;
  return kSuccess;
}
Status cuTensorMapEncodeTiled(void* map, int type, uint32_t rank, void* address,
                              const uint64_t* extents, const uint64_t* strides, const uint32_t* box,
                              const uint32_t* steps, int interleaving, int swizzle, int promotion,
                              int filling) {
  DRIVER_ENTER();
  const char* problem = emulator::encode(map, type, rank, address, extents, strides, box, steps,
                                         interleaving, swizzle, promotion, filling);
  if (!problem) return kSuccess;
  std::fprintf(stderr, "emulated device: a tensor map is refused: %s\n", problem);
  return kInvalidValue;
}
Status cuTensorMapEncodeIm2col(void* map, int type, uint32_t rank, void* address,
                               const uint64_t* extents, const uint64_t* strides, const int* lower,
                               const int* upper, uint32_t channels, uint32_t pixels,
                               const uint32_t* steps, int interleaving, int swizzle, int promotion,
                               int filling) {
  DRIVER_ENTER();
  const char* problem =
      emulator::encodeImages(map, type, rank, address, extents, strides, lower, upper, channels,
                             pixels, steps, interleaving, swizzle, promotion, filling);
  if (!problem) return kSuccess;
  std::fprintf(stderr, "emulated device: a tensor map of images is refused: %s\n", problem);
  return kInvalidValue;
}

// MARK: - Copies that wait

Status cuMemcpyHtoDAsync_v2(uint64_t target, const void* source, size_t size, Stream* stream);
Status cuMemcpyDtoHAsync_v2(void* target, uint64_t source, size_t size, Stream* stream);
Status cuMemsetD8Async(uint64_t target, unsigned char byte, size_t size, Stream* stream);
Status cuStreamSynchronize(Stream* stream);

Status cuMemcpyHtoD_v2(uint64_t target, const void* source, size_t size) {
  const Status status = cuMemcpyHtoDAsync_v2(target, source, size, nullptr);
  return status ? status : cuStreamSynchronize(nullptr);
}
Status cuMemcpyDtoH_v2(void* target, uint64_t source, size_t size) {
  const Status status = cuMemcpyDtoHAsync_v2(target, source, size, nullptr);
  return status ? status : cuStreamSynchronize(nullptr);
}
Status cuMemsetD8_v2(uint64_t target, unsigned char byte, size_t size) {
  const Status status = cuMemsetD8Async(target, byte, size, nullptr);
  return status ? status : cuStreamSynchronize(nullptr);
}

}  // extern "C"
