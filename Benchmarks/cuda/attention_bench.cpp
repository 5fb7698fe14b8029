// Attention by each of its kernels: attention_bench <folder of cubins>. Operands of the long
// sequences, and the keys and values of decoding, are larger than the L2 or about as large.
#include "attention_problems.h"
#include "timing.h"

namespace {

using device::AttentionExtents;
using device::AttentionKernel;

template <class Config>
void run(const device::Module& module, const std::string& name, const AttentionExtents& extents,
         const std::vector<AttentionKernel>& kernels) {
  using T = typename Config::Element;
  const device::AttentionProblem<Config> problem(extents);
  for (const AttentionKernel kernel : kernels) {
    const device::Graph graph([&](device::Handle stream) {
      for (int i = 0; i < 4; ++i) problem.launch(module, name, kernel, stream);
    });
    const double time = device::microseconds(graph, 10, 9) / 4;
    const double error = problem.error(500);
    const char* kind = kernel == AttentionKernel::warps        ? "warps"
                       : kernel == AttentionKernel::warpgroups ? "warp groups"
                                                               : "few queries";
    std::printf(
        "%-14s %-11s B%-3lld H%-3lld x %lld T%-5lld S%-5lld %9.2f us %7.1f TFLOP/s %6.2f "
        "TB/s  error %.1e%s\n",
        name.c_str(), kind, static_cast<long long>(extents.batch),
        static_cast<long long>(extents.heads), static_cast<long long>(extents.group),
        static_cast<long long>(extents.queries), static_cast<long long>(extents.keys), time,
        problem.operations() / time * 1e-6, problem.bytes() / time * 1e-6, error,
        error <= device::toleranceOf<T>() ? "" : " FAILED");
    std::fflush(stdout);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/attention.cubin");
  const auto warps = AttentionKernel::warps;
  const auto groups = AttentionKernel::warpgroups;
  const auto few = AttentionKernel::fewQueries;
  // As in BERT and ViT, of one sequence and of many; and longer ones.
  for (const AttentionExtents& extents :
       std::vector<AttentionExtents>{{1, 12, 1, 128, 128}, {1, 12, 1, 384, 384}}) {
    run<cases::narrow>(module, "narrow", extents, {warps, groups, few});
    run<cases::narrow_alone>(module, "narrow_alone", extents, {groups});
  }
  for (const AttentionExtents& extents : std::vector<AttentionExtents>{{32, 12, 1, 128, 128},
                                                                       {32, 12, 1, 197, 197},
                                                                       {8, 12, 1, 384, 384},
                                                                       {8, 12, 1, 512, 512},
                                                                       {4, 16, 1, 2048, 2048}}) {
    run<cases::narrow>(module, "narrow", extents, {warps, groups});
    run<cases::narrow_alone>(module, "narrow_alone", extents, {groups});
  }
  run<cases::narrow_causal>(module, "narrow_causal", {4, 16, 1, 2048, 2048}, {warps, groups});
  run<cases::narrow_added>(module, "narrow_added", {32, 12, 1, 128, 128}, {warps, groups});
  run<cases::narrow_added>(module, "narrow_added", {8, 12, 1, 512, 512}, {warps, groups});
  run<cases::wide>(module, "wide", {1, 16, 1, 512, 512}, {warps, groups});
  run<cases::wide>(module, "wide", {4, 16, 1, 2048, 2048}, {warps, groups});
  run<cases::wide>(module, "wide", {4, 16, 1, 4096, 4096}, {warps, groups});
  run<cases::wide_causal>(module, "wide_causal", {4, 16, 1, 2048, 2048}, {warps, groups});
  run<cases::wide_causal>(module, "wide_causal", {4, 16, 1, 4096, 4096}, {warps, groups});
  run<cases::widest>(module, "widest", {4, 8, 1, 2048, 2048}, {warps, groups});
  // Decoding: a step of one sequence, of several with heads that share keys, and of some guesses.
  run<cases::wide>(module, "wide", {1, 32, 1, 1, 8192}, {warps, few});
  run<cases::wide>(module, "wide", {1, 8, 4, 1, 8192}, {warps, few});
  run<cases::wide>(module, "wide", {1, 8, 4, 4, 32768}, {warps, few});
  run<cases::wide>(module, "wide", {16, 8, 4, 1, 4096}, {warps, few});
  run<cases::narrow>(module, "narrow", {1, 12, 1, 1, 1024}, {warps, few});
  run<cases::narrow>(module, "narrow", {8, 12, 1, 16, 512}, {warps, few});
}
