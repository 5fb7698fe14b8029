// Containers, options, allocators and questions.
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "fixtures.h"

using namespace fixtures;

namespace {

class CountingAllocator : public AITemplateAllocator {
 public:
  void* Allocate(size_t nbytes) override {
    ++allocated;
    char* memory = static_cast<char*>(std::malloc(nbytes + 8));
    return memory + 8;  // not 64-byte aligned
  }
  void Free(void* ptr) override {
    ++freed;
    std::free(static_cast<char*>(ptr) - 8);
  }
  int allocated = 0;
  int freed = 0;
};

class FailingAllocator : public AITemplateAllocator {
 public:
  explicit FailingAllocator(bool throws) : throws_(throws) {}
  void* Allocate(size_t) override {
    if (throws_) throw std::runtime_error("no");
    return nullptr;
  }
  void Free(void*) override {}

 private:
  bool throws_;
};

}  // namespace

TEST(createAndDelete) {
  AITemplateModelHandle handle = nullptr;
  CHECK_OK(AITemplateModelContainerCreate(&handle, 2, nullptr));
  size_t count = 0;
  CHECK_OK(AITemplateModelContainerGetNumRuntimes(handle, &count));
  CHECK(count == 2);
  CHECK_OK(AITemplateModelContainerDelete(handle));
}

TEST(createRefusesBadArguments) {
  AITemplateModelHandle handle = nullptr;
  CHECK_FAILS("ret is null", AITemplateModelContainerCreate(nullptr, 1, nullptr));
  CHECK_FAILS("num_runtimes = 0", AITemplateModelContainerCreate(&handle, 0, nullptr));
  CHECK_FAILS("expected 1 to", AITemplateModelContainerCreate(&handle, SIZE_MAX, nullptr));
  CHECK(handle == nullptr);
  CHECK_FAILS("handle is null", AITemplateModelContainerDelete(nullptr));
}

TEST(errorsNameTheFunction) {
  size_t count;
  CHECK_FAILS("AITemplateModelContainerGetNumInputs: handle is null",
              AITemplateModelContainerGetNumInputs(nullptr, &count));
}

TEST(errorsBelongToTheirThread) {
  CHECK_FAILS("handle is null", AITemplateModelContainerDelete(nullptr));
  std::thread([] {
    CHECK(*AITemplateGetLastError() == '\0');
    CHECK_FAILS("ret is null", AITemplateModelContainerCreate(nullptr, 1, nullptr));
  }).join();
  CHECK(harness::contains(AITemplateGetLastError(), "handle is null"));
}

TEST(createOptions) {
  AITemplateModelHandle handle = nullptr;
  AITemplateCreateOptions options = {};
  CHECK_FAILS("struct_size = 0", AITemplateModelContainerCreateWithOptions(&handle, &options));
  options.struct_size = sizeof(options);
  options.num_runtimes = 3;
  options.num_threads = 5;
  CHECK_OK(AITemplateModelContainerCreateWithOptions(&handle, &options));
  size_t threadCount = 0;
  CHECK_OK(AITemplateModelContainerGetNumThreads(handle, &threadCount));
  CHECK(threadCount == 5);
  CHECK_OK(AITemplateModelContainerDelete(handle));

  options.num_threads = 100000;
  CHECK_FAILS("num_threads = 100000", AITemplateModelContainerCreateWithOptions(&handle, &options));

  // From a newer header: more fields, which must be zero.
  struct {
    AITemplateCreateOptions known;
    uint64_t unknown;
  } newer = {};
  newer.known.struct_size = sizeof(newer);
  CHECK_OK(AITemplateModelContainerCreateWithOptions(&handle, &newer.known));
  CHECK_OK(AITemplateModelContainerDelete(handle));
  newer.unknown = 1;
  CHECK_FAILS("does not know", AITemplateModelContainerCreateWithOptions(&handle, &newer.known));

  // From an older one: only the number of runtimes.
  newer.known.struct_size = 2 * sizeof(size_t);
  newer.known.num_threads = 77777;
  CHECK_OK(AITemplateModelContainerCreateWithOptions(&handle, &newer.known));
  CHECK_OK(AITemplateModelContainerDelete(handle));
  CHECK_OK(AITemplateModelContainerCreateWithOptions(&handle, nullptr));
  CHECK_OK(AITemplateModelContainerDelete(handle));
}

