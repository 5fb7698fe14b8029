// Checks reductions against double, and gathers with indices inside and outside their table:
// reduce_test <folder of cubins>.
#include "products.h"
#include "reduce_problems.h"

namespace {

int failures = 0;

void report(const std::string& name, int64_t rows, int64_t columns, bool holds, double error) {
  if (!holds) ++failures;
  std::printf("%s %s %lld x %lld error %.2e\n", holds ? "ok    " : "FAILED", name.c_str(),
              static_cast<long long>(rows), static_cast<long long>(columns), error);
  std::fflush(stdout);
}

void run(const std::vector<device::Launch>& launches) {
  for (const auto& launch : launches) launch.enqueue(device::Driver::shared().stream());
  AIT_CALL(cuStreamSynchronize, device::Driver::shared().stream());
}

/// Short and long rows, results of many blocks, columns beyond the last packet.
std::vector<std::pair<int64_t, int64_t>> shapes(int multiple) {
#if defined(AIT_SMALL_TESTS)
  if (multiple == 1) return {{7, 133}, {3, 1}, {2, 40003}, {900, 5}};
  return {{7, 136}, {40, 8}, {2, 40000}, {900, 264}};
#else
  if (multiple == 1) return {{7, 133}, {3, 1}, {2, 4000003}, {100000, 5}, {5001, 333}};
  return {{7, 136}, {40, 8}, {2, 4000000}, {100000, 8}, {5000, 4096}, {20, 100000}};
#endif
}

template <class Problem, class Result>
void check(const device::Module& module, const std::string& name, int multiple,
           const device::Reducing& meaning) {
  for (const auto& [rows, columns] : shapes(multiple)) {
    Problem problem(rows, columns, 7);
    const auto launches = problem.launches(module, name);
    run(launches);
    const auto first = problem.y.template content<Result>();
    const double error = problem.error(meaning, 5000);
    // The same sizes give the same bits.
    problem.y.poison();
    problem.workspace.poison();
    run(launches);
    const auto second = problem.y.template content<Result>();
    const bool isSame =
        std::memcmp(first.data(), second.data(), first.size() * sizeof(Result)) == 0;
    const double tolerance = std::is_same_v<Result, int64_t> ? 0 : device::toleranceOf<Result>();
    report(name + (launches.size() > 1 ? " in parts" : ""), rows, columns,
           error <= tolerance && isSame, error);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/reduce.cubin");
#define AIT_REDUCE(name, meaning, T, Result, packet, isAcross, multiple, stateBytes)              \
  check<                                                                                          \
      device::ReduceProblem<T, Result, cases::Reduction<packet, isAcross, multiple, stateBytes>>, \
      Result>(module, #name, multiple, device::meaningOf##meaning);
  AIT_REDUCE_CASES(AIT_REDUCE)
#define AIT_GATHER(name, T, Index, packet, packets)                                                \
  {                                                                                                \
    device::GatherProblem<T, Index, cases::Movement<packet, packets>> problem(50, 33, 24);         \
    run({problem.launch(module, #name)});                                                          \
    auto record = problem.record.content<ait::IndexErrorRecord>()[0];                              \
    report(#name, 33, 24, problem.isRight() && record.isSet == 0, 0);                              \
    for (const Index outside : {Index{-1}, Index{50}}) {                                           \
      problem.setIndex(13, outside);                                                               \
      problem.y.poison();                                                                          \
      run({problem.launch(module, #name)});                                                        \
      record = problem.record.content<ait::IndexErrorRecord>()[0];                                 \
      const bool isNoted =                                                                         \
          record.isSet == 1 && record.step == 3 && record.extent == 50 && record.index == outside; \
      report(#name " outside", 33, 24, problem.isRight() && isNoted, 0);                           \
      problem.record = device::Buffer(std::vector<ait::IndexErrorRecord>(1));                      \
    }                                                                                              \
  }
  AIT_GATHER_CASES(AIT_GATHER)
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
