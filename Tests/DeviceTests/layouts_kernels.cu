// Single instructions, to show how they lay out what they read and write.
#include "ait/gpu/dialect.h"
#include "layouts.h"

using namespace ait;
using layouts::Arguments;

namespace {

template <class T>
AIT_DEVICE T load(const void* base, int index) {
  const auto x = loadGlobal<static_cast<int>(sizeof(T))>(static_cast<const T*>(base) + index);
  T value;
  __builtin_memcpy(&value, &x, sizeof(T));
  return value;
}
template <class T>
AIT_DEVICE void store(void* base, int index, T value) {
  Words<static_cast<int>(sizeof(T))> x;
  __builtin_memcpy(&x, &value, sizeof(T));
  storeGlobal(static_cast<T*>(base) + index, x);
}

/// Four matrices of 8 rows of 16 bytes, one after the other; a lane stores its four words.
template <bool kIsTransposed>
AIT_DEVICE void showMatrices(const Arguments& arguments) {
  waitForPrerequisites();
  char* shared = dynamicSharedMemory();
  storeShared(shared + laneIndex() * 16,
              loadGlobal<16>(static_cast<const char*>(arguments.in) + laneIndex() * 16));
  synchronizeWarp();
  uint32_t x[4];
  loadMatrices<kIsTransposed>(x, shared + laneIndex() * 16);
  for (int i = 0; i < 4; ++i) store(arguments.out, laneIndex() * 4 + i, x[i]);
}

/// Per lane four words of A and two of B; a lane stores its four sums.
template <class T>
AIT_DEVICE void showTiles(const Arguments& arguments) {
  waitForPrerequisites();
  uint32_t a[4];
  for (int i = 0; i < 4; ++i) a[i] = load<uint32_t>(arguments.in, laneIndex() * 6 + i);
  const uint32_t b0 = load<uint32_t>(arguments.in, laneIndex() * 6 + 4);
  const uint32_t b1 = load<uint32_t>(arguments.in, laneIndex() * 6 + 5);
  float sums[4] = {1, 2, 3, 4};
  multiplyTiles<T>(sums, a, b0, b1);
  for (int i = 0; i < 4; ++i) store(arguments.out, laneIndex() * 4 + i, sums[i]);
}

}  // namespace

AIT_KERNEL(32, 1) show_matrices(AIT_ARGUMENTS(Arguments) arguments) {
  showMatrices<false>(arguments);
}
AIT_DESCRIBE_KERNEL(show_matrices)
AIT_KERNEL(32, 1) show_matrices_transposed(AIT_ARGUMENTS(Arguments) arguments) {
  showMatrices<true>(arguments);
}
AIT_DESCRIBE_KERNEL(show_matrices_transposed)
AIT_KERNEL(32, 1) show_tiles_f16(AIT_ARGUMENTS(Arguments) arguments) {
  showTiles<float16>(arguments);
}
AIT_DESCRIBE_KERNEL(show_tiles_f16)
AIT_KERNEL(32, 1) show_tiles_bf16(AIT_ARGUMENTS(Arguments) arguments) {
  showTiles<bfloat16>(arguments);
}
AIT_DESCRIBE_KERNEL(show_tiles_bf16)

#if defined(AIT_EMULATED_ARCHITECTURE) || __CUDA_ARCH__ >= 900

/// A box of 64 x 16 elements, as it lies in shared memory.
AIT_KERNEL(32, 1) show_box(AIT_ARGUMENTS(Arguments) arguments) {
  waitForPrerequisites();
  char* shared = dynamicSharedMemory();
  auto* barrier = reinterpret_cast<TransferBarrier*>(shared + 2048);
  if (laneIndex() == 0) {
    barrier->initialize(1);
    publishBarriers();
    barrier->arriveExpecting(2048);
    const int position[5] = {8, -1, 0, 0, 0};
    copyTensor<2, false>(shared, arguments.map, *barrier, position, 0);
  }
  synchronizeWarp();
  barrier->wait(0);
  for (int i = laneIndex(); i < 512; i += 32) {
    store(arguments.out, i, reinterpret_cast<const uint32_t*>(shared)[i]);
  }
}
AIT_DESCRIBE_KERNEL(show_box)

