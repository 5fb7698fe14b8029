#include "model_container.h"

#include <cerrno>
#include <cstdlib>

#include "error.h"
#include "objects.h"
#include "processors.h"

namespace ait {
namespace {

constexpr size_t kLargestRuntimeCount = 65536;
constexpr size_t kLargestThreadCount = 1024;

// All containers of this library: for forks, and to find whom a thread works for.
Mutex listMutex;
ModelContainer* firstInList = nullptr;
pthread_once_t forkHandlersOnce = PTHREAD_ONCE_INIT;

bool chooseThreadCount(size_t asked, int32_t& threadCount) {
  if (asked > kLargestThreadCount) {
    return fail("found num_threads = %zu, expected at most %zu", asked, kLargestThreadCount);
  }
  const char* text = asked == 0 ? std::getenv("AIT_NUM_THREADS") : nullptr;
  if (text && *text) {
    char* end = nullptr;
    errno = 0;
    const long value = std::strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < 1 ||
        static_cast<size_t>(value) > kLargestThreadCount) {
      return fail(
          "found AIT_NUM_THREADS='%s' in the environment, expected a number of threads, 1 to "
          "%zu: correct or unset it",
          text, kLargestThreadCount);
    }
    asked = static_cast<size_t>(value);
  }
  if (asked == 0) asked = static_cast<size_t>(availableProcessorCount());
  threadCount = static_cast<int32_t>(asked < kLargestThreadCount ? asked : kLargestThreadCount);
  return true;
}

}  // namespace

// MARK: - Life

ModelContainer* ModelContainer::make(const ModelDescription& model,
                                     const ContainerOptions& options) {
  if (const char* missing = model.missingInstructions ? model.missingInstructions() : nullptr) {
    fail(
        "the model was compiled for %s, but this processor lacks %s: compile it for a target that "
        "this machine has",
        model.target, missing);
    return nullptr;
  }
  ModelContainer* container = makeObject<ModelContainer>(model, options);
  if (!container) {
    failForMemory(sizeof(ModelContainer), "the container");
    return nullptr;
  }
  if (!container->prepare(options)) {
    destroyObject(container);
    return nullptr;
  }
  container->enlist();
  return container;
}

bool ModelContainer::prepare(const ContainerOptions& options) {
  if (options.runtimeCount == 0 || options.runtimeCount > kLargestRuntimeCount) {
    return fail("found num_runtimes = %zu, expected 1 to %zu", options.runtimeCount,
                kLargestRuntimeCount);
  }
  int32_t threadCount = 1;
  if (!prepareDevice(options)) return false;
  // The threads of a device are its own.
  if (!device() && !chooseThreadCount(options.threadCount, threadCount)) return false;
  // One team for each runtime, and one for folding.
  const int32_t teamCount = static_cast<int32_t>(options.runtimeCount) + 1;
  if (!workers_.start(threadCount, teamCount)) return false;
  if (!constants_.prepare(workers_.team(teamCount - 1), device())) return false;
  if (!runtimes_.allocate(options.runtimeCount)) {
    return failForMemory(options.runtimeCount * sizeof(Runtime*), "the runtimes");
  }
  for (Runtime*& runtime : runtimes_) {
    Team& team = workers_.team(static_cast<int32_t>(freeCount_));
    RunQueue* queue = device() ? device()->makeQueue() : nullptr;
    if (device() && !queue) return false;
    runtime = makeObject<Runtime>(model_, memory_, team, queue);
    if (!runtime && queue) queue->destroy();
    if (!runtime) return failForMemory(sizeof(Runtime), "a runtime");
    if (!runtime->prepare()) return false;
    runtime->next = freeRuntimes_;
    freeRuntimes_ = runtime;
    ++freeCount_;
  }
  return true;
}

bool ModelContainer::prepareDevice(const ContainerOptions& options) {
  const DeviceBackend* backend = model_.device ? model_.device->backend : nullptr;
  if (backend) {
    device_.set(backend->makeDevice(model_, options.device));
    memory_.use(device());
    return device() != nullptr;
  }
  if (!options.device || !*options.device) return true;
  return fail(
      "found device = '%s', but the model was compiled for %s, which has none: leave it null",
      options.device, model_.target);
}

void ModelContainer::destroy(ModelContainer* container) {
  // In this order: a run holds its constants while it waits for a runtime.
  container->constants_.waitForReaders();
  {
    Lock lock(container->mutex_);
    ++container->waiterCount_;
    while (container->freeCount_ < container->runtimeCount()) {
      container->runtimeFreed_.wait(container->mutex_);
    }
  }
  container->delist();
  destroyObject(container);
}

ModelContainer::~ModelContainer() {
  for (Runtime* runtime : runtimes_) destroyObject(runtime);
}

// MARK: - Runs

