// Vec<T, W> against plain loops: memory access, 16-bit floats, casts, operators, reductions.
#include "ait/cpu/vector.h"

#include <array>
#include <limits>

#include "check.h"

using namespace ait;
using check::GuardedBuffer;
using check::Random;

namespace {

template <class T>
constexpr int kTypeIndex = sizeof(T) * 10 + std::is_floating_point_v<T>;

/// A stored element that survives a round trip through the compute type.
template <class T>
T element(Random& random) {
  if constexpr (kIsReducedFloat<T>) {
    return toStorage<T>(static_cast<float>(random.uniform(-4, 4)));
  } else if constexpr (std::is_same_v<T, bool>) {
    return random.bits() & 1;
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(random.uniform(-4, 4));
  } else {
    return static_cast<T>(random.bits());
  }
}

template <class T>
bool sameBytes(const T* a, const T* b, int64_t count) {
  return std::memcmp(a, b, count * sizeof(T)) == 0;
}

/// The lanes, where a loop over them does not multiply the code.
template <class T, int W>
[[gnu::noinline]] std::array<T, W> lanes(const Vec<T, W>& x) {
  std::array<T, W> result;
  for (int lane = 0; lane < W; ++lane) result[lane] = x[lane];
  return result;
}

template <class Function>
void forEachStorageType(Function function) {
  function(float{});
  function(double{});
  function(float16{});
  function(bfloat16{});
  function(int8_t{});
  function(uint8_t{});
  function(int16_t{});
  function(int32_t{});
  function(int64_t{});
  function(bool{});
}

template <class Function>
void forEachWidth(Function function) {
  function(std::integral_constant<int, 1>{});
  function(std::integral_constant<int, 4>{});
  function(std::integral_constant<int, 8>{});
  function(std::integral_constant<int, 16>{});
}

}  // namespace

// MARK: - Memory

TEST(wholeAndPartialAccessMovesTheNamedElementsAlone) {
  forEachStorageType([](auto sample) {
    using T = decltype(sample);
    forEachWidth([](auto width) {
      constexpr int W = width;
      Random random(W);
      for (int count = 0; count <= W; ++count) {
        GuardedBuffer<T> source(count, count % 5);
        GuardedBuffer<T> destination(count, count % 3);
        for (int i = 0; i < count; ++i) source[i] = element<T>(random);
        const auto x =
            count == W ? load<T, W>(source.data()) : loadPartial<T, W>(source.data(), count);
        for (int lane = 0; lane < W; ++lane) {
          const auto expected = lane < count ? toCompute<T>(source[lane]) : ComputeType<T>(0);
          CHECK_EQUAL(lanes(x)[lane], expected, sizeof(T), W, count, lane);
        }
        storePartial<T, W>(destination.data(), x, count);
        CHECK(sameBytes(source.data(), destination.data(), count), sizeof(T), W, count);
        CHECK(destination.guardsAreIntact() && source.guardsAreIntact(), sizeof(T), W, count);
        if (count == W) {
          destination.poison();
          store<T, W>(destination.data(), x);
          CHECK(sameBytes(source.data(), destination.data(), count), sizeof(T), W, count);
          CHECK(destination.guardsAreIntact(), sizeof(T), W, count);
        }
      }
    });
  });
}

TEST(stridedAccessMovesTheNamedElementsAlone) {
  forEachStorageType([](auto sample) {
    using T = decltype(sample);
    constexpr int W = 8;
    Random random(3);
    for (int64_t stride : {1, 2, 3, 7}) {
      for (int64_t count = 0; count <= W; ++count) {
        const int64_t extent = count == 0 ? 0 : (count - 1) * stride + 1;
        GuardedBuffer<T> source(extent);
        GuardedBuffer<T> destination(extent);
        for (int64_t i = 0; i < extent; ++i) source[i] = element<T>(random);
        for (int64_t i = 0; i < extent; ++i) destination[i] = source[extent - 1 - i];
        GuardedBuffer<T> expected(extent);
        for (int64_t i = 0; i < extent; ++i) expected[i] = destination[i];
        for (int64_t i = 0; i < count; ++i) expected[i * stride] = source[i * stride];
        const auto x = count == W ? loadStrided<T, W>(source.data(), stride)
                                  : loadStridedPartial<T, W>(source.data(), stride, count);
        for (int64_t lane = 0; lane < count; ++lane) {
          CHECK_EQUAL(x[lane], toCompute<T>(source[lane * stride]), stride, lane);
        }
        if (count == W) {
          storeStrided<T, W>(destination.data(), stride, x);
        } else {
          storeStridedPartial<T, W>(destination.data(), stride, x, count);
        }
        for (int64_t i = 0; i < extent; ++i) {
          CHECK(sameBytes(&destination[i], &expected[i], 1), sizeof(T), stride, count, i);
        }
        CHECK(destination.guardsAreIntact(), stride, count);
        // Backwards, from the last element.
        if (count == W) {
          const auto reversed = loadStrided<T, W>(source.data() + (W - 1) * stride, -stride);
          for (int lane = 0; lane < W; ++lane) CHECK_EQUAL(reversed[lane], x[W - 1 - lane]);
        }
      }
    }
  });
}

