// The functions of bodies on a GPU (ait/gpu/math.h), compiled for the processor: their errors
// against the C library in double, and in long double for those of doubles; what they make of
// special numbers; integers that wrap.
#include "ait/gpu/math.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "check.h"

using check::Random;

namespace {

template <class F>
F fromBits(Random& random) {
  typename ait::FloatFormat<F>::Bits bits = static_cast<decltype(bits)>(random.bits());
  return __builtin_bit_cast(F, bits);
}

/// The error in units in the last place; huge where one is infinite or NaN and the other is not,
/// or the signs differ.
template <class F, class Wide>
double unitsOff(F actual, Wide expected) {
  const F rounded = static_cast<F>(expected);
  if (std::isnan(rounded)) return std::isnan(actual) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(actual)) {
    const bool isAtLimit =
        std::fabs(std::isinf(actual) ? rounded : actual) >= std::numeric_limits<F>::max();
    return actual == rounded || isAtLimit ? 0 : 1e9;
  }
  if (std::signbit(actual) != std::signbit(rounded)) return 1e9;
  int exponent;
  std::frexp(expected, &exponent);
  using Limits = std::numeric_limits<F>;
  const Wide unit = std::ldexp(Wide(1), std::max(exponent, Limits::min_exponent) - Limits::digits);
  return static_cast<double>(std::fabs(static_cast<Wide>(actual) - expected) / unit);
}

struct Unary {
  const char* name;
  float (*function)(float);
  double (*ofDouble)(double);
  double (*reference)(double);
  long double (*wideReference)(long double);
  double bound;
  double wideBound;
  // Where doubles are tried most.
  double least, greatest;
};

#define UNARY(name, expression, bound, wideBound, least, greatest) \
  {#name,                                                          \
   [](float x) -> float { return ait::name(x); },                  \
   [](double x) -> double { return ait::name(x); },                \
   [](double x) -> double { return expression; },                  \
   [](long double x) -> long double { return expression; },        \
   bound,                                                          \
   wideBound,                                                      \
   least,                                                          \
   greatest}

// The bounds are those of math.h.
const Unary kUnary[] = {
    UNARY(exp, std::exp(x), 4, 2, -746, 710),
    UNARY(exp2, std::exp2(x), 4, 2, -1075, 1024),
    UNARY(expm1, std::expm1(x), 1.5, 3, -50, 710),
    UNARY(log, std::log(x), 1.2, 3, 0, 10),
    UNARY(log2, std::log2(x), 1.2, 3, 0, 10),
    UNARY(log10, std::log10(x), 1.2, 3, 0, 10),
    UNARY(log1p, std::log1p(x), 1.2, 3, -1, 10),
    UNARY(tanh, std::tanh(x), 4, 4, -25, 25),
    UNARY(sinh, std::sinh(x), 7, 5, -711, 711),
    UNARY(cosh, std::cosh(x), 4, 5, -711, 711),
    UNARY(erf, std::erf(x), 2, 2, -7, 7),
    UNARY(erfc, std::erfc(x), 7, 8, -7, 26),
    UNARY(sin, std::sin(x), 3, 4, -1e7, 1e7),
    UNARY(cos, std::cos(x), 3, 4, -1e7, 1e7),
    UNARY(tan, std::tan(x), 5, 6, -1e7, 1e7),
    UNARY(asin, std::asin(x), 3, 5, -1, 1),
    UNARY(acos, std::acos(x), 3, 5, -1, 1),
    UNARY(atan, std::atan(x), 3, 5, -20, 20),
    UNARY(sqrt, std::sqrt(x), 0.51, 0.51, 0, 100),
    UNARY(rsqrt, 1 / std::sqrt(x), 1.5, 1.5, 0, 100),
    UNARY(reciprocal, 1 / x, 0.51, 0.51, -100, 100),
    UNARY(abs, std::fabs(x), 0, 0, -100, 100),
    UNARY(floor, std::floor(x), 0, 0, -100, 100),
    UNARY(ceil, std::ceil(x), 0, 0, -100, 100),
    UNARY(trunc, std::trunc(x), 0, 0, -100, 100),
    UNARY(round, std::nearbyint(x), 0, 0, -100, 100),
};

const double kSpecial[] = {0.0,
                           -0.0,
                           INFINITY,
                           -INFINITY,
                           NAN,
                           1,
                           -1,
                           2,
                           -2,
                           3,
                           -3,
                           0.5,
                           -0.5,
                           1.5,
                           -1.5,
                           1e-45,
                           1e-310,
                           -1e-310,
                           88.8,
                           -104,
                           709.9,
                           -745.5,
                           3e38,
                           1e300,
                           -1e300,
                           1e-300,
                           0x1p24,
                           -0x1p31,
                           0x1p53,
                           9007199254740993.0,
                           std::numeric_limits<double>::max()};

