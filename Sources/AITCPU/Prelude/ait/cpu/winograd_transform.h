// Winograd's minimal filtering: kOut neighbouring outputs of three taps by kOut + 2 products.
//
// Along one axis y = Aᵀ((G g) · (Bᵀ d)), for kOut + 2 elements d of the image and taps g; along two
// axes each transform is applied to rows and to columns. Source: Lavin and Gray, Fast Algorithms
// for Convolutional Neural Networks (2015), with the points 0, ±1, ∞ and 0, ±1, ±2, ∞.
#pragma once

#include "ait/cpu/vector.h"

namespace ait::winograd {

template <int kOutputs>
struct Transform;

/// Two outputs of four products; along two axes 2.25 times fewer products.
template <>
struct Transform<2> {
  static constexpr int kOut = 2;
  static constexpr int kIn = 4;

  template <class V>
  static AIT_INLINE void image(const V* d, V* to) {
    to[0] = d[0] - d[2];
    to[1] = d[1] + d[2];
    to[2] = d[2] - d[1];
    to[3] = d[1] - d[3];
  }

  template <class V>
  static AIT_INLINE void result(const V* m, V* to) {
    to[0] = m[0] + m[1] + m[2];
    to[1] = m[1] - m[2] - m[3];
  }

  static void filter(const double* g, double* to) {
    to[0] = g[0];
    to[1] = (g[0] + g[2] + g[1]) / 2;
    to[2] = (g[0] + g[2] - g[1]) / 2;
    to[3] = g[2];
  }
};

/// Four outputs of six products; along two axes 4 times fewer products.
template <>
struct Transform<4> {
  static constexpr int kOut = 4;
  static constexpr int kIn = 6;

  template <class V>
  static AIT_INLINE void image(const V* d, V* to) {
    const V two = broadcast<V::kWidth>(2.0f);
    const V four = broadcast<V::kWidth>(4.0f);
    const V minusFour = broadcast<V::kWidth>(-4.0f);
    const V minusFive = broadcast<V::kWidth>(-5.0f);
    to[0] = mulAdd(four, d[0], mulAdd(minusFive, d[2], d[4]));
    const V even = mulAdd(minusFour, d[2], d[4]);
    const V odd = mulAdd(minusFour, d[1], d[3]);
    to[1] = even + odd;
    to[2] = even - odd;
    const V outer = d[4] - d[2];
    const V inner = two * (d[3] - d[1]);
    to[3] = outer + inner;
    to[4] = outer - inner;
    to[5] = mulAdd(four, d[1], mulAdd(minusFive, d[3], d[5]));
  }

  template <class V>
  static AIT_INLINE void result(const V* m, V* to) {
    const V two = broadcast<V::kWidth>(2.0f);
    const V four = broadcast<V::kWidth>(4.0f);
    const V eight = broadcast<V::kWidth>(8.0f);
    const V sum1 = m[1] + m[2];
    const V difference1 = m[1] - m[2];
    const V sum2 = m[3] + m[4];
    const V difference2 = m[3] - m[4];
    to[0] = m[0] + sum1 + sum2;
    to[1] = mulAdd(two, difference2, difference1);
    to[2] = mulAdd(four, sum2, sum1);
    to[3] = mulAdd(eight, difference2, difference1) + m[5];
  }

  static void filter(const double* g, double* to) {
    to[0] = g[0] / 4;
    to[1] = -(g[0] + g[2] + g[1]) / 6;
    to[2] = -(g[0] + g[2] - g[1]) / 6;
    to[3] = g[0] / 24 + g[2] / 6 + g[1] / 12;
    to[4] = g[0] / 24 + g[2] / 6 - g[1] / 12;
    to[5] = g[2];
  }
};

}  // namespace ait::winograd
