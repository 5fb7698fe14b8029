// Winograd's minimal filtering: kOut neighbouring outputs of three taps by kOut + 2 products.
//
// Along one axis y = Aᵀ((G g) · (Bᵀ d)), for kOut + 2 elements d of the image and taps g; along two
// axes each transform is applied to rows and to columns. Source: Lavin and Gray, Fast Algorithms
// for Convolutional Neural Networks (2015), with the points 0, ±1, ∞ and 0, ±1, ±2, ∞.
//
// Outputs two elements apart are those of two taps on every other element, by kOut + 1 products
// with the points 0, 1, ∞ or 0, ±1, 2, ∞, and of one tap on those in between, by kOut.
#pragma once

#include "ait/cpu/vector.h"

namespace ait::winograd {

/// - kOut: neighbouring outputs, `kStride` elements apart.
/// - kIn: the elements that they are made of, and the products.
/// - kFilters: the different factors of products; `filterOf(i)` is that of product i.
template <int kOutputs, int kStride>
struct Transform;

/// Two outputs of four products; along two axes 2.25 times fewer products.
template <>
struct Transform<2, 1> {
  static constexpr int kOut = 2;
  static constexpr int kIn = 4;
  static constexpr int kFilters = kIn;

  static constexpr int filterOf(int product) { return product; }

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
struct Transform<4, 1> {
  static constexpr int kOut = 4;
  static constexpr int kIn = 6;
  static constexpr int kFilters = kIn;

  static constexpr int filterOf(int product) { return product; }

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

/// Two outputs, two elements apart, of five products; along two axes 1.44 times fewer products.
template <>
struct Transform<2, 2> {
  static constexpr int kOut = 2;
  static constexpr int kIn = 5;
  static constexpr int kFilters = 4;

  static constexpr int filterOf(int product) { return product < 3 ? product : 3; }

  template <class V>
  static AIT_INLINE void image(const V* d, V* to) {
    to[0] = d[0] - d[2];
    to[1] = d[2];
    to[2] = d[2] - d[4];
    to[3] = d[1];
    to[4] = d[3];
  }

  template <class V>
  static AIT_INLINE void result(const V* m, V* to) {
    to[0] = m[0] + m[1] + m[3];
    to[1] = m[1] - m[2] + m[4];
  }

  static void filter(const double* g, double* to) {
    to[0] = g[0];
    to[1] = g[0] + g[2];
    to[2] = g[2];
    to[3] = g[1];
  }
};

/// Four outputs, two elements apart, of nine products; along two axes 1.78 times fewer products.
template <>
struct Transform<4, 2> {
  static constexpr int kOut = 4;
  static constexpr int kIn = 9;
  static constexpr int kFilters = 6;

  static constexpr int filterOf(int product) { return product < 5 ? product : 5; }

  template <class V>
  static AIT_INLINE void image(const V* d, V* to) {
    const V two = broadcast<V::kWidth>(2.0f);
    const V minusTwo = broadcast<V::kWidth>(-2.0f);
    const V minusThree = broadcast<V::kWidth>(-3.0f);
    const V difference = d[6] - d[2];
    to[0] = mulAdd(two, d[0] - d[4], difference);
    to[1] = mulAdd(minusTwo, d[2], d[6] - d[4]);
    to[2] = mulAdd(two, d[2], mulAdd(minusThree, d[4], d[6]));
    to[3] = difference;
    to[4] = mulAdd(minusTwo, difference, d[8] - d[4]);
    to[5] = d[1];
    to[6] = d[3];
    to[7] = d[5];
    to[8] = d[7];
  }

  template <class V>
  static AIT_INLINE void result(const V* m, V* to) {
    const V two = broadcast<V::kWidth>(2.0f);
    const V four = broadcast<V::kWidth>(4.0f);
    const V eight = broadcast<V::kWidth>(8.0f);
    const V sum = m[1] + m[2];
    const V difference = m[1] - m[2];
    to[0] = m[0] + sum + (m[3] + m[5]);
    to[1] = mulAdd(two, m[3], difference) + m[6];
    to[2] = mulAdd(four, m[3], sum) + m[7];
    to[3] = mulAdd(eight, m[3], difference) + (m[4] + m[8]);
  }

  static void filter(const double* g, double* to) {
    to[0] = g[0] / 2;
    to[1] = -(g[0] + g[2]) / 2;
    to[2] = -(g[0] - g[2]) / 6;
    to[3] = (g[0] + 2 * g[2]) / 6;
    to[4] = g[2];
    to[5] = g[1];
  }
};

}  // namespace ait::winograd
