// Graph mode, and runs that the caller captures.
#include <thread>

#include "cuda_fixtures.h"

using namespace fixtures;

namespace {

/// How often graphs were made executable, updated and launched since the last look.
struct GraphCounts {
  size_t instantiated = driver().callCount("cuGraphInstantiateWithFlags");
  size_t updated = driver().callCount("cuGraphExecUpdate_v2");
  size_t launched = driver().callCount("cuGraphLaunch");

  bool changedBy(size_t newInstantiated, size_t newUpdated, size_t newLaunched) {
    const GraphCounts before = *this;
    instantiated = driver().callCount("cuGraphInstantiateWithFlags");
    updated = driver().callCount("cuGraphExecUpdate_v2");
    launched = driver().callCount("cuGraphLaunch");
    const bool isRight = instantiated - before.instantiated == newInstantiated &&
                         updated - before.updated == newUpdated &&
                         launched - before.launched == newLaunched;
    if (!isRight) {
      std::printf("    %zu instantiated, %zu updated, %zu launched\n",
                  instantiated - before.instantiated, updated - before.updated,
                  launched - before.launched);
    }
    return isRight;
  }
};

AITemplateError runGraph(CudaBlend& blend) { return blend.run(nullptr, true, true); }

/// Makes the blend use other memory for x.
void moveInput(CudaBlend& blend, std::vector<void*>& places, size_t place) {
  while (places.size() <= place) {
    void* memory = nullptr;
    CHECK_OK(AITemplateDeviceMalloc(&memory, blend.x.size()));
    places.push_back(memory);
  }
  blend.x.memory = places[place];
  for (float& value : blend.x.elements) value += 1;
  blend.x.upload();
}

}  // namespace

TEST(cudaGraphIsMadeOnce) {
  CudaBlend blend;
  blend.setConstants();
  GraphCounts counts;
  for (int round = 0; round < 4; ++round) {
    blend.forget();
    CHECK_OK(runGraph(blend));
    CHECK(blend.isRight());
  }
  CHECK(counts.changedBy(1, 0, 4));
  CHECK(driver().liveCount("graphs") == 0 && driver().liveCount("executables") == 1);
  // Contents may change, as long as addresses do not.
  for (float& value : blend.x.elements) value *= 2;
  blend.x.upload();
  CHECK_OK(runGraph(blend));
  CHECK(blend.isRight());
  CHECK(counts.changedBy(0, 0, 1));
}

TEST(cudaGraphIsUpdatedForOtherPointers) {
  CudaBlend blend;
  blend.setConstants();
  blend.x.upload();
  std::vector<void*> places = {blend.x.memory};
  GraphCounts counts;
  CHECK_OK(runGraph(blend));
  CHECK(counts.changedBy(1, 0, 1));
  for (size_t place = 1; place < 5; ++place) {
    moveInput(blend, places, place);
    CHECK_OK(runGraph(blend));
    CHECK(blend.isRight());
  }
  CHECK(counts.changedBy(0, 4, 4));
  // Pointers that come back get a graph of their own, which then is only launched.
  for (size_t place : {0, 1, 0, 1, 0}) {
    moveInput(blend, places, place);
    CHECK_OK(runGraph(blend));
    CHECK(blend.isRight());
  }
  CHECK(counts.changedBy(2, 0, 5));
  blend.x.memory = places[0];
  for (size_t place = 1; place < places.size(); ++place)
    CHECK_OK(AITemplateDeviceFree(places[place]));
}