double powerOf(double x, double y) { return std::pow(x, y); }
long double powerOf(long double x, long double y) { return std::pow(x, y); }

double remainderOf(double a, double b) {
  const double modulus = std::fmod(a, b);
  return modulus != 0 && (b < 0) != (modulus < 0) ? modulus + b : modulus;
}

template <class F>
F floorDivideOf(F a, F b) {
  if (b == 0) return a / b;
  const F modulus = std::fmod(a, b);
  F quotient = (a - modulus) / b;
  if (modulus != 0 && (b < 0) != (modulus < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(F(0), a / b);
  const F floored = std::floor(quotient);
  return quotient - floored > F(0.5) ? floored + 1 : floored;
}

template <class F>
bool agree(F a, F b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

template <class F>
void checkQuotients(F a, F b) {
  CHECK(agree<F>(ait::fmod(a, b), std::fmod(a, b)), "fmod", a, b, ait::fmod(a, b));
  if (std::isnan(a) || std::isnan(b)) return;
  const F remainder = ait::remainder(a, b);
  const F expected = static_cast<F>(remainderOf(a, b));
  CHECK(std::isnan(expected) ? std::isnan(remainder) : remainder == expected, "remainder", a, b,
        remainder, expected);
  CHECK(agree<F>(ait::floorDivide(a, b), floorDivideOf(a, b)), "floorDivide", a, b);
}

template <class F, class Wide>
void checkPowersAndAngles(F a, F b, double powerBound, double angleBound) {
  const Wide power = powerOf(static_cast<Wide>(a), static_cast<Wide>(b));
  CHECK(unitsOff(ait::power(a, b), power) <= powerBound, "power", a, b, ait::power(a, b));
  const Wide angle = std::atan2(static_cast<Wide>(a), static_cast<Wide>(b));
  CHECK(unitsOff(ait::atan2(a, b), angle) <= angleBound, "atan2", a, b, ait::atan2(a, b));
}

}  // namespace

// MARK: - Floats

TEST(functionsOfFloatsKeepTheirBounds) {
  for (const Unary& unary : kUnary) {
    double worst = 0;
    const auto test = [&](float x) {
      const double error = unitsOff(unary.function(x), unary.reference(x));
      worst = std::max(worst, error);
      CHECK(error <= unary.bound, unary.name, x, unary.function(x), unary.reference(x));
    };
    for (const double special : kSpecial) test(static_cast<float>(special));
    // Every number's neighbourhood, by a step that is prime.
    for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 4099) {
      test(ait::floatOf(static_cast<uint32_t>(bits)));
    }
    std::printf("  %-10s float  %.2f\n", unary.name, worst);
  }
}

TEST(functionsOfDoublesKeepTheirBounds) {
  for (const Unary& unary : kUnary) {
    Random random(11);
    double worst = 0;
    const auto test = [&](double x) {
      const double error = unitsOff(unary.ofDouble(x), unary.wideReference(x));
      worst = std::max(worst, error);
      CHECK(error <= unary.wideBound, unary.name, x, unary.ofDouble(x), unary.reference(x));
    };
    for (const double special : kSpecial) test(special);
    for (int i = 0; i < 200000; ++i) {
      test(random.uniform(unary.least, unary.greatest));
      test(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-60, 8))));
      test(fromBits<double>(random));
    }
    std::printf("  %-10s double %.2f\n", unary.name, worst);
  }
}

/// x Φ(x) with the normal distribution Φ.
template <class F>
F geluOf(F x) {
  return x * F(0.5) * std::erfc(-x * std::sqrt(F(0.5)));
}

TEST(geluKeepsItsDigits) {
  for (float x = -45; x < 45; x += 0.0007f) {
    const double expected = geluOf<double>(x);
    const double bound = x < -5.6f ? 0x1p-40 : std::fabs(expected) * (x < 0 ? 0x1p-18 : 0x1p-20);
    CHECK(std::fabs(ait::gelu(x) - expected) <= bound, x, ait::gelu(x), expected);
  }
  for (float x = 1; x < 1e38f; x *= 1.7f) {
    CHECK(std::fabs(ait::gelu(x) - geluOf<double>(x)) <= x * 0x1p-20, x);
    CHECK(std::fabs(ait::gelu(-x) - geluOf<double>(-x)) <= 0x1p-18, -x);
    CHECK(std::fabs(ait::gelu(1 / x) - geluOf<double>(1 / x)) <= 0x1p-20 / x, 1 / x);
  }
  CHECK(std::signbit(ait::gelu(-0.0f)) && ait::gelu(-0.0f) == 0);
  CHECK_EQUAL(ait::gelu(INFINITY), INFINITY);
  CHECK(std::isnan(ait::gelu(-INFINITY)) && std::isnan(ait::gelu(NAN)));
  Random random(29);
  for (int i = 0; i < 100000; ++i) {
    const double x = random.uniform(-37, 10);
    CHECK(unitsOff(ait::gelu(x), geluOf<long double>(x)) <= 2048, x);
  }
}

