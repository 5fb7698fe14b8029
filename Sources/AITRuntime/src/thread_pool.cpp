#include "thread_pool.h"

#include <signal.h>

#include "allocators.h"
#include "error.h"
#include "processors.h"

namespace ait {
namespace {

// A worker that finds nothing to do spins so long before it sleeps: longer than the gap between
// two loops of a model, about as long as waking a sleeper takes.
constexpr int64_t kSpinInNanoseconds = 40000;
// Spins between two looks at the clock.
constexpr int kSpinsPerLook = 16;

/// Spins until the condition holds; false if that takes too long.
template <class Predicate>
bool spinUntil(Predicate&& isTrue) {
  int64_t deadline = 0;
  for (;;) {
    for (int spin = 0; spin < kSpinsPerLook; ++spin) {
      if (isTrue()) return true;
      pauseSpinning();
    }
    const int64_t now = nowInNanoseconds();
    if (deadline == 0) deadline = now + kSpinInNanoseconds;
    if (now >= deadline) return false;
  }
}

}  // namespace

// MARK: - Team

void Team::begin(int32_t threadLimit) {
  const int32_t threadCount = workers_->threadCount();
  threadLimit_ = threadLimit <= 0 || threadLimit > threadCount ? threadCount : threadLimit;
  if (threadLimit_ > 1 && !workers_->isRunning_.load(std::memory_order_acquire)) {
    workers_->restart();
  }
  step_ = nullptr;
  hasIndexError_.store(false, std::memory_order_relaxed);
  errorStep_ = nullptr;
  caller_.store(currentThread(), std::memory_order_relaxed);
}

bool Team::end() {
  processor_.store(-1, std::memory_order_relaxed);
  caller_.store(0, std::memory_order_relaxed);
  if (!hasIndexError_.load(std::memory_order_relaxed)) return true;
  return fail(
      "step '%s' (%s): found index %lld, expected 0 to %lld: check the values of the index "
      "input; the outputs of this run are not valid",
      errorStep_ ? errorStep_->name : "?", errorStep_ ? errorStep_->operation : "?",
      static_cast<long long>(errorIndex_), static_cast<long long>(errorExtent_) - 1);
}

void Team::noteIndexError(int64_t index, int64_t extent) {
  if (hasIndexError_.exchange(true, std::memory_order_relaxed)) return;
  // The caller reads these after the loop ended, so after this thread left it.
  errorIndex_ = index;
  errorExtent_ = extent;
  errorStep_ = step_;
}

void Team::run(int64_t count, Task task, void* context) {
  if (count <= 0) return;
  const int64_t threadCount = threadLimit_ < count ? threadLimit_ : count;
  if (threadCount == 1) {
    for (int64_t index = 0; index < count; ++index) task(context, index, 0);
    return;
  }
  task_ = task;
  context_ = context;
  count_.store(count, std::memory_order_relaxed);
  helperLimit_.store(static_cast<int32_t>(threadCount) - 1, std::memory_order_relaxed);
  helpers_.store(0, std::memory_order_relaxed);
  next_.store(0, std::memory_order_relaxed);
  processor_.store(currentProcessor(), std::memory_order_relaxed);
  state_.store(kOpen, std::memory_order_release);
  workers_->wake(static_cast<int32_t>(threadCount) - 1);
  work(0);
  const uint32_t state = state_.fetch_and(~kOpen, std::memory_order_seq_cst);
  if (state != kOpen) waitForHelpers();
}

void Team::work(int32_t thread) {
  const int64_t count = count_.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count) return;
    task_(context_, index, thread);
  }
}

