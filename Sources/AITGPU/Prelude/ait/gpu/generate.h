// Tensors that are made of nothing.
#pragma once

#include "ait/gpu/movement.h"

namespace ait {

/// result[i] = Range::kStart + i · Range::kStep: torch.arange. In double for floating-point types,
/// and in wrapping int64_t for integers. `Out` is contiguous. Expected bound: memory bandwidth, or
/// double arithmetic on devices that have little of it.
template <class Config, class Range, class Out>
AIT_DEVICE void arange(const MovementArguments<1, 1>& arguments) {
  using Loop = MovementLoop<Config, 1>;
  using T = typename Out::Element;
  using Number = ComputeType<T>;
  constexpr int W = Config::kPacket;
  launchDependents();
  waitForPrerequisites();
  AIT_UNROLL
  for (int packet = 0; packet < Config::kPackets; ++packet) {
    const auto place = Loop::locate(arguments, packet);
    if (place.count <= 0) continue;
    const int64_t first = place.positions[0];
    Number numbers[W];
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      if constexpr (__is_same(Number, float) || __is_same(Number, double)) {
        numbers[i] = static_cast<Number>(double{Range::kStart} +
                                         static_cast<double>(first + i) * double{Range::kStep});
      } else {
        numbers[i] = static_cast<Number>(static_cast<uint64_t>(int64_t{Range::kStart}) +
                                         static_cast<uint64_t>(first + i) *
                                             static_cast<uint64_t>(int64_t{Range::kStep}));
      }
    }
    OperandPacket<Out, W> out;
    AIT_UNROLL
    for (int i = 0; i < W; i += 2) out.setPair(i, numbers[i], numbers[i + 1]);
    out.store(static_cast<T*>(arguments.operands[0].base), 1, first, place.count);
  }
}

}  // namespace ait
