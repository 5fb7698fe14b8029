// Checks every instance of `matmulSimt` and `matmulSimtFewRows` against double sums:
// simt_test <folder of cubins>.
#include "product_checks.h"
#include "simt_cases.h"

namespace {

template <class Config, class Body>
struct MakeSimt {
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  const device::Module& module;
  std::string name;
  static constexpr ait::Major majorA = Config::kMajorA;
  static constexpr ait::Major majorB = Config::kMajorB;
  template <class Product>
  device::Launch operator()(const Product& product) const {
    return device::simtLaunch<Config, In, Out>(
        module, name, product.template problem<Config::kBatchRank, In::kCount + Out::kCount>(),
        product.a(), product.b());
  }
};

template <class Config, class Body>
struct MakeSimtFewRows {
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  const device::Module& module;
  std::string name;
  static constexpr ait::Major majorA = Config::kMajorA;
  static constexpr ait::Major majorB = Config::kMajorB;
  template <class Product>
  device::Launch operator()(const Product& product) const {
    return device::simtFewRowsLaunch<Config, In, Out>(
        module, name, product.template problem<Config::kBatchRank, In::kCount + Out::kCount>(),
        product.a(), product.b());
  }
};

template <class Config, class Body>
void checkSimt(const device::Module& module, const std::string& name) {
  using T = typename Config::Element;
  const MakeSimt<Config, Body> make{module, name};
  const int64_t batch = Config::kBatchRank > 0 ? 3 : 1;
  const int64_t spread = Config::kIsStridedA ? 3 : 1;
  const auto check = [&](int64_t M, int64_t N, int64_t K) {
    device::checkProduct<T, Body>(name, {M, N, K, batch}, make, device::toleranceOf<T>(), spread);
  };
#if defined(AIT_SMALL_TESTS)
  check(136, 72, 40);
  if (Config::kAlignmentA <= 2) check(130, 34, 74);
  if (Config::kAlignmentA == 1) check(77, 31, 21);
  if (Config::kAlignmentA == 1) check(1, 3, 5);
  return;
#endif
  check(256, 512, 512);
  check(392, 328, 1096);
  check(8, 8, 8);
  if (Config::kAlignmentA <= 2) check(130, 98, 74);
  if (Config::kAlignmentA == 1) check(77, 131, 201);
  if (Config::kAlignmentA == 1) check(1, 3, 5);
}

template <class Config, class Body>
void checkFewRows(const device::Module& module, const std::string& name) {
  using T = typename Config::Element;
  const MakeSimtFewRows<Config, Body> make{module, name};
  const int64_t batch = Config::kBatchRank > 0 ? 3 : 1;
  for (const int64_t rows : {1, 5, 8, 16}) {
    // A matrix contiguous along M is aligned as its rows are many.
    if (rows > Config::kRows) continue;
    if (Config::kMajorA == ait::Major::mn && rows % Config::kAlignmentA != 0) continue;
#if defined(AIT_SMALL_TESTS)
    device::checkProduct<T, Body>(name, {rows, 40, 1096, batch}, make);
    if (Config::kAlignmentA == 1) device::checkProduct<T, Body>(name, {rows, 35, 201, batch}, make);
    continue;
#endif
    device::checkProduct<T, Body>(name, {rows, 512, 4096, batch}, make);
    device::checkProduct<T, Body>(name, {rows, 328, 1096, batch}, make);
    device::checkProduct<T, Body>(name, {rows, 8, 8, batch}, make);
    if (Config::kAlignmentA == 1)
      device::checkProduct<T, Body>(name, {rows, 131, 201, batch}, make);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/simt.cubin");
#define AIT_CHECK(name, body, ...) checkSimt<cases::name, bodies::body>(module, #name);
#define AIT_CHECK_FEW_ROWS(name, body, ...) checkFewRows<cases::name, bodies::body>(module, #name);
  AIT_SIMT_CASES(AIT_CHECK)
  AIT_SIMT_FEW_ROWS_CASES(AIT_CHECK_FEW_ROWS)
  std::printf(device::failures == 0 ? "all hold\n" : "%d FAILED\n", device::failures);
  return device::failures != 0;
}
