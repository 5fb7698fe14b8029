// Runs on a device: streams, asynchrony, what is refused.
#include <thread>

#include "cuda_fixtures.h"

using namespace fixtures;

TEST(cudaRunComputes) {
  CudaBlend blend(2);
  CHECK_FAILS("2 unbound constants: 'b', 'q'", blend.run());
  blend.setConstants();
  int64_t totalShape[2] = {}, twiceShape[2] = {};
  int64_t* shapes[] = {totalShape, twiceShape};
  CHECK_OK(blend.run(nullptr, true, false, shapes));
  CHECK(blend.isRight());
  CHECK(totalShape[0] == 3 && totalShape[1] == 4 && twiceShape[0] == 3);
  CHECK(std::isnan(blend.total[12]) && std::isnan(blend.twice[12]));
}

TEST(cudaRunFollowsTheBatch) {
  CudaBlend blend(1, 8);
  blend.setConstants();
  for (int64_t batch : {1, 8, 3, 3, 5}) {
    blend.x.shape[0] = blend.y.shape[0] = batch;
    blend.forget();
    int64_t totalShape[2], twiceShape[2];
    int64_t* shapes[] = {totalShape, twiceShape};
    CHECK_OK(blend.run(nullptr, true, batch == 5, shapes));
    blend.total.download();
    CHECK(totalShape[0] == batch &&
          std::isnan(blend.total[static_cast<size_t>(batch) * 4]) == (batch < 8));
  }
  blend.x.shape[0] = blend.y.shape[0] = 8;
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(cudaOperandsAtOffsets) {
  OnFake onFake(models::cudaWindows);
  Container container;
  DeviceTensor<float> out({2});
  for (int64_t n : {3, 3, 8, 1}) {
    DeviceTensor<float> in({n}, 1, 1);
    CHECK_OK(container.run({in.data()}, {out.data()}));
    out.download();
    CHECK(out[0] == 10 * static_cast<float>(n) && out[1] == static_cast<float>(n));
  }
}

TEST(cudaEmptyTensorsMayBeNull) {
  OnFake onFake(models::cudaShapes);
  Container container;
  DeviceTensor<int16_t> wide({0, 4}), copy({4, 6});
  DeviceTensor<uint8_t> narrow({2});
  AITData in = wide.hostData(), out = copy.hostData();
  in.ptr = out.ptr = nullptr;
  CHECK_OK(container.run({in, narrow.data()}, {out}));
}

// MARK: - Streams

TEST(cudaRunReturnsBeforeItsWorkIsDone) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  blend.forget();
  CallersStream stream;
  driver().setDelay(20000);
  CHECK_OK(blend.run(stream.handle(), false));
  CHECK(std::isnan(*static_cast<volatile float*>(blend.total.memory)));
  stream.wait();
  driver().setDelay(0);
  CHECK(blend.isRight());
  // The default stream, too; copies in it come after the run.
  blend.forget();
  driver().setDelay(2000);
  CHECK_OK(blend.run(nullptr, false));
  CHECK(blend.isRight());
}

/// A run of `blend` of its own sizes and values.
struct Visitor {
  int64_t batch;
  DeviceTensor<float> x, y, total{{8, 4}, NAN}, twice{{8, 4}, NAN};
  AITData inputs[2], outputs[2];
  explicit Visitor(int64_t batch_)
      : batch(batch_),
        x({batch_, 4}, static_cast<float>(batch_), 1),
        y({batch_, 4}, 3, static_cast<float>(batch_)) {
    inputs[0] = x.data();
    inputs[1] = y.data();
    outputs[0] = total.data();
    outputs[1] = twice.data();
  }
  AITemplateError run(AITemplateModelHandle handle, CallersStream& stream, bool sync, bool graph) {
    return AITemplateModelContainerRun(handle, inputs, 2, outputs, 2, stream.handle(), sync, graph,
                                       nullptr);
  }
  bool isRight() {
    total.download();
    twice.download();
    for (size_t i = 0; i < x.count(); ++i) {
      const size_t k = i % 4;
      const float sum = x[i] + y[i];
      const float p[] = {1, 2, 3, 4}, s[] = {10, 20, 30, 40};
      const float unit = static_cast<float>(k + 1);
      const float expected = sum * unit + 1000 * unit + 2 * (p[k] + 100 * unit) + 7 * s[k];
      if (!(std::fabs(total[i] - expected) <= 1e-2f) || twice[i] != 2 * sum) return false;
    }
    return true;
  }
};

