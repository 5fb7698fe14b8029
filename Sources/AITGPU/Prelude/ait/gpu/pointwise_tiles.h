// Pointwise kernels of which an input lies transposed: contiguous along the rows, not the columns.
//
//   outputs[…] = Body(inputs[…])
//
// over a loop nest of `kRank` extents, the last two of which are rows and columns. A block takes a
// tile. It loads such inputs in packets along the rows and stages them in shared memory, from which
// packets along the columns are read; all other operands move as in `pointwise.h`. Expected bound:
// memory bandwidth.
#pragma once

#include "ait/gpu/packet.h"
#include "ait/gpu/rows_config.h"

namespace ait {

/// A tile of an operand in shared memory, row by row. The 16-byte chunks of a row change places
/// with the row, so that neither the elements of a packet of rows, nor packets along a row, meet in
/// the same banks.
template <class T, int kTile>
struct StagedTile {
  static constexpr int kWidth = 16 / static_cast<int>(sizeof(T));
  static constexpr int kChunks = kTile / kWidth;
  static constexpr int kBytes = kTile * kTile * static_cast<int>(sizeof(T));

  AIT_DEVICE static int index(int row, int column) {
    const int chunk = (column / kWidth) ^ (row / kWidth % kChunks);
    return row * kTile + chunk * kWidth + column % kWidth;
  }
};

template <class Config, class Body, class In, class Out, int kRank>
class PointwiseTiles {
  static constexpr int W = Config::kPacket;
  static constexpr int kTile = Config::kTile;
  static constexpr int kCount = In::kCount + Out::kCount;
  static_assert(kRank >= 2, "a tile has rows and columns");
  static_assert(kTile * kTile / W % Config::kThreads == 0, "threads take whole packets");

 public:
  using Arguments = RowArguments<kRank, kCount>;

  AIT_DEVICE explicit PointwiseTiles(const Arguments& arguments) : arguments_(arguments) {
    const unsigned rows = static_cast<unsigned>(arguments.extents[kRank - 2]);
    const unsigned columns = static_cast<unsigned>(arguments.extents[kRank - 1]);
    const unsigned tilesOfRow = (columns + kTile - 1) / kTile;
    const unsigned tilesOfColumn = (rows + kTile - 1) / kTile;
    unsigned index = static_cast<unsigned>(blockIndex());
    unsigned quotient = index / tilesOfRow;
    column_ = static_cast<int>((index - quotient * tilesOfRow) * kTile);
    index = quotient;
    quotient = index / tilesOfColumn;
    row_ = static_cast<int>((index - quotient * tilesOfColumn) * kTile);
    index = quotient;
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
    AIT_UNROLL
    for (int axis = kRank - 3; axis >= 0; --axis) {
      const unsigned extent = static_cast<unsigned>(arguments.extents[axis]);
      quotient = axis > 0 ? index / extent : 0;
      const int64_t position = index - quotient * extent;
      AIT_UNROLL
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += position * arguments.operands[operand].strides[axis];
      }
      index = quotient;
    }
  }

  AIT_DEVICE void run() const {
    launchDependents();
    waitForPrerequisites();
    stage(In{}, Indices<In::kCount>{});
    synchronizeBlock();
    AIT_UNROLL
    for (int i = 0; i < kTile * kTile / W / Config::kThreads; ++i) {
      const int index = i * Config::kThreads + threadIndex();
      const int row = index / (kTile / W);
      const int column = index % (kTile / W) * W;
      const int rest = arguments_.extents[kRank - 1] - (column_ + column);
      if (row_ + row >= arguments_.extents[kRank - 2] || rest <= 0) continue;
      const int count = Config::kColumnMultiple % W == 0 ? W : rest;
      Packets<In, W> in;
      load(in, row, column, count, In{}, Indices<In::kCount>{});
      Packets<Out, W> out;
      applyBody<Body, W>(out, in);
      store(out, row, column, count, Out{}, Indices<Out::kCount>{});
    }
  }

