// Prologues and epilogues of the tests, as generated code writes them, each with its meaning in
// double. `kExtras` tells where an extra lies: b along the columns, r as the result, c along the
// rows, t as the transposed result.
#pragma once

#include <cmath>

#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
#include "ait/gpu/math.h"
#define DEVICE_BODY AIT_INLINE
#else
#define DEVICE_BODY inline
#include "ait/gpu/types.h"
#endif

namespace bodies {

struct Identity {
  static constexpr const char* kExtras = "";
  static double reference(double sum, const double*) { return sum; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0) {
    return ait::results(x0);
  }
#endif
};

struct Bias {
  static constexpr const char* kExtras = "b";
  static double reference(double sum, const double* x) { return sum + x[0]; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    return ait::results(x0 + x1);
  }
#endif
};

/// The same in double.
struct WideBias {
  static constexpr const char* kExtras = "b";
  static double reference(double sum, const double* x) { return sum + x[0]; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<double, W> x0, ait::Vec<double, W> x1) {
    return ait::results(x0 + x1);
  }
#endif
};

inline double geluOf(double x) {
  return x / (1 + std::exp(-1.5957691216057308 * x * (1 + 0.044715 * x * x)));
}

/// The tanh form of GELU after a bias.
struct BiasGelu {
  static constexpr const char* kExtras = "b";
  static double reference(double sum, const double* x) { return geluOf(sum + x[0]); }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    const auto t3 = x0 + x1;
    const auto t4 = t3 * t3;
    const auto t6 = t4 * ait::constant<float, W>(0x1.6e4e26p-5f);
    const auto t8 = t6 + ait::constant<float, W>(0x1p+0f);
    const auto t10 = t3 * ait::constant<float, W>(0x1.988454p+0f);
    return ait::results(t3 * ait::sigmoid(t10 * t8));
  }
#endif
};

/// The same with the function that is exact enough for a 16-bit result.
struct BiasGeluApproximate {
  static constexpr const char* kExtras = "b";
  static double reference(double sum, const double* x) { return geluOf(sum + x[0]); }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    const auto t3 = x0 + x1;
    const auto t4 = t3 * t3;
    const auto t6 = t4 * ait::constant<float, W>(0x1.6e4e26p-5f);
    const auto t8 = t6 + ait::constant<float, W>(0x1p+0f);
    const auto t10 = t3 * ait::constant<float, W>(0x1.988454p+0f);
    return ait::results(t3 * ait::approximate::sigmoid(t10 * t8));
  }
#endif
};

/// The gate of SwiGLU on two sums: silu(x) y + an extra.
struct GateBias {
  static constexpr const char* kExtras = "b";
  static double reference(double first, double second, const double* x) {
    return first / (1 + std::exp(-first)) * second + x[0];
  }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1,
                               ait::Vec<float, W> x2) {
    return ait::results(x0 * ait::sigmoid(x0) * x1 + x2);
  }
#endif
};

struct BiasResidual {
  static constexpr const char* kExtras = "br";
  static double reference(double sum, const double* x) { return sum + x[0] + x[1]; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1,
                               ait::Vec<float, W> x2) {
    return ait::results(x0 + x1 + x2);
  }
#endif
};

/// A factor for every row, and a matrix that lies transposed.
struct RowsAndTransposed {
  static constexpr const char* kExtras = "ct";
  static double reference(double sum, const double* x) { return sum * x[0] / 8 + x[1]; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1,
                               ait::Vec<float, W> x2) {
    return ait::results(x0 * x1 * ait::constant<float, W>(0x1p-3f) + x2);
  }
#endif
};

/// x · weight + bias: the end of a layer normalisation.
struct WeightBias {
  static constexpr const char* kExtras = "bb";
  static double reference(double x, const double* extras) { return x * extras[0] + extras[1]; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1,
                               ait::Vec<float, W> x2) {
    return ait::results(x0 * x1 + x2);
  }
#endif
};

/// x · w + x.
struct Scale {
  static constexpr const char* kExtras = "b";
  static double reference(double x, const double* extras) { return x * extras[0] + x; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    return ait::results(x0 * x1 + x0);
  }
#endif
};

/// The sum of two inputs: a residual before a normalisation.
struct Add {
  static constexpr const char* kExtras = "r";
  static double reference(double x, const double* extras) { return x + extras[0]; }
#if defined(__CUDACC__) || defined(AIT_EMULATED_ARCHITECTURE)
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<float, W> x0, ait::Vec<float, W> x1) {
    return ait::results(x0 + x1);
  }
#endif
};

}  // namespace bodies