TEST(cudaRunsInManyStreamsShareRuntimes) {
  for (size_t runtimeCount : {1, 2}) {
    for (bool graph : {false, true}) {
      CudaBlend blend(runtimeCount);
      blend.setConstants();
      CHECK_OK(blend.run());
      std::vector<std::unique_ptr<CallersStream>> streams;
      std::vector<std::unique_ptr<Visitor>> visitors;
      for (int64_t batch = 1; batch <= 6; ++batch) {
        streams.emplace_back(new CallersStream());
        visitors.emplace_back(new Visitor(batch));
      }
      driver().setDelay(300);
      for (int round = 0; round < 5; ++round) {
        for (size_t i = 0; i < 6; ++i) {
          CHECK_OK(visitors[i]->run(blend.container.handle, *streams[i], false, graph));
        }
      }
      for (auto& stream : streams) stream->wait();
      driver().setDelay(0);
      for (auto& visitor : visitors) CHECK(visitor->isRight());
    }
  }
}

TEST(cudaRunsInTwoStreamsDoNotWaitForEachOther) {
  CudaBlend blend(2);
  blend.setConstants();
  CHECK_OK(blend.run());
  CallersStream first, second;
  Visitor left(2), right(3);
  driver().setDelay(3000);
  const size_t count = driver().callCount("cuStreamWaitEvent");
  CHECK_OK(left.run(blend.container.handle, first, false, false));
  CHECK_OK(right.run(blend.container.handle, second, false, false));
  CHECK(driver().callCount("cuStreamWaitEvent") == count);
  driver().setDelay(0);
  first.wait();
  second.wait();
  CHECK(left.isRight() && right.isRight());
}

TEST(cudaRunsInManyThreads) {
  CudaBlend blend(3);
  blend.setConstants();
  std::vector<std::thread> threads;
  for (int64_t batch = 1; batch <= 5; ++batch) {
    threads.emplace_back([&, batch] {
      CallersStream stream;
      Visitor visitor(batch);
      for (int round = 0; round < 30; ++round) {
        const bool sync = round % 3 == 0;
        CHECK_OK(visitor.run(blend.container.handle, stream, sync, round % 2 == 0));
        if (round % 5 == 0) {
          stream.wait();
          CHECK(visitor.isRight());
        }
      }
      stream.wait();
      CHECK(visitor.isRight());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(cudaDeleteWaitsForRuns) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  blend.forget();
  CallersStream stream;
  driver().setDelay(20000);
  CHECK_OK(blend.run(stream.handle(), false));
  CHECK_OK(AITemplateModelContainerDelete(blend.container.handle));
  blend.container.handle = nullptr;
  driver().setDelay(0);
  CHECK(blend.isRight());
}

// MARK: - Bad input

TEST(cudaHostPointersAreNamed) {
  CudaBlend blend;
  CHECK_FAILS("constant 'b': found the pointer", blend.container.set("b", blend.b.hostData()));
  CHECK_FAILS("into host memory, expected memory of the device cuda:0 'Fake 0'",
              blend.container.setLater("w", DeviceTensor<float>({4, 4}).hostData()));
  blend.setConstants();
  CHECK_OK(blend.run());
  AITData inputs[] = {blend.x.data(), blend.y.hostData()};
  AITData outputs[] = {blend.total.hostData(), blend.twice.data()};
  CHECK_FAILS("input 1 'y': found the pointer",
              AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2, nullptr,
                                          true, false, nullptr));
  inputs[1] = blend.y.data();
  CHECK_FAILS("output 0 'total': found the pointer",
              AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2, nullptr,
                                          true, true, nullptr));
  // Pinned memory of the host is the host's.
  void* pinned = nullptr;
  CHECK(call("cuMemHostAlloc", &pinned, size_t{256}, 0u) == 0);
  outputs[0].ptr = pinned;
  CHECK_FAILS("into host memory",
              AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2, nullptr,
                                          true, false, nullptr));
  CHECK(call("cuMemFreeHost", pinned) == 0);
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(cudaMemoryOfAnotherDeviceIsNamed) {
  CudaBlend blend;
  setenv("AIT_CUDA_DEVICE", "1", 1);
  DeviceTensor<float> other({4}, 5);
  other.upload();
  unsetenv("AIT_CUDA_DEVICE");
  CHECK_FAILS("constant 'b': found the pointer", blend.container.set("b", other.data()));
  CHECK_FAILS("into memory of cuda:1, expected memory of the device cuda:0 'Fake 0'",
              blend.container.set("b", other.data()));
  setenv("AIT_CUDA_DEVICE", "1", 1);
  CHECK_OK(AITemplateDeviceFree(other.memory));
  other.memory = nullptr;
  unsetenv("AIT_CUDA_DEVICE");
}

TEST(cudaMisalignedPointersAreRefused) {
  CudaBlend blend;
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  inputs[0].ptr = static_cast<char*>(inputs[0].ptr) + 4;
  CHECK_FAILS("input 0 'x': found the pointer",
              AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2, nullptr,
                                          true, false, nullptr));
  CHECK_FAILS("expected a multiple of 16",
              AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2, nullptr,
                                          true, false, nullptr));
}

