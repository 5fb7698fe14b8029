// Packets: some consecutive elements of an operand, in registers as they lie in memory, and bodies
// applied to them.
#pragma once

#include "ait/gpu/tuple.h"

namespace ait {

template <class T>
inline constexpr bool kIsHalfWord = __is_same(T, float16) || __is_same(T, bfloat16);

/// `W` elements of the storage type T.
template <class T, int W>
struct Packet {
  static constexpr int kSize = static_cast<int>(sizeof(T));
  static constexpr int kIsPaired = kIsHalfWord<T> && W % 2 == 0;

  alignas(16) T elements[W];

  AIT_DEVICE ComputeType<T> at(int i) const { return toCompute(elements[i]); }
  AIT_DEVICE void set(int i, ComputeType<T> x) { elements[i] = toStorage<T>(x); }
  AIT_DEVICE void setPair(int i, ComputeType<T> x, ComputeType<T> y) {
    set(i, x);
    set(i + 1, y);
  }

  /// An element as it lies in memory.
  AIT_DEVICE T raw(int i) const { return elements[i]; }
  /// Takes `kBytes` bytes, aligned to as many, from shared memory.
  template <int kBytes>
  AIT_DEVICE void take(int i, const void* shared) {
    __builtin_memcpy(elements + i, __builtin_assume_aligned(shared, kBytes), kBytes);
  }

  /// Loads or stores `kBytes` bytes from the element `i` on.
  template <int kBytes, Reuse kReuse>
  AIT_DEVICE void load(int i, const T* address) {
    const auto x = loadGlobal<kBytes, kReuse>(address);
    __builtin_memcpy(elements + i, &x, kBytes);
  }
  template <int kBytes>
  AIT_DEVICE void store(int i, T* address) const {
    Words<kBytes> x;
    __builtin_memcpy(&x, elements + i, kBytes);
    storeGlobal(address, x);
  }
};

/// Pairs of 16-bit floats stay in words: two are converted at once.
template <class T, int W>
struct PairedPacket {
  uint32_t words[W / 2];

  AIT_DEVICE float at(int i) const {
    return i % 2 == 0 ? unpack<T, 0>(words[i / 2]) : unpack<T, 1>(words[i / 2]);
  }
  AIT_DEVICE void set(int i, float x) {
    const uint32_t bits = toStorage<T>(x).bits;
    uint32_t& word = words[i / 2];
    word = i % 2 == 0 ? (word & 0xffff0000u) | bits : (word & 0xffffu) | bits << 16;
  }
  AIT_DEVICE void setPair(int i, float x, float y) { words[i / 2] = pack<T>(x, y); }

  AIT_DEVICE T raw(int i) const {
    return {static_cast<uint16_t>(i % 2 == 0 ? words[i / 2] : words[i / 2] >> 16)};
  }
  template <int kBytes>
  AIT_DEVICE void take(int i, const void* shared) {
    static_assert(kBytes >= 4, "pairs are taken together");
    __builtin_memcpy(words + i / 2, __builtin_assume_aligned(shared, kBytes), kBytes);
  }

  template <int kBytes, Reuse kReuse>
  AIT_DEVICE void load(int i, const T* address) {
    const auto x = loadGlobal<kBytes, kReuse>(address);
    if constexpr (kBytes == 2) {
      uint32_t& word = words[i / 2];
      word = i % 2 == 0 ? (word & 0xffff0000u) | x.words[0]
                        : (word & 0xffffu) | static_cast<uint32_t>(x.words[0]) << 16;
    } else {
      AIT_UNROLL
      for (int word = 0; word < kBytes / 4; ++word) words[i / 2 + word] = x.words[word];
    }
  }
  template <int kBytes>
  AIT_DEVICE void store(int i, T* address) const {
    Words<kBytes> x;
    if constexpr (kBytes == 2) {
      x.words[0] = static_cast<uint16_t>(i % 2 == 0 ? words[i / 2] : words[i / 2] >> 16);
    } else {
      AIT_UNROLL
      for (int word = 0; word < kBytes / 4; ++word) x.words[word] = words[i / 2 + word];
    }
    storeGlobal(address, x);
  }
};

template <int W>
struct Packet<float16, W> : PairedPacket<float16, W> {
  static_assert(W % 2 == 0, "16-bit floats come in pairs");
};
template <int W>
struct Packet<bfloat16, W> : PairedPacket<bfloat16, W> {
  static_assert(W % 2 == 0, "16-bit floats come in pairs");
};
template <>
struct Packet<float16, 1> {
  float16 element;
  AIT_DEVICE float at(int) const { return toCompute(element); }
};
template <>
struct Packet<bfloat16, 1> {
  bfloat16 element;
  AIT_DEVICE float at(int) const { return toCompute(element); }
};

// MARK: - Operands

/// `W` columns of a row of an operand, from the column `column` on. Of a partial packet, the first
/// `count` columns exist; the others are not touched, and read as zeros.
template <class O, int W>
struct OperandPacket {
  using T = typename O::Element;
  static constexpr int kSize = static_cast<int>(sizeof(T));
  static constexpr int kBytes = smaller(smaller(16, O::kAlignment* kSize), W* kSize);
  static constexpr int kStep = kBytes / kSize;

