// Where threads run.
#include <sched.h>

#include <cstring>

#include "../../Sources/AITRuntime/src/processors.h"
#include "harness.h"

TEST(movesToAFreeProcessorAndKeepsTheMask) {
  cpu_set_t before;
  CHECK(sched_getaffinity(0, sizeof(before), &before) == 0);
  if (CPU_COUNT(&before) < 2) return;
  int moves = 0;
  for (int turn = 0; turn < 20; ++turn) {
    const int32_t processor = ait::currentProcessor();
    ait::ProcessorSet taken;
    taken.insert(processor);
    taken.insert(-1);
    taken.insert(ait::ProcessorSet::kLimit);
    ait::moveFrom(taken);
    moves += ait::currentProcessor() != processor;
    cpu_set_t after;
    CHECK(sched_getaffinity(0, sizeof(after), &after) == 0);
    CHECK(CPU_EQUAL(&before, &after));
  }
  // The system may move it back in between, now and then.
  CHECK(moves > 10);
}

TEST(staysWhereAllProcessorsAreTaken) {
  ait::ProcessorSet taken;
  for (int32_t processor = 0; processor < ait::ProcessorSet::kLimit; ++processor) {
    taken.insert(processor);
  }
  cpu_set_t before, after;
  CHECK(sched_getaffinity(0, sizeof(before), &before) == 0);
  ait::moveFrom(taken);
  CHECK(sched_getaffinity(0, sizeof(after), &after) == 0);
  CHECK(CPU_EQUAL(&before, &after));
}
