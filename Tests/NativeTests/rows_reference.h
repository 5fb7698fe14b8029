// Kernels over rows (reductions, softmax, normalisation) against plain loops in double: operands of
// any type and strides between guards, and the loops that every such kernel stands for.
//
// Tests give an operation on one row as a function of doubles; everything else is common, and is
// no template, so that a case costs little more compile time than its kernel.
#pragma once

#include <functional>
#include <memory>

#include "ait/cpu/operands.h"
#include "check.h"

namespace reference {

using namespace ait;
using check::GuardedBuffer;
using check::Random;
using Extents = std::vector<int64_t>;

// MARK: - Types

/// An element type at run time.
struct Type {
  int size;
  bool isInteger;
  bool isUnsigned;
  /// What a result may differ by from the exact one, relative to the larger of it and 1.
  double tolerance;
  double (*load)(const void* element);
  void (*store)(void* element, double value);

  /// What a number becomes in this type: infinite, if it is beyond it.
  double limited(double value) const {
    if (isInteger) return value;
    double element = 0;
    store(&element, value);
    return load(&element);
  }
};

template <class T>
Type typeOf() {
  double tolerance = 0;
  if (std::is_same_v<T, float>) tolerance = 1e-5;
  if (std::is_same_v<T, double>) tolerance = 1e-11;
  if (std::is_same_v<T, float16>) tolerance = 1e-3;
  if (std::is_same_v<T, bfloat16>) tolerance = 8e-3;
  return {sizeof(T),
          std::is_integral_v<T>,
          std::is_unsigned_v<T>,
          tolerance,
          [](const void* element) {
            return static_cast<double>(toCompute<T>(*static_cast<const T*>(element)));
          },
          [](void* element, double value) {
            *static_cast<T*>(element) = toStorage<T>(static_cast<ComputeType<T>>(value));
          }};
}

/// An operand of a kernel as its template argument tells it.
struct OperandType {
  Type type;
  Access access;
};

template <class Pack>
struct OperandTypes;
template <template <class...> class Pack, class... O>
struct OperandTypes<Pack<O...>> {
  static std::vector<OperandType> list() {
    return {OperandType{typeOf<typename O::Element>(), O::kAccess}...};
  }
};

// MARK: - Operands

inline int64_t dot(const Extents& index, const Extents& strides) {
  int64_t sum = 0;
  for (size_t axis = 0; axis < index.size(); ++axis) sum += index[axis] * strides[axis];
  return sum;
}

/// Calls `body(index)` for every index below the extents.
inline void forEachIndex(const Extents& extents, const std::function<void(const Extents&)>& body) {
  for (const int64_t extent : extents) {
    if (extent == 0) return;
  }
  Extents index(extents.size(), 0);
  while (true) {
    body(index);
    size_t axis = extents.size();
    while (axis > 0 && ++index[axis - 1] == extents[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

/// Elements between guards; gaps between them hold 0xff, and must keep it.
class Tensor {
 public:
  Tensor(Type type, const Extents& extents, Extents strides, Random& random)
      : type(type), strides(std::move(strides)) {
    int64_t count = 1;
    for (size_t axis = 0; axis < extents.size(); ++axis) {
      if (extents[axis] == 0) count = 0;
      if (count > 0) count += (extents[axis] - 1) * this->strides[axis];
    }
    // Rows do not start where vectors would be aligned.
    bytes_ = std::make_unique<GuardedBuffer<uint8_t>>(count * type.size,
                                                      type.size * random.integer(0, 7));
    isWritten_.resize(count);
  }

  void* data() { return bytes_->data(); }
  double at(const Extents& index) { return type.load(address(dot(index, strides))); }

  void set(const Extents& index, double value) {
    const int64_t offset = dot(index, strides);
    type.store(address(offset), value);
    isWritten_[offset] = true;
  }

  /// The kernel is to have written this element.
  void expectWritten(const Extents& index) { isWritten_[dot(index, strides)] = true; }

  void checkRest(const std::string& name) {
    CHECK(bytes_->guardsAreIntact(), name);
    for (size_t offset = 0; offset < isWritten_.size(); ++offset) {
      if (isWritten_[offset]) continue;
      for (int byte = 0; byte < type.size; ++byte) {
        CHECK_EQUAL(static_cast<const uint8_t*>(address(offset))[byte], 0xff, name, offset);
      }
    }
  }

  Type type;
  Extents strides;

 private:
  void* address(int64_t offset) { return bytes_->data() + offset * type.size; }

  std::unique_ptr<GuardedBuffer<uint8_t>> bytes_;
  std::vector<bool> isWritten_;
};

/// Strides for an access along one axis, with gaps between rows. Axes in `fixed` have stride 0,
/// as have some others where the operand may be broadcast.
inline Extents stridesFor(Access access, const Extents& extents, int vectorAxis,
                          const std::vector<bool>& fixed, bool mayBroadcast, Random& random) {
  const int rank = static_cast<int>(extents.size());
  std::vector<int> order;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis != vectorAxis) order.push_back(axis);
  }
  order.push_back(vectorAxis);
  Extents strides(rank, 0);
  int64_t next = access == Access::strided ? random.integer(2, 3) : 1;
  for (int i = rank; i-- > 0;) {
    const int axis = order[i];
    const bool isVector = axis == vectorAxis;
    if (fixed[axis] || (isVector && access == Access::uniform)) continue;
    if (!isVector && mayBroadcast && random.integer(0, 4) == 0) continue;
    strides[axis] = next;
    next = next * std::max<int64_t>(extents[axis], 1) + random.integer(0, 2);
  }
  return strides;
}

// MARK: - Cases

/// A kernel over `outerRank` axes and the rest, with what it is to compute.
struct RowCase {
  KernelFunction kernel;
  int outerRank;
  int vectorAxis;
  bool isReduction;
  bool exposes;
  std::vector<OperandType> inputs, extras, outputs;
  /// The prologue; the operation, which gives as many numbers as it takes, or one; the epilogue.
  std::function<double(const std::vector<double>& inputs)> prologue;
  std::function<std::vector<double>(const std::vector<double>& row)> operation;
  std::function<std::vector<double>(double y, const std::vector<double>& extras)> epilogue;
  /// The elements of the inputs.
  std::function<double(Random&, const Type&)> element;
  /// Replaces the tolerance of the result's type if it is larger.
  double tolerance = 0;
  /// Whether the first output is the same memory as the first input.
  bool isInPlace = false;
};

inline double anyElement(Random& random, const Type& type) {
  if (type.isUnsigned && type.size == 1) return static_cast<double>(random.integer(0, 1));
  if (type.isInteger) return static_cast<double>(random.integer(-100, 100));
  return random.uniform(-3, 3);
}

inline std::string nameOf(const Extents& extents, int threads) {
  std::string name;
  for (const int64_t extent : extents) name += (name.empty() ? "" : "x") + check::text(extent);
  return name + ", threads " + check::text(threads);
}

inline void run(const RowCase& test, const Extents& extents, ThreadPool& pool, Random& random) {
  const int rank = static_cast<int>(extents.size());
  const std::string name = nameOf(extents, pool.threadCount());
  const std::vector<bool> none(rank, false);
  std::vector<bool> inner(rank, false);
  for (int axis = test.outerRank; axis < rank; ++axis) inner[axis] = true;

  std::vector<std::unique_ptr<Tensor>> inputs, extras, outputs;
  const auto make = [&](const OperandType& operand, const std::vector<bool>& fixed,
                        bool mayBroadcast) {
    auto strides =
        stridesFor(operand.access, extents, test.vectorAxis, fixed, mayBroadcast, random);
    return std::make_unique<Tensor>(operand.type, extents, strides, random);
  };
  for (const auto& operand : test.inputs) {
    inputs.push_back(make(operand, none, !inputs.empty() || !test.isInPlace));
  }
  for (const auto& operand : test.extras) {
    extras.push_back(make(operand, test.isReduction ? inner : none, true));
  }
  for (const auto& operand : test.outputs) {
    const bool isExposed = test.exposes && outputs.size() + 1 == test.outputs.size();
    outputs.push_back(make(operand, test.isReduction && !isExposed ? inner : none, false));
  }
  forEachIndex(extents, [&](const Extents& index) {
    for (auto& input : inputs) input->set(index, test.element(random, input->type));
  });
  // Extras exist where their extents do, even if a reduced one is 0.
  Extents resultExtents = extents;
  if (test.isReduction) {
    for (int axis = test.outerRank; axis < rank; ++axis) resultExtents[axis] = 1;
    const auto rebuilt = [&](std::vector<std::unique_ptr<Tensor>>& all, size_t count) {
      for (size_t i = 0; i < count; ++i) {
        all[i] = std::make_unique<Tensor>(all[i]->type, resultExtents, all[i]->strides, random);
      }
    };
    rebuilt(extras, extras.size());
    rebuilt(outputs, outputs.size() - (test.exposes ? 1 : 0));
  }
  forEachIndex(resultExtents, [&](const Extents& index) {
    for (auto& extra : extras) extra->set(index, anyElement(random, extra->type));
  });

  // What is to come, before the kernel overwrites what it works on.
  const Extents outerExtents(extents.begin(), extents.begin() + test.outerRank);
  const Extents innerExtents(extents.begin() + test.outerRank, extents.end());
  struct Expected {
    Tensor* tensor;
    Extents index;
    double value;
  };
  std::vector<Expected> expected;
  Tensor* first = test.isInPlace ? inputs[0].get() : outputs[0].get();
  const auto values = [](std::vector<std::unique_ptr<Tensor>>& all, const Extents& index) {
    std::vector<double> result;
    for (auto& each : all) result.push_back(each->at(index));
    return result;
  };
  forEachIndex(outerExtents, [&](const Extents& outer) {
    std::vector<Extents> places;
    std::vector<double> row;
    forEachIndex(innerExtents, [&](const Extents& innerIndex) {
      Extents index = outer;
      index.insert(index.end(), innerIndex.begin(), innerIndex.end());
      row.push_back(test.prologue(values(inputs, index)));
      if (test.exposes) expected.push_back({outputs.back().get(), index, row.back()});
      places.push_back(index);
    });
    if (test.isReduction) {
      places = {outer};
      places[0].resize(rank, 0);
    }
    if (places.empty()) return;
    const std::vector<double> results = test.operation(row);
    for (size_t i = 0; i < places.size(); ++i) {
      const auto ys = test.epilogue(results[i], values(extras, places[i]));
      for (size_t output = 0; output < ys.size(); ++output) {
        expected.push_back({output == 0 ? first : outputs[output].get(), places[i], ys[output]});
      }
    }
  });

  std::vector<void*> buffers;
  std::vector<int64_t> sizes = extents;
  const auto append = [&](Tensor& tensor) {
    buffers.push_back(tensor.data());
    sizes.insert(sizes.end(), tensor.strides.begin(), tensor.strides.end());
  };
  for (auto& input : inputs) append(*input);
  for (auto& extra : extras) append(*extra);
  for (size_t i = 0; i < outputs.size(); ++i) append(i == 0 ? *first : *outputs[i]);
  check::runKernel(test.kernel, buffers, sizes, pool);

  for (const Expected& each : expected) {
    each.tensor->expectWritten(each.index);
    const double tolerance = std::fmax(test.tolerance, each.tensor->type.tolerance);
    CHECK_NEAR(each.tensor->at(each.index), each.tensor->type.limited(each.value), tolerance, name,
               dot(each.index, each.tensor->strides));
  }
  for (auto& input : inputs) input->checkRest(name);
  for (auto& extra : extras) extra->checkRest(name);
  for (size_t i = test.isInPlace ? 1 : 0; i < outputs.size(); ++i) outputs[i]->checkRest(name);
}

/// Runs a case on shapes, on one thread and on two.
inline void runAll(const RowCase& test, const std::vector<Extents>& shapes) {
  static check::SerialPool serial;
  static check::TwoThreadPool twoThreads;
  Random random(shapes.size() * 100 + test.inputs.size());
  for (const Extents& extents : shapes) {
    run(test, extents, serial, random);
    run(test, extents, twoThreads, random);
  }
}

// MARK: - Bodies

/// x0
struct Plain {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> x0) {
    return results(x0);
  }
  static double prologue(const std::vector<double>& x) { return x[0]; }
  static std::vector<double> epilogue(double y, const std::vector<double>&) { return {y}; }
};

/// As a prologue x0 · x1 + 1/2; as an epilogue y · x + 1/2.
struct Scaled {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1) {
    return results(x0 * x1 + constant<float, W>(0.5f));
  }
  static double prologue(const std::vector<double>& x) { return x[0] * x[1] + 0.5; }
  static std::vector<double> epilogue(double y, const std::vector<double>& extras) {
    return {y * extras[0] + 0.5};
  }
};

/// y · x and −y
struct ScaledAndNegated {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> x0, Vec<float, W> x1) {
    return results(x0 * x1, -x0);
  }
  static std::vector<double> epilogue(double y, const std::vector<double>& extras) {
    return {y * extras[0], -y};
  }
};

}  // namespace reference
