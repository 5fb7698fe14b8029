// The functions of math.h against the C library in double. The full range of float is covered by
// Benchmarks/native/math_accuracy.cpp; here a sample of it, and all that has more than one operand.
#include "ait/cpu/math.h"

#include <array>
#include <limits>

#include "check.h"

using namespace ait;
using check::Random;

namespace {

constexpr int kWidth = kLanes;
constexpr float kMax = std::numeric_limits<float>::max();

const float kSpecial[] = {
    0.0f,        -0.0f,    1.0f,      -1.0f,      0.5f,        -0.5f,       2.0f,       -2.0f,
    3.0f,        -3.0f,    1.5f,      -1.5f,      2.5f,        -2.5f,       1e-45f,     -1e-45f,
    1e-40f,      -1e-40f,  0x1p-126f, -0x1p-126f, 1e-20f,      -1e-20f,     1e-8f,      -1e-8f,
    1e-4f,       -1e-4f,   1e4f,      -1e4f,      88.7f,       -88.7f,      88.8f,      -103.9f,
    -104.1f,     127.99f,  128.0f,    -149.0f,    -150.5f,     0x1p24f,     -0x1p24f,   0x1p31f,
    -0x1p31f,    0x1p63f,  kMax,      -kMax,      1e38f,       16777215.0f, 8388607.5f, 0.9999999f,
    -0.9999999f, INFINITY, -INFINITY, NAN,        0.49999997f, 7.0f};

/// The error of a float against an exact value, in units in the last place; huge where one is
/// infinite or NaN and the other is not, or the signs of zeros differ.
double unitsOff(float actual, double expected) {
  const float rounded = static_cast<float>(expected);
  if (std::isnan(expected)) return std::isnan(actual) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(actual)) {
    return actual == rounded || std::fabs(std::isinf(actual) ? rounded : actual) == kMax ? 0 : 1e9;
  }
  if (std::signbit(actual) != std::signbit(rounded)) return 1e9;
  int exponent;
  std::frexp(expected, &exponent);
  return std::fabs(actual - expected) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

double sigmoidOf(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double signOf(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

double remainderOf(double a, double b) {
  const double modulus = std::fmod(a, b);
  return modulus != 0 && (b < 0) != (modulus < 0) ? modulus + b : modulus;
}

/// torch.floor_divide, in the arithmetic of the type.
template <class T>
T floorDivideOf(T a, T b) {
  if (b == 0) return a / b;
  const T modulus = std::fmod(a, b);
  T quotient = (a - modulus) / b;
  if (modulus != 0 && (b < 0) != (modulus < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(T(0), a / b);
  const T floored = std::floor(quotient);
  return quotient - floored > T(0.5) ? floored + 1 : floored;
}

struct Unary {
  const char* name;
  Vec<float, kWidth> (*function)(Vec<float, kWidth>);
  Vec<double, 4> (*wide)(Vec<double, 4>);
  double (*reference)(double);
  double bound;
};

#define UNARY(name, reference, bound)                                                           \
  {#name, [](Vec<float, kWidth> x) { return ait::name(x); },                                    \
   [](Vec<double, 4> x) { return ait::name(x); }, [](double x) -> double { return reference; }, \
   bound}

// Bounds are those of math.h, and 0.25 for targets without fused multiply-add.
const Unary kUnary[] = {
    UNARY(exp, std::exp(x), 1.0),        UNARY(exp2, std::exp2(x), 1.13),
    UNARY(expm1, std::expm1(x), 1.69),   UNARY(log, std::log(x), 1.0),
    UNARY(log2, std::log2(x), 1.3),      UNARY(log10, std::log10(x), 1.16),
    UNARY(log1p, std::log1p(x), 1.14),   UNARY(sigmoid, sigmoidOf(x), 2.5),
    UNARY(tanh, std::tanh(x), 1.59),     UNARY(erf, std::erf(x), 1.37),
    UNARY(erfc, std::erfc(x), 0.51),     UNARY(sin, std::sin(x), 0.6),
    UNARY(cos, std::cos(x), 0.6),        UNARY(tan, std::tan(x), 1.5),
    UNARY(asin, std::asin(x), 2.66),     UNARY(acos, std::acos(x), 1.43),
    UNARY(atan, std::atan(x), 1.64),     UNARY(sinh, std::sinh(x), 0.51),
    UNARY(cosh, std::cosh(x), 0.51),     UNARY(sqrt, std::sqrt(x), 0.51),
    UNARY(rsqrt, 1 / std::sqrt(x), 1.5), UNARY(reciprocal, 1 / x, 0.51),
    UNARY(abs, std::fabs(x), 0),         UNARY(negate, -x, 0),
    UNARY(square, x* x, 0.51),           UNARY(sign, signOf(x), 0),
    UNARY(floor, std::floor(x), 0),      UNARY(ceil, std::ceil(x), 0),
    UNARY(trunc, std::trunc(x), 0),      UNARY(round, std::nearbyint(x), 0),
};

template <class Function>
void forEachSpecialPair(Function function) {
  for (const float a : kSpecial) {
    for (const float b : kSpecial) function(a, b);
  }
}

/// Numbers of any magnitude, of like magnitude, and small integers.
std::array<float, 2> randomPair(Random& random) {
  switch (random.integer(0, 2)) {
    case 0: {
      float pair[2];
      for (float& each : pair) {
        const auto bits = static_cast<uint32_t>(random.bits());
        std::memcpy(&each, &bits, 4);
      }
      return {pair[0], pair[1]};
    }
    case 1:
      return {static_cast<float>(random.uniform(-30, 30)),
              static_cast<float>(random.uniform(-3, 3))};
    default:
      return {static_cast<float>(random.integer(-20, 20)),
              static_cast<float>(random.integer(-5, 5))};
  }
}

template <class Function>
void forEachPair(int count, Function function) {
  forEachSpecialPair(function);
  Random random(17);
  for (int i = 0; i < count; ++i) {
    const auto [a, b] = randomPair(random);
    function(a, b);
  }
}

}  // namespace

// MARK: - One operand

TEST(unaryFunctionsKeepTheirBounds) {
  for (const Unary& unary : kUnary) {
    const auto checkBlock = [&](const float* x) {
      float y[kWidth];
      store(y, unary.function(load<float, kWidth>(x)));
      for (int lane = 0; lane < kWidth; ++lane) {
        const double expected = unary.reference(x[lane]);
        // Signs of -0 are not compared where the definition has no opinion.
        const bool isSignedZero = expected == 0 && y[lane] == 0 && unary.bound == 0;
        CHECK(isSignedZero || unitsOff(y[lane], expected) <= unary.bound, unary.name, x[lane],
              y[lane], expected);
      }
    };
    float x[kWidth];
    for (const float special : kSpecial) {
      for (float& each : x) each = special;
      checkBlock(x);
    }
    uint32_t bits = 0;
    for (int block = 0; block < 400000 / kWidth; ++block) {
      for (float& each : x) {
        std::memcpy(&each, &bits, 4);
        bits += 10739;  // a prime near 2^32 / 400000
      }
      checkBlock(x);
    }
  }
}

/// x Φ(x) with the normal distribution Φ.
double geluOf(double x) { return x * 0.5 * std::erfc(-x * std::sqrt(0.5)); }

TEST(geluKeepsItsDigits) {
  const auto gelu = [](float x) { return ait::gelu(constant<float, kWidth>(x))[kWidth - 1]; };
  for (float x = -45; x < 45; x += 0.0007f) {
    const double expected = geluOf(x);
    const double bound = x < -5.6f ? 0x1p-40 : std::fabs(expected) * (x < 0 ? 0x1p-18 : 0x1p-20);
    CHECK(std::fabs(gelu(x) - expected) <= bound, x, gelu(x), expected);
  }
  for (float x = 1; x < 1e38f; x *= 1.7f) {
    CHECK(std::fabs(gelu(x) - geluOf(x)) <= x * 0x1p-20, x, gelu(x));
    CHECK(std::fabs(gelu(-x) - geluOf(-x)) <= 0x1p-18, -x, gelu(-x));
    CHECK(std::fabs(gelu(1 / x) - geluOf(1 / x)) <= 0x1p-20 / x, 1 / x, gelu(1 / x));
  }
  CHECK(std::signbit(gelu(-0.0f)) && gelu(-0.0f) == 0);
  CHECK_EQUAL(gelu(INFINITY), INFINITY);
  CHECK(std::isnan(gelu(-INFINITY)) && std::isnan(gelu(NAN)));
  Random random(29);
  for (int i = 0; i < 20000; ++i) {
    const double x = random.uniform(-8, 8);
    CHECK_NEAR((ait::gelu(constant<double, 4>(x))[3]), geluOf(x), 1e-14, x);
  }
}

TEST(functionsOfDoublesAreThoseOfTheLibrary) {
  Random random(23);
  for (const Unary& unary : kUnary) {
    for (int round = 0; round < 200; ++round) {
      double x[4], y[4];
      for (double& each : x) each = random.uniform(-8, 8);
      if (round == 0) x[0] = NAN;
      if (round == 1) x[1] = INFINITY;
      store(y, unary.wide(load<double, 4>(x)));
      for (int lane = 0; lane < 4; ++lane) {
        CHECK_NEAR(y[lane], unary.reference(x[lane]), 1e-14, unary.name, x[lane]);
      }
    }
  }
}

TEST(zerosKeepTheirSigns) {
  for (const char* name : {"expm1", "log1p", "tanh", "erf", "sin", "tan", "asin", "atan", "sinh",
                           "floor", "ceil", "trunc", "round", "sqrt"}) {
    for (const Unary& unary : kUnary) {
      if (std::strcmp(unary.name, name) != 0) continue;
      for (const float zero : {0.0f, -0.0f}) {
        const float y = unary.function(constant<float, kWidth>(zero))[kWidth - 1];
        CHECK(y == 0 && std::signbit(y) == std::signbit(zero), name, zero, y);
      }
    }
  }
}

TEST(classesOfFloats) {
  for (const float special : kSpecial) {
    const auto x = constant<float, kWidth>(special);
    CHECK_EQUAL(isNaN(x)[0], std::isnan(special), special);
    CHECK_EQUAL(isInfinite(x)[0], std::isinf(special), special);
    CHECK_EQUAL(isFinite(x)[0], std::isfinite(special), special);
  }
  CHECK(isFinite(constant<int32_t, 4>(3))[0] && !isNaN(constant<bool, 4>(true))[0]);
}

// MARK: - Two operands

TEST(remaindersAndFloorsAreExact) {
  forEachPair(20000, [](float a, float b) {
    const auto x = constant<float, kWidth>(a);
    const auto y = constant<float, kWidth>(b);
    const auto sameFloat = [](float actual, float expected) {
      return std::isnan(expected)
                 ? std::isnan(actual)
                 : actual == expected && std::signbit(actual) == std::signbit(expected);
    };
    CHECK(sameFloat(fmod(x, y)[0], std::fmod(a, b)), a, b, fmod(x, y)[0]);
    // The sum of a modulus and a divisor is rounded to float.
    const float expected = static_cast<float>(remainderOf(a, b));
    CHECK_EQUAL(remainder(x, y)[0], expected, a, b);
    CHECK(sameFloat(floorDivide(x, y)[0], floorDivideOf(a, b)), a, b, floorDivide(x, y)[0]);
    CHECK(sameFloat(truncDivide(x, y)[0], std::trunc(a / b)), a, b, truncDivide(x, y)[0]);
    const auto u = constant<double, 4>(a);
    const auto v = constant<double, 4>(b);
    CHECK_EQUAL(fmod(u, v)[0], std::fmod(double{a}, double{b}), a, b);
    CHECK_EQUAL(remainder(u, v)[3], remainderOf(a, b), a, b);
    CHECK_EQUAL(floorDivide(u, v)[1], floorDivideOf(double{a}, double{b}), a, b);
  });
}

TEST(largestAndSmallestOfTwo) {
  forEachSpecialPair([](float a, float b) {
    const auto x = constant<float, kWidth>(a);
    const auto y = constant<float, kWidth>(b);
    const bool hasNaN = std::isnan(a) || std::isnan(b);
    CHECK_EQUAL(maximum(x, y)[0], hasNaN ? NAN : std::fmax(a, b), a, b);
    CHECK_EQUAL(minimum(x, y)[0], hasNaN ? NAN : std::fmin(a, b), a, b);
    CHECK_EQUAL(fmax(x, y)[0], std::fmax(a, b), a, b);
    CHECK_EQUAL(fmin(x, y)[0], std::fmin(a, b), a, b);
    CHECK(std::signbit(copysign(x, y)[0]) == std::signbit(b), a, b);
    CHECK_EQUAL(copysign(x, y)[0], std::copysign(a, b), a, b);
  });
}

TEST(powersAnglesAndHypotenuses) {
  forEachPair(200000, [](float a, float b) {
    const auto x = constant<float, kWidth>(a);
    const auto y = constant<float, kWidth>(b);
    const double expected = std::pow(double{a}, double{b});
    CHECK(unitsOff(power(x, y)[0], expected) <= 0.51, a, b, power(x, y)[0], expected);
    CHECK(unitsOff(atan2(x, y)[0], std::atan2(double{a}, double{b})) <= 3, a, b, atan2(x, y)[0]);
    CHECK(unitsOff(hypot(x, y)[0], std::hypot(double{a}, double{b})) <= 0.51, a, b, hypot(x, y)[0]);
  });
  CHECK_EQUAL(power(constant<double, 4>(3), constant<double, 4>(0.5))[2], std::pow(3, 0.5));
}

// MARK: - Integers

namespace {

template <class T>
void checkIntegerDivision() {
  constexpr T kLeast = std::numeric_limits<T>::min();
  constexpr T kMost = std::numeric_limits<T>::max();
  Random random(sizeof(T));
  const auto checkPair = [](T a, T b) {
    const auto x = constant<T, 16>(a);
    const auto y = constant<T, 16>(b);
    using Wide = __int128;
    const Wide quotient = b == 0 ? 0 : Wide{a} / b;
    const Wide rest = b == 0 ? 0 : Wide{a} % b;
    const bool moves = rest != 0 && (rest < 0) != (b < 0);
    CHECK_EQUAL(truncDivide(x, y)[5], static_cast<T>(quotient), a, b);
    CHECK_EQUAL(fmod(x, y)[5], static_cast<T>(rest), a, b);
    CHECK_EQUAL(floorDivide(x, y)[5], static_cast<T>(quotient - moves), a, b);
    CHECK_EQUAL(remainder(x, y)[5], static_cast<T>(moves ? rest + b : rest), a, b);
  };
  const T interesting[] = {0,
                           1,
                           2,
                           3,
                           7,
                           static_cast<T>(-1),
                           static_cast<T>(-2),
                           kLeast,
                           static_cast<T>(kLeast + 1),
                           kMost,
                           static_cast<T>(kMost - 1),
                           static_cast<T>(kMost / 2)};
  for (const T a : interesting) {
    for (const T b : interesting) checkPair(a, b);
  }
  for (int i = 0; i < 30000; ++i) {
    const T a = static_cast<T>(random.bits());
    const T b = static_cast<T>(random.integer(-9, 9));
    checkPair(a, b);
    checkPair(a, static_cast<T>(random.bits()));
    // Multiples and their neighbours, where a rounded quotient would go wrong.
    if (b != 0) checkPair(static_cast<T>(a / b * b + random.integer(-1, 1)), b);
  }
  for (int base = -4; base <= 4; ++base) {
    for (int exponent = -3; exponent <= 70; ++exponent) {
      if (!std::is_signed_v<T> && (base < 0 || exponent < 0)) continue;
      uint64_t expected = exponent >= 0 || base == 1 ? 1 : 0;
      if (exponent < 0 && base == -1) expected = exponent % 2 == 0 ? 1 : ~uint64_t{0};
      for (int i = 0; i < exponent; ++i) expected *= static_cast<uint64_t>(base);
      const auto result =
          power(constant<T, 16>(static_cast<T>(base)), constant<T, 16>(static_cast<T>(exponent)));
      CHECK_EQUAL(result[9], static_cast<T>(expected), base, exponent);
    }
  }
}

}  // namespace

TEST(integersDivideWithoutTrapping) {
  checkIntegerDivision<int8_t>();
  checkIntegerDivision<uint8_t>();
  checkIntegerDivision<int16_t>();
  checkIntegerDivision<int32_t>();
  checkIntegerDivision<int64_t>();
}

TEST(integersHaveSignsAndMagnitudes) {
  for (const int8_t value : {-128, -127, -1, 0, 1, 127}) {
    const auto x = constant<int8_t, 8>(value);
    CHECK_EQUAL(abs(x)[0], static_cast<int8_t>(std::abs(value)), value);
    CHECK_EQUAL(sign(x)[0], (value > 0) - (value < 0), value);
    CHECK_EQUAL(round(x)[0], value);
  }
  CHECK_EQUAL(sign(constant<uint8_t, 8>(200))[0], 1);
  CHECK_EQUAL(abs(constant<uint8_t, 8>(200))[0], 200);
}

TEST(masksAddAndMultiplyAsLogic) {
  const auto yes = constant<bool, 8>(true);
  const auto no = constant<bool, 8>(false);
  CHECK(add(yes, no)[0] && add(yes, yes)[0] && !add(no, no)[0]);
  CHECK(multiply(yes, yes)[0] && !multiply(yes, no)[0]);
  CHECK(bitXor(yes, no)[3] && !bitNot(yes)[3] && less(no, yes)[3] && !less(yes, no)[3]);
}
