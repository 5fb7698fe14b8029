// Which device a container gets, and what it says where it gets none.
#include <sys/wait.h>
#include <unistd.h>

#include "cuda_fixtures.h"

using namespace fixtures;

namespace {

AITemplateError create(AITemplateModelHandle* handle, const char* device) {
  AITemplateCreateOptions options = {};
  options.struct_size = sizeof(options);
  options.device = device;
  return AITemplateModelContainerCreateWithOptions(handle, &options);
}

/// The device whose memory grows when a container is made; -1 if none is made.
int deviceOfNewContainer(const char* device) {
  const size_t before[] = {driver().allocatedInBytes(0), driver().allocatedInBytes(1)};
  AITemplateModelHandle handle = nullptr;
  if (!harness::isSuccess(create(&handle, device))) return -1;
  int found = -1;
  for (int each = 0; each < 2; ++each) {
    if (driver().allocatedInBytes(each) > before[each]) found = each;
  }
  CHECK_OK(AITemplateModelContainerDelete(handle));
  return found;
}

}  // namespace

TEST(cudaEmulatedLibraryIsRefusedByADriver) {
  ait::ModelDescription model = models::cudaBlend;
  ait::DeviceCode code = *model.device;
  code.isEmulated = true;
  model.device = &code;
  OnFake onFake(model);
  AITemplateModelHandle handle = nullptr;
  CHECK_FAILS("found a CUDA driver, but the library is for an emulated device",
              create(&handle, nullptr));
}

TEST(cudaDeviceIsChosen) {
  OnFake onFake(models::cudaBlend);
  CHECK(deviceOfNewContainer(nullptr) == 0);
  CHECK(deviceOfNewContainer("1") == 1);
  CHECK(deviceOfNewContainer("cuda:1") == 1);
  CHECK(deviceOfNewContainer("") == 0);
  setenv("AIT_CUDA_DEVICE", "1", 1);
  CHECK(deviceOfNewContainer(nullptr) == 1);
  CHECK(deviceOfNewContainer("cuda:0") == 0);
  setenv("AIT_CUDA_DEVICE", "7", 1);
  AITemplateModelHandle handle = nullptr;
  CHECK_FAILS(
      "found '7' in AIT_CUDA_DEVICE of the environment, expected the number of a CUDA "
      "device, such as 0 or cuda:0; this machine has 2",
      create(&handle, nullptr));
  unsetenv("AIT_CUDA_DEVICE");
  for (const char* text : {"2", "cuda:", "cuda:x", "-1", "gpu", "99999999999999999999"}) {
    CHECK_FAILS("in the option 'device'", create(&handle, text));
  }
  // The device of the caller's context, which stays as it was.
  void* context = nullptr;
  CHECK(call("cuDevicePrimaryCtxRetain", &context, 1) == 0);
  CHECK(call("cuCtxPushCurrent_v2", context) == 0);
  CHECK(deviceOfNewContainer(nullptr) == 1);
  CHECK(deviceOfNewContainer("cuda:0") == 0);
  void* current = nullptr;
  CHECK(call("cuCtxPopCurrent_v2", &current) == 0 && current == context);
  CHECK(call("cuDevicePrimaryCtxRelease_v2", 1) == 0);
  // A context of the caller's own on device 0: the container takes the primary one.
  CHECK(call("cuCtxCreate_v2", &context, 0u, 0) == 0);
  CHECK(deviceOfNewContainer(nullptr) == 0);
  CHECK(call("cuCtxPopCurrent_v2", &current) == 0 && current == context);
}

TEST(cudaDeviceOptionOfACPUModel) {
  AITemplateModelHandle handle = nullptr;
  CHECK_FAILS("found device = 'cuda:0', but the model was compiled for cpu:test",
              create(&handle, "cuda:0"));
}

TEST(cudaContainersOnDifferentDevices) {
  OnFake onFake(models::cudaTiny);
  AITemplateModelHandle handles[2] = {};
  CHECK_OK(create(&handles[0], "0"));
  CHECK_OK(create(&handles[1], "1"));
  for (int round = 0; round < 4; ++round) {
    for (int device = 0; device < 2; ++device) {
      setenv("AIT_CUDA_DEVICE", device == 0 ? "0" : "1", 1);
      CallersStream stream(device);
      {
        DeviceTensor<float> in({1}, static_cast<float>(round)), out({1});
        AITData input = in.data(), output = out.data();
        CHECK_OK(AITemplateModelContainerRun(handles[device], &input, 1, &output, 1,
                                             round % 2 == 0 ? nullptr : stream.handle(), true,
                                             round > 1, nullptr));
        out.download();
        CHECK(out[0] == static_cast<float>(round + 1));
      }
      unsetenv("AIT_CUDA_DEVICE");
    }
  }
  for (AITemplateModelHandle handle : handles) CHECK_OK(AITemplateModelContainerDelete(handle));
}

