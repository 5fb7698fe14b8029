// Constant borders around a tensor: torch.nn.functional.pad in its constant mode.
//
//   result[i…] = tensor[i… − low…] inside, the constant outside
//
// The border is written and the tensor copied in one walk over the result. Expected bound: memory
// bandwidth; packets that the border cuts are read element by element.
#pragma once

#include "ait/gpu/movement.h"

namespace ait {

/// `In` and `Out` are operands of integers as large as the elements; `Border::kBits` the
/// constant's.
template <class Config, class Border, class In, class Out, int kRank>
AIT_DEVICE void pad(const PadArguments<kRank>& arguments) {
  using Loop = MovementLoop<Config, kRank>;
  using Element = typename In::Element;
  constexpr int W = Config::kPacket;
  constexpr int kPackets = Config::kPackets;
  const Element border = static_cast<Element>(Border::kBits);
  launchDependents();
  typename Loop::Place places[kPackets];
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) places[i] = Loop::locate(arguments, i);
  waitForPrerequisites();
  OperandPacket<Out, W> packets[kPackets];
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) {
    AIT_UNROLL
    for (int column = 0; column < W; ++column) packets[i].packet.set(column, border);
    bool isInside = places[i].count > 0;
    int64_t offset = 0;
    AIT_UNROLL
    for (int axis = 0; axis < kRank - 1; ++axis) {
      const int64_t position = places[i].positions[axis] - arguments.low[axis];
      isInside = isInside && position >= 0 && position < arguments.inner[axis];
      offset += position * arguments.operands[0].strides[axis];
    }
    if (!isInside) continue;
    const Element* row = static_cast<const Element*>(arguments.operands[0].base) + offset;
    const int64_t stride = arguments.operands[0].strides[kRank - 1];
    const int64_t first = places[i].positions[kRank - 1] - arguments.low[kRank - 1];
    const int64_t extent = arguments.inner[kRank - 1];
    if (first >= 0 && first + W <= extent && places[i].count >= W) {
      OperandPacket<In, W> in;
      in.load(row, stride, first);
      AIT_UNROLL
      for (int column = 0; column < W; ++column) packets[i].packet.set(column, in.at(column));
      continue;
    }
    AIT_UNROLL
    for (int column = 0; column < W; ++column) {
      const int64_t position = first + column;
      if (position >= 0 && position < extent && column < places[i].count) {
        const auto word = loadGlobal<static_cast<int>(sizeof(Element))>(row + position * stride);
        Element element;
        __builtin_memcpy(&element, &word, sizeof(element));
        packets[i].packet.set(column, element);
      }
    }
  }
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) {
    if (places[i].count <= 0) continue;
    packets[i].store(Loop::template row<Element>(arguments, 1, places[i]),
                     arguments.operands[1].strides[kRank - 1], places[i].positions[kRank - 1],
                     places[i].count);
  }
}

}  // namespace ait
