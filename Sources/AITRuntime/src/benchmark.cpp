// Many runs, in one thread or in several at once.
#include <cstdlib>
#include <cstring>

#include "array.h"
#include "error.h"
#include "model_container.h"
#include "processors.h"
#include "tensors.h"

namespace ait {
namespace {

/// One thread's part.
struct Lane {
  ModelContainer* container;
  const Snapshot* constants;
  RunArguments arguments;
  AITData* outputs;  // its own; null for the first, which writes the caller's
  Stream stream;     // its own, or null
  size_t count;
  pthread_t thread;
  int64_t nanoseconds;
  char* error;  // a copy, as a thread's last error ends with it
};

void* runLane(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  Runtime* runtime = lane.container->acquireRuntime(lane.arguments.stream);
  RunQueue* queue = runtime->queue();
  bool isDone = !queue || queue->startClock(lane.arguments.stream);
  const int64_t begin = nowInNanoseconds();
  for (size_t index = 0; isDone && index < lane.count; ++index) {
    isDone = runtime->run(lane.arguments, *lane.constants);
  }
  lane.nanoseconds = nowInNanoseconds() - begin;
  if (queue && isDone) isDone = queue->stopClock(lane.arguments.stream, lane.nanoseconds);
  lane.container->releaseRuntime(runtime);
  if (!isDone) lane.error = strdup(lastError());
  return nullptr;
}

class Lanes {
 public:
  Lanes(const ModelDescription& model, Device* device, size_t count)
      : model_(model),
        device_(device),
        count_(count),
        lanes_(static_cast<Lane*>(std::calloc(count, sizeof(Lane)))) {}
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  ~Lanes() {
    for (size_t index = 0; lanes_ && index < count_; ++index) {
      // What was begun before an error may still be writing.
      if (device_ && lanes_[index].error) device_->synchronize(lanes_[index].arguments.stream);
      std::free(lanes_[index].error);
      AITData* outputs = lanes_[index].outputs;
      for (int32_t output = 0; outputs && output < model_.outputCount; ++output) {
        if (device_) {
          device_->free(outputs[output].ptr);
        } else {
          freeBytes(outputs[output].ptr);
        }
      }
      std::free(outputs);
      if (lanes_[index].stream) device_->destroyStream(lanes_[index].stream);
    }
    std::free(lanes_);
  }

  bool prepare(const Lane& first, bool usesOwnStreams) {
    if (!lanes_) return failForMemory(count_ * sizeof(Lane), "the benchmark");
    for (size_t index = 0; index < count_; ++index) {
      lanes_[index] = first;
      if (index == 0) continue;
      lanes_[index].arguments.outputShapes = nullptr;
      if (device_ && usesOwnStreams) {
        if (!device_->makeStream(lanes_[index].stream)) return false;
        lanes_[index].arguments.stream = lanes_[index].stream;
      }
      if (!makeOutputs(lanes_[index])) return false;
    }
    return true;
  }

  bool run() {
    size_t startedCount = 1;
    while (startedCount < count_) {
      Lane& lane = lanes_[startedCount];
      if (pthread_create(&lane.thread, nullptr, runLane, &lane) != 0) break;
      ++startedCount;
    }
    if (startedCount == count_) runLane(&lanes_[0]);
    for (size_t index = 1; index < startedCount; ++index) {
      pthread_join(lanes_[index].thread, nullptr);
    }
    if (startedCount < count_) {
      return fail(
          "found room for %zu threads, expected %zu: raise the limit of processes (ulimit "
          "-u), or ask for fewer threads",
          startedCount, count_);
    }
    for (size_t index = 0; index < count_; ++index) {
      if (lanes_[index].error) return fail("thread %zu: %s", index, lanes_[index].error);
    }
    return true;
  }

  bool compareOutputs(const Array<int64_t>& sizes) const {
    const AITData* expected = lanes_[0].arguments.outputs;
    for (size_t index = 1; index < count_; ++index) {
      for (size_t output = 0; output < sizes.count(); ++output) {
        const size_t size = static_cast<size_t>(sizes[output]);
        const void* found = lanes_[index].outputs[output].ptr;
        if (size == 0) continue;
        bool isDone = true;
        const bool isSame = device_ ? device_->isEqual(found, expected[output].ptr, size, isDone)
                                    : std::memcmp(found, expected[output].ptr, size) == 0;
        if (!isDone) return false;
        if (isSame) continue;
        return fail(
            "output %zu '%s' of thread %zu differs from that of thread 0: the model is not "
            "deterministic, or its inputs changed meanwhile",
            output, model_.outputs[output].name, index);
      }
    }
    return true;
  }

