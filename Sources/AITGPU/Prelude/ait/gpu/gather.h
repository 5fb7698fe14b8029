// Copies whose source is chosen by a tensor of indices.
//
//   result[i…] = tensor[…, index[i…], …]
//
// torch.gather, torch.index_select and embeddings, which differ in the strides alone: the tensor
// has the stride 0 along what the index stands for, the index along what it is broadcast over.
// Where the index stays the same along the columns, a thread reads it once for a packet of them. An
// index outside its extent is noted in the record, and 0 stored. Expected bound: memory bandwidth,
// where rows are long; latency of dependent loads where they are single elements.
#pragma once

#include "ait/gpu/movement.h"

namespace ait {

/// Notes an index outside its extent; the first of a run is kept.
AIT_DEVICE void reportIndex(IndexErrorRecord* record, int32_t step, int64_t index, int64_t extent) {
  if (!claimFlag(&record->isSet)) return;
  record->step = step;
  record->index = index;
  record->extent = extent;
  fenceSystem();
}

/// `In` and `Out` are operands of integers as large as the elements, `Indices` of int32_t or
/// int64_t. The index moves along the columns only if packets have one.
template <class Config, class In, class Index, class Out, int kRank>
AIT_DEVICE void gather(const GatherArguments<kRank>& arguments) {
  using Loop = MovementLoop<Config, kRank>;
  using Element = typename In::Element;
  using Number = typename Index::Element;
  constexpr int W = Config::kPacket;
  constexpr int kPackets = Config::kPackets;
  static_assert(W == 1 || Index::kAccess == Access::uniform, "a packet has one index");
  launchDependents();
  typename Loop::Place places[kPackets];
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) places[i] = Loop::locate(arguments, i);
  waitForPrerequisites();
  int64_t chosen[kPackets];
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) {
    if (places[i].count <= 0) continue;
    const Number* row = Loop::template row<Number>(arguments, 1, places[i]);
    const int64_t stride = arguments.operands[1].strides[kRank - 1];
    const auto word =
        loadGlobal<static_cast<int>(sizeof(Number))>(row + places[i].positions[kRank - 1] * stride);
    Number number;
    __builtin_memcpy(&number, &word, sizeof(number));
    chosen[i] = number;
  }
  OperandPacket<In, W> packets[kPackets];
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) {
    if (places[i].count <= 0) continue;
    const bool isLegal = chosen[i] >= 0 && chosen[i] < arguments.axisExtent;
    if (!isLegal) reportIndex(arguments.record, arguments.step, chosen[i], arguments.axisExtent);
    const Element* row = Loop::template row<Element>(arguments, 0, places[i]) +
                         (isLegal ? chosen[i] * arguments.axisStride : 0);
    packets[i].load(row, arguments.operands[0].strides[kRank - 1], places[i].positions[kRank - 1],
                    isLegal ? places[i].count : 0);
  }
  AIT_UNROLL
  for (int i = 0; i < kPackets; ++i) {
    if (places[i].count <= 0) continue;
    OperandPacket<Out, W> out;
    AIT_UNROLL
    for (int column = 0; column < W; ++column) {
      out.packet.set(column, packets[i].at(column));
    }
    out.store(Loop::template row<Element>(arguments, 2, places[i]),
              arguments.operands[2].strides[kRank - 1], places[i].positions[kRank - 1],
              places[i].count);
  }
}

}  // namespace ait
