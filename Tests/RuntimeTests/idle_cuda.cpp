// A CUDA driver that does nothing, at no cost: what a run takes with it is the runtime's own time.
#include <cstdint>
#include <cstdlib>

namespace {

int context, handle;

int give(void** out) {
  *out = &handle;
  return 0;
}

}  // namespace

extern "C" {

int cuInit(unsigned) { return 0; }
int cuGetErrorName(int, const char** text) { return *text = "?", 0; }
int cuGetErrorString(int, const char** text) { return *text = "?", 0; }
int cuDriverGetVersion(int* version) { return *version = 13000, 0; }
int cuDeviceGetCount(int* count) { return *count = 1, 0; }
int cuDeviceGet(int* device, int) { return *device = 0, 0; }
int cuDeviceGetName(char* name, int, int) { return *name = 0, 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
  return *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 132, 0;
}
int cuDevicePrimaryCtxRetain(void** out, int) { return *out = &context, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxGetCurrent(void** out) { return *out = &context, 0; }
int cuCtxGetDevice(int* device) { return *device = 0, 0; }
int cuCtxPushCurrent_v2(void*) { return 0; }
int cuCtxPopCurrent_v2(void**) { return 0; }
int cuMemGetInfo_v2(size_t* available, size_t* total) { return *available = *total = 0, 0; }
int cuMemAlloc_v2(uint64_t* memory, size_t size) {
  void* found = nullptr;
  if (posix_memalign(&found, 256, size) != 0) return 2;
  return *memory = reinterpret_cast<uint64_t>(found), 0;
}
int cuMemFree_v2(uint64_t memory) { return std::free(reinterpret_cast<void*>(memory)), 0; }
int cuMemHostAlloc(void** memory, size_t size, unsigned) {
  return *memory = std::calloc(1, size), 0;
}
int cuMemFreeHost(void* memory) { return std::free(memory), 0; }
int cuMemcpyHtoDAsync_v2(uint64_t, const void*, size_t, void*) { return 0; }
int cuMemcpyDtoHAsync_v2(void*, uint64_t, size_t, void*) { return 0; }
int cuMemcpyDtoDAsync_v2(uint64_t, uint64_t, size_t, void*) { return 0; }
int cuMemsetD8Async(uint64_t, unsigned char, size_t, void*) { return 0; }
int cuPointerGetAttributes(unsigned, int*, void** values, uint64_t) {
  *static_cast<int*>(values[0]) = 2;
  return *static_cast<int*>(values[2]) = 0, 0;
}
int cuModuleLoadData(void** out, const void*) { return give(out); }
int cuModuleUnload(void*) { return 0; }
int cuModuleGetFunction(void** out, void*, const char*) { return give(out); }
int cuFuncSetAttribute(void*, int, int) { return 0; }
int cuOccupancyMaxActiveClusters(int* count, void*, const void*) { return *count = 66, 0; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* count, void*, int, size_t) {
  return *count = 1, 0;
}
int cuLaunchKernelEx(const void*, void*, void**, void**) { return 0; }
int cuTensorMapEncodeTiled(void*, int, uint32_t, void*, const uint64_t*, const uint64_t*,
                           const uint32_t*, const uint32_t*, int, int, int, int) {
  return 0;
}
int cuTensorMapEncodeIm2col(void*, int, uint32_t, void*, const uint64_t*, const uint64_t*,
                            const int*, const int*, uint32_t, uint32_t, const uint32_t*, int, int,
                            int, int) {
  return 0;
}
int cuStreamCreate(void** out, unsigned) { return give(out); }
int cuStreamDestroy_v2(void*) { return 0; }
int cuStreamGetCtx(void*, void** out) { return *out = &context, 0; }
int cuStreamSynchronize(void*) { return 0; }
int cuStreamWaitEvent(void*, void*, unsigned) { return 0; }
int cuStreamIsCapturing(void*, int* mode) { return *mode = 0, 0; }
int cuStreamBeginCapture_v2(void*, int) { return 0; }
int cuStreamEndCapture(void*, void** out) { return give(out); }
int cuThreadExchangeStreamCaptureMode(int*) { return 0; }
int cuEventCreate(void** out, unsigned) { return give(out); }
int cuEventDestroy_v2(void*) { return 0; }
int cuEventRecord(void*, void*) { return 0; }
int cuEventQuery(void*) { return 0; }
int cuEventSynchronize(void*) { return 0; }
int cuEventElapsedTime(float* time, void*, void*) { return *time = 0, 0; }
int cuGraphInstantiateWithFlags(void** out, void*, unsigned long long) { return give(out); }
int cuGraphExecUpdate_v2(void*, void*, void*) { return 0; }
int cuGraphLaunch(void*, void*) { return 0; }
int cuGraphDestroy(void*) { return 0; }
int cuGraphExecDestroy(void*) { return 0; }

}  // extern "C"
