// Checks every kernel of attention against double: attention_test <folder of cubins>.
#include "attention_problems.h"

namespace {

using device::AttentionExtents;
using device::AttentionKernel;

int failures = 0;

/// Launches a kernel twice, which must give the same right result both times.
template <class Config>
void check(const device::Module& module, const std::string& name, AttentionKernel kernel,
           device::AttentionProblem<Config>& problem, const AttentionExtents& extents) {
  using T = typename Config::Element;
  std::vector<T> results[2];
  double error = 0;
  int launches = 0;
  for (auto& result : results) {
    problem.out.poison();
    problem.workspace.poison();
    launches = problem.launch(module, name, kernel);
    AIT_CALL(cuStreamSynchronize, device::Driver::shared().stream());
    result = problem.out.template content<T>();
    error = std::fmax(error, problem.error(4000));
    if (std::isnan(problem.error(4000))) error = NAN;
  }
  const bool isSame =
      std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(T)) == 0;
  const bool holds = isSame && error <= device::toleranceOf<T>();
  if (!holds) ++failures;
  const char* kind = kernel == AttentionKernel::warps        ? "by warps"
                     : kernel == AttentionKernel::warpgroups ? "by warp groups"
                     : launches > 1                          ? "of few queries in parts"
                                                             : "of few queries";
  std::printf("%s %s %s b=%lld h=%lld x %lld T=%lld S=%lld error %.2e%s\n",
              holds ? "ok    " : "FAILED", name.c_str(), kind,
              static_cast<long long>(extents.batch), static_cast<long long>(extents.heads),
              static_cast<long long>(extents.group), static_cast<long long>(extents.queries),
              static_cast<long long>(extents.keys), error, isSame ? "" : ", differs");
  std::fflush(stdout);
}

/// Tiles that are full and not, heads that share keys, few and many queries and keys; masks that
/// are read in pairs, where keys are even in number, and not.
std::vector<AttentionExtents> shapes() {
#if defined(AIT_SMALL_TESTS)
  return {{2, 1, 1, 70, 134}, {1, 2, 3, 23, 301}, {1, 1, 2, 1, 602}};
#else
  return {{2, 3, 1, 200, 333}, {3, 12, 1, 197, 196}, {1, 2, 4, 50, 1000}, {1, 1, 1, 1, 5},
          {3, 2, 2, 1, 2049},  {1, 4, 1, 300, 64},   {1, 1, 1, 5, 9001},  {2, 16, 1, 1024, 1024}};
#endif
}

template <class Config>
void checkCase(const device::Module& module, const std::string& name, bool hasWarpgroups) {
  for (const auto& extents : shapes()) {
    device::AttentionProblem<Config> problem(extents, static_cast<uint64_t>(extents.keys));
    check(module, name, AttentionKernel::warps, problem, extents);
    check(module, name, AttentionKernel::fewQueries, problem, extents);
    if (hasWarpgroups) check(module, name, AttentionKernel::warpgroups, problem, extents);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const std::string only = count > 2 ? arguments[2] : "";
  const device::Module module(folder + "/attention.cubin");
#define AIT_CHECK(name, ...) \
  if (only.empty() || only == #name) checkCase<cases::name>(module, #name, true);
#define AIT_CHECK_ODD(name, ...) \
  if (only.empty() || only == #name) checkCase<cases::name>(module, #name, false);
  AIT_ATTENTION_CASES(AIT_CHECK)
  AIT_ATTENTION_ODD_CASES(AIT_CHECK_ODD)
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
