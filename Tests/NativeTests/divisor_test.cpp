// Division by a multiplication against C++'s own.
#include "ait/gpu/divisor.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "check.h"

namespace {

void checkDivisor(int64_t divisor, const std::vector<int>& numbers) {
  const ait::Divisor by = ait::Divisor::of(divisor);
  for (const int number : numbers) CHECK(by.quotient(number) == number / divisor);
}

}  // namespace

TEST(smallNumbersBySmallDivisors) {
  std::vector<int> numbers;
  for (int number = 0; number < 4096; ++number) numbers.push_back(number);
  for (int64_t divisor = 1; divisor < 1100; ++divisor) checkDivisor(divisor, numbers);
}

TEST(anyNumberByAnyDivisor) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> any(1, INT32_MAX);
  for (int i = 0; i < 20000; ++i) {
    // As many divisors of every size; numbers beside multiples of them.
    const int divisor = std::max(1, any(random) >> (i % 31));
    const int multiple = any(random) / divisor * divisor;
    checkDivisor(divisor, {0, divisor - 1, divisor, multiple, multiple > 0 ? multiple - 1 : 0,
                           any(random), INT32_MAX - 1, INT32_MAX});
  }
  checkDivisor(INT32_MAX, {0, 1, INT32_MAX - 1, INT32_MAX});
}
