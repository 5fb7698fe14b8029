// The end of a matrix product: extras in, the epilogue's results out, at places of a matrix.
#pragma once

#include "ait/gpu/matmul_config.h"
#include "ait/gpu/packet.h"

namespace ait {

/// The epilogue at one matrix of the batch: `Body::apply(sum, extras…)`, one result per output.
template <class Config, class Body, class In, class Out>
class MatrixEpilogue {
  static constexpr int kBatchRank = Config::kBatchRank;
  static constexpr int kCount = In::kCount + Out::kCount;

 public:
  using Problem = MatmulProblem<kBatchRank, kCount>;
  template <int W>
  using Extras = Packets<In, W>;

  AIT_DEVICE explicit MatrixEpilogue(const Problem& problem) : problem_(problem) {
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
  }

  /// Moves to a matrix of the batch, given as an index per batch axis.
  AIT_DEVICE void seek(const int (&position)[kBatchRank + 1]) {
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) {
      offsets_[operand] = 0;
      AIT_UNROLL
      for (int axis = 0; axis < kBatchRank; ++axis) {
        offsets_[operand] += position[axis] * problem_.operands[operand].strides[axis];
      }
    }
  }

  /// A row of every operand, from a column on.
  class Row {
   public:
    AIT_DEVICE Row(const MatrixEpilogue& epilogue, int row, int column)
        : problem_(epilogue.problem_),
          columns_(row < problem_.M ? problem_.N - column : 0) {
      place(epilogue, row, column, In{}, Out{}, Indices<In::kCount>{}, Indices<Out::kCount>{});
    }

    /// Brings the extras of the columns `offset ..< offset + W` near, for a load that follows much
    /// later: the latency of a load in the epilogue is hidden by nothing.
    template <int W>
    AIT_DEVICE void touch(int offset) const {
      if (offset < columns_) touchIndexed(offset, In{}, Indices<In::kCount>{});
    }

    /// Loads the extras of the columns `offset ..< offset + W`, those that exist.
    template <int W>
    AIT_DEVICE void load(Extras<W>& extras, int offset) const {
      if (offset < columns_) loadIndexed<W>(extras, offset, In{}, Indices<In::kCount>{});
    }

    /// Finishes the columns `offset ..< offset + W`, those that exist.
    template <int W>
    AIT_DEVICE void finish(const Values<float, W>& sums, const Extras<W>& extras,
                           int offset) const {
      // The body runs for columns that do not exist, too: a branch around it would keep the
      // compiler from working on several packets at once.
      Packets<Out, W> out;
      applyBody<Body, W>(out, extras, sums);
      if (offset < columns_) storeIndexed<W>(out, offset, Out{}, Indices<Out::kCount>{});
    }

   private:
    template <template <class...> class PackIn, template <class...> class PackOut, class... I,
              class... O, int... i, int... o>
    AIT_DEVICE void place(const MatrixEpilogue& epilogue, int row, int column, PackIn<I...>,
                          PackOut<O...>, IntegerSequence<int, i...>, IntegerSequence<int, o...>) {
      ((bases_[i] = epilogue.template address<I>(i, row, column)), ...);
      ((bases_[In::kCount + o] = epilogue.template address<O>(In::kCount + o, row, column)), ...);
    }

    /// How many of `W` columns exist, `W` or more if all.
    template <int W>
    AIT_DEVICE int existing(int offset) const {
      return Config::kColumnMultiple % W == 0 ? W : columns_ - offset;
    }
    AIT_DEVICE int64_t stride(int operand) const {
      return problem_.operands[operand].strides[kBatchRank + 1];
    }

    template <template <class...> class Pack, class... O, int... I>
    AIT_DEVICE void touchIndexed(int offset, Pack<O...>, IntegerSequence<int, I...>) const {
      (touchGlobal(static_cast<const typename O::Element*>(bases_[I]) +
                   columnOffset<O>(offset, stride(I))),
       ...);
    }
    template <int W, template <class...> class Pack, class... O, int... I>
    AIT_DEVICE void loadIndexed(Extras<W>& extras, int offset, Pack<O...>,
                                IntegerSequence<int, I...>) const {
      (get<I>(extras).load(static_cast<const typename O::Element*>(bases_[I]), stride(I), offset,
                           existing<W>(offset)),
       ...);
    }
    template <int W, template <class...> class Pack, class... O, int... I>
    AIT_DEVICE void storeIndexed(const Packets<Out, W>& out, int offset, Pack<O...>,
                                 IntegerSequence<int, I...>) const {
      (get<I>(out).store(static_cast<typename O::Element*>(bases_[In::kCount + I]),
                         stride(In::kCount + I), offset, existing<W>(offset)),
       ...);
    }

