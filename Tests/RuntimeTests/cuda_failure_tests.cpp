// Errors of the driver, wherever they come: named, and without harm to what follows.
#include <set>

#include "cuda_fixtures.h"

using namespace fixtures;

TEST(cudaLaunchErrorsNameTheStep) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream stream;
  for (bool graph : {false, true}) {
    for (bool sync : {false, true}) {
      driver().failCall("cuLaunchKernelEx", 1, 1);
      CHECK_FAILS(
          "step 'product' (matmul, kernel 'matmul<\"4x4\">'): cannot launch: the CUDA driver "
          "reports CUDA_ERROR_OF_A_TEST (1), text of the driver ('fake_matmulx3_1', grid 2 x 1 x "
          "1, 128 threads, 256 bytes of shared memory, clusters of 1)",
          blend.run(stream.handle(), sync, graph));
      blend.forget();
      CHECK_OK(blend.run(stream.handle(), true, graph));
      CHECK(blend.isRight());
      blend.b.upload();
      blend.x.data();
      if (graph) {  // so that the next run is captured again
        blend.forget();
        CHECK_OK(blend.container.set("b", blend.b.data()));
      }
    }
  }
}

// The steps before the one that failed were launched; their memory is the caller's again.
TEST(cudaFailedRunsLeaveNothingUnderWay) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream stream;
  for (bool graph : {false, true}) {
    {
      DeviceTensor<float> x({3, 4}, 5);
      AITData inputs[] = {x.data(), blend.y.data()};
      AITData outputs[] = {blend.total.data(), blend.twice.data()};
      driver().setDelay(3000);
      driver().failCall("cuLaunchKernelEx", 2, 1);
      CHECK_FAILS("step 'total'",
                  AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2,
                                              stream.handle(), false, graph, nullptr));
      driver().setDelay(0);
    }
    CHECK_OK(blend.run(stream.handle()));
    CHECK(blend.isRight());
  }
}

TEST(cudaFoldErrorsNameTheStep) {
  CudaBlend blend;
  blend.setConstants();
  driver().failCall("cuLaunchKernelEx", 1, 1);
  CHECK_FAILS("step 'f0' (scale, kernel 'twice'): cannot launch", blend.run());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(cudaKernelErrorsAreReportedWhenWaiting) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  driver().failRunningKernel(2);
  CHECK_FAILS(
      "a step of this run or of one before it failed on the device: the CUDA driver reports "
      "CUDA_ERROR_ILLEGAL_ADDRESS (700), text of the driver: the process can use the "
      "device no more; start it anew; with AIT_CUDA_SYNC=1 in the environment the error "
      "names the step",
      blend.run());
  CHECK_FAILS("CUDA_ERROR_ILLEGAL_ADDRESS", blend.run());
  driver().reset();  // as a new process would
}

TEST(cudaKernelErrorsNameTheStepOnDemand) {
  setenv("AIT_CUDA_SYNC", "1", 1);
  for (bool graph : {false, true}) {
    CudaBlend blend;
    blend.setConstants();
    CHECK_OK(blend.run(nullptr, true, graph));
    CHECK(blend.isRight());
    driver().failRunningKernel(1);
    CHECK_FAILS("step 'product' (matmul, kernel 'matmul<\"4x4\">'): cannot run",
                blend.run(nullptr, true, graph));
    driver().reset();
    driver().failRunningKernel(3);
    CHECK_FAILS("step 'twice' (scale, kernel 'twice'): cannot run",
                blend.run(nullptr, true, graph));
    driver().reset();
  }
  unsetenv("AIT_CUDA_SYNC");
}

TEST(cudaKernelOutsideTheArchitectureIsNamed) {
  ait::StepDescription step = models::cudaTiny.steps[0];
  step.kernel = [](const ait::KernelContext& context) {
    const int32_t number = static_cast<int32_t>(context.queue->architecture()) == 1 ? 25 : 24;
    context.queue->launch({number, {1, 1, 1}, 32, 0, 1, false, nullptr});
  };
  ait::ModelDescription model = models::cudaTiny;
  model.steps = &step;
  OnFake onFake(model);
  Container container;
  DeviceTensor<float> in({1}), out({1});
  CHECK_FAILS(
      "step 'increment' (add, kernel 'increment'): found a launch of device kernel 25 "
      "('fake_plain'), which the library does not have for sm_90a",
      container.run({in.data()}, {out.data()}));
}

TEST(cudaOutOfMemoryNamesTheAmount) {
  OnFake onFake(models::cudaBlend);
  AITemplateModelHandle handle = nullptr;
  driver().setMemory(0, 1500);
  CHECK_FAILS("found no 320 bytes of memory on cuda:0 'Fake 0' for a runtime's arena (",
              AITemplateModelContainerCreate(&handle, 2, nullptr));
  CHECK_FAILS("of 1500 bytes are free): free some, or use fewer runtimes",
              AITemplateModelContainerCreate(&handle, 9, nullptr));
  CHECK(!handle && driver().allocatedInBytes(0) == 0);
}

