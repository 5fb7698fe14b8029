// Matrix products of a warp group: compute capability 9.0a.
//
// A warp group is four warps that start at a multiple of four. Their product of a 64 x 16 matrix A
// and a 16 x N matrix B reads both from shared memory, or A from registers, in the background, and
// adds to sums in registers: thread t of the group holds, of row 16 (t / 32) + t % 32 / 4 and of
// the row 8 below it, the columns 8 j + 2 (t % 4) and the next, as sums 4 j … 4 j + 3.
#pragma once

#include "ait/gpu/types.h"

namespace ait {

/// Where a matrix lies in shared memory, as the matrix units are told: in rows of 128 bytes whose
/// 16-byte pieces are exchanged in groups of 8 rows, as the copy engine's 128-byte swizzle does.
/// The group starts at a multiple of 1024 bytes.
struct SharedMatrix {
  uint64_t descriptor;

  /// A matrix contiguous along K, 64 elements of which lie in a row.
  static AIT_DEVICE SharedMatrix alongK(const void* shared) { return SharedMatrix(shared, 16); }
  /// A matrix contiguous along M or N, in rows of 64 elements; `chunkBytes` from 64 to the next 64.
  static AIT_DEVICE SharedMatrix across(const void* shared, int chunkBytes) {
    return SharedMatrix(shared, chunkBytes);
  }

  AIT_DEVICE SharedMatrix advanced(int bytes) const {
    SharedMatrix other(*this);
    other.descriptor += static_cast<uint64_t>(bytes >> 4);
    return other;
  }

 private:
  AIT_DEVICE SharedMatrix(const void* shared, int chunkStride)
      : descriptor((sharedAddress(shared) & 0x3ffffu) >> 4 |
                   static_cast<uint64_t>(chunkStride >> 4) << 16 | uint64_t{1024 >> 4} << 32 |
                   uint64_t{1} << 62) {}
};

/// Orders this thread's accesses of sums before the products that follow.
AIT_DEVICE void beginProducts() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
AIT_DEVICE void commitProducts() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Waits until at most `kPending` commits are under way.
template <int kPending>
AIT_DEVICE void waitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
/// Keeps the compiler from moving accesses of a sum across products that run in the background.
AIT_DEVICE void pinSum(float& sum) { asm volatile("" : "+f"(sum)::"memory"); }

/// The registers of this thread's warp group are made fewer or more, in multiples of 8.
template <int kCount>
AIT_DEVICE void releaseRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount));
}
template <int kCount>
AIT_DEVICE void acquireRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount));
}

/// The instruction that multiplies 64 x 16 by 16 x N.
template <int N>
struct WarpgroupProduct {
  static_assert(N < 0,
                "a warp group's product is 8, 16, 24, 32, 64, 96, 128, 160, 192, 224 or 256 wide");
};

// Sums as operands, 4, 8 and 16 at once.
#define AIT_SUMS_4(i) "+f"(sums[i]), "+f"(sums[i + 1]), "+f"(sums[i + 2]), "+f"(sums[i + 3])
#define AIT_SUMS_8(i)                                                                        \
  "+f"(sums[i]), "+f"(sums[i + 1]), "+f"(sums[i + 2]), "+f"(sums[i + 3]), "+f"(sums[i + 4]), \
      "+f"(sums[i + 5]), "+f"(sums[i + 6]), "+f"(sums[i + 7])
#define AIT_SUMS_16(i) AIT_SUMS_8(i), AIT_SUMS_8(i + 8)

// The names of the operands 16 i … 16 i + 15 in an instruction.
#define AIT_NAMES_0                  \
  "%0, %1, %2, %3, %4, %5, %6, %7, " \
  "%8, %9, %10, %11, %12, %13, %14, %15"
#define AIT_NAMES_1                          \
  "%16, %17, %18, %19, %20, %21, %22, %23, " \
  "%24, %25, %26, %27, %28, %29, %30, %31"
#define AIT_NAMES_2                          \
  "%32, %33, %34, %35, %36, %37, %38, %39, " \
  "%40, %41, %42, %43, %44, %45, %46, %47"
#define AIT_NAMES_3                          \
  "%48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63"
#define AIT_NAMES_4                          \
  "%64, %65, %66, %67, %68, %69, %70, %71, " \
  "%72, %73, %74, %75, %76, %77, %78, %79"
#define AIT_NAMES_5                          \
  "%80, %81, %82, %83, %84, %85, %86, %87, " \
  "%88, %89, %90, %91, %92, %93, %94, %95"