    const Problem& problem_;
    int columns_;
    void* bases_[kCount];
  };

  AIT_DEVICE Row row(int row, int column) const { return Row(*this, row, column); }

 private:
  template <class O>
  AIT_DEVICE static int64_t columnOffset(int column, int64_t stride) {
    return O::kAccess == Access::contiguous ? column
           : O::kAccess == Access::uniform  ? 0
                                            : column * stride;
  }
  template <class O>
  AIT_DEVICE void* address(int operand, int row, int column) const {
    const auto& place = problem_.operands[operand];
    return static_cast<typename O::Element*>(place.base) + offsets_[operand] +
           row * place.strides[kBatchRank] +
           columnOffset<O>(column, place.strides[kBatchRank + 1]);
  }

  const Problem& problem_;
  int64_t offsets_[kCount];
};

// MARK: - From the matrix units' order to rows

// The matrix units leave two neighbouring columns of a row to a thread. Rows go through shared
// memory, so that a thread gets 8 columns, and loads and stores 16 bytes of 16-bit operands at
// once. Odd rows have the 4-column halves of 8 columns exchanged: neither writing pairs nor reading
// quadruples then meets a bank twice, if the pitch is 8 floats more than a multiple of 32.

/// The floats from a staged row to the next.
inline constexpr int kStagedPitch = 40;

/// The place of a column in a staged row.
AIT_DEVICE int stagedColumn(int row, int column) { return column ^ (row & 1) << 2; }

/// Touches the extras of what `finishWarpRows` will finish.
template <int kColumns, class Epilogue>
AIT_DEVICE void touchWarpRows(const Epilogue& epilogue, int row, int column) {
  const int lane = laneIndex();
  AIT_UNROLL
  for (int half = 0; half < 2; ++half) {
    const auto place = epilogue.row(row + lane / 4 + 8 * half, column + lane % 4 * 8);
    AIT_UNROLL
    for (int chunk = 0; chunk < kColumns / 32; ++chunk) place.template touch<8>(32 * chunk);
  }
}

/// Finishes 16 rows of `kColumns` columns of a warp, held as the matrix units leave them.
///
/// - staging: 16 staged rows, this warp's own.
template <int kColumns, class Epilogue>
AIT_DEVICE void finishWarpRows(const Epilogue& epilogue, float* staging,
                               const float (&sums)[kColumns / 2], int row, int column) {
  const int lane = laneIndex();
  const int firstColumn = lane % 4 * 8;
  // The rows lane / 4 and 8 below it: the same parity, so the same places within a row.
  float* staged = staging + lane / 4 * kStagedPitch;
  const auto low = epilogue.row(row + lane / 4, column + firstColumn);
  const auto high = epilogue.row(row + lane / 4 + 8, column + firstColumn);
  AIT_UNROLL
  for (int chunk = 0; chunk < kColumns / 32; ++chunk) {
    typename Epilogue::template Extras<8> extras[2];
    low.template load<8>(extras[0], 32 * chunk);
    high.template load<8>(extras[1], 32 * chunk);
    AIT_UNROLL
    for (int group = 0; group < 4; ++group) {
      const int at = (chunk * 4 + group) * 4;
      float* pair = staged + stagedColumn(lane / 4, group * 8 + lane % 4 * 2);
      storeShared(pair, sums[at], sums[at + 1]);
      storeShared(pair + 8 * kStagedPitch, sums[at + 2], sums[at + 3]);
    }
    synchronizeWarp();
    Values<float, 8> values[2];
    AIT_UNROLL
    for (int quarter = 0; quarter < 2; ++quarter) {
      const float* quad = staged + stagedColumn(lane / 4, firstColumn + 4 * quarter);
      AIT_UNROLL
      for (int half = 0; half < 2; ++half) {
        float x[4];
        loadShared(quad + 8 * half * kStagedPitch, x);
        AIT_UNROLL
        for (int i = 0; i < 4; ++i) values[half].values[4 * quarter + i] = x[i];
      }
    }
    synchronizeWarp();
    low.template finish<8>(values[0], extras[0], 32 * chunk);
    high.template finish<8>(values[1], extras[1], 32 * chunk);
  }
}

}  // namespace ait
