// Tensors and containers for tests.
#pragma once

#include <cmath>
#include <vector>

#include "ait/ait.h"
#include "harness.h"
#include "models.h"

namespace fixtures {

template <class T>
struct TypeOf;
template <>
struct TypeOf<float> {
  static constexpr AITemplateDtype value = AITemplateDtype::kFloat;
};
template <>
struct TypeOf<int64_t> {
  static constexpr AITemplateDtype value = AITemplateDtype::kLong;
};
template <>
struct TypeOf<int16_t> {
  static constexpr AITemplateDtype value = AITemplateDtype_kInt16;
};
template <>
struct TypeOf<uint8_t> {
  static constexpr AITemplateDtype value = AITemplateDtype_kUInt8;
};

/// Memory with a shape; elements beyond the shape guard it.
template <class T>
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<T> elements;

  explicit Tensor(std::vector<int64_t> extents, T first = T(), T step = T())
      : shape(std::move(extents)) {
    size_t count = 1;
    for (int64_t extent : shape) count *= static_cast<size_t>(extent);
    elements.resize(count + 4, T(99));
    for (size_t i = 0; i < count; ++i)
      elements[i] = static_cast<T>(first + step * static_cast<T>(i));
  }

  Tensor& operator=(std::initializer_list<T> values) {
    std::copy(values.begin(), values.end(), elements.begin());
    return *this;
  }

  T& operator[](size_t index) { return elements[index]; }
  size_t count() const { return elements.size() - 4; }

  AITData data() {
    return AITData(elements.data(), AITemplateParamShape(shape.data(), shape.size()),
                   TypeOf<T>::value);
  }
};

struct Container {
  AITemplateModelHandle handle = nullptr;

  explicit Container(size_t runtimeCount = 1, size_t threadCount = 2,
                     AITemplateAllocator* allocator = nullptr) {
    AITemplateCreateOptions options = {};
    options.struct_size = sizeof(options);
    options.num_runtimes = runtimeCount;
    options.num_threads = threadCount;
    options.allocator = allocator;
    CHECK_OK(AITemplateModelContainerCreateWithOptions(&handle, &options));
  }
  ~Container() {
    if (handle) CHECK_OK(AITemplateModelContainerDelete(handle));
  }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  AITemplateError set(const char* name, AITData tensor) {
    return AITemplateModelContainerSetConstant(handle, name, &tensor);
  }
  AITemplateError setLater(const char* name, AITData tensor) {
    return AITemplateModelContainerSetDoubleBufferConstant(handle, nullptr, name, &tensor);
  }
  AITemplateError run(std::vector<AITData> inputs, std::vector<AITData> outputs,
                      int64_t** shapes = nullptr) {
    return AITemplateModelContainerRun(handle, inputs.data(), inputs.size(), outputs.data(),
                                       outputs.size(), nullptr, true, false, shapes);
  }
  AITemplateError fold() { return AITemplateModelContainerFoldConstants(handle, nullptr, true); }
  AITemplateError foldLater() {
    return AITemplateModelContainerFoldConstantsInDoubleBuffer(handle, nullptr, true);
  }
  AITemplateError swap() { return AITemplateModelContainerSwapConstants(handle); }
};

/// A container of the model `blend` with its constants, and what it must compute.
struct Blend {
  Container container;
  Tensor<float> b{{4}, 1000, 1000};
  Tensor<float> q{{4}, 100, 100};
  Tensor<float> x, y, total, twice;
  // What the constants are by now, for `expected`.
  std::vector<float> p = {1, 2, 3, 4}, r = {5, 5, 5, 5}, s = {10, 20, 30, 40};
  std::vector<float> diagonal = {1, 2, 3, 4};

  explicit Blend(size_t runtimeCount = 1, size_t threadCount = 2, int64_t batch = 3,
                 AITemplateAllocator* allocator = nullptr)
      : container(runtimeCount, threadCount, allocator),
        x({batch, 4}, 1, 1),
        y({batch, 4}, 0.5f, 0.25f),
        total({8, 4}, NAN),
        twice({8, 4}, NAN) {}

  void setConstants() {
    CHECK_OK(container.set("b", b.data()));
    CHECK_OK(container.set("q", q.data()));
  }

  AITemplateError run(int64_t** shapes = nullptr) {
    return container.run({x.data(), y.data()}, {total.data(), twice.data()}, shapes);
  }

  float expected(size_t i) {
    const size_t column = i % 4;
    return (x[i] + y[i]) * diagonal[column] + b[column] + 2 * (p[column] + q[column]) +
           r[column] * s[column] + 2 * s[column];
  }

  bool isRight() {
    for (size_t i = 0; i < x.count(); ++i) {
      // So that NaN is wrong, too.
      const bool isClose = std::fabs(total[i] - expected(i)) <= 1e-3f;
      if (!isClose || twice[i] != 2 * (x[i] + y[i])) return false;
    }
    return true;
  }
};

}  // namespace fixtures
