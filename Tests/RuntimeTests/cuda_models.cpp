#include "cuda_models.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace models {

using ait::DeviceLaunch;
using ait::KernelContext;
using ait::ModelDescription;
using ait::StepDescription;

namespace {

// MARK: - Kernels that call the CPU's

constexpr int kSlotCount = 24;

/// A kernel of the CPU, as device kernel number `index` of every model.
struct Slot {
  std::string symbol;
  ait::KernelFunction function;
  int operandCount;
  int sizeCount;
};
std::vector<Slot> slots;

/// The one parameter of such a kernel.
struct Problem {
  void* buffers[8];
  int64_t sizes[4];
  void* workspace;
  ait::DeviceErrorRecord* record;
  int32_t step;
};

class OneThread final : public ait::ThreadPool {
 public:
  int32_t threadCount() const override { return 1; }
  void run(int64_t count, Task task, void* context) override {
    for (int64_t index = 0; index < count; ++index) task(context, index, 0);
  }
  void* scratch(int32_t) override { return nullptr; }
};

/// On the device.
template <int index>
void runSlot(const fake::Launch& launch) {
  const Slot& slot = slots[index];
  const Problem& problem = *static_cast<const Problem*>(launch.arguments[0]);
  for (int operand = 0; operand < slot.operandCount; ++operand) {
    const void* buffer = problem.buffers[operand];
    if (buffer && !launch.touches(launch, buffer, 4)) return;
  }
  if (problem.workspace && !launch.touches(launch, problem.workspace, 64)) return;
  OneThread pool;
  slot.function({problem.buffers, problem.sizes, problem.workspace, pool, nullptr});
}

/// On the host: what the compiler generates for a step.
template <int index>
void launchSlot(const KernelContext& context) {
  const Slot& slot = slots[index];
  Problem problem = {};
  std::memcpy(problem.buffers, context.buffers,
              sizeof(void*) * static_cast<size_t>(slot.operandCount));
  if (slot.sizeCount > 0) {
    std::memcpy(problem.sizes, context.sizes,
                sizeof(int64_t) * static_cast<size_t>(slot.sizeCount));
  }
  problem.workspace = context.workspace;
  problem.record = context.queue->errorRecord();
  problem.step = context.queue->step();
  void* const arguments[] = {&problem};
  DeviceLaunch launch = {index, {2, 1, 1}, 128, 256, 1, true, arguments};
  // An empty tensor has an empty grid.
  if (slot.sizeCount > 0 && context.sizes[0] == 0) launch.grid[0] = 0;
  context.queue->launch(launch);
}

using DeviceKernelFunction = void (*)(const fake::Launch&);

template <int... index>
constexpr auto launchersOf(std::integer_sequence<int, index...>) {
  struct Table {
    ait::KernelFunction launch[kSlotCount];
    DeviceKernelFunction run[kSlotCount];
  };
  return Table{{launchSlot<index>...}, {runSlot<index>...}};
}
const auto launchers = launchersOf(std::make_integer_sequence<int, kSlotCount>());

int slotOf(const StepDescription& step) {
  std::string symbol = "fake_";
  for (const char* next = step.kernelName; *next; ++next) {
    const bool isPlain = (*next >= 'a' && *next <= 'z') || (*next >= 'A' && *next <= 'Z');
    if (isPlain) symbol += *next;
  }
  symbol += std::to_string(step.operandCount);
  for (size_t index = 0; index < slots.size(); ++index) {
    if (slots[index].symbol == symbol && slots[index].function == step.kernel) {
      return static_cast<int>(index);
    }
  }
  symbol += "_" + std::to_string(slots.size());
  slots.push_back({symbol, step.kernel, step.operandCount, step.sizeCount});
  return static_cast<int>(slots.size()) - 1;
}

// MARK: - Gather, with its errors

void gatherOnDevice(const KernelContext& context) {
  const int64_t* indices = static_cast<const int64_t*>(context.buffers[0]);
  float* out = static_cast<float*>(context.buffers[2]);
  // The pool is of no use; its place in the problem is the record's.
  const Problem* problem = reinterpret_cast<const Problem*>(context.buffers);
  for (int64_t i = 0; i < context.sizes[0]; ++i) {
    int64_t index = indices[i];
    if (index < 0 || index >= context.sizes[1]) {
      ait::DeviceErrorRecord& record = *problem->record;
      int32_t none = 0;
      if (__atomic_compare_exchange_n(&record.isSet, &none, -1, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED)) {
        record.step = problem->step;
        record.index = index;
        record.extent = context.sizes[1];
        __atomic_store_n(&record.isSet, 1, __ATOMIC_RELEASE);
      }
      index = 0;
    }
    out[i] = static_cast<const float*>(context.buffers[1])[index];
  }
}

// MARK: - Tensor maps, clusters, shared memory, architectures

constexpr int kMapsKernel = kSlotCount;
constexpr int kPlainKernel = kSlotCount + 1;

void incrementByMaps(const fake::Launch& launch) {
  float* in = *static_cast<float* const*>(launch.arguments[0]);
  float* out = *static_cast<float* const*>(launch.arguments[1]);
  if (!launch.touches(launch, in, 4) || !launch.touches(launch, out, 4)) return;
  out[0] = in[0] + 1;
}

void launchMaps(const KernelContext& context) {
  struct alignas(64) Map {
    unsigned char bytes[128];
  } maps[2];
  for (int operand = 0; operand < 2; ++operand) {
    ait::TensorMapRequest request = {};
    request.address = context.buffers[operand];
    request.extents[0] = 1;
    request.box[0] = request.steps[0] = 1;
    request.rank = 1;
    request.elementType = 7;
    context.queue->encodeTensorMap(&maps[operand], request);
  }
  void* const arguments[] = {&maps[0], &maps[1]};
  const uint32_t blocks =
      static_cast<uint32_t>(context.queue->activeClusterCount(kMapsKernel)) * 16;
  context.queue->launch({kMapsKernel, {blocks, 1, 1}, 384, 200 * 1024, 16, true, arguments});
}

void launchPlain(const KernelContext& context) {
  void* const arguments[] = {const_cast<void**>(&context.buffers[0]),
                             const_cast<void**>(&context.buffers[1])};
  context.queue->launch({kPlainKernel, {1, 1, 1}, 32, 0, 0, false, arguments});
}

void launchByArchitecture(const KernelContext& context) {
  // Architecture 0 is sm_80.
  if (context.queue->architecture() == 0) return launchPlain(context);
  launchMaps(context);
}

// MARK: - Models

std::string images[3];
ait::DeviceImage imageTable[3];
ait::DeviceArchitecture architectures[2];
std::vector<ait::DeviceKernel> kernels;
std::vector<const ait::DeviceKernel*> kernelTable;
ait::DeviceCode code = {};

struct OnDevice {
  ModelDescription model;
  std::vector<StepDescription> steps, foldSteps;

