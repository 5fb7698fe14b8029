// Checks the kernels on rows and the pointwise ones against double: rows_test <folder of cubins>.
#include "products.h"
#include "row_problems.h"
#include "rows_cases.h"

namespace {

int failures = 0;

template <class T>
void report(const char* name, const device::RowProblem<T>& problem, double error) {
  const bool holds = error <= device::toleranceOf<T>();
  if (!holds) ++failures;
  std::printf("%s %s %lld x %lld error %.2e\n", holds ? "ok    " : "FAILED", name,
              static_cast<long long>(problem.rows()), static_cast<long long>(problem.columns()),
              error);
  std::fflush(stdout);
}

void run(const device::Launch& launch) {
  launch.enqueue(device::Driver::shared().stream());
  AIT_CALL(cuStreamSynchronize, device::Driver::shared().stream());
}

/// Rows that fit, rows that do not, columns beyond the last packet.
std::vector<std::pair<int64_t, int64_t>> shapes(int multiple) {
#if defined(AIT_SMALL_TESTS)
  if (multiple == 1) return {{7, 133}, {3, 1}, {2, 5011}};
  return {{7, 136}, {3, 8}, {2, 5008}};
#endif
  if (multiple == 1) return {{7, 133}, {301, 512}, {3, 1}, {5, 20011}};
  return {{7, 136}, {301, 512}, {3, 8}, {5, 20008}};
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/rows.cubin");
#define AIT_NORM(name, kind, T, threads, rows, packet, packets, multiple)         \
  for (const auto& [rowCount, columns] : shapes(multiple)) {                      \
    device::RowProblem<T> p(rowCount, columns, 3);                                \
    run(device::rowLaunch<cases::Rows<threads, rows, packet, packets, multiple>>( \
        module, #name, p.arguments<4>({&p.x, &p.weight, &p.bias, &p.y})));        \
    report(#name, p, p.error(p.y, p.normalization(#kind[0] == 'l')));             \
  }
#define AIT_SOFTMAX(name, isLogarithmic, T, threads, rows, packet, packets, multiple)     \
  for (const auto& [rowCount, columns] : shapes(multiple)) {                              \
    device::RowProblem<T> p(rowCount, columns, 5);                                        \
    using Config = cases::Rows<threads, rows, packet, packets, multiple>;                 \
    run(device::rowLaunch<Config>(module, #name,                                          \
                                  p.arguments<4>({&p.x, &p.residual, &p.y, &p.sum})));    \
    report(#name, p, p.error(p.y, p.softmax(isLogarithmic, true)));                       \
    report(#name " sum", p, p.error(p.sum, p.added()));                                   \
    p.y.poison();                                                                         \
    run(device::rowLaunch<Config>(module, #name "_plain", p.arguments<2>({&p.x, &p.y}))); \
    report(#name " plain", p, p.error(p.y, p.softmax(isLogarithmic, false)));             \
  }
#define AIT_POINT(name, T, threads, packet, packets, multiple)                                  \
  for (const auto& [rowCount, columns] : shapes(multiple)) {                                    \
    device::RowProblem<T> p(rowCount, columns, 7);                                              \
    using Config = cases::Elements<threads, packet, packets, multiple>;                         \
    run(device::pointwiseLaunch<Config>(module, #name, p.arguments<3>({&p.x, &p.weight, &p.y}), \
                                        columns));                                              \
    report(#name, p, p.error(p.y, p.scaled()));                                                 \
  }
  AIT_NORM_CASES(AIT_NORM)
  AIT_SOFTMAX_CASES(AIT_SOFTMAX)
  AIT_POINTWISE_CASES(AIT_POINT)
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