TEST(threadCountFromEnvironment) {
  AITemplateModelHandle handle = nullptr;
  size_t threadCount = 0;
  setenv("AIT_NUM_THREADS", "3", 1);
  CHECK_OK(AITemplateModelContainerCreate(&handle, 1, nullptr));
  CHECK_OK(AITemplateModelContainerGetNumThreads(handle, &threadCount));
  CHECK(threadCount == 3);
  CHECK_OK(AITemplateModelContainerDelete(handle));
  for (const char* text : {"0", "-1", "two", "3 ", "99999999999999999999"}) {
    setenv("AIT_NUM_THREADS", text, 1);
    CHECK_FAILS("AIT_NUM_THREADS", AITemplateModelContainerCreate(&handle, 1, nullptr));
  }
  setenv("AIT_NUM_THREADS", "", 1);
  CHECK_OK(AITemplateModelContainerCreate(&handle, 1, nullptr));
  CHECK_OK(AITemplateModelContainerDelete(handle));
  unsetenv("AIT_NUM_THREADS");
}

TEST(questionsAnswer) {
  Container container(2, 2);
  AITemplateModelHandle handle = container.handle;
  size_t count = 0;
  const char* text = nullptr;
  AITemplateParamShape shape;
  AITemplateDtype dtype = AITemplateDtype::kUnset;
  CHECK_OK(AITemplateModelContainerGetNumInputs(handle, &count));
  CHECK(count == 2);
  CHECK_OK(AITemplateModelContainerGetInputName(handle, 1, &text));
  CHECK(std::string(text) == "y");
  CHECK_OK(AITemplateModelContainerGetMaximumInputShape(handle, 0, &shape));
  CHECK(shape.size == 2 && shape.shape_data[0] == 8 && shape.shape_data[1] == 4);
  CHECK(shape.Numel() == 32);
  CHECK_OK(AITemplateModelContainerGetMinimumInputShape(handle, 0, &shape));
  CHECK(shape.size == 2 && shape.shape_data[0] == 1 && shape.shape_data[1] == 4);
  CHECK_OK(AITemplateModelContainerGetInputDtype(handle, 0, &dtype));
  CHECK(dtype == AITemplateDtype::kFloat && AITemplateDtypeSizeBytes(dtype) == 4);
  CHECK_OK(AITemplateModelContainerGetNumOutputs(handle, &count));
  CHECK(count == 2);
  CHECK_OK(AITemplateModelContainerGetOutputName(handle, 0, &text));
  CHECK(std::string(text) == "total");
  CHECK_OK(AITemplateModelContainerGetMaximumOutputShape(handle, 1, &shape));
  CHECK(shape.size == 2 && shape.shape_data[0] == 8);
  CHECK_OK(AITemplateModelContainerGetMinimumOutputShape(handle, 1, &shape));
  CHECK(shape.shape_data[0] == 1);
  CHECK_OK(AITemplateModelContainerGetOutputDtype(handle, 1, &dtype));
  CHECK(dtype == AITemplateDtype::kFloat);
  CHECK_OK(AITemplateModelContainerGetNumSteps(handle, &count));
  CHECK(count == 4);
  CHECK_OK(AITemplateModelContainerGetStepName(handle, 1, &text));
  CHECK(std::string(text) == "product");
  CHECK_OK(AITemplateModelContainerGetStepOperation(handle, 1, &text));
  CHECK(std::string(text) == "matmul");
  CHECK_OK(AITemplateModelContainerGetStepKernelName(handle, 1, &text));
  CHECK(std::string(text) == "matmul<\"4x4\">");
  CHECK_OK(AITemplateGetModelName(&text));
  CHECK(std::string(text) == "blend");
  CHECK_OK(AITemplateGetTarget(&text));
  CHECK(std::string(text) == "cpu:test");
  CHECK_OK(AITemplateGetCompiler(&text));
  CHECK(std::string(text) == "by hand");
  CHECK_OK(AITemplateGetManifest(&text));
  CHECK(text[0] == '{');
  CHECK_OK(AITemplateGetGraphText(&text));
  CHECK(std::string(text) == "graph fake {}");
}

