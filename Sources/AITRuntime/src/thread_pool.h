// The threads of a container. Its workers are shared by all of its runtimes; each runtime has a
// team: the thread that called `Run`, and the workers that happen to be free. The caller takes part
// in every loop, so it gets on even if no worker ever comes.
#pragma once

#include <atomic>
#include <cstdint>

#include "ait/kernel.h"
#include "ait/model_description.h"
#include "array.h"
#include "objects.h"
#include "threading.h"

namespace ait {

class Team;
class Workers;

/// A thread of a container.
struct alignas(64) Worker {
  Workers* workers = nullptr;
  size_t firstTeam = 0;  // that it looks at
  void* scratch = nullptr;
  pthread_t thread{};
  std::atomic<uintptr_t> self{0};
  std::atomic<Team*> team{nullptr};
  std::atomic<int32_t> processor{-1};  // that it last saw itself on; -1 while it sleeps
};

/// What a kernel sees of the threads; one loop at a time.
class Team final : public ThreadPool {
 public:
  int32_t threadCount() const override { return threadLimit_; }
  void run(int64_t count, Task task, void* context) override;
  void* scratch(int32_t thread) override { return scratch_[thread]; }

  /// Makes the calling thread the team's caller, for loops of at most `threadLimit` threads
  /// (0: all). The owner of the team sees to it that only one thread does so at a time.
  void begin(int32_t threadLimit);

  /// Names the step that the next loops belong to.
  void enter(const StepDescription& step) { step_ = &step; }

  /// Ends what `begin` began. Fails if a kernel reported an index outside its extent.
  bool end();

 private:
  friend class Workers;

  // `state_`: the number of workers inside the loop, and whether more may enter. While a worker is
  // inside, `run` does not return, so the loop's fields hold still.
  static constexpr uint32_t kOpen = uint32_t{1} << 31;

  void work(int32_t thread);
  bool help(Worker& worker);
  void waitForHelpers();
  void noteIndexError(int64_t index, int64_t extent);
  void resetInChild();

  Workers* workers_ = nullptr;
  Array<void*> scratch_;  // by thread; the caller's first
  int32_t threadLimit_ = 1;

  Task task_ = nullptr;
  void* context_ = nullptr;
  std::atomic<int64_t> count_{0};
  std::atomic<int32_t> helperLimit_{0};
  std::atomic<int32_t> helpers_{0};  // that entered this loop
  std::atomic<bool> callerWaits_{false};

  const StepDescription* step_ = nullptr;
  std::atomic<uintptr_t> caller_{0};  // 0 between `end` and `begin`
  std::atomic<int32_t> processor_{-1};  // the caller's, when the last loop began; -1 with `caller_`
  std::atomic<bool> hasIndexError_{false};
  int64_t errorIndex_ = 0;
  int64_t errorExtent_ = 0;
  const StepDescription* errorStep_ = nullptr;

  // Written by all threads of a loop, so each on a cache line of its own.
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> state_{0};
};

class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  /// Starts `threadCount` - 1 threads and makes `teamCount` teams, their scratch memory included.
  bool start(int32_t threadCount, int32_t teamCount);

  int32_t threadCount() const { return threadCount_; }
  size_t scratchSizeInBytes() const { return scratchSizeInBytes_; }
  Team& team(int32_t index) { return teams_[static_cast<size_t>(index)]; }

  /// Notes the error if the calling thread works for one of the teams; else returns false.
  bool reportIndexError(int64_t index, int64_t extent);

  // For a fork: the child has the calling thread only. Its first run starts workers again.
  void lockForFork() { mutex_.lock(); }
  void unlockAfterFork() { mutex_.unlock(); }
  void resetInChild();

 private:
  friend class Team;

  static void* main(void* worker);
  void serve(Worker& worker);
  void sleep(Worker& worker, uint32_t epoch);
  bool isAlone(Worker& worker);
  void spread(Worker& worker);
  void wake(int32_t count);
  bool startWorkers();
  void stopWorkers();
  void restart();

  int32_t threadCount_ = 1;
  int32_t runningCount_ = 0;
  ObjectRow<Worker> workers_;  // [threadCount_ - 1]
  ObjectRow<Team> teams_;
  void* scratch_ = nullptr;
  size_t scratchSizeInBytes_ = 0;

  std::atomic<bool> isRunning_{false};
  std::atomic<bool> isStopping_{false};
  Mutex restartMutex_;

  Mutex mutex_;  // guards sleeping and the waiting of callers
  Condition wake_;
  Condition helpersLeft_;
  alignas(64) std::atomic<uint32_t> epoch_{0};  // changes with every loop that opens
  std::atomic<int32_t> sleepingCount_{0};
};

}  // namespace ait
