// A product with seeded inputs in device memory, and its meaning in double.
#pragma once

#include "launches.h"

namespace device {

struct Extents {
  int64_t M, N, K;
  int64_t batch = 1;
};

/// Inputs, extras and the output of a product; the output poisoned, everything guarded.
///
/// - extras: where each lies, as `kExtras` of the body.
template <class T>
class Product {
 public:
  /// - spread: the distance of neighbours in A and B along the axis that `majorA`, `majorB` name.
  Product(Extents extents, ait::Major majorA, ait::Major majorB, const std::string& extras,
          uint64_t seed = 1, int64_t spread = 1, bool isPaired = false)
      : extents_(extents), majorA_(majorA), majorB_(majorB), kinds_(extras), spread_(spread) {
    const auto [M, N, K, batch] = extents;
    a_ = randomNumbers<T>(static_cast<size_t>(batch * M * K * spread), seed);
    b_ = randomNumbers<T>(static_cast<size_t>(batch * N * K * spread), seed + 1);
    deviceA_ = Buffer(a_);
    deviceB_ = Buffer(b_);
    second_ = randomNumbers<T>(isPaired ? b_.size() : 0, seed + 99);
    if (isPaired) deviceSecond_ = Buffer(second_);
    for (size_t i = 0; i < kinds_.size(); ++i) {
      const int64_t count = kinds_[i] == 'b' ? N : kinds_[i] == 'c' ? M : batch * M * N;
      // As large as the sums, so that a mistake in either shows.
      extras_.push_back(randomNumbers<T>(static_cast<size_t>(count), seed + 2 + i,
                                         std::sqrt(static_cast<float>(K)) / 2));
      deviceExtras_.emplace_back(extras_.back());
    }
    output_ = Buffer(static_cast<size_t>(batch * M * N) * sizeof(T));
  }

  template <int kRank, int kCount>
  ait::MatmulProblem<kRank, kCount> problem() const {
    const auto [M, N, K, batch] = extents_;
    ait::MatmulProblem<kRank, kCount> problem{};
    problem.M = static_cast<int32_t>(M);
    problem.N = static_cast<int32_t>(N);
    problem.K = static_cast<int32_t>(K);
    problem.batchExtents[0] = static_cast<int32_t>(batch);
    for (int i = 0; i < kCount; ++i) {
      const bool isOutput = i == kCount - 1;
      auto& place = problem.operands[i];
      place.base = isOutput ? output_.pointer() : deviceExtras_[static_cast<size_t>(i)].pointer();
      const char kind = isOutput ? 'r' : kinds_[static_cast<size_t>(i)];
      if (kRank > 0) place.strides[0] = kind == 'r' || kind == 't' ? M * N : 0;
      place.strides[kRank] = kind == 'r' ? N : kind == 'b' ? 0 : 1;
      place.strides[kRank + 1] = kind == 'r' || kind == 'b' ? 1 : kind == 't' ? M : 0;
    }
    return problem;
  }

  Matrix a() const {
    return {deviceA_.address(), (majorA_ == ait::Major::k ? extents_.K : extents_.M) * spread_,
            extents_.M * extents_.K * spread_, spread_};
  }
  Matrix b() const {
    return {deviceB_.address(), (majorB_ == ait::Major::k ? extents_.K : extents_.N) * spread_,
            extents_.N * extents_.K * spread_, spread_};
  }
  /// The second matrix of a pair, which lies as `b` does.
  Matrix second() const {
    Matrix matrix = b();
    matrix.address = deviceSecond_.address();
    return matrix;
  }
  const Buffer& output() const { return output_; }
  Buffer& output() { return output_; }
  const Extents& extents() const { return extents_; }

  struct Verdict {
    double error;
    int64_t unwritten;
    bool guardsAreIntact;
    bool holds(double tolerance) const {
      return error <= tolerance && unwritten == 0 && guardsAreIntact;
    }
  };

  /// Compares the output: all rows, or a sample of them where all would take long.
  Verdict verify(double (*body)(double, const double*)) const {
    return verifyJoined([body](double sum, double, const double* x) { return body(sum, x); });
  }
  /// The same of a body of two sums.
  Verdict verify(double (*body)(double, double, const double*)) const { return verifyJoined(body); }