TEST(sigmoidIsExactAsASummand) {
  for (float x = -100; x < 100; x += 0.003f) {
    const double expected = 1 / (1 + std::exp(-static_cast<double>(x)));
    CHECK(std::fabs(ait::sigmoid(x) - expected) <= 0x1p-22, x);
    CHECK(
        std::fabs(ait::sigmoid(x) - expected) <= expected * 0x1p-21 * (1 + std::fabs(x)) || x < -87,
        x);
  }
  Random random(3);
  for (int i = 0; i < 100000; ++i) {
    const double x = random.uniform(-745, 40);
    const long double e = std::exp(static_cast<long double>(x));
    CHECK(unitsOff(static_cast<double>(ait::sigmoid(x)), e / (1 + e)) <= 4, x);
  }
  CHECK_EQUAL(ait::sigmoid(-INFINITY), 0.0f);
  CHECK_EQUAL(ait::sigmoid(INFINITY), 1.0f);
}

TEST(powersAnglesAndQuotients) {
  for (const double a : kSpecial) {
    for (const double b : kSpecial) {
      checkQuotients(a, b);
      checkQuotients(static_cast<float>(a), static_cast<float>(b));
      checkPowersAndAngles<double, long double>(a, b, 60, 5);
      checkPowersAndAngles<float, double>(static_cast<float>(a), static_cast<float>(b), 0.6, 3);
    }
  }
  Random random(5);
  for (int i = 0; i < 300000; ++i) {
    const float a = fromBits<float>(random), b = fromBits<float>(random);
    checkQuotients(a, b);
    checkPowersAndAngles<float, double>(a, b, 0.6, 3);
    const float base = std::fabs(a), exponent = static_cast<float>(random.uniform(-40, 40));
    checkPowersAndAngles<float, double>(base, exponent, 0.6, 3);
    const double x = std::exp2(random.uniform(-20, 20)), y = random.uniform(-60, 60);
    checkQuotients(x, y);
    checkPowersAndAngles<double, long double>(x, y, 60, 5);
    if (i < 3000) checkQuotients(fromBits<double>(random), fromBits<double>(random));
  }
}

TEST(extremesAndSigns) {
  for (const double a : kSpecial) {
    CHECK_EQUAL(ait::sign(a), a > 0 ? 1.0 : a < 0 ? -1.0 : 0.0, a);
    CHECK_EQUAL(ait::isNaN(a).value, std::isnan(a), a);
    CHECK_EQUAL(ait::isInfinite(a).value, std::isinf(a), a);
    CHECK_EQUAL(ait::isFinite(a).value, std::isfinite(a), a);
    for (const double b : kSpecial) {
      const bool isNaN = std::isnan(a) || std::isnan(b);
      CHECK(isNaN ? std::isnan(ait::maximum(a, b)) : ait::maximum(a, b) == std::max(a, b), a, b);
      CHECK(isNaN ? std::isnan(ait::minimum(a, b)) : ait::minimum(a, b) == std::min(a, b), a, b);
    }
  }
}

// MARK: - Integers and truth values

