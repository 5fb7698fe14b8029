// Many threads at once: runs, changes of constants, forks.
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "fixtures.h"

using namespace fixtures;

#if defined(__SANITIZE_THREAD__)
#define HAS_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER 1
#endif
#endif
#ifndef HAS_THREAD_SANITIZER
#define HAS_THREAD_SANITIZER 0
#endif

namespace {

constexpr int kRounds = HAS_THREAD_SANITIZER ? 150 : 1500;
constexpr int kRunners = 4;

/// A value of all constants of the model `versions`; freed, after being spoilt, as soon as the
/// runtime has promised not to read it any more.
struct Version {
  std::unique_ptr<Tensor<float>> u, v, c;

  explicit Version(int number)
      : u(new Tensor<float>({64}, static_cast<float>(number))),
        v(new Tensor<float>({64}, static_cast<float>(number))),
        c(new Tensor<float>({64}, static_cast<float>(number))) {}
  ~Version() {
    if (!u) return;
    for (Tensor<float>* tensor : {u.get(), v.get(), c.get()}) {
      for (float& value : tensor->elements) value = -1;
    }
  }
  Version(Version&&) = default;
  Version& operator=(Version&&) = default;
};

const char* const versionNames[] = {"u", "v", "c"};

AITemplateError setAll(Container& container, Version& version, bool later) {
  const char* names[] = {"u", "v", "c"};
  const AITData tensors[] = {version.u->data(), version.v->data(), version.c->data()};
  if (later) {
    return AITemplateModelContainerSetManyDoubleBufferConstants(container.handle, nullptr, names,
                                                                tensors, 3);
  }
  return AITemplateModelContainerSetManyConstants(container.handle, names, tensors, 3);
}

/// Runs until told to stop; each output must come from one version alone, and versions must not
/// go back.
void runVersions(Container& container, std::atomic<bool>& stop, std::atomic<int>& runCount) {
  Tensor<float> scale({1}, 2);
  Tensor<float> rows({4, 64}, NAN);
  float last = 0;
  while (!stop.load()) {
    CHECK_OK(container.run({scale.data()}, {rows.data()}));
    const float version = rows[0] / 2;
    bool isWhole = version >= last;
    for (size_t i = 0; i < 64; ++i) {
      isWhole &= rows[i] == 2 * version && rows[64 + i] == 2 * version &&
                 rows[128 + i] == 4 * version && rows[192 + i] == 2 * version;
    }
    if (!isWhole) {
      char text[128];
      std::snprintf(text, sizeof(text), "rows %g %g %g %g after version %g", rows[0], rows[64],
                    rows[128], rows[192], last);
      harness::note(false, "one version", __FILE__, __LINE__, text);
    }
    last = version;
    runCount.fetch_add(1);
  }
}

struct Runners {
  std::atomic<bool> stop{false};
  std::atomic<int> runCount{0};
  std::vector<std::thread> threads;

  explicit Runners(Container& container) {
    for (int i = 0; i < kRunners; ++i) {
      threads.emplace_back([&] { runVersions(container, stop, runCount); });
    }
    while (runCount == 0) std::this_thread::yield();
  }
  ~Runners() {
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }
};

}  // namespace

TEST(setConstantsStorm) {
  models::Use use(models::versions);
  for (size_t runtimeCount : {1, 3}) {
    Container container(runtimeCount, 2);
    Version current(1);
    CHECK_OK(setAll(container, current, false));
    {
      Runners runners(container);
      for (int round = 2; round < kRounds; ++round) {
        Version next(round);
        CHECK_OK(setAll(container, next, false));
        current = std::move(next);  // the old one is spoilt and freed
        if (round % 16 == 0) std::this_thread::yield();
        if (round % 50 == 0) CHECK_OK(container.fold());
      }
    }
  }
}

