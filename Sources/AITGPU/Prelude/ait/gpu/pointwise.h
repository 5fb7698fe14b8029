// Kernels that compute every output element from the input elements at the same index.
//
//   outputs[…] = Body(inputs[…])
//
// over a loop nest of `kRank` extents, the columns last. A thread takes kPackets packets of kPacket
// columns, all loads first; an output may be the same memory as an input with the same strides.
// Expected bound: memory bandwidth, where the columns of most operands are contiguous.
#pragma once

#include "ait/gpu/packet.h"
#include "ait/gpu/rows_config.h"

namespace ait {

/// The arguments are those of kernels on rows. Blocks count up to the packets of all rows, divided
/// by kThreads * kPackets and rounded up; there are fewer than 2^31 packets.
template <class Config, class Body, class In, class Out, int kRank>
class Pointwise {
  static constexpr int W = Config::kPacket;
  static constexpr int kPackets = Config::kPackets;
  static constexpr int kCount = In::kCount + Out::kCount;

 public:
  using Arguments = RowArguments<kRank, kCount>;

  AIT_DEVICE explicit Pointwise(const Arguments& arguments)
      : arguments_(arguments),
        packetsPerRow_((static_cast<unsigned>(arguments.extents[kRank - 1]) + W - 1) / W) {}

  AIT_DEVICE void run() const {
    launchDependents();
    const unsigned count = static_cast<unsigned>(arguments_.rows) * packetsPerRow_;
    const unsigned first = static_cast<unsigned>(blockIndex()) * (Config::kThreads * kPackets) +
                           static_cast<unsigned>(threadIndex());
    Place places[kPackets];
    Packets<In, W> in[kPackets];
    AIT_UNROLL
    for (int i = 0; i < kPackets; ++i) {
      places[i] = locate(first + static_cast<unsigned>(i * Config::kThreads), count);
    }
    waitForPrerequisites();
    AIT_UNROLL
    for (int i = 0; i < kPackets; ++i) {
      if (places[i].count > 0) load(in[i], places[i], In{}, Indices<In::kCount>{});
    }
    AIT_UNROLL
    for (int i = 0; i < kPackets; ++i) {
      Packets<Out, W> out;
      applyBody<Body, W>(out, in[i]);
      if (places[i].count > 0) store(out, places[i], Out{}, Indices<Out::kCount>{});
    }
  }

 private:
  /// Where a packet lies: its first column, how many columns exist, each operand's row.
  struct Place {
    int column;
    int count;
    int64_t offsets[kCount];
  };

  AIT_DEVICE Place locate(unsigned index, unsigned count) const {
    Place place;
    unsigned row = 0;
    unsigned packet = index;
    if constexpr (kRank > 1) {
      row = index / packetsPerRow_;
      packet = index - row * packetsPerRow_;
    }
    place.column = static_cast<int>(packet * W);
    const int rest = arguments_.extents[kRank - 1] - place.column;
    place.count = index >= count ? 0 : Config::kColumnMultiple % W == 0 ? W : rest;
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) place.offsets[operand] = 0;
    AIT_UNROLL
    for (int axis = kRank - 2; axis >= 0; --axis) {
      const unsigned extent = static_cast<unsigned>(arguments_.extents[axis]);
      const unsigned quotient = axis > 0 ? row / extent : 0;
      const int64_t position = row - quotient * extent;
      AIT_UNROLL
      for (int operand = 0; operand < kCount; ++operand) {
        place.offsets[operand] += position * arguments_.operands[operand].strides[axis];
      }
      row = quotient;
    }
    return place;
  }

  template <class O, int kOperand>
  AIT_DEVICE typename O::Element* row(const Place& place) const {
    return static_cast<typename O::Element*>(arguments_.operands[kOperand].base) +
           place.offsets[kOperand];
  }
  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void load(Packets<In, W>& in, const Place& place, Pack<O...>,
                       IntegerSequence<int, I...>) const {
    (get<I>(in).load(row<O, I>(place), arguments_.operands[I].strides[kRank - 1], place.column,
                     place.count),
     ...);
  }
  template <template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void store(const Packets<Out, W>& out, const Place& place, Pack<O...>,
                        IntegerSequence<int, I...>) const {
    (get<I>(out).store(row<O, In::kCount + I>(place),
                       arguments_.operands[In::kCount + I].strides[kRank - 1], place.column,
                       place.count),
     ...);
  }

  const Arguments& arguments_;
  unsigned packetsPerRow_;
};

/// Computes the packets of a block.
template <class Config, class Body, class In, class Out, int kRank>
AIT_DEVICE void pointwise(const RowArguments<kRank, In::kCount + Out::kCount>& arguments) {
  Pointwise<Config, Body, In, Out, kRank>(arguments).run();
}

}  // namespace ait
