// The dialect on NVIDIA GPUs, compute capability 8.0 and later. Nothing is included: the vendor's
// headers would cost each kernel more compile time than the kernel itself.
#pragma once

#include "ait/gpu/types.h"

#define AIT_DEVICE __device__ __forceinline__
#define AIT_INLINE __device__ __forceinline__
#define AIT_UNROLL _Pragma("unroll")
#define AIT_NO_UNROLL _Pragma("unroll 1")

/// Opens a kernel: `AIT_KERNEL(threads, blocks) name(AIT_ARGUMENTS(Type) arguments) {…}`; at least
/// `blocks` blocks of `threads` threads are to fit a multiprocessor.
#define AIT_KERNEL(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)
/// Follows a kernel's definition where it may be emulated.
#define AIT_DESCRIBE_KERNEL(name)
/// Arguments stay in constant memory, where the copy engine can read a TensorMap.
#define AIT_ARGUMENTS(...) const __grid_constant__ __VA_ARGS__

namespace ait {

// MARK: - Places and order

inline constexpr int kWarpSize = 32;

AIT_DEVICE int threadIndex() { return static_cast<int>(threadIdx.x); }
AIT_DEVICE int64_t blockIndex() { return blockIdx.x; }
AIT_DEVICE int64_t blockCount() { return gridDim.x; }
AIT_DEVICE int laneIndex() { return static_cast<int>(threadIdx.x & 31); }
/// The warp's index, known to the compiler to be the same in all lanes; all of them ask at once.
AIT_DEVICE int warpIndex() {
  return __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) >> 5, 0);
}

AIT_DEVICE void synchronizeBlock() { __syncthreads(); }
/// A barrier of `count` threads, a multiple of 32, with an identity from 1 to 15.
AIT_DEVICE void synchronizeThreads(int identity, int count) {
  asm volatile("bar.sync %0, %1;" ::"r"(identity), "r"(count) : "memory");
}
/// Arrives at such a barrier for others to go on, and goes on itself; for whole warps.
AIT_DEVICE void arriveAtThreads(int identity, int count) {
  asm volatile("bar.arrive %0, %1;" ::"r"(identity), "r"(count) : "memory");
}
AIT_DEVICE void synchronizeWarp() { __syncwarp(); }

AIT_DEVICE float shuffleXor(float value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
AIT_DEVICE int shuffleXor(int value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }
AIT_DEVICE float shuffle(float value, int lane) { return __shfl_sync(0xffffffffu, value, lane); }

/// Has the compiler compute a number here, not where it is used first.
AIT_DEVICE void computeNow(int& value) { asm volatile("" : "+r"(value)); }

/// Ends the launch with an error; for misuse that a test build detects. It stores to the address 0:
/// with `trap` in a kernel, ptxas gives warp groups that have exchanged registers no more of them.
AIT_DEVICE void trap() {
  asm volatile("st.volatile.global.u32 [%0], 0;" ::"l"(uint64_t{0}) : "memory");
}

// MARK: - Launches

/// Waits until the launches before this one have finished and what they wrote is visible. Before
/// it, a kernel touches only constants, and its own shared memory.
AIT_DEVICE void waitForPrerequisites() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// Allows the next launch to start, once all blocks have said so: it takes the place that is free.
AIT_DEVICE void launchDependents() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

// MARK: - Memory

/// The shared memory whose size the launch gives, aligned to 1024 bytes.
AIT_DEVICE char* dynamicSharedMemory() {
  extern __shared__ __align__(1024) char aitSharedMemory[];
  return aitSharedMemory;
}

AIT_DEVICE uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

/// `kBytes` bytes that are moved at once: 2, 4, 8 or 16.
template <int kBytes>
struct Words {
  uint32_t words[kBytes / 4];
};
template <>
struct Words<2> {
  uint16_t words[1];
};
template <>
struct Words<1> {
  uint8_t words[1];
};

/// Whether data is expected to be read again.
enum class Reuse { likely, none };

template <int kBytes, Reuse kReuse = Reuse::likely>
AIT_DEVICE Words<kBytes> loadGlobal(const void* address) {
  Words<kBytes> x;
  if constexpr (kBytes == 16 && kReuse == Reuse::none) {
    asm volatile("ld.global.L1::no_allocate.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x.words[0]), "=r"(x.words[1]), "=r"(x.words[2]), "=r"(x.words[3])
                 : "l"(address));
  } else if constexpr (kBytes == 16) {
    asm volatile("ld.global.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x.words[0]), "=r"(x.words[1]), "=r"(x.words[2]), "=r"(x.words[3])
                 : "l"(address));
  } else if constexpr (kBytes == 8) {
    asm volatile("ld.global.v2.b32 {%0, %1}, [%2];"
                 : "=r"(x.words[0]), "=r"(x.words[1])
                 : "l"(address));
  } else if constexpr (kBytes == 4) {
    asm volatile("ld.global.b32 %0, [%1];" : "=r"(x.words[0]) : "l"(address));
  } else if constexpr (kBytes == 2) {
    asm volatile("ld.global.b16 %0, [%1];" : "=h"(x.words[0]) : "l"(address));
  } else {
    static_assert(kBytes == 1, "an access is 1, 2, 4, 8 or 16 bytes wide");
    uint16_t byte;
    asm volatile("ld.global.u8 %0, [%1];" : "=h"(byte) : "l"(address));
    x.words[0] = static_cast<uint8_t>(byte);
  }
  return x;
}

template <int kBytes>
AIT_DEVICE void storeGlobal(void* address, const Words<kBytes>& x) {
  if constexpr (kBytes == 16) {
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(address), "r"(x.words[0]),
                 "r"(x.words[1]), "r"(x.words[2]), "r"(x.words[3])
                 : "memory");
  } else if constexpr (kBytes == 8) {
    asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(address), "r"(x.words[0]), "r"(x.words[1])
                 : "memory");
  } else if constexpr (kBytes == 4) {
    asm volatile("st.global.b32 [%0], %1;" ::"l"(address), "r"(x.words[0]) : "memory");
  } else if constexpr (kBytes == 2) {
    asm volatile("st.global.b16 [%0], %1;" ::"l"(address), "h"(x.words[0]) : "memory");
  } else {
    static_assert(kBytes == 1, "an access is 1, 2, 4, 8 or 16 bytes wide");
    asm volatile("st.global.u8 [%0], %1;" ::"l"(address), "h"(static_cast<uint16_t>(x.words[0]))
                 : "memory");
  }
}

