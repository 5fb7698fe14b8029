// What a model for CUDA refers to: the device of a container, and memory for callers without one.
#include "cuda_device.h"
#include "error.h"

namespace ait {
namespace {

// By device: whether this library holds on to its primary context, for memory that outlives the
// calls below.
uint64_t retained = 0;

/// The device that the calling thread uses: that of its context, else the one chosen by the
/// environment, whose context is the thread's while this lives.
class CurrentDevice {
 public:
  CurrentDevice() : driver_(CudaDriver::load()) {
    if (!driver_) return;
    CudaHandle current = nullptr;
    if (driver_->contextGetCurrent(&current) == kCudaSuccess && current) {
      isThere_ = true;
      return;
    }
    CudaDeviceNumber number = 0;
    CudaHandle context = nullptr;
    if (!CudaDevice::choose(*driver_, nullptr, number)) return;
    if (!driver_->check(driver_->primaryContextRetain(&context, number), "use the device")) return;
    const uint64_t bit = uint64_t{1} << (number & 63);
    if ((__atomic_fetch_or(&retained, bit, __ATOMIC_RELAXED) & bit) != 0) {
      driver_->primaryContextRelease(number);  // once is enough
    }
    isPushed_ = driver_->check(driver_->contextPush(context), "use the device");
    isThere_ = isPushed_;
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;
  ~CurrentDevice() {
    CudaHandle popped = nullptr;
    if (isPushed_) driver_->contextPop(&popped);
  }

  /// False, with an error text, if there is none.
  bool isThere() const { return isThere_; }
  const CudaDriver& driver() const { return *driver_; }

 private:
  const CudaDriver* const driver_;
  bool isThere_ = false;
  bool isPushed_ = false;
};

Device* makeDevice(const ModelDescription& model, const char* name) {
  return CudaDevice::make(model, name);
}

void* allocate(size_t sizeInBytes) {
  CurrentDevice current;
  if (!current.isThere()) return nullptr;
  const CudaDriver& driver = current.driver();
  CudaRelaxedCapture relaxed(driver);
  CudaAddress memory = 0;
  const int32_t status = driver.memoryAllocate(&memory, sizeInBytes);
  if (status == kCudaSuccess) return reinterpret_cast<void*>(memory);
  Message act;
  driver.check(status, act.add("allocate %zu bytes of memory on the device", sizeInBytes).text());
  return nullptr;
}

bool free(void* memory, Stream stream) {
  CurrentDevice current;
  if (!current.isThere()) return false;
  const CudaDriver& driver = current.driver();
  CudaRelaxedCapture relaxed(driver);
  // The stream's work may still use the memory, whether or not the caller waits.
  int32_t status = driver.streamSynchronize(stream);
  if (status == kCudaSuccess) status = driver.memoryFree(reinterpret_cast<CudaAddress>(memory));
  return driver.check(status, "free memory of the device");
}

bool copy(void* target, const void* source, size_t sizeInBytes, AITemplateMemcpyKind kind,
          Stream stream, bool waits) {
  CurrentDevice current;
  if (!current.isThere()) return false;
  const CudaDriver& driver = current.driver();
  CudaRelaxedCapture relaxed(driver);
  const CudaAddress to = reinterpret_cast<CudaAddress>(target);
  const CudaAddress from = reinterpret_cast<CudaAddress>(source);
  int32_t status = kCudaSuccess;
  switch (kind) {
    case AITemplateMemcpyKind::HostToDevice:
      status = driver.copyToDevice(to, source, sizeInBytes, stream);
      break;
    case AITemplateMemcpyKind::DeviceToHost:
      status = driver.copyToHost(target, from, sizeInBytes, stream);
      break;
    case AITemplateMemcpyKind::DeviceToDevice:
      status = driver.copyOnDevice(to, from, sizeInBytes, stream);
      break;
  }
  if (status == kCudaSuccess && waits) status = driver.streamSynchronize(stream);
  return driver.check(status, "copy memory");
}

}  // namespace

const DeviceBackend cudaBackend = {makeDevice, allocate, free, copy};

}  // namespace ait