#define AIT_NAMES_6                              \
  "%96, %97, %98, %99, %100, %101, %102, %103, " \
  "%104, %105, %106, %107, %108, %109, %110, %111"
#define AIT_NAMES_7                                  \
  "%112, %113, %114, %115, %116, %117, %118, %119, " \
  "%120, %121, %122, %123, %124, %125, %126, %127"

// `p0` … `p5` are the names of the operands that follow the sums; `compare` is `eq` to add to the
// sums, `ne` to replace them.
#define AIT_PRODUCT(compare, width, type, names, p0, p1, p2, p3, ...)                        \
  asm volatile("{\n\t.reg .pred p;\n\tsetp." compare                                         \
               ".u32 p, 0, 0;\n\t"                                                           \
               "wgmma.mma_async.sync.aligned.m64n" width "k16.f32." type "." type " {" names \
               "}, " p0 ", " p1 ", p, 1, 1, " p2 ", " p3 ";\n\t}"                            \
               : __VA_ARGS__                                                                 \
               : "l"(A.descriptor), "l"(B.descriptor), "n"(kMajorA == Major::mn ? 1 : 0),    \
                 "n"(kMajorB == Major::mn ? 1 : 0))
#define AIT_PRODUCT_OF_REGISTERS(width, type, names, p0, p1, p2, p3, p4, p5, ...)             \
  asm volatile(                                                                               \
      "{\n\t.reg .pred p;\n\tsetp.eq.u32 p, 0, 0;\n\t"                                        \
      "wgmma.mma_async.sync.aligned.m64n" width "k16.f32." type "." type " {" names "}, {" p0 \
      ", " p1 ", " p2 ", " p3 "}, " p4 ", p, 1, 1, " p5 ";\n\t}"                              \
      : __VA_ARGS__                                                                           \
      : "r"(A[0]), "r"(A[1]), "r"(A[2]), "r"(A[3]), "l"(B.descriptor),                        \
        "n"(kMajorB == Major::mn ? 1 : 0))

