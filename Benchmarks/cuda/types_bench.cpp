// Products of the types and sizes that matmul_bench leaves out: float32, tf32, float64, odd sizes
// of float16, gates of two products: types_bench <folder of cubins>. The same work by PyTorch:
// torch_baseline.py types.
#include "pair_cases.h"
#include "products.h"
#include "simt_cases.h"
#include "timing.h"

namespace {

/// Times a launch of a product, and checks its result.
///
/// - matrices: 2 where there is a pair.
template <class Config, class Body, bool kIsPaired, class MakeLaunch>
void time(const std::string& name, const device::Extents& extents, ait::Major majorA,
          ait::Major majorB, double tolerance, MakeLaunch&& makeLaunch) {
  using T = typename Config::Element;
  using In = cases::In<Config, Body>;
  const device::Product<T> product(extents, majorA, majorB, Body::kExtras, 1, 1, kIsPaired);
  const device::Launch launch =
      makeLaunch(product.template problem<Config::kBatchRank, In::kCount + 1>(), product.a(),
                 product.b(), product.second());
  const device::Graph graph([&](device::Handle stream) {
    for (int i = 0; i < 4; ++i) launch.enqueue(stream);
  });
  const double microseconds = device::microseconds(graph, 10, 9) / 4;
  const auto verdict = product.verify(Body::reference);
  const double operations = 2.0 * extents.M * extents.N * extents.K * (kIsPaired ? 2 : 1);
  const double bytes = 1.0 * extents.N * extents.K * sizeof(T) * (kIsPaired ? 2 : 1);
  std::printf("%-24s %5lld %5lld %5lld  %9.2f us %7.1f TFLOP/s  B at %.3f TB/s  error %.1e%s\n",
              name.c_str(), static_cast<long long>(extents.M), static_cast<long long>(extents.N),
              static_cast<long long>(extents.K), microseconds, operations / microseconds * 1e-6,
              bytes / microseconds * 1e-6, verdict.error,
              verdict.holds(tolerance) ? "" : " FAILED");
  std::fflush(stdout);
}

}  // namespace

#define AIT_TIME(module, name, body, isPaired, launch, tolerance, ...)                           \
  time<cases::name, bodies::body, isPaired>(                                                     \
      #name, {__VA_ARGS__}, AIT_MAJORS(name), tolerance,                                         \
      [&](const auto& problem, const device::Matrix& a, const device::Matrix& b,                 \
          [[maybe_unused]] const device::Matrix& second) {                                       \
        return device::launch<cases::name, cases::In<cases::name, bodies::body>,                 \
                              cases::Out<cases::name>>(module, #name, problem, a, b AIT_SECOND); \
      })
#define AIT_MAJORS(name) cases::name::kMajorA, cases::name::kMajorB

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module simt(folder + "/simt.cubin");
  const device::Module multistage(folder + "/multistage.cubin");
  const device::Module pair(folder + "/pair.cubin");
#define AIT_SECOND
  for (const int64_t size : {1024, 2048, 4096}) {
    AIT_TIME(simt, simt_f32_128x128, BiasResidual, false, simtLaunch, 1e-5, size, size, size, 1);
    AIT_TIME(simt, simt_f32_64x64, BiasGelu, false, simtLaunch, 1e-5, size, size, size, 1);
    AIT_TIME(simt, simt_f32_bn, Bias, false, simtLaunch, 1e-5, size, size, size, 1);
    AIT_TIME(multistage, multi_tf32, BiasResidual, false, multistageLaunch, 1e-3, size, size, size,
             1);
    AIT_TIME(multistage, multi_tf32_bn, Bias, false, multistageLaunch, 1e-3, size, size, size, 1);
  }
  AIT_TIME(simt, simt_f32_odd, BiasResidual, false, simtLaunch, 1e-5, 4095, 4095, 4095, 1);
  AIT_TIME(simt, simt_f32_32x64, Bias, false, simtLaunch, 1e-5, 128, 768, 768, 1);
  AIT_TIME(simt, simt_f64_64x64, WideBias, false, simtLaunch, 1e-12, 2048, 2048, 2048, 1);
  AIT_TIME(multistage, multi_f16_odd, BiasResidual, false, multistageLaunch, 2e-3, 4095, 4095, 4095,
           1);
  AIT_TIME(multistage, multi_f16_2_bn, Bias, false, multistageLaunch, 2e-3, 4094, 4094, 4094, 1);
  for (const int64_t rows : {1, 8}) {
    AIT_TIME(simt, simt_few_f32, BiasGelu, false, simtFewRowsLaunch, 1e-5, rows, 8192, 8192, 1);
    AIT_TIME(simt, simt_few_f32_bn, Bias, false, simtFewRowsLaunch, 1e-5, rows, 8192, 8192, 1);
  }
  AIT_TIME(simt, simt_few_f32_16, BiasResidual, false, simtFewRowsLaunch, 1e-5, 16, 8192, 8192, 1);
#undef AIT_SECOND
#define AIT_SECOND , second
  AIT_TIME(pair, pair_multi_128x128, GateBias, true, multistageLaunch, 2e-3, 4096, 11008, 4096, 1);
#undef AIT_MAJORS
#define AIT_MAJORS(name) ait::Major::k, ait::Major::k
  AIT_TIME(pair, pair_few_8, GateBias, true, fewRowsLaunch, 2e-3, 1, 11008, 4096, 1);
#undef AIT_SECOND
#define AIT_SECOND , false, second
  AIT_TIME(pair, pair_hopper_128x256, GateBias, true, hopperLaunch, 2e-3, 4096, 11008, 4096, 1);
  AIT_TIME(pair, pair_hopper_128x128, GateBias, true, hopperLaunch, 2e-3, 1024, 2048, 512, 1);
}
