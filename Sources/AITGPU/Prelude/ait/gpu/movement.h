// What kernels share that move elements: how a thread finds its packets, and elements as integers
// of their size.
#pragma once

#include "ait/gpu/movement_config.h"
#include "ait/gpu/packet.h"

namespace ait {

/// Integers of 1, 2, 4 and 8 bytes: elements that are moved and not computed with.
template <int kSize>
struct BitsOf;
template <>
struct BitsOf<1> {
  using Type = int8_t;
};
template <>
struct BitsOf<2> {
  using Type = int16_t;
};
template <>
struct BitsOf<4> {
  using Type = int32_t;
};
template <>
struct BitsOf<8> {
  using Type = int64_t;
};

template <class Index>
struct UnsignedIndexOf {
  using Type = uint32_t;
};
template <>
struct UnsignedIndexOf<int64_t> {
  using Type = uint64_t;
};

/// A thread's packets of `Config::kPacket` columns, kThreads apart.
template <class Config, int kRank>
class MovementLoop {
 public:
  static constexpr int W = Config::kPacket;
  using Index = typename Config::Index;
  using Unsigned = typename UnsignedIndexOf<Index>::Type;

  /// Where a packet stands in the loops; none of its columns exist beyond the last packet.
  struct Place {
    int64_t positions[kRank];  // the last is the first column
    int count;
  };

  template <class Arguments>
  static AIT_DEVICE Place locate(const Arguments& arguments, int i) {
    const int64_t packet =
        blockIndex() * (Config::kThreads * Config::kPackets) + i * Config::kThreads + threadIndex();
    Place place;
    const Unsigned index = static_cast<Unsigned>(packet);
    Unsigned row = 0;
    Unsigned rest = index;
    if constexpr (kRank > 1) {
      row = index / static_cast<Unsigned>(arguments.packetsPerRow);
      rest = index - row * static_cast<Unsigned>(arguments.packetsPerRow);
    }
    const int64_t column = static_cast<int64_t>(rest) * W;
    place.positions[kRank - 1] = column;
    const int64_t left = arguments.extents[kRank - 1] - column;
    place.count = packet >= arguments.packets                     ? 0
                  : Config::kColumnMultiple % W == 0 || left >= W ? W
                                                                  : static_cast<int>(left);
    AIT_UNROLL
    for (int axis = kRank - 2; axis >= 0; --axis) {
      const Unsigned extent = static_cast<Unsigned>(arguments.extents[axis]);
      const Unsigned quotient = axis > 0 ? row / extent : 0;
      place.positions[axis] = static_cast<int64_t>(row - quotient * extent);
      row = quotient;
    }
    return place;
  }

  /// An operand's row of a packet: its address without the columns.
  template <class Element, class Arguments>
  static AIT_DEVICE Element* row(const Arguments& arguments, int operand, const Place& place) {
    int64_t offset = 0;
    AIT_UNROLL
    for (int axis = 0; axis < kRank - 1; ++axis) {
      offset += place.positions[axis] * arguments.operands[operand].strides[axis];
    }
    return static_cast<Element*>(arguments.operands[operand].base) + offset;
  }
};

}  // namespace ait
