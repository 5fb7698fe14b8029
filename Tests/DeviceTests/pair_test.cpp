// Checks every instance of pair_cases.h against double sums: pair_test <folder of cubins>.
#include "pair_cases.h"
#include "product_checks.h"

namespace {

/// Makes launches of a paired product; `Call` makes one of a problem and its matrices.
template <class Config, class Body, class Call>
struct MakePair {
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  Call call;
  ait::Major majorA;
  ait::Major majorB;
  template <class Product>
  device::Launch operator()(const Product& product) const {
    return call(product.template problem<Config::kBatchRank, In::kCount + Out::kCount>(),
                product.a(), product.b(), product.second());
  }
};

template <class Config, class Body, class Call>
void check(const std::string& name, std::vector<device::Extents> shapes, ait::Major majorA,
           ait::Major majorB, Call call) {
  const MakePair<Config, Body, Call> make{call, majorA, majorB};
  for (auto extents : shapes) {
    extents.batch = Config::kBatchRank > 0 ? 3 : 1;
    device::checkProduct<typename Config::Element, Body, true>(name, extents, make);
  }
}

}  // namespace

int main(int count, char** arguments) {
  using device::Matrix;
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/pair.cubin");
#if defined(AIT_SMALL_TESTS)
  const std::vector<device::Extents> large = {{136, 136, 264}, {24, 8, 8}};
  const std::vector<device::Extents> odd = {{77, 31, 201}, {1, 3, 5}};
  const std::vector<device::Extents> few = {{5, 40, 1096}, {8, 8, 8}};
#else
  const std::vector<device::Extents> large = {{256, 512, 512}, {392, 328, 1096}, {24, 8, 8}};
  const std::vector<device::Extents> odd = {{77, 131, 201}, {1, 3, 5}};
  const std::vector<device::Extents> few = {{1, 512, 4096}, {5, 328, 1096}, {8, 8, 8}};
#endif
#define AIT_CALL_OF(name, body, launch)                                                   \
  [&](const auto& problem, const Matrix& a, const Matrix& b, const Matrix& second) {      \
    using In = cases::In<cases::name, bodies::body>;                                      \
    return launch<cases::name, In, cases::Out<cases::name>>(module, #name, problem, a, b, \
                                                            AIT_CONSTANT second);         \
  }
#define AIT_CONSTANT false,
#define AIT_CHECK(name, body, ...)                                                           \
  check<cases::name, bodies::body>(#name, large, cases::name::kMajorA, cases::name::kMajorB, \
                                   AIT_CALL_OF(name, body, device::hopperLaunch));
  AIT_PAIR_HOPPER_CASES(AIT_CHECK)
#undef AIT_CHECK
#undef AIT_CONSTANT
#define AIT_CONSTANT
#define AIT_CHECK(name, body, ...)                                                     \
  check<cases::name, bodies::body>(#name, cases::name::kAlignmentA == 1 ? odd : large, \
                                   cases::name::kMajorA, cases::name::kMajorB,         \
                                   AIT_CALL_OF(name, body, device::multistageLaunch));
  AIT_PAIR_MULTISTAGE_CASES(AIT_CHECK)
#undef AIT_CHECK
#define AIT_CHECK(name, body, ...)                                           \
  check<cases::name, bodies::body>(#name, few, ait::Major::k, ait::Major::k, \
                                   AIT_CALL_OF(name, body, device::fewRowsLaunch));
  AIT_PAIR_FEW_ROWS_CASES(AIT_CHECK)
  std::printf(device::failures == 0 ? "all hold\n" : "%d FAILED\n", device::failures);
  return device::failures != 0;
}