TEST(gathersReadEachOffset) {
  constexpr int W = 8;
  GuardedBuffer<int16_t> source(20);
  for (int i = 0; i < 20; ++i) source[i] = static_cast<int16_t>(i * i);
  const auto offsets = iota<int64_t, W>() * constant<int64_t, W>(-2) + constant<int64_t, W>(19);
  const auto x = loadGather<int16_t, W>(source.data(), offsets);
  for (int lane = 0; lane < W; ++lane) CHECK_EQUAL(x[lane], (19 - 2 * lane) * (19 - 2 * lane));
}

TEST(boolsAreReadFromAnyNonZeroByte) {
  uint8_t bytes[4] = {0, 1, 2, 255};
  const auto x = load<bool, 4>(reinterpret_cast<const bool*>(bytes));
  uint8_t stored[4];
  store<bool, 4>(reinterpret_cast<bool*>(stored), x);
  for (int lane = 0; lane < 4; ++lane) CHECK_EQUAL(stored[lane], lane == 0 ? 0 : 1);
}

// MARK: - 16-bit floats

namespace {

struct Format {
  int mantissaBits;
  int minimumExponent;  // of normal numbers
  int maximumExponent;
};
constexpr Format kHalf{10, -14, 15};
constexpr Format kBrain{7, -126, 127};

double decoded(uint16_t bits, Format format) {
  const int exponentBits = 15 - format.mantissaBits;
  const int fraction = bits & ((1 << format.mantissaBits) - 1);
  const int exponent = (bits >> format.mantissaBits) & ((1 << exponentBits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponentBits) - 1) {
    return fraction == 0 ? sign * INFINITY : std::nan("");
  }
  if (exponent == 0)
    return sign * std::ldexp(fraction, format.minimumExponent - format.mantissaBits);
  return sign * std::ldexp(fraction + (1 << format.mantissaBits),
                           exponent - 1 + format.minimumExponent - format.mantissaBits);
}

double rounded(double x, Format format) {
  if (!std::isfinite(x) || x == 0) return x;
  int exponent;
  std::frexp(x, &exponent);
  exponent = std::max(exponent - 1, format.minimumExponent);
  const double unit = std::ldexp(1.0, exponent - format.mantissaBits);
  const double result = std::nearbyint(x / unit) * unit;
  return std::fabs(result) >= std::ldexp(1.0, format.maximumExponent + 1)
             ? std::copysign(INFINITY, x)
             : result;
}

template <class T>
void checkReducedFloat(Format format) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const T value{static_cast<uint16_t>(bits)};
    const float wide = toCompute<T>(value);
    CHECK_EQUAL(static_cast<double>(wide), decoded(value.bits, format), bits);
    CHECK_EQUAL(std::signbit(wide), bits >= 0x8000, bits);
    if (!std::isnan(wide)) CHECK_EQUAL(toStorage<T>(wide).bits, value.bits, bits);
  }
  constexpr int W = 16;
  Random random(11);
  const auto checkNarrowing = [&](const float (&numbers)[W]) {
    T stored[W];
    store<T, W>(stored, load<float, W>(numbers));
    for (int lane = 0; lane < W; ++lane) {
      const double expected = rounded(numbers[lane], format);
      const double actual = decoded(stored[lane].bits, format);
      CHECK_EQUAL(actual, expected, numbers[lane]);
      if (!std::isnan(expected)) CHECK_EQUAL(std::signbit(actual), std::signbit(expected));
    }
    const auto kept = convert<T>(load<float, W>(numbers));
    for (int lane = 0; lane < W; ++lane) {
      CHECK_EQUAL(static_cast<double>(kept[lane]), rounded(numbers[lane], format));
    }
  };
  // Around every representable number and every midpoint, so that ties are met.
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const double low = decoded(static_cast<uint16_t>(bits), format);
    const double high = decoded(static_cast<uint16_t>(bits + 1), format);
    const float middle = static_cast<float>((low + high) / 2);
    float numbers[W] = {static_cast<float>(low), middle, std::nextafterf(middle, INFINITY),
                        std::nextafterf(middle, -INFINITY)};
    for (int lane = 4; lane < W; ++lane) {
      const auto pattern = static_cast<uint32_t>(random.bits());
      std::memcpy(&numbers[lane], &pattern, 4);
    }
    checkNarrowing(numbers);
  }
}

}  // namespace

