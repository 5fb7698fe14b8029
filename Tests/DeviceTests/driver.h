// The driver API as tests and benchmarks need it, found at run time: no header and no library of
// the vendor is needed to build them.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace device {

using Address = uint64_t;
using Handle = void*;

/// The driver's launch attributes that are used here, laid out as it expects them.
struct LaunchAttribute {
  enum Identity : int32_t { clusterDimension = 4, programmaticSerialization = 6 };
  int32_t identity;
  int32_t padding;
  uint32_t values[16];
};
struct LaunchConfig {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t sharedBytes;
  Handle stream;
  LaunchAttribute* attributes;
  uint32_t attributeCount;
};

/// The functions of the driver, and the first device's primary context.
class Driver {
 public:
  static Driver& shared() {
    static Driver driver;
    return driver;
  }

#define AIT_DRIVER_FUNCTIONS(X)                                                               \
  X(cuInit, "cuInit", (unsigned))                                                             \
  X(cuDeviceGet, "cuDeviceGet", (int*, int))                                                  \
  X(cuDeviceGetAttribute, "cuDeviceGetAttribute", (int*, int, int))                           \
  X(cuDeviceGetName, "cuDeviceGetName", (char*, int, int))                                    \
  X(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", (Handle*, int))                     \
  X(cuCtxSetCurrent, "cuCtxSetCurrent", (Handle))                                             \
  X(cuGetErrorString, "cuGetErrorString", (int, const char**))                                \
  X(cuMemAlloc, "cuMemAlloc_v2", (Address*, size_t))                                          \
  X(cuMemFree, "cuMemFree_v2", (Address))                                                     \
  X(cuMemcpyHtoD, "cuMemcpyHtoD_v2", (Address, const void*, size_t))                          \
  X(cuMemcpyDtoH, "cuMemcpyDtoH_v2", (void*, Address, size_t))                                \
  X(cuMemcpyDtoDAsync, "cuMemcpyDtoDAsync_v2", (Address, Address, size_t, Handle))            \
  X(cuMemsetD8, "cuMemsetD8_v2", (Address, unsigned char, size_t))                            \
  X(cuMemsetD8Async, "cuMemsetD8Async", (Address, unsigned char, size_t, Handle))             \
  X(cuModuleLoadData, "cuModuleLoadData", (Handle*, const void*))                             \
  X(cuModuleGetFunction, "cuModuleGetFunction", (Handle*, Handle, const char*))               \
  X(cuFuncSetAttribute, "cuFuncSetAttribute", (Handle, int, int))                             \
  X(cuFuncGetAttribute, "cuFuncGetAttribute", (int*, int, Handle))                            \
  X(cuLaunchKernelEx, "cuLaunchKernelEx", (const LaunchConfig*, Handle, void**, void**))      \
  X(cuOccupancyMaxActiveClusters, "cuOccupancyMaxActiveClusters",                             \
    (int*, Handle, const LaunchConfig*))                                                      \
  X(cuStreamCreate, "cuStreamCreate", (Handle*, unsigned))                                    \
  X(cuStreamSynchronize, "cuStreamSynchronize", (Handle))                                     \
  X(cuStreamBeginCapture, "cuStreamBeginCapture_v2", (Handle, int))                           \
  X(cuStreamEndCapture, "cuStreamEndCapture", (Handle, Handle*))                              \
  X(cuGraphInstantiate, "cuGraphInstantiateWithFlags", (Handle*, Handle, unsigned long long)) \
  X(cuGraphLaunch, "cuGraphLaunch", (Handle, Handle))                                         \
  X(cuGraphExecDestroy, "cuGraphExecDestroy", (Handle))                                       \
  X(cuGraphDestroy, "cuGraphDestroy", (Handle))                                               \
  X(cuEventCreate, "cuEventCreate", (Handle*, unsigned))                                      \
  X(cuEventRecord, "cuEventRecord", (Handle, Handle))                                         \
  X(cuEventSynchronize, "cuEventSynchronize", (Handle))                                       \
  X(cuEventElapsedTime, "cuEventElapsedTime", (float*, Handle, Handle))                       \
  X(cuTensorMapEncodeTiled, "cuTensorMapEncodeTiled",                                         \
    (void*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const uint32_t*,          \
     const uint32_t*, int, int, int, int))

#define AIT_DECLARE(name, symbol, parameters) int(*name) parameters = nullptr;
  AIT_DRIVER_FUNCTIONS(AIT_DECLARE)
#undef AIT_DECLARE

  int attribute(int identity) {
    int value = 0;
    check(cuDeviceGetAttribute(&value, identity, device_), "cuDeviceGetAttribute");
    return value;
  }
  int multiprocessors() { return attribute(16); }
  std::string name() {
    char text[256] = "";
    cuDeviceGetName(text, sizeof(text), device_);
    return text;
  }
  Handle stream() { return stream_; }

  /// Ends the program if a call failed: after an error of the device, nothing more can be learnt.
  void check(int status, const char* what) {
    if (status == 0) return;
    const char* text = "?";
    if (cuGetErrorString != nullptr) cuGetErrorString(status, &text);
    std::printf("FAILED %s: error %d, %s\n", what, status, text);
    std::fflush(stdout);
    std::_Exit(1);
  }

 private:
  Driver() {
    void* library = dlopen("libcuda.so.1", RTLD_NOW);
    if (library == nullptr) {
      std::printf("no CUDA driver: %s\n", dlerror());
      std::exit(77);
    }
#define AIT_FIND(name, symbol, parameters)                            \
  name = reinterpret_cast<int(*) parameters>(dlsym(library, symbol)); \
  if (name == nullptr) {                                              \
    std::printf("the driver has no %s\n", symbol);                    \
    std::exit(1);                                                     \
  }
    AIT_DRIVER_FUNCTIONS(AIT_FIND)
#undef AIT_FIND
    check(cuInit(0), "cuInit");
    check(cuDeviceGet(&device_, 0), "cuDeviceGet");
    Handle context;
    check(cuDevicePrimaryCtxRetain(&context, device_), "cuDevicePrimaryCtxRetain");
    check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    check(cuStreamCreate(&stream_, 1), "cuStreamCreate");
  }

  int device_ = 0;
  Handle stream_ = nullptr;
};

#define AIT_CALL(function, ...) \
  ::device::Driver::shared().check(::device::Driver::shared().function(__VA_ARGS__), #function)

// MARK: - Modules and launches

/// A compiled file of device code.
class Module {
 public:
  explicit Module(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) {
      std::printf("FAILED cannot open %s\n", path.c_str());
      std::exit(1);
    }
    std::vector<char> bytes(size_t{64} << 20);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    AIT_CALL(cuModuleLoadData, &module_, bytes.data());
  }

  Handle raw() const { return module_; }

  Handle function(const std::string& name) const {
    Handle function;
    const int status = Driver::shared().cuModuleGetFunction(&function, module_, name.c_str());
    Driver::shared().check(status, name.c_str());
    return function;
  }

 private:
  Handle module_ = nullptr;
};

/// One launch of a kernel: where, how large, with what arguments.
struct Launch {
  Handle function = nullptr;
  int64_t blocks = 1;
  int threads = 32;
  int sharedBytes = 0;
  int clusterSize = 1;
  /// Whether the launch may begin while the one before it ends.
  bool isProgrammatic = false;
  std::vector<char> arguments;

