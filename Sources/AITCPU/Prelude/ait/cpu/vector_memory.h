// Loads and stores of Vec<T, W>: whole, partial and strided. Addresses need no alignment beyond
// the element's. Partial forms touch no byte outside the elements they name.
#pragma once

#include "ait/cpu/vector_convert.h"

namespace ait {

/// What `kSize`-byte elements are moved as.
template <class T, int W>
using StoredVector = NativeVector<typename SignedOfSize<sizeof(T)>::Type, W>;

/// The compute vector of elements as they lie in memory.
template <class T, int W>
AIT_INLINE Vec<ComputeType<T>, W> fromStored(StoredVector<T, W> stored) {
  if constexpr (kIsReducedFloat<T>) {
    return widen<T, W>((NativeVector<uint16_t, W>)stored);
  } else if constexpr (__is_same(T, bool)) {
    return maskFrom<W>(stored != StoredVector<T, W>{});
  } else {
    return Vec<T, W>((NativeVector<T, W>)stored);
  }
}

/// The elements of a compute vector as they are to lie in memory; bool is a byte of 0 or 1.
template <class T, int W>
AIT_INLINE StoredVector<T, W> toStored(Vec<ComputeType<T>, W> x) {
  if constexpr (kIsReducedFloat<T>) {
    return (StoredVector<T, W>)narrow<T, W>(x);
  } else if constexpr (__is_same(T, bool)) {
    return __builtin_convertvector(-x.native, StoredVector<T, W>);
  } else {
    return (StoredVector<T, W>)x.native;
  }
}

// MARK: - Whole vectors

template <class T, int W>
AIT_INLINE Vec<ComputeType<T>, W> load(const T* source) {
  StoredVector<T, W> stored;
  __builtin_memcpy(&stored, source, sizeof(T) * W);
  return fromStored<T, W>(stored);
}

template <class T, int W>
AIT_INLINE void store(T* destination, Vec<ComputeType<T>, W> x) {
  const StoredVector<T, W> stored = toStored<T, W>(x);
  __builtin_memcpy(destination, &stored, sizeof(T) * W);
}

// MARK: - Partial vectors

/// An address for builtins that each want another pointer type.
struct AnyPointer {
  void* address;
  template <class T>
  AIT_INLINE operator T*() const {
    return static_cast<T*>(address);
  }
};

/// Moves the first `count` (0...W) elements of `kSize` bytes; those not read are 0.
template <int kSize, int W>
struct PartialAccess {
  using Lane = typename SignedOfSize<kSize>::Type;
  using Vector = NativeVector<Lane, W>;

#if defined(__AVX512VL__) && defined(__AVX512BW__)
  static constexpr int kBytes = kSize * W;
  static constexpr bool kIsMasked = kBytes == 16 || kBytes == 32 || kBytes == 64;
  static constexpr bool kIsSplit = kBytes > 64;
#elif defined(__AVX2__)
  static constexpr int kBytes = kSize * W;
  static constexpr bool kIsMasked = kSize >= 4 && kBytes == 32;
  static constexpr bool kIsSplit = kSize >= 4 && kBytes > 32;
#else
  static constexpr bool kIsMasked = false;
  static constexpr bool kIsSplit = false;
#endif

  static AIT_INLINE Vector load(const void* source, int64_t count) {
    if constexpr (kIsMasked) {
      return maskedLoad(source, count);
    } else if constexpr (kIsSplit) {
      constexpr int kHalf = W / 2;
      using Half = PartialAccess<kSize, kHalf>;
      typename Half::Vector halves[2];
      halves[0] = Half::load(source, count < kHalf ? count : kHalf);
      halves[1] = Half::load(static_cast<const char*>(source) + kSize * kHalf,
                             count < kHalf ? 0 : count - kHalf);
      Vector result;
      __builtin_memcpy(&result, halves, sizeof(Vector));
      return result;
    } else {
      Lane lanes[W] = {};
#pragma clang loop vectorize(disable) unroll(disable)
      for (int64_t lane = 0; lane < count; ++lane) {
        AIT_KEEP_LOOP;
        __builtin_memcpy(&lanes[lane], static_cast<const char*>(source) + lane * kSize, kSize);
      }
      Vector result;
      __builtin_memcpy(&result, lanes, sizeof(Vector));
      return result;
    }
  }

