// The CUDA driver, found when it is first needed: neither its header nor its library is needed to
// build a model, and the model's library loads on machines without it.
//
// Symbols are named with the version whose types are declared here (`_v2`), which drivers keep for
// ever; so no question of versions is left to ask of `cuGetProcAddress`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ait {

using CudaAddress = uint64_t;
using CudaHandle = void*;  // of a context, module, function, stream, event or graph
using CudaDeviceNumber = int32_t;

// The driver's numbers, as far as they are used here.
enum CudaStatus : int32_t {
  kCudaSuccess = 0,
  kCudaOutOfMemory = 2,
  kCudaNotInitialized = 3,
  kCudaNoDevice = 100,
  kCudaInvalidDevice = 101,
  kCudaInvalidImage = 200,
  kCudaNoBinaryForDevice = 209,
  kCudaUnsupportedVersion = 222,
  kCudaNotFound = 500,
  kCudaNotReady = 600,
  kCudaIllegalAddress = 700,
  kCudaLaunchFailed = 719,
  kCudaGraphUpdateFailed = 910,
};

enum CudaNumber : int32_t {
  // Attributes of devices.
  kCudaMultiprocessorCount = 16,
  kCudaLevel2CacheSize = 38,
  kCudaComputeCapabilityMajor = 75,
  kCudaComputeCapabilityMinor = 76,
  // Attributes of functions.
  kCudaMaximumDynamicSharedSize = 8,
  kCudaSharedMemoryShare = 9,
  kCudaNonPortableClusterSize = 14,
  // Attributes of pointers, and one of their values.
  kCudaPointerMemoryType = 2,
  kCudaPointerIsManaged = 8,
  kCudaPointerDevice = 9,
  kCudaMemoryTypeHost = 1,
  // Attributes of launches.
  kCudaClusterDimension = 4,
  kCudaProgrammaticSerialization = 6,
  // Flags and modes.
  kCudaStreamNonBlocking = 1,
  kCudaEventWithoutTime = 2,
  kCudaCaptureThreadLocal = 1,
  kCudaCaptureRelaxed = 2,
  kCudaHostMemoryPortable = 1,
  kCudaHostMemoryMapped = 2,
};

struct CudaLaunchAttribute {
  int32_t identity;
  int32_t padding;
  uint32_t values[16];
};

struct CudaLaunchConfig {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t sharedSizeInBytes;
  CudaHandle stream;
  CudaLaunchAttribute* attributes;
  uint32_t attributeCount;
};

struct CudaGraphUpdateResult {
  int32_t result;
  CudaHandle errorNode;
  CudaHandle errorFromNode;
};