TEST(cudaGraphsOfManyShapes) {
  OnFake onFake(models::cudaGather);
  Container container;
  DeviceTensor<int64_t> index({16});
  DeviceTensor<float> out({16}, -1);
  for (int64_t i = 0; i < 16; ++i) index[static_cast<size_t>(i)] = (3 * i) % 10;
  AITData input = index.data(), output = out.data();
  GraphCounts counts;
  const auto run = [&](int64_t n) {
    input.shape = AITemplateParamShape(&n, 1);
    for (float& value : out.elements) value = -1;
    out.upload();
    CHECK_OK(AITemplateModelContainerRun(container.handle, &input, 1, &output, 1, nullptr, true,
                                         true, nullptr));
    out.download();
    bool isRight = true;
    for (int64_t i = 0; i < 16; ++i) {
      const float root = static_cast<float>((3 * i) % 10);
      isRight &= out[static_cast<size_t>(i)] == (i < n ? root * root : -1);
    }
    CHECK(isRight);
  };
  for (int64_t n = 1; n <= 16; ++n) run(n);
  for (int64_t n = 1; n <= 16; ++n) run(n);
  CHECK(counts.changedBy(16, 0, 32));
  run(0);  // in place of the one for 1, which was used longest ago
  run(2);
  CHECK(counts.changedBy(1, 0, 2));
  run(1);
  CHECK(counts.changedBy(1, 0, 1));
  CHECK(driver().liveCount("executables") == 16);
}

TEST(cudaGraphFollowsConstants) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(runGraph(blend));
  GraphCounts counts;
  DeviceTensor<float> b({4}, 7), p({4}, 6);
  CHECK_OK(blend.container.set("b", b.data()));
  for (size_t i = 0; i < 4; ++i) blend.b[i] = 7;
  CHECK_OK(runGraph(blend));
  CHECK(blend.isRight());
  CHECK(counts.changedBy(0, 1, 1));
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(runGraph(blend));
  CHECK(blend.isRight() && counts.changedBy(0, 0, 1));
  CHECK_OK(blend.container.swap());
  blend.p = {6, 6, 6, 6};
  CHECK_OK(runGraph(blend));
  CHECK(blend.isRight() && counts.changedBy(0, 1, 1));
}

TEST(cudaGraphChecksItsArguments) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(runGraph(blend));
  blend.x.shape[0] = blend.y.shape[0] = 9;
  CHECK_FAILS("found shape [9, 4], expected [1...8, 4]", runGraph(blend));
  blend.x.shape[0] = blend.y.shape[0] = 0;
  CHECK_FAILS("found shape [0, 4]", runGraph(blend));
  blend.x.shape[0] = 2;
  blend.y.shape[0] = 3;
  CHECK_FAILS("'batch' = 2 in input 0 'x' (axis 0), but = 3", runGraph(blend));
  blend.x.shape[0] = 3;
  CHECK_OK(runGraph(blend));
  CHECK(blend.isRight());
}

TEST(cudaGraphThatCannotBeUpdatedIsMadeAnew) {
  CudaBlend blend;
  blend.setConstants();
  blend.x.upload();
  std::vector<void*> places = {blend.x.memory};
  CHECK_OK(runGraph(blend));
  GraphCounts counts;
  driver().failCall("cuGraphExecUpdate_v2", 0, 910);
  moveInput(blend, places, 1);
  CHECK_OK(runGraph(blend));
  CHECK(blend.isRight());
  CHECK(counts.changedBy(1, 1, 1) && driver().liveCount("executables") == 1);
  blend.x.memory = places[0];
  CHECK_OK(AITemplateDeviceFree(places[1]));
}

TEST(cudaGraphsUnderWayKeepTheirPointers) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream stream;
  std::vector<std::unique_ptr<DeviceTensor<float>>> totals;
  driver().setDelay(500);
  // Each run updates the executable that the one before it was launched with.
  for (int round = 0; round < 6; ++round) {
    totals.emplace_back(new DeviceTensor<float>({8, 4}, NAN));
    const AITData inputs[] = {blend.x.data(), blend.y.data()};
    AITData outputs[] = {totals.back()->data(), blend.twice.data()};
    CHECK_OK(AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2,
                                         stream.handle(), false, true, nullptr));
  }
  stream.wait();
  driver().setDelay(0);
  for (auto& total : totals) {
    total->download();
    blend.isRight();
    std::copy(total->elements.begin(), total->elements.end(), blend.total.elements.begin());
    CHECK(blend.isRightOnHost());
  }
}

