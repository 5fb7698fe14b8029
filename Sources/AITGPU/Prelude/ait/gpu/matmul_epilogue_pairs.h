// The end of two products of one A that meet in one body: `Body::apply(first, second, extras…)`.
//
// B is two matrices of the same shape. The first half of a tile's columns are columns of the first
// matrix, the second half the same columns of the second: then both sums of an element of C are in
// one thread, whatever the instruction, since threads own columns by their number modulo 8.
#pragma once

#include "ait/gpu/matmul_epilogue.h"

namespace ait {

/// The shared memory in which a warp stages 16 rows of 32 columns of both sums.
struct PairStaging {
  /// 8 floats more than a multiple of 32; in odd rows the 4-column halves of 8 columns are
  /// exchanged, so that 8 lanes that read two rows meet no bank twice.
  static constexpr int kPitch = 72;
  static constexpr int kFloats = 16 * kPitch;

  AIT_DEVICE static int at(int row, int column) { return row * kPitch + (column ^ (row & 1) << 2); }
};

/// Finishes 16 rows of a warp, held as the matrix units leave them: `kColumns / 2` columns of C.
///
/// - staging: `PairStaging::kFloats`, this warp's own.
template <int kColumns, class Epilogue>
AIT_DEVICE void finishWarpPairs(const Epilogue& epilogue, float* staging,
                                const float (&sums)[kColumns / 2], int row, int column) {
  static_assert(kColumns % 64 == 0, "32 columns of C are staged at once, with two sums each");
  using S = PairStaging;
  const int lane = laneIndex();
  const int firstColumn = lane % 4 * 8;
  AIT_UNROLL
  for (int chunk = 0; chunk < kColumns / 2; chunk += 32) {
    const auto rowOf = [&](int i) {
      return epilogue.row(row + i * 8 + lane / 4, column + chunk + firstColumn);
    };
    typename Epilogue::template Extras<8> extras[2];
    AIT_UNROLL
    for (int i = 0; i < 2; ++i) rowOf(i).template load<8>(extras[i], 0);
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      AIT_UNROLL
      for (int block = 0; block < 4; ++block) {
        const int at = (half * (kColumns / 2) + chunk) / 2 + block * 4;
        float* pair = staging + S::at(lane / 4, half * 32 + block * 8 + lane % 4 * 2);
        storeShared(pair, sums[at], sums[at + 1]);
        storeShared(pair + 8 * S::kPitch, sums[at + 2], sums[at + 3]);
      }
    }
    synchronizeWarp();
    AIT_UNROLL
    for (int i = 0; i < 2; ++i) {
      Values<float, 8> values[2];
      AIT_UNROLL
      for (int half = 0; half < 2; ++half) {
        AIT_UNROLL
        for (int quad = 0; quad < 2; ++quad) {
          float x[4];
          loadShared(staging + S::at(i * 8 + lane / 4, half * 32 + firstColumn + 4 * quad), x);
          AIT_UNROLL
          for (int j = 0; j < 4; ++j) values[half].values[4 * quad + j] = x[j];
        }
      }
      rowOf(i).template finish<8>(values[0], values[1], extras[i], 0);
    }
    synchronizeWarp();
  }
}

}  // namespace ait
