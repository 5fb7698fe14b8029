// Checks every instance of `matmulMultistage` and `matmulFewRows` against double sums:
// multistage_test <folder of cubins>.
#include "multistage_cases.h"
#include "product_checks.h"

namespace {

template <class Config, class Body>
struct MakeMultistage {
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  const device::Module& module;
  std::string name;
  static constexpr ait::Major majorA = Config::kMajorA;
  static constexpr ait::Major majorB = Config::kMajorB;
  template <class Product>
  device::Launch operator()(const Product& product) const {
    return device::multistageLaunch<Config, In, Out>(
        module, name, product.template problem<Config::kBatchRank, In::kCount + Out::kCount>(),
        product.a(), product.b());
  }
};

template <class Config, class Body>
struct MakeFewRows {
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  const device::Module& module;
  std::string name;
  static constexpr ait::Major majorA = ait::Major::k;
  static constexpr ait::Major majorB = ait::Major::k;
  template <class Product>
  device::Launch operator()(const Product& product) const {
    return device::fewRowsLaunch<Config, In, Out>(
        module, name, product.template problem<Config::kBatchRank, In::kCount + Out::kCount>(),
        product.a(), product.b());
  }
};

template <class Config, class Body>
void checkMultistage(const device::Module& module, const std::string& name) {
  const MakeMultistage<Config, Body> make{module, name};
  const int64_t batch = Config::kBatchRank > 0 ? 3 : 1;
  constexpr int kAlignment = Config::kAlignmentA;
  using T = typename Config::Element;
  // Factors of tf32 err by 2^-11 at most.
  constexpr double kTolerance = std::is_same_v<T, float> ? 1e-3 : device::toleranceOf<T>();
  const auto check = [&](int64_t M, int64_t N, int64_t K) {
    device::checkProduct<T, Body>(name, {M, N, K, batch}, make, kTolerance);
  };
#if defined(AIT_SMALL_TESTS)
  check(136, 72, 264);
  if (kAlignment == 4) check(36, 100, 76);
  if (kAlignment == 2) check(130, 34, 74);
  if (kAlignment == 1) check(77, 31, 201);
  if (kAlignment == 1) check(1, 3, 5);
  return;
#endif
  check(256, 512, 512);
  check(392, 328, 1096);
  check(8, 8, 8);
  if (kAlignment == 4) check(132, 100, 76);
  if (kAlignment == 2) check(130, 98, 74);
  if (kAlignment == 1) check(77, 131, 201);
  if (kAlignment == 1) check(1, 3, 5);
}

template <class Config, class Body>
void checkFewRows(const device::Module& module, const std::string& name) {
  const MakeFewRows<Config, Body> make{module, name};
  const int64_t batch = Config::kBatchRank > 0 ? 3 : 1;
  const auto check = [&](int64_t M, int64_t N, int64_t K) {
    device::checkProduct<typename Config::Element, Body>(name, {M, N, K, batch}, make);
  };
  for (const int64_t rows : {1, 5, 8, 16}) {
    if (rows > Config::kRows) continue;
#if defined(AIT_SMALL_TESTS)
    check(rows, 40, 1096);
    if (Config::kAlignmentA == 1) check(rows, 35, 201);
    continue;
#endif
    check(rows, 512, 4096);
    check(rows, 328, 1096);
    check(rows, 8, 8);
    if (Config::kAlignmentA == 1) check(rows, 131, 201);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/multistage.cubin");
#define AIT_CHECK_MULTISTAGE(name, body, ...) \
  checkMultistage<cases::name, bodies::body>(module, #name);
#define AIT_CHECK_FEW_ROWS(name, body, ...) checkFewRows<cases::name, bodies::body>(module, #name);
  AIT_MULTISTAGE_CASES(AIT_CHECK_MULTISTAGE)
  AIT_FEW_ROWS_CASES(AIT_CHECK_FEW_ROWS)
  std::printf(device::failures == 0 ? "all hold\n" : "%d FAILED\n", device::failures);
  return device::failures != 0;
}
