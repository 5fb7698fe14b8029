// The work of runs as CUDA graphs, kept by what it depends on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "cuda_driver.h"

namespace ait {

class CudaQueue;
struct DeviceRun;

/// A run that is equal to an earlier one, in sizes, addresses and constants, is one launch. One
/// that differs in addresses or constants is captured anew and updates the executable that was used
/// longest ago among those of its sizes; addresses that come back after such an update get an
/// executable of their own. Other sizes get one, too, in place of the one used longest ago.
class CudaGraphs {
 public:
  CudaGraphs() = default;
  CudaGraphs(const CudaGraphs&) = delete;
  CudaGraphs& operator=(const CudaGraphs&) = delete;

  bool run(CudaQueue& queue, const DeviceRun& run);

  /// Frees the executables; the work that they were launched for is done.
  void clear(const CudaDriver& driver);

 private:
  static constexpr size_t kCapacity = 16;
  static constexpr size_t kMemory = 64;  // of keys that an executable was taken from

  struct Entry {
    CudaHandle executable;
    uint64_t lastUse;
  };

  bool prepare(CudaQueue& queue, const DeviceRun& run);
  void writeKey(const DeviceRun& run);
  const uint64_t* key(size_t entry) const { return keys_.data() + (entry + 1) * keyLength_; }
  void takeKey(size_t entry);
  bool wasReplaced() const;
  bool capture(CudaQueue& queue, const DeviceRun& run, CudaHandle& graph);
  bool place(CudaQueue& queue, const DeviceRun& run, CudaHandle graph, size_t& chosen);

  CudaHandle stream_ = nullptr;  // for capturing: the caller's may be the default one
  Array<Entry> entries_;
  Array<uint64_t> keys_;  // the present run's, then by entry
  size_t keyLength_ = 0;
  Array<uint64_t> replaced_;  // hashes, in turn
  size_t replacedCount_ = 0;
  uint64_t useCount_ = 0;
};

}  // namespace ait