  Packet<T, W> packet;

  AIT_DEVICE ComputeType<T> at(int i) const { return packet.at(i); }
  AIT_DEVICE void setPair(int i, ComputeType<T> x, ComputeType<T> y) { packet.setPair(i, x, y); }

  template <Reuse kReuse = Reuse::likely>
  AIT_DEVICE void load(const T* row, int64_t stride, int64_t column, int count = W) {
    if constexpr (O::kAccess == Access::contiguous) {
      if (count >= W) {
        AIT_UNROLL
        for (int i = 0; i < W; i += kStep) {
          packet.template load<kBytes, kReuse>(i, row + column + i);
        }
        return;
      }
      stride = 1;
    }
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      if (i < count) {
        packet.template load<kSize, kReuse>(i, row + (column + i) * stride);
      } else {
        packet.set(i, 0);
      }
    }
  }

  AIT_DEVICE void clear() {
    AIT_UNROLL
    for (int i = 0; i < W; i += 2) packet.setPair(i, 0, 0);
  }

  AIT_DEVICE void store(T* row, int64_t stride, int64_t column, int count = W) const {
    if constexpr (O::kAccess == Access::contiguous) {
      if (count >= W) {
        AIT_UNROLL
        for (int i = 0; i < W; i += kStep) packet.template store<kBytes>(i, row + column + i);
        return;
      }
      stride = 1;
    }
    AIT_UNROLL
    for (int i = 0; i < W; ++i) {
      if (i < count) packet.template store<kSize>(i, row + (column + i) * stride);
    }
  }
};

/// One element for all columns.
template <class T, int alignment, Rows rows, int W>
struct OperandPacket<Operand<T, Access::uniform, alignment, rows>, W> {
  ComputeType<T> value;

  AIT_DEVICE ComputeType<T> at(int) const { return value; }

  template <Reuse kReuse = Reuse::likely>
  AIT_DEVICE void load(const T* row, int64_t, int64_t, int = W) {
    const auto x = loadGlobal<static_cast<int>(sizeof(T)), Reuse::likely>(row);
    T element;
    __builtin_memcpy(&element, &x, sizeof(T));
    value = toCompute(element);
  }
};

/// The packets of a pack of operands.
template <class Pack, int W>
struct PacketsOf;
template <template <class...> class Pack, class... O, int W>
struct PacketsOf<Pack<O...>, W> {
  using Type = Tuple<OperandPacket<O, W>...>;
};
template <class Pack, int W>
using Packets = typename PacketsOf<Pack, W>::Type;

/// Sums, or what else a kernel has computed, as a body's first arguments.
template <class T, int W>
struct Values {
  T values[W];
  AIT_DEVICE T at(int i) const { return values[i]; }
  AIT_DEVICE void setPair(int i, T x, T y) {
    values[i] = x;
    values[i + 1] = y;
  }
};

// MARK: - Bodies

template <class Body, int W, class... In, class... Out, int... I, int... J, class... V>
AIT_DEVICE void applyBodyIndexed(Tuple<Out...>& out, const Tuple<In...>& in,
                                 IntegerSequence<int, I...>, IntegerSequence<int, J...>,
                                 const V&... leading) {
  AIT_UNROLL
  for (int i = 0; i < W; i += 2) {
    const auto x = Body::template apply<1>(leading.at(i)..., get<I>(in).at(i)...);
    const auto y = Body::template apply<1>(leading.at(i + 1)..., get<I>(in).at(i + 1)...);
    (get<J>(out).setPair(i, get<J>(x), get<J>(y)), ...);
  }
}

/// Sets the packets `out` to `Body::apply(leading…, in…)`, element by element.
template <class Body, int W, class... In, class... Out, class... V>
AIT_DEVICE void applyBody(Tuple<Out...>& out, const Tuple<In...>& in, const V&... leading) {
  static_assert(W % 2 == 0, "bodies are applied to pairs");
  applyBodyIndexed<Body, W>(out, in, Indices<sizeof...(In)>{}, Indices<sizeof...(Out)>{},
                            leading...);
}

}  // namespace ait
