// Benchmark, profile, self test, memory and allocators of a device.
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cuda_fixtures.h"

using namespace fixtures;

namespace {

struct Call {
  AITData inputs[2], outputs[2];
  explicit Call(CudaBlend& blend)
      : inputs{blend.x.data(), blend.y.data()}, outputs{blend.total.data(), blend.twice.data()} {}
};

}  // namespace

TEST(cudaRunAllocatesNothingOnTheDevice) {
  CudaBlend blend(2);
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream stream;
  const size_t count = driver().callCount("cuMemAlloc_v2");
  const size_t pointers = driver().callCount("cuPointerGetAttributes");
  for (int round = 0; round < 20; ++round) {
    CHECK_OK(blend.run(stream.handle(), round % 2 == 0, round % 3 == 0));
  }
  stream.wait();
  CHECK(driver().callCount("cuMemAlloc_v2") == count);
  CHECK(driver().callCount("cuMemFree_v2") == 0 || count > 0);
  // Each runtime looks at each address once.
  CHECK(driver().callCount("cuPointerGetAttributes") <= pointers + 4);
}

TEST(cudaRunWithOutputsOnHost) {
  CudaBlend blend;
  blend.setConstants();
  const AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.hostData(), blend.twice.hostData()};
  int64_t totalShape[2] = {}, twiceShape[2] = {};
  int64_t* shapes[] = {totalShape, twiceShape};
  CallersStream stream;
  for (bool graph : {false, true}) {
    for (float& value : blend.total.elements) value = NAN;
    CHECK_OK(AITemplateModelContainerRunWithOutputsOnHost(
        blend.container.handle, inputs, 2, outputs, 2, stream.handle(), graph, shapes));
    CHECK(blend.isRightOnHost() && totalShape[0] == 3 && std::isnan(blend.total[12]));
  }
  CHECK_FAILS("found 1 inputs",
              AITemplateModelContainerRunWithOutputsOnHost(blend.container.handle, inputs, 1,
                                                           outputs, 2, nullptr, false, nullptr));
  driver().failCall("cuMemAlloc_v2", 1, 2);
  CHECK_FAILS("for the outputs before they are copied",
              AITemplateModelContainerRunWithOutputsOnHost(blend.container.handle, inputs, 2,
                                                           outputs, 2, nullptr, false, nullptr));
}

TEST(cudaBenchmark) {
  CudaBlend blend(2);
  blend.setConstants();
  Call call(blend);
  CallersStream stream;
  driver().setDelay(50);
  for (bool graph : {false, true}) {
    for (size_t threadCount : {1, 2, 4}) {
      for (bool ownStreams : {false, true}) {
        float milliseconds = -1;
        int64_t totalShape[2] = {}, twiceShape[2] = {};
        int64_t* shapes[] = {totalShape, twiceShape};
        CHECK_OK(AITemplateModelContainerBenchmark(blend.container.handle, call.inputs, 2,
                                                   call.outputs, 2, stream.handle(), graph, 10,
                                                   threadCount, ownStreams, &milliseconds, shapes));
        CHECK(milliseconds > 0.0 && milliseconds < 1000 && totalShape[0] == 3);
        CHECK(blend.isRight());
      }
    }
  }
  driver().setDelay(0);
  float milliseconds = -1;
  driver().failCall("cuMemAlloc_v2", 0, 2);
  CHECK_FAILS("for a thread's outputs", AITemplateModelContainerBenchmark(
                                            blend.container.handle, call.inputs, 2, call.outputs, 2,
                                            nullptr, false, 10, 2, false, &milliseconds, nullptr));
  driver().failCall("cuLaunchKernelEx", 20, 719);
  CHECK_FAILS("thread ", AITemplateModelContainerBenchmark(blend.container.handle, call.inputs, 2,
                                                           call.outputs, 2, nullptr, false, 10, 2,
                                                           true, &milliseconds, nullptr));
  CHECK_OK(blend.run());
}

TEST(cudaProfile) {
  CudaBlend blend;
  blend.setConstants();
  Call call(blend);
  const char* path = "/tmp/ait-cuda-profile.json";
  const size_t events = driver().liveCount("events");
  driver().setDelay(100);
  CHECK_OK(AITemplateModelContainerProfile(blend.container.handle, call.inputs, 2, call.outputs, 2,
                                           nullptr, 5, path));
  driver().setDelay(0);
  CHECK(blend.isRight());
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const std::string written = text.str();
  for (const char* part : {"\"add_xy\": {\"ms_per_iter\": ", "\"product\": {", "\"twice\": {",
                           "\"input_sizes\": [[3, 4], [4, 4]]", "\"operation\": \"matmul\""}) {
    harness::note(harness::contains(written.c_str(), part), part, __FILE__, __LINE__,
                  written.c_str());
  }
  // A step takes no less than its kernel, which the driver delays: 0.1 ms.
  const std::string before = "\"add_xy\": {\"ms_per_iter\": ";
  const size_t at = written.find(before);
  const char* time = at == std::string::npos ? "" : written.c_str() + at + before.size();
  CHECK(std::strtod(time, nullptr) >= 0.1);
  // The cache is flushed before each of the five runs, and nothing is kept.
  CHECK(driver().callCount("cuMemsetD8Async") == 5);
  CHECK(driver().liveCount("events") == events);
  driver().failCall("cuMemAlloc_v2", 0, 2);
  CHECK_FAILS("for flushing the level-2 cache",
              AITemplateModelContainerProfile(blend.container.handle, call.inputs, 2, call.outputs,
                                              2, nullptr, 5, path));
  CHECK_OK(blend.run());
  unlink(path);
}

