// What the runtime asks of a device that is not the processor. A container for the CPU has none: a
// null device is the host, which costs its runs a comparison with null and its library no code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ait/kernel.h"
#include "ait/model_description.h"
#include "ait/model_interface.h"

namespace ait {

template <class T>
class Array;
class Memory;
struct Region;
struct RunArguments;
struct Snapshot;
struct StepTime;
class Runtime;

/// A stream as the driver and the C ABI know it; null: the legacy default stream.
using Stream = void*;

/// What a queue needs to know of one run, or of one folding.
struct DeviceRun {
  Stream stream;
  bool isSynchronous;
  bool usesGraph;

  // What the work depends on, as a key of graphs: equal ones give equal work.
  const int64_t* symbols;
  size_t symbolCount;
  const RunArguments* arguments;  // or null
  int64_t constantsVersion;

  const StepDescription* steps;
  size_t stepCount;
  StepTime* times;  // by step, or null

  /// Calls the kernels of all steps, in order.
  void (*enqueue)(void* context);
  void* context;
};

/// The queue of one runtime. Used by one thread at a time, but for `wait` and `isReadyFor`.
class RunQueue : public DeviceQueue {
 public:
  virtual void destroy() = 0;

  /// Whether the tensors are memory of this device, aligned as kernels need it.
  virtual bool check(const RunArguments& arguments, const int64_t* inputSizes,
                     const int64_t* outputSizes) = 0;

  /// Puts the run into its stream, after the work that this queue was given before; waits for it
  /// if it is synchronous.
  virtual bool run(const DeviceRun& run) = 0;

  /// Names the step that the next launches belong to.
  virtual void enter(size_t step) = 0;

  /// Whether a run in the stream need not wait for work of this queue in another.
  virtual bool isReadyFor(Stream stream) const = 0;

  /// Waits for all work given so far; from any thread.
  virtual void wait() const = 0;

  /// Times what comes between the two calls, in the stream.
  virtual bool startClock(Stream stream) = 0;
  virtual bool stopClock(Stream stream, int64_t& nanoseconds) = 0;

  /// What `DeviceRun::times` needs; freed by the second.
  virtual bool prepareTiming() = 0;
  virtual void finishTiming() = 0;

  /// Runs on copies of those tensors that the arguments say lie in host memory.
  virtual bool runFromHost(Runtime& runtime, const RunArguments& arguments,
                           const int64_t* inputSizes, const int64_t* outputSizes,
                           const Snapshot& constants) = 0;
};

/// The device of one container; for any thread, whatever device that uses otherwise.
class Device {
 public:
  /// Frees all that it made; queues are gone by then.
  virtual void destroy() = 0;

  /// False, with an error text, in the child of a fork, where no device can be used.
  virtual bool isUsable() const = 0;
  virtual void noteFork() = 0;

  /// The device's number and name, such as "cuda:0 'NVIDIA H200'".
  virtual const char* name() const = 0;

  /// Puts the constants and folded values that the library holds into one region, and says where
  /// each lies: constants first; null where there is no data.
  virtual bool upload(Memory& memory, Region& image, Array<const void*>& places) = 0;

  /// Null, with an error text, if there is no memory.
  virtual void* allocate(size_t sizeInBytes, const char* purpose) = 0;
  virtual void free(void* memory) = 0;

  /// Copies between host and device; all but `DeviceToDevice` wait for the copy.
  virtual bool copy(void* target, const void* source, size_t sizeInBytes, AITemplateMemcpyKind kind,
                    Stream stream) = 0;
  virtual bool synchronize(Stream stream) = 0;

  /// Whether two stretches of device memory have the same content; `isDone` tells of errors.
  virtual bool isEqual(const void* left, const void* right, size_t sizeInBytes, bool& isDone) = 0;

  /// Fails, naming the tensor, if the memory is not the device's or not aligned.
  virtual bool checkPointer(const char* kind, int32_t index, const char* name,
                            const void* pointer) = 0;

  virtual bool makeStream(Stream& stream) = 0;
  virtual void destroyStream(Stream stream) = 0;

  /// Null, with an error text, on failure. The model is the container's.
  virtual RunQueue* makeQueue() = 0;

  /// Waits for the work of all queues.
  virtual void waitForRuns() = 0;

 protected:
  ~Device() = default;
};

/// How a library reaches its kind of device.
struct DeviceBackend {
  /// `name` says which one, such as "cuda:1", or is null. Null, with an error text, on failure.
  Device* (*makeDevice)(const ModelDescription& model, const char* name);

  // For callers without a container, on the device that the calling thread uses.
  void* (*allocate)(size_t sizeInBytes);
  bool (*free)(void* memory, Stream stream);
  bool (*copy)(void* target, const void* source, size_t sizeInBytes, AITemplateMemcpyKind kind,
               Stream stream, bool waits);
};

}  // namespace ait
