// Checks every instance of `matmulHopper` against double sums: hopper_test <folder of cubins>.
#include "hopper_cases.h"
#include "products.h"

namespace {

int failures = 0;

template <class Config, class Body>
void check(const device::Module& module, const std::string& name, const device::Extents& extents) {
  using T = typename Config::Element;
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  device::Product<T> product(extents, cases::majorA<Config>, cases::majorB<Config>, Body::kExtras,
                             static_cast<uint64_t>(extents.M * 7 + extents.N * 3 + extents.K));
  const auto problem = product.template problem<Config::kBatchRank, In::kCount + Out::kCount>();
  // Twice: what a launch leaves behind must not help the next. The second copies B ahead and
  // rehearses its epilogue.
  double errors[2];
  bool holds = true;
  int64_t blocks = 0;
  for (int i = 0; i < 2; ++i) {
    auto launch = device::hopperLaunch<Config, In, Out>(module, name, problem, product.a(),
                                                        product.b(), i == 1);
    launch.isProgrammatic = i == 1;
    blocks = launch.blocks;
    product.output().poison();
    launch.enqueue(device::Driver::shared().stream());
    AIT_CALL(cuStreamSynchronize, device::Driver::shared().stream());
    const auto verdict = product.verify(Body::reference);
    errors[i] = verdict.error;
    if (!verdict.holds(device::toleranceOf<T>())) {
      holds = false;
      std::printf("  unwritten %lld, guards %s\n", static_cast<long long>(verdict.unwritten),
                  verdict.guardsAreIntact ? "intact" : "BROKEN");
    }
  }
  if (errors[0] != errors[1]) holds = false;
  if (!holds) ++failures;
  std::printf("%s %s M=%lld N=%lld K=%lld b=%lld blocks=%lld error %.2e %.2e\n",
              holds ? "ok    " : "FAILED", name.c_str(), static_cast<long long>(extents.M),
              static_cast<long long>(extents.N), static_cast<long long>(extents.K),
              static_cast<long long>(extents.batch), static_cast<long long>(blocks), errors[0],
              errors[1]);
  std::fflush(stdout);
}

template <class Config, class Body>
void checkShapes(const device::Module& module, const std::string& name) {
  const int64_t batch = Config::kBatchRank > 0 ? 3 : 1;
#if defined(AIT_SMALL_TESTS)
  // Several tiles, tails everywhere, a ring that comes round.
  check<Config, Body>(module, name, {264, 136, 456, batch});
  if (Config::kColumnMultiple == 1) check<Config, Body>(module, name, {77, 131, 200, batch});
  return;
#endif
  check<Config, Body>(module, name, {256, 512, 512, batch});
  // Tails everywhere, more K than the ring holds; then next to nothing.
  check<Config, Body>(module, name, {392, 328, 1096, batch});
  check<Config, Body>(module, name, {8, 8, 8, batch});
  if (cases::majorA<Config> == ait::Major::k) check<Config, Body>(module, name, {1, 40, 72, batch});
  if (Config::kColumnMultiple == 1) check<Config, Body>(module, name, {77, 131, 200, batch});
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const std::string only = count > 2 ? arguments[2] : "";
#define AIT_CHECK_CASE(name, body, ...)                                     \
  if (only.empty() || std::string(#name).find(only) != std::string::npos) { \
    checkShapes<cases::name, bodies::body>(module, #name);                  \
  }
#define AIT_CHECK_GROUP(group)                                        \
  {                                                                   \
    const device::Module module(folder + "/hopper_" #group ".cubin"); \
    AIT_HOPPER_##group(AIT_CHECK_CASE)                                \
  }
  AIT_CHECK_GROUP(FORMS)
  AIT_CHECK_GROUP(FIRST)
  AIT_CHECK_GROUP(SECOND)
  AIT_CHECK_GROUP(LARGE)
  AIT_CHECK_GROUP(SKINNY)
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