namespace {

/// What an operation makes of numbers, computed without bounds and cut to the type.
template <class T, class Result>
void checkInteger(const char* name, Result actual, __int128 expected, T a, T b) {
  CHECK_EQUAL(static_cast<int64_t>(static_cast<T>(actual)),
              static_cast<int64_t>(static_cast<T>(expected)), name, static_cast<int64_t>(a),
              static_cast<int64_t>(b));
}

__int128 floorDivideOf(__int128 a, __int128 b) {
  if (b == 0) return 0;
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

template <class T>
void checkIntegers(T a, T b) {
  using Lane = ait::Vec<T, 1>;
  const Lane x = a, y = b;
  const __int128 p = a, q = b;
  constexpr int kBits = 8 * sizeof(T);
  checkInteger<T>("+", x + y, p + q, a, b);
  checkInteger<T>("-", x - y, p - q, a, b);
  checkInteger<T>("*", x * y, p * q, a, b);
  checkInteger<T>("negate", -x, -p, a, b);
  checkInteger<T>("&", x & y, p & q, a, b);
  checkInteger<T>("|", x | y, p | q, a, b);
  checkInteger<T>("^", x ^ y, p ^ q, a, b);
  checkInteger<T>("~", ~x, ~p, a, b);
  checkInteger<T>("<<", x << y, q < 0 || q >= kBits ? 0 : p << static_cast<int>(q), a, b);
  checkInteger<T>(">>", x >> y, q < 0 || q >= kBits ? (p < 0 ? -1 : 0) : p >> static_cast<int>(q),
                  a, b);
  checkInteger<T>("maximum", ait::maximum(x, y), std::max(p, q), a, b);
  checkInteger<T>("minimum", ait::minimum(x, y), std::min(p, q), a, b);
  checkInteger<T>("abs", ait::abs(x), p < 0 ? -p : p, a, b);
  checkInteger<T>("sign", ait::sign(x), (p > 0) - (p < 0), a, b);
  checkInteger<T>("floorDivide", ait::floorDivide(x, y), floorDivideOf(p, q), a, b);
  checkInteger<T>("fmod", ait::fmod(x, y), q == 0 ? 0 : p % q, a, b);
  checkInteger<T>("remainder", ait::remainder(x, y), q == 0 ? 0 : p - floorDivideOf(p, q) * q, a,
                  b);
  CHECK_EQUAL((x < y).value, p < q);
  CHECK_EQUAL((x == y).value, p == q);
  uint64_t power = 1;
  for (__int128 i = 0; i < q; ++i) power *= static_cast<uint64_t>(p);
  const __int128 ofUnit = p == 1 ? 1 : p == -1 ? (q % 2 == 0 ? 1 : -1) : 0;
  if (q < 200) {
    checkInteger<T>("power", ait::power(x, y), q < 0 ? ofUnit : static_cast<__int128>(power), a, b);
  }
}

template <class T>
void checkAllIntegers() {
  Random random(29);
  const T special[] = {T(0),
                       T(1),
                       T(-1),
                       T(2),
                       T(-3),
                       T(7),
                       T(31),
                       T(63),
                       std::numeric_limits<T>::min(),
                       std::numeric_limits<T>::max()};
  for (const T a : special) {
    for (const T b : special) {
      if (static_cast<__int128>(b) < 200) checkIntegers<T>(a, b);
    }
  }
  for (int i = 0; i < 20000; ++i) {
    checkIntegers<T>(static_cast<T>(random.bits()), static_cast<T>(random.integer(-70, 100)));
  }
}

}  // namespace

TEST(integersWrapAsOnTheProcessor) {
  checkAllIntegers<int8_t>();
  checkAllIntegers<uint8_t>();
  checkAllIntegers<int16_t>();
  checkAllIntegers<int32_t>();
  checkAllIntegers<int64_t>();
}

TEST(truthValues) {
  for (const bool a : {false, true}) {
    const ait::Vec<bool, 1> x = a;
    CHECK_EQUAL((~x).value, !a);
    for (const bool b : {false, true}) {
      const ait::Vec<bool, 1> y = b;
      CHECK_EQUAL((x & y).value, a && b);
      CHECK_EQUAL((x | y).value, a || b);
      CHECK_EQUAL((x ^ y).value, a != b);
      CHECK_EQUAL((x < y).value, a < b);
      CHECK_EQUAL(ait::maximum(x, y).value, a || b);
      CHECK_EQUAL(ait::minimum(x, y).value, a && b);
    }
  }
}

TEST(conversionsAreThoseOfPyTorch) {
  CHECK_EQUAL(static_cast<int>(ait::convert<uint8_t>(300.0f).value), 44);
  CHECK_EQUAL(static_cast<int>(ait::convert<uint8_t>(INFINITY).value), 0);
  CHECK_EQUAL(static_cast<int>(ait::convert<int8_t>(-129.9).value), 127);
  CHECK_EQUAL(ait::convert<int32_t>(-2.9f).value, -2);
  CHECK_EQUAL(ait::convert<int32_t>(3e9f).value, std::numeric_limits<int32_t>::min());
  CHECK_EQUAL(ait::convert<int32_t>(NAN).value, std::numeric_limits<int32_t>::min());
  CHECK_EQUAL(ait::convert<int64_t>(3e9f).value, int64_t{3000000000});
  CHECK_EQUAL(ait::convert<int64_t>(1e19).value, std::numeric_limits<int64_t>::min());
  CHECK_EQUAL(ait::convert<bool>(0.5f).value, true);
  CHECK_EQUAL(ait::convert<bool>(-0.0).value, false);
  CHECK_EQUAL(ait::convert<bool>(NAN).value, true);
  CHECK_EQUAL(static_cast<int>(ait::convert<int16_t>(ait::Vec<int32_t, 1>(70000)).value), 4464);
  CHECK_EQUAL(ait::convert<float>(ait::Vec<bool, 1>(true)), 1.0f);
  CHECK_EQUAL(ait::convert<ait::bfloat16>(1.001f), 1.0f);
  CHECK_EQUAL(ait::convert<double>(ait::Vec<int64_t, 1>(int64_t{1} << 62)), 0x1p62);
}
