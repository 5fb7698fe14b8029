// Running sums, products and extrema along an axis: torch.cumsum, cumprod, and the values of cummax
// and cummin.
//
// Where lines lie side by side, a thread has one of them, neighbours next to each other. Along the
// last axis, a block has a line: its threads combine their elements in a tree and carry the result
// on. Expected bound: memory bandwidth for many lines, latency for few.
#pragma once

#include "ait/gpu/movement.h"
#include "ait/gpu/reducers.h"
#include "ait/gpu/sort_config.h"

namespace ait {

struct SumScan {
  template <class T>
  static AIT_DEVICE T identity() {
    return T(0);
  }
  template <class T>
  static AIT_DEVICE T combine(T a, T b) {
    return a + b;
  }
};

struct ProductScan {
  template <class T>
  static AIT_DEVICE T identity() {
    return T(1);
  }
  template <class T>
  static AIT_DEVICE T combine(T a, T b) {
    return a * b;
  }
};

struct MaximumScan {
  template <class T>
  static AIT_DEVICE T identity() {
    return lowestOf<T>();
  }
  template <class T>
  static AIT_DEVICE T combine(T a, T b) {
    return largerOrNaN(a, b);
  }
};

struct MinimumScan {
  template <class T>
  static AIT_DEVICE T identity() {
    return greatestOf<T>();
  }
  template <class T>
  static AIT_DEVICE T combine(T a, T b) {
    return smallerOrNaN(a, b);
  }
};

/// One line of elements: where it lies, by operand.
template <class Element, class Result, class Number, int kRank>
struct ScanLine {
  const Element* input;
  Result* result;
  int64_t inputStride;
  int64_t resultStride;

  AIT_DEVICE ScanLine(const ScanArguments<kRank>& arguments, int64_t line) {
    int64_t offsets[2] = {0, 0};
    int64_t rest = line;
    AIT_UNROLL
    for (int i = kRank - 1; i >= 0; --i) {
      if (i == kRank - 2) continue;
      const int64_t position = rest % arguments.extents[i];
      rest /= arguments.extents[i];
      offsets[0] += position * arguments.operands[0].strides[i];
      offsets[1] += position * arguments.operands[1].strides[i];
    }
    input = static_cast<const Element*>(arguments.operands[0].base) + offsets[0];
    result = static_cast<Result*>(arguments.operands[1].base) + offsets[1];
    inputStride = arguments.operands[0].strides[kRank - 2];
    resultStride = arguments.operands[1].strides[kRank - 2];
  }

  AIT_DEVICE Number load(int64_t i) const {
    const auto word = loadGlobal<static_cast<int>(sizeof(Element))>(input + i * inputStride);
    Element element;
    __builtin_memcpy(&element, &word, sizeof(Element));
    return static_cast<Number>(toCompute(element));
  }
  AIT_DEVICE void store(int64_t i, Number x) const {
    const Result element = toStorage<Result>(static_cast<ComputeType<Result>>(x));
    Words<static_cast<int>(sizeof(Result))> word;
    __builtin_memcpy(&word, &element, sizeof(Result));
    storeGlobal(result + i * resultStride, word);
  }
};

/// A thread for each line.
template <class Config, class Scan, class Element, class Result, class Number, bool kIsExclusive,
          bool kIsReversed, int kRank>
AIT_DEVICE void scanLines(const ScanArguments<kRank>& arguments) {
  const int64_t line = blockIndex() * Config::kThreads + threadIndex();
  const int64_t count = arguments.extents[kRank - 2];
  launchDependents();
  waitForPrerequisites();
  if (line >= arguments.lines) return;
  const ScanLine<Element, Result, Number, kRank> own(arguments, line);
  Number state = Scan::template identity<Number>();
  AIT_NO_UNROLL
  for (int64_t step = 0; step < count; ++step) {
    const int64_t i = kIsReversed ? count - 1 - step : step;
    const Number next = Scan::combine(state, own.load(i));
    own.store(i, kIsExclusive ? state : next);
    state = next;
  }
}

/// A block for each line.
template <class Config, class Scan, class Element, class Result, class Number, bool kIsExclusive,
          bool kIsReversed, int kRank>
AIT_DEVICE void scanLine(const ScanArguments<kRank>& arguments) {
  constexpr int kThreads = Config::kThreads;
  Number* const shared = reinterpret_cast<Number*>(dynamicSharedMemory());
  const int64_t count = arguments.extents[kRank - 2];
  const int thread = threadIndex();
  launchDependents();
  waitForPrerequisites();
  const ScanLine<Element, Result, Number, kRank> line(arguments, blockIndex());
  Number carried = Scan::template identity<Number>();
  AIT_NO_UNROLL
  for (int64_t first = 0; first < count; first += kThreads) {
    const int64_t step = first + thread;
    const bool exists = step < count;
    const int64_t i = kIsReversed ? count - 1 - step : step;
    Number state = exists ? line.load(i) : Scan::template identity<Number>();
    AIT_NO_UNROLL
    for (int distance = 1; distance < kThreads; distance *= 2) {
      shared[thread] = state;
      synchronizeBlock();
      if (thread >= distance) state = Scan::combine(shared[thread - distance], state);
      synchronizeBlock();
    }
    shared[thread] = state;
    synchronizeBlock();
    if (exists) {
      if constexpr (kIsExclusive) {
        line.store(i, thread == 0 ? carried : Scan::combine(carried, shared[thread - 1]));
      } else {
        line.store(i, Scan::combine(carried, state));
      }
    }
    carried = Scan::combine(carried, shared[kThreads - 1]);
    synchronizeBlock();
  }
}

}  // namespace ait
