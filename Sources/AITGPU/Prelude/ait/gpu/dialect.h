// The words in which kernels speak of the device. Kernel templates use no others: no instruction
// text, no built-in variables; so that one text of a kernel serves every device that has them.
//
//   places        threadIndex blockIndex blockCount laneIndex warpIndex
//   order         synchronizeBlock synchronizeThreads arriveAtThreads synchronizeWarp
//   lanes         shuffleXor shuffle broadcastInWarp
//   memory        Words<bytes>, loadGlobal storeGlobal loadShared storeShared dynamicSharedMemory
//   reports       claimFlag fenceSystem
//   numbers       toCompute<T> toStorage<T> packed pairs, exp2Approximate …
//   copies        copyAsync commitCopies waitForCopies
//   matrices      loadMatrices multiplyTiles roundToTensorFloat
//   launches      waitForPrerequisites launchDependents
//
// and on targets with kHasClusters, kHasTensorCopies and kHasWarpgroups:
//
//   clusters      clusterRank synchronizeCluster meetCluster arriveAtCluster waitForCluster peerAddress
//   copies        TransferBarrier copyTensor copyToPeer publishSharedMemory
//   products      SharedMatrix WarpgroupProduct beginProducts commitProducts waitForProducts
#pragma once

#include "ait/gpu/types.h"

#if defined(__CUDACC__)
#include "ait/gpu/dialect_cuda.h"
#elif defined(AIT_EMULATED_ARCHITECTURE)
#include "ait/gpu/dialect_emulated.h"
#else
#error "no dialect for this compiler: kernels are compiled by nvcc or NVRTC, or emulated"
#endif