// MARK: - The caller's own capture

TEST(cudaRunCapturedByTheCaller) {
  for (int mode = 0; mode < 3; ++mode) {
    CudaBlend blend;
    blend.setConstants();
    CallersStream stream, other;
    CHECK_OK(blend.run());
    driver().setDelay(1000);
    CHECK_OK(blend.run(other.handle(), false));  // under way when the capture begins
    CHECK(call("cuStreamBeginCapture_v2", stream.stream, mode) == 0);
    CHECK_FAILS("the stream that was given is being captured", blend.run(stream.handle()));
    CHECK_OK(blend.run(stream.handle(), false, true));
    driver().setDelay(0);
    void* graph = nullptr;
    void* executable = nullptr;
    CHECK(call("cuStreamEndCapture", stream.stream, &graph) == 0);
    CHECK(call("cuGraphInstantiateWithFlags", &executable, graph, 0ull) == 0);
    CHECK(call("cuGraphDestroy", graph) == 0);
    for (int round = 0; round < 3; ++round) {
      for (float& value : blend.x.elements) value += 1;
      blend.x.upload();
      blend.forget();
      CHECK(call("cuGraphLaunch", executable, stream.stream) == 0);
      stream.wait();
      CHECK(blend.isRight());
    }
    CHECK(call("cuGraphExecDestroy", executable) == 0);
    CHECK_OK(blend.run());
    CHECK(blend.isRight());
  }
}

// As PyTorch captures: nothing that any thread does may wait or allocate, unless it says so.
TEST(cudaAllCallsWhileAnotherThreadCaptures) {
  CudaBlend blend(2);
  blend.setConstants();
  CHECK_OK(blend.run());
  DeviceTensor<float> p({4}, 6);
  p.upload();
  CallersStream captured, stream;
  std::thread([&] { CHECK(call("cuStreamBeginCapture_v2", captured.stream, 0) == 0); }).join();
  for (bool graph : {false, true}) {
    CHECK_OK(blend.run(stream.handle(), true, graph));
    CHECK_OK(blend.run(stream.handle(), false, graph));
    CHECK_OK(blend.run(nullptr, true, graph));
  }
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.container.swap());
  CHECK_OK(blend.container.set("p", p.data()));
  CHECK_OK(blend.container.fold());
  CHECK_OK(blend.run(stream.handle()));
  const AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  float milliseconds = 0;
  CHECK_OK(AITemplateModelContainerBenchmark(blend.container.handle, inputs, 2, outputs, 2,
                                             stream.handle(), true, 3, 2, true, &milliseconds,
                                             nullptr));
  CHECK_OK(AITemplateModelContainerProfile(blend.container.handle, inputs, 2, outputs, 2,
                                           stream.handle(), 2, "/dev/null"));
  {
    Container another;
  }
  void* graph = nullptr;
  CHECK(call("cuStreamEndCapture", captured.stream, &graph) == 0);
  CHECK(call("cuGraphDestroy", graph) == 0);
  blend.p = {6, 6, 6, 6};
  CHECK(blend.isRight());
}

TEST(cudaFirstRunCapturedByTheCallerFoldsOutside) {
  CudaBlend blend;
  blend.setConstants();
  blend.x.upload(), blend.y.upload(), blend.total.upload(), blend.twice.upload();
  CallersStream stream;
  CHECK(call("cuStreamBeginCapture_v2", stream.stream, 0) == 0);
  CHECK_OK(blend.run(stream.handle(), false));
  void* graph = nullptr;
  void* executable = nullptr;
  CHECK(call("cuStreamEndCapture", stream.stream, &graph) == 0);
  CHECK(call("cuGraphInstantiateWithFlags", &executable, graph, 0ull) == 0);
  CHECK(call("cuGraphDestroy", graph) == 0);
  CHECK(call("cuGraphLaunch", executable, stream.stream) == 0);
  stream.wait();
  CHECK(blend.isRight());
  CHECK(call("cuGraphExecDestroy", executable) == 0);
}
