// Reductions and gathers beside copies of the same run: reduce_bench <folder of cubins>. Inputs of
// 268 MB and more, beyond the L2: sums of rows, of columns and of everything, variance and argmax
// of rows, embeddings of 16384 tokens. Bytes are those read and written once.
#include "reduce_problems.h"
#include "timing.h"

namespace {

void line(const std::string& name, double time, double bytes, double error = 0) {
  std::printf("%-44s %9.2f us  %6.3f TB/s  error %.1e\n", name.c_str(), time, bytes / time * 1e-6,
              error);
  std::fflush(stdout);
}

double timeOf(const std::vector<device::Launch>& launches) {
  const device::Graph graph([&](device::Handle stream) {
    for (const auto& launch : launches) launch.enqueue(stream);
  });
  return device::microseconds(graph, 10, 9);
}

void copies(size_t bytes) {
  device::Buffer from(bytes), to(bytes);
  const device::Graph graph([&](device::Handle stream) {
    AIT_CALL(cuMemcpyDtoDAsync, to.address(), from.address(), bytes, stream);
  });
  line("driver's copy of " + std::to_string(bytes >> 20) + " MB", device::microseconds(graph, 5, 7),
       2.0 * static_cast<double>(bytes));
}

template <class Problem, class T>
void reductions(const device::Module& module, const std::string& name,
                const device::Reducing& meaning, bool isAcross) {
  std::vector<std::pair<int64_t, int64_t>> shapes = {{32768, 4096}};
  if (isAcross) {
    shapes.push_back({262144, 512});
  } else {
    shapes.push_back({int64_t{1} << 21, 64});
    shapes.push_back({1, int64_t{1} << 27});
  }
  for (const auto& [rows, columns] : shapes) {
    const Problem problem(rows, columns);
    const auto launches = problem.launches(module, name);
    const double time = timeOf(launches);
    const std::string shape = " " + std::to_string(rows) + " x " + std::to_string(columns);
    line(name + shape + (launches.size() > 1 ? " in parts" : ""), time,
         static_cast<double>(rows * columns) * sizeof(T) + static_cast<double>(problem.y.bytes()),
         problem.error(meaning, 64));
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  copies(size_t{1} << 28);
  copies(size_t{1} << 31);
  const device::Module module(folder + "/reduce.cubin");
  // Odd sizes are a matter of tests.
#define AIT_REDUCE(name, meaning, T, Result, packet, isAcross, multiple, stateBytes)            \
  if constexpr (multiple > 1) {                                                                 \
    reductions<device::ReduceProblem<T, Result,                                                 \
                                     cases::Reduction<packet, isAcross, multiple, stateBytes>>, \
               T>(module, #name, device::meaningOf##meaning, isAcross != 0);                    \
  }
  AIT_REDUCE_CASES(AIT_REDUCE)
#define AIT_GATHER(name, T, Index, packet, packets)                                  \
  for (const int64_t columns : {768, 4096}) {                                        \
    const device::GatherProblem<T, Index, cases::Movement<packet, packets>> problem( \
        32768, 16384 * 4096 / columns, columns);                                     \
    const double time = timeOf({problem.launch(module, #name)});                     \
    line(#name ", rows of " + std::to_string(columns), time,                         \
         2.0 * static_cast<double>(problem.y.bytes()), problem.isRight() ? 0 : NAN); \
  }
  AIT_GATHER_CASES(AIT_GATHER)
}