  static AIT_INLINE void store(void* destination, Vector value, int64_t count) {
    if constexpr (kIsMasked) {
      maskedStore(destination, value, count);
    } else if constexpr (kIsSplit) {
      constexpr int kHalf = W / 2;
      using Half = PartialAccess<kSize, kHalf>;
      typename Half::Vector halves[2];
      __builtin_memcpy(halves, &value, sizeof(Vector));
      Half::store(destination, halves[0], count < kHalf ? count : kHalf);
      Half::store(static_cast<char*>(destination) + kSize * kHalf, halves[1],
                  count < kHalf ? 0 : count - kHalf);
    } else {
      Lane lanes[W];
      __builtin_memcpy(lanes, &value, sizeof(Vector));
#pragma clang loop vectorize(disable) unroll(disable)
      for (int64_t lane = 0; lane < count; ++lane) {
        AIT_KEEP_LOOP;
        __builtin_memcpy(static_cast<char*>(destination) + lane * kSize, &lanes[lane], kSize);
      }
    }
  }

 private:
#if defined(__AVX512VL__) && defined(__AVX512BW__)
  static AIT_INLINE uint64_t bitsBelow(int64_t count) {
    if constexpr (W == 64) {
      return count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    } else {
      return (uint64_t{1} << count) - 1;
    }
  }

#define AIT_MASKED(letters, bits, Mask, Element)                  \
  if constexpr (kSize == sizeof(Element) && kBytes * 8 == bits) { \
    using Raw = NativeVector<Element, W>;                         \
    AIT_MASKED_ACCESS(letters, bits, Mask, Element)               \
  }
#define AIT_MASKED_ALL                    \
  AIT_MASKED(qi, 128, uint16_t, char)     \
  AIT_MASKED(qi, 256, uint32_t, char)     \
  AIT_MASKED(qi, 512, uint64_t, char)     \
  AIT_MASKED(hi, 128, uint8_t, short)     \
  AIT_MASKED(hi, 256, uint16_t, short)    \
  AIT_MASKED(hi, 512, uint32_t, short)    \
  AIT_MASKED(si, 128, uint8_t, int)       \
  AIT_MASKED(si, 256, uint8_t, int)       \
  AIT_MASKED(si, 512, uint16_t, int)      \
  AIT_MASKED(di, 128, uint8_t, long long) \
  AIT_MASKED(di, 256, uint8_t, long long) \
  AIT_MASKED(di, 512, uint8_t, long long)

  static AIT_INLINE Vector maskedLoad(const void* source, int64_t count) {
#define AIT_MASKED_ACCESS(letters, bits, Mask, Element)        \
  return (Vector)__builtin_ia32_loaddqu##letters##bits##_mask( \
      AnyPointer{const_cast<void*>(source)}, Raw{}, static_cast<Mask>(bitsBelow(count)));
    AIT_MASKED_ALL
#undef AIT_MASKED_ACCESS
  }

  static AIT_INLINE void maskedStore(void* destination, Vector value, int64_t count) {
#define AIT_MASKED_ACCESS(letters, bits, Mask, Element)                              \
  __builtin_ia32_storedqu##letters##bits##_mask(AnyPointer{destination}, (Raw)value, \
                                                static_cast<Mask>(bitsBelow(count)));
    AIT_MASKED_ALL
#undef AIT_MASKED_ACCESS
  }
#undef AIT_MASKED_ALL
#undef AIT_MASKED
#elif defined(__AVX2__)
  static AIT_INLINE Vector maskedLoad(const void* source, int64_t count) {
    const Vector mask = iota<Lane, W>().native < static_cast<Lane>(count);
    if constexpr (kSize == 4) {
      return (Vector)__builtin_ia32_maskloadd256((const NativeVector<int, 8>*)source,
                                                 (NativeVector<int, 8>)mask);
    } else {
      return (Vector)__builtin_ia32_maskloadq256((const NativeVector<long long, 4>*)source,
                                                 (NativeVector<long long, 4>)mask);
    }
  }

  static AIT_INLINE void maskedStore(void* destination, Vector value, int64_t count) {
    const Vector mask = iota<Lane, W>().native < static_cast<Lane>(count);
    if constexpr (kSize == 4) {
      __builtin_ia32_maskstored256((NativeVector<int, 8>*)destination, (NativeVector<int, 8>)mask,
                                   (NativeVector<int, 8>)value);
    } else {
      __builtin_ia32_maskstoreq256((NativeVector<long long, 4>*)destination,
                                   (NativeVector<long long, 4>)mask,
                                   (NativeVector<long long, 4>)value);
    }
  }
