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
        : problem_(epilogue.problem_), columns_(row < problem_.M ? problem_.N - column : 0) {
      place(epilogue, row, column, In{}, Out{}, Indices<In::kCount>{}, Indices<Out::kCount>{});
    }

    /// Loads the extras of the columns `offset ..< offset + W`, those that exist; those that move
    /// along the rows, or those that do not, or all.
    template <int W, bool kLoadsVarying = true, bool kLoadsUniform = true>
    AIT_DEVICE void load(Extras<W>& extras, int offset) const {
      if (offset < columns_) {
        loadIndexed<W, kLoadsVarying, kLoadsUniform>(extras, offset, In{}, Indices<In::kCount>{});
      }
    }

    /// Finishes the columns `offset ..< offset + W`, those that exist, from sums of any type.
    template <int W, class Sums>
    AIT_DEVICE void finish(const Sums& sums, const Extras<W>& extras, int offset) const {
      finishJoined<W>(extras, offset, sums);
    }
    /// The same for a body of two sums.
    template <int W, class Sums>
    AIT_DEVICE void finish(const Sums& first, const Sums& second, const Extras<W>& extras,
                           int offset) const {
      finishJoined<W>(extras, offset, first, second);
    }

   private:
    template <int W, class... Sums>
    AIT_DEVICE void finishJoined(const Extras<W>& extras, int offset, const Sums&... sums) const {
      // The body runs for columns that do not exist, too: a branch around it would keep the
      // compiler from working on several packets at once.
      Packets<Out, W> out;
      applyBody<Body, W>(out, extras, sums...);
      if (offset < columns_) storeIndexed<W>(out, offset, Out{}, Indices<Out::kCount>{});
    }

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

    template <int W, bool kLoadsVarying, bool kLoadsUniform, template <class...> class Pack,
              class... O, int... I>
    AIT_DEVICE void loadIndexed(Extras<W>& extras, int offset, Pack<O...>,
                                IntegerSequence<int, I...>) const {
      (loadOne<W, O, (O::kRows == Rows::varying ? kLoadsVarying : kLoadsUniform), I>(get<I>(extras),
                                                                                     offset),
       ...);
    }
    template <int W, class O, bool kIsLoaded, int kOperand, class Packet>
    AIT_DEVICE void loadOne(Packet& packet, int offset) const {
      if constexpr (kIsLoaded) {
        packet.load(static_cast<const typename O::Element*>(bases_[kOperand]), stride(kOperand),
                    offset, existing<W>(offset));
      }
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
           row * place.strides[kBatchRank] + columnOffset<O>(column, place.strides[kBatchRank + 1]);
  }

  const Problem& problem_;
  int64_t offsets_[kCount];
};

// MARK: - From the matrix units' order to rows

// The matrix units leave two neighbouring columns of a row to a thread. Rows go through shared
// memory, so that a thread gets 8 columns, and loads and stores 16 bytes of 16-bit operands at
// once. A warp stages 16 rows of 32 columns, or of 64, which meets fewer latencies. A row's pitch
// is 8 floats more than a multiple of 32, and the 4-column halves of 8 columns are exchanged where
// two lanes of a read would otherwise meet a bank: in odd rows of 32 columns, in the second 32
// of 64.

/// The shared memory in which a warp stages rows.
template <int kStagedColumns>
struct Staging {
  static_assert(kStagedColumns == 32 || kStagedColumns == 64, "32 or 64 columns are staged");
  static constexpr int kPitch = kStagedColumns + 8;
  /// Of 16 rows.
  static constexpr int kFloats = 16 * kPitch;
  /// Lanes that share a row, and rows that a warp finishes at once.
  static constexpr int kLanes = kStagedColumns / 8;
  static constexpr int kRows = 32 / kLanes;

  AIT_DEVICE static int at(int row, int column) {
    const int exchange = kStagedColumns == 32 ? row & 1 : column >> 5 & 1;
    return row * kPitch + (column ^ exchange << 2);
  }
};

/// The extras of a warp's columns that do not move along its rows, loaded long before they are
/// used: nothing in an epilogue hides the latency of a load. Of wide tiles, whose sums leave few
/// registers, they are loaded as the others are.
template <int kColumns, int kStagedColumns, class Epilogue, bool kAreKept = (kColumns <= 128)>
struct ColumnExtras {
  typename Epilogue::template Extras<8> chunks[larger(kColumns / kStagedColumns, 1)];

  AIT_DEVICE void load(const Epilogue& epilogue, int row, int column) {
    if constexpr (!kAreKept) return;
    using S = Staging<kStagedColumns>;
    const auto place = epilogue.row(row, column + laneIndex() % S::kLanes * 8);
    AIT_UNROLL
    for (int chunk = 0; chunk < kColumns; chunk += kStagedColumns) {
      place.template load<8, false, true>(chunks[chunk / kStagedColumns], chunk);
    }
  }
};