TEST(cudaOutOfMemoryLeavesTheContainerUsable) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  DeviceTensor<float> p({4}, 6);
  p.upload();
  CHECK_OK(blend.container.set("p", p.data()));
  driver().failCall("cuMemAlloc_v2", 0, 2);
  CHECK_FAILS("for folded constants", blend.run());
  driver().failCall("cuMemAlloc_v2", 1, 2);
  CHECK_FAILS("for folding's arena", blend.run());
  blend.p = {6, 6, 6, 6};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  driver().failCall("cuMemAlloc_v2", 0, 2);
  CHECK_FAILS("for copies of constants", blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.swap());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

// Whatever call fails, the error comes out as a text, nothing leaks, and the next attempt works.
TEST(cudaAnyCallMayFail) {
  const auto live = [](AITemplateModelHandle& handle, DeviceTensor<float>* tensors, bool mustWork) {
    // Memory of the caller's is there before.
    const AITData inputs[] = {tensors[0].data(), tensors[1].data()};
    AITData outputs[] = {tensors[2].data(), tensors[3].data()};
    const AITData b = tensors[4].data(), p = tensors[5].data();
    AITemplateCreateOptions options = {};
    options.struct_size = sizeof(options);
    options.num_runtimes = 2;
    const auto note = [&](AITemplateError error) {
      const bool isDone = harness::isSuccess(error);
      if (mustWork) CHECK_OK(error);
      if (!isDone) CHECK(*AITemplateGetLastError() != '\0');
      return isDone;
    };
    if (!note(AITemplateModelContainerCreateWithOptions(&handle, &options))) {
      CHECK(handle == nullptr);
      return;
    }
    note(AITemplateModelContainerSetConstant(handle, "b", &b));
    note(AITemplateModelContainerSetConstant(handle, "q", &b));
    for (bool graph : {false, true}) {
      for (bool sync : {true, false}) {
        note(AITemplateModelContainerRun(handle, inputs, 2, outputs, 2, nullptr, sync, graph,
                                         nullptr));
      }
    }
    note(AITemplateModelContainerSetDoubleBufferConstant(handle, nullptr, "p", &p));
    note(AITemplateModelContainerFoldConstantsInDoubleBuffer(handle, nullptr, true));
    note(AITemplateModelContainerSwapConstants(handle));
    note(AITemplateModelContainerRun(handle, inputs, 2, outputs, 2, nullptr, true, true, nullptr));
    float milliseconds = 0;
    note(AITemplateModelContainerBenchmark(handle, inputs, 2, outputs, 2, nullptr, true, 2, 2, true,
                                           &milliseconds, nullptr));
    note(AITemplateModelContainerProfile(handle, inputs, 2, outputs, 2, nullptr, 1, "/dev/null"));
    CHECK_OK(AITemplateModelContainerDelete(handle));
    handle = nullptr;
  };
  OnFake onFake(models::cudaBlend);
  DeviceTensor<float> tensors[] = {
      DeviceTensor<float>({3, 4}, 1, 1), DeviceTensor<float>({3, 4}, 1),
      DeviceTensor<float>({8, 4}),       DeviceTensor<float>({8, 4}),
      DeviceTensor<float>({4}, 1, 1),    DeviceTensor<float>({4}, 2)};
  for (DeviceTensor<float>& tensor : tensors) tensor.upload();
  AITemplateModelHandle handle = nullptr;
  live(handle, tensors, true);
  const char* const functions[] = {"cuInit",
                                   "cuDeviceGetCount",
                                   "cuDeviceGet",
                                   "cuDevicePrimaryCtxRetain",
                                   "cuMemAlloc_v2",
                                   "cuMemHostAlloc",
                                   "cuMemcpyHtoDAsync_v2",
                                   "cuMemcpyDtoHAsync_v2",
                                   "cuMemcpyDtoDAsync_v2",
                                   "cuMemsetD8Async",
                                   "cuPointerGetAttributes",
                                   "cuModuleLoadData",
                                   "cuModuleGetFunction",
                                   "cuFuncSetAttribute",
                                   "cuOccupancyMaxActiveClusters",
                                   "cuOccupancyMaxActiveBlocksPerMultiprocessor",
                                   "cuLaunchKernelEx",
                                   "cuStreamCreate",
                                   "cuStreamGetCtx",
                                   "cuStreamSynchronize",
                                   "cuStreamWaitEvent",
                                   "cuStreamBeginCapture_v2",
                                   "cuStreamEndCapture",
                                   "cuEventCreate",
                                   "cuEventRecord",
                                   "cuEventQuery",
                                   "cuEventElapsedTime",
                                   "cuGraphInstantiateWithFlags",
                                   "cuGraphExecUpdate_v2",
                                   "cuGraphLaunch"};
  for (const char* function : functions) {
    for (int skip : {0, 1, 2, 5, 11}) {
      driver().failCall(function, skip, 2);
      live(handle, tensors, false);
    }
    driver().reset();
    live(handle, tensors, true);
    harness::note(*driver().misuse() == '\0', function, __FILE__, __LINE__, driver().misuse());
    harness::note(driver().liveCount("events") == 0 && driver().liveCount("modules") == 0 &&
                      driver().liveCount("executables") == 0 && driver().liveCount("graphs") == 0 &&
                      driver().liveCount("streams") == 0 && driver().contextReferences(0) <= 1,
                  function, __FILE__, __LINE__, "something is left behind");
  }
}
