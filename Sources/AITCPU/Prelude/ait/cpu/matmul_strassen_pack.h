// What products with seven multiplications ask of their operands, and packed weights that tell.
//
// Sums of quarters err in relation to the largest quarter (`matmul_strassen.h`). The *dispersion*
// of a row of A or a column of B is the largest norm of its quarters as a multiple of the least;
// packed weights carry that of their columns, squared, one number for each pair of panels, behind
// the panels of a matrix.
#pragma once

#include "ait/cpu/matmul_blocking.h"
#include "ait/cpu/matmul_pack.h"
#include "ait/cpu/matmul_tile.h"

namespace ait {

namespace gemm {

/// The length of a half of a block of K, at most. 128 floats of A's and B's quarters stay in the
/// caches better than 192, and need fewer passes through the sums than 64: both lose 2 %.
inline constexpr int64_t kHalfDepth = 128;

/// The panels' dispersions of a packed matrix take so many elements: whole vectors.
constexpr int64_t dispersionCount(int64_t columns, int64_t width) {
  return ceilDivide(ceilDivide(columns, 2 * width), 16) * 16;
}

/// The largest norm as a multiple of the least, of their squares; infinite or NaN if one of them is
/// not finite or the least is 0.
inline float dispersionOf(const float* norms, int count) {
  float least = norms[0];
  float most = norms[0];
  float total = norms[0];
  for (int i = 1; i < count; ++i) {
    least = norms[i] < least ? norms[i] : least;
    most = norms[i] > most ? norms[i] : most;
    total += norms[i];
  }
  return most / least + 0 * total;
}

/// The larger of two dispersions, NaN if one is.
inline float largerDispersion(float a, float b) { return a > b || a != a ? a : b; }

/// The largest dispersion of the columns of two panels of whole columns.
template <int kWidth>
inline float dispersionOfPanels(const float* left, const float* right, int64_t depth) {
  const DepthBlocks blocks(depth, 2 * kHalfDepth);
  float dispersion = 1;
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t first = block * blocks.length;
    const int64_t half = smaller(blocks.length, depth - first) / 2;
    float norms[kWidth][4] = {};
    for (int quarter = 0; quarter < 4; ++quarter) {
      const float* from = (quarter % 2 == 0 ? left : right) + (first + quarter / 2 * half) * kWidth;
      for (int64_t k = 0; k < half; ++k) {
        for (int column = 0; column < kWidth; ++column) {
          const float element = from[k * kWidth + column];
          norms[column][quarter] += element * element;
        }
      }
    }
    for (const auto& columnNorms : norms) {
      dispersion = largerDispersion(dispersion, dispersionOf(columnNorms, 4));
    }
  }
  return dispersion;
}

}  // namespace gemm

/// Packs a batch of weight matrices with panels of `kWidth` columns, and their dispersions.
///
/// Buffers and sizes are those of `packWeights`; K is even.
template <int kWidth>
void packWeightsForSeven(const KernelContext& context) {
  const int64_t batch = context.sizes[0];
  const int64_t depth = context.sizes[1];
  const int64_t columns = context.sizes[2];
  const int64_t* strides = context.sizes + 3;
  const auto* source = static_cast<const float*>(context.buffers[0]);
  auto* destination = static_cast<float*>(context.buffers[1]);
  if (batch <= 0 || depth <= 0 || columns <= 0) return;
  const int64_t panels = gemm::ceilDivide(columns, kWidth);
  const int64_t pairs = gemm::ceilDivide(panels, 2);
  const int64_t panelElements = packedElementCount(depth, columns, kWidth);
  const int64_t matrixElements = panelElements + gemm::dispersionCount(columns, kWidth);
  parallelFor(context.pool, batch * pairs, [&](int64_t index, int32_t) {
    const int64_t matrix = index / pairs;
    const int64_t pair = index - matrix * pairs;
    float* packed = destination + matrix * matrixElements;
    for (int64_t panel = 2 * pair; panel < panels && panel < 2 * pair + 2; ++panel) {
      gemm::packPanel<kWidth>(packed + panel * depth * kWidth,
                              gemm::PanelSource<float>{
                                  source + matrix * strides[0] + panel * kWidth * strides[2],
                                  strides[2],
                                  strides[1],
                                  columns - panel * kWidth,
                                  depth,
                              });
    }
    const float* left = packed + 2 * pair * depth * kWidth;
    const bool isWhole = (2 * pair + 2) * kWidth <= columns;
    packed[panelElements + pair] =
        isWhole ? gemm::dispersionOfPanels<kWidth>(left, left + depth * kWidth, depth) : 0;
    if (pair > 0) return;
    for (int64_t i = panelElements + pairs; i < matrixElements; ++i) packed[i] = 0;
  });
}

}  // namespace ait
