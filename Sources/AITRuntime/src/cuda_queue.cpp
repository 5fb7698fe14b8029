#include "cuda_queue.h"

#include <cstring>

#include "error.h"
#include "objects.h"
#include "runtime.h"

namespace ait {
namespace {

CudaAddress address(const void* memory) { return reinterpret_cast<CudaAddress>(memory); }

// A step with this kernel on another architecture is a defect of the generated code.
constexpr const char* kMissingKernel = "find the kernel for this architecture";

}  // namespace

// MARK: - Life

CudaQueue* CudaQueue::make(CudaDevice& device) {
  CudaQueue* queue = makeObject<CudaQueue>(device);
  if (!queue) {
    failForMemory(sizeof(CudaQueue), "a queue");
    return nullptr;
  }
  if (queue->prepare()) return queue;
  queue->destroy();
  return nullptr;
}

bool CudaQueue::prepare() {
  const ModelDescription& model = device_.model();
  const size_t tensorCount = static_cast<size_t>(model.inputCount + model.outputCount);
  // A step encodes three maps at most by now; those beyond are encoded each time.
  const size_t mapCount = 4 * static_cast<size_t>(model.stepCount);
  if (!checked_.allocate(tensorCount) || !maps_.allocate(mapCount)) {
    return failForMemory(mapCount * sizeof(EncodedMap), "the tables of a queue");
  }
  void* record = nullptr;
  CudaScope scope(device_);
  const int32_t status = driver_.hostAllocate(&record, sizeof(DeviceErrorRecord),
                                              kCudaHostMemoryPortable | kCudaHostMemoryMapped);
  if (status != kCudaSuccess)
    return driver_.check(status, "allocate memory that kernels report in");
  record_ = static_cast<DeviceErrorRecord*>(record);
  *record_ = DeviceErrorRecord();
  return driver_.check(driver_.eventCreate(&done_, kCudaEventWithoutTime), "make an event");
}

void CudaQueue::destroy() { destroyObject(this); }

CudaQueue::~CudaQueue() {
  if (device_.isForked()) return;
  CudaScope scope(device_);
  wait();
  graphs_.clear(driver_);
  finishTiming();
  for (CudaHandle event : {done_, clockBegin_, clockEnd_}) {
    if (event) driver_.eventDestroy(event);
  }
  if (record_) driver_.hostFree(record_);
}

// MARK: - Runs

bool CudaQueue::check(const RunArguments& arguments, const int64_t* inputSizes,
                      const int64_t* outputSizes) {
  const ModelDescription& model = device_.model();
  const auto checkAll = [&](const char* kind, const TensorDescription* tensors, size_t count,
                            const AITData* given, const int64_t* sizes, const void** checked) {
    for (size_t index = 0; index < count; ++index) {
      const void* pointer = given[index].ptr;
      if (sizes[index] == 0 || checked[index] == pointer) continue;
      checked[index] = nullptr;
      const int32_t number = static_cast<int32_t>(index);
      if (!device_.checkPointer(kind, number, tensors[index].name, pointer)) return false;
      checked[index] = pointer;
    }
    return true;
  };
  return checkAll("input", model.inputs, arguments.inputCount, arguments.inputs, inputSizes,
                  checked_.data()) &&
         checkAll("output", model.outputs, arguments.outputCount, arguments.outputs, outputSizes,
                  checked_.data() + arguments.inputCount);
}

bool CudaQueue::run(const DeviceRun& run) {
  CudaScope scope(device_);
  CudaRelaxedCapture relaxed(driver_);
  if (!device_.checkStream(run.stream)) return false;
  if (!run.arguments && device_.isCapturing(run.stream)) return runOutsideCapture(run);
  // Work that the caller captures runs when the caller launches it.
  const bool isCaptured = device_.isCapturing(run.stream);
  if (isCaptured && run.isSynchronous) {
    return fail(
        "the stream that was given is being captured, and a run cannot be waited for there: pass "
        "sync = false");
  }
  if (!isCaptured && !reportRecord(run, true)) return false;
  if (!orderAfterEarlierWork(run.stream, isCaptured)) return false;
  const bool usesGraph = run.usesGraph && !isCaptured && !run.times && !device_.waitsForSteps();
  const bool isDone = usesGraph   ? graphs_.run(*this, run)
                      : run.times ? enqueueTimed(run)
                                  : enqueue(run, run.stream);
  if (isDone) return finish(run, isCaptured);
  // Part of the work may be under way, and reads what the caller is about to free.
  if (!isCaptured && driver_.streamSynchronize(run.stream) == kCudaSuccess) {
    isPending_.store(false, std::memory_order_release);
  }
  return false;
}

/// Folding is no part of what the caller captures: it is done now, once.
bool CudaQueue::runOutsideCapture(const DeviceRun& run) {
  DeviceRun outside = run;
  if (!device_.makeStream(outside.stream)) return false;
  const bool isDone = this->run(outside);
  device_.destroyStream(outside.stream);
  return isDone;
}

/// The arena is this queue's, so the new run must not begin before the last one ended.
bool CudaQueue::orderAfterEarlierWork(Stream stream, bool isCaptured) {
  if (!isPending_.load(std::memory_order_relaxed)) return true;
  // Also in the same stream: its handle may be a new one's by now.
  const int32_t status =
      isCaptured ? driver_.eventSynchronize(done_) : driver_.streamWaitEvent(stream, done_, 0);
  return driver_.check(status, "wait for the run before");
}

bool CudaQueue::enqueue(const DeviceRun& run, Stream stream) {
  run_ = &run;
  stream_ = stream;
  step_ = 0;
  mapCount_ = 0;
  followsKernel_ = false;
  failedAct_ = nullptr;
  run.enqueue(run.context);
  if (device_.waitsForSteps() && !isStopped() && !device_.isCapturing(stream)) {
    note(driver_.streamSynchronize(stream), "run");
  }
  run_ = nullptr;
  return !isStopped() || failForStep(run);
}

void CudaQueue::enter(size_t step) {
  if (step > 0 && device_.waitsForSteps() && !isStopped() && !device_.isCapturing(stream_)) {
    note(driver_.streamSynchronize(stream_), "run");
  }
  step_ = step;
  if (!run_->times || isStopped()) return;
  note(driver_.eventRecord(times_[step], stream_), "time");
  followsKernel_ = false;
}

bool CudaQueue::finish(const DeviceRun& run, bool isCaptured) {
  if (isCaptured) return true;
  if (!run.isSynchronous) {
    if (!driver_.check(driver_.eventRecord(done_, run.stream), "mark the end of the run")) {
      driver_.streamSynchronize(run.stream);
      return false;
    }
    lastStream_.store(run.stream, std::memory_order_relaxed);
    isPending_.store(true, std::memory_order_release);
    return true;
  }
  const int32_t status = driver_.streamSynchronize(run.stream);
  isPending_.store(false, std::memory_order_release);
  return status == kCudaSuccess ? reportRecord(run, false) : failOnDevice(status);
}

bool CudaQueue::reportRecord(const DeviceRun& run, bool isEarlier) {
  if (__atomic_load_n(&record_->isSet, __ATOMIC_ACQUIRE) == 0) return true;
  // The rest of the record is written by now only if the work is done.
  if (isEarlier) wait();
  const DeviceErrorRecord record = *record_;
  *record_ = DeviceErrorRecord();
  const bool isKnown = record.step >= 0 && static_cast<size_t>(record.step) < run.stepCount;
  const StepDescription* step = isKnown ? &run.steps[record.step] : nullptr;
  return fail(
      "%sstep '%s' (%s): found index %lld, expected 0 to %lld: check the values of the index "
      "input; the outputs of that run are not valid%s",
      isEarlier ? "an earlier run, which was not waited for, failed in " : "",
      step ? step->name : "?", step ? step->operation : "?", static_cast<long long>(record.index),
      static_cast<long long>(record.extent) - 1, isEarlier ? "; this one did not begin" : "");
}

bool CudaQueue::isReadyFor(Stream stream) const {
  if (!isPending_.load(std::memory_order_acquire)) return true;
  if (lastStream_.load(std::memory_order_relaxed) == stream) return true;
  CudaScope scope(device_);
  CudaRelaxedCapture relaxed(driver_);
  return driver_.eventQuery(done_) == kCudaSuccess;
}

void CudaQueue::wait() const {
  if (device_.isForked() || !isPending_.load(std::memory_order_acquire)) return;
  CudaScope scope(device_);
  CudaRelaxedCapture relaxed(driver_);
  driver_.eventSynchronize(done_);
}

// MARK: - Steps

void CudaQueue::launch(const DeviceLaunch& launch) {
  if (isStopped() || launch.grid[0] == 0 || launch.grid[1] == 0 || launch.grid[2] == 0) return;
  const bool isKernel = launch.kernel >= 0 && launch.kernel < device_.model().device->kernelCount;
  const CudaHandle function = isKernel ? device_.function(launch.kernel) : nullptr;
  if (!function) return note(kCudaNotFound, kMissingKernel, &launch);
  CudaLaunchAttribute attributes[2];
  uint32_t count = 0;
  if (launch.clusterSize > 1) {
    CudaLaunchAttribute& attribute = attributes[count++];
    attribute = CudaLaunchAttribute();
    attribute.identity = kCudaClusterDimension;
    attribute.values[0] = launch.clusterSize;
    attribute.values[1] = attribute.values[2] = 1;
  }
  // What is before the run in the stream is not ours: it is waited for whole.
  if (launch.overlapsPrevious && followsKernel_) {
    CudaLaunchAttribute& attribute = attributes[count++];
    attribute = CudaLaunchAttribute();
    attribute.identity = kCudaProgrammaticSerialization;
    attribute.values[0] = 1;
  }
  const CudaLaunchConfig config = {{launch.grid[0], launch.grid[1], launch.grid[2]},
                                   {launch.blockSize, 1, 1},
                                   launch.sharedSizeInBytes,
                                   stream_,
                                   count > 0 ? attributes : nullptr,
                                   count};
  void** arguments = const_cast<void**>(launch.arguments);
  const int32_t status = driver_.launchKernel(&config, function, arguments, nullptr);
  followsKernel_ = true;
  if (status != kCudaSuccess) note(status, "launch", &launch);
}

void CudaQueue::encodeTensorMap(void* map, const TensorMapRequest& request) {
  if (isStopped()) return;
  EncodedMap* known = mapCount_ < maps_.count() ? &maps_[mapCount_++] : nullptr;
  if (known && std::memcmp(&known->request, &request, sizeof(request)) == 0) {
    std::memcpy(map, known->map, sizeof(known->map));
    return;
  }
  const int32_t status =
      request.isImage
          ? driver_.encodeImageMap(map, request.elementType, request.rank, request.address,
                                   request.extents, request.strides, request.lowerCorner,
                                   request.upperCorner, request.box[0], request.box[1],
                                   request.steps, request.interleaving, request.swizzle,
                                   request.promotion, request.filling)
          : driver_.encodeTensorMap(map, request.elementType, request.rank, request.address,
                                    request.extents, request.strides, request.box, request.steps,
                                    request.interleaving, request.swizzle, request.promotion,
                                    request.filling);
  if (status != kCudaSuccess) return note(status, "describe a tensor to the copy engine");
  if (!known) return;
  known->request = request;
  std::memcpy(known->map, map, sizeof(known->map));
}

void CudaQueue::copy(void* target, const void* source, int64_t sizeInBytes) {
  if (isStopped() || sizeInBytes <= 0) return;
  note(driver_.copyOnDevice(address(target), address(source), static_cast<size_t>(sizeInBytes),
                            stream_),
       "copy memory");
  followsKernel_ = false;
}

void CudaQueue::fill(void* target, int32_t byte, int64_t sizeInBytes) {
  if (isStopped() || sizeInBytes <= 0) return;
  note(driver_.fill(address(target), static_cast<uint8_t>(byte), static_cast<size_t>(sizeInBytes),
                    stream_),
       "fill memory");
  followsKernel_ = false;
}

// MARK: - Errors of steps

void CudaQueue::note(int32_t status, const char* act, const DeviceLaunch* launch) {
  if (status == kCudaSuccess || isStopped()) return;
  failedAct_ = act;
  failedStatus_ = status;
  failedStep_ = step_;
  failedLaunch_ = launch ? *launch : DeviceLaunch();
}

bool CudaQueue::failOnDevice(int32_t status) const {
  return fail(
      "a step of this run or of one before it failed on the device: the CUDA driver reports %s "
      "(%d), %s%s; with AIT_CUDA_SYNC=1 in the environment the error names the step",
      driver_.errorName(status), status, driver_.errorText(status), cudaAdvice(status));
}

bool CudaQueue::failForStep(const DeviceRun& run) {
  // The step whose launch hears of it first is not the one that did it.
  if (isCudaDeviceLost(failedStatus_) && !device_.waitsForSteps()) {
    return failOnDevice(failedStatus_);
  }
  const StepDescription* step = failedStep_ < run.stepCount ? &run.steps[failedStep_] : nullptr;
  Message message;
  message.add("step '%s' (%s, kernel '%s'): ", step ? step->name : "?",
              step ? step->operation : "?", step ? step->kernelName : "?");
  if (failedAct_ == kMissingKernel) {
    const DeviceCode& code = *device_.model().device;
    const bool isKernel = failedLaunch_.kernel >= 0 && failedLaunch_.kernel < code.kernelCount;
    message.add(
        "found a launch of device kernel %d ('%s'), which the library does not have for %s: report "
        "it as a defect of the compiler",
        failedLaunch_.kernel, isKernel ? code.kernels[failedLaunch_.kernel]->symbol : "?",
        code.architectures[device_.architecture()].name);
    return fail(message);
  }
  message.add("cannot %s: the CUDA driver reports %s (%d), %s%s", failedAct_,
              driver_.errorName(failedStatus_), failedStatus_, driver_.errorText(failedStatus_),
              cudaAdvice(failedStatus_));
  if (failedLaunch_.arguments) {
    message.add(" ('%s', grid %u x %u x %u, %u threads, %u bytes of shared memory, clusters of %u)",
                device_.kernel(failedLaunch_.kernel).symbol, failedLaunch_.grid[0],
                failedLaunch_.grid[1], failedLaunch_.grid[2], failedLaunch_.blockSize,
                failedLaunch_.sharedSizeInBytes, failedLaunch_.clusterSize);
  }
  return fail(message);
}

}  // namespace ait
