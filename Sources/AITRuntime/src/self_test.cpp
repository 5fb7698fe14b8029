// The model against the outputs that were kept in the library when it was compiled.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "array.h"
#include "error.h"
#include "model_container.h"
#include "tensors.h"

namespace ait {
namespace {

template <class T>
T load(const void* elements, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const uint8_t*>(elements) + index * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

double fromBFloat16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  return static_cast<double>(load<float>(&wide, 0));
}

double fromFloat16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double fraction = static_cast<double>(bits & 1023) / 1024.0;
  const double sign = (bits >> 15) != 0 ? -1.0 : 1.0;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, -14);
  return sign * std::ldexp(1.0 + fraction, exponent - 15);
}

double element(const void* elements, DType dtype, int64_t index) {
  switch (dtype) {
    case DType::float16:
      return fromFloat16(load<uint16_t>(elements, index));
    case DType::bfloat16:
      return fromBFloat16(load<uint16_t>(elements, index));
    case DType::float32:
      return static_cast<double>(load<float>(elements, index));
    case DType::float64:
      return load<double>(elements, index);
    case DType::int8:
      return static_cast<double>(load<int8_t>(elements, index));
    case DType::uint8:
    case DType::boolean:
      return static_cast<double>(load<uint8_t>(elements, index));
    case DType::int16:
      return static_cast<double>(load<int16_t>(elements, index));
    case DType::int32:
      return static_cast<double>(load<int32_t>(elements, index));
    case DType::int64:
      return static_cast<double>(load<int64_t>(elements, index));
    case DType::unset:
      break;
  }
  return NAN;
}

/// |found - expected| / |expected|; infinite where NaN or infinity are not in the same places.
double normalisedError(const void* found, const void* expected, DType dtype, int64_t count) {
  double difference = 0;
  double norm = 0;
  for (int64_t index = 0; index < count; ++index) {
    const double a = element(found, dtype, index);
    const double b = element(expected, dtype, index);
    if (!std::isfinite(a) || !std::isfinite(b)) {
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;
      return INFINITY;
    }
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  if (difference == 0) return 0;
  return norm == 0 ? INFINITY : std::sqrt(difference / norm);
}

/// Tensors for one run of the model at given sizes.
class TestTensors {
 public:
  bool prepare(const ModelDescription& model, const SelfTestDescription& test) {
    model_ = &model;
    const size_t inputCount = static_cast<size_t>(model.inputCount);
    const size_t count = inputCount + static_cast<size_t>(model.outputCount);
    size_t rank = 0;
    for (size_t index = 0; index < count; ++index) {
      rank += static_cast<size_t>(tensor(index).rank);
    }
    tensors_ = static_cast<AITData*>(std::calloc(count + 1, sizeof(AITData)));
    if (!tensors_ || !extents_.allocate(rank) ||
        !dimensions_.allocate(static_cast<size_t>(model.dimensionCount))) {
      return failForMemory(count * sizeof(AITData), "the self test");
    }
    if (model.dimensionCount > 0) model.evaluateDimensions(test.symbols, dimensions_.data());
    int64_t* extents = extents_.data();
    for (size_t index = 0; index < count; ++index) {
      const TensorDescription& description = tensor(index);
      AITData& data = tensors_[index];
      data.dtype = static_cast<AITemplateDtype>(description.dtype);
      data.shape = AITemplateParamShape(extents, static_cast<size_t>(description.rank));
      for (int32_t axis = 0; axis < description.rank; ++axis) {
        *extents++ = dimensions_[static_cast<size_t>(description.dimensions[axis])];
      }
      if (index < inputCount) {
        data.ptr = const_cast<void*>(test.inputs[index]);
        continue;
      }
      const size_t size =
          static_cast<size_t>(elementCountOf(index)) * elementSizeInBytes(description.dtype);
      data.ptr = allocateBytes(size);
      if (!data.ptr) return failForMemory(size, "the self test");
      // A result that is not written must not pass for one.
      std::memset(data.ptr, 0xff, size);
    }
    return true;
  }

  ~TestTensors() {
    if (!tensors_) return;
    for (int32_t index = 0; index < model_->outputCount; ++index) freeBytes(outputs()[index].ptr);
    std::free(tensors_);
  }

  AITData* inputs() { return tensors_; }
  AITData* outputs() { return tensors_ + model_->inputCount; }

  int64_t elementCountOf(size_t index) const {
    return elementCount(tensors_[index].shape.shape_data, tensors_[index].shape.size);
  }

 private:
  const TensorDescription& tensor(size_t index) const {
    const size_t inputCount = static_cast<size_t>(model_->inputCount);
    return index < inputCount ? model_->inputs[index] : model_->outputs[index - inputCount];
  }

  const ModelDescription* model_ = nullptr;
  AITData* tensors_ = nullptr;
  Array<int64_t> extents_;
  Array<int64_t> dimensions_;
};

}  // namespace

bool ModelContainer::selfTest(double& largestError) {
  largestError = 0;
  if (!model_.selfTest) {
    return fail("found no self test in the library: compile the model with one");
  }
  for (int32_t index = 0; index < model_.constantCount; ++index) {
    if (model_.constants[index].isBound) continue;
    return fail(
        "the self test runs with the constants as compiled, but '%s' is unbound: compile the "
        "model with values for all",
        model_.constants[index].name);
  }
  const SelfTestDescription& test = *model_.selfTest;
  TestTensors tensors;
  if (!tensors.prepare(model_, test)) return false;
  const Snapshot* constants = constants_.acquireCompiled();
  if (!constants) return false;
  Runtime* runtime = acquireRuntime(nullptr);
  RunArguments arguments = {tensors.inputs(),  static_cast<size_t>(model_.inputCount),
                            tensors.outputs(), static_cast<size_t>(model_.outputCount),
                            nullptr,           0};
  arguments.hasInputsOnHost = arguments.hasOutputsOnHost = true;
  const bool isDone = runtime->run(arguments, *constants);
  releaseRuntime(runtime);
  constants_.releaseCompiled(constants);
  if (!isDone) return false;

  const char* worst = nullptr;
  double worstError = 0;
  double worstTolerance = 0;
  for (int32_t index = 0; index < model_.outputCount; ++index) {
    const TensorDescription& output = model_.outputs[index];
    const int64_t count = tensors.elementCountOf(static_cast<size_t>(model_.inputCount + index));
    const double error =
        normalisedError(tensors.outputs()[index].ptr, test.outputs[index], output.dtype, count);
    if (error > largestError) largestError = error;
    if (error <= test.tolerances[index] || (worst && error <= worstError)) continue;
    worst = output.name;
    worstError = error;
    worstTolerance = test.tolerances[index];
  }
  if (!worst) return true;
  return fail(
      "output '%s': found a normalised error of %g, expected at most %g: this machine does "
      "not compute what the model was compiled for; compile it for this machine's target "
      "(the library's is '%s')",
      worst, worstError, worstTolerance, model_.target);
}

}  // namespace ait