TEST(swapConstantsStorm) {
  models::Use use(models::versions);
  for (size_t runtimeCount : {1, 3}) {
    Container container(runtimeCount, 2);
    Version current(1);
    CHECK_OK(setAll(container, current, false));
    {
      Runners runners(container);
      for (int round = 2; round < kRounds; ++round) {
        Version next(round);
        CHECK_OK(setAll(container, next, true));
        // The bound one was copied.
        for (float& value : next.c->elements) value = -2;
        CHECK_OK(container.foldLater());
        CHECK_OK(container.swap());
        current = std::move(next);
      }
    }
  }
}

TEST(manyWriters) {
  models::Use use(models::versions);
  Container container(2, 2);
  Version current(1);
  CHECK_OK(setAll(container, current, false));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  // Each tensor has one value for ever here, so only crashes, hangs and races can show.
  for (int writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < kRounds / 5; ++round) {
        Tensor<float>* tensors[] = {current.u.get(), current.v.get(), current.c.get()};
        if (writer == 0)
          CHECK_OK(container.set(versionNames[round % 3], tensors[round % 3]->data()));
        if (writer == 1) {
          CHECK_OK(container.setLater(versionNames[round % 3], tensors[round % 3]->data()));
          CHECK_OK(container.foldLater());
        }
        if (writer == 2) {
          (void)container.swap();  // fails where it finds something not folded yet
          CHECK_OK(container.fold());
        }
      }
    });
  }
  std::vector<std::thread> runners;
  for (int i = 0; i < 3; ++i) {
    runners.emplace_back([&] {
      Tensor<float> scale({1}, 1);
      Tensor<float> rows({4, 64}, NAN);
      while (!stop) {
        CHECK_OK(container.run({scale.data()}, {rows.data()}));
        CHECK(rows[0] == 1 && rows[64] == 1 && rows[128] == 2 && rows[192] == 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  for (std::thread& thread : runners) thread.join();
}

TEST(firstRunsFoldOnce) {
  for (int round = 0; round < kRounds / 50; ++round) {
    Blend blend(3, 2);
    blend.setConstants();
    models::foldCounts[1] = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        Tensor<float> total({8, 4}), twice({8, 4});
        CHECK_OK(
            blend.container.run({blend.x.data(), blend.y.data()}, {total.data(), twice.data()}));
        CHECK(std::fabs(total[0] - blend.expected(0)) < 1e-3f);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(models::foldCounts[1] == 1);
  }
}

TEST(runsOfDifferentShapesAtOnce) {
  Blend blend(2, 3);
  blend.setConstants();
  std::vector<std::thread> threads;
  for (int64_t batch = 1; batch <= 8; ++batch) {
    threads.emplace_back([&, batch] {
      Tensor<float> x({batch, 4}, static_cast<float>(batch)), y({batch, 4}, 1, 1);
      Tensor<float> total({8, 4}), twice({8, 4});
      for (int round = 0; round < kRounds / 5; ++round) {
        CHECK_OK(blend.container.run({x.data(), y.data()}, {total.data(), twice.data()}));
        for (size_t i = 0; i < x.count(); ++i) CHECK(twice[i] == 2 * (x[i] + y[i]));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(indexErrorsStayWithTheirRun) {
  models::Use use(models::gather);
  Container container(4, 3);
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Tensor<int64_t> index({16}, 0);
      Tensor<float> out({16});
      const bool isBad = i % 2 == 1;
      if (isBad) index[static_cast<size_t>(4 * i)] = 100 + i;
      char expected[64];
      std::snprintf(expected, sizeof(expected), "found index %d,", static_cast<int>(100 + i));
      for (int round = 0; round < kRounds; ++round) {
        const bool isDone = harness::isSuccess(container.run({index.data()}, {out.data()}));
        CHECK(isDone == !isBad);
        if (isBad) CHECK(harness::contains(AITemplateGetLastError(), expected));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(threadPoolStress) {
  models::Use use(models::threads);
  for (size_t threadCount : {1, 2, 3, 8}) {
    Container container(3, threadCount);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        Tensor<float> in({1}), out({1});
        for (int round = 0; round < kRounds / 10; ++round) {
          out[0] = 0;
          CHECK_OK(container.run({in.data()}, {out.data()}));
          CHECK(out[0] == 64);
          // Long enough for workers to fall asleep now and then.
          if (round % 10 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(containersComeAndGo) {
  for (int round = 0; round < kRounds / 15; ++round) {
    Blend blend(1 + static_cast<size_t>(round % 3), 1 + static_cast<size_t>(round % 5));
    blend.setConstants();
    if (round % 2 == 0) CHECK_OK(blend.run());
  }
}

TEST(deleteWaitsForRuns) {
  models::Use use(models::gated);
  for (int round = 0; round < 3; ++round) {
    models::gateIsOpen = false;
    AITemplateModelHandle handle = nullptr;
    CHECK_OK(AITemplateModelContainerCreate(&handle, 1, nullptr));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        Tensor<float> in({1}, 5), out({1});
        AITData input = in.data(), output = out.data();
        CHECK_OK(AITemplateModelContainerRun(handle, &input, 1, &output, 1, nullptr, true, false,
                                             nullptr));
        CHECK(out[0] == 5);
      });
    }
    // By now one is in the kernel and the others wait for the runtime.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    std::thread opener([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      models::gateIsOpen = true;
    });
    CHECK_OK(AITemplateModelContainerDelete(handle));
    for (std::thread& thread : threads) thread.join();
    opener.join();
  }
}

#if HAS_THREAD_SANITIZER
// The sanitizer forbids threads in the child of a process that had threads.
constexpr size_t kForkThreads = 1;
#else
constexpr size_t kForkThreads = 3;
#endif

static size_t threadCountOfProcess() {
  size_t count = 0;
  if (DIR* tasks = opendir("/proc/self/task")) {
    while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(tasks);
  }
  return count;
}

/// What the child does; returns 0, or the number of the step that failed.
static int liveInChild(Blend& blend) {
  alarm(30);
  Tensor<float> p({4}, 11);
  if (!harness::isSuccess(blend.run())) return 1;
  if (!blend.isRight()) return 2;
  if (!harness::isSuccess(blend.container.set("p", p.data()))) return 3;
  blend.p = {11, 11, 11, 11};
  if (!harness::isSuccess(blend.run())) return 4;
  if (!blend.isRight()) return 5;
  // The workers are back; a sanitizer may have threads of its own.
  if (threadCountOfProcess() < kForkThreads) return 6;
  if (!harness::isSuccess(AITemplateModelContainerDelete(blend.container.handle))) return 7;
  return 0;
}

TEST(childOfForkRuns) {
  Blend blend(2, kForkThreads);
  blend.setConstants();
  CHECK_OK(blend.run());
  const pid_t child = fork();
  if (child == 0) _exit(liveInChild(blend));
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  if (status != 0) std::printf("    status %d\n", status);
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(forkWhileOthersRun) {
  models::Use use(models::versions);
  Container container(2, kForkThreads);
  Version current(1);
  CHECK_OK(setAll(container, current, false));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    // Values stay the same, as the child cannot know which are current.
    while (!stop) CHECK_OK(setAll(container, current, false));
  });
  {
    Runners runners(container);
    for (int round = 0; round < (HAS_THREAD_SANITIZER ? 3 : 30); ++round) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(30);
        Tensor<float> scale({1}, 1);
        Tensor<float> rows({4, 64}, NAN);
        bool isRight = true;
        for (int i = 0; i < 5 && isRight; ++i) {
          isRight = harness::isSuccess(container.run({scale.data()}, {rows.data()})) &&
                    rows[0] == 1 && rows[64] == 1 && rows[128] == 2 && rows[255] == 1;
          isRight = isRight && harness::isSuccess(setAll(container, current, false));
        }
        isRight = isRight && harness::isSuccess(AITemplateModelContainerDelete(container.handle));
        _exit(isRight ? 0 : 1);
      }
      int status = -1;
      waitpid(child, &status, 0);
      CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
      if (!WIFEXITED(status)) std::printf("    signal %d\n", WTERMSIG(status));
    }
    stop = true;
    writer.join();
  }
}

#if HAS_THREAD_SANITIZER
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif
