// The operands of a reduction, and states that threads and launches hand each other.
#pragma once

#include "ait/gpu/packet.h"
#include "ait/gpu/reduce_config.h"

namespace ait {

template <class Index>
struct UnsignedOf {
  using Type = uint32_t;
};
template <>
struct UnsignedOf<int64_t> {
  using Type = uint64_t;
};

/// The operands at the elements of one result. The prologue reads elements of the compute type T;
/// `Exposed` takes them where they are an output.
template <class Config, class T, class Prologue, class Epilogue, class In, class Extra, class Out,
          class Exposed, int kRank>
class ReduceOperands {
 public:
  static constexpr int W = Config::kPacket;
  static constexpr int kCount = In::kCount + Extra::kCount + Out::kCount + Exposed::kCount;
  static constexpr int kKeptRank = kRank - 1 - Config::kReducedRank;
  using Index = typename Config::Index;
  using Arguments = ReduceArguments<kRank, kCount>;
  using InPackets = Packets<In, W>;

  AIT_DEVICE ReduceOperands(const Arguments& arguments, Index result) : arguments_(arguments) {
    AIT_UNROLL
    for (int operand = 0; operand < kCount; ++operand) offsets_[operand] = 0;
    walk<0, kKeptRank>(result, [this](int axis, int64_t position) {
      AIT_UNROLL
      for (int operand = 0; operand < kCount; ++operand) {
        offsets_[operand] += position * arguments_.operands[operand].strides[axis];
      }
    });
  }

  /// How many of the columns of a packet exist, `W` or more if all; none beyond the last.
  AIT_DEVICE int existing(Index column) const {
    const Index rest = static_cast<Index>(arguments_.extents[kRank - 1]) - column;
    if constexpr (Config::kColumnMultiple % W == 0) {
      return rest > 0 ? W : 0;
    } else {
      return rest < W ? static_cast<int>(rest) : W;
    }
  }

  // MARK: - Elements

  /// Where a row of reduced elements lies, beyond the beginning of the result's.
  struct Row {
    int64_t positions[Config::kReducedRank > 0 ? Config::kReducedRank : 1];
  };

  AIT_DEVICE Row locate(Index index) const {
    Row row = {};
    walk<kKeptRank, Config::kReducedRank>(
        index, [&row](int axis, int64_t position) { row.positions[axis - kKeptRank] = position; });
    return row;
  }

  AIT_DEVICE void load(InPackets& packets, const Row& row, Index column, int count) const {
    loadIndexed<0>(packets, row, column, count, In{}, Indices<In::kCount>{});
  }

  /// The prologue's values of a packet; stores them where they are exposed.
  AIT_DEVICE void read(Values<T, W>& x, const InPackets& packets, const Row& row, Index column,
                       int count) const {
    Tuple<Values<T, W>> out;
    applyBody<Prologue, W>(out, packets);
    x = get<0>(out);
    if constexpr (Exposed::kCount > 0) {
      Packets<Exposed, W> exposed;
      AIT_UNROLL
      for (int i = 0; i < W; i += 2) get<0>(exposed).setPair(i, x.values[i], x.values[i + 1]);
      storeIndexed<kCount - 1>(exposed, row, column, count, Exposed{}, Indices<1>{});
    }
  }

  // MARK: - Results

  /// Stores the epilogue of `count` results along the columns, of kWidth. Reductions have no rows
  /// of results.
  template <int kWidth, class Result>
  AIT_DEVICE void write(const Values<Result, kWidth>& y, Index column, int count,
                        const Row& row = Row{}) const {
    Packets<Extra, kWidth> extras;
    Packets<Out, kWidth> out;
    loadIndexed<In::kCount>(extras, row, column, count, Extra{}, Indices<Extra::kCount>{});
    applyBodyIndexed<Epilogue, kWidth>(out, extras, Indices<Extra::kCount>{},
                                       Indices<Out::kCount>{}, y);
    storeIndexed<In::kCount + Extra::kCount>(out, row, column, count, Out{},
                                             Indices<Out::kCount>{});
  }

  // MARK: - Packets of a result

  /// Where a packet lies, and how many of its columns exist.
  struct Place {
    Row row;
    Index index;  // of the row
    Index column;
    int count;
  };

  /// Calls `body(x, place)` for the packets `first`, `first + lanes` … below `last`; all packets
  /// are numbered along the columns of one row after another.
  template <class Body>
  AIT_DEVICE void forEachPacket(Index first, Index last, int lanes, Body&& body) const {
    using Unsigned = typename UnsignedOf<Index>::Type;
    constexpr int kPackets = Config::kPackets;
    const Unsigned packetsPerRow =
        (static_cast<Unsigned>(arguments_.extents[kRank - 1]) + W - 1) / W;
    AIT_NO_UNROLL
    for (Index step = first; step < last; step += static_cast<Index>(lanes) * kPackets) {
      InPackets in[kPackets];
      Place places[kPackets];
      AIT_UNROLL
      for (int i = 0; i < kPackets; ++i) {
        const Index packet = step + static_cast<Index>(i * lanes);
        Unsigned row = 0;
        Unsigned rest = static_cast<Unsigned>(packet);
        if constexpr (Config::kReducedRank > 0) {
          row = rest / packetsPerRow;
          rest -= row * packetsPerRow;
        }
        Place& place = places[i];
        place.index = static_cast<Index>(row);
        place.row = locate(place.index);
        place.column = static_cast<Index>(rest * W);
        place.count = packet < last ? existing(place.column) : 0;
        if (place.count > 0) load(in[i], place.row, place.column, place.count);
      }
      AIT_UNROLL
      for (int i = 0; i < kPackets; ++i) {
        if (places[i].count <= 0) continue;
        Values<T, W> x;
        read(x, in[i], places[i].row, places[i].column, places[i].count);
        // With a known multiple, the compiler sees that all exist.
        if constexpr (Config::kColumnMultiple % W == 0) places[i].count = W;
        body(x, places[i]);
      }
    }
  }

