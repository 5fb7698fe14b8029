// The models of models.h for a device: each step launches a kernel that calls the CPU's.
#pragma once

#include "fake_cuda.h"
#include "models.h"

namespace models {

extern const ait::ModelDescription& cudaBlend;
extern const ait::ModelDescription& cudaVersions;
extern const ait::ModelDescription& cudaShapes;
extern const ait::ModelDescription& cudaTiny;
extern const ait::ModelDescription& cudaWindows;

/// Reports illegal indices in the record of the run.
extern const ait::ModelDescription& cudaGather;

/// `tiny` by a kernel that is given its operands as tensor maps, in clusters of 16 with much shared
/// memory; on sm_80 by another kernel.
extern const ait::ModelDescription& cudaMaps;

/// Tells the driver of all kernels.
void addKernels(const fake::Control& driver);

}  // namespace models
