// Checks every instance of `matmulMultistage` and `matmulFewRows` against double sums:
// multistage_test <folder of cubins>.
#include "multistage_cases.h"
#include "products.h"

namespace {

int failures = 0;

/// Launches a product twice, which must give the same right result both times.
template <class Config, class Body, class MakeLaunch>
void check(const std::string& name, const device::Extents& extents, MakeLaunch&& makeLaunch) {
  using T = typename Config::Element;
  device::Product<T> product(extents, makeLaunch.majorA, makeLaunch.majorB, Body::kExtras,
                             static_cast<uint64_t>(extents.M * 7 + extents.N * 3 + extents.K));
  const device::Launch launch = makeLaunch(product);
  double errors[2];
  bool holds = true;
  for (double& error : errors) {
    product.output().poison();
    launch.enqueue(device::Driver::shared().stream());
    AIT_CALL(cuStreamSynchronize, device::Driver::shared().stream());
    const auto verdict = product.verify(Body::reference);
    error = verdict.error;
    holds = holds && verdict.holds(device::toleranceOf<T>());
    if (verdict.unwritten != 0 || !verdict.guardsAreIntact) {
      std::printf("  unwritten %lld, guards %s\n", static_cast<long long>(verdict.unwritten),
                  verdict.guardsAreIntact ? "intact" : "BROKEN");
    }
  }
  holds = holds && errors[0] == errors[1];
  if (!holds) ++failures;
  std::printf("%s %s M=%lld N=%lld K=%lld b=%lld blocks=%lld error %.2e %.2e\n",
              holds ? "ok    " : "FAILED", name.c_str(), static_cast<long long>(extents.M),
              static_cast<long long>(extents.N), static_cast<long long>(extents.K),
              static_cast<long long>(extents.batch), static_cast<long long>(launch.blocks),
              errors[0], errors[1]);
  std::fflush(stdout);
}

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
#if defined(AIT_SMALL_TESTS)
  check<Config, Body>(name, {136, 72, 264, batch}, make);
  if (kAlignment == 4) check<Config, Body>(name, {36, 100, 76, batch}, make);
  if (kAlignment == 2) check<Config, Body>(name, {130, 34, 74, batch}, make);
  if (kAlignment == 1) check<Config, Body>(name, {77, 31, 201, batch}, make);
  if (kAlignment == 1) check<Config, Body>(name, {1, 3, 5, batch}, make);
  return;
#endif
  check<Config, Body>(name, {256, 512, 512, batch}, make);
  check<Config, Body>(name, {392, 328, 1096, batch}, make);
  check<Config, Body>(name, {8, 8, 8, batch}, make);
  if (kAlignment == 4) check<Config, Body>(name, {132, 100, 76, batch}, make);
  if (kAlignment == 2) check<Config, Body>(name, {130, 98, 74, batch}, make);
  if (kAlignment == 1) check<Config, Body>(name, {77, 131, 201, batch}, make);
  if (kAlignment == 1) check<Config, Body>(name, {1, 3, 5, batch}, make);
}

template <class Config, class Body>
void checkFewRows(const device::Module& module, const std::string& name) {
  const MakeFewRows<Config, Body> make{module, name};
  const int64_t batch = Config::kBatchRank > 0 ? 3 : 1;
  for (const int64_t rows : {1, 5, 8, 16}) {
    if (rows > Config::kRows) continue;
#if defined(AIT_SMALL_TESTS)
    check<Config, Body>(name, {rows, 40, 1096, batch}, make);
    if (Config::kAlignmentA == 1) check<Config, Body>(name, {rows, 35, 201, batch}, make);
    continue;
#endif
    check<Config, Body>(name, {rows, 512, 4096, batch}, make);
    check<Config, Body>(name, {rows, 328, 1096, batch}, make);
    check<Config, Body>(name, {rows, 8, 8, batch}, make);
    if (Config::kAlignmentA == 1) check<Config, Body>(name, {rows, 131, 201, batch}, make);
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
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
