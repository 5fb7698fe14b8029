// A CUDA driver on the host: devices, memory, streams, events and graphs. What a module is, and
// what a kernel does, is another file's: one for the tests of the runtime, one for emulated
// devices. Streams are threads, so work is really asynchronous; memory is poisoned and guarded.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace hostdriver {

using Status = int;
using Clock = std::chrono::steady_clock;

enum : Status {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinary = 209,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchFailed = 719,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
  kCaptureIsolation = 905,
  kCapturedEvent = 907,
  kUpdateFailure = 910,
};

/// What a kernel sees when it runs, on the thread of its stream.
struct Launch {
  void** arguments;
  uint32_t grid[3];
  uint32_t blockSize;
  int device;

  /// Whether the bytes are memory of the device; if not, the device is lost (illegal address).
  bool (*touches)(const Launch& launch, const void* memory, size_t sizeInBytes);

  uint32_t sharedSizeInBytes;
  uint32_t clusterSize;
  bool overlapsPrevious;
};

/// What was last launched under a name.
struct Launched {
  uint32_t grid[3];
  uint32_t blockSize;
  uint32_t sharedSizeInBytes;
  uint32_t clusterSize;
  bool overlapsPrevious;
  int sharedMemoryShare;  // percent that the kernel prefers; -1: no matter
};

struct Context {
  int device = 0;
  int references = 0;
  std::atomic<Status> lost{kSuccess};
};

struct Allocation {
  size_t size;
  int device;  // -1: host
  void* base;
};

struct Function {
  std::string symbol;
  /// Runs a launch; what it returns unless it succeeds, the device is lost by.
  std::function<Status(const Launch&)> run;
  std::vector<size_t> sizes;  // of the arguments
  Context* context = nullptr;
  int sharedLimit = 48 * 1024;
  int sharedMemoryShare = -1;
  bool allowsLargeClusters = false;
};

/// What keeps a module's code in memory.
struct Code {
  virtual ~Code() = default;
};

struct Module {
  Context* context;
  std::vector<std::unique_ptr<Function>> functions;
  std::unique_ptr<Code> code;
};

/// One piece of a stream's work, or a node of a graph.
struct Work {
  enum Kind { kernel, copy, fill, record, await };
  Kind kind;
  Function* function = nullptr;
  std::function<void()> action;
};

struct EventState {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t recorded = 0;
  uint64_t completed = 0;
  Clock::time_point time;
};
struct Event {
  std::shared_ptr<EventState> state = std::make_shared<EventState>();
  bool hasTime = true;
  bool isCaptured = false;
};

struct Graph {
  std::vector<Work> nodes;
};
struct Executable {
  std::shared_ptr<const std::vector<Work>> nodes;
};

class Stream {
 public:
  explicit Stream(Context* owner) : context(owner), thread_([this] { work(); }) {}
  ~Stream();

  void put(Work work);
  void drain();

  Context* const context;
  // Of the capturing thread.
  std::unique_ptr<Graph> capture;
  bool isInvalidated = false;
  int captureMode = 0;
  std::thread::id capturer;
  bool lastIsKernel = false;  // what was put last
  std::thread::id lastPutter;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  size_t unfinished_ = 0;
  bool isEnding_ = false;
  std::thread thread_;
};

struct State {
  std::recursive_mutex mutex;
  const char* deviceName = "Device";
  int driverVersion = 13000;
  /// Whether a device that was lost is whole again when nobody uses it any more.
  bool isForgiving = false;
  int deviceCount = 1;
  size_t memory[2] = {size_t{1} << 34, size_t{1} << 34};
  std::atomic<int> delay{0};
  std::atomic<int> runningKernelsUntilFailure{-1};
  Context contexts[2];
  Context secondary;  // on device 0
  std::map<uintptr_t, Allocation> allocations;
  std::set<Stream*> streams;
  std::unique_ptr<Stream> defaultStreams[2];
  std::set<Event*> events;
  std::set<Graph*> graphs;
  std::set<Executable*> executables;
  std::set<Module*> modules;
  std::map<std::string, size_t> calls;
  std::map<std::string, std::pair<int, Status>> failures;
  std::map<std::string, size_t> launches;
  std::map<std::string, Launched> lastLaunches;
  std::string misuse;
  int process = 0;
};

State& state();
Context* currentContext();
std::vector<Context*>& contextStack();
int& captureModeOfThread();

/// Counts the call, and gives the failure that was asked for, or that of the child of a fork.
Status enter(const char* function);
void noteMisuse(const std::string& text);
bool touches(const Launch& launch, const void* memory, size_t sizeInBytes);
/// Whether the bytes are the device's (-1: the host's pinned ones).
bool isMemoryOf(int device, const void* memory, size_t sizeInBytes);
/// The bytes that a device has handed out.
size_t allocatedInBytes(int device);
/// A capture that forbids what the calling thread is about to do is spoilt.
bool isForbiddenByCapture();

/// An attribute of a device that depends on what it is a model of, such as its compute capability;
/// defined beside the modules.
bool modelAttribute(int device, int attribute, int* value);

}  // namespace hostdriver

#define DRIVER_ENTER()                                                    \
  std::unique_lock<std::recursive_mutex> lock(hostdriver::state().mutex); \
  if (const hostdriver::Status early = hostdriver::enter(__func__)) return early