TEST(float16RoundsToNearestEven) { checkReducedFloat<float16>(kHalf); }
TEST(bfloat16RoundsToNearestEven) { checkReducedFloat<bfloat16>(kBrain); }

// MARK: - Casts

namespace {

template <class To, class From>
To expectedCast(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != 0;
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Wide = std::conditional_t<sizeof(To) == 8, int64_t, int32_t>;
    const double limit = sizeof(To) == 8 ? 0x1p63 : 0x1p31;
    const bool fits = value >= -limit && value < limit;
    return static_cast<To>(fits ? static_cast<Wide>(value) : std::numeric_limits<Wide>::min());
  } else {
    return static_cast<To>(value);
  }
}

// The lanes of one vector as vectors of `kWidth`, down to the single elements of scalar tails.
template <class To, class From, int kWidth, int W>
void checkCastInParts(const From (&numbers)[W]) {
  for (int first = 0; first < W; first += kWidth) {
    const auto result = convert<To>(load<From, kWidth>(numbers + first));
    for (int lane = 0; lane < kWidth; ++lane) {
      CHECK_EQUAL(result[lane], (expectedCast<To, From>(numbers[first + lane])),
                  numbers[first + lane], kTypeIndex<To>, kTypeIndex<From>, kWidth);
    }
  }
}

template <class To, class From>
void checkCast(Random& random) {
  constexpr int W = 16;
  From numbers[W];
  for (int round = 0; round < 20; ++round) {
    for (From& number : numbers) {
      if constexpr (std::is_floating_point_v<From>) {
        const double scales[] = {1, 100, 40000, 3e9, 1e19, 1e30};
        number = static_cast<From>(random.uniform() * scales[random.integer(0, 5)]);
      } else {
        number = element<From>(random);
      }
    }
    numbers[0] = From(0);
    if constexpr (std::is_floating_point_v<From>) {
      numbers[1] = static_cast<From>(NAN);
      numbers[2] = static_cast<From>(INFINITY);
      numbers[3] = static_cast<From>(-INFINITY);
      numbers[4] = static_cast<From>(-0.75);
      numbers[5] = static_cast<From>(0x1p31);
      numbers[6] = static_cast<From>(-0x1p31);
      numbers[7] = static_cast<From>(0x1p63);
      numbers[9] = static_cast<From>(0x1p31 + 5);
      numbers[10] = static_cast<From>(300);
      numbers[11] = static_cast<From>(-1);
      numbers[12] = static_cast<From>(65535.9);
      if constexpr (std::is_same_v<To, float>) numbers[8] = static_cast<From>(1e300 * 1e10);
    }
    checkCastInParts<To, From, W>(numbers);
    checkCastInParts<To, From, 8>(numbers);
    checkCastInParts<To, From, 4>(numbers);
    checkCastInParts<To, From, 1>(numbers);
  }
}

// Of a 16-bit float, as its float: what every operand is widened to.
template <class To, class From>
void checkReducedCast() {
  for (const float number : {0.0f, -0.75f, 300.0f, -1.0f, 60000.0f, INFINITY, -INFINITY, NAN}) {
    const From stored = toStorage<From>(number);
    const auto result = convert<To>(load<From, 1>(&stored));
    CHECK_EQUAL(result[0], (expectedCast<To, float>(toCompute(stored))), number, kTypeIndex<To>,
                kTypeIndex<From>);
  }
}

}  // namespace

TEST(castsMeanWhatPyTorchCastsMean) {
  Random random(5);
  forEachStorageType([&](auto from) {
    forEachStorageType([&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      if constexpr (!kIsReducedFloat<From> && !kIsReducedFloat<To>) checkCast<To, From>(random);
      if constexpr (kIsReducedFloat<From> && !kIsReducedFloat<To>) checkReducedCast<To, From>();
    });
  });
}

