// What a handle of the C ABI points to: one set of constants, one set of threads, several runtimes.
//
// A thread takes the constants first and a runtime second, and waits for nothing while it holds a
// runtime; so whoever waits for a runtime, or for the readers of a snapshot, gets on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ait/ait.h"
#include "ait/model_description.h"
#include "allocators.h"
#include "array.h"
#include "constants.h"
#include "device.h"
#include "runtime.h"
#include "thread_pool.h"
#include "threading.h"

namespace ait {

struct ContainerOptions {
  size_t runtimeCount = 1;
  size_t threadCount = 0;  // 0: from the environment, else the number of processors
  AITemplateAllocator* allocator = nullptr;
  const char* device = nullptr;  // such as "cuda:1"; null: see ait.h
};

struct BenchmarkOptions {
  size_t count;         // runs of each thread
  size_t threadCount;   // 0: one for each processor
  bool usesOwnStreams;  // each thread but the first puts its runs into a stream of its own
};

class ModelContainer {
 public:
  /// Null, with an error text, on failure.
  static ModelContainer* make(const ModelDescription& model, const ContainerOptions& options);
  /// Waits for the runs in flight.
  static void destroy(ModelContainer* container);

  /// Whether a handle is one of this library's: another model's has another description.
  bool belongsTo(const ModelDescription& model) const { return &model_ == &model; }

  const ModelDescription& model() const { return model_; }
  Constants& constants() { return constants_; }
  /// Null on the CPU.
  Device* device() { return device_.get(); }
  size_t runtimeCount() const { return runtimes_.count(); }
  size_t threadCount() const { return static_cast<size_t>(workers_.threadCount()); }
  void writeMemoryFigures(AITemplateMemoryFigures& figures) const;

  bool run(const RunArguments& arguments);
  /// In profile.cpp.
  bool profile(const RunArguments& arguments, size_t iterationCount, const char* filename);
  /// In benchmark.cpp. `milliseconds` receives the time of one run.
  bool benchmark(const RunArguments& arguments, const BenchmarkOptions& options,
                 float& milliseconds);
  /// In self_test.cpp.
  bool selfTest(double& largestError);

  /// On a device one that need not wait for another stream, if there is one.
  Runtime* acquireRuntime(Stream stream);
  void releaseRuntime(Runtime* runtime);

 private:
  friend void reportIndexError(int64_t index, int64_t extent);
  template <class T, class... Arguments>
  friend T* makeObject(Arguments&&... arguments);
  template <class T>
  friend void destroyObject(T* object);

  ModelContainer(const ModelDescription& model, const ContainerOptions& options)
      : model_(model), memory_(options.allocator), constants_(model, memory_) {}
  ~ModelContainer();

  bool prepare(const ContainerOptions& options);
  bool prepareDevice(const ContainerOptions& options);
  Runtime* takeReady(Stream stream);
  void enlist();
  void delist();
  void resetInChild();
  static void beforeFork();
  static void afterForkInParent();
  static void afterForkInChild();

  /// Outlives all that lies in its memory.
  class OwnedDevice {
   public:
    OwnedDevice() = default;
    OwnedDevice(const OwnedDevice&) = delete;
    OwnedDevice& operator=(const OwnedDevice&) = delete;
    ~OwnedDevice() {
      if (device_) device_->destroy();
    }
    void set(Device* device) { device_ = device; }
    Device* get() const { return device_; }

   private:
    Device* device_ = nullptr;
  };

  const ModelDescription& model_;
  OwnedDevice device_;
  Memory memory_;
  Workers workers_;
  Constants constants_;
  Array<Runtime*> runtimes_;

  Mutex mutex_;  // guards the free runtimes
  Condition runtimeFreed_;
  Runtime* freeRuntimes_ = nullptr;
  size_t freeCount_ = 0;
  size_t waiterCount_ = 0;

  ModelContainer* nextInList_ = nullptr;  // of all containers
};

}  // namespace ait