TEST(cudaStreamsOfAnotherDeviceAreRefused) {
  CudaBlend blend;
  blend.setConstants();
  CallersStream other(1);
  CHECK_FAILS("the stream that was given belongs to another device", blend.run(other.handle()));
  float milliseconds = 0;
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  CHECK_FAILS("belongs to another device",
              AITemplateModelContainerBenchmark(blend.container.handle, inputs, 2, outputs, 2,
                                                other.handle(), false, 3, 1, false, &milliseconds,
                                                nullptr));
  CHECK_FAILS("the stream that was given",
              blend.run(reinterpret_cast<AITemplateStreamHandle>(&other)));
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(cudaIndexErrorsFailTheRun) {
  OnFake onFake(models::cudaGather);
  Container container;
  DeviceTensor<int64_t> index({4});
  DeviceTensor<float> out({16}, -1);
  AITData input = index.data(), output = out.data();
  const auto run = [&](std::initializer_list<int64_t> values, bool sync, bool graph) {
    index = values;
    index.upload();
    return AITemplateModelContainerRun(container.handle, &input, 1, &output, 1, nullptr, sync,
                                       graph, nullptr);
  };
  CHECK_OK(run({1, 2, 3, 9}, true, false));
  out.download();
  CHECK(out[0] == 1 && out[3] == 81 && out[4] == -1);
  CHECK_FAILS("step 'lookup' (gather): found index 10, expected 0 to 9",
              run({1, 10, 3, 9}, true, false));
  CHECK_FAILS("found index -7", run({1, 2, 3, -7}, true, true));
  CHECK_OK(run({1, 2, 3, 9}, true, true));
  CHECK_OK(run({1, 11, 3, 9}, false, false));
  CHECK_OK(AITemplateMemcpy(&out[0], out.memory, 4, AITemplateMemcpyKind::DeviceToHost));
  CHECK_FAILS("an earlier run, which was not waited for, failed in step 'lookup'",
              run({1, 2, 3, 9}, true, false));
  CHECK_OK(run({1, 2, 3, 9}, true, false));
}

// MARK: - Launches

TEST(cudaStepsOverlapWithinARunOnly) {
  CudaBlend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  // By the order of steps: the first waits for what is before the run.
  CHECK(driver().launchCount("fake_add3_0") == 1);
  CHECK(!driver().lastLaunch("fake_add3_0").overlapsPrevious);
  for (const char* symbol : {"fake_matmulx3_1", "fake_addRows6_2", "fake_twice2_3"}) {
    harness::note(driver().lastLaunch(symbol).overlapsPrevious, symbol, __FILE__, __LINE__, "");
  }
}

TEST(cudaTensorMapsAreKept) {
  OnFake onFake(models::cudaMaps);
  Container container;
  DeviceTensor<float> in({1}, 41), other({1}, 1), out({1});
  CHECK_OK(container.run({in.data()}, {out.data()}));
  out.download();
  CHECK(out[0] == 42);
  const fake::Launched launched = driver().lastLaunch("fake_maps");
  CHECK(launched.clusterSize == 16 && launched.grid[0] == 48 && launched.blockSize == 384 &&
        launched.sharedSizeInBytes == 200 * 1024 && launched.sharedMemoryShare == 100);
  const size_t count = driver().callCount("cuTensorMapEncodeTiled");
  for (int round = 0; round < 3; ++round) CHECK_OK(container.run({in.data()}, {out.data()}));
  CHECK(driver().callCount("cuTensorMapEncodeTiled") == count);
  CHECK_OK(container.run({other.data()}, {out.data()}));
  CHECK(driver().callCount("cuTensorMapEncodeTiled") == count + 1);
  out.download();
  CHECK(out[0] == 2);
}

TEST(cudaKernelsOfAnotherArchitecture) {
  OnFake onFake(models::cudaMaps);
  driver().setCapability(0, 8, 9);  // runs what is compiled for 8.0
  Container container;
  DeviceTensor<float> in({1}, 41), out({1});
  CHECK_OK(container.run({in.data()}, {out.data()}));
  out.download();
  CHECK(out[0] == 42 && driver().launchCount("fake_plain") == 1);
  CHECK(driver().lastLaunch("fake_plain").sharedMemoryShare == -1);
}