 private:
  template <class Body>
  Verdict verifyJoined(Body body) const {
    const auto [M, N, K, batch] = extents_;
    const std::vector<T> output = output_.template content<T>();
    Verdict verdict{0, 0, output_.guardsAreIntact()};
    for (const T& x : output) verdict.unwritten += isPoison(x);
    const int64_t rows = batch * M;
    int64_t step = 1;
    while (rows / step * N * K > int64_t{1} << 30) step = step * 2 + 1;
    std::vector<ErrorNorm> norms(static_cast<size_t>(rows));
    onAllCores((rows + step - 1) / step, [&](int64_t i) {
      const int64_t row = i * step;
      norms[static_cast<size_t>(row)] = errorOfRow(output, row, body);
    });
    ErrorNorm total;
    for (const auto& norm : norms) total.add(norm);
    verdict.error = total.value();
    return verdict;
  }

  static bool isPoison(T x) {
    unsigned char bytes[sizeof(T)];
    std::memcpy(bytes, &x, sizeof(T));
    for (const unsigned char byte : bytes) {
      if (byte != 0xff) return false;
    }
    return true;
  }

  template <class Body>
  ErrorNorm errorOfRow(const std::vector<T>& output, int64_t row, Body body) const {
    const auto [M, N, K, batch] = extents_;
    const int64_t matrix = row / M;
    const int64_t m = row % M;
    std::vector<double> a(static_cast<size_t>(K));
    for (int64_t k = 0; k < K; ++k) {
      a[static_cast<size_t>(k)] = toDouble(a_[static_cast<size_t>(
          (matrix * M * K + (majorA_ == ait::Major::k ? m * K + k : k * M + m)) * spread_)]);
    }
    const std::vector<double> sums = sumsOfRow(a, b_, matrix);
    const std::vector<double> others =
        second_.empty() ? std::vector<double>(sums.size()) : sumsOfRow(a, second_, matrix);
    ErrorNorm norm;
    for (int64_t n = 0; n < N; ++n) {
      double extras[4] = {};
      for (size_t i = 0; i < kinds_.size(); ++i) {
        const int64_t at = kinds_[i] == 'b'   ? n
                           : kinds_[i] == 'c' ? m
                           : kinds_[i] == 't' ? matrix * M * N + n * M + m
                                              : row * N + n;
        extras[i] = toDouble(extras_[i][static_cast<size_t>(at)]);
      }
      norm.add(toDouble(output[static_cast<size_t>(row * N + n)]),
               body(sums[static_cast<size_t>(n)], others[static_cast<size_t>(n)], extras));
    }
    return norm;
  }

  /// The sums of a row of A with every column of a matrix of the batch.
  std::vector<double> sumsOfRow(const std::vector<double>& a, const std::vector<T>& matrices,
                                int64_t matrix) const {
    const auto [M, N, K, batch] = extents_;
    std::vector<double> sums(static_cast<size_t>(N), 0.0);
    if (majorB_ == ait::Major::k) {
      for (int64_t n = 0; n < N; ++n) {
        const T* b = matrices.data() + (matrix * N * K + n * K) * spread_;
        double sum = 0;
        for (int64_t k = 0; k < K; ++k) {
          sum += a[static_cast<size_t>(k)] * toDouble(b[k * spread_]);
        }
        sums[static_cast<size_t>(n)] = sum;
      }
    } else {
      for (int64_t k = 0; k < K; ++k) {
        const T* b = matrices.data() + (matrix * N * K + k * N) * spread_;
        for (int64_t n = 0; n < N; ++n) {
          sums[static_cast<size_t>(n)] += a[static_cast<size_t>(k)] * toDouble(b[n * spread_]);
        }
      }
    }
    return sums;
  }

  Extents extents_;
  ait::Major majorA_;
  ait::Major majorB_;
  std::string kinds_;
  int64_t spread_;
  std::vector<T> a_, b_, second_;
  std::vector<std::vector<T>> extras_;
  Buffer deviceA_, deviceB_, deviceSecond_, output_;
  std::vector<Buffer> deviceExtras_;
};

/// The error allowed of a single operator, by the type of its result.
template <class T>
constexpr double toleranceOf() {
  return std::is_same_v<T, ait::bfloat16>  ? 1.5e-2
         : std::is_same_v<T, ait::float16> ? 2e-3
         : std::is_same_v<T, double>       ? 1e-12
                                           : 1e-5;
}

}  // namespace device
