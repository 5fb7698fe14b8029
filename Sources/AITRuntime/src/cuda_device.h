// One CUDA device as a container uses it: its primary context, and the model's code on it.
#pragma once

#include "ait/model_description.h"
#include "array.h"
#include "cuda_driver.h"
#include "device.h"

namespace ait {

class CudaQueue;

class CudaDevice final : public Device {
 public:
  /// Null, with an error text, on failure.
  static CudaDevice* make(const ModelDescription& model, const char* name);

  /// The number that the text, the environment or the calling thread's context chooses.
  static bool choose(const CudaDriver& driver, const char* name, CudaDeviceNumber& number);

  void destroy() override;
  bool isUsable() const override;
  void noteFork() override { isForked_ = true; }
  const char* name() const override { return label_; }
  bool upload(Memory& memory, Region& image, Array<const void*>& places) override;
  void* allocate(size_t sizeInBytes, const char* purpose) override;
  void free(void* memory) override;
  bool copy(void* target, const void* source, size_t sizeInBytes, AITemplateMemcpyKind kind,
            Stream stream) override;
  bool synchronize(Stream stream) override;
  bool isEqual(const void* left, const void* right, size_t sizeInBytes, bool& isDone) override;
  bool checkPointer(const char* kind, int32_t index, const char* name,
                    const void* pointer) override;
  bool makeStream(Stream& stream) override;
  void destroyStream(Stream stream) override;
  RunQueue* makeQueue() override;
  void waitForRuns() override;

  // MARK: For its queues

  const CudaDriver& driver() const { return driver_; }
  const ModelDescription& model() const { return model_; }
  const DeviceKernel& kernel(int32_t index) const { return *model_.device->kernels[index]; }
  /// Null if the chosen architecture does not have the kernel.
  CudaHandle function(int32_t index) const { return functions_[static_cast<size_t>(index)]; }
  int32_t activeClusterCount(int32_t index) const {
    return activeClusterCounts_[static_cast<size_t>(index)];
  }
  int32_t architecture() const { return architecture_; }
  int32_t multiprocessorCount() const { return multiprocessorCount_; }
  size_t level2CacheSizeInBytes() const { return level2CacheSizeInBytes_; }
  CudaHandle context() const { return context_; }
  bool isForked() const { return isForked_; }
  /// Whether every step is waited for, so that errors of kernels name theirs: AIT_CUDA_SYNC.
  bool waitsForSteps() const { return waitsForSteps_; }

  /// Fails if the stream belongs to another device.
  bool checkStream(Stream stream) const;
  bool isCapturing(Stream stream) const;

 private:
  template <class T, class... Arguments>
  friend T* makeObject(Arguments&&... arguments);
  template <class T>
  friend void destroyObject(T* object);

  CudaDevice(const CudaDriver& driver, const ModelDescription& model)
      : driver_(driver), model_(model) {}
  ~CudaDevice();

  bool prepare(const char* name);
  bool checkDriverVersion() const;
  bool checkEmulation() const;
  bool chooseArchitecture();
  bool loadImages();
  bool findKernel(int32_t index);
  int32_t attribute(int32_t identity) const;

  const CudaDriver& driver_;
  const ModelDescription& model_;
  CudaDeviceNumber number_ = -1;
  CudaHandle context_ = nullptr;
  char label_[160] = "";  // "cuda:0 'NVIDIA H200'"
  int32_t major_ = 0;
  int32_t minor_ = 0;
  int32_t multiprocessorCount_ = 1;
  size_t level2CacheSizeInBytes_ = 0;
  bool isForked_ = false;
  bool waitsForSteps_ = false;

  int32_t architecture_ = -1;
  Array<CudaHandle> modules_;
  Array<CudaHandle> functions_;
  Array<int32_t> activeClusterCounts_;
  CudaQueue* firstQueue_ = nullptr;  // of all; set before the first run
};

/// The device is the calling thread's while this lives; nothing happens if it is so already.
class CudaScope {
 public:
  explicit CudaScope(const CudaDevice& device) : driver_(device.driver()) {
    CudaHandle current = nullptr;
    if (device.isForked()) return;
    if (driver_.contextGetCurrent(&current) == kCudaSuccess && current == device.context()) return;
    isPushed_ = driver_.contextPush(device.context()) == kCudaSuccess;
  }
  CudaScope(const CudaScope&) = delete;
  CudaScope& operator=(const CudaScope&) = delete;
  ~CudaScope() {
    CudaHandle popped = nullptr;
    if (isPushed_) driver_.contextPop(&popped);
  }

 private:
  const CudaDriver& driver_;
  bool isPushed_ = false;
};

}  // namespace ait
