// Locks, waiting and time, as thin as pthreads allow: the standard headers cost compile time.
#pragma once

#include <pthread.h>
#include <time.h>

#include <cstdint>

namespace ait {

class Mutex {
 public:
  Mutex() { reset(); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

  /// Makes it unlocked, whatever it was: for the child of a fork.
  void reset() { pthread_mutex_init(&mutex_, nullptr); }

 private:
  friend class Condition;
  pthread_mutex_t mutex_;
};

class Lock {
 public:
  explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

class Condition {
 public:
  Condition() { reset(); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void wait(Mutex& mutex) { pthread_cond_wait(&condition_, &mutex.mutex_); }
  void wakeOne() { pthread_cond_signal(&condition_); }
  void wakeAll() { pthread_cond_broadcast(&condition_); }

  /// Forgets all waiters: for the child of a fork.
  void reset() { pthread_cond_init(&condition_, nullptr); }

 private:
  pthread_cond_t condition_;
};

/// Identifies the calling thread; never 0. Allocates nothing, unlike a `thread_local`.
inline uintptr_t currentThread() { return (uintptr_t)pthread_self(); }

inline int64_t nowInNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

/// Tells the core that the thread spins.
inline void pauseSpinning() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // `yield` does nothing on most cores
#endif
}

}  // namespace ait