// MARK: - Operators

namespace {

template <class T>
void checkIntegerOperators() {
  constexpr int W = 16;
  using Unsigned = std::make_unsigned_t<T>;
  constexpr int kBits = sizeof(T) * 8;
  Random random(kBits);
  for (int round = 0; round < 100; ++round) {
    T a[W], b[W], shift[W];
    for (int i = 0; i < W; ++i) {
      a[i] = element<T>(random);
      b[i] = i % 4 == 0 ? a[i] : element<T>(random);
      shift[i] = static_cast<T>(random.integer(std::is_signed_v<T> ? -2 : 0, kBits + 2));
    }
    a[0] = std::numeric_limits<T>::min();
    const auto x = load<T, W>(a);
    const auto y = load<T, W>(b);
    const auto s = load<T, W>(shift);
    for (int i = 0; i < W; ++i) {
      const auto ua = static_cast<uint64_t>(a[i]);
      const auto ub = static_cast<uint64_t>(b[i]);
      CHECK_EQUAL(lanes(x + y)[i], static_cast<T>(ua + ub));
      CHECK_EQUAL(lanes(x - y)[i], static_cast<T>(ua - ub));
      CHECK_EQUAL(lanes(x * y)[i], static_cast<T>(ua * ub));
      CHECK_EQUAL(lanes(-x)[i], static_cast<T>(0 - ua));
      CHECK_EQUAL(lanes(x & y)[i], static_cast<T>(a[i] & b[i]));
      CHECK_EQUAL(lanes(x | y)[i], static_cast<T>(a[i] | b[i]));
      CHECK_EQUAL(lanes(x ^ y)[i], static_cast<T>(a[i] ^ b[i]));
      CHECK_EQUAL(lanes(~x)[i], static_cast<T>(~a[i]));
      CHECK_EQUAL(lanes(x < y)[i], a[i] < b[i]);
      CHECK_EQUAL(lanes(x <= y)[i], a[i] <= b[i]);
      CHECK_EQUAL(lanes(x > y)[i], a[i] > b[i]);
      CHECK_EQUAL(lanes(x >= y)[i], a[i] >= b[i]);
      CHECK_EQUAL(lanes(x == y)[i], a[i] == b[i]);
      CHECK_EQUAL(lanes(x != y)[i], a[i] != b[i]);
      CHECK_EQUAL(lanes(select(x < y, x, y))[i], std::min(a[i], b[i]));
      CHECK_EQUAL(lanes(maximum(x, y))[i], std::max(a[i], b[i]));
      CHECK_EQUAL(lanes(minimum(x, y))[i], std::min(a[i], b[i]));
      const bool legal = shift[i] >= 0 && shift[i] < kBits;
      const int amount = legal ? static_cast<int>(shift[i]) : 0;
      CHECK_EQUAL(lanes(x << s)[i],
                  legal ? static_cast<T>(static_cast<Unsigned>(a[i]) << amount) : T(0));
      CHECK_EQUAL(lanes(x >> s)[i],
                  legal ? static_cast<T>(a[i] >> amount) : static_cast<T>(a[i] < 0 ? -1 : 0));
    }
  }
}

}  // namespace

TEST(integersWrapAroundAndShiftSafely) {
  checkIntegerOperators<int8_t>();
  checkIntegerOperators<uint8_t>();
  checkIntegerOperators<int16_t>();
  checkIntegerOperators<int32_t>();
  checkIntegerOperators<int64_t>();
}

