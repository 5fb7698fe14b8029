#include "measure.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// The loops are assembly, so that every build measures the same peak: without optimisation, C would
// time the traffic of its variables to and from the stack; with it, a chain may be computed ahead.
//
// Twelve independent chains cover the latency of a multiply-add (four cycles, two a cycle) on every
// core of the last ten years, and fit the registers of each width.
#define AIT_CHAINS 12

// `STEP` is the instruction, or pair of them, that goes on with one chain. One pass over the chains
// is one round.
#define AIT_FMA_LOOP(suffix, lanes, attributes, letter, STEP, COUNT)                              \
  typedef float vector##suffix __attribute__((vector_size(4 * lanes)));                           \
  attributes static double fmaLoop##suffix(int64_t rounds, float* sink) {                         \
    const double operations = 2.0 * lanes * AIT_CHAINS * (double)rounds;                          \
    const vector##suffix factor = (vector##suffix){0} + 0.9999f;                                  \
    const vector##suffix addend = (vector##suffix){0} + 1e-4f;                                    \
    vector##suffix a = factor, b = factor, c = factor, d = factor, e = factor, f = factor;        \
    vector##suffix g = factor, h = factor, i = factor, j = factor, k = factor, l = factor;        \
    __asm__ volatile("1:\n" STEP("0") STEP("1") STEP("2") STEP("3") STEP("4") STEP("5") STEP("6") \
                         STEP("7") STEP("8") STEP("9") STEP("10") STEP("11") COUNT                \
                     : "+" letter(a), "+" letter(b), "+" letter(c), "+" letter(d), "+" letter(e), \
                       "+" letter(f), "+" letter(g), "+" letter(h), "+" letter(i), "+" letter(j), \
                       "+" letter(k), "+" letter(l), [count] "+r"(rounds)                         \
                     : [factor] letter(factor), [addend] letter(addend)                           \
                     : "cc");                                                                     \
    const vector##suffix total = a + b + c + d + e + f + g + h + i + j + k + l;                   \
    *sink = total[0];                                                                             \
    return operations;                                                                            \
  }

#if defined(__x86_64__)
#define AIT_COUNT "sub $1, %[count]\njnz 1b\n"
#define AIT_FMA(chain) "vfmadd213ps %[addend], %[factor], %" chain "\n"
#define AIT_SSE(chain) "mulps %[factor], %" chain "\naddps %[addend], %" chain "\n"
AIT_FMA_LOOP(512, 16, __attribute__((target("avx512f"), noinline)), "v", AIT_FMA, AIT_COUNT)
AIT_FMA_LOOP(256, 8, __attribute__((target("avx2,fma"), noinline)), "x", AIT_FMA, AIT_COUNT)
AIT_FMA_LOOP(128, 4, __attribute__((noinline)), "x", AIT_SSE, AIT_COUNT)
#elif defined(__aarch64__)
#define AIT_COUNT "subs %[count], %[count], #1\nb.ne 1b\n"
#define AIT_FMA(chain) "fmla %" chain ".4s, %[factor].4s, %[addend].4s\n"
AIT_FMA_LOOP(128, 4, __attribute__((noinline)), "w", AIT_FMA, AIT_COUNT)
#else
#error "write the loop in this architecture's assembly"
#endif

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

double ait_measure_fma_peak(int32_t threads, double seconds) {
  enum { kMost = 256 };
  if (threads < 1) threads = 1;
  if (threads > kMost) threads = kMost;
  pthread_t handles[kMost];
  Job jobs[kMost];
  volatile int isStarted = 0;
  int32_t started = 0;
  for (int32_t i = 0; i < threads; ++i) jobs[i] = (Job){seconds, 0, &isStarted};
  for (int32_t i = 1; i < threads; ++i) {
    if (pthread_create(&handles[i], NULL, measureFma, &jobs[i]) != 0) break;
    ++started;
  }
  __atomic_store_n(&isStarted, 1, __ATOMIC_RELEASE);
  measureFma(&jobs[0]);
  double total = jobs[0].best;
  for (int32_t i = 1; i <= started; ++i) {
    pthread_join(handles[i], NULL);
    total += jobs[i].best;
  }
  return total;
}
