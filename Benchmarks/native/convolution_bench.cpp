// The speed of convolutions, as a share of what this machine's FMA units reach.
//
//   make -C Benchmarks/native convolution
//   convolution_bench [--threads N] [--only TEXT] [--seconds S]
//
// Every figure is the best of many runs, with the measurement of the peak between them. The layers
// are those of ResNet-50 and MobileNet; bias and relu are fused. 1 x 1 layers also run as products.
#include "bench.h"

#include "ait/cpu/convolution.h"
#include "ait/cpu/convolution_depthwise_blocks.h"
#include "ait/cpu/convolution_winograd.h"
#include "ait/cpu/matmul.h"

#include <cstdio>
#include <string>

namespace {

using namespace ait;
using namespace bench;

struct BiasRelu {
  template <int W>
  static AIT_INLINE auto apply(Vec<float, W> sum, Vec<float, W> bias) {
    return results(maximum(sum + bias, broadcast<W>(0.0f)));
  }
};

using In = Inputs<Operand<float, Access::contiguous>>;
using Out = Outputs<Operand<float, Access::contiguous>>;

struct Options {
  double seconds = 0.6;
  std::vector<int> threads = {1, 2};
  std::string only;
};

/// A layer: square images, square taps, the same padding on all sides.
struct Layer {
  const char* name;
  int64_t size;
  int64_t channels;
  int64_t filters;
  int64_t taps;
  int64_t stride = 1;
  int64_t padding = 0;
  bool isDepthwise = false;
  bool isChannelsFirst = false;
};

/// The kernel for a depthwise layer's taps and stride.
KernelFunction blocksOf(const Layer& layer) {
  using Config = ConvolutionConfig<float, float, Filters::packed>;
  switch (layer.taps * 10 + layer.stride) {
    case 31:
      return depthwiseBlocksConvolution<Config, 3, 1, BiasRelu, In, Out>;
    case 32:
      return depthwiseBlocksConvolution<Config, 3, 2, BiasRelu, In, Out>;
    case 51:
      return depthwiseBlocksConvolution<Config, 5, 1, BiasRelu, In, Out>;
    case 52:
      return depthwiseBlocksConvolution<Config, 5, 2, BiasRelu, In, Out>;
    default:
      return depthwiseBlocksConvolution<Config, 7, 1, BiasRelu, In, Out>;
  }
}

template <class Run>
void report(const Options& options, const std::string& name, int64_t products, int threads,
            SpinningPool& pool, Run run) {
  double peak = 0;
  double best = 1e30;
  const double start = seconds();
  run();
  while (seconds() - start < options.seconds) {
    peak = std::max(peak, measurePeak<float>(pool));
    for (int i = 0; i < 3; ++i) {
      const double begin = seconds();
      run();
      best = std::min(best, seconds() - begin);
    }
  }
  const double rate = 2.0 * products / best / 1e9;
  std::printf("| %-44s | %d | %8.4f | %7.1f | %6.1f | %5.1f %% |\n", name.c_str(), threads,
              best * 1e3, rate, peak, 100 * rate / peak);
  std::fflush(stdout);
}

void measure(const Options& options, const Layer& layer) {
  using Config = ConvolutionConfig<float, float, Filters::packed>;
  using InPlace = ConvolutionConfig<float, float, Filters::packed, Image::inPlace>;
  constexpr int kWidth = Config::Tile::kColumns;
  const int64_t out = (layer.size + 2 * layer.padding - layer.taps) / layer.stride + 1;
  const int64_t groups = layer.isDepthwise ? layer.channels : 1;
  const int64_t C = layer.channels;
  const int64_t O = layer.filters;
  const std::string name = std::string(layer.name) + " " + std::to_string(layer.size) + "x" +
                           std::to_string(layer.size) + "x" + std::to_string(C) + " -> " +
                           std::to_string(O) + ", " + std::to_string(layer.taps) + "x" +
                           std::to_string(layer.taps) + "/" + std::to_string(layer.stride);
  if (name.find(options.only) == std::string::npos) return;
  const int64_t depth = layer.taps * layer.taps * C / groups;
  auto image = allocate<float>(layer.size * layer.size * C);
  auto filters = allocate<float>(groups * packedElementCount(depth, O / groups, kWidth));
  auto bias = allocate<float>(O);
  auto result = allocate<float>(out * out * O);
  fill(image.get(), layer.size * layer.size * C);
  fill(filters.get(), layer.isDepthwise ? depth * O : packedElementCount(depth, O, kWidth));
  fill(bias.get(), O);
  std::vector<int64_t> sizes = {1, C / groups, O / groups, groups, 1, 1, 1, 1, 1, 1, 0};
  for (int axis = 0; axis < 2; ++axis) {
    sizes.insert(sizes.end(), {layer.size, out, layer.taps, layer.stride, 1, 1, layer.padding});
  }
  if (layer.isChannelsFirst) {
    sizes.insert(sizes.end(), {0, 0, layer.size, 1, layer.size * layer.size});
  } else {
    sizes.insert(sizes.end(), {0, 0, layer.size * C, C, 1});
  }
  sizes.insert(sizes.end(), {0, 0, 0, 0, 0});
  sizes.insert(sizes.end(), {0, 0, 0, 0, 1});
  sizes.insert(sizes.end(), {0, 0, out * O, O, 1});
  void* buffers[] = {image.get(), filters.get(), bias.get(), result.get()};
  const int64_t products = out * out * O * depth;
  for (const int threads : options.threads) {
    SpinningPool pool(threads);
    const KernelContext context{buffers, sizes.data(), nullptr, pool};
    if (layer.isDepthwise) {
      report(options, name, products, threads, pool,
             [&] { depthwiseConvolution<Config, Access::contiguous, BiasRelu, In, Out>(context); });
      report(options, name + " in blocks", products, threads, pool,
             [&] { blocksOf(layer)(context); });
      continue;
    }
    if (layer.taps == 3 && layer.channels >= 16) {
      const int64_t padded = gemm::ceilDivide(O, kWidth) * kWidth * C;
      const auto transformed = allocate<float>(36 * padded);
      fill(transformed.get(), 36 * padded);
      void* others[] = {image.get(), transformed.get(), bias.get(), result.get()};
      const KernelContext more{others, sizes.data(), nullptr, pool};
      const bool isStrided = layer.stride == 2;
      report(options, name + " Winograd 2", products, threads, pool, [&] {
        (isStrided ? winogradConvolution<2, 2, BiasRelu, In, Out>
                   : winogradConvolution<2, 1, BiasRelu, In, Out>)(more);
      });
      report(options, name + " Winograd 4", products, threads, pool, [&] {
        (isStrided ? winogradConvolution<4, 2, BiasRelu, In, Out>
                   : winogradConvolution<4, 1, BiasRelu, In, Out>)(more);
      });
    }
    if (layer.taps > 1) {
      report(options, name, products, threads, pool,
             [&] { convolution<Config, BiasRelu, In, Out>(context); });
    } else {
      report(options, name + " in place", products, threads, pool,
             [&] { convolution<InPlace, BiasRelu, In, Out>(context); });
    }
    if (layer.taps == 1 && layer.stride == 1) {
      const int64_t M = out * out;
      const std::vector<int64_t> productSizes = {M, O, C, C, 1, O, 1, 0, 1, O, 1};
      report(options, name + " product", products, threads, pool, [&] {
        matmul<MatmulConfig<float, float, Packing::packed>, BiasRelu, In, Out>(
            KernelContext{buffers, productSizes.data(), nullptr, pool});
      });
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string argument = arguments[i];
    if (argument == "--threads") options.threads = {std::atoi(arguments[i + 1])};
    if (argument == "--seconds") options.seconds = std::atof(arguments[i + 1]);
    if (argument == "--only") options.only = arguments[i + 1];
  }
  std::printf("| %-44s | T | %8s | %7s | %6s | %7s |\n", "layer", "ms", "GFLOP/s", "peak", "share");
  std::printf("| --- | --- | --- | --- | --- | --- |\n");
  const Layer layers[] = {
      {"first", 224, 3, 64, 7, 2, 3},
      {"first, channels first", 224, 3, 64, 7, 2, 3, false, true},
      {"1x1", 56, 64, 64, 1},
      {"1x1", 56, 64, 256, 1},
      {"1x1", 56, 256, 64, 1},
      {"3x3", 56, 64, 64, 3, 1, 1},
      {"3x3 strided", 56, 128, 128, 3, 2, 1},
      {"3x3 strided", 28, 256, 256, 3, 2, 1},
      {"3x3 strided", 14, 512, 512, 3, 2, 1},
      {"1x1 strided", 56, 256, 512, 1, 2},
      {"1x1", 28, 512, 128, 1},
      {"3x3", 28, 128, 128, 3, 1, 1},
      {"1x1 strided", 28, 128, 256, 1, 2},
      {"1x1", 14, 256, 1024, 1},
      {"1x1", 14, 1024, 256, 1},
      {"3x3", 14, 256, 256, 3, 1, 1},
      {"1x1 strided", 14, 1024, 2048, 1, 2},
      {"1x1", 7, 512, 2048, 1},
      {"3x3", 7, 512, 512, 3, 1, 1},
      {"few channels", 224, 3, 8, 3, 1, 1},
      {"depthwise", 112, 16, 16, 3, 1, 1, true},
      {"depthwise", 112, 64, 64, 3, 2, 1, true},
      {"depthwise", 56, 72, 72, 3, 1, 1, true},
      {"depthwise", 56, 72, 72, 5, 2, 2, true},
      {"depthwise", 56, 96, 96, 7, 1, 3, true},
      {"depthwise", 28, 120, 120, 5, 1, 2, true},
      {"depthwise", 14, 480, 480, 3, 1, 1, true},
      {"depthwise", 7, 960, 960, 5, 1, 2, true},
  };
  for (const Layer& layer : layers) measure(options, layer);
}