/// Finishes 16 rows of `kColumns` columns of a warp, held as the matrix units leave them.
///
/// - staging: `Staging::kFloats`, this warp's own.
template <int kColumns, int kStagedColumns, class Epilogue, bool kKeepsColumns>
AIT_DEVICE void finishWarpRows(
    const Epilogue& epilogue,
    const ColumnExtras<kColumns, kStagedColumns, Epilogue, kKeepsColumns>& columns, float* staging,
    const float (&sums)[kColumns / 2], int row, int column) {
  using S = Staging<kStagedColumns>;
  static_assert(kColumns % kStagedColumns == 0, "columns are staged in equal parts");
  // A group is two rows of a thread; its extras are loaded while the one before it is finished, if
  // there are registers for both.
  constexpr int kGroups = 16 / (2 * S::kRows);
  constexpr int kAllGroups = kGroups * (kColumns / kStagedColumns);
  const int lane = laneIndex();
  const int firstColumn = lane % S::kLanes * 8;
  const auto rowOf = [&](int group, int i) {
    return epilogue.row(row + (group % kGroups * 2 + i) * S::kRows + lane / S::kLanes,
                        column + group / kGroups * kStagedColumns + firstColumn);
  };
  constexpr int kBuffers = kKeepsColumns ? 2 : 1;
  typename Epilogue::template Extras<8> extras[kBuffers][2];
  const auto loadExtras = [&](int group) {
    AIT_UNROLL
    for (int i = 0; i < 2; ++i) {
      auto& packets = extras[group % kBuffers][i];
      if constexpr (kKeepsColumns) packets = columns.chunks[group / kGroups];
      rowOf(group, i).template load<8, true, !kKeepsColumns>(packets, 0);
    }
  };
  if constexpr (kBuffers == 2) loadExtras(0);
  AIT_UNROLL
  for (int group = 0; group < kAllGroups; ++group) {
    if (kBuffers == 1 || group + 1 < kAllGroups) loadExtras(group + kBuffers - 1);
    if (group % kGroups == 0) {
      AIT_UNROLL
      for (int block = 0; block < kStagedColumns / 8; ++block) {
        const int at = (group / kGroups * (kStagedColumns / 8) + block) * 4;
        // The rows lane / 4 and 8 below it have the same parity, so the same places.
        float* pair = staging + S::at(lane / 4, block * 8 + lane % 4 * 2);
        storeShared(pair, sums[at], sums[at + 1]);
        storeShared(pair + 8 * S::kPitch, sums[at + 2], sums[at + 3]);
      }
      synchronizeWarp();
    }
    Values<float, 8> values[2];
    AIT_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int staged = (group % kGroups * 2 + i) * S::kRows + lane / S::kLanes;
      AIT_UNROLL
      for (int half = 0; half < 2; ++half) {
        float x[4];
        loadShared(staging + S::at(staged, firstColumn + 4 * half), x);
        AIT_UNROLL
        for (int j = 0; j < 4; ++j) values[i].values[4 * half + j] = x[j];
      }
    }
    AIT_UNROLL
    for (int i = 0; i < 2; ++i) {
      rowOf(group, i).template finish<8>(values[i], extras[group % kBuffers][i], 0);
    }
    if (group % kGroups == kGroups - 1) synchronizeWarp();
  }
}

/// Finishes `kRows` rows of 16 columns of a warp, held as the matrix units leave the transpose.
///
/// - staging: 20 floats for every row, this warp's own; with that pitch, the lanes of a store are
/// on
///   different banks.
template <int kRows, class Epilogue>
AIT_DEVICE void finishWarpColumns(const Epilogue& epilogue, float* staging,
                                  const float (&sums)[kRows / 2], int row, int column) {
  constexpr int kPitch = 20;
  const int lane = laneIndex();
  AIT_UNROLL
  for (int i = 0; i < kRows / 2; ++i) {
    staging[(i / 4 * 8 + lane % 4 * 2 + i % 2) * kPitch + lane / 4 + i / 2 % 2 * 8] = sums[i];
  }
  synchronizeWarp();
  AIT_UNROLL
  for (int first = 0; first < kRows * 2; first += 32) {
    const int packet = first + lane;
    if (kRows * 2 % 32 != 0 && packet >= kRows * 2) break;
    const float* from = staging + packet / 2 * kPitch + packet % 2 * 8;
    const auto place = epilogue.row(row + packet / 2, column + packet % 2 * 8);
    typename Epilogue::template Extras<8> extras;
    place.template load<8>(extras, 0);
    Values<float, 8> values;
    AIT_UNROLL
    for (int half = 0; half < 2; ++half) {
      float x[4];
      loadShared(from + 4 * half, x);
      AIT_UNROLL
      for (int j = 0; j < 4; ++j) values.values[4 * half + j] = x[j];
    }
    place.template finish<8>(values, extras, 0);
  }
  synchronizeWarp();
}

}  // namespace ait