TEST(comparisonsOfFloatsTreatNaNAsUnordered) {
  constexpr int W = 8;
  const double numbers[W] = {0, -0.0, 1, -1, NAN, INFINITY, -INFINITY, 1e-310};
  const auto checkType = [&](auto sample) {
    using T = decltype(sample);
    T stored[W];
    for (int i = 0; i < W; ++i) stored[i] = static_cast<T>(numbers[i]);
    const auto x = load<T, W>(stored);
    for (int j = 0; j < W; ++j) {
      const auto y = broadcast<W, T>(stored[j]);
      for (int i = 0; i < W; ++i) {
        CHECK_EQUAL(lanes(x < y)[i], stored[i] < stored[j], i, j);
        CHECK_EQUAL(lanes(x <= y)[i], stored[i] <= stored[j], i, j);
        CHECK_EQUAL(lanes(x > y)[i], stored[i] > stored[j], i, j);
        CHECK_EQUAL(lanes(x >= y)[i], stored[i] >= stored[j], i, j);
        CHECK_EQUAL(lanes(x == y)[i], stored[i] == stored[j], i, j);
        CHECK_EQUAL(lanes(x != y)[i], stored[i] != stored[j], i, j);
        const bool isNaN = std::isnan(stored[i]) || std::isnan(stored[j]);
        const T larger = isNaN ? static_cast<T>(NAN) : std::max(stored[i], stored[j]);
        const T smaller = isNaN ? static_cast<T>(NAN) : std::min(stored[i], stored[j]);
        CHECK_EQUAL(lanes(maximum(x, y))[i], larger, i, j);
        CHECK_EQUAL(lanes(minimum(x, y))[i], smaller, i, j);
      }
    }
  };
  checkType(float{});
  checkType(double{});
}

TEST(masksBehaveAsBooleans) {
  constexpr int W = 4;
  const bool a[W] = {false, false, true, true};
  const bool b[W] = {false, true, false, true};
  const auto x = load<bool, W>(a);
  const auto y = load<bool, W>(b);
  for (int i = 0; i < W; ++i) {
    CHECK_EQUAL(lanes(x & y)[i], a[i] && b[i]);
    CHECK_EQUAL(lanes(x | y)[i], a[i] || b[i]);
    CHECK_EQUAL(lanes(x ^ y)[i], a[i] != b[i]);
    CHECK_EQUAL(lanes(!x)[i], !a[i]);
    CHECK_EQUAL(lanes(x == y)[i], a[i] == b[i]);
    CHECK_EQUAL(lanes(x != y)[i], a[i] != b[i]);
    CHECK_EQUAL(lanes(x < y)[i], a[i] < b[i]);
    CHECK_EQUAL(lanes(x >= y)[i], a[i] >= b[i]);
    CHECK_EQUAL(lanes(maximum(x, y))[i], a[i] || b[i]);
    CHECK_EQUAL(lanes(select(x, y, !y))[i], a[i] ? b[i] : !b[i]);
    CHECK_EQUAL((constant<bool, W>(true)[i]), true);
    CHECK_EQUAL(firstLanes<W>(2)[i], i < 2);
  }
  CHECK(any(x) && !all(x) && all(x | !x) && !any(x & !x));
}

TEST(constantsFillAllLanes) {
  forEachWidth([](auto width) {
    constexpr int W = width;
    const auto zero = constant<float, W>(-0.0f);
    const auto index = iota<int64_t, W>();
    const auto byte = constant<uint8_t, W>(200);
    for (int lane = 0; lane < W; ++lane) {
      CHECK(zero[lane] == 0 && std::signbit(zero[lane]), W, lane);
      CHECK_EQUAL(index[lane], lane);
      CHECK_EQUAL(byte[lane], 200);
    }
  });
}

// MARK: - Reductions

TEST(horizontalReductionsCoverAllLanes) {
  forEachWidth([](auto width) {
    constexpr int W = width;
    Random random(W);
    float numbers[W];
    int32_t integers[W];
    for (int round = 0; round < 20; ++round) {
      double sum = 0, product = 1, largest = -INFINITY, smallest = INFINITY;
      int32_t integerSum = 0;
      for (int i = 0; i < W; ++i) {
        numbers[i] = static_cast<float>(random.uniform(0.5, 1.5));
        integers[i] = static_cast<int32_t>(random.integer(-1000, 1000));
        sum += numbers[i];
        product *= numbers[i];
        largest = std::max<double>(largest, numbers[i]);
        smallest = std::min<double>(smallest, numbers[i]);
        integerSum += integers[i];
      }
      const auto x = load<float, W>(numbers);
      CHECK_NEAR(horizontalSum(x), sum, 1e-6, W);
      CHECK_NEAR(horizontalProduct(x), product, 1e-5, W);
      CHECK_EQUAL(horizontalMax(x), static_cast<float>(largest), W);
      CHECK_EQUAL(horizontalMin(x), static_cast<float>(smallest), W);
      CHECK_EQUAL(horizontalSum(load<int32_t, W>(integers)), integerSum, W);
      numbers[random.integer(0, W - 1)] = NAN;
      CHECK(std::isnan(horizontalMax(load<float, W>(numbers))), W);
      CHECK(std::isnan(horizontalMin(load<float, W>(numbers))), W);
    }
  });
}