 private:
  /// Where the tile of an operand that is staged begins.
  template <int kOperand, template <class...> class Pack, class... O>
  AIT_DEVICE static constexpr int sharedOffset(Pack<O...>) {
    constexpr int kSizes[] = {
        (O::kAccess == Access::transposed ? StagedTile<typename O::Element, kTile>::kBytes : 0)...,
        0};
    int offset = 0;
    for (int i = 0; i < kOperand; ++i) offset += kSizes[i];
    return offset;
  }
  template <class O, int kOperand>
  AIT_DEVICE static typename O::Element* staged() {
    constexpr int kOffset = sharedOffset<kOperand>(In{});
    static_assert(kOffset + StagedTile<typename O::Element, kTile>::kBytes <= Config::kSharedBytes,
                  "the launch gives as much shared memory as the tiles take");
    return reinterpret_cast<typename O::Element*>(dynamicSharedMemory() + kOffset);
  }

  template <class O, int kOperand>
  AIT_DEVICE typename O::Element* address(int64_t row, int64_t column) const {
    const auto& place = arguments_.operands[kOperand];
    return static_cast<typename O::Element*>(place.base) + offsets_[kOperand] +
           row * place.strides[kRank - 2] + column * place.strides[kRank - 1];
  }

  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void stage(Pack<O...>, IntegerSequence<int, I...>) const {
    (stageOperand<O, I>(), ...);
  }
  template <class O, int kOperand>
  AIT_DEVICE void stageOperand() const {
    if constexpr (O::kAccess == Access::transposed) {
      using T = typename O::Element;
      using Tile = StagedTile<T, kTile>;
      constexpr int kWidth = Tile::kWidth;
      constexpr int kPackets = kTile * Tile::kChunks;
      constexpr int kEach = (kPackets + Config::kThreads - 1) / Config::kThreads;
      OperandPacket<Operand<T, Access::contiguous, O::kAlignment>, kWidth> packets[kEach];
      T* const tile = staged<O, kOperand>();
      // All loads first.
      AIT_UNROLL
      for (int i = 0; i < kEach; ++i) {
        const int index = i * Config::kThreads + threadIndex();
        const int row = index % Tile::kChunks * kWidth;
        const int column = index / Tile::kChunks;
        const int count = arguments_.extents[kRank - 2] - (row_ + row);
        if (index < kPackets && column_ + column < arguments_.extents[kRank - 1] && count > 0) {
          packets[i].load(address<O, kOperand>(row_ + row, column_ + column), 1, 0, count);
        }
      }
      AIT_UNROLL
      for (int i = 0; i < kEach; ++i) {
        const int index = i * Config::kThreads + threadIndex();
        if (index >= kPackets) continue;
        AIT_UNROLL
        for (int element = 0; element < kWidth; ++element) {
          tile[Tile::index(index % Tile::kChunks * kWidth + element, index / Tile::kChunks)] =
              packets[i].packet.raw(element);
        }
      }
    }
  }

  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void load(Packets<In, W>& in, int row, int column, int count, Pack<O...>,
                       IntegerSequence<int, I...>) const {
    (loadOperand<O, I>(get<I>(in), row, column, count), ...);
  }
  template <class O, int kOperand, class P>
  AIT_DEVICE void loadOperand(P& packet, int row, int column, int count) const {
    if constexpr (O::kAccess == Access::transposed) {
      using Tile = StagedTile<typename O::Element, kTile>;
      constexpr int kStep = smaller(W, Tile::kWidth);
      AIT_UNROLL
      for (int i = 0; i < W; i += kStep) {
        packet.packet.template take<kStep* static_cast<int>(sizeof(typename O::Element))>(
            i, staged<O, kOperand>() + Tile::index(row, column + i));
      }
    } else {
      packet.load(address<O, kOperand>(row_ + row, 0),
                  arguments_.operands[kOperand].strides[kRank - 1], column_ + column, count);
    }
  }
  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void store(const Packets<Out, W>& out, int row, int column, int count, Pack<O...>,
                        IntegerSequence<int, I...>) const {
    (get<I>(out).store(address<O, In::kCount + I>(row_ + row, 0),
                       arguments_.operands[In::kCount + I].strides[kRank - 1], column_ + column,
                       count),
     ...);
  }

  const Arguments& arguments_;
  int row_;
  int column_;
  int64_t offsets_[kCount];
};

/// Computes the tile of a block.
template <class Config, class Body, class In, class Out, int kRank>
AIT_DEVICE void pointwiseTiles(const RowArguments<kRank, In::kCount + Out::kCount>& arguments) {
  PointwiseTiles<Config, Body, In, Out, kRank>(arguments).run();
}

}  // namespace ait