namespace {

/// A product of 64 x 16 and 16 x kColumns out of shared memory as it is given; K from 16 on.
template <Major kMajorA, Major kMajorB>
AIT_DEVICE void showProduct(const Arguments& arguments) {
  waitForPrerequisites();
  char* shared = dynamicSharedMemory();
  for (int at = threadIndex() * 16; at < layouts::kABytes + layouts::kBBytes; at += 128 * 16) {
    storeShared(shared + at, loadGlobal<16>(static_cast<const char*>(arguments.in) + at));
  }
  publishSharedMemory();
  synchronizeBlock();
  // Along K, the rows of 8 elements of K follow; chunks of 64 rows are 8 KB apart otherwise.
  const SharedMatrix a =
      kMajorA == Major::k ? SharedMatrix::alongK(shared) : SharedMatrix::across(shared, 8192);
  const SharedMatrix b = kMajorB == Major::k
                             ? SharedMatrix::alongK(shared + layouts::kABytes)
                             : SharedMatrix::across(shared + layouts::kABytes, 8192);
  float sums[layouts::kColumns / 2];
  for (int i = 0; i < layouts::kColumns / 2; ++i) sums[i] = 1;
  beginProducts();
  WarpgroupProduct<layouts::kColumns>::template add<float16, kMajorA, kMajorB>(
      sums, a.advanced(kMajorA == Major::k ? 32 : 2048),
      b.advanced(kMajorB == Major::k ? 32 : 2048));
  commitProducts();
  waitForProducts<0>();
  for (int i = 0; i < layouts::kColumns / 2; ++i) {
    pinSum(sums[i]);
    store(arguments.out, threadIndex() * (layouts::kColumns / 2) + i, sums[i]);
  }
}

/// The same product with A contiguous along K and B along N, in place of the sums; and added to it
/// the next 16 of K, with A in registers.
AIT_DEVICE void showProductOfRegisters(const Arguments& arguments) {
  waitForPrerequisites();
  char* shared = dynamicSharedMemory();
  for (int at = threadIndex() * 16; at < layouts::kABytes + layouts::kBBytes; at += 128 * 16) {
    storeShared(shared + at, loadGlobal<16>(static_cast<const char*>(arguments.in) + at));
  }
  publishSharedMemory();
  synchronizeBlock();
  uint32_t words[4];
  for (int i = 0; i < 4; ++i) {
    const int row = threadIndex() / 32 * 16 + laneIndex() / 4 + i % 2 * 8;
    const int k = 32 + laneIndex() % 4 * 2 + i / 2 * 8;
    words[i] = *reinterpret_cast<const uint32_t*>(shared + row * 128 + ((k * 2) ^ (row & 7) << 4));
  }
  const SharedMatrix a = SharedMatrix::alongK(shared);
  const SharedMatrix b = SharedMatrix::across(shared + layouts::kABytes, 8192);
  using Product = WarpgroupProduct<layouts::kColumns>;
  float sums[layouts::kColumns / 2];
  for (int i = 0; i < layouts::kColumns / 2; ++i) sums[i] = 1;
  beginProducts();
  Product::set<float16, Major::k, Major::mn>(sums, a.advanced(32), b.advanced(2048));
  Product::add<float16, Major::mn>(sums, words, b.advanced(4096));
  commitProducts();
  waitForProducts<0>();
  for (int i = 0; i < layouts::kColumns / 2; ++i) {
    pinSum(sums[i]);
    store(arguments.out, threadIndex() * (layouts::kColumns / 2) + i, sums[i]);
  }
}

}  // namespace

AIT_KERNEL(128, 1) show_product_registers(AIT_ARGUMENTS(Arguments) arguments) {
  showProductOfRegisters(arguments);
}
AIT_DESCRIBE_KERNEL(show_product_registers)
AIT_KERNEL(128, 1) show_product_kk(AIT_ARGUMENTS(Arguments) arguments) {
  showProduct<Major::k, Major::k>(arguments);
}
AIT_DESCRIBE_KERNEL(show_product_kk)
AIT_KERNEL(128, 1) show_product_mn(AIT_ARGUMENTS(Arguments) arguments) {
  showProduct<Major::mn, Major::mn>(arguments);
}
AIT_DESCRIBE_KERNEL(show_product_mn)

#endif
