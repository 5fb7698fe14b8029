// Forms of the pointwise kernels and of those on rows that no program here runs: they run in
// `ait conformance`. Compiled to see that none spills.
#include "ait/gpu/normalize_across.h"
#include "ait/gpu/pointwise.h"
#include "ait/gpu/pointwise_tiles.h"
#include "ait/gpu/softmax.h"
#include "ait/gpu/softmax_across.h"
#include "bodies.h"

namespace {

template <class T, int alignment>
using Contiguous = ait::Operand<T, ait::Access::contiguous, alignment>;
template <class T, int alignment>
using Transposed = ait::Operand<T, ait::Access::transposed, alignment>;
template <class T>
using Uniform = ait::Operand<T, ait::Access::uniform>;

struct Parameters {
  static constexpr double kEpsilon = 1e-5;
};

/// The number itself, of any type.
template <class T>
struct Same {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<T, W> x0) {
    return ait::results(x0);
  }
};

/// The longest functions, one after the other.
template <class T>
struct Functions {
  template <int W>
  static AIT_INLINE auto apply(ait::Vec<T, W> x0, ait::Vec<T, W> x1) {
    const auto t2 = ait::power(ait::sin(x0), ait::erfc(x1));
    const auto t3 = ait::atan2(ait::tan(t2), ait::log1p(x1));
    return ait::results(ait::floorDivide(t3, ait::sinh(x0)));
  }
};

template <int packet>
struct Elements : ait::PointwiseDefaults {
  static constexpr int kPacket = packet, kPackets = 1;
};

template <class T, int tile, int multiple>
struct Tiles : ait::PointwiseTileDefaults {
  static constexpr int kTile = tile, kPacket = 16 / sizeof(T), kColumnMultiple = multiple;
  static constexpr int kSharedBytes = tile * tile * static_cast<int>(sizeof(T));
};

struct DoubleRows : ait::RowDefaults {
  using Number = double;
  static constexpr int kThreadsPerRow = 128, kRowsPerBlock = 1, kPacket = 2, kPackets = 4;
};
struct RowsOfTwoAxes : ait::RowDefaults {
  static constexpr int kThreadsPerRow = 128, kRowsPerBlock = 1, kPacket = 8, kPackets = 4;
  static constexpr int kColumnAxes = 2;
};
template <class F, int packet, int multiple>
struct Across : ait::RowsAcrossDefaults {
  using Number = F;
  static constexpr int kPacket = packet, kRowMultiple = multiple;
};

}  // namespace

#define AIT_FUNCTIONS(name, T, F, packet)                                                  \
  AIT_KERNEL(256, 1) name(AIT_ARGUMENTS(ait::RowArguments<1, 3>) arguments) {              \
    using O = Contiguous<T, packet>;                                                       \
    ait::pointwise<Elements<packet>, Functions<F>, ait::Inputs<O, O>, ait::Outputs<O>, 1>( \
        arguments);                                                                        \
  }
AIT_FUNCTIONS(functions_half, ait::float16, float, 8)
AIT_FUNCTIONS(functions_float, float, float, 4)
AIT_FUNCTIONS(functions_double, double, double, 2)

#define AIT_TILES(name, T, F, tile, multiple)                                                    \
  AIT_KERNEL(256, 1) name(AIT_ARGUMENTS(ait::RowArguments<3, 2>) arguments) {                    \
    ait::pointwiseTiles<Tiles<T, tile, multiple>, Same<F>, ait::Inputs<Transposed<T, multiple>>, \
                        ait::Outputs<Contiguous<T, multiple>>, 3>(arguments);                    \
  }
AIT_TILES(tiles_half, ait::float16, float, 64, 8)
AIT_TILES(tiles_odd, ait::bfloat16, float, 64, 1)
AIT_TILES(tiles_byte, uint8_t, uint8_t, 128, 16)
AIT_TILES(tiles_double, double, double, 32, 2)

#define AIT_SOFTMAX(name, function, Config, T, F, multiple, threads)                               \
  AIT_KERNEL(threads, 1) name(AIT_ARGUMENTS(ait::RowArguments<3, 2>) arguments) {                  \
    using O = Contiguous<T, multiple>;                                                             \
    ait::function<Config, false, Same<F>, Same<F>, ait::Inputs<O>, ait::Inputs<>, ait::Outputs<O>, \
                  3, false>(arguments);                                                            \
  }
using AcrossHalf = Across<float, 8, 8>;
using AcrossOdd = Across<float, 8, 1>;
using AcrossDouble = Across<double, 2, 2>;
AIT_SOFTMAX(softmax_double, softmax, DoubleRows, double, double, 2, 128)
AIT_SOFTMAX(softmax_two_axes, softmax, RowsOfTwoAxes, ait::float16, float, 8, 128)
AIT_SOFTMAX(softmax_across, softmaxAcross, AcrossHalf, ait::float16, float, 8, 256)
AIT_SOFTMAX(softmax_across_odd, softmaxAcross, AcrossOdd, ait::float16, float, 1, 256)
AIT_SOFTMAX(softmax_across_double, softmaxAcross, AcrossDouble, double, double, 2, 256)

AIT_KERNEL(256, 1) layer_norm_across(AIT_ARGUMENTS(ait::RowArguments<3, 4>) arguments) {
  using O = Contiguous<ait::float16, 8>;
  using Parameter = Uniform<ait::float16>;
  ait::normalizeAcross<AcrossHalf, ait::Normalization::layer, Parameters, bodies::Identity,
                       bodies::WeightBias, ait::Inputs<O>, ait::Inputs<Parameter, Parameter>,
                       ait::Outputs<O>, 3, false>(arguments);
}
