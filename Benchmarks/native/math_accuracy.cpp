// The largest errors of the float functions of ait/cpu/math.h, in units in the last place, against
// the C library's double functions.
//
//   clang++ -std=c++17 -O3 -ffp-contract=fast -march=native -pthread \
//     -ISources/AITCPU/Prelude Benchmarks/native/math_accuracy.cpp -o math_accuracy
//   ./math_accuracy [function…]
//
// Every float is an argument where the function is neither constant nor the identity in float;
// elsewhere, every 257th is. An error counts against the exact value, not the rounded one, so a
// correctly rounded function shows 0.5. Not-a-numbers, infinities and zeros have to agree.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <thread>

#include "ait/cpu/math.h"

namespace {

constexpr int kWidth = ait::kLanes;
constexpr int kThreads = 2;

struct Function {
  const char* name;
  void (*evaluate)(const float* x, float* y);  // kWidth numbers
  double (*reference)(double);
  // The magnitudes between which every float is tried.
  float least;
  float greatest;
};

#define AIT_FUNCTION(name, reference, least, greatest)                                             \
  {#name, [](const float* x, float* y) { ait::store(y, ait::name(ait::load<float, kWidth>(x))); }, \
   [](double x) -> double { return reference; }, least, greatest}

double sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

constexpr float kMin = 0x1p-149f;
constexpr float kMax = 0x1.fffffep127f;

const Function kFunctions[] = {
    AIT_FUNCTION(exp, std::exp(x), 0x1p-26f, 128),
    AIT_FUNCTION(exp2, std::exp2(x), 0x1p-26f, 256),
    AIT_FUNCTION(expm1, std::expm1(x), 0x1p-26f, 128),
    AIT_FUNCTION(log, std::log(x), kMin, kMax),
    AIT_FUNCTION(log2, std::log2(x), kMin, kMax),
    AIT_FUNCTION(log10, std::log10(x), kMin, kMax),
    AIT_FUNCTION(log1p, std::log1p(x), 0x1p-26f, 0x1p40f),
    AIT_FUNCTION(tanh, std::tanh(x), 0x1p-14f, 16),
    AIT_FUNCTION(sigmoid, sigmoid(x), 0x1p-26f, 128),
    AIT_FUNCTION(erf, std::erf(x), 0x1p-14f, 8),
    AIT_FUNCTION(erfc, std::erfc(x), 0x1p-26f, 16),
    AIT_FUNCTION(sin, std::sin(x), 0x1p-14f, 0x1p12f),
    AIT_FUNCTION(cos, std::cos(x), 0x1p-14f, 0x1p12f),
    AIT_FUNCTION(tan, std::tan(x), 0x1p-14f, 0x1p12f),
    AIT_FUNCTION(asin, std::asin(x), 0x1p-14f, 1),
    AIT_FUNCTION(acos, std::acos(x), 0x1p-26f, 1),
    AIT_FUNCTION(atan, std::atan(x), 0x1p-14f, 0x1p30f),
    AIT_FUNCTION(sinh, std::sinh(x), 0x1p-14f, 128),
    AIT_FUNCTION(cosh, std::cosh(x), 0x1p-14f, 128),
    AIT_FUNCTION(rsqrt, 1 / std::sqrt(x), 0x1p-3f, 8),
};

struct Worst {
  double error = 0;
  float argument = 0;
  float value = 0;
  int64_t disagreements = 0;  // NaN, infinity or zero where there is none, or none where there is
  float disagreement = 0;
};

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// The distance of two floats next to a number.
double lastPlace(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int64_t exponent = static_cast<int64_t>(bits >> 52 & 0x7ff) - 1023;
  if (exponent < -126) exponent = -126;
  bits = static_cast<uint64_t>(exponent - 23 + 1023) << 52;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

void compare(float x, float y, double expected, Worst& worst) {
  const float rounded = static_cast<float>(expected);
  if (std::isnan(rounded) || std::isinf(rounded) || !(std::fabs(y) <= kMax)) {
    const bool agrees = std::isnan(rounded) ? std::isnan(y) : rounded == y;
    // The limit of the type is itself a rounding: one unit off is an error of one unit.
    const bool isAtLimit =
        std::isinf(rounded) != std::isinf(y) && std::fabs(std::isinf(y) ? rounded : y) == kMax;
    if (!agrees && !isAtLimit && worst.disagreements++ == 0) worst.disagreement = x;
    return;
  }
  if (std::signbit(y) != std::signbit(rounded) && worst.disagreements++ == 0) {
    worst.disagreement = x;
  }
  const double error = std::fabs(y - expected) / lastPlace(expected);
  if (error > worst.error) {
    worst.error = error;
    worst.argument = x;
    worst.value = y;
  }
}

/// Tries the floats from bits `first` up to `last`, both of one sign.
void tryRange(const Function& function, uint32_t first, uint32_t last, uint32_t step, int thread,
              Worst& worst) {
  float x[kWidth], y[kWidth];
  const uint64_t stride = static_cast<uint64_t>(step) * kWidth;
  for (uint64_t bits = first + thread * stride; bits <= last; bits += stride * kThreads) {
    for (int lane = 0; lane < kWidth; ++lane) {
      const uint64_t each = bits + static_cast<uint64_t>(lane) * step;
      x[lane] = fromBits(each <= last ? static_cast<uint32_t>(each) : last);
    }
    function.evaluate(x, y);
    for (int lane = 0; lane < kWidth; ++lane)
      compare(x[lane], y[lane], function.reference(x[lane]), worst);
  }
}

uint32_t toBits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

void tryAll(const Function& function, int thread, Worst& worst) {
  const uint32_t least = toBits(function.least);
  const uint32_t greatest = toBits(function.greatest);
  for (const uint32_t sign : {0u, 0x80000000u}) {
    tryRange(function, sign, sign | least, 257, thread, worst);
    // A sample of the negative numbers does where the function is not defined on them, or where
    // it is even or odd and computed from the magnitude.
    const double negative = function.reference(-0.75);
    const bool isSampled =
        sign != 0 &&
        (std::isnan(negative) || std::fabs(negative) == std::fabs(function.reference(0.75)));
    tryRange(function, sign | least, sign | greatest, isSampled ? 257 : 1, thread, worst);
    tryRange(function, sign | greatest, sign | 0x7fffffff, 257, thread, worst);
  }
}

}  // namespace

int main(int argumentCount, char** arguments) {
  std::printf("%-8s %9s %16s %16s  %s\n", "function", "max ulp", "at", "value", "disagreements");
  int64_t disagreements = 0;
  for (const Function& function : kFunctions) {
    bool wanted = argumentCount < 2;
    for (int i = 1; i < argumentCount; ++i) wanted |= !std::strcmp(arguments[i], function.name);
    if (!wanted) continue;
    Worst worst[kThreads];
    std::thread threads[kThreads];
    for (int i = 0; i < kThreads; ++i) {
      threads[i] = std::thread([&, i] { tryAll(function, i, worst[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    Worst& all = worst[0];
    for (const Worst& each : worst) {
      if (each.disagreements != 0 && all.disagreements == 0) all.disagreement = each.disagreement;
      if (&each != &all) all.disagreements += each.disagreements;
      if (each.error > all.error) {
        all.error = each.error;
        all.argument = each.argument;
        all.value = each.value;
      }
    }
    std::printf("%-8s %9.4f %16a %16a  %lld", function.name, all.error, all.argument, all.value,
                static_cast<long long>(all.disagreements));
    if (all.disagreements != 0) std::printf(", such as at %a", all.disagreement);
    std::printf("\n");
    std::fflush(stdout);
    disagreements += all.disagreements;
  }
  return disagreements == 0 ? 0 : 1;
}
