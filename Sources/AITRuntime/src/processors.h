// The processors that threads run on.
#pragma once

#include <cstdint>

namespace ait {

/// The number of processors this process may use.
int32_t availableProcessorCount();

/// The processor that the calling thread runs on, -1 where the system does not tell.
int32_t currentProcessor();

/// A set of processors' numbers; those beyond `kLimit` are left out.
class ProcessorSet {
 public:
  static constexpr int32_t kLimit = 1024;

  void insert(int32_t processor) {
    if (processor < 0 || processor >= kLimit) return;
    words_[processor / 64] |= uint64_t{1} << (processor % 64);
  }

  bool contains(int32_t processor) const {
    return (words_[processor / 64] >> (processor % 64) & 1) != 0;
  }

 private:
  uint64_t words_[kLimit / 64] = {};
};

/// Moves the calling thread to a processor that is not in the set, of those it may use; leaves it
/// where it is if there is none. Which ones it may use stays as it was.
void moveFrom(const ProcessorSet& taken);

}  // namespace ait
