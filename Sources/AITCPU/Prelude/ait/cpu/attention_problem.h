// What attention is told: the facts known when it is compiled, and the sizes of a call.
#pragma once

#include "ait/cpu/math.h"
#include "ait/cpu/matmul_tile.h"
#include "ait/cpu/softmax.h"
#include "ait/kernel.h"

namespace ait {

/// The facts about attention that are known when it is compiled. A struct that inherits from this
/// sets the scale, `static constexpr float kScale`.
///
/// - Element: storage type of Q, K, V and the result.
/// - MaskElement: storage type of the mask; void for none.
/// - outerRank: the number of outer axes, 0 and up.
/// - isCausal: whether a query counts no key of a later position.
/// - keepsNaN: whether a query that no key counts for gives NaN, not 0.
template <class ElementType, class MaskElement, int outerRank, bool isCausal, bool keepsNaN>
struct AttentionConfig {
  using Element = ElementType;
  using Mask = MaskElement;
  static constexpr int kOuterRank = outerRank;
  static constexpr bool kIsCausal = isCausal;
  static constexpr bool kKeepsNaN = keepsNaN;
  static constexpr bool kHasMask = !__is_same(MaskElement, void);
};

namespace attend {

inline constexpr float kLowest = -__builtin_huge_valf();

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t quotientUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// An operand of one call: where it begins, and how far it is from one index to the next.
template <class T>
struct Operand {
  T* elements;
  const int64_t* outer;
  int64_t head;  // from one head of queries to the next that shares its keys
  int64_t row;
  int64_t column;
};

/// The operands and sizes of a call. A row is a query of one of R heads: row t + T · r.
template <class Config>
struct Problem {
  using T = typename Config::Element;
  using Mask = typename Config::Mask;
  static constexpr int kOuterRank = Config::kOuterRank;

  const int64_t* outerExtents;
  int64_t heads, queries, keys, depth, width;
  Operand<const T> q, k, v;
  Operand<const char> mask{};  // strides in elements of Mask
  Operand<T> result;

  explicit Problem(const KernelContext& context) : outerExtents(context.sizes) {
    const int64_t* sizes = context.sizes + kOuterRank;
    heads = sizes[0];
    queries = sizes[1];
    keys = sizes[2];
    depth = sizes[3];
    width = sizes[4];
    const int64_t* strides = sizes + 5;
    int buffer = 0;
    const auto take = [&](auto& operand) {
      operand.elements = static_cast<decltype(operand.elements)>(context.buffers[buffer++]);
      operand.outer = strides;
      operand.head = strides[kOuterRank];
      operand.row = strides[kOuterRank + 1];
      operand.column = strides[kOuterRank + 2];
      strides += kOuterRank + 3;
    };
    take(q);
    take(k);
    take(v);
    if constexpr (Config::kHasMask) take(mask);
    take(result);
  }

  int64_t rows() const { return heads * queries; }

  int64_t outerCount() const {
    int64_t count = 1;
    for (int axis = 0; axis < kOuterRank; ++axis) count *= outerExtents[axis];
    return count;
  }

  /// The offset of an operand's part for one outer index, the last axis fastest.
  int64_t offset(int64_t outer, const int64_t* strides) const {
    int64_t result = 0;
    for (int axis = kOuterRank - 1; axis >= 0; --axis) {
      result += outer % outerExtents[axis] * strides[axis];
      outer /= outerExtents[axis];
    }
    return result;
  }

  /// The offset of a row within that part.
  template <class Any>
  int64_t rowOffset(const Operand<Any>& operand, int64_t row) const {
    return row / queries * operand.head + row % queries * operand.row;
  }

  /// How many keys a row counts at most.
  int64_t visible(int64_t row) const {
    return Config::kIsCausal ? least(keys, row % queries + 1) : keys;
  }
};

/// A score as the mask leaves it; `mask` holds 0 and 1 of a bool one.
template <class Config, int W>
AIT_INLINE Vec<float, W> masked(Vec<float, W> score, Vec<float, W> mask) {
  if constexpr (__is_same(typename Config::Mask, bool)) {
    return select(mask != constant<float, W>(0), score, constant<float, W>(kLowest));
  } else {
    return score + mask;
  }
}

/// Elements of a mask as floats, 0 and 1 of a bool one.
template <class Mask, int W>
AIT_INLINE Vec<float, W> loadMask(const Mask* source, int64_t stride, int64_t count) {
  if (stride == 1 && count >= W) return convert<float>(load<Mask, W>(source));
  return convert<float>(loadStridedPartial<Mask, W>(source, stride, least(count, W)));
}

/// What a maximum is subtracted as: any number where all scores are −∞, so that each gives 0.
template <int W>
AIT_INLINE Vec<float, W> shift(Vec<float, W> top) {
  return select(top == constant<float, W>(kLowest), constant<float, W>(0), top);
}

/// The factor of a row's sums, from the sum of its weights: 0 only where no key counts.
template <class Config, int W>
AIT_INLINE Vec<float, W> finalFactor(Vec<float, W> total, int64_t keys) {
  const auto one = constant<float, W>(1);
  const auto zero = constant<float, W>(0);
  const float nothing = Config::kKeepsNaN && keys > 0 ? __builtin_nanf("") : 0.0f;
  return select(total == zero, constant<float, W>(0) + broadcast<W>(nothing), one / total);
}

}  // namespace attend

}  // namespace ait
