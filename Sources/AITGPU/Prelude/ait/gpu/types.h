// The types that kernels, generated code and the host agree on. Compiles on the host as well: a
// library's launch code includes this header and the configurations, and no other.
#pragma once

// NVRTC has no <cstdint>, and <cstdint> costs nvcc nothing: it has read it already.
#if !defined(__CUDACC_RTC__)
#include <cstdint>
#endif

/// Functions for the host and the device.
#if defined(__CUDACC__)
#define AIT_ANYWHERE __host__ __device__
#else
#define AIT_ANYWHERE
#endif

namespace ait {

// MARK: - Elements

/// Storage of an IEEE binary16 number; computed with as float.
struct float16 {
  uint16_t bits;
};

/// Storage of the upper half of a float; computed with as float.
struct bfloat16 {
  uint16_t bits;
};

template <class T>
struct ComputeTypeOf {
  using Type = T;
};
template <>
struct ComputeTypeOf<float16> {
  using Type = float;
};
template <>
struct ComputeTypeOf<bfloat16> {
  using Type = float;
};

/// The type in which elements of storage type `T` are computed with.
template <class T>
using ComputeType = typename ComputeTypeOf<T>::Type;

// MARK: - Operands

/// How an operand moves along the columns: stride 1, stride 0, or any stride; `transposed` where it
/// has stride 1 along the rows instead, and goes through shared memory (`pointwise_tiles.h`).
enum class Access { contiguous, uniform, strided, transposed };

/// Whether an operand moves along the rows of a product. Products load those that do not once for
/// many rows; a bias is one.
enum class Rows { varying, uniform };

/// An operand of a generated kernel.
///
/// - T: the storage type.
/// - A: its access along the columns. For `contiguous` and `uniform` that stride is not read.
/// - alignment: for `contiguous` and `transposed`, the elements that its address and every stride
///   but the one of 1 are multiples of, as far as is known when the kernel is compiled. Accesses
///   are 16 bytes wide if the alignment is 16 bytes or more, and narrower below.
/// - rows: whether it moves along the rows, for an extra of a product.
template <class T, Access A, int alignment = 1, Rows rows = Rows::varying>
struct Operand {
  static_assert(alignment > 0 && (alignment & (alignment - 1)) == 0,
                "an alignment is a power of two");
  using Element = T;
  static constexpr Access kAccess = A;
  static constexpr int kAlignment = alignment;
  static constexpr Rows kRows = rows;
};

/// Operands that are read, in the order of the kernel's arguments.
template <class... O>
struct Inputs {
  static constexpr int kCount = sizeof...(O);
};

/// Operands that are written, in the order of the kernel's results.
template <class... O>
struct Outputs {
  static constexpr int kCount = sizeof...(O);
};

/// Where an operand lies. Strides count elements; 0 broadcasts.
template <int kRank>
struct OperandPlace {
  void* base;
  int64_t strides[kRank];
};

// MARK: - Matrices in memory

/// The axis along which a matrix of a product is contiguous: K, or the other one (M or N).
enum class Major { k, mn };

/// The driver's description of a tensor for the copy engine, opaque here.
struct alignas(64) TensorMap {
  uint64_t words[16];
};

// MARK: - Arithmetic of sizes

AIT_ANYWHERE constexpr int64_t ceilDivide(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor;
}
AIT_ANYWHERE constexpr int smaller(int a, int b) { return a < b ? a : b; }
AIT_ANYWHERE constexpr int larger(int a, int b) { return a > b ? a : b; }

}  // namespace ait