bool Team::help(Worker& worker) {
  uint32_t state = state_.load(std::memory_order_acquire);
  do {
    if ((state & kOpen) == 0) return false;
    if (next_.load(std::memory_order_relaxed) >= count_.load(std::memory_order_relaxed) ||
        helpers_.load(std::memory_order_relaxed) >= helperLimit_.load(std::memory_order_relaxed)) {
      return false;
    }
  } while (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel,
                                         std::memory_order_acquire));
  const int32_t thread = 1 + helpers_.fetch_add(1, std::memory_order_relaxed);
  if (thread <= helperLimit_.load(std::memory_order_relaxed)) {
    scratch_[thread] = worker.scratch;
    worker.team.store(this, std::memory_order_relaxed);
    const int32_t processor = currentProcessor();
    if (processor >= 0 && processor == processor_.load(std::memory_order_relaxed)) {
      workers_->spread(worker);
    }
    work(thread);
    worker.team.store(nullptr, std::memory_order_relaxed);
  }
  // Sequentially consistent, as are the caller's store and load: one of the two sees the other.
  if (state_.fetch_sub(1, std::memory_order_seq_cst) == 1 &&
      callerWaits_.load(std::memory_order_seq_cst)) {
    Lock lock(workers_->mutex_);
    workers_->helpersLeft_.wakeAll();
  }
  return true;
}

void Team::waitForHelpers() {
  if (spinUntil([this] { return state_.load(std::memory_order_acquire) == 0; })) return;
  Lock lock(workers_->mutex_);
  callerWaits_.store(true, std::memory_order_seq_cst);
  while (state_.load(std::memory_order_seq_cst) != 0) {
    workers_->helpersLeft_.wait(workers_->mutex_);
  }
  callerWaits_.store(false, std::memory_order_relaxed);
}

void Team::resetInChild() {
  state_.store(0, std::memory_order_relaxed);
  callerWaits_.store(false, std::memory_order_relaxed);
  caller_.store(0, std::memory_order_relaxed);
  processor_.store(-1, std::memory_order_relaxed);
}

// MARK: - Workers

Workers::~Workers() {
  stopWorkers();
  unmapPages(scratch_, scratchSizeInBytes_);
}

bool Workers::start(int32_t threadCount, int32_t teamCount) {
  threadCount_ = threadCount;
  const int32_t workerCount = threadCount - 1;
  // One piece for each thread that may run tasks: a worker serves one team at a time.
  const int64_t size = ThreadPool::kScratchSizeInBytes;
  scratchSizeInBytes_ = static_cast<size_t>(size * (workerCount + teamCount));
  scratch_ = mapPages(scratchSizeInBytes_);
  if (!scratch_) return failForMemory(scratchSizeInBytes_, "the threads' scratch");
  if (!workers_.make(static_cast<size_t>(workerCount)) ||
      !teams_.make(static_cast<size_t>(teamCount))) {
    return failForMemory(sizeof(Team) * static_cast<size_t>(teamCount), "the threads");
  }

  uint8_t* piece = static_cast<uint8_t*>(scratch_);
  size_t firstTeam = 0;
  for (Worker& worker : workers_) {
    worker.workers = this;
    worker.firstTeam = firstTeam++ % teams_.count();
    worker.scratch = piece;
    piece += size;
  }
  for (Team& team : teams_) {
    team.workers_ = this;
    team.threadLimit_ = threadCount;
    if (!team.scratch_.allocate(static_cast<size_t>(threadCount))) {
      return failForMemory(sizeof(void*) * static_cast<size_t>(threadCount), "the threads");
    }
    // No thread is without memory, even before a worker puts its own in place.
    for (void*& scratch : team.scratch_) scratch = piece;
    piece += size;
  }
  if (startWorkers()) return true;
  return fail(
      "found room for %d threads, expected %d: raise the limit of processes (ulimit -u), or "
      "ask for fewer threads",
      runningCount_ + 1, threadCount_);
}

