// What this machine can do at most, measured: the bar that benchmarks are held to.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Multiply-adds of float32 from registers alone on so many threads, best of several trials within
/// the seconds given; in floating-point operations a second (two for each multiply-add). The same
/// in a build for debugging.
double ait_measure_fma_peak(int32_t threads, double seconds);

#ifdef __cplusplus
}
#endif
