// The matrix instructions of a warp, with the fragments that the PTX manual gives.
#pragma once

#include "ait/gpu/dialect_emulated_numbers.h"

namespace ait {

namespace emulated {

struct LoadMatricesSlot {
  const void* row;
  uint32_t x[4];
};

/// ldmatrix, m8n8, x4, b16: lane 8 i + r brings row r of matrix i, and gets the elements 2 (lane %
/// 4) and the next of row lane / 4 of each matrix; of column lane / 4 if transposed.
template <bool kIsTransposed>
inline void loadMatricesOfWarp(Thread&, void* const* slots) {
  uint16_t elements[4][8][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& slot = slotOf<LoadMatricesSlot>(slots, lane);
    __builtin_memcpy(elements[lane / 8][lane % 8], slot.row, 16);
  }
  for (int lane = 0; lane < 32; ++lane) {
    auto& slot = slotOf<LoadMatricesSlot>(slots, lane);
    const int row = lane / 4;
    const int column = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) {
      const uint32_t first = kIsTransposed ? elements[i][column][row] : elements[i][row][column];
      const uint32_t second =
          kIsTransposed ? elements[i][column + 1][row] : elements[i][row][column + 1];
      slot.x[i] = first | second << 16;
    }
  }
}

struct MultiplyTilesSlot {
  float* sum;
  const uint32_t* a;
  uint32_t b[2];
};

/// mma m16n8k16: of A a lane holds rows g and g + 8 (g = lane / 4) at K 2 (lane % 4) and 8 more; of
/// B column g at the same K; of the sums rows g and g + 8 at columns 2 (lane % 4) and the next.
template <class T>
inline void multiplyTilesOfWarp(Thread&, void* const* slots) {
  float a[16][16];
  float b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& slot = slotOf<MultiplyTilesSlot>(slots, lane);
    const int g = lane / 4;
    const int k = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) {
      const int row = g + i % 2 * 8;
      const int column = k + i / 2 * 8;
      a[row][column] = fromBits<T>(slot.a[i] & 0xffffu);
      a[row][column + 1] = fromBits<T>(slot.a[i] >> 16);
    }
    for (int i = 0; i < 2; ++i) {
      b[k + i * 8][g] = fromBits<T>(slot.b[i] & 0xffffu);
      b[k + i * 8 + 1][g] = fromBits<T>(slot.b[i] >> 16);
    }
  }
  for (int row = 0; row < 16; ++row) {
    float sums[8];
    for (int column = 0; column < 8; ++column) {
      sums[column] =
          slotOf<MultiplyTilesSlot>(slots, row % 8 * 4 + column / 2).sum[row / 8 * 2 + column % 2];
    }
    for (int k = 0; k < 16; ++k) {
      for (int column = 0; column < 8; ++column) sums[column] += a[row][k] * b[k][column];
    }
    for (int column = 0; column < 8; ++column) {
      slotOf<MultiplyTilesSlot>(slots, row % 8 * 4 + column / 2).sum[row / 8 * 2 + column % 2] =
          sums[column];
    }
  }
}

/// mma m16n8k8 of tf32: of A a lane holds rows g and g + 8 (g = lane / 4) at K lane % 4 and 4 more;
/// of B column g at the same K; sums as above. The lower 13 bits of a word are not looked at.
inline void multiplyTensorFloatsOfWarp(Thread&, void* const* slots) {
  const auto number = [](uint32_t bits) {
    bits &= ~uint32_t{0x1fff};
    float x;
    __builtin_memcpy(&x, &bits, 4);
    return x;
  };
  float a[16][8];
  float b[8][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& slot = slotOf<MultiplyTilesSlot>(slots, lane);
    const int g = lane / 4;
    const int k = lane % 4;
    for (int i = 0; i < 4; ++i) a[g + i % 2 * 8][k + i / 2 * 4] = number(slot.a[i]);
    for (int i = 0; i < 2; ++i) b[k + i * 4][g] = number(slot.b[i]);
  }
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      float& sum = slotOf<MultiplyTilesSlot>(slots, row % 8 * 4 + column / 2)
                       .sum[row / 8 * 2 + column % 2];
      for (int k = 0; k < 8; ++k) sum += a[row][k] * b[k][column];
    }
  }
}

}  // namespace emulated

template <bool kIsTransposed>
AIT_DEVICE void loadMatrices(uint32_t (&x)[4], const void* row, int line = __builtin_LINE()) {
  emulated::touchShared(row, 16, emulated::Touch::load);
  emulated::LoadMatricesSlot slot = {row, {}};
  emulated::forWarp(slot, emulated::loadMatricesOfWarp<kIsTransposed>, "loadMatrices", line);
  __builtin_memcpy(x, slot.x, sizeof(x));
}

AIT_DEVICE uint32_t roundToTensorFloat(uint32_t bits) {
  const bool isFinite = (bits >> 23 & 255) != 255;
  return (isFinite ? bits + 0x1000 : bits) & ~uint32_t{0x1fff};
}

template <class T>
AIT_DEVICE void multiplyTiles(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                              int line = __builtin_LINE()) {
  static_assert(__is_same(T, float16) || __is_same(T, bfloat16) || __is_same(T, float),
                "the matrix units multiply float16, bfloat16 and tf32");
  emulated::MultiplyTilesSlot slot = {sum, a, {b0, b1}};
  if constexpr (__is_same(T, float)) {
    emulated::forWarp(slot, emulated::multiplyTensorFloatsOfWarp, "multiplyTiles", line);
  } else {
    emulated::forWarp(slot, emulated::multiplyTilesOfWarp<T>, "multiplyTiles", line);
  }
}

}  // namespace ait