bool Workers::startWorkers() {
  isStopping_.store(false, std::memory_order_relaxed);
  // Signals are for the program's own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  runningCount_ = 0;
  for (Worker& worker : workers_) {
    if (pthread_create(&worker.thread, nullptr, main, &worker) != 0) break;
    ++runningCount_;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  isRunning_.store(true, std::memory_order_release);
  return runningCount_ == threadCount_ - 1;
}

void Workers::stopWorkers() {
  if (!isRunning_.load(std::memory_order_acquire)) return;
  {
    Lock lock(mutex_);
    isStopping_.store(true, std::memory_order_seq_cst);
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wakeAll();
  }
  for (Worker& worker : workers_) {
    if (runningCount_ == 0) break;
    pthread_join(worker.thread, nullptr);
    --runningCount_;
  }
  isRunning_.store(false, std::memory_order_release);
}

void Workers::restart() {
  Lock lock(restartMutex_);
  // With fewer workers than planned, or none, loops still end: the caller does the work.
  if (!isRunning_.load(std::memory_order_acquire)) startWorkers();
}

void Workers::resetInChild() {
  restartMutex_.reset();
  wake_.reset();
  helpersLeft_.reset();
  sleepingCount_.store(0, std::memory_order_relaxed);
  runningCount_ = 0;
  isRunning_.store(threadCount_ == 1, std::memory_order_relaxed);
  for (Worker& worker : workers_) {
    worker.self.store(0, std::memory_order_relaxed);
    worker.team.store(nullptr, std::memory_order_relaxed);
    worker.processor.store(-1, std::memory_order_relaxed);
  }
  for (Team& team : teams_) team.resetInChild();
}

bool Workers::reportIndexError(int64_t index, int64_t extent) {
  const uintptr_t self = currentThread();
  for (Team& team : teams_) {
    if (team.caller_.load(std::memory_order_relaxed) != self) continue;
    team.noteIndexError(index, extent);
    return true;
  }
  for (Worker& worker : workers_) {
    if (worker.self.load(std::memory_order_relaxed) != self) continue;
    Team* team = worker.team.load(std::memory_order_relaxed);
    if (team) team->noteIndexError(index, extent);
    return true;
  }
  return false;
}

void* Workers::main(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "ait-worker");
#endif
  worker.self.store(currentThread(), std::memory_order_relaxed);
  worker.workers->serve(worker);
  return nullptr;
}

void Workers::serve(Worker& worker) {
  for (;;) {
    // Read before the teams: a loop that opens after the look at its team changes it.
    const uint32_t epoch = epoch_.load(std::memory_order_seq_cst);
    if (isStopping_.load(std::memory_order_relaxed)) return;
    bool helped = false;
    // Workers begin with different teams, so that teams that run together share them.
    size_t index = worker.firstTeam;
    for (size_t turn = 0; turn < teams_.count(); ++turn) {
      helped |= teams_[index].help(worker);
      if (++index == teams_.count()) index = 0;
    }
    if (helped) continue;
    if (spinUntil([&] { return epoch_.load(std::memory_order_acquire) != epoch; })) continue;
    sleep(worker, epoch);
    if (!isAlone(worker)) spread(worker);
  }
}

bool Workers::isAlone(Worker& worker) {
  const int32_t processor = currentProcessor();
  worker.processor.store(processor, std::memory_order_relaxed);
  if (processor < 0) return true;
  for (const Worker& other : workers_) {
    // Of two workers the later one gives way.
    if (&other == &worker) break;
    if (other.processor.load(std::memory_order_relaxed) == processor) return false;
  }
  for (const Team& team : teams_) {
    if (team.processor_.load(std::memory_order_relaxed) == processor) return false;
  }
  return true;
}

// A system may let two busy threads share a processor for seconds while another idles: then a loop
// takes as long as on one thread.
void Workers::spread(Worker& worker) {
  ProcessorSet taken;
  for (const Team& team : teams_) taken.insert(team.processor_.load(std::memory_order_relaxed));
  for (const Worker& other : workers_) {
    if (&other != &worker) taken.insert(other.processor.load(std::memory_order_relaxed));
  }
  moveFrom(taken);
  worker.processor.store(currentProcessor(), std::memory_order_relaxed);
}

void Workers::sleep(Worker& worker, uint32_t epoch) {
  worker.processor.store(-1, std::memory_order_relaxed);
  Lock lock(mutex_);
  // Sequentially consistent, as are `wake`'s accesses in the other order: one sees the other.
  sleepingCount_.fetch_add(1, std::memory_order_seq_cst);
  while (epoch_.load(std::memory_order_seq_cst) == epoch) wake_.wait(mutex_);
  sleepingCount_.fetch_sub(1, std::memory_order_relaxed);
}

void Workers::wake(int32_t count) {
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  const int32_t sleeping = sleepingCount_.load(std::memory_order_seq_cst);
  if (sleeping == 0) return;
  Lock lock(mutex_);
  if (count >= sleeping) {
    wake_.wakeAll();
  } else {
    for (int32_t woken = 0; woken < count; ++woken) wake_.wakeOne();
  }
}

}  // namespace ait
