// What a generated kernel sees of the runtime: its operands, its sizes, and its threads or its
// queue of a device.
#pragma once

#include <cstdint>

namespace ait {

/// A set of threads that share the indices of a loop; `thread_pool.h` implements it.
class ThreadPool {
 public:
  using Task = void (*)(void* context, int64_t index, int32_t thread);

  virtual ~ThreadPool() = default;

  /// The number of threads that may call a task at once, the caller's own among them (>= 1).
  virtual int32_t threadCount() const = 0;

  /// Calls `task(context, index, thread)` once for every index in 0..<count and returns when all
  /// calls have returned. `thread` is in 0..<threadCount() and no two calls in flight share it.
  /// A task must not call `run` itself.
  virtual void run(int64_t count, Task task, void* context) = 0;

  /// Memory that belongs to one thread of the pool while it runs a task: `kScratchSizeInBytes`
  /// bytes, 64-byte aligned, with no content to rely on.
  virtual void* scratch(int32_t thread) = 0;

  /// One core's level-2 cache and some more: what blocked kernels want to keep per thread.
  static constexpr int64_t kScratchSizeInBytes = int64_t{2} << 20;
};

/// Calls `body(index, thread)` for every index in 0..<count, in parallel.
template <class Body>
inline void parallelFor(ThreadPool& pool, int64_t count, Body&& body) {
  if (count <= 0) return;
  if (count == 1 || pool.threadCount() == 1) {
    for (int64_t index = 0; index < count; ++index) body(index, int32_t{0});
    return;
  }
  pool.run(
      count,
      [](void* context, int64_t index, int32_t thread) {
        (*static_cast<Body*>(context))(index, thread);
      },
      &body);
}

/// One launch of a device kernel.
struct DeviceLaunch {
  int32_t kernel;  // index in the model's table of device kernels
  uint32_t grid[3];
  uint32_t blockSize;
  uint32_t sharedSizeInBytes;  // dynamic; at most what the table allows
  uint32_t clusterSize;        // blocks of a cluster, along x; 0 or 1: no clusters
  /// Programmatic dependent launch: the kernel may begin while the one before it ends, and waits
  /// for it itself before it touches anything that a kernel of this run writes.
  bool overlapsPrevious;
  void* const* arguments;  // a pointer to each parameter; copied before `launch` returns
};

/// A tensor as the copy engine sees it, numbered and counted as `cuTensorMapEncodeTiled` does, and
/// where pixels of images are copied, `cuTensorMapEncodeIm2col`.
struct TensorMapRequest {
  void* address;
  uint64_t extents[5];  // [rank] innermost first
  uint64_t strides[4];  // [rank - 1] in bytes, of all axes but the innermost
  uint32_t box[5];      // [rank]; of images the channels and the pixels of a copy
  uint32_t steps[5];    // [rank]
  int32_t elementType;
  uint32_t rank;
  int32_t interleaving;
  int32_t swizzle;
  int32_t promotion;
  int32_t filling;
  int32_t isImage;
  int32_t lowerCorner[3];  // [rank - 2] of images: where pixels begin and end, width first
  int32_t upperCorner[3];
};

/// Where kernels note an index outside its extent; host memory that the device writes to. The
/// first thread that sets `isSet` (atomically) fills the rest, with all threads of the device
/// ordered by a system-wide fence.
struct DeviceErrorRecord {
  int32_t isSet;
  int32_t step;  // `DeviceQueue::step` when the kernel was launched
  int64_t index;
  int64_t extent;
};

/// What a step of a model for a device puts its work into, in order. Calls do not fail: the first
/// error is kept, nothing is launched after it, and the run fails with its text.
class DeviceQueue {
 public:
  /// Launches nothing where the grid is empty.
  virtual void launch(const DeviceLaunch& launch) = 0;

  /// Writes a tensor map of 128 bytes, 64-byte aligned, which is then passed to a kernel by value.
  virtual void encodeTensorMap(void* map, const TensorMapRequest& request) = 0;

  /// Copies from device memory to device memory, and fills it with a byte.
  virtual void copy(void* target, const void* source, int64_t sizeInBytes) = 0;
  virtual void fill(void* target, int32_t byte, int64_t sizeInBytes) = 0;

  /// Index in the model's table of architectures: the one that was chosen for this device.
  virtual int32_t architecture() const = 0;
  virtual int32_t multiprocessorCount() const = 0;

  /// Clusters of the kernel (blocks, if it has none) that the device holds at once, by the block,
  /// cluster and shared memory that the table of kernels gives; for persistent kernels. At least 1.
  virtual int32_t activeClusterCount(int32_t kernel) const = 0;

  /// The step under way, for `DeviceErrorRecord::step`, and the record of this run.
  virtual int32_t step() const = 0;
  virtual DeviceErrorRecord* errorRecord() const = 0;

 protected:
  ~DeviceQueue() = default;
};

/// The arguments of one kernel call; the meaning of each slot is fixed by the generated step.
struct KernelContext {
  /// The operands: node inputs first, node outputs last. Never null, except where the tensor has
  /// no elements.
  void* const* buffers;
  /// Extents and strides, in elements, in the order in which the kernel documents them.
  const int64_t* sizes;
  /// Scratch memory of the size the kernel asked for when it was chosen, 64-byte aligned, or null.
  void* workspace;
  ThreadPool& pool;
  /// Of a model for a device, whose addresses the buffers then are; null on the CPU.
  DeviceQueue* queue = nullptr;
};

using KernelFunction = void (*)(const KernelContext& context);

/// Makes the run that this thread works for fail, after its last step, with a text that names the
/// index, the extent and the step. For kernels that read an index out of a tensor and find it
/// outside 0..<extent; they go on with any legal index. The first report of a run wins.
void reportIndexError(int64_t index, int64_t extent);

}  // namespace ait
