#include "cuda_graphs.h"

#include <cstring>

#include "cuda_queue.h"
#include "error.h"
#include "runtime.h"

namespace ait {
namespace {

uint64_t hashOf(const uint64_t* words, size_t count) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, by words
  for (size_t index = 0; index < count; ++index) hash = (hash ^ words[index]) * 0x100000001b3;
  return hash;
}

bool isEqual(const uint64_t* left, const uint64_t* right, size_t count) {
  return count == 0 || std::memcmp(left, right, count * sizeof(uint64_t)) == 0;
}

}  // namespace

bool CudaGraphs::prepare(CudaQueue& queue, const DeviceRun& run) {
  if (entries_.count() > 0) return true;
  // Sizes first: executables of the same sizes can be updated.
  keyLength_ = run.symbolCount + run.arguments->inputCount + run.arguments->outputCount + 1;
  if (!stream_ && !queue.device_.makeStream(stream_)) return false;
  if (!keys_.allocate((kCapacity + 1) * keyLength_) || !replaced_.allocate(kMemory) ||
      !entries_.allocate(kCapacity)) {
    return failForMemory((kCapacity + 1) * keyLength_ * sizeof(uint64_t), "the table of graphs");
  }
  return true;
}

void CudaGraphs::clear(const CudaDriver& driver) {
  for (Entry& entry : entries_) {
    if (entry.executable) driver.graphExecutableDestroy(entry.executable);
    entry = Entry();
  }
  if (stream_) driver.streamDestroy(stream_);
  stream_ = nullptr;
}

bool CudaGraphs::run(CudaQueue& queue, const DeviceRun& run) {
  if (!prepare(queue, run)) return false;
  writeKey(run);
  size_t chosen = 0;
  while (chosen < kCapacity &&
         !(entries_[chosen].executable && isEqual(key(chosen), keys_.data(), keyLength_))) {
    ++chosen;
  }
  if (chosen == kCapacity) {
    CudaHandle graph = nullptr;
    if (!capture(queue, run, graph)) return false;
    const bool isPlaced = place(queue, run, graph, chosen);
    queue.driver_.graphDestroy(graph);
    if (!isPlaced) return false;
  }
  Entry& entry = entries_[chosen];
  entry.lastUse = ++useCount_;
  return queue.driver_.check(queue.driver_.graphLaunch(entry.executable, run.stream),
                             "launch the graph of the run");
}

void CudaGraphs::writeKey(const DeviceRun& run) {
  uint64_t* word = keys_.data();
  for (size_t index = 0; index < run.symbolCount; ++index) {
    *word++ = static_cast<uint64_t>(run.symbols[index]);
  }
  const RunArguments& arguments = *run.arguments;
  for (size_t index = 0; index < arguments.inputCount; ++index) {
    *word++ = reinterpret_cast<uint64_t>(arguments.inputs[index].ptr);
  }
  for (size_t index = 0; index < arguments.outputCount; ++index) {
    *word++ = reinterpret_cast<uint64_t>(arguments.outputs[index].ptr);
  }
  *word = static_cast<uint64_t>(run.constantsVersion);
}

void CudaGraphs::takeKey(size_t entry) {
  std::memcpy(keys_.data() + (entry + 1) * keyLength_, keys_.data(), keyLength_ * sizeof(uint64_t));
}

bool CudaGraphs::wasReplaced() const {
  const uint64_t hash = hashOf(keys_.data(), keyLength_);
  for (const uint64_t other : replaced_) {
    if (other == hash) return true;
  }
  return false;
}

bool CudaGraphs::capture(CudaQueue& queue, const DeviceRun& run, CudaHandle& graph) {
  const CudaDriver& driver = queue.driver_;
  const int32_t begun = driver.streamBeginCapture(stream_, kCudaCaptureThreadLocal);
  if (!driver.check(begun, "begin to capture the run")) return false;
  const bool isEnqueued = queue.enqueue(run, stream_);
  const int32_t ended = driver.streamEndCapture(stream_, &graph);
  if (isEnqueued && ended == kCudaSuccess) return true;
  if (ended == kCudaSuccess && graph) driver.graphDestroy(graph);
  graph = nullptr;
  return isEnqueued && driver.check(ended, "capture the run as a graph");
}

/// Makes an executable of the graph, out of one for the same sizes where that will do.
bool CudaGraphs::place(CudaQueue& queue, const DeviceRun& run, CudaHandle graph, size_t& chosen) {
  const CudaDriver& driver = queue.driver_;
  size_t oldest = 0;
  size_t similar = kCapacity;
  for (size_t index = 0; index < kCapacity; ++index) {
    const Entry& entry = entries_[index];
    if (entry.lastUse < entries_[oldest].lastUse) oldest = index;
    if (!entry.executable || !isEqual(key(index), keys_.data(), run.symbolCount)) continue;
    if (similar == kCapacity || entry.lastUse < entries_[similar].lastUse) similar = index;
  }
  const bool updates = similar < kCapacity && !wasReplaced();
  chosen = updates ? similar : oldest;
  Entry& entry = entries_[chosen];
  if (entry.executable) {
    replaced_[replacedCount_++ % kMemory] = hashOf(key(chosen), keyLength_);
  }
  if (updates) {
    // Launches under way keep what they were launched with.
    CudaGraphUpdateResult result = {};
    if (driver.graphUpdate(entry.executable, graph, &result) == kCudaSuccess) {
      takeKey(chosen);
      return true;
    }
  }
  if (entry.executable) {
    queue.wait();
    driver.graphExecutableDestroy(entry.executable);
    entry = Entry();
  }
  const int32_t status = driver.graphInstantiate(&entry.executable, graph, 0);
  if (status != kCudaSuccess) entry.executable = nullptr;
  takeKey(chosen);
  return driver.check(status, "make a graph of the run executable");
}

}  // namespace ait
