// The configuration, the arguments and the launch of recurrent layers. Compiles on the host.
#pragma once

#include "ait/gpu/launch.h"
#include "ait/gpu/movement_config.h"

namespace ait {

/// What a unit does with its gates.
enum class Cell { lstm, gru, tanh, relu };

template <Cell kCell>
constexpr int kGateCount = kCell == Cell::lstm  ? 4
                           : kCell == Cell::gru ? 3
                                                : 1;

/// How a block runs a sequence. A configuration inherits from this.
struct RecurrenceDefaults {
  static constexpr int kThreads = 256;
};

/// A layer of `units` over `steps` of as many sequences as there are blocks.
struct RecurrenceArguments {
  int64_t steps;
  int64_t units;
  OperandPlace<3> gates;
  OperandPlace<2> first;
  OperandPlace<2> firstMemory;
  OperandPlace<2> weights;
  OperandPlace<1> resetBias;
  OperandPlace<3> states;
  OperandPlace<2> last;
  OperandPlace<2> lastMemory;
  /// For each sequence two states and the memory of the cells.
  void* workspace;
};

/// Sizes: T, N, H, then the strides of the operands in their order, as the CPU's kernel has them. A
/// block for each sequence.
template <class Config, Cell kCell>
void launchRecurrence(const KernelContext& context, int32_t kernel) {
  RecurrenceArguments arguments{};
  arguments.steps = context.sizes[0];
  arguments.units = context.sizes[2];
  const int64_t* stride = context.sizes + 3;
  void* const* buffer = context.buffers;
  const auto take = [&](auto& place) {
    place.base = *buffer++;
    for (int64_t& own : place.strides) own = *stride++;
  };
  take(arguments.gates);
  take(arguments.first);
  if (kCell == Cell::lstm) take(arguments.firstMemory);
  take(arguments.weights);
  if (kCell == Cell::gru) take(arguments.resetBias);
  take(arguments.states);
  take(arguments.last);
  if (kCell == Cell::lstm) take(arguments.lastMemory);
  arguments.workspace = context.workspace;
  if (arguments.units == 0) return;
  launchKernel(context, kernel, context.sizes[1], Config::kThreads, 0, 1, arguments);
}

}  // namespace ait
