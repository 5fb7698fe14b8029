// Time on the device, between events of a stream; and runs on tensors of the host.
#include "cuda_queue.h"
#include "error.h"
#include "runtime.h"

namespace ait {

// MARK: - Clock

bool CudaQueue::startClock(Stream stream) {
  CudaScope scope(device_);
  for (CudaHandle* event : {&clockBegin_, &clockEnd_}) {
    if (!*event && !driver_.check(driver_.eventCreate(event, 0), "make an event")) return false;
  }
  return device_.checkStream(stream) &&
         driver_.check(driver_.eventRecord(clockBegin_, stream), "start a clock");
}

bool CudaQueue::stopClock(Stream stream, int64_t& nanoseconds) {
  CudaScope scope(device_);
  CudaRelaxedCapture relaxed(driver_);
  float milliseconds = 0;
  int32_t status = driver_.eventRecord(clockEnd_, stream);
  if (status == kCudaSuccess) status = driver_.eventSynchronize(clockEnd_);
  if (status == kCudaSuccess) {
    status = driver_.eventElapsedTime(&milliseconds, clockBegin_, clockEnd_);
  }
  nanoseconds = static_cast<int64_t>(static_cast<double>(milliseconds) * 1e6);
  return driver_.check(status, "time the runs on the device");
}

// MARK: - Steps

bool CudaQueue::prepareTiming() {
  const size_t count = static_cast<size_t>(device_.model().stepCount) + 1;
  if (!times_.allocate(count)) return failForMemory(count * sizeof(CudaHandle), "the profile");
  CudaScope scope(device_);
  for (CudaHandle& event : times_) {
    if (driver_.check(driver_.eventCreate(&event, 0), "make an event")) continue;
    event = nullptr;
    return false;
  }
  // Twice the cache, as its lines are not replaced in order.
  flushSizeInBytes_ = 2 * device_.level2CacheSizeInBytes();
  if (flushSizeInBytes_ == 0) return true;
  flush_ = device_.allocate(flushSizeInBytes_, "flushing the level-2 cache");
  return flush_ != nullptr;
}

void CudaQueue::finishTiming() {
  CudaScope scope(device_);
  for (CudaHandle& event : times_) {
    if (event) driver_.eventDestroy(event);
    event = nullptr;
  }
  device_.free(flush_);
  flush_ = nullptr;
}

/// A run whose steps begin with nothing of the run before in the cache.
bool CudaQueue::enqueueTimed(const DeviceRun& run) {
  const CudaAddress flush = reinterpret_cast<CudaAddress>(flush_);
  int32_t status = flush_ ? driver_.fill(flush, 0, flushSizeInBytes_, run.stream) : kCudaSuccess;
  if (!driver_.check(status, "flush the level-2 cache") || !enqueue(run, run.stream)) return false;
  const CudaHandle end = times_[run.stepCount];
  status = driver_.eventRecord(end, run.stream);
  if (status == kCudaSuccess) status = driver_.eventSynchronize(end);
  for (size_t index = 0; index < run.stepCount && status == kCudaSuccess; ++index) {
    float milliseconds = 0;
    status = driver_.eventElapsedTime(&milliseconds, times_[index], times_[index + 1]);
    const int64_t duration = static_cast<int64_t>(static_cast<double>(milliseconds) * 1e6);
    StepTime& time = run.times[index];
    time.total += duration;
    if (time.shortest == 0 || duration < time.shortest) time.shortest = duration;
  }
  return driver_.check(status, "time the steps on the device");
}

// MARK: - Tensors of the host

namespace {

/// Device memory for some tensors of a call.
class Copies {
 public:
  explicit Copies(Device& device) : device_(device) {}
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;
  ~Copies() {
    for (size_t index = 0; isOurs_ && index < tensors_.count(); ++index) {
      device_.free(tensors_[index].ptr);
    }
  }

  /// Tensors as given, with memory of the device's in place of the host's if `isOnHost`.
  bool make(const AITData* given, size_t count, const int64_t* sizes, bool isOnHost,
            const char* purpose) {
    if (!tensors_.allocate(count)) return failForMemory(count * sizeof(AITData), purpose);
    isOurs_ = isOnHost;
    for (size_t index = 0; index < count; ++index) {
      AITData& tensor = tensors_[index];
      tensor = given[index];
      if (!isOnHost) continue;
      tensor.ptr = nullptr;
      if (sizes[index] == 0) continue;
      tensor.ptr = device_.allocate(static_cast<size_t>(sizes[index]), purpose);
      if (!tensor.ptr) return false;
    }
    return true;
  }

  AITData* data() { return tensors_.data(); }
  bool isOurs() const { return isOurs_; }

 private:
  Device& device_;
  Array<AITData> tensors_;
  bool isOurs_ = false;
};

}  // namespace

bool CudaQueue::runFromHost(Runtime& runtime, const RunArguments& arguments,
                            const int64_t* inputSizes, const int64_t* outputSizes,
                            const Snapshot& constants) {
  Copies inputs(device_);
  Copies outputs(device_);
  if (!inputs.make(arguments.inputs, arguments.inputCount, inputSizes, arguments.hasInputsOnHost,
                   "copies of the inputs") ||
      !outputs.make(arguments.outputs, arguments.outputCount, outputSizes,
                    arguments.hasOutputsOnHost, "the outputs before they are copied")) {
    return false;
  }
  for (size_t index = 0; inputs.isOurs() && index < arguments.inputCount; ++index) {
    if (!device_.copy(inputs.data()[index].ptr, arguments.inputs[index].ptr,
                      static_cast<size_t>(inputSizes[index]), AITemplateMemcpyKind::HostToDevice,
                      arguments.stream)) {
      return false;
    }
  }
  RunArguments copied = arguments;
  copied.inputs = inputs.data();
  copied.outputs = outputs.data();
  copied.isSynchronous = true;
  copied.hasInputsOnHost = copied.hasOutputsOnHost = false;
  if (!runtime.run(copied, constants)) return false;
  for (size_t index = 0; outputs.isOurs() && index < arguments.outputCount; ++index) {
    if (!device_.copy(arguments.outputs[index].ptr, outputs.data()[index].ptr,
                      static_cast<size_t>(outputSizes[index]), AITemplateMemcpyKind::DeviceToHost,
                      arguments.stream)) {
      return false;
    }
  }
  return true;
}

}  // namespace ait
