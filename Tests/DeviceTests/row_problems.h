// Inputs of the kernels on rows in device memory, and their meaning in double.
#pragma once

#include <functional>

#include "launches.h"

namespace device {

/// Two matrices, two rows of parameters and two outputs of `rows` x `columns`.
template <class T>
class RowProblem {
 public:
  RowProblem(int64_t rows, int64_t columns, uint64_t seed = 1) : rows_(rows), columns_(columns) {
    const auto count = static_cast<size_t>(rows * columns);
    x_ = randomNumbers<T>(count, seed, 3);
    residual_ = randomNumbers<T>(count, seed + 1, 3);
    weight_ = randomNumbers<T>(static_cast<size_t>(columns), seed + 2);
    bias_ = randomNumbers<T>(static_cast<size_t>(columns), seed + 3);
    x = Buffer(x_);
    residual = Buffer(residual_);
    weight = Buffer(weight_);
    bias = Buffer(bias_);
    y = Buffer(count * sizeof(T));
    sum = Buffer(count * sizeof(T));
  }

  template <int kCount>
  ait::RowArguments<2, kCount> arguments(const Buffer* const (&buffers)[kCount]) const {
    ait::RowArguments<2, kCount> arguments{};
    arguments.extents[0] = arguments.rows = static_cast<int32_t>(rows_);
    arguments.extents[1] = static_cast<int32_t>(columns_);
    for (int i = 0; i < kCount; ++i) {
      const bool isRow = buffers[i] == &weight || buffers[i] == &bias;
      arguments.operands[i] = {buffers[i]->pointer(), {isRow ? 0 : columns_, 1}};
    }
    return arguments;
  }

  /// Computes a row from those of x and the residual.
  using Meaning = std::function<void(const double* x, const double* residual, double* y)>;

  /// The error of an output, NaN if an element is unwritten or a guard is broken.
  double error(const Buffer& output, const Meaning& meaning) const {
    const std::vector<T> actual = output.content<T>();
    if (!output.guardsAreIntact()) return NAN;
    int64_t step = 1;
    while (rows_ / step * columns_ > int64_t{1} << 24) step = step * 2 + 1;
    std::vector<ErrorNorm> norms(static_cast<size_t>(rows_));
    onAllCores((rows_ + step - 1) / step, [&](int64_t i) {
      const auto first = static_cast<size_t>(i * step * columns_);
      std::vector<double> x(columns_), residual(columns_), y(columns_);
      for (int64_t column = 0; column < columns_; ++column) {
        x[column] = toFloat(x_[first + column]);
        residual[column] = toFloat(residual_[first + column]);
      }
      meaning(x.data(), residual.data(), y.data());
      for (int64_t column = 0; column < columns_; ++column) {
        norms[i * step].add(toFloat(actual[first + column]), y[column]);
      }
    });
    ErrorNorm total;
    for (const auto& norm : norms) total.add(norm);
    for (const T& value : actual) {
      if (std::isnan(toFloat(value))) return NAN;
    }
    return total.value();
  }

  Meaning normalization(bool isLayer) const {
    return [this, isLayer](const double* x, const double*, double* y) {
      double mean = 0, squares = 0;
      for (int64_t i = 0; i < columns_; ++i) mean += x[i] / columns_;
      if (!isLayer) mean = 0;
      for (int64_t i = 0; i < columns_; ++i) squares += (x[i] - mean) * (x[i] - mean) / columns_;
      for (int64_t i = 0; i < columns_; ++i) {
        y[i] = (x[i] - mean) / std::sqrt(squares + 1e-5) * toFloat(weight_[i]) + toFloat(bias_[i]);
      }
    };
  }
  Meaning softmax(bool isLogarithmic, bool hasResidual) const {
    return [this, isLogarithmic, hasResidual](const double* x, const double* residual, double* y) {
      double top = -INFINITY, total = 0;
      for (int64_t i = 0; i < columns_; ++i) {
        y[i] = x[i] + (hasResidual ? residual[i] : 0);
        top = std::fmax(top, y[i]);
      }
      for (int64_t i = 0; i < columns_; ++i) total += std::exp(y[i] - top);
      for (int64_t i = 0; i < columns_; ++i) {
        y[i] = isLogarithmic ? y[i] - top - std::log(total) : std::exp(y[i] - top) / total;
      }
    };
  }
  Meaning scaled() const {
    return [this](const double* x, const double*, double* y) {
      for (int64_t i = 0; i < columns_; ++i) y[i] = x[i] * toFloat(weight_[i]) + x[i];
    };
  }
  Meaning added() const {
    return [this](const double* x, const double* residual, double* y) {
      for (int64_t i = 0; i < columns_; ++i) y[i] = x[i] + residual[i];
    };
  }
  Meaning copied() const {
    return [this](const double* x, const double*, double* y) {
      for (int64_t i = 0; i < columns_; ++i) y[i] = x[i];
    };
  }

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }

  Buffer x, residual, weight, bias, y, sum;

 private:
  int64_t rows_;
  int64_t columns_;
  std::vector<T> x_, residual_, weight_, bias_;
};

}  // namespace device