bool ModelContainer::run(const RunArguments& arguments) {
  const Snapshot* constants = constants_.acquire(arguments.stream);
  if (!constants) return false;
  Runtime* runtime = acquireRuntime(arguments.stream);
  const bool isDone = runtime->run(arguments, *constants);
  releaseRuntime(runtime);
  constants_.release(constants);
  return isDone;
}

Runtime* ModelContainer::acquireRuntime(Stream stream) {
  Lock lock(mutex_);
  while (!freeRuntimes_) {
    ++waiterCount_;
    runtimeFreed_.wait(mutex_);
    --waiterCount_;
  }
  if (device()) return takeReady(stream);
  // The one used last: its arena and tables are the likeliest to be in a cache.
  Runtime* runtime = freeRuntimes_;
  freeRuntimes_ = runtime->next;
  --freeCount_;
  return runtime;
}

/// A runtime whose work is under way in another stream would do, too, but its next run waits.
Runtime* ModelContainer::takeReady(Stream stream) {
  Runtime** chosen = &freeRuntimes_;
  for (Runtime** link = &freeRuntimes_; *link; link = &(*link)->next) {
    chosen = link;  // in the end the one released longest ago
    if ((*link)->queue()->isReadyFor(stream)) break;
  }
  Runtime* runtime = *chosen;
  *chosen = runtime->next;
  --freeCount_;
  return runtime;
}

void ModelContainer::releaseRuntime(Runtime* runtime) {
  Lock lock(mutex_);
  runtime->next = freeRuntimes_;
  freeRuntimes_ = runtime;
  ++freeCount_;
  if (waiterCount_ > 0) runtimeFreed_.wakeOne();
}

// MARK: - Memory

void ModelContainer::writeMemoryFigures(AITemplateMemoryFigures& figures) const {
  figures.arena_bound = static_cast<uint64_t>(model_.arenaBoundInBytes);
  figures.scratch = device_.get() ? 0 : workers_.scratchSizeInBytes();
  figures.per_runtime = figures.arena_bound + runtimes_[0]->tableSizeInBytes();
  if (!device_.get()) figures.per_runtime += static_cast<uint64_t>(ThreadPool::kScratchSizeInBytes);
  for (int32_t index = 0; index < model_.constantCount; ++index) {
    const ConstantDescription& constant = model_.constants[index];
    const uint64_t size = static_cast<uint64_t>(constant.sizeInBytes);
    if (constant.data) figures.constants_in_image += size;
    if (!constant.isBound) figures.constants_unbound += size;
  }
  for (int32_t index = 0; index < model_.foldedCount; ++index) {
    const uint64_t size = static_cast<uint64_t>(model_.folded[index].sizeInBytes);
    figures.folded += size;
    if (model_.folded[index].data) figures.folded_in_image += size;
  }
  figures.allocated =
      memory_.allocatedInBytes() + runtimes_[0]->tableSizeInBytes() * runtimeCount();
}

// MARK: - All containers

void ModelContainer::enlist() {
  // The C library forgets them when this library is unloaded.
  pthread_once(&forkHandlersOnce,
               [] { pthread_atfork(beforeFork, afterForkInParent, afterForkInChild); });
  Lock lock(listMutex);
  nextInList_ = firstInList;
  firstInList = this;
}

void ModelContainer::delist() {
  Lock lock(listMutex);
  for (ModelContainer** link = &firstInList; *link; link = &(*link)->nextInList_) {
    if (*link != this) continue;
    *link = nextInList_;
    return;
  }
}

// A fork copies the calling thread only. Short locks are held across it, so the child finds what
// they guard whole; runs, writers and workers that were under way do not exist there.

void ModelContainer::beforeFork() {
  listMutex.lock();
  for (ModelContainer* each = firstInList; each; each = each->nextInList_) {
    each->mutex_.lock();
    each->constants_.lockForFork();
    each->workers_.lockForFork();
  }
}

void ModelContainer::afterForkInParent() {
  for (ModelContainer* each = firstInList; each; each = each->nextInList_) {
    each->workers_.unlockAfterFork();
    each->constants_.unlockAfterFork();
    each->mutex_.unlock();
  }
  listMutex.unlock();
}

void ModelContainer::afterForkInChild() {
  for (ModelContainer* each = firstInList; each; each = each->nextInList_) each->resetInChild();
  afterForkInParent();  // the locks are this thread's
}

void ModelContainer::resetInChild() {
  if (device()) device()->noteFork();
  runtimeFreed_.reset();
  constants_.resetInChild();
  workers_.resetInChild();
  waiterCount_ = 0;
  freeRuntimes_ = nullptr;
  freeCount_ = runtimeCount();
  for (Runtime* runtime : runtimes_) {
    runtime->invalidate();
    runtime->next = freeRuntimes_;
    freeRuntimes_ = runtime;
  }
}

void reportIndexError(int64_t index, int64_t extent) {
  Lock lock(listMutex);
  for (ModelContainer* each = firstInList; each; each = each->nextInList_) {
    if (each->workers_.reportIndexError(index, extent)) return;
  }
}

}  // namespace ait