  template <class Arguments>
  void setArguments(const Arguments& value) {
    const char* bytes = reinterpret_cast<const char*>(&value);
    arguments.assign(bytes, bytes + sizeof(value));
  }

  /// Allows the kernel the shared memory and the cluster that it needs.
  void prepare() const {
    if (sharedBytes > 48 * 1024) AIT_CALL(cuFuncSetAttribute, function, 8, sharedBytes);
    if (clusterSize > 8) AIT_CALL(cuFuncSetAttribute, function, 14, 1);
    // As libraries do: a multiprocessor's memory is shared as the kernel that came first prefers,
    // and the next is to fit beside it. Kernels with little of it want a cache.
    if (sharedBytes > 48 * 1024) AIT_CALL(cuFuncSetAttribute, function, 9, 100);
  }

  /// The clusters that the device holds at once.
  int clustersAtOnce() const {
    LaunchAttribute attributes[2] = {};
    const LaunchConfig config = configuration(attributes, Driver::shared().stream());
    int count = 0;
    AIT_CALL(cuOccupancyMaxActiveClusters, &count, function, &config);
    return count;
  }

  void enqueue(Handle stream) const { enqueue(stream, arguments.data()); }
  /// The same with arguments that lie elsewhere.
  void enqueue(Handle stream, const void* argumentsElsewhere) const {
    LaunchAttribute attributes[2] = {};
    const LaunchConfig config = configuration(attributes, stream);
    void* parameters[1] = {const_cast<void*>(argumentsElsewhere)};
    AIT_CALL(cuLaunchKernelEx, &config, function, parameters, nullptr);
  }

 private:
  LaunchConfig configuration(LaunchAttribute* attributes, Handle stream) const {
    uint32_t count = 0;
    attributes[count].identity = LaunchAttribute::clusterDimension;
    attributes[count].values[0] = static_cast<uint32_t>(clusterSize);
    attributes[count].values[1] = attributes[count].values[2] = 1;
    if (clusterSize > 1 || !isProgrammatic) ++count;
    if (isProgrammatic) {
      attributes[count] = {};
      attributes[count].identity = LaunchAttribute::programmaticSerialization;
      attributes[count].values[0] = 1;
      ++count;
    }
    return {{static_cast<uint32_t>(blocks), 1, 1},
            {static_cast<uint32_t>(threads), 1, 1},
            static_cast<uint32_t>(sharedBytes),
            stream,
            attributes,
            count};
  }
};

}  // namespace device
