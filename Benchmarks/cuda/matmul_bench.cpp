// Large products by every configuration of the group LARGE: matmul_bench <folder of cubins> [M N
// K]… Operands and result together are larger than the L2 from 4096 cubed on.
#include "hopper_cases.h"
#include "products.h"
#include "timing.h"

namespace {

template <class Config, class Body>
void run(const device::Module& module, const std::string& name, const device::Extents& extents) {
  using T = typename Config::Element;
  using In = cases::In<Config, Body>;
  const device::Product<T> product(extents, cases::majorA<Config>, cases::majorB<Config>, Body::kExtras);
  const auto launch = device::hopperLaunch<Config, In, cases::Out<Config>>(
      module, name, product.template problem<Config::kBatchRank, In::kCount + 1>(), product.a(),
      product.b());
  const device::Graph graph([&](device::Handle stream) {
    for (int i = 0; i < 4; ++i) launch.enqueue(stream);
  });
  const double time = device::microseconds(graph, 10, 9) / 4;
  const auto verdict = product.verify(Body::reference);
  const double operations = 2.0 * extents.M * extents.N * extents.K;
  std::printf("%-28s %5lld %5lld %5lld  %9.2f us %7.1f TFLOP/s  error %.1e%s\n", name.c_str(),
              static_cast<long long>(extents.M), static_cast<long long>(extents.N),
              static_cast<long long>(extents.K), time, operations / time * 1e-6, verdict.error,
              verdict.holds(device::toleranceOf<T>()) ? "" : " FAILED");
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  std::vector<device::Extents> shapes;
  for (int i = 2; i + 2 < count; i += 3) {
    shapes.push_back(
        {std::atoll(arguments[i]), std::atoll(arguments[i + 1]), std::atoll(arguments[i + 2]), 1});
  }
  if (shapes.empty()) shapes = {{4096, 4096, 4096, 1}, {8192, 8192, 8192, 1}};
  const device::Module module(folder + "/hopper_LARGE.cubin");
  for (const auto& extents : shapes) {
#define AIT_RUN_CASE(name, body, ...) run<cases::name, bodies::body>(module, #name, extents);
    AIT_HOPPER_LARGE(AIT_RUN_CASE)
  }
}