 private:
  /// Calls `body(axis, position)` for the axes from kFirst on that `index` counts, the last first.
  template <int kFirst, int kAxes, class Body>
  AIT_DEVICE void walk(Index index, Body&& body) const {
    using Unsigned = typename UnsignedOf<Index>::Type;
    Unsigned rest = static_cast<Unsigned>(index);
    AIT_UNROLL
    for (int axis = kFirst + kAxes - 1; axis >= kFirst; --axis) {
      const Unsigned extent = static_cast<Unsigned>(arguments_.extents[axis]);
      const Unsigned quotient = axis > kFirst ? rest / extent : 0;
      body(axis, static_cast<int64_t>(rest - quotient * extent));
      rest = quotient;
    }
  }

  template <class O, int kOperand>
  AIT_DEVICE typename O::Element* address(const Row& row) const {
    int64_t offset = offsets_[kOperand];
    AIT_UNROLL
    for (int axis = 0; axis < Config::kReducedRank; ++axis) {
      offset += row.positions[axis] * arguments_.operands[kOperand].strides[kKeptRank + axis];
    }
    return static_cast<typename O::Element*>(arguments_.operands[kOperand].base) + offset;
  }

  template <int kFirst, class P, template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void loadIndexed(P& packets, const Row& row, Index column, int count, Pack<O...>,
                              IntegerSequence<int, I...>) const {
    (get<I>(packets).load(address<O, kFirst + I>(row),
                          arguments_.operands[kFirst + I].strides[kRank - 1], column, count),
     ...);
  }
  template <int kFirst, class P, template <class...> class Pack, class... O, int... I>
  AIT_DEVICE void storeIndexed(const P& packets, const Row& row, Index column, int count,
                               Pack<O...>, IntegerSequence<int, I...>) const {
    (get<I>(packets).store(address<O, kFirst + I>(row),
                           arguments_.operands[kFirst + I].strides[kRank - 1], column, count),
     ...);
  }

  const Arguments& arguments_;
  int64_t offsets_[kCount];
};

// MARK: - States

/// The state of the lane whose number differs in the bits of `mask`.
template <class State>
AIT_DEVICE State shuffleState(const State& state, int mask) {
  constexpr int kWords = static_cast<int>(sizeof(State) / 4);
  static_assert(sizeof(State) % 4 == 0, "states are whole words");
  int words[kWords];
  __builtin_memcpy(words, &state, sizeof(State));
  AIT_UNROLL
  for (int word = 0; word < kWords; ++word) words[word] = shuffleXor(words[word], mask);
  State other;
  __builtin_memcpy(&other, words, sizeof(State));
  return other;
}

/// Brings the states of `lanes` threads next to each other together, a power of two, in a fixed
/// order: the first of them gets the result. All threads of a block call it.
///
/// - shared: a state for each warp.
template <class Reducer>
AIT_DEVICE void mergeLanes(typename Reducer::State& state, int lanes,
                           typename Reducer::State* shared) {
  AIT_NO_UNROLL
  for (int mask = smaller(lanes, 32) / 2; mask > 0; mask /= 2) {
    Reducer::merge(state, shuffleState(state, mask));
  }
  if (lanes <= 32) return;
  if (laneIndex() == 0) shared[threadIndex() / 32] = state;
  synchronizeBlock();
  if (threadIndex() % lanes != 0) return;
  AIT_NO_UNROLL
  for (int warp = 1; warp < lanes / 32; ++warp) {
    Reducer::merge(state, shared[threadIndex() / 32 + warp]);
  }
}

/// Brings together the states of threads that are a multiple of `lanes` apart, in a fixed order:
/// the first `lanes` threads get the results. All threads of a block call it.
///
/// - shared: `kWidth` states for each thread of half the block.
template <class Reducer, int kWidth>
AIT_DEVICE void mergeThreads(typename Reducer::State (&states)[kWidth], int lanes, int threads,
                             typename Reducer::State* shared) {
  const int thread = threadIndex();
  AIT_NO_UNROLL
  for (int half = threads / 2; half >= lanes; half /= 2) {
    if (thread >= half && thread < 2 * half) {
      AIT_UNROLL
      for (int i = 0; i < kWidth; ++i) shared[i * half + thread - half] = states[i];
    }
    synchronizeBlock();
    if (thread < half) {
      AIT_UNROLL
      for (int i = 0; i < kWidth; ++i) Reducer::merge(states[i], shared[i * half + thread]);
    }
    synchronizeBlock();
  }
}

}  // namespace ait
