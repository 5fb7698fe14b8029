// Constants on a device: uploading, setting, folding, the double buffer; runs under way meanwhile.
#include <thread>

#include "cuda_fixtures.h"

using namespace fixtures;

namespace {

void spoil(DeviceTensor<float>& tensor) {
  for (float& value : tensor.elements) value = NAN;
  tensor.upload();
}

}  // namespace

TEST(cudaConstantsAreUploadedOnce) {
  size_t sizes[3] = {};
  for (size_t runtimeCount : {1, 2, 3}) {
    CudaBlend blend(runtimeCount);
    sizes[runtimeCount - 1] = driver().allocatedInBytes(0);
    CHECK(driver().callCount("cuMemcpyHtoDAsync_v2") == 5);  // w, p, s, f1, f2
  }
  // An arena each: no constants.
  CHECK(sizes[1] - sizes[0] == 320 && sizes[2] - sizes[1] == 320);
}

TEST(cudaSetConstantReadsTheMemoryHandedIn) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  for (float& value : blend.b.elements) value = -5;
  blend.b.upload();
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(cudaFoldingFollows) {
  CudaBlend blend;
  blend.setConstants();
  for (std::atomic<int>& count : models::foldCounts) count = 0;
  CHECK_OK(blend.run());
  CHECK(blend.isRight() && models::foldCounts[0] == 1 && models::foldCounts[1] == 1 &&
        models::foldCounts[2] == 0);
  DeviceTensor<float> p({4}, 70), s({4}, 6), r({4}, 3);
  CHECK_OK(blend.container.set("p", p.data()));
  blend.p = {70, 70, 70, 70};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(blend.container.set("s", s.data()));
  CHECK_FAILS("no data of 'r', which is combined with 's'", blend.run());
  CHECK_OK(blend.container.set("r", r.data()));
  blend.s = {6, 6, 6, 6};
  blend.r = {3, 3, 3, 3};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  // The folded value is the device's.
  const void* data = nullptr;
  size_t size = 0;
  float values[4] = {};
  CHECK_OK(AITemplateModelContainerGetFoldedValue(blend.container.handle, 0, &data, &size));
  CHECK_OK(AITemplateMemcpy(values, data, size, AITemplateMemcpyKind::DeviceToHost));
  CHECK(size == 16 && values[0] == 2 * (70 + 100));
}

TEST(cudaFoldingFollowsTheStream) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream stream;
  DeviceTensor<float> next({4}, 55);
  next.upload();
  driver().setDelay(5000);
  // The new value is written by work in the stream, which folding comes after.
  CHECK_OK(AITemplateMemcpy(blend.q.memory, next.memory, 16, AITemplateMemcpyKind::DeviceToDevice,
                            stream.handle(), false));
  CHECK_OK(AITemplateModelContainerFoldConstants(blend.container.handle, stream.handle(), false));
  driver().setDelay(0);
  for (size_t i = 0; i < 4; ++i) blend.q[i] = 55;
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(cudaDoubleBufferCopiesInTheStream) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream stream;
  DeviceTensor<float> p({4}, 6), source({4}, 8);
  p.upload();
  source.upload();
  AITData tensor = p.data();
  driver().setDelay(5000);
  CHECK_OK(AITemplateMemcpy(p.memory, source.memory, 16, AITemplateMemcpyKind::DeviceToDevice,
                            stream.handle(), false));
  CHECK_OK(AITemplateModelContainerSetDoubleBufferConstant(blend.container.handle, stream.handle(),
                                                           "p", &tensor));
  // Again, with other work before it in the stream, for longer than the value is there.
  DeviceTensor<float> other({4});
  other.upload();
  for (int i = 0; i < 4; ++i) {
    CHECK_OK(AITemplateMemcpy(other.memory, source.memory, 16, AITemplateMemcpyKind::DeviceToDevice,
                              stream.handle(), false));
  }
  CHECK_OK(AITemplateModelContainerSetDoubleBufferConstant(blend.container.handle, stream.handle(),
                                                           "p", &tensor));
  spoil(p);  // it was copied
  driver().setDelay(0);
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_FAILS("set in the double buffer but not folded", blend.container.swap());
  CHECK_OK(AITemplateModelContainerFoldConstantsInDoubleBuffer(blend.container.handle,
                                                               stream.handle(), false));
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(blend.container.swap());
  blend.p = {8, 8, 8, 8};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