TEST(cudaSelfTest) {
  OnFake onFake(models::cudaGather);
  Container container;
  double error = -1;
  CHECK_OK(AITemplateModelContainerSelfTest(container.handle, &error));
  CHECK(error == 0);
  DeviceTensor<float> table({10}, 5);
  CHECK_OK(container.set("table", table.data()));
  CHECK_OK(AITemplateModelContainerSelfTest(container.handle, nullptr));
  driver().failCall("cuMemAlloc_v2", 0, 2);
  CHECK_FAILS("copies of the inputs", AITemplateModelContainerSelfTest(container.handle, nullptr));
}

TEST(cudaMemoryFigures) {
  CudaBlend blend(2);
  AITemplateMemoryFigures figures = {};
  figures.struct_size = sizeof(figures);
  CHECK_OK(AITemplateModelContainerGetMemoryFigures(blend.container.handle, &figures));
  CHECK(figures.arena_bound == 320 && figures.scratch == 0);
  CHECK(figures.allocated >= driver().allocatedInBytes(0));
  const uint64_t before = figures.allocated;
  blend.setConstants();
  CHECK_OK(blend.run());
  CHECK_OK(AITemplateModelContainerGetMemoryFigures(blend.container.handle, &figures));
  CHECK(figures.allocated == before + 16);
}

// MARK: - Memory

TEST(cudaDeviceMemory) {
  OnFake onFake(models::cudaTiny);
  void* memory = nullptr;
  CHECK_OK(AITemplateDeviceMalloc(&memory, 100));
  CHECK(driver().allocatedInBytes(0) == 100);
  const char text[] = "abcdefgh";
  char back[sizeof(text)] = {};
  CallersStream stream;
  driver().setDelay(2000);
  CHECK_OK(AITemplateMemcpy(memory, text, sizeof(text), AITemplateMemcpyKind::HostToDevice,
                            stream.handle(), false));
  CHECK_OK(AITemplateMemcpy(static_cast<char*>(memory) + 50, memory, 6,
                            AITemplateMemcpyKind::DeviceToDevice, stream.handle(), false));
  CHECK_OK(AITemplateMemcpy(back, static_cast<char*>(memory) + 50, 6,
                            AITemplateMemcpyKind::DeviceToHost, stream.handle(), true));
  CHECK(std::string(back) == "abcdef");
  // Freed after the stream's work with it.
  CHECK_OK(AITemplateMemcpy(memory, text, sizeof(text), AITemplateMemcpyKind::HostToDevice,
                            stream.handle(), false));
  CHECK_OK(AITemplateDeviceFree(memory, stream.handle(), false));
  driver().setDelay(0);
  CHECK_OK(AITemplateDeviceFree(nullptr));
  CHECK_OK(AITemplateDeviceMalloc(&memory, 0));
  CHECK(memory == nullptr);
  driver().setMemory(0, 1000);
  CHECK_FAILS(
      "cannot allocate 2000 bytes of memory on the device: the CUDA driver reports "
      "CUDA_ERROR_OUT_OF_MEMORY (2)",
      AITemplateDeviceMalloc(&memory, 2000));
  CHECK_FAILS("cannot copy memory",
              AITemplateMemcpy(back, text, 1, AITemplateMemcpyKind::HostToDevice));
  CHECK_FAILS("cannot free memory", AITemplateDeviceFree(back));
  driver().reset();  // forgets that misuse
}

TEST(cudaAllocators) {
  AITemplateAllocator* tracking = nullptr;
  size_t size = 0;
  {
    OnFake onFake(models::cudaBlend);
    CHECK_OK(AITemplateAllocatorCreate(&tracking, AITemplateAllocatorType::kTracking));
    {
      Container container(2, 1, tracking);
      CHECK_OK(AITemplateTrackingAllocatorGetNumBytes(tracking, &size));
      CHECK(size == driver().allocatedInBytes(0));
    }
    CHECK_OK(AITemplateAllocatorDelete(tracking));
  }
  class Own : public AITemplateAllocator {
   public:
    void* Allocate(size_t nbytes) override {
      void* memory = nullptr;
      CHECK_OK(AITemplateDeviceMalloc(&memory, nbytes + 8));
      ++live;
      return static_cast<char*>(memory) + 8;
    }
    void Free(void* ptr) override {
      CHECK_OK(AITemplateDeviceFree(static_cast<char*>(ptr) - 8));
      --live;
    }
    int live = 0;
  } own;
  {
    CudaBlend blend(2, 3, &own);
    blend.setConstants();
    CHECK_OK(blend.run());
    CHECK(blend.isRight());
    CHECK(own.live == 4);  // constants, two arenas, a folded value
  }
  CHECK(own.live == 0);
}
