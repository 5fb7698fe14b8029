// Figures, not claims: the cost of a run that does next to nothing, and of sharing a loop.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "ait/kernel.h"
#include "cuda_models.h"
#include "fixtures.h"

using namespace fixtures;
using Clock = std::chrono::steady_clock;

namespace {

double microseconds(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::micro>(end - begin).count();
}

/// The median time of a call, in microseconds, over batches of calls.
template <class Body>
double median(int batchSize, Body&& body) {
  std::vector<double> times;
  for (int batch = 0; batch < 201; ++batch) {
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < batchSize; ++i) body();
    times.push_back(microseconds(begin, Clock::now()) / batchSize);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int64_t loopCount = 0;
double loopTime = 0;

void emptyLoops(const ait::KernelContext& context) {
  loopTime =
      median(200, [&] { ait::parallelFor(context.pool, loopCount, [](int64_t, int32_t) {}); });
}

double meetingTime = 0;

/// Loops whose two indices wait for each other: the time until another thread takes part.
void meetings(const ait::KernelContext& context) {
  meetingTime = median(200, [&] {
    std::atomic<int> arrived{0};
    ait::parallelFor(context.pool, 2, [&](int64_t, int32_t) {
      arrived.fetch_add(1);
      while (arrived.load(std::memory_order_relaxed) < 2) {
      }
    });
  });
}

double wakingTime = 0;

/// The same after the worker has fallen asleep.
void wakings(const ait::KernelContext& context) {
  std::vector<double> times;
  for (int i = 0; i < 201; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const Clock::time_point begin = Clock::now();
    std::atomic<int> arrived{0};
    ait::parallelFor(context.pool, 2, [&](int64_t, int32_t) {
      arrived.fetch_add(1);
      while (arrived.load(std::memory_order_relaxed) < 2) {
      }
    });
    times.push_back(microseconds(begin, Clock::now()));
  }
  std::sort(times.begin(), times.end());
  wakingTime = times[times.size() / 2];
}

ait::ModelDescription withKernel(ait::StepDescription& step, ait::KernelFunction kernel) {
  ait::ModelDescription model = models::tiny;
  step = model.steps[0];
  step.kernel = kernel;
  model.steps = &step;
  return model;
}

}  // namespace

TEST(measureRun) {
  models::Use use(models::tiny);
  for (size_t threadCount : {1, 2}) {
    Container container(1, threadCount);
    Tensor<float> in({1}), out({1});
    AITData input = in.data(), output = out.data();
    const double time = median(1000, [&] {
      (void)AITemplateModelContainerRun(container.handle, &input, 1, &output, 1, nullptr, true,
                                        false, nullptr);
    });
    std::printf("run of one empty step, %zu threads: %.3f us\n", threadCount, time);
  }
}

TEST(measureRunOfBlend) {
  Blend blend(1, 1);
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  const double time = median(1000, [&] {
    (void)AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2, nullptr, true,
                                      false, nullptr);
  });
  std::printf("run of four small steps, 1 thread: %.3f us\n", time);
}

// On a driver that does nothing: what the runtime adds to the driver's own time.
TEST(measureRunOnADevice) {
  models::Use use(models::cudaBlend);
  Container container;
  float place[4] = {};
  alignas(256) static char memory[4][4096];
  const auto tensor = [&](int index, Tensor<float>& like) {
    AITData data = like.data();
    data.ptr = memory[index];
    return data;
  };
  Tensor<float> matrix({3, 4}), row({4});
  const AITData constant = tensor(0, row);
  CHECK_OK(container.set("b", constant));
  CHECK_OK(container.set("q", constant));
  const AITData inputs[] = {tensor(0, matrix), tensor(1, matrix)};
  AITData outputs[] = {tensor(2, matrix), tensor(3, matrix)};
  AITemplateStreamHandle stream = reinterpret_cast<AITemplateStreamHandle>(place);
  for (bool graph : {false, true}) {
    const double time = median(1000, [&] {
      (void)AITemplateModelContainerRun(container.handle, inputs, 2, outputs, 2, stream, false,
                                        graph, nullptr);
    });
    std::printf("run of four steps on a device, %s, without the driver's time: %.3f us\n",
                graph ? "as a graph" : "one by one", time);
  }
}

TEST(measureDispatch) {
  ait::StepDescription step;
  const ait::ModelDescription model = withKernel(step, emptyLoops);
  models::Use use(model);
  for (size_t threadCount : {2, 4}) {
    Container container(1, threadCount);
    Tensor<float> in({1}), out({1});
    for (int64_t count : {2, 16, 256}) {
      loopCount = count;
      CHECK_OK(container.run({in.data()}, {out.data()}));
      std::printf("empty loop of %lld, %zu threads, hot workers: %.3f us\n",
                  static_cast<long long>(count), threadCount, loopTime);
    }
  }
}

TEST(measureMeeting) {
  ait::StepDescription step;
  const ait::ModelDescription model = withKernel(step, meetings);
  models::Use use(model);
  Container container(1, 2);
  Tensor<float> in({1}), out({1});
  CHECK_OK(container.run({in.data()}, {out.data()}));
  std::printf("loop of 2 that needs both threads, hot worker: %.3f us\n", meetingTime);
}

TEST(measureWaking) {
  ait::StepDescription step;
  const ait::ModelDescription model = withKernel(step, wakings);
  models::Use use(model);
  Container container(1, 2);
  Tensor<float> in({1}), out({1});
  CHECK_OK(container.run({in.data()}, {out.data()}));
  std::printf("loop of 2 that needs both threads, sleeping worker: %.3f us\n", wakingTime);
}

TEST(measureCreate) {
  models::Use use(models::tiny);
  const double time = median(1, [] {
    AITemplateModelHandle handle;
    (void)AITemplateModelContainerCreate(&handle, 1, nullptr);
    (void)AITemplateModelContainerDelete(handle);
  });
  std::printf("create and delete a container: %.1f us\n", time);
}