  explicit OnDevice(const ModelDescription& host) : model(host) {
    const auto convert = [](const StepDescription* all, int32_t count) {
      std::vector<StepDescription> copies(all, all + count);
      for (StepDescription& step : copies) step.kernel = launchers.launch[slotOf(step)];
      return copies;
    };
    steps = convert(host.steps, host.stepCount);
    foldSteps = convert(host.foldSteps, host.foldStepCount);
    model.steps = steps.data();
    model.foldSteps = foldSteps.data();
    model.target = "cuda:sm_80+sm_90a";
    model.device = &code;
  }
};

ModelDescription gatherOfDevice() {
  static StepDescription step;
  ModelDescription model = models::gather;
  step = model.steps[0];
  step.kernel = gatherOnDevice;
  model.steps = &step;
  return model;
}

OnDevice& all(int index) {
  static OnDevice each[] = {OnDevice(models::blend),    OnDevice(models::versions),
                            OnDevice(models::shapes),   OnDevice(models::tiny),
                            OnDevice(gatherOfDevice()), OnDevice(models::tiny),
                            OnDevice(models::windows)};
  static const bool isDone = [] {
    each[5].steps[0].kernel = launchByArchitecture;
    std::string list;
    for (const Slot& slot : slots) {
      list += " " + slot.symbol;
      kernels.push_back({slot.symbol.c_str(), -1, 128, 1024, 1});
    }
    while (kernels.size() < kSlotCount) kernels.push_back(kernels[0]);
    kernels.push_back({"fake_maps", 1, 384, 200 * 1024, 16});
    kernels.push_back({"fake_plain", 0, 32, 0, 1});
    images[0] = "FAKE 8 0 0 fake_plain" + list;
    images[1] = "FAKE 9 0 1" + list;
    images[2] = "FAKE 9 0 1 fake_maps";
    for (int image = 0; image < 3; ++image) {
      imageTable[image] = {images[image].c_str(), static_cast<int64_t>(images[image].size()),
                           image == 2 ? "fake_maps" : nullptr};
    }
    architectures[0] = {"sm_80", 8, 0, false, 1, &imageTable[0]};
    architectures[1] = {"sm_90a", 9, 0, true, 2, &imageTable[1]};
    for (const ait::DeviceKernel& kernel : kernels) kernelTable.push_back(&kernel);
    code = {&ait::cudaBackend, 12080, 16, 2, architectures, static_cast<int32_t>(kernels.size()),
            kernelTable.data()};
    return true;
  }();
  (void)isDone;
  return each[index];
}

}  // namespace

const ModelDescription& cudaBlend = all(0).model;
const ModelDescription& cudaVersions = all(1).model;
const ModelDescription& cudaShapes = all(2).model;
const ModelDescription& cudaTiny = all(3).model;
const ModelDescription& cudaGather = all(4).model;
const ModelDescription& cudaMaps = all(5).model;
const ModelDescription& cudaWindows = all(6).model;

void addKernels(const fake::Control& driver) {
  const size_t problem[] = {sizeof(Problem)};
  for (size_t index = 0; index < slots.size(); ++index) {
    driver.addKernel(slots[index].symbol.c_str(), launchers.run[index], problem, 1);
  }
  const size_t maps[] = {128, 128};
  const size_t pointers[] = {8, 8};
  driver.addKernel("fake_maps", incrementByMaps, maps, 2);
  driver.addKernel("fake_plain", incrementByMaps, pointers, 2);
}

}  // namespace models
