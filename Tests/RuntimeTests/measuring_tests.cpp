// Profile, benchmark, self test, and what a run costs.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "fixtures.h"

using namespace fixtures;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

// MARK: - Allocations

#ifndef HAS_SANITIZER
static std::atomic<bool> isWatching{false};
static std::atomic<int> allocationCount{0};

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

static void watch() {
  if (isWatching.load(std::memory_order_relaxed)) allocationCount.fetch_add(1);
}
void* malloc(size_t size) {
  watch();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  watch();
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  watch();
  return __libc_realloc(memory, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  watch();
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : 12;
}
void* aligned_alloc(size_t alignment, size_t size) {
  watch();
  return __libc_memalign(alignment, size);
}
void free(void* memory) {
  if (memory) watch();
  __libc_free(memory);
}
}

TEST(runAllocatesNothing) {
  Blend blend(2, 3);
  blend.setConstants();
  Tensor<float> big({8, 4}, 1), bigger({8, 4}, 2);
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData others[] = {big.data(), bigger.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  int64_t totalShape[2], twiceShape[2];
  int64_t* shapes[] = {totalShape, twiceShape};
  AITemplateModelHandle handle = blend.container.handle;
  CHECK_OK(blend.container.fold());
  const auto runAll = [&] {
    for (int round = 0; round < 100; ++round) {
      AITData* chosen = round % 2 == 0 ? inputs : others;
      if (!harness::isSuccess(AITemplateModelContainerRun(handle, chosen, 2, outputs, 2, nullptr,
                                                          true, false, shapes))) {
        allocationCount.fetch_add(1000000);
      }
    }
  };
  // The very first runs, and those of a thread that never ran before.
  allocationCount = 0;
  isWatching = true;
  runAll();
  isWatching = false;
  CHECK(allocationCount == 0);
  std::atomic<int> phase{0};
  std::thread thread([&] {
    phase = 1;
    while (phase != 2) {
    }
    runAll();
    phase = 3;
    while (phase != 4) {
    }
  });
  while (phase != 1) {
  }
  isWatching = true;
  phase = 2;
  while (phase != 3) {
  }
  isWatching = false;
  phase = 4;
  thread.join();
  CHECK(allocationCount == 0);
}
#endif

// MARK: - Profile

namespace {

/// Whether the text is one JSON value; reads no deeper than that.
class JSONReader {
 public:
  explicit JSONReader(const std::string& text) : next_(text.c_str()) {}

  bool isValue() {
    const bool isGood = value();
    space();
    return isGood && *next_ == '\0';
  }

 private:
  void space() {
    while (*next_ == ' ' || *next_ == '\n' || *next_ == '\t' || *next_ == '\r') ++next_;
  }
  bool eat(char character) {
    space();
    if (*next_ != character) return false;
    ++next_;
    return true;
  }
  bool string() {
    if (!eat('"')) return false;
    for (; *next_ != '"'; ++next_) {
      if (*next_ == '\0' || static_cast<unsigned char>(*next_) < 0x20) return false;
      if (*next_ == '\\') ++next_;
    }
    ++next_;
    return true;
  }
  bool value() {
    space();
    if (*next_ == '"') return string();
    if (*next_ == '[' || *next_ == '{') {
      const bool isObject = *next_ == '{';
      const char close = isObject ? '}' : ']';
      ++next_;
      if (eat(close)) return true;
      do {
        if (isObject && !(string() && eat(':'))) return false;
        if (!value()) return false;
      } while (eat(','));
      return eat(close);
    }
    char* end = nullptr;
    std::strtod(next_, &end);
    if (end == next_) return false;
    next_ = end;
    return true;
  }

  const char* next_;
};

std::string temporaryPath() {
  char path[] = "/tmp/ait-runtime-tests-XXXXXX";
  const int file = mkstemp(path);
  if (file >= 0) close(file);
  return path;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST(profileWritesJSON) {
  Blend blend;
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  const std::string path = temporaryPath();
  CHECK_OK(AITemplateModelContainerProfile(blend.container.handle, inputs, 2, outputs, 2, nullptr,
                                           20, path.c_str()));
  CHECK(blend.isRight());
  const std::string text = contents(path);
  CHECK(JSONReader(text).isValue());
  for (const char* part :
       {"\"add_xy\": {\"ms_per_iter\": ", "\"product\": {", "\"total\": {", "\"twice\": {",
        "\"qps\": ", "\"input_sizes\": [[3, 4], [4, 4]]", "\"output_sizes\": [[3, 4]]",
        "\"flops\": 96, \"gflop_per_s\": ", "\"bytes\": 160, \"gbyte_per_s\": ",
        "\"properties\": {\"operation\": \"matmul\", \"kernel\": \"matmul<\\\"4x4\\\">\""}) {
    harness::note(harness::contains(text.c_str(), part), part, __FILE__, __LINE__, text.c_str());
  }
  unlink(path.c_str());
}

TEST(profileRefusesBadArguments) {
  Blend blend;
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  AITemplateModelHandle handle = blend.container.handle;
  const std::string path = temporaryPath();
  CHECK_FAILS("filename is null",
              AITemplateModelContainerProfile(handle, inputs, 2, outputs, 2, nullptr, 3, nullptr));
  CHECK_FAILS("num_iters = 0", AITemplateModelContainerProfile(handle, inputs, 2, outputs, 2,
                                                               nullptr, 0, path.c_str()));
  CHECK_FAILS("unbound constants", AITemplateModelContainerProfile(handle, inputs, 2, outputs, 2,
                                                                   nullptr, 3, path.c_str()));
  blend.setConstants();
  CHECK_FAILS("cannot write '/nonexistent/profile.json': No such file",
              AITemplateModelContainerProfile(handle, inputs, 2, outputs, 2, nullptr, 3,
                                              "/nonexistent/profile.json"));
  CHECK_FAILS("found 1 inputs", AITemplateModelContainerProfile(handle, inputs, 1, outputs, 2,
                                                                nullptr, 3, path.c_str()));
  CHECK_OK(blend.run());  // the runtime was given back each time
  unlink(path.c_str());
}

// MARK: - Benchmark

TEST(benchmarkCounts) {
  Blend blend(2, 2);
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  int64_t totalShape[2] = {}, twiceShape[2] = {};
  int64_t* shapes[] = {totalShape, twiceShape};
  for (size_t threadCount : {0, 1, 2, 5}) {
    float milliseconds = -1;
    CHECK_OK(AITemplateModelContainerBenchmark(blend.container.handle, inputs, 2, outputs, 2,
                                               nullptr, false, 50, threadCount, true, &milliseconds,
                                               shapes));
    CHECK(milliseconds > 0 && milliseconds < 100);
    CHECK(blend.isRight() && totalShape[0] == 3);
  }
}

TEST(benchmarkRefusesBadArguments) {
  Blend blend;
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  AITemplateModelHandle handle = blend.container.handle;
  float milliseconds = -1;
  CHECK_FAILS("runtime_ms is null",
              AITemplateModelContainerBenchmark(handle, inputs, 2, outputs, 2, nullptr, false, 5, 1,
                                                false, nullptr, nullptr));
  CHECK_FAILS("count = 0",
              AITemplateModelContainerBenchmark(handle, inputs, 2, outputs, 2, nullptr, false, 0, 1,
                                                false, &milliseconds, nullptr));
  CHECK_FAILS("num_threads = 100000",
              AITemplateModelContainerBenchmark(handle, inputs, 2, outputs, 2, nullptr, false, 5,
                                                100000, false, &milliseconds, nullptr));
  outputs[1].ptr = nullptr;
  CHECK_FAILS("output 1 'twice'",
              AITemplateModelContainerBenchmark(handle, inputs, 2, outputs, 2, nullptr, false, 5, 3,
                                                false, &milliseconds, nullptr));
  CHECK(milliseconds == -1);
}

// MARK: - Self test

TEST(selfTest) {
  models::Use use(models::gather);
  Container container;
  double error = -1;
  CHECK_OK(AITemplateModelContainerSelfTest(container.handle, &error));
  CHECK(error == 0);
  // It runs with the constants as compiled.
  Tensor<float> table({10}, 5);
  CHECK_OK(container.set("table", table.data()));
  CHECK_OK(AITemplateModelContainerSelfTest(container.handle, nullptr));
}

TEST(selfTestFindsErrors) {
  static const float wrongOut[] = {81, 1, 4};
  static const void* const wrongOutputs[] = {wrongOut};
  ait::SelfTestDescription test = *models::gather.selfTest;
  test.outputs = wrongOutputs;
  ait::ModelDescription model = models::gather;
  model.selfTest = &test;
  models::Use use(model);
  Container container;
  double error = -1;
  CHECK_FAILS("output 'out': found a normalised error of",
              AITemplateModelContainerSelfTest(container.handle, &error));
  CHECK(error > 0.012 && error < 0.0124);
}

TEST(selfTestMayBeMissing) {
  Blend blend;
  CHECK_FAILS("no self test", AITemplateModelContainerSelfTest(blend.container.handle, nullptr));
  CHECK_FAILS("handle is null", AITemplateModelContainerSelfTest(nullptr, nullptr));
}
