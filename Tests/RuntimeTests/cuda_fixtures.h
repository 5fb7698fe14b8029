// Tensors and containers on the fake device.
#pragma once

#include <cstdlib>
#include <memory>

#include "cuda_models.h"
#include "fixtures.h"

namespace fixtures {

/// The fake driver; loaded at the first call, after which the runtime finds it, too.
const fake::Control& driver();

/// The driver as it is at first, and a model in use; in the end nothing may be left behind.
struct OnFake {
  explicit OnFake(const ait::ModelDescription& model) : use(model) { driver().reset(); }
  ~OnFake();
  models::Use use;
};

/// A stream of the caller's.
struct CallersStream {
  explicit CallersStream(int device = 0);
  ~CallersStream();
  CallersStream(const CallersStream&) = delete;
  CallersStream& operator=(const CallersStream&) = delete;
  void wait();
  AITemplateStreamHandle handle() { return static_cast<AITemplateStreamHandle>(stream); }
  void* stream = nullptr;
};

/// The driver's function of that name.
void* driverFunction(const char* name);

template <class... Arguments>
int call(const char* name, Arguments... arguments) {
  return reinterpret_cast<int (*)(Arguments...)>(driverFunction(name))(arguments...);
}

/// A tensor in device memory, with its copy on the host.
template <class T>
struct DeviceTensor : Tensor<T> {
  using Tensor<T>::Tensor;
  using Tensor<T>::operator=;
  DeviceTensor(const DeviceTensor&) = delete;
  DeviceTensor& operator=(const DeviceTensor&) = delete;
  ~DeviceTensor() {
    if (memory) CHECK_OK(AITemplateDeviceFree(memory));
  }

  size_t size() const { return this->elements.size() * sizeof(T); }

  void upload() {
    if (!memory) CHECK_OK(AITemplateDeviceMalloc(&memory, size()));
    CHECK_OK(AITemplateMemcpy(memory, this->elements.data(), size(),
                              AITemplateMemcpyKind::HostToDevice));
  }
  void download() {
    CHECK_OK(AITemplateMemcpy(this->elements.data(), memory, size(),
                              AITemplateMemcpyKind::DeviceToHost));
  }
  AITData hostData() { return Tensor<T>::data(); }
  AITData data() {
    if (!memory) upload();
    AITData data = hostData();
    data.ptr = memory;
    return data;
  }

  void* memory = nullptr;
};

/// `Blend` on the device.
struct CudaBlend {
  OnFake onFake{models::cudaBlend};
  Container container;
  DeviceTensor<float> b{{4}, 1000, 1000};
  DeviceTensor<float> q{{4}, 100, 100};
  DeviceTensor<float> x, y, total, twice;
  std::vector<float> p = {1, 2, 3, 4}, r = {5, 5, 5, 5}, s = {10, 20, 30, 40};

  explicit CudaBlend(size_t runtimeCount = 1, int64_t batch = 3,
                     AITemplateAllocator* allocator = nullptr)
      : container(runtimeCount, 1, allocator),
        x({batch, 4}, 1, 1),
        y({batch, 4}, 0.5f, 0.25f),
        total({8, 4}, NAN),
        twice({8, 4}, NAN) {}

  void setConstants() {
    CHECK_OK(container.set("b", b.data()));
    CHECK_OK(container.set("q", q.data()));
  }

  AITemplateError run(AITemplateStreamHandle stream = nullptr, bool sync = true,
                      bool graphMode = false, int64_t** shapes = nullptr) {
    const AITData inputs[] = {x.data(), y.data()};
    AITData outputs[] = {total.data(), twice.data()};
    return AITemplateModelContainerRun(container.handle, inputs, 2, outputs, 2, stream, sync,
                                       graphMode, shapes);
  }

  /// Whether the outputs in device memory are right.
  bool isRight() {
    total.download();
    twice.download();
    return isRightOnHost();
  }
  bool isRightOnHost() {
    for (size_t i = 0; i < x.count(); ++i) {
      const size_t k = i % 4;
      const float expected = (x[i] + y[i]) * static_cast<float>(k + 1) + b[k] + 2 * (p[k] + q[k]) +
                             r[k] * s[k] + 2 * s[k];
      const bool isClose = std::fabs(total[i] - expected) <= 1e-3f;
      if (!isClose || twice[i] != 2 * (x[i] + y[i])) return false;
    }
    return true;
  }
  void forget() {
    for (size_t i = 0; i < 32; ++i) total[i] = twice[i] = NAN;
    total.upload();
    twice.upload();
  }
};

}  // namespace fixtures
