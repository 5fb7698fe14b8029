// How a run gets onto a CUDA device: the launches of its steps, directly or as a graph, ordered
// after the work that its runtime was given before.
#pragma once

#include <atomic>

#include "array.h"
#include "cuda_device.h"
#include "cuda_graphs.h"

namespace ait {

class CudaQueue final : public RunQueue {
 public:
  static CudaQueue* make(CudaDevice& device);

  void destroy() override;
  bool check(const RunArguments& arguments, const int64_t* inputSizes,
             const int64_t* outputSizes) override;
  bool run(const DeviceRun& run) override;
  void enter(size_t step) override;
  bool isReadyFor(Stream stream) const override;
  void wait() const override;
  bool startClock(Stream stream) override;
  bool stopClock(Stream stream, int64_t& nanoseconds) override;
  bool prepareTiming() override;
  void finishTiming() override;
  bool runFromHost(Runtime& runtime, const RunArguments& arguments, const int64_t* inputSizes,
                   const int64_t* outputSizes, const Snapshot& constants) override;

  void launch(const DeviceLaunch& launch) override;
  void encodeTensorMap(void* map, const TensorMapRequest& request) override;
  void copy(void* target, const void* source, int64_t sizeInBytes) override;
  void fill(void* target, int32_t byte, int64_t sizeInBytes) override;
  int32_t architecture() const override { return device_.architecture(); }
  int32_t multiprocessorCount() const override { return device_.multiprocessorCount(); }
  int32_t activeClusterCount(int32_t kernel) const override {
    return device_.activeClusterCount(kernel);
  }
  int32_t step() const override { return static_cast<int32_t>(step_); }
  DeviceErrorRecord* errorRecord() const override { return record_; }

  CudaQueue* next = nullptr;  // of the device's

 private:
  friend class CudaGraphs;
  template <class T, class... Arguments>
  friend T* makeObject(Arguments&&... arguments);
  template <class T>
  friend void destroyObject(T* object);

  // A tensor map and what it was made from: most runs are given the same addresses as the one
  // before, and encoding takes longer than a launch.
  struct EncodedMap {
    TensorMapRequest request;
    alignas(16) uint8_t map[128];
  };

  explicit CudaQueue(CudaDevice& device) : device_(device), driver_(device.driver()) {}
  ~CudaQueue();

  bool prepare();
  bool isStopped() const { return failedAct_ != nullptr; }
  bool runOutsideCapture(const DeviceRun& run);
  bool orderAfterEarlierWork(Stream stream, bool isCaptured);
  bool enqueue(const DeviceRun& run, Stream stream);
  bool enqueueTimed(const DeviceRun& run);
  bool finish(const DeviceRun& run, bool isCaptured);
  bool reportRecord(const DeviceRun& run, bool isEarlier);
  bool failForStep(const DeviceRun& run);
  bool failOnDevice(int32_t status) const;
  void note(int32_t status, const char* act, const DeviceLaunch* launch = nullptr);

  CudaDevice& device_;
  const CudaDriver& driver_;
  CudaGraphs graphs_;

  // Of the work given last.
  CudaHandle done_ = nullptr;  // an event
  std::atomic<bool> isPending_{false};
  std::atomic<CudaHandle> lastStream_{nullptr};
  DeviceErrorRecord* record_ = nullptr;  // in host memory that the device writes to

  // Of the run under way.
  const DeviceRun* run_ = nullptr;
  Stream stream_ = nullptr;
  size_t step_ = 0;
  bool followsKernel_ = false;  // the last thing in the stream is a kernel of this run

  // Of the first call of the run that failed; `failedAct_` is null while there is none.
  const char* failedAct_ = nullptr;
  int32_t failedStatus_ = kCudaSuccess;
  size_t failedStep_ = 0;
  DeviceLaunch failedLaunch_ = {};

  Array<EncodedMap> maps_;  // by the order of encoding within a run
  size_t mapCount_ = 0;

  CudaHandle clockBegin_ = nullptr;  // events
  CudaHandle clockEnd_ = nullptr;
  Array<CudaHandle> times_;  // events: before each step, and after the last
  void* flush_ = nullptr;    // what is written to drive all else out of the level-2 cache
  size_t flushSizeInBytes_ = 0;

  // Where the caller's tensors were when they were last found to be the device's.
  Array<const void*> checked_;
};

}  // namespace ait
