// Matrix products of every element type, of batches, and the layout of packed weights.
#include "matmul_reference.h"

using namespace ait;
using namespace reference;

TEST(floatTypes) {
  checkRandomProducts<float16, float16, Packing::packed, 0, float16>(150, 1);
  checkRandomProducts<float16, float16, Packing::strided, 0, float16>(150, 2);
  checkRandomProducts<bfloat16, bfloat16, Packing::packed, 0, bfloat16>(150, 3);
  checkRandomProducts<float, float16, Packing::packed, 0, float>(100, 5);
  checkRandomProducts<double, double, Packing::packed, 0, double>(150, 7);
  checkRandomProducts<double, double, Packing::strided, 0, double>(150, 8);
  checkRandomProducts<float, double, Packing::strided, 0, double>(50, 9);
}

TEST(integerTypes) {
  checkRandomProducts<int8_t, int8_t, Packing::strided, 0, int8_t>(80, 1);
  checkRandomProducts<int8_t, int8_t, Packing::packed, 0, int32_t>(80, 2);
  checkRandomProducts<int32_t, int32_t, Packing::strided, 0, int32_t>(80, 5);
  checkRandomProducts<int64_t, int64_t, Packing::packed, 0, int64_t>(80, 7);
  checkRandomProducts<uint8_t, int16_t, Packing::packed, 0, uint8_t>(80, 8);
}

TEST(integersWrapAround) {
  using Config = MatmulConfig<int32_t, int32_t, Packing::strided>;
  GuardedBuffer<int32_t> a(3);
  GuardedBuffer<int32_t> b(3);
  GuardedBuffer<int8_t> c(1);
  for (int k = 0; k < 3; ++k) a[k] = b[k] = 0x7fffffff - k;
  check::runKernel(
      matmul<Config, ConvertTo<int8_t>, Inputs<>, Outputs<Operand<int8_t, Access::contiguous>>>,
      {a.data(), b.data(), c.data()}, {1, 1, 3, 3, 1, 1, 1, 1, 1}, onePool());
  // The squares of -1, -2 and -3, less multiples of 2^31.
  CHECK_EQUAL(c[0], static_cast<int8_t>(1 + 4 + 9));
}

TEST(batches) {
  checkRandomProducts<float, float, Packing::strided, 1, float>(300, 1);
  checkRandomProducts<float, float, Packing::strided, 2, float>(200, 2);
  checkRandomProducts<float, float, Packing::packed, 1, float>(200, 3);
  checkRandomProducts<float16, float16, Packing::strided, 3, float16>(60, 4);
}

TEST(manySmallMatricesShareCalls) {
  checkProduct<float, float, Packing::strided, 1, float>({{900}, 4, 4, 4});
  checkProduct<float, float, Packing::strided, 1, float>({{700}, 9, 11, 13});
  checkProduct<float, float, Packing::strided, 1, float>({{700}, 30, 20, 10});
}

// MARK: - Packing

TEST(packedLayoutIsTheDocumentedOne) {
  constexpr int kWidth = 16;
  for (const bool isTransposed : {false, true}) {
    for (const int64_t K : {1, 15, 16, 40}) {
      for (const int64_t N : {1, 16, 21, 50}) {
        const int64_t count = packedElementCount(K, N, kWidth);
        CHECK_EQUAL(count, (N + kWidth - 1) / kWidth * kWidth * K);
        Matrix<float16> weights({2, K, N}, {isTransposed, 1, 0, {}});
        Random random(K * N);
        weights.fill(random);
        GuardedBuffer<float16> packed(2 * count);
        check::runKernel(packWeights<float16, kWidth>, {weights.data(), packed.data()},
                         {2, K, N, weights.strides[0], weights.strides[1], weights.strides[2]},
                         twoPool());
        CHECK(packed.guardsAreIntact());
        for (int64_t batch = 0; batch < 2; ++batch) {
          for (int64_t n = 0; n < count / K; ++n) {
            for (int64_t k = 0; k < K; ++k) {
              const uint16_t expected = n < N ? weights[{batch, k, n}].bits : 0;
              const int64_t at = batch * count + (n / kWidth * K + k) * kWidth + n % kWidth;
              CHECK_EQUAL(packed[at].bits, expected, K, N, k, n);
            }
          }
        }
      }
    }
  }
}
