// Memory and streams of a container's device, whatever device the thread uses otherwise.
#include <cstring>

#include "cuda_fixtures.h"

using namespace fixtures;

namespace {

using Kind = AITemplateMemcpyKind;

struct ContainerOn {
  explicit ContainerOn(const char* device) {
    AITemplateCreateOptions options = {};
    options.struct_size = sizeof(options);
    options.device = device;
    CHECK_OK(AITemplateModelContainerCreateWithOptions(&handle, &options));
  }
  ContainerOn(const ContainerOn&) = delete;
  ContainerOn& operator=(const ContainerOn&) = delete;
  ~ContainerOn() { CHECK_OK(AITemplateModelContainerDelete(handle)); }
  AITemplateModelHandle handle = nullptr;
};

}  // namespace

TEST(cudaMemoryIsTheContainers) {
  OnFake onFake(models::cudaTiny);
  ContainerOn container("cuda:1");
  const char* name = nullptr;
  CHECK_OK(AITemplateModelContainerGetDeviceName(container.handle, &name));
  CHECK(std::string(name) == "cuda:1 'Fake 1'");
  const size_t before = driver().allocatedInBytes(1);
  void* memory[3] = {};
  for (void*& each : memory) {
    CHECK_OK(AITemplateModelContainerDeviceMalloc(container.handle, &each, 64));
  }
  CHECK(driver().allocatedInBytes(1) >= before + 3 * 64 && driver().allocatedInBytes(0) == 0);

  // Copies in all directions, and a run between them.
  const auto copy = [&](void* to, const void* from, size_t size, Kind kind) {
    return AITemplateModelContainerMemcpy(container.handle, to, from, size, kind, nullptr);
  };
  float value = 41;
  CHECK_OK(copy(memory[0], &value, sizeof(value), Kind::HostToDevice));
  CHECK_OK(copy(memory[1], memory[0], sizeof(value), Kind::DeviceToDevice));
  const int64_t one = 1;
  const AITData in(memory[1], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
  AITData out(memory[2], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
  CHECK_OK(AITemplateModelContainerRun(container.handle, &in, 1, &out, 1, nullptr, true, false,
                                       nullptr));
  CHECK_OK(copy(&value, memory[2], sizeof(value), Kind::DeviceToHost));
  CHECK(value == 42);

  CHECK_OK(copy(nullptr, nullptr, 0, Kind::DeviceToHost));
  CHECK_FAILS("dst is null", copy(nullptr, &value, 4, Kind::HostToDevice));
  CHECK_FAILS("src is null", copy(memory[0], nullptr, 4, Kind::HostToDevice));
  CHECK_FAILS("found kind = 3", copy(memory[0], &value, 4, static_cast<Kind>(3)));
  void* none = &value;
  CHECK_OK(AITemplateModelContainerDeviceMalloc(container.handle, &none, 0));
  CHECK(none == nullptr);
  CHECK_FAILS("of memory on cuda:1 'Fake 1' for a tensor",
              AITemplateModelContainerDeviceMalloc(container.handle, &none, size_t{1} << 40));
  CHECK_FAILS("ptr_out is null",
              AITemplateModelContainerDeviceMalloc(container.handle, nullptr, 8));
  for (void* each : memory) {
    CHECK_OK(AITemplateModelContainerDeviceFree(container.handle, each));
  }
  CHECK_OK(AITemplateModelContainerDeviceFree(container.handle, nullptr));
  CHECK(driver().allocatedInBytes(1) == before);
}

TEST(cudaStreamsAreTheContainers) {
  OnFake onFake(models::cudaTiny);
  ContainerOn container("cuda:1");
  AITemplateStreamHandle stream = nullptr;
  CHECK_OK(AITemplateModelContainerStreamCreate(container.handle, &stream));
  CHECK(stream && driver().liveCount("streams") == 1);
  void* memory[2] = {};
  for (void*& each : memory) {
    CHECK_OK(AITemplateModelContainerDeviceMalloc(container.handle, &each, 64));
  }
  float value = 1;
  CHECK_OK(AITemplateModelContainerMemcpy(container.handle, memory[0], &value, sizeof(value),
                                          Kind::HostToDevice, stream));
  driver().setDelay(2000);
  const int64_t one = 1;
  for (int round = 0; round < 3; ++round) {
    const AITData in(memory[round % 2], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
    AITData out(memory[1 - round % 2], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
    CHECK_OK(AITemplateModelContainerRun(container.handle, &in, 1, &out, 1, stream, false, false,
                                         nullptr));
  }
  CHECK_OK(AITemplateModelContainerStreamSynchronize(container.handle, stream));
  CHECK_OK(AITemplateModelContainerMemcpy(container.handle, &value, memory[1], sizeof(value),
                                          Kind::DeviceToHost, stream));
  CHECK(value == 4);
  driver().setDelay(0);

  // A stream is of the container's device: another's run refuses it.
  {
    ContainerOn other("cuda:0");
    void* there[2] = {};
    for (void*& each : there) {
      CHECK_OK(AITemplateModelContainerDeviceMalloc(other.handle, &each, 64));
    }
    const AITData in(there[0], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
    AITData out(there[1], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
    CHECK_FAILS(
        "the stream that was given belongs to another device",
        AITemplateModelContainerRun(other.handle, &in, 1, &out, 1, stream, true, false, nullptr));
    CHECK_FAILS(
        "the stream that was given belongs to another device",
        AITemplateModelContainerRun(other.handle, &in, 1, &out, 1, stream, true, true, nullptr));
    for (void* each : there) CHECK_OK(AITemplateModelContainerDeviceFree(other.handle, each));
  }

  // The delay keeps the kernel from failing while the run still calls the driver.
  driver().setDelay(20000);
  driver().failRunningKernel(0);
  const AITData in(memory[0], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
  AITData out(memory[1], AITemplateParamShape(&one, 1), AITemplateDtype::kFloat);
  CHECK_OK(AITemplateModelContainerRun(container.handle, &in, 1, &out, 1, stream, false, false,
                                       nullptr));
  CHECK_FAILS("cannot wait for the stream",
              AITemplateModelContainerStreamSynchronize(container.handle, stream));
  driver().reset();
  CHECK_FAILS("stream_handle_out is null",
              AITemplateModelContainerStreamCreate(container.handle, nullptr));
  for (void* each : memory) {
    CHECK_OK(AITemplateModelContainerDeviceFree(container.handle, each));
  }
  CHECK_OK(AITemplateModelContainerStreamDestroy(container.handle, stream));
}

TEST(memoryOfACPUContainer) {
  models::Use use(models::blend);
  ContainerOn container(nullptr);
  const char* name = nullptr;
  CHECK_OK(AITemplateModelContainerGetDeviceName(container.handle, &name));
  CHECK(name && !*name);
  void* memory = nullptr;
  CHECK_OK(AITemplateModelContainerDeviceMalloc(container.handle, &memory, 4));
  float value = 3;
  CHECK_OK(AITemplateModelContainerMemcpy(container.handle, memory, &value, 4, Kind::HostToDevice,
                                          nullptr));
  value = 0;
  CHECK_OK(AITemplateModelContainerMemcpy(container.handle, &value, memory, 4, Kind::DeviceToHost,
                                          nullptr));
  CHECK(value == 3);
  CHECK_OK(AITemplateModelContainerDeviceFree(container.handle, memory));
  CHECK_OK(AITemplateModelContainerStreamSynchronize(container.handle, nullptr));
  AITemplateStreamHandle stream = nullptr;
  CHECK_FAILS("the model was compiled for cpu:test, which has none",
              AITemplateModelContainerStreamCreate(container.handle, &stream));
  CHECK(!stream);
}