TEST(cudaContextsAreGivenBack) {
  OnFake onFake(models::cudaTiny);
  const int before = driver().contextReferences(0);
  AITemplateModelHandle handle = nullptr;
  for (int round = 0; round < 3; ++round) {
    CHECK_OK(create(&handle, nullptr));
    CHECK(driver().contextReferences(0) == before + 1);
    CHECK_OK(AITemplateModelContainerDelete(handle));
    CHECK(driver().contextReferences(0) == before);
  }
}

TEST(cudaArchitectures) {
  OnFake onFake(models::cudaTiny);
  AITemplateModelHandle handle = nullptr;
  const auto isServed = [&](int major, int minor) {
    driver().setCapability(0, major, minor);
    if (!harness::isSuccess(create(&handle, nullptr))) return false;
    CHECK_OK(AITemplateModelContainerDelete(handle));
    return true;
  };
  CHECK(isServed(9, 0));
  CHECK(isServed(8, 0) && isServed(8, 6) && isServed(8, 9));
  CHECK(!isServed(7, 5));
  CHECK(harness::contains(AITemplateGetLastError(),
                          "found the device cuda:0 'Fake 0' of compute capability 7.5, but the "
                          "library holds kernels for sm_80, sm_90a only: compile the model for "
                          "cuda:sm_75"));
  CHECK(!isServed(9, 1));  // sm_90a is for 9.0 alone
  CHECK(!isServed(10, 0));
  // Of two that fit the closer one.
  static const ait::DeviceCode& given = *models::cudaTiny.device;
  static ait::DeviceArchitecture several[] = {given.architectures[0], given.architectures[0],
                                              given.architectures[0]};
  several[1].minor = 6;
  several[1].name = "sm_86";
  several[1].imageCount = 0;  // fails, so that its choice shows
  several[2].minor = 9;
  ait::DeviceCode code = given;
  code.architectureCount = 3;
  code.architectures = several;
  ait::ModelDescription model = models::cudaTiny;
  model.device = &code;
  models::Use use(model);
  CHECK(isServed(8, 0) && isServed(8, 5));
  CHECK(!isServed(8, 6) && harness::contains(AITemplateGetLastError(), "images for sm_86"));
  CHECK(isServed(8, 9));
  // What the driver refuses though the numbers fit.
  code.architectures = given.architectures;
  code.architectureCount = 2;
  driver().setCapability(0, 9, 0);
  driver().failCall("cuModuleLoadData", 0, 209);
  CHECK_FAILS("cannot load the kernels for sm_90a (", create(&handle, nullptr));
  CHECK_FAILS("", create(nullptr, nullptr));
  CHECK(isServed(9, 0));
}

TEST(cudaDriverAndDevicesAreMissing) {
  OnFake onFake(models::cudaTiny);
  AITemplateModelHandle handle = nullptr;
  driver().setDriverVersion(12020);
  CHECK_FAILS("found a driver for CUDA 12.2, expected one for CUDA 12.8 or later",
              create(&handle, nullptr));
  driver().setDriverVersion(12080);
  CHECK_OK(create(&handle, nullptr));
  CHECK_OK(AITemplateModelContainerDelete(handle));
  driver().setDeviceCount(0);
  CHECK_FAILS("found no CUDA device: the driver is there, but sees no GPU",
              create(&handle, nullptr));
  driver().setDeviceCount(1);
  CHECK_FAILS("this machine has 1", create(&handle, "1"));
}

TEST(cudaChildOfForkIsRefused) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  const AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  const AITData constant = blend.b.data();
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    AITemplateModelHandle handle = blend.container.handle;
    const auto isRefused = [](AITemplateError error, const char* part) {
      return !harness::isSuccess(error) && harness::contains(AITemplateGetLastError(), part);
    };
    const char* forked = "this process was forked after the container was made";
    AITemplateModelHandle other = nullptr;
    size_t count = 0;
    if (!isRefused(AITemplateModelContainerRun(handle, inputs, 2, outputs, 2, nullptr, true, false,
                                               nullptr),
                   forked)) {
      _exit(1);
    }
    if (!isRefused(AITemplateModelContainerSetConstant(handle, "b", &constant), forked)) _exit(2);
    if (!isRefused(AITemplateModelContainerFoldConstants(handle, nullptr, true), forked)) _exit(3);
    if (!isRefused(AITemplateModelContainerSwapConstants(handle), forked)) _exit(4);
    if (!isRefused(AITemplateModelContainerSelfTest(handle, nullptr), "")) _exit(5);
    if (!harness::isSuccess(AITemplateModelContainerGetNumInputs(handle, &count))) _exit(6);
    if (!isRefused(create(&other, nullptr), "in the child of a fork")) _exit(7);
    if (!harness::isSuccess(AITemplateModelContainerDelete(handle))) _exit(8);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  if (status != 0) std::printf("    status %d\n", status);
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}
