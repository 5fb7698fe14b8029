#include "harness.h"

#include <atomic>
#include <cstdlib>
#include <vector>

namespace harness {
namespace {

struct Entry {
  const char* name;
  Test test;
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

std::atomic<int> passedCount{0};
std::atomic<int> failedCount{0};
std::atomic<int> failuresOfTest{0};

}  // namespace

void enlist(const char* name, Test test) { entries().push_back({name, test}); }

void note(bool isTrue, const char* expression, const char* file, int line, const char* detail) {
  if (isTrue) return;
  failuresOfTest.fetch_add(1);
  std::printf("%s:%d: failed: %s\n", file, line, expression);
  if (detail && *detail) std::printf("    %s\n", detail);
  std::fflush(stdout);
}

}  // namespace harness

/// Runs the tests whose name has the argument as a part; all without one.
int main(int argumentCount, char** arguments) {
  using namespace harness;
  const char* filter = argumentCount > 1 ? arguments[1] : "";
  for (const Entry& entry : entries()) {
    if (!contains(entry.name, filter)) continue;
    failuresOfTest = 0;
    entry.test();
    const bool isPassed = failuresOfTest == 0;
    std::printf("%s %s\n", isPassed ? "passed" : "FAILED", entry.name);
    std::fflush(stdout);
    (isPassed ? passedCount : failedCount).fetch_add(1);
  }
  std::printf("%d passed, %d failed\n", passedCount.load(), failedCount.load());
  return failedCount == 0 ? 0 : 1;
}
