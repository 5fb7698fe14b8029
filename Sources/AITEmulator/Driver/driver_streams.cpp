// The driver's streams, events, launches and graphs.
#include <cstring>

#include "driver_state.h"

namespace hostdriver {

struct LaunchAttribute {
  int identity;
  int padding;
  uint32_t values[16];
};
struct LaunchConfig {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t sharedSizeInBytes;
  Stream* stream;
  LaunchAttribute* attributes;
  uint32_t attributeCount;
};

// MARK: - Stream

Stream::~Stream() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    isEnding_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Stream::put(Work work) {
  std::lock_guard<std::mutex> lock(mutex_);
  queue_.push_back(std::move(work));
  ++unfinished_;
  changed_.notify_all();
}

void Stream::drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return unfinished_ == 0; });
}

void Stream::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return isEnding_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Work next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (const int delay = state().delay)
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
    // A lost device does nothing any more, but what waits for it is let go.
    const bool mustRun = next.kind == Work::record || next.kind == Work::await;
    if (mustRun || context->lost == kSuccess) next.action();
    next = Work();
    lock.lock();
    --unfinished_;
    changed_.notify_all();
  }
}

/// The stream behind a handle, null being the default one of the thread's context.
static Stream* find(Stream* stream) {
  State& all = state();
  if (stream) return all.streams.count(stream) != 0 ? stream : nullptr;
  Context* context = currentContext();
  if (!context || context == &all.secondary) return nullptr;
  auto& own = all.defaultStreams[context->device];
  if (!own) own.reset(new Stream(context));
  return own.get();
}

/// Puts work into the stream, or into the graph that it is captured for.
static Status put(Stream* handle, Work work) {
  Stream* stream = find(handle);
  if (!stream) return kInvalidHandle;
  if (const Status lost = stream->context->lost) return lost;
  stream->lastIsKernel = work.kind == Work::kernel;
  stream->lastPutter = std::this_thread::get_id();
  if (stream->capture) {
    if (stream->isInvalidated) return kCaptureInvalidated;
    stream->capture->nodes.push_back(std::move(work));
    return kSuccess;
  }
  stream->put(std::move(work));
  return kSuccess;
}

static Status copy(void* target, const void* source, size_t size, Stream* stream) {
  return put(stream, {Work::copy, nullptr, [=] { std::memmove(target, source, size); }});
}

}  // namespace hostdriver

using namespace hostdriver;

extern "C" {

// MARK: - Copies

Status cuMemcpyHtoDAsync_v2(uint64_t target, const void* source, size_t size, Stream* stream) {
  DRIVER_ENTER();
  void* to = reinterpret_cast<void*>(target);
  if (!currentContext() || !isMemoryOf(currentContext()->device, to, size)) return kInvalidValue;
  // From pageable memory: staged before the call returns.
  auto staged = std::make_shared<std::string>(static_cast<const char*>(source), size);
  return put(stream, {Work::copy, nullptr, [=] { std::memcpy(to, staged->data(), size); }});
}
Status cuMemcpyDtoHAsync_v2(void* target, uint64_t source, size_t size, Stream* stream) {
  DRIVER_ENTER();
  const void* from = reinterpret_cast<const void*>(source);
  if (!currentContext() || !isMemoryOf(currentContext()->device, from, size)) return kInvalidValue;
  if (isMemoryOf(currentContext()->device, target, 1)) return kInvalidValue;
  return copy(target, from, size, stream);
}
Status cuMemcpyDtoDAsync_v2(uint64_t target, uint64_t source, size_t size, Stream* stream) {
  DRIVER_ENTER();
  void* to = reinterpret_cast<void*>(target);
  const void* from = reinterpret_cast<const void*>(source);
  if (!currentContext()) return kInvalidContext;
  const int device = currentContext()->device;
  if (!isMemoryOf(device, to, size) || !isMemoryOf(device, from, size)) return kInvalidValue;
  return copy(to, from, size, stream);
}
Status cuMemsetD8Async(uint64_t target, unsigned char byte, size_t size, Stream* stream) {
  DRIVER_ENTER();
  void* to = reinterpret_cast<void*>(target);
  if (!currentContext() || !isMemoryOf(currentContext()->device, to, size)) return kInvalidValue;
  return put(stream, {Work::fill, nullptr, [=] { std::memset(to, byte, size); }});
}

// MARK: - Launches

Status cuLaunchKernelEx(const LaunchConfig* config, Function* function, void** arguments, void**) {
  DRIVER_ENTER();
  Stream* stream = find(config->stream);
  if (!stream || !function) return kInvalidHandle;
  if (stream->context != function->context) return kInvalidContext;
  Launched launched = {{config->grid[0], config->grid[1], config->grid[2]},
                       config->block[0],
                       config->sharedSizeInBytes,
                       1,
                       false,
                       function->sharedMemoryShare};
  for (uint32_t index = 0; index < config->attributeCount; ++index) {
    const LaunchAttribute& attribute = config->attributes[index];
    if (attribute.identity == 4) launched.clusterSize = attribute.values[0];
    if (attribute.identity == 6) launched.overlapsPrevious = attribute.values[0] != 0;
  }
  for (uint32_t extent : config->grid) {
    if (extent == 0) return kInvalidValue;
  }
  if (config->block[0] == 0 || config->block[0] > 1024 ||
      config->sharedSizeInBytes > static_cast<uint32_t>(function->sharedLimit) ||
      config->grid[0] % launched.clusterSize != 0 ||
      (launched.clusterSize > 8 && !function->allowsLargeClusters)) {
    return kInvalidValue;
  }
  const bool isAlone = stream->lastPutter == std::this_thread::get_id();
  if (launched.overlapsPrevious && isAlone && !stream->lastIsKernel) {
    noteMisuse(function->symbol + " overlaps what is no kernel");
  }
  state().lastLaunches[function->symbol] = launched;
  // Arguments are copied now, with the alignment of tensor maps.
  struct alignas(64) Piece {
    unsigned char bytes[64];
  };
  auto copies = std::make_shared<std::vector<std::vector<Piece>>>();
  for (size_t index = 0; index < function->sizes.size(); ++index) {
    copies->emplace_back((function->sizes[index] + 63) / 64);
    std::memcpy(copies->back().data(), arguments[index], function->sizes[index]);
  }
  const int device = function->context->device;
  const auto run = function->run;
  const std::string symbol = function->symbol;
  Context* context = function->context;
  return put(
      config->stream,
      {Work::kernel, function, [=] {
         if (state().runningKernelsUntilFailure >= 0 && state().runningKernelsUntilFailure-- == 0) {
           context->lost = kIllegalAddress;
           return;
         }
         std::vector<void*> pointers;
         for (auto& each : *copies) pointers.push_back(each.data());
         const Launch launch = {pointers.data(),
                                {launched.grid[0], launched.grid[1], launched.grid[2]},
                                launched.blockSize,
                                device,
                                touches,
                                launched.sharedSizeInBytes,
                                launched.clusterSize,
                                launched.overlapsPrevious};
         if (const Status status = run(launch)) context->lost = status;
         std::lock_guard<std::recursive_mutex> guard(state().mutex);
         ++state().launches[symbol];
       }});
}

// MARK: - Streams

Status cuStreamCreate(Stream** stream, unsigned) {
  DRIVER_ENTER();
  if (!currentContext()) return kInvalidContext;
  *stream = new Stream(currentContext());
  state().streams.insert(*stream);
  return kSuccess;
}
Status cuStreamDestroy_v2(Stream* stream) {
  DRIVER_ENTER();
  if (state().streams.erase(stream) == 0) {
    noteMisuse("destroyed what is no stream");
    return kInvalidHandle;
  }
  lock.unlock();
  delete stream;
  return kSuccess;
}
Status cuStreamGetCtx(Stream* handle, Context** context) {
  DRIVER_ENTER();
  Stream* stream = find(handle);
  if (!stream) return kInvalidHandle;
  *context = stream->context;
  return kSuccess;
}
Status cuStreamSynchronize(Stream* handle) {
  std::unique_lock<std::recursive_mutex> lock(state().mutex);
  const Status early = enter(__func__);
  Stream* stream = find(handle);
  if (!stream) return kInvalidHandle;
  if (stream->capture) {
    stream->isInvalidated = true;
    return kCaptureUnsupported;
  }
  if (isForbiddenByCapture()) return kCaptureUnsupported;
  lock.unlock();
  // Where waiting fails, the device is lost and does nothing any more.
  stream->drain();
  return early ? early : stream->context->lost.load();
}
Status cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
  DRIVER_ENTER();
  if (state().events.count(event) == 0) return kInvalidHandle;
  Stream* found = find(stream);
  if (found && found->capture && !event->isCaptured) {
    found->isInvalidated = true;
    return kCaptureIsolation;
  }
  if (event->isCaptured) return kSuccess;
  auto shared = event->state;
  std::lock_guard<std::mutex> guard(shared->mutex);
  const uint64_t generation = shared->recorded;
  return put(stream, {Work::await, nullptr, [shared, generation] {
                        std::unique_lock<std::mutex> wait(shared->mutex);
                        shared->changed.wait(wait, [&] { return shared->completed >= generation; });
                      }});
}

// MARK: - Capture and graphs

Status cuStreamIsCapturing(Stream* handle, int* status) {
  DRIVER_ENTER();
  Stream* stream = find(handle);
  if (!stream) return kInvalidHandle;
  *status = !stream->capture ? 0 : stream->isInvalidated ? 2 : 1;
  return kSuccess;
}
Status cuStreamBeginCapture_v2(Stream* handle, int mode) {
  DRIVER_ENTER();
  Stream* stream = handle ? find(handle) : nullptr;  // never the default one
  if (!stream) return kCaptureUnsupported;
  stream->capture.reset(new Graph());
  stream->isInvalidated = false;
  stream->captureMode = mode;
  stream->capturer = std::this_thread::get_id();
  stream->lastIsKernel = false;
  return kSuccess;
}
Status cuStreamEndCapture(Stream* handle, Graph** graph) {
  DRIVER_ENTER();
  Stream* stream = find(handle);
  if (!stream || !stream->capture) return kInvalidValue;
  *graph = stream->capture.release();
  if (stream->isInvalidated) {
    delete *graph;
    *graph = nullptr;
    return kCaptureInvalidated;
  }
  state().graphs.insert(*graph);
  return kSuccess;
}
Status cuThreadExchangeStreamCaptureMode(int* mode) {
  std::swap(*mode, captureModeOfThread());
  return kSuccess;
}
Status cuGraphInstantiateWithFlags(Executable** executable, Graph* graph, unsigned long long) {
  DRIVER_ENTER();
  *executable = new Executable{std::make_shared<const std::vector<Work>>(graph->nodes)};
  state().executables.insert(*executable);
  return kSuccess;
}
Status cuGraphExecUpdate_v2(Executable* executable, Graph* graph, void*) {
  DRIVER_ENTER();
  if (state().executables.count(executable) == 0) return kInvalidHandle;
  bool isSame = executable->nodes->size() == graph->nodes.size();
  for (size_t index = 0; isSame && index < graph->nodes.size(); ++index) {
    const Work& old = (*executable->nodes)[index];
    isSame = old.kind == graph->nodes[index].kind && old.function == graph->nodes[index].function;
  }
  if (!isSame) return kUpdateFailure;
  // Launches under way hold the nodes that they were made with.
  executable->nodes = std::make_shared<const std::vector<Work>>(graph->nodes);
  return kSuccess;
}
Status cuGraphLaunch(Executable* executable, Stream* stream) {
  DRIVER_ENTER();
  if (state().executables.count(executable) == 0) return kInvalidHandle;
  for (const Work& node : *executable->nodes) {
    if (const Status status = put(stream, node)) return status;
  }
  return kSuccess;
}
Status cuGraphDestroy(Graph* graph) {
  DRIVER_ENTER();
  if (state().graphs.erase(graph) == 0) noteMisuse("destroyed what is no graph");
  delete graph;
  return kSuccess;
}
Status cuGraphExecDestroy(Executable* executable) {
  DRIVER_ENTER();
  if (state().executables.erase(executable) == 0) noteMisuse("destroyed what is no executable");
  delete executable;
  return kSuccess;
}

// MARK: - Events

Status cuEventCreate(Event** event, unsigned flags) {
  DRIVER_ENTER();
  *event = new Event();
  (*event)->hasTime = (flags & 2) == 0;
  state().events.insert(*event);
  return kSuccess;
}
Status cuEventDestroy_v2(Event* event) {
  DRIVER_ENTER();
  if (state().events.erase(event) == 0) noteMisuse("destroyed what is no event");
  delete event;
  return kSuccess;
}
Status cuEventRecord(Event* event, Stream* stream) {
  DRIVER_ENTER();
  if (state().events.count(event) == 0) return kInvalidHandle;
  const Stream* found = find(stream);
  if ((event->isCaptured = found && found->capture)) return kSuccess;
  auto shared = event->state;
  uint64_t generation;
  {
    std::lock_guard<std::mutex> guard(shared->mutex);
    generation = ++shared->recorded;
  }
  const Status status = put(stream, {Work::record, nullptr, [shared, generation] {
                                       std::lock_guard<std::mutex> guard(shared->mutex);
                                       shared->completed = generation;
                                       shared->time = Clock::now();
                                       shared->changed.notify_all();
                                     }});
  std::lock_guard<std::mutex> guard(shared->mutex);
  if (status != kSuccess) shared->completed = generation;
  return status;
}
Status cuEventQuery(Event* event) {
  DRIVER_ENTER();
  if (event->isCaptured) return kCapturedEvent;
  if (isForbiddenByCapture()) return kCaptureUnsupported;
  std::lock_guard<std::mutex> guard(event->state->mutex);
  return event->state->completed >= event->state->recorded ? kSuccess : kNotReady;
}
Status cuEventSynchronize(Event* event) {
  DRIVER_ENTER();
  if (event->isCaptured) return kCapturedEvent;
  if (isForbiddenByCapture()) return kCaptureUnsupported;
  auto shared = event->state;
  lock.unlock();
  std::unique_lock<std::mutex> wait(shared->mutex);
  const uint64_t last = shared->recorded;
  shared->changed.wait(wait, [&] { return shared->completed >= last; });
  return kSuccess;
}
Status cuEventElapsedTime(float* milliseconds, Event* begin, Event* end) {
  DRIVER_ENTER();
  if (!begin->hasTime || !end->hasTime) return kInvalidHandle;
  std::lock_guard<std::mutex> first(begin->state->mutex);
  std::lock_guard<std::mutex> second(end->state->mutex);
  const std::chrono::duration<float, std::milli> duration = end->state->time - begin->state->time;
  *milliseconds = duration.count();
  return kSuccess;
}

}  // extern "C"
