#include "processors.h"

#include <sched.h>
#include <unistd.h>

namespace ait {

int32_t availableProcessorCount() {
#if defined(__linux__)
  // The mask of a large machine does not fit the usual size.
  for (int size = 1024; size <= (1 << 20); size *= 2) {
    cpu_set_t* set = CPU_ALLOC(size);
    if (!set) break;
    const size_t sizeInBytes = CPU_ALLOC_SIZE(size);
    const bool fits = sched_getaffinity(0, sizeInBytes, set) == 0;
    const int count = fits ? CPU_COUNT_S(sizeInBytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
#endif
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<int32_t>(count) : 1;
}

int32_t currentProcessor() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

void moveFrom(const ProcessorSet& taken) {
#if defined(__linux__)
  cpu_set_t all;
  static_assert(ProcessorSet::kLimit <= CPU_SETSIZE);
  if (sched_getaffinity(0, sizeof(all), &all) != 0) return;
  cpu_set_t free = all;
  for (int32_t processor = 0; processor < ProcessorSet::kLimit; ++processor) {
    if (taken.contains(processor)) CPU_CLR(processor, &free);
  }
  if (CPU_COUNT(&free) == 0) return;
  // The first call moves the thread, the second does not move it back.
  if (sched_setaffinity(0, sizeof(free), &free) == 0) sched_setaffinity(0, sizeof(all), &all);
#else
  (void)taken;
#endif
}

}  // namespace ait