#else
  static Vector maskedLoad(const void* source, int64_t count);
  static void maskedStore(void* destination, Vector value, int64_t count);
#endif
};

/// The first `count` (0...W) elements; the other lanes are 0.
template <class T, int W>
AIT_INLINE Vec<ComputeType<T>, W> loadPartial(const T* source, int64_t count) {
  return fromStored<T, W>(PartialAccess<sizeof(T), W>::load(source, count));
}

/// Stores the first `count` (0...W) lanes.
template <class T, int W>
AIT_INLINE void storePartial(T* destination, Vec<ComputeType<T>, W> x, int64_t count) {
  PartialAccess<sizeof(T), W>::store(destination, toStored<T, W>(x), count);
}

// MARK: - Strided vectors

/// Lane i is `source[i * stride]`, the stride in elements, any sign.
template <class T, int W>
AIT_INLINE Vec<ComputeType<T>, W> loadStrided(const T* source, int64_t stride) {
  StoredVector<T, W> stored;
  for (int lane = 0; lane < W; ++lane) {
    typename SignedOfSize<sizeof(T)>::Type element;
    __builtin_memcpy(&element, source + lane * stride, sizeof(T));
    stored[lane] = element;
  }
  return fromStored<T, W>(stored);
}

/// The first `count` (0...W) of such elements; the other lanes are 0.
template <class T, int W>
AIT_INLINE Vec<ComputeType<T>, W> loadStridedPartial(const T* source, int64_t stride,
                                                     int64_t count) {
  typename SignedOfSize<sizeof(T)>::Type lanes[W] = {};
#pragma clang loop vectorize(disable) unroll(disable)
  for (int64_t lane = 0; lane < count; ++lane) {
    AIT_KEEP_LOOP;
    __builtin_memcpy(&lanes[lane], source + lane * stride, sizeof(T));
  }
  StoredVector<T, W> stored;
  __builtin_memcpy(&stored, lanes, sizeof(stored));
  return fromStored<T, W>(stored);
}

/// Stores the first `count` (0...W) lanes to `destination[i * stride]`.
template <class T, int W>
AIT_INLINE void storeStridedPartial(T* destination, int64_t stride, Vec<ComputeType<T>, W> x,
                                    int64_t count) {
  const StoredVector<T, W> stored = toStored<T, W>(x);
  typename SignedOfSize<sizeof(T)>::Type lanes[W];
  __builtin_memcpy(lanes, &stored, sizeof(stored));
#pragma clang loop vectorize(disable) unroll(disable)
  for (int64_t lane = 0; lane < count; ++lane) {
    AIT_KEEP_LOOP;
    __builtin_memcpy(destination + lane * stride, &lanes[lane], sizeof(T));
  }
}

/// Stores lane i to `destination[i * stride]`.
template <class T, int W>
AIT_INLINE void storeStrided(T* destination, int64_t stride, Vec<ComputeType<T>, W> x) {
  const StoredVector<T, W> stored = toStored<T, W>(x);
  for (int lane = 0; lane < W; ++lane) {
    const typename SignedOfSize<sizeof(T)>::Type element = stored[lane];
    __builtin_memcpy(destination + lane * stride, &element, sizeof(T));
  }
}

/// Lane i is `source[offsets[i]]`, offsets in elements.
template <class T, int W>
AIT_INLINE Vec<ComputeType<T>, W> loadGather(const T* source, Vec<int64_t, W> offsets) {
  StoredVector<T, W> stored;
  for (int lane = 0; lane < W; ++lane) {
    typename SignedOfSize<sizeof(T)>::Type element;
    __builtin_memcpy(&element, source + offsets.native[lane], sizeof(T));
    stored[lane] = element;
  }
  return fromStored<T, W>(stored);
}

}  // namespace ait
