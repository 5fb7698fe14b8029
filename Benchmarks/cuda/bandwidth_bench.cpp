// Kernels bound by memory bandwidth beside copies of the same run: bandwidth_bench <folder of
// cubins>. Rows and elements: 32768 x 4096 in float16, 268 MB read and as much written, beyond the
// L2. Products of few rows: weights of 4096 x 4096, 8 different ones in turn in one graph, 268 MB
// in all, so that none is still in the L2 when it is read again.
#include "multistage_cases.h"
#include "products.h"
#include "row_problems.h"
#include "rows_cases.h"
#include "timing.h"

namespace {

using T = ait::float16;

void line(const std::string& name, double time, double bytes, double error = 0) {
  std::printf("%-36s %9.2f us  %6.3f TB/s  error %.1e\n", name.c_str(), time, bytes / time * 1e-6,
              error);
  std::fflush(stdout);
}

double timeOf(const device::Launch& launch) {
  const device::Graph graph([&](device::Handle stream) { launch.enqueue(stream); });
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

/// Times products with eight weights in turn, one after the other and overlapped.
template <class Config, class Body, class MakeLaunch>
void fewRows(const std::string& name, int64_t rows, MakeLaunch&& makeLaunch) {
  using In = cases::In<Config, Body>;
  using Out = cases::Out<Config>;
  std::vector<device::Product<T>> products;
  std::vector<device::Launch> launches;
  for (uint64_t i = 0; i < 8; ++i) {
    products.emplace_back(device::Extents{rows, 4096, 4096, 1}, ait::Major::k, ait::Major::k,
                          Body::kExtras, i);
  }
  for (auto& product : products) {
    launches.push_back(
        makeLaunch(product.template problem<0, In::kCount + Out::kCount>(), product));
  }
  for (const bool isProgrammatic : {false, true}) {
    for (auto& launch : launches) launch.isProgrammatic = isProgrammatic;
    const device::Graph graph([&](device::Handle stream) {
      for (const auto& launch : launches) launch.enqueue(stream);
    });
    const double time = device::microseconds(graph, 20, 9) / 8;
    line(name + " M=" + std::to_string(rows) + (isProgrammatic ? " overlapped" : ""), time,
         4096.0 * 4096 * 2, products[7].verify(Body::reference).error);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  copies(size_t{1} << 28);
  copies(size_t{1} << 31);
  const device::Module rowModule(folder + "/rows.cubin");
  const device::Module productModule(folder + "/multistage.cubin");
  {
    device::RowProblem<T> p(32768, 4096);
    const double bytes = 2.0 * 32768 * 4096 * 2;
    const std::string what = " 32768x4096";
    // The wide ones: those for short rows would keep only a part of a row.
#define AIT_NORM(name, kind, Type, threads, rows, packet, packets, multiple)                      \
  if constexpr (std::is_same_v<Type, T> && threads * packet * packets >= 4096) {                  \
    const auto launch = device::rowLaunch<cases::Rows<threads, rows, packet, packets, multiple>>( \
        rowModule, #name, p.arguments<4>({&p.x, &p.weight, &p.bias, &p.y}));                      \
    const double time = timeOf(launch);                                                           \
    line(#name + what, time, bytes, p.error(p.y, p.normalization(true)));                         \
  }
#define AIT_SOFTMAX(name, isLogarithmic, Type, threads, rows, packet, packets, multiple)          \
  if constexpr (std::is_same_v<Type, T> && threads * packet * packets >= 4096) {                  \
    const auto launch = device::rowLaunch<cases::Rows<threads, rows, packet, packets, multiple>>( \
        rowModule, #name "_plain", p.arguments<2>({&p.x, &p.y}));                                 \
    const double time = timeOf(launch);                                                           \
    line(#name + what, time, bytes, p.error(p.y, p.softmax(isLogarithmic, false)));               \
  }
#define AIT_POINT(name, Type, threads, packet, packets, multiple)                               \
  if constexpr (std::is_same_v<Type, T>) {                                                      \
    using Config = cases::Elements<threads, packet, packets, multiple>;                         \
    const auto launch = device::pointwiseLaunch<Config>(                                        \
        rowModule, #name, p.arguments<3>({&p.x, &p.weight, &p.y}), 4096);                       \
    const double time = timeOf(launch);                                                         \
    line(#name + what, time, bytes, p.error(p.y, p.scaled()));                                  \
    ait::RowArguments<1, 2> flat{{32768 * 4096}, 1, {}};                                        \
    flat.operands[0] = {p.x.pointer(), {1}};                                                    \
    flat.operands[1] = {p.y.pointer(), {1}};                                                    \
    const auto copy =                                                                           \
        device::pointwiseLaunch<Config>(rowModule, #name "_copy", flat, int64_t{32768} * 4096); \
    const double copyTime = timeOf(copy);                                                       \
    line(std::string(#name "_copy") + what, copyTime, bytes, p.error(p.y, p.copied()));         \
  }
    AIT_NORM_CASES(AIT_NORM)
    AIT_SOFTMAX_CASES(AIT_SOFTMAX)
    AIT_POINTWISE_CASES(AIT_POINT)
  }
#define AIT_FEW(name, body, ...)                                                             \
  if constexpr (std::is_same_v<cases::name::Element, T> && cases::name::kAlignmentA == 8) {  \
    using Config = cases::name;                                                              \
    using Body = bodies::body;                                                               \
    fewRows<Config, Body>(                                                                   \
        #name, Config::kRows == 8 ? 1 : 16, [&](const auto& problem, const auto& product) {  \
          return device::fewRowsLaunch<Config, cases::In<Config, Body>, cases::Out<Config>>( \
              productModule, #name, problem, product.a(), product.b());                      \
        });                                                                                  \
  }
#define AIT_SKINNY(name, body, ...)                                                     \
  for (const int64_t rows : {1, 16, 64}) {                                              \
    using Config = cases::name;                                                         \
    using Body = bodies::body;                                                          \
    fewRows<Config, Body>(#name, rows, [&](const auto& problem, const auto& product) {  \
      return device::hopperLaunch<Config, cases::In<Config, Body>, cases::Out<Config>>( \
          skinnyModule, #name, problem, product.a(), product.b(), true);                \
    });                                                                                 \
  }
  const device::Module skinnyModule(folder + "/hopper_SKINNY.cubin");
  AIT_HOPPER_SKINNY(AIT_SKINNY)
  AIT_FEW_ROWS_CASES(AIT_FEW)
}
