// Fibers: the threads of blocks. Switching saves what a call would, by hand: the C library's way
// asks the system each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace emulator {

/// Stacks that are used again, each at a multiple of its size, with a page below that no one may
/// touch.
class StackPool {
 public:
  static StackPool& shared();

  /// The lowest address of a stack; null where the system has no memory.
  char* acquire();
  void release(char* stack);

 private:
  std::mutex mutex_;
  std::vector<char*> free_;
};

/// A stack on which `main` runs when it is switched to first; it never returns. At the far end lies
/// `owner`, where the dialect looks for it.
void* prepareStack(char* stack, void* owner, void (*main)());

extern "C" {
/// Saves what is running as `*from` and goes on with what was saved as `to`.
void aitSwitchFiber(void** from, void* to);
}

}  // namespace emulator