/// Sets a flag in memory that the host sees as well; whether this thread is the first to.
AIT_DEVICE bool claimFlag(int32_t* flag) {
  int32_t before;
  asm volatile("atom.global.sys.exch.b32 %0, [%1], 1;" : "=r"(before) : "l"(flag) : "memory");
  return before == 0;
}
/// Orders what this thread has written for the host and all devices.
AIT_DEVICE void fenceSystem() { asm volatile("fence.acq_rel.sys;" ::: "memory"); }

template <int kCount>
AIT_DEVICE void loadShared(const float* address, float (&x)[kCount]) {
  static_assert(kCount == 4, "four floats are loaded at once");
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(x[0]), "=f"(x[1]), "=f"(x[2]), "=f"(x[3])
               : "r"(sharedAddress(address)));
}
AIT_DEVICE void storeShared(float* address, float x, float y) {
  asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(sharedAddress(address)), "f"(x), "f"(y)
               : "memory");
}

AIT_DEVICE void storeShared(void* address, const Words<16>& x) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(sharedAddress(address)),
               "r"(x.words[0]), "r"(x.words[1]), "r"(x.words[2]), "r"(x.words[3])
               : "memory");
}

// MARK: - Copies in the background

/// Copies `kBytes` bytes (4, 8 or 16) to shared memory, the first `valid` of them from `global`,
/// the others as zeros.
template <int kBytes>
AIT_DEVICE void copyAsync(void* shared, const void* global, int valid) {
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)),
                 "l"(global), "r"(valid)
                 : "memory");
  } else {
    static_assert(kBytes == 4 || kBytes == 8, "a copy moves 4, 8 or 16 bytes");
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(sharedAddress(shared)),
                 "l"(global), "n"(kBytes), "r"(valid)
                 : "memory");
  }
}
AIT_DEVICE void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `kPending` of this thread's commits are under way.
template <int kPending>
AIT_DEVICE void waitForCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// MARK: - Matrices of a warp

/// Four 8 x 8 matrices of 16-bit elements; lane i gives the address of row i % 8 of matrix i / 8.
/// A lane gets elements 2 (lane % 4) and the next of row lane / 4 of each; of the transposed
/// matrices with `kIsTransposed`.
template <bool kIsTransposed>
AIT_DEVICE void loadMatrices(uint32_t (&x)[4], const void* row) {
  if constexpr (kIsTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(sharedAddress(row)));
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(sharedAddress(row)));
  }
}

/// The bits of a float rounded to tf32: to 10 bits of mantissa, halves away from zero.
AIT_DEVICE uint32_t roundToTensorFloat(uint32_t bits) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "r"(bits));
  return rounded;
}

/// sum += A B for a 16 x 16 matrix A and a 16 x 8 matrix B, fragments as `loadMatrices` gives them;
/// of floats, 16 x 8 by 8 x 8 of tf32, where a lane has the word lane % 4 of each row of 16 bytes.
template <class T>
AIT_DEVICE void multiplyTiles(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (__is_same(T, float16)) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else if constexpr (__is_same(T, float)) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    static_assert(__is_same(T, bfloat16), "the matrix units multiply float16, bfloat16 and tf32");
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

}  // namespace ait

#include "ait/gpu/dialect_cuda_numbers.h"

#if __CUDA_ARCH__ >= 900
#include "ait/gpu/dialect_cuda_clusters.h"
#include "ait/gpu/dialect_cuda_warpgroups.h"
#endif