#define AIT_DEFINE_PRODUCT(N, names, p0, p1, p2, p3, p4, p5, ...)                              \
  template <>                                                                                  \
  struct WarpgroupProduct<N> {                                                                 \
    /* sums += A B */                                                                          \
    template <class T, Major kMajorA, Major kMajorB>                                           \
    static AIT_DEVICE void add(float (&sums)[N / 2], SharedMatrix A, SharedMatrix B) {         \
      if constexpr (__is_same(T, float16)) {                                                   \
        AIT_PRODUCT("eq", #N, "f16", names, p0, p1, p2, p3, __VA_ARGS__);                      \
      } else {                                                                                 \
        static_assert(__is_same(T, bfloat16), "warp groups multiply float16 and bfloat16");    \
        AIT_PRODUCT("eq", #N, "bf16", names, p0, p1, p2, p3, __VA_ARGS__);                     \
      }                                                                                        \
    }                                                                                          \
    /* sums = A B */                                                                           \
    template <class T, Major kMajorA, Major kMajorB>                                           \
    static AIT_DEVICE void set(float (&sums)[N / 2], SharedMatrix A, SharedMatrix B) {         \
      if constexpr (__is_same(T, float16)) {                                                   \
        AIT_PRODUCT("ne", #N, "f16", names, p0, p1, p2, p3, __VA_ARGS__);                      \
      } else {                                                                                 \
        static_assert(__is_same(T, bfloat16), "warp groups multiply float16 and bfloat16");    \
        AIT_PRODUCT("ne", #N, "bf16", names, p0, p1, p2, p3, __VA_ARGS__);                     \
      }                                                                                        \
    }                                                                                          \
    /* sums += A B, A in registers as `multiplyTiles` has it, 16 rows a warp */                \
    template <class T, Major kMajorB>                                                          \
    static AIT_DEVICE void add(float (&sums)[N / 2], const uint32_t (&A)[4], SharedMatrix B) { \
      if constexpr (__is_same(T, float16)) {                                                   \
        AIT_PRODUCT_OF_REGISTERS(#N, "f16", names, p0, p1, p2, p3, p4, p5, __VA_ARGS__);       \
      } else {                                                                                 \
        static_assert(__is_same(T, bfloat16), "warp groups multiply float16 and bfloat16");    \
        AIT_PRODUCT_OF_REGISTERS(#N, "bf16", names, p0, p1, p2, p3, p4, p5, __VA_ARGS__);      \
      }                                                                                        \
    }                                                                                          \
  };

AIT_DEFINE_PRODUCT(8, "%0, %1, %2, %3", "%4", "%5", "%6", "%7", "%8", "%9", AIT_SUMS_4(0))
AIT_DEFINE_PRODUCT(16, "%0, %1, %2, %3, %4, %5, %6, %7", "%8", "%9", "%10", "%11", "%12", "%13",
                   AIT_SUMS_8(0))
AIT_DEFINE_PRODUCT(24, "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11", "%12", "%13", "%14",
                   "%15", "%16", "%17", AIT_SUMS_8(0), AIT_SUMS_4(8))
AIT_DEFINE_PRODUCT(32, AIT_NAMES_0, "%16", "%17", "%18", "%19", "%20", "%21", AIT_SUMS_16(0))
AIT_DEFINE_PRODUCT(64, AIT_NAMES_0 ", " AIT_NAMES_1, "%32", "%33", "%34", "%35", "%36", "%37",
                   AIT_SUMS_16(0), AIT_SUMS_16(16))
AIT_DEFINE_PRODUCT(96, AIT_NAMES_0 ", " AIT_NAMES_1 ", " AIT_NAMES_2, "%48", "%49", "%50", "%51",
                   "%52", "%53", AIT_SUMS_16(0), AIT_SUMS_16(16), AIT_SUMS_16(32))
AIT_DEFINE_PRODUCT(128, AIT_NAMES_0 ", " AIT_NAMES_1 ", " AIT_NAMES_2 ", " AIT_NAMES_3, "%64",
                   "%65", "%66", "%67", "%68", "%69", AIT_SUMS_16(0), AIT_SUMS_16(16),
                   AIT_SUMS_16(32), AIT_SUMS_16(48))
AIT_DEFINE_PRODUCT(160,
                   AIT_NAMES_0 ", " AIT_NAMES_1 ", " AIT_NAMES_2 ", " AIT_NAMES_3 ", " AIT_NAMES_4,
                   "%80", "%81", "%82", "%83", "%84", "%85", AIT_SUMS_16(0), AIT_SUMS_16(16),
                   AIT_SUMS_16(32), AIT_SUMS_16(48), AIT_SUMS_16(64))
AIT_DEFINE_PRODUCT(192,
                   AIT_NAMES_0 ", " AIT_NAMES_1 ", " AIT_NAMES_2 ", " AIT_NAMES_3 ", " AIT_NAMES_4
                               ", " AIT_NAMES_5,
                   "%96", "%97", "%98", "%99", "%100", "%101", AIT_SUMS_16(0), AIT_SUMS_16(16),
                   AIT_SUMS_16(32), AIT_SUMS_16(48), AIT_SUMS_16(64), AIT_SUMS_16(80))
AIT_DEFINE_PRODUCT(224,
                   AIT_NAMES_0 ", " AIT_NAMES_1 ", " AIT_NAMES_2 ", " AIT_NAMES_3 ", " AIT_NAMES_4
                               ", " AIT_NAMES_5 ", " AIT_NAMES_6,
                   "%112", "%113", "%114", "%115", "%116", "%117", AIT_SUMS_16(0), AIT_SUMS_16(16),
                   AIT_SUMS_16(32), AIT_SUMS_16(48), AIT_SUMS_16(64), AIT_SUMS_16(80),
                   AIT_SUMS_16(96))
AIT_DEFINE_PRODUCT(256,
                   AIT_NAMES_0 ", " AIT_NAMES_1 ", " AIT_NAMES_2 ", " AIT_NAMES_3 ", " AIT_NAMES_4
                               ", " AIT_NAMES_5 ", " AIT_NAMES_6 ", " AIT_NAMES_7,
                   "%128", "%129", "%130", "%131", "%132", "%133", AIT_SUMS_16(0), AIT_SUMS_16(16),
                   AIT_SUMS_16(32), AIT_SUMS_16(48), AIT_SUMS_16(64), AIT_SUMS_16(80),
                   AIT_SUMS_16(96), AIT_SUMS_16(112))

#undef AIT_DEFINE_PRODUCT
#undef AIT_PRODUCT_OF_REGISTERS
#undef AIT_PRODUCT
#undef AIT_SUMS_16
#undef AIT_SUMS_8
#undef AIT_SUMS_4
#undef AIT_NAMES_0
#undef AIT_NAMES_1
#undef AIT_NAMES_2
#undef AIT_NAMES_3
#undef AIT_NAMES_4
#undef AIT_NAMES_5
#undef AIT_NAMES_6
#undef AIT_NAMES_7

}  // namespace ait
