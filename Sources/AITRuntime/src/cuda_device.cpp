#include "cuda_device.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda_queue.h"
#include "error.h"
#include "objects.h"

namespace ait {
namespace {

CudaAddress address(const void* memory) { return reinterpret_cast<CudaAddress>(memory); }

}  // namespace

// MARK: - Life

CudaDevice* CudaDevice::make(const ModelDescription& model, const char* name) {
  const CudaDriver* driver = CudaDriver::load();
  if (!driver) return nullptr;
  CudaDevice* device = makeObject<CudaDevice>(*driver, model);
  if (!device) {
    failForMemory(sizeof(CudaDevice), "the device");
    return nullptr;
  }
  if (device->prepare(name)) return device;
  device->destroy();
  return nullptr;
}

bool CudaDevice::prepare(const char* name) {
  const char* wish = std::getenv("AIT_CUDA_SYNC");
  waitsForSteps_ = wish && *wish && std::strcmp(wish, "0") != 0;
  if (!checkEmulation() || !checkDriverVersion() || !choose(driver_, name, number_)) return false;
  char text[128] = "";
  driver_.deviceGetName(text, sizeof(text) - 1, number_);
  std::snprintf(label_, sizeof(label_), "cuda:%d '%s'", number_, text);
  major_ = attribute(kCudaComputeCapabilityMajor);
  minor_ = attribute(kCudaComputeCapabilityMinor);
  multiprocessorCount_ = attribute(kCudaMultiprocessorCount);
  level2CacheSizeInBytes_ = static_cast<size_t>(attribute(kCudaLevel2CacheSize));
  if (!chooseArchitecture()) return false;
  if (!driver_.check(driver_.primaryContextRetain(&context_, number_), "use the device")) {
    context_ = nullptr;
    return false;
  }
  CudaScope scope(*this);
  return loadImages();
}

void CudaDevice::destroy() { destroyObject(this); }

CudaDevice::~CudaDevice() {
  // In the child of a fork nothing of the driver's is left to give back.
  if (!context_ || isForked_) return;
  {
    CudaScope scope(*this);
    for (CudaHandle module : modules_) {
      if (module) driver_.moduleUnload(module);
    }
  }
  driver_.primaryContextRelease(number_);
}

int32_t CudaDevice::attribute(int32_t identity) const {
  int32_t value = 0;
  driver_.deviceGetAttribute(&value, identity, number_);
  return value;
}

bool CudaDevice::checkDriverVersion() const {
  const int32_t expected = model_.device->driverVersion;
  const int32_t found = driver_.version();
  if (found >= expected) return true;
  return fail(
      "found a driver for CUDA %d.%d, expected one for CUDA %d.%d or later, which the model's "
      "kernels were compiled with: update the NVIDIA driver, or compile the model with a toolkit "
      "of version %d.%d",
      found / 1000, found % 1000 / 10, expected / 1000, expected % 1000 / 10, found / 1000,
      found % 1000 / 10);
}

bool CudaDevice::checkEmulation() const {
  if (model_.device->isEmulated == driver_.isEmulating) return true;
  return driver_.isEmulating
             ? fail(
                   "found the driver that emulates devices, but the library holds machine code for "
                   "GPUs: load it in a process of its own, or compile the model with --emulate")
             : fail(
                   "found a CUDA driver, but the library is for an emulated device: its kernels "
                   "run "
                   "on the processor, for tests; compile the model for cuda without --emulate");
}

bool CudaDevice::choose(const CudaDriver& driver, const char* name, CudaDeviceNumber& number) {
  int32_t count = 0;
  if (!driver.check(driver.deviceGetCount(&count), "count the CUDA devices")) return false;
  const char* origin = "the option 'device'";
  if (!name || !*name) {
    name = std::getenv("AIT_CUDA_DEVICE");
    origin = "AIT_CUDA_DEVICE of the environment";
  }
  if (name && *name) {
    const char* digits = std::strncmp(name, "cuda:", 5) == 0 ? name + 5 : name;
    char* end = nullptr;
    const long value = std::strtol(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end != '\0' || value >= count) {
      return fail(
          "found '%s' in %s, expected the number of a CUDA device, such as 0 or cuda:0; this "
          "machine has %d",
          name, origin, count);
    }
    return driver.check(driver.deviceGet(&number, static_cast<int32_t>(value)), "find the device");
  }
  CudaHandle current = nullptr;
  if (driver.contextGetCurrent(&current) == kCudaSuccess && current &&
      driver.contextGetDevice(&number) == kCudaSuccess) {
    return true;
  }
  return driver.check(driver.deviceGet(&number, 0), "find the first CUDA device");
}

// MARK: - Code

bool CudaDevice::chooseArchitecture() {
  const DeviceCode& code = *model_.device;
  Message names;
  for (int32_t index = 0; index < code.architectureCount; ++index) {
    const DeviceArchitecture& candidate = code.architectures[index];
    names.add(index == 0 ? "%s" : ", %s", candidate.name);
    if (candidate.major != major_) continue;
    if (candidate.isSpecific ? candidate.minor != minor_ : candidate.minor > minor_) continue;
    const DeviceArchitecture* best =
        architecture_ < 0 ? nullptr : &code.architectures[architecture_];
    // The closest one; of two for the same device the specific one.
    if (best &&
        (candidate.minor < best->minor || (candidate.minor == best->minor && best->isSpecific))) {
      continue;
    }
    architecture_ = index;
  }
  if (architecture_ >= 0) return true;
  Message message;
  message.add(
      "found the device %s of compute capability %d.%d, but the library holds kernels for %s "
      "only: compile the model for cuda:sm_%d%d%s, or choose another device",
      label_, major_, minor_, names.length() > 0 ? names.text() : "no architecture", major_, minor_,
      major_ == 9 ? "a" : "");
  return fail(message);
}

bool CudaDevice::loadImages() {
  const DeviceCode& code = *model_.device;
  const DeviceArchitecture& chosen = code.architectures[architecture_];
  const size_t kernelCount = static_cast<size_t>(code.kernelCount);
  if (!modules_.allocate(static_cast<size_t>(chosen.imageCount)) ||
      !functions_.allocate(kernelCount) || !activeClusterCounts_.allocate(kernelCount)) {
    return failForMemory(kernelCount * sizeof(CudaHandle), "the table of kernels");
  }
  for (size_t index = 0; index < modules_.count(); ++index) {
    const int32_t status = driver_.moduleLoadData(&modules_[index], chosen.images[index].data);
    if (status == kCudaSuccess) continue;
    modules_[index] = nullptr;
    Message act;
    act.add("load the kernels for %s (%lld bytes) onto %s", chosen.name,
            static_cast<long long>(chosen.images[index].sizeInBytes), label_);
    return driver_.check(status, act.text());
  }
  for (int32_t index = 0; index < code.kernelCount; ++index) {
    if (!findKernel(index)) return false;
  }
  return true;
}

bool CudaDevice::findKernel(int32_t index) {
  const DeviceKernel& kernel = this->kernel(index);
  CudaHandle& function = functions_[static_cast<size_t>(index)];
  if (kernel.architecture >= 0 && kernel.architecture != architecture_) return true;
  const DeviceImage* images = model_.device->architectures[architecture_].images;
  for (size_t module = 0; module < modules_.count() && !function; ++module) {
    const char* only = images[module].symbol;
    if (only && std::strcmp(only, kernel.symbol) != 0) continue;
    const int32_t status = driver_.moduleGetFunction(&function, modules_[module], kernel.symbol);
    if (status == kCudaSuccess) break;
    function = nullptr;
    if (status != kCudaNotFound) return driver_.check(status, "look up a kernel");
  }
  if (!function) {
    return fail(
        "found no kernel '%s' in the library's images for %s: the library is inconsistent; report "
        "it as a defect of the compiler",
        kernel.symbol, model_.device->architectures[architecture_].name);
  }
  Message act;
  act.add("prepare the kernel '%s' (%d threads, %d bytes of shared memory, clusters of %d)",
          kernel.symbol, kernel.blockSize, kernel.sharedSizeInBytes, kernel.clusterSize);
  int32_t status = driver_.functionSetAttribute(function, kCudaMaximumDynamicSharedSize,
                                                kernel.sharedSizeInBytes);
  // Blocks of the next kernel are to fit beside this one's where both have the room, which a
  // multiprocessor decides with its first; a kernel with little shared memory wants a cache.
  constexpr int32_t kMuch = 48 * 1024;
  if (status == kCudaSuccess && kernel.sharedSizeInBytes > kMuch) {
    status = driver_.functionSetAttribute(function, kCudaSharedMemoryShare, 100);
  }
  // Larger clusters than every device of the architecture has need to be asked for.
  if (status == kCudaSuccess && kernel.clusterSize > 8) {
    status = driver_.functionSetAttribute(function, kCudaNonPortableClusterSize, 1);
  }
  int32_t count = 0;
  if (status == kCudaSuccess && kernel.clusterSize > 1) {
    CudaLaunchAttribute attribute = {};
    attribute.identity = kCudaClusterDimension;
    attribute.values[0] = static_cast<uint32_t>(kernel.clusterSize);
    attribute.values[1] = attribute.values[2] = 1;
    const CudaLaunchConfig config = {{attribute.values[0], 1, 1},
                                     {static_cast<uint32_t>(kernel.blockSize), 1, 1},
                                     static_cast<uint32_t>(kernel.sharedSizeInBytes),
                                     nullptr,
                                     &attribute,
                                     1};
    status = driver_.activeClusters(&count, function, &config);
  } else if (status == kCudaSuccess && kernel.blockSize > 0) {
    status = driver_.activeBlocks(&count, function, kernel.blockSize,
                                  static_cast<size_t>(kernel.sharedSizeInBytes));
    count *= multiprocessorCount_;
  }
  activeClusterCounts_[static_cast<size_t>(index)] = count > 0 ? count : 1;
  return driver_.check(status, act.text());
}

// MARK: - Memory

bool CudaDevice::isUsable() const {
  if (!isForked_) return true;
  return fail(
      "this process was forked after the container was made, and CUDA works in the parent only: "
      "start a process anew (spawn) and create the container there");
}

void* CudaDevice::allocate(size_t sizeInBytes, const char* purpose) {
  if (!isUsable()) return nullptr;
  CudaScope scope(*this);
  CudaRelaxedCapture relaxed(driver_);
  CudaAddress memory = 0;
  const int32_t status = driver_.memoryAllocate(&memory, sizeInBytes);
  if (status == kCudaSuccess) return reinterpret_cast<void*>(memory);
  if (status == kCudaOutOfMemory) {
    size_t available = 0;
    size_t total = 0;
    driver_.memoryGetInfo(&available, &total);
    fail(
        "found no %zu bytes of memory on %s for %s (%zu of %zu bytes are free): free some, or use "
        "fewer runtimes",
        sizeInBytes, label_, purpose, available, total);
    return nullptr;
  }
  Message act;
  driver_.check(status, act.add("allocate %zu bytes for %s", sizeInBytes, purpose).text());
  return nullptr;
}

void CudaDevice::free(void* memory) {
  if (!memory || isForked_) return;
  CudaScope scope(*this);
  CudaRelaxedCapture relaxed(driver_);
  driver_.memoryFree(address(memory));
}

bool CudaDevice::copy(void* target, const void* source, size_t sizeInBytes,
                      AITemplateMemcpyKind kind, Stream stream) {
  if (sizeInBytes == 0) return true;
  CudaScope scope(*this);
  CudaRelaxedCapture relaxed(driver_);
  int32_t status = kCudaSuccess;
  switch (kind) {
    case AITemplateMemcpyKind::HostToDevice:
      status = driver_.copyToDevice(address(target), source, sizeInBytes, stream);
      break;
    case AITemplateMemcpyKind::DeviceToHost:
      status = driver_.copyToHost(target, address(source), sizeInBytes, stream);
      break;
    case AITemplateMemcpyKind::DeviceToDevice:
      status = driver_.copyOnDevice(address(target), address(source), sizeInBytes, stream);
      break;
  }
  if (status == kCudaSuccess && kind != AITemplateMemcpyKind::DeviceToDevice) {
    status = driver_.streamSynchronize(stream);
  }
  return driver_.check(status, "copy memory");
}

bool CudaDevice::synchronize(Stream stream) {
  CudaScope scope(*this);
  CudaRelaxedCapture relaxed(driver_);
  return driver_.check(driver_.streamSynchronize(stream), "wait for the stream");
}

bool CudaDevice::isEqual(const void* left, const void* right, size_t sizeInBytes, bool& isDone) {
  constexpr size_t kPieceInBytes = size_t{4} << 20;
  const size_t room = sizeInBytes < kPieceInBytes ? sizeInBytes : kPieceInBytes;
  Array<uint8_t> pieces;
  isDone = pieces.allocate(2 * room) || failForMemory(2 * room, "a comparison");
  bool equal = true;
  for (size_t begin = 0; isDone && equal && begin < sizeInBytes; begin += room) {
    const size_t size = sizeInBytes - begin < room ? sizeInBytes - begin : room;
    const uint8_t* leftPiece = static_cast<const uint8_t*>(left) + begin;
    const uint8_t* rightPiece = static_cast<const uint8_t*>(right) + begin;
    uint8_t* other = pieces.data() + room;
    isDone = copy(pieces.data(), leftPiece, size, AITemplateMemcpyKind::DeviceToHost, nullptr) &&
             copy(other, rightPiece, size, AITemplateMemcpyKind::DeviceToHost, nullptr);
    equal = isDone && std::memcmp(pieces.data(), other, size) == 0;
  }
  return equal;
}

bool CudaDevice::checkPointer(const char* kind, int32_t index, const char* name,
                              const void* pointer) {
  int32_t type = 0;
  int32_t isManaged = 0;
  int32_t owner = -1;
  int32_t identities[] = {kCudaPointerMemoryType, kCudaPointerIsManaged, kCudaPointerDevice};
  void* values[] = {&type, &isManaged, &owner};
  const int32_t status = driver_.pointerGetAttributes(3, identities, values, address(pointer));
  char number[16] = "";
  if (index >= 0) std::snprintf(number, sizeof(number), " %d", index);
  // The driver knows nothing of memory that it did not hand out.
  if (status != kCudaSuccess || type == 0 || (type == kCudaMemoryTypeHost && !isManaged)) {
    return fail(
        "%s%s '%s': found the pointer %p into host memory, expected memory of the device %s: copy "
        "the tensor there (AITemplateDeviceMalloc, AITemplateMemcpy)",
        kind, number, name, pointer, label_);
  }
  if (owner != number_ && !isManaged) {
    return fail(
        "%s%s '%s': found the pointer %p into memory of cuda:%d, expected memory of the device "
        "%s: copy the tensor, or create the container for that device",
        kind, number, name, pointer, owner, label_);
  }
  const int32_t alignment = model_.device->alignmentInBytes;
  if (alignment <= 1 || address(pointer) % static_cast<CudaAddress>(alignment) == 0) return true;
  return fail(
      "%s%s '%s': found the pointer %p, expected a multiple of %d, as the model's kernels read so "
      "many bytes at once: copy the tensor to memory of its own",
      kind, number, name, pointer, alignment);
}

// MARK: - Streams and queues

bool CudaDevice::makeStream(Stream& stream) {
  CudaScope scope(*this);
  CudaRelaxedCapture relaxed(driver_);
  return driver_.check(driver_.streamCreate(&stream, kCudaStreamNonBlocking), "make a stream");
}

void CudaDevice::destroyStream(Stream stream) {
  if (!stream || isForked_) return;
  CudaScope scope(*this);
  driver_.streamDestroy(stream);
}

bool CudaDevice::checkStream(Stream stream) const {
  if (!stream) return true;
  CudaHandle context = nullptr;
  const int32_t status = driver_.streamGetContext(stream, &context);
  if (status == kCudaSuccess && context == context_) return true;
  if (status != kCudaSuccess) return driver_.check(status, "look at the stream that was given");
  return fail(
      "the stream that was given belongs to another device or context than the container's, which "
      "is the primary one of %s: pass a stream of that device, or create a container for the "
      "other",
      label_);
}

bool CudaDevice::isCapturing(Stream stream) const {
  int32_t mode = 0;
  return stream && driver_.streamIsCapturing(stream, &mode) == kCudaSuccess && mode != 0;
}

RunQueue* CudaDevice::makeQueue() {
  CudaQueue* queue = CudaQueue::make(*this);
  if (!queue) return nullptr;
  queue->next = firstQueue_;
  firstQueue_ = queue;
  return queue;
}

void CudaDevice::waitForRuns() {
  for (CudaQueue* queue = firstQueue_; queue; queue = queue->next) queue->wait();
}

}  // namespace ait