TEST(questionsRefuseBadArguments) {
  Container container;
  AITemplateModelHandle handle = container.handle;
  size_t count = 0;
  const char* text = nullptr;
  AITemplateParamShape shape;
  AITemplateDtype dtype;
  CHECK_FAILS("is null", AITemplateModelContainerGetNumInputs(handle, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetNumOutputs(handle, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetNumRuntimes(handle, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetNumRuntimes(nullptr, &count));
  CHECK_FAILS("is null", AITemplateModelContainerGetNumThreads(handle, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetNumSteps(handle, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetInputName(handle, 0, nullptr));
  CHECK_FAILS("found input 2", AITemplateModelContainerGetInputName(handle, 2, &text));
  CHECK_FAILS("found input", AITemplateModelContainerGetInputName(handle, SIZE_MAX, &text));
  CHECK_FAILS("is null", AITemplateModelContainerGetMaximumInputShape(handle, 0, nullptr));
  CHECK_FAILS("found input 2", AITemplateModelContainerGetMaximumInputShape(handle, 2, &shape));
  CHECK_FAILS("found input 2", AITemplateModelContainerGetMinimumInputShape(handle, 2, &shape));
  CHECK_FAILS("is null", AITemplateModelContainerGetMinimumInputShape(handle, 0, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetInputDtype(handle, 0, nullptr));
  CHECK_FAILS("found input 2", AITemplateModelContainerGetInputDtype(handle, 2, &dtype));
  CHECK_FAILS("is null", AITemplateModelContainerGetOutputName(handle, 0, nullptr));
  CHECK_FAILS("found output 2", AITemplateModelContainerGetOutputName(handle, 2, &text));
  CHECK_FAILS("is null", AITemplateModelContainerGetMaximumOutputShape(handle, 0, nullptr));
  CHECK_FAILS("found output 2", AITemplateModelContainerGetMaximumOutputShape(handle, 2, &shape));
  CHECK_FAILS("found output 2", AITemplateModelContainerGetMinimumOutputShape(handle, 2, &shape));
  CHECK_FAILS("is null", AITemplateModelContainerGetOutputDtype(handle, 0, nullptr));
  CHECK_FAILS("found output 2", AITemplateModelContainerGetOutputDtype(handle, 2, &dtype));
  CHECK_FAILS("is null", AITemplateModelContainerGetStepName(handle, 0, nullptr));
  CHECK_FAILS("found step 4", AITemplateModelContainerGetStepName(handle, 4, &text));
  CHECK_FAILS("found step 4", AITemplateModelContainerGetStepOperation(handle, 4, &text));
  CHECK_FAILS("found step 4", AITemplateModelContainerGetStepKernelName(handle, 4, &text));
  CHECK_FAILS("is null", AITemplateGetModelName(nullptr));
  CHECK_FAILS("is null", AITemplateGetTarget(nullptr));
  CHECK_FAILS("is null", AITemplateGetCompiler(nullptr));
  CHECK_FAILS("is null", AITemplateGetManifest(nullptr));
  CHECK_FAILS("is null", AITemplateGetGraphText(nullptr));
}

TEST(handleOfAnotherModelIsRefused) {
  Container container;
  models::current = &models::tiny;
  size_t count;
  CHECK_FAILS("another library", AITemplateModelContainerGetNumInputs(container.handle, &count));
  models::current = &models::blend;
}

TEST(ownAllocatorHoldsAllMemory) {
  CountingAllocator allocator;
  {
    Blend blend(2, 2, 3, &allocator);
    CHECK(allocator.allocated == 2);
    blend.setConstants();
    CHECK_OK(blend.run());
    CHECK(blend.isRight());
    Tensor<float> p({4}, 7);
    blend.p = {7, 7, 7, 7};
    CHECK_OK(blend.container.setLater("p", p.data()));
    CHECK_OK(blend.container.foldLater());
    CHECK_OK(blend.container.swap());
    CHECK_OK(blend.run());
    CHECK(blend.isRight());
  }
  CHECK(allocator.allocated > 2);
  CHECK(allocator.allocated == allocator.freed);
}

TEST(failingAllocatorIsAnError) {
  AITemplateModelHandle handle = nullptr;
  for (bool throws : {false, true}) {
    FailingAllocator allocator(throws);
    CHECK_FAILS("allocator that was given returned no memory",
                AITemplateModelContainerCreate(&handle, 1, &allocator));
  }
}

TEST(trackingAllocator) {
  AITemplateAllocator* tracking = nullptr;
  AITemplateAllocator* plain = nullptr;
  size_t size = 0;
  CHECK_OK(AITemplateAllocatorCreate(&tracking, AITemplateAllocatorType::kTracking));
  CHECK_OK(AITemplateAllocatorCreate(&plain, AITemplateAllocatorType::kDefault));
  CHECK_OK(AITemplateTrackingAllocatorGetNumBytes(tracking, &size));
  CHECK(size == 0);
  {
    models::Use use(models::tiny);  // whose arena is empty
    Container container(1, 1, tracking);
    Container other(1, 1, plain);
  }
  CHECK_OK(AITemplateTrackingAllocatorGetNumBytes(tracking, &size));
  CHECK(size > 0);
  CHECK_FAILS("not a tracking one", AITemplateTrackingAllocatorGetNumBytes(plain, &size));
  CHECK_FAILS("is null", AITemplateTrackingAllocatorGetNumBytes(nullptr, &size));
  CHECK_FAILS("is null", AITemplateTrackingAllocatorGetNumBytes(tracking, nullptr));
  CHECK_FAILS("is null", AITemplateAllocatorCreate(nullptr, AITemplateAllocatorType::kDefault));
  CHECK_FAILS("allocator_type = 2",
              AITemplateAllocatorCreate(&plain, static_cast<AITemplateAllocatorType>(2)));
  CHECK_OK(AITemplateAllocatorDelete(tracking));
  CHECK_OK(AITemplateAllocatorDelete(plain));
  CHECK_FAILS("is null", AITemplateAllocatorDelete(nullptr));
}

TEST(memoryFigures) {
  Blend blend(2, 3);
  AITemplateMemoryFigures figures = {};
  CHECK_FAILS("struct_size = 0",
              AITemplateModelContainerGetMemoryFigures(blend.container.handle, &figures));
  CHECK_FAILS("is null", AITemplateModelContainerGetMemoryFigures(blend.container.handle, nullptr));
  figures.struct_size = sizeof(figures);
  CHECK_OK(AITemplateModelContainerGetMemoryFigures(blend.container.handle, &figures));
  CHECK(figures.arena_bound == 320);
  CHECK(figures.constants_in_image == 64 + 16 + 16);
  CHECK(figures.constants_unbound == 32);
  CHECK(figures.folded == 48);
  CHECK(figures.folded_in_image == 32);
  CHECK(figures.per_runtime > 320);
  CHECK(figures.scratch == 5 * (uint64_t{2} << 20));  // two workers, two runtimes, folding
  const uint64_t before = figures.allocated;
  blend.setConstants();
  CHECK_OK(blend.run());
  CHECK_OK(AITemplateModelContainerGetMemoryFigures(blend.container.handle, &figures));
  CHECK(figures.allocated == before + 16);
  figures = {};
  figures.struct_size = 2 * sizeof(uint64_t);
  CHECK_OK(AITemplateModelContainerGetMemoryFigures(blend.container.handle, &figures));
  CHECK(figures.arena_bound == 320 && figures.folded == 0);
}

TEST(deviceMemory) {
  void* memory = nullptr;
  CHECK_OK(AITemplateDeviceMalloc(&memory, 100));
  CHECK(memory && reinterpret_cast<uintptr_t>(memory) % 64 == 0);
  const char text[] = "abcdefgh";
  char back[sizeof(text)] = {};
  CHECK_OK(AITemplateMemcpy(memory, text, sizeof(text), AITemplateMemcpyKind::HostToDevice));
  CHECK_OK(AITemplateMemcpy(static_cast<char*>(memory) + 2, memory, 6,
                            AITemplateMemcpyKind::DeviceToDevice));
  CHECK_OK(AITemplateMemcpy(back, memory, sizeof(back), AITemplateMemcpyKind::DeviceToHost));
  CHECK(std::string(back) == "ababcdef");
  CHECK_OK(AITemplateDeviceFree(memory));
  CHECK_OK(AITemplateDeviceFree(nullptr));
  CHECK_OK(AITemplateDeviceMalloc(&memory, 0));
  CHECK(memory == nullptr);
  CHECK_FAILS("is null", AITemplateDeviceMalloc(nullptr, 1));
  CHECK_FAILS("bytes of memory", AITemplateDeviceMalloc(&memory, SIZE_MAX));
  CHECK_FAILS("dst is null",
              AITemplateMemcpy(nullptr, text, 1, AITemplateMemcpyKind::HostToDevice));
  CHECK_FAILS("src is null",
              AITemplateMemcpy(back, nullptr, 1, AITemplateMemcpyKind::HostToDevice));
  CHECK_FAILS("kind = 3", AITemplateMemcpy(back, text, 1, static_cast<AITemplateMemcpyKind>(3)));
  CHECK_OK(AITemplateMemcpy(nullptr, nullptr, 0, AITemplateMemcpyKind::HostToDevice));
}

TEST(elementSizes) {
  const size_t expected[] = {0, 2, 4, 4, 8, 1, 2, 8, 1, 1, 2};
  for (int dtype = 0; dtype <= 10; ++dtype) {
    CHECK(AITemplateDtypeSizeBytes(static_cast<AITemplateDtype>(dtype)) == expected[dtype]);
  }
  CHECK(AITemplateDtypeSizeBytes(static_cast<AITemplateDtype>(11)) == 0);
  CHECK(AITemplateDtypeSizeBytes(static_cast<AITemplateDtype>(-1)) == 0);
}
