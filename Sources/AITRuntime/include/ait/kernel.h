// What a generated kernel sees of the runtime: its operands, its sizes, its threads.
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
};

using KernelFunction = void (*)(const KernelContext& context);

/// Makes the run that this thread works for fail, after its last step, with a text that names the
/// index, the extent and the step. For kernels that read an index out of a tensor and find it
/// outside 0..<extent; they go on with any legal index. The first report of a run wins.
void reportIndexError(int64_t index, int64_t extent);

}  // namespace ait