// name, symbol, parameters
#define AIT_CUDA_FUNCTIONS(X)                                                                  \
  X(getErrorName, "cuGetErrorName", (int32_t, const char**))                                   \
  X(getErrorString, "cuGetErrorString", (int32_t, const char**))                               \
  X(init, "cuInit", (uint32_t))                                                                \
  X(driverGetVersion, "cuDriverGetVersion", (int32_t*))                                        \
  X(deviceGetCount, "cuDeviceGetCount", (int32_t*))                                            \
  X(deviceGet, "cuDeviceGet", (CudaDeviceNumber*, int32_t))                                    \
  X(deviceGetName, "cuDeviceGetName", (char*, int32_t, CudaDeviceNumber))                      \
  X(deviceGetAttribute, "cuDeviceGetAttribute", (int32_t*, int32_t, CudaDeviceNumber))         \
  X(primaryContextRetain, "cuDevicePrimaryCtxRetain", (CudaHandle*, CudaDeviceNumber))         \
  X(primaryContextRelease, "cuDevicePrimaryCtxRelease_v2", (CudaDeviceNumber))                 \
  X(contextGetCurrent, "cuCtxGetCurrent", (CudaHandle*))                                       \
  X(contextGetDevice, "cuCtxGetDevice", (CudaDeviceNumber*))                                   \
  X(contextPush, "cuCtxPushCurrent_v2", (CudaHandle))                                          \
  X(contextPop, "cuCtxPopCurrent_v2", (CudaHandle*))                                           \
  X(memoryGetInfo, "cuMemGetInfo_v2", (size_t*, size_t*))                                      \
  X(memoryAllocate, "cuMemAlloc_v2", (CudaAddress*, size_t))                                   \
  X(memoryFree, "cuMemFree_v2", (CudaAddress))                                                 \
  X(hostAllocate, "cuMemHostAlloc", (void**, size_t, uint32_t))                                \
  X(hostFree, "cuMemFreeHost", (void*))                                                        \
  X(copyToDevice, "cuMemcpyHtoDAsync_v2", (CudaAddress, const void*, size_t, CudaHandle))      \
  X(copyToHost, "cuMemcpyDtoHAsync_v2", (void*, CudaAddress, size_t, CudaHandle))              \
  X(copyOnDevice, "cuMemcpyDtoDAsync_v2", (CudaAddress, CudaAddress, size_t, CudaHandle))      \
  X(fill, "cuMemsetD8Async", (CudaAddress, uint8_t, size_t, CudaHandle))                       \
  X(pointerGetAttributes, "cuPointerGetAttributes", (uint32_t, int32_t*, void**, CudaAddress)) \
  X(moduleLoadData, "cuModuleLoadData", (CudaHandle*, const void*))                            \
  X(moduleUnload, "cuModuleUnload", (CudaHandle))                                              \
  X(moduleGetFunction, "cuModuleGetFunction", (CudaHandle*, CudaHandle, const char*))          \
  X(functionSetAttribute, "cuFuncSetAttribute", (CudaHandle, int32_t, int32_t))                \
  X(activeClusters, "cuOccupancyMaxActiveClusters",                                            \
    (int32_t*, CudaHandle, const CudaLaunchConfig*))                                           \
  X(activeBlocks, "cuOccupancyMaxActiveBlocksPerMultiprocessor",                               \
    (int32_t*, CudaHandle, int32_t, size_t))                                                   \
  X(launchKernel, "cuLaunchKernelEx", (const CudaLaunchConfig*, CudaHandle, void**, void**))   \
  X(encodeTensorMap, "cuTensorMapEncodeTiled",                                                 \
    (void*, int32_t, uint32_t, void*, const uint64_t*, const uint64_t*, const uint32_t*,       \
     const uint32_t*, int32_t, int32_t, int32_t, int32_t))                                     \
  X(encodeImageMap, "cuTensorMapEncodeIm2col",                                                 \
    (void*, int32_t, uint32_t, void*, const uint64_t*, const uint64_t*, const int32_t*,        \
     const int32_t*, uint32_t, uint32_t, const uint32_t*, int32_t, int32_t, int32_t, int32_t)) \
  X(streamCreate, "cuStreamCreate", (CudaHandle*, uint32_t))                                   \
  X(streamDestroy, "cuStreamDestroy_v2", (CudaHandle))                                         \
  X(streamGetContext, "cuStreamGetCtx", (CudaHandle, CudaHandle*))                             \
  X(streamSynchronize, "cuStreamSynchronize", (CudaHandle))                                    \
  X(streamWaitEvent, "cuStreamWaitEvent", (CudaHandle, CudaHandle, uint32_t))                  \
  X(streamIsCapturing, "cuStreamIsCapturing", (CudaHandle, int32_t*))                          \
  X(streamBeginCapture, "cuStreamBeginCapture_v2", (CudaHandle, int32_t))                      \
  X(streamEndCapture, "cuStreamEndCapture", (CudaHandle, CudaHandle*))                         \
  X(exchangeCaptureMode, "cuThreadExchangeStreamCaptureMode", (int32_t*))                      \
  X(eventCreate, "cuEventCreate", (CudaHandle*, uint32_t))                                     \
  X(eventDestroy, "cuEventDestroy_v2", (CudaHandle))                                           \
  X(eventRecord, "cuEventRecord", (CudaHandle, CudaHandle))                                    \
  X(eventQuery, "cuEventQuery", (CudaHandle))                                                  \
  X(eventSynchronize, "cuEventSynchronize", (CudaHandle))                                      \
  X(eventElapsedTime, "cuEventElapsedTime", (float*, CudaHandle, CudaHandle))                  \
  X(graphInstantiate, "cuGraphInstantiateWithFlags", (CudaHandle*, CudaHandle, uint64_t))      \
  X(graphUpdate, "cuGraphExecUpdate_v2", (CudaHandle, CudaHandle, CudaGraphUpdateResult*))     \
  X(graphLaunch, "cuGraphLaunch", (CudaHandle, CudaHandle))                                    \
  X(graphDestroy, "cuGraphDestroy", (CudaHandle))                                              \
  X(graphExecutableDestroy, "cuGraphExecDestroy", (CudaHandle))

/// Its functions. They return a status.
struct CudaDriver {
#define AIT_CUDA_DECLARE(name, symbol, parameters) int32_t(*name) parameters;
  AIT_CUDA_FUNCTIONS(AIT_CUDA_DECLARE)
#undef AIT_CUDA_DECLARE

  /// Whether it is the compiler's own driver, which runs kernels on the processor.
  bool isEmulating;

  /// Loads and starts the driver at the first call; null, with an error text, if there is none or
  /// if it is too old.
  static const CudaDriver* load();

  /// Such as 13000 for CUDA 13.0; 0 if the driver does not tell.
  int32_t version() const;

  const char* errorName(int32_t status) const;
  const char* errorText(int32_t status) const;

  /// Whether the status is success; else fails with "cannot ...: the driver's error".
  bool check(int32_t status, const char* act) const;
};

/// Whether the error is that of a kernel which ran, after which no call for the device succeeds.
bool isCudaDeviceLost(int32_t status);

/// What to do about an error, as the end of a sentence; "" if the driver's text says it all.
const char* cudaAdvice(int32_t status);

/// Lets the calling thread allocate and wait while some stream is captured, by it or by others.
class CudaRelaxedCapture {
 public:
  explicit CudaRelaxedCapture(const CudaDriver& driver) : driver_(driver) {
    driver_.exchangeCaptureMode(&mode_);
  }
  CudaRelaxedCapture(const CudaRelaxedCapture&) = delete;
  CudaRelaxedCapture& operator=(const CudaRelaxedCapture&) = delete;
  ~CudaRelaxedCapture() { driver_.exchangeCaptureMode(&mode_); }

 private:
  const CudaDriver& driver_;
  int32_t mode_ = kCudaCaptureRelaxed;
};

}  // namespace ait