// The old values are the caller's again when the call returns, though runs were not waited for.
TEST(cudaReplacedConstantsAreNotReadAnyMore) {
  for (bool graph : {false, true}) {
    CudaBlend blend(2);
    CallersStream first, second;
    DeviceTensor<float> oldB({4}, 1000, 1000), oldQ({4}, 100, 100);
    CHECK_OK(blend.container.set("b", oldB.data()));
    CHECK_OK(blend.container.set("q", oldQ.data()));
    CHECK_OK(blend.run());
    DeviceTensor<float> totals[] = {DeviceTensor<float>({8, 4}, NAN),
                                    DeviceTensor<float>({8, 4}, NAN)};
    DeviceTensor<float> twices[] = {DeviceTensor<float>({8, 4}), DeviceTensor<float>({8, 4})};
    const AITData inputs[] = {blend.x.data(), blend.y.data()};
    AITData outputs[][2] = {{totals[0].data(), twices[0].data()},
                            {totals[1].data(), twices[1].data()}};
    blend.b.upload();
    blend.q.upload();
    driver().setDelay(3000);
    for (int run = 0; run < 2; ++run) {
      CHECK_OK(AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs[run], 2,
                                           (run == 0 ? first : second).handle(), false, graph,
                                           nullptr));
    }
    const char* names[] = {"b", "q"};
    const AITData tensors[] = {blend.b.data(), blend.q.data()};
    CHECK_OK(AITemplateModelContainerSetManyConstants(blend.container.handle, names, tensors, 2));
    driver().setDelay(0);
    spoil(oldB);
    spoil(oldQ);
    first.wait();
    second.wait();
    for (int run = 0; run < 2; ++run) {
      totals[run].download();
      twices[run].download();
      blend.total.elements = totals[run].elements;
      blend.twice.elements = twices[run].elements;
      CHECK(blend.isRightOnHost());
    }
    CHECK_OK(blend.run());
    CHECK(blend.isRight());
  }
}

// MARK: - Storms

namespace {

constexpr int kRounds = 60;

/// A value of all constants of the model `versions`, spoilt and freed as soon as it is replaced.
struct Version {
  DeviceTensor<float> u, v, c;
  explicit Version(int number)
      : u({64}, static_cast<float>(number)),
        v({64}, static_cast<float>(number)),
        c({64}, static_cast<float>(number)) {
    u.upload(), v.upload(), c.upload();
  }
  ~Version() {
    for (DeviceTensor<float>* tensor : {&u, &v, &c}) {
      for (float& value : tensor->elements) value = -1;
      tensor->upload();
    }
  }
};

AITemplateError setAll(Container& container, Version& version, bool later) {
  const char* names[] = {"u", "v", "c"};
  const AITData tensors[] = {version.u.data(), version.v.data(), version.c.data()};
  if (later) {
    return AITemplateModelContainerSetManyDoubleBufferConstants(container.handle, nullptr, names,
                                                                tensors, 3);
  }
  return AITemplateModelContainerSetManyConstants(container.handle, names, tensors, 3);
}

/// Runs in a stream of its own until told to stop; outputs must come from one version each.
void runVersions(Container& container, std::atomic<bool>& stop, std::atomic<int>& runCount,
                 bool graph) {
  CallersStream stream;
  DeviceTensor<float> scale({1}, 2);
  scale.upload();
  std::vector<std::unique_ptr<DeviceTensor<float>>> rows;
  for (int i = 0; i < 3; ++i) {
    rows.emplace_back(new DeviceTensor<float>({4, 64}, NAN));
    rows.back()->upload();
  }
  AITData input = scale.data();
  while (!stop.load()) {
    for (auto& each : rows) {
      AITData output = each->data();
      CHECK_OK(AITemplateModelContainerRun(container.handle, &input, 1, &output, 1, stream.handle(),
                                           false, graph, nullptr));
    }
    stream.wait();
    float last = 0;
    for (auto& each : rows) {
      each->download();
      DeviceTensor<float>& found = *each;
      const float version = found[0] / 2;
      bool isWhole = version >= last;
      for (size_t i = 0; i < 64; ++i) {
        isWhole &= found[i] == 2 * version && found[64 + i] == 2 * version &&
                   found[128 + i] == 4 * version && found[192 + i] == 2 * version;
      }
      if (!isWhole) {
        char text[128];
        std::snprintf(text, sizeof(text), "rows %g %g %g %g after version %g", found[0], found[64],
                      found[128], found[192], last);
        harness::note(false, "one version", __FILE__, __LINE__, text);
      }
      last = version;
    }
    runCount.fetch_add(1);
  }
}

void storm(bool later, bool graph, size_t runtimeCount) {
  OnFake onFake(models::cudaVersions);
  Container container(runtimeCount, 1);
  std::unique_ptr<Version> current(new Version(1));
  CHECK_OK(setAll(container, *current, false));
  std::atomic<bool> stop{false};
  std::atomic<int> runCount{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { runVersions(container, stop, runCount, graph); });
  }
  while (runCount == 0) std::this_thread::yield();
  for (int round = 2; round < kRounds; ++round) {
    std::unique_ptr<Version> next(new Version(round));
    CHECK_OK(setAll(container, *next, later));
    if (later) {
      spoil(next->c);  // the bound one was copied
      CHECK_OK(container.foldLater());
      CHECK_OK(container.swap());
    }
    current = std::move(next);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST(cudaSetConstantsStorm) {
  storm(false, false, 1);
  storm(false, true, 3);
}

TEST(cudaSwapConstantsStorm) {
  storm(true, false, 3);
  storm(true, true, 1);
}