  int64_t slowestInNanoseconds() const {
    int64_t slowest = 0;
    for (size_t index = 0; index < count_; ++index) {
      if (lanes_[index].nanoseconds > slowest) slowest = lanes_[index].nanoseconds;
    }
    return slowest;
  }

 private:
  /// Outputs of the lane's own, of the maximum shapes.
  bool makeOutputs(Lane& lane) {
    const size_t outputCount = static_cast<size_t>(model_.outputCount);
    lane.outputs = static_cast<AITData*>(std::calloc(outputCount + 1, sizeof(AITData)));
    if (!lane.outputs) return failForMemory(outputCount * sizeof(AITData), "a thread's outputs");
    lane.arguments.outputs = lane.outputs;
    for (size_t index = 0; index < outputCount; ++index) {
      const TensorDescription& output = model_.outputs[index];
      const size_t rank = static_cast<size_t>(output.rank);
      const size_t size = static_cast<size_t>(elementCount(output.maximumShape, rank)) *
                          elementSizeInBytes(output.dtype);
      void* memory = device_ ? device_->allocate(size == 0 ? 1 : size, "a thread's outputs")
                             : allocateBytes(size);
      if (device_ && !memory) return false;
      if (!memory) return failForMemory(size, "a thread's outputs");
      lane.outputs[index] = AITData(memory, AITemplateParamShape(output.maximumShape, rank),
                                    static_cast<AITemplateDtype>(output.dtype));
    }
    return true;
  }

  const ModelDescription& model_;
  Device* const device_;
  const size_t count_;
  Lane* const lanes_;
};

}  // namespace

bool ModelContainer::benchmark(const RunArguments& arguments, const BenchmarkOptions& options,
                               float& milliseconds) {
  constexpr size_t kLargestThreadCount = 4096;
  if (options.count == 0) return fail("found count = 0, expected at least 1 run");
  const size_t threadCount = options.threadCount != 0
                                 ? options.threadCount
                                 : static_cast<size_t>(availableProcessorCount());
  if (threadCount > kLargestThreadCount) {
    return fail("found num_threads = %zu, expected at most %zu", threadCount, kLargestThreadCount);
  }
  Array<int64_t> sizes;  // of the outputs, in bytes
  if (!sizes.allocate(static_cast<size_t>(model_.outputCount))) {
    return failForMemory(sizeof(int64_t) * static_cast<size_t>(model_.outputCount),
                         "the benchmark");
  }
  // The same for all threads, so that a change of constants meanwhile does not tell them apart.
  const Snapshot* constants = constants_.acquire(arguments.stream);
  if (!constants) return false;

  // One run checks the arguments, warms up, and tells the shapes.
  Runtime* runtime = acquireRuntime(arguments.stream);
  bool isDone = runtime->run(arguments, *constants);
  for (size_t index = 0; isDone && index < sizes.count(); ++index) {
    const TensorDescription& output = model_.outputs[index];
    sizes[index] = static_cast<int64_t>(elementSizeInBytes(output.dtype));
    for (int32_t axis = 0; axis < output.rank; ++axis) {
      sizes[index] *= runtime->dimension(output.dimensions[axis]);
    }
  }
  releaseRuntime(runtime);

  Lanes lanes(model_, device(), threadCount);
  Lane first = {};
  first.container = this;
  first.constants = constants;
  first.arguments = arguments;
  first.arguments.isSynchronous = false;
  first.count = options.count;
  isDone = isDone && lanes.prepare(first, options.usesOwnStreams) && lanes.run();
  constants_.release(constants);
  if (!isDone || !lanes.compareOutputs(sizes)) return false;
  milliseconds = static_cast<float>(static_cast<double>(lanes.slowestInNanoseconds()) * 1e-6 /
                                    static_cast<double>(options.count * threadCount));
  return true;
}

}  // namespace ait
