// Recurrent layers: LSTM, GRU and plain ones, from their gates' share of the input.
//
// A block has a sequence, a warp of it a unit at a time: its lanes share the products of the state
// with the unit's rows of the weights. Expected bound: reading the weights once a step and
// sequence, from the level-2 cache; many sequences would rather share them.
#pragma once

#include "ait/gpu/recurrence_config.h"
#include "ait/gpu/rows.h"

namespace ait {

template <class T>
AIT_DEVICE T sumOfWarp(T x) {
  AIT_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) x += exchange(x, mask);
  return x;
}

template <class Config, Cell kCell, class Element, bool kIsReversed>
AIT_DEVICE void recurrence(const RecurrenceArguments& arguments) {
  using T = ComputeType<Element>;
  constexpr int kSize = static_cast<int>(sizeof(Element));
  constexpr int G = kGateCount<kCell>;
  constexpr bool kHasMemory = kCell == Cell::lstm;
  const int64_t sequence = blockIndex();
  const int64_t units = arguments.units, steps = arguments.steps;
  launchDependents();
  waitForPrerequisites();
  const auto load = [](const void* base, int64_t offset) {
    const auto word = loadGlobal<kSize>(static_cast<const Element*>(base) + offset);
    Element element;
    __builtin_memcpy(&element, &word, kSize);
    return static_cast<T>(toCompute(element));
  };
  const auto store = [](void* base, int64_t offset, T x) {
    const Element element = toStorage<Element>(x);
    Words<kSize> word;
    __builtin_memcpy(&word, &element, kSize);
    storeGlobal(static_cast<Element*>(base) + offset, word);
  };
  T* const states = static_cast<T*>(arguments.workspace) + sequence * 3 * units;
  T* const memory = states + 2 * units;
  for (int64_t unit = threadIndex(); unit < units; unit += Config::kThreads) {
    states[unit] = load(arguments.first.base,
                        sequence * arguments.first.strides[0] + unit * arguments.first.strides[1]);
    if (kHasMemory) {
      memory[unit] = load(arguments.firstMemory.base, sequence * arguments.firstMemory.strides[0] +
                                                          unit * arguments.firstMemory.strides[1]);
    }
  }
  synchronizeBlock();
  AIT_NO_UNROLL
  for (int64_t index = 0; index < steps; ++index) {
    const int64_t step = kIsReversed ? steps - 1 - index : index;
    const T* const before = states + index % 2 * units;
    T* const after = states + (index + 1) % 2 * units;
    AIT_NO_UNROLL
    for (int64_t unit = warpIndex(); unit < units; unit += Config::kThreads / 32) {
      T sums[G] = {};
      AIT_NO_UNROLL
      for (int64_t k = laneIndex(); k < units; k += 32) {
        const T state = before[k];
        AIT_UNROLL
        for (int gate = 0; gate < G; ++gate) {
          sums[gate] += state * load(arguments.weights.base,
                                     (gate * units + unit) * arguments.weights.strides[0] +
                                         k * arguments.weights.strides[1]);
        }
      }
      T given[G];
      AIT_UNROLL
      for (int gate = 0; gate < G; ++gate) {
        sums[gate] = sumOfWarp(sums[gate]);
        given[gate] =
            load(arguments.gates.base, step * arguments.gates.strides[0] +
                                           sequence * arguments.gates.strides[1] +
                                           (gate * units + unit) * arguments.gates.strides[2]);
      }
      if (laneIndex() != 0) continue;
      T state;
      if constexpr (kCell == Cell::lstm) {
        const T cell = sigmoid(given[1] + sums[1]) * memory[unit] +
                       sigmoid(given[0] + sums[0]) * ait::tanh(given[2] + sums[2]);
        memory[unit] = cell;
        state = sigmoid(given[3] + sums[3]) * ait::tanh(cell);
      } else if constexpr (kCell == Cell::gru) {
        const T bias = load(arguments.resetBias.base, unit * arguments.resetBias.strides[0]);
        const T update = sigmoid(given[1] + sums[1]);
        const T fresh = ait::tanh(given[2] + sigmoid(given[0] + sums[0]) * (sums[2] + bias));
        state = (T(1) - update) * fresh + update * before[unit];
      } else if constexpr (kCell == Cell::tanh) {
        state = ait::tanh(given[0] + sums[0]);
      } else {
        const T sum = given[0] + sums[0];
        state = sum < T(0) ? T(0) : sum;
      }
      // As it is stored, so that a step may be recomputed from what is seen of it.
      after[unit] = static_cast<T>(toCompute(toStorage<Element>(state)));
      store(arguments.states.base,
            step * arguments.states.strides[0] + sequence * arguments.states.strides[1] +
                unit * arguments.states.strides[2],
            state);
    }
    synchronizeBlock();
  }
  const T* const last = states + steps % 2 * units;
  for (int64_t unit = threadIndex(); unit < units; unit += Config::kThreads) {
    store(arguments.last.base,
          sequence * arguments.last.strides[0] + unit * arguments.last.strides[1], last[unit]);
    if (kHasMemory) {
      store(arguments.lastMemory.base,
            sequence * arguments.lastMemory.strides[0] + unit * arguments.lastMemory.strides[1],
            memory[unit]);
    }
  }
}

}  // namespace ait
