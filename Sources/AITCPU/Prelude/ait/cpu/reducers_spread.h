// Reducers that see the elements of a block twice: first for what the others are relative to.
#pragma once

#include "ait/cpu/reducers_state.h"

namespace ait {

// MARK: - The logarithm of a sum of exponentials

/// max + log Σ exp(x − max), the maxima of lanes and blocks brought together as they come.
template <class T>
struct LogSumExpReducer {
  static_assert(__is_floating_point(T), "logarithms are of floating-point numbers");
  using Result = T;
  static constexpr int kPasses = 2;

  /// The number that exponents are relative to: the maximum, or 0 where that is infinite.
  template <int W>
  static AIT_INLINE Vec<T, W> shiftOf(Vec<T, W> top) {
    return select(isInfinite(top), constant<T, W>(0), top);
  }

  template <int W>
  struct Total {
    Vec<T, W> top = broadcast<W, T>(lowestOf<T>());
    Vec<double, W> sum = broadcast<W, double>(0);

    AIT_INLINE void merge(const Total& other) {
      const auto larger = maximum(top, other.top);
      sum = rescaled(larger) + other.rescaled(larger);
      top = larger;
    }

    AIT_INLINE Total<1> collapsed() const {
      const T larger = horizontalMax(top);
      const double total = horizontalSum(rescaled(broadcast<W, T>(larger)));
      return {broadcast<1, T>(larger), broadcast<1, double>(total)};
    }

    AIT_INLINE Vec<T, W> finish(int64_t) const { return log(convert<T>(sum)) + shiftOf(top); }

    /// The sum relative to another maximum, not below this one; the same if both are infinite.
    AIT_INLINE Vec<double, W> rescaled(Vec<T, W> larger) const {
      const auto factor = select(top == larger, constant<T, W>(1), exp(top - larger));
      return sum * convert<double>(factor);
    }
  };

  template <int W>
  struct Partial {
    Vec<T, W> top = broadcast<W, T>(lowestOf<T>());
    Vec<T, W> shift = broadcast<W, T>(0);
    Vec<T, W> sum = broadcast<W, T>(0);

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x) {
      if constexpr (kPass == 0) {
        top = maximum(top, x);
      } else {
        sum += exp(x - shift);
      }
    }

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x0, Vec<T, W> x1, Vec<T, W> x2, Vec<T, W> x3) {
      if constexpr (kPass == 0) {
        top = maximum(top, maximum(maximum(x0, x1), maximum(x2, x3)));
      } else {
        sum += (exp(x0 - shift) + exp(x1 - shift)) + (exp(x2 - shift) + exp(x3 - shift));
      }
    }

    template <int kPass>
    AIT_INLINE void stepFirst(Vec<T, W> x, int64_t count) {
      step<kPass>(select(firstLanes<W>(count), x, broadcast<W, T>(lowestOf<T>())));
    }

    AIT_INLINE void nextPass() { shift = shiftOf(top); }

    // A lane of −∞ alone has added up exp(−∞ − 0).
    AIT_INLINE Total<W> total(BlockPlace) const { return {top, convert<double>(sum)}; }
  };
};

// MARK: - Variance

/// Σ(x − mean)² / (count − correction). A block's deviations are from its own mean; blocks and
/// lanes are brought together by the formula of Chan, Golub and LeVeque.
template <class T, class Parameters>
struct VarianceReducer {
  static_assert(__is_floating_point(T), "variances are of floating-point numbers");
  using Result = T;
  static constexpr int kPasses = 2;

  template <int W>
  struct Total {
    Vec<double, W> count = broadcast<W, double>(0);
    Vec<double, W> mean = broadcast<W, double>(0);
    Vec<double, W> squares = broadcast<W, double>(0);

    AIT_INLINE void merge(const Total& other) {
      const auto number = count + other.count;
      const auto share = other.count / maximum(number, constant<double, W>(1));
      const auto distance = other.mean - mean;
      squares += other.squares + distance * distance * count * share;
      mean += distance * share;
      count = number;
    }

    AIT_INLINE Total<1> collapsed() const {
      const double number = horizontalSum(count);
      const double center = horizontalSum(mean * count) / (number > 0 ? number : 1);
      const auto distance = mean - broadcast<W, double>(center);
      const double sum = horizontalSum(squares + distance * distance * count);
      return {broadcast<1, double>(number), broadcast<1, double>(center),
              broadcast<1, double>(sum)};
    }

    AIT_INLINE Vec<T, W> finish(int64_t number) const {
      const double freedom = static_cast<double>(number) - Parameters::kCorrection;
      const auto divisor = broadcast<W, double>(freedom > 0 ? freedom : 0);
      return convert<T>(squares / divisor);
    }
  };

  template <int W>
  struct Partial {
    Vec<T, W> count = broadcast<W, T>(0);
    Vec<T, W> center = broadcast<W, T>(0);
    Vec<T, W> sum = broadcast<W, T>(0);
    Vec<T, W> squares = broadcast<W, T>(0);

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x) {
      const auto d = x - center;
      sum += d;
      if constexpr (kPass == 0) {
        count += constant<T, W>(1);
      } else {
        squares = mulAdd(d, d, squares);
      }
    }

    template <int kPass>
    AIT_INLINE void step(Vec<T, W> x0, Vec<T, W> x1, Vec<T, W> x2, Vec<T, W> x3) {
      const auto d0 = x0 - center;
      const auto d1 = x1 - center;
      const auto d2 = x2 - center;
      const auto d3 = x3 - center;
      sum += (d0 + d1) + (d2 + d3);
      if constexpr (kPass == 0) {
        count += constant<T, W>(4);
      } else {
        squares += mulAdd(d0, d0, d1 * d1) + mulAdd(d2, d2, d3 * d3);
      }
    }

    template <int kPass>
    AIT_INLINE void stepFirst(Vec<T, W> x, int64_t lanes) {
      const auto zero = constant<T, W>(0);
      const auto mask = firstLanes<W>(lanes);
      const auto d = select(mask, x - center, zero);
      sum += d;
      if constexpr (kPass == 0) {
        count += select(mask, constant<T, W>(1), zero);
      } else {
        squares = mulAdd(d, d, squares);
      }
    }

    AIT_INLINE void nextPass() {
      // Lanes without elements have the mean 0.
      center = sum / maximum(count, constant<T, W>(1));
      sum = broadcast<W, T>(0);
    }

    AIT_INLINE Total<W> total(BlockPlace) const {
      // The mean of the deviations is what the center lacks of the mean.
      const auto rest = sum / maximum(count, constant<T, W>(1));
      const auto product = convert<double>(sum) * convert<double>(rest);
      return {convert<double>(count), convert<double>(center) + convert<double>(rest),
              convert<double>(squares) - product};
    }
  };
};

}  // namespace ait
