#include "measure.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Twelve independent chains cover the latency of a multiply-add (four cycles, two a cycle) on every
// core of the last ten years, and fit the registers of each width.
#define AIT_CHAINS 12

#define AIT_FMA_LOOP(suffix, lanes, attributes)                                                  \
  typedef float vector##suffix __attribute__((vector_size(4 * lanes)));                          \
  attributes static double fmaLoop##suffix(int64_t rounds, float* sink) {                        \
    vector##suffix sums[AIT_CHAINS];                                                             \
    /* Not from 1, which the factors map to itself: the compiler would leave that chain out. */  \
    for (int i = 0; i < AIT_CHAINS; ++i) sums[i] = (vector##suffix){0} + (float)(i + 2);         \
    vector##suffix factor = (vector##suffix){0} + 0.9999f, addend = (vector##suffix){0} + 1e-4f; \
    for (int64_t round = 0; round < rounds; ++round) {                                           \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < AIT_CHAINS; ++i) {                  \
        sums[i] = sums[i] * factor + addend;                                                     \
      }                                                                                          \
      __asm__ volatile("" ::: "memory");                                                         \
    }                                                                                            \
    vector##suffix total = sums[0];                                                              \
    for (int i = 1; i < AIT_CHAINS; ++i) total += sums[i];                                       \
    *sink = total[0];                                                                            \
    return 2.0 * lanes * AIT_CHAINS * (double)rounds;                                            \
  }

#if defined(__x86_64__)
AIT_FMA_LOOP(512, 16, __attribute__((target("avx512f"), noinline)))
AIT_FMA_LOOP(256, 8, __attribute__((target("avx2,fma"), noinline)))
#endif
AIT_FMA_LOOP(128, 4, __attribute__((noinline)))

static double fmaLoop(int64_t rounds, float* sink) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return fmaLoop512(rounds, sink);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return fmaLoop256(rounds, sink);
  }
#endif
  return fmaLoop128(rounds, sink);
}

typedef struct {
  double seconds;
  double best;
  const uint64_t* memory;
  size_t count;
  const volatile int* isStarted;
} Job;

// All threads begin together; one that could not be started is not waited for.
static void waitForStart(const Job* job) {
  while (!__atomic_load_n(job->isStarted, __ATOMIC_ACQUIRE)) {
  }
}

static void* measureFma(void* argument) {
  Job* job = argument;
  volatile float kept = 0;
  float sink = 0;
  const int64_t rounds = 1 << 18;
  waitForStart(job);
  const double end = now() + job->seconds;
  do {
    const double start = now();
    const double operations = fmaLoop(rounds, &sink);
    const double rate = operations / (now() - start);
    if (rate > job->best) job->best = rate;
    kept += sink;
  } while (now() < end);
  return NULL;
}

static void* measureRead(void* argument) {
  Job* job = argument;
  typedef uint64_t Lanes __attribute__((vector_size(64), aligned(8)));
  const Lanes* vectors = (const Lanes*)job->memory;
  const size_t count = job->count / 8;
  volatile uint64_t kept = 0;
  waitForStart(job);
  const double end = now() + job->seconds;
  do {
    const double start = now();
    Lanes sums[4] = {{0}, {0}, {0}, {0}};
    for (size_t i = 0; i + 4 <= count; i += 4) {
      for (int j = 0; j < 4; ++j) sums[j] += vectors[i + (size_t)j];
    }
    const double rate = (double)(count * 64) / (now() - start);
    if (rate > job->best) job->best = rate;
    kept += sums[0][0] + sums[1][0] + sums[2][0] + sums[3][0];
  } while (now() < end);
  return NULL;
}

static double measure(int32_t threads, double seconds, size_t words, void* (*body)(void*)) {
  enum { kMost = 256 };
  if (threads < 1) threads = 1;
  if (threads > kMost) threads = kMost;
  pthread_t handles[kMost];
  Job jobs[kMost];
  volatile int isStarted = 0;
  uint64_t* memory = words ? malloc(words * (size_t)threads * 8) : NULL;
  if (memory) memset(memory, 1, words * (size_t)threads * 8);
  int32_t started = 0;
  for (int32_t i = 0; i < threads; ++i) {
    jobs[i] = (Job){seconds, 0, memory ? memory + words * (size_t)i : NULL, memory ? words : 0,
                    &isStarted};
  }
  for (int32_t i = 1; i < threads; ++i) {
    if (pthread_create(&handles[i], NULL, body, &jobs[i]) != 0) break;
    ++started;
  }
  __atomic_store_n(&isStarted, 1, __ATOMIC_RELEASE);
  body(&jobs[0]);
  double total = jobs[0].best;
  for (int32_t i = 1; i <= started; ++i) {
    pthread_join(handles[i], NULL);
    total += jobs[i].best;
  }
  free(memory);
  return total;
}

double ait_measure_fma_peak(int32_t threads, double seconds) {
  return measure(threads, seconds, 0, measureFma);
}

double ait_measure_read_bandwidth(int32_t threads, double seconds) {
  // 128 MiB for each thread: beyond the last-level cache of most machines.
  return measure(threads, seconds, (size_t)16 << 20, measureRead);
}
