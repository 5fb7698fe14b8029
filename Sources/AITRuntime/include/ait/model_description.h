// What a generated model tells the runtime about itself: constant tables, no code but the kernels.
//
// The compiler emits one `ModelDescription`; everything the C ABI answers is read from it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ait/kernel.h"

namespace ait {

/// Element types, numbered as in AIT's `AITemplateDtype`; those from `float64` on are ours.
enum class DType : int32_t {
  unset = 0,
  float16 = 1,
  float32 = 2,
  int32 = 3,
  int64 = 4,
  boolean = 5,
  bfloat16 = 6,
  float64 = 7,
  int8 = 8,
  uint8 = 9,
  int16 = 10,
};

/// A named size known when a run begins, such as the batch.
struct SymbolDescription {
  const char* name;
  int64_t minimum;  // inclusive
  int64_t maximum;  // inclusive
};

/// What the sizes of a run must comply with, beyond the bounds of the symbols: a position within an
/// extent of another symbol, an extent that is not empty. The texts end where a number follows.
struct ConstraintDescription {
  const char* node;
  const char* subject;   // what is compared, such as "the lowest position of slice along axis 0"
  const char* found;     // such as "m - 1 = "
  const char* expected;  // such as "at most n - 1 = "
  int32_t margin;        // dimension-table entry: negative if the sizes are refused
  int32_t foundValue;    // dimension-table entry
  int32_t bound;         // dimension-table entry
};

/// A graph input or output. Its extents are entries of the dimension table.
struct TensorDescription {
  const char* name;
  DType dtype;
  int32_t rank;
  const int32_t* dimensions;    // [rank] indices into the dimension table
  const int64_t* minimumShape;  // [rank] bounds of each extent over all legal symbol values
  const int64_t* maximumShape;  // [rank]
};

/// How a symbol is read off an input: value = extent / divisor, which must divide.
struct SymbolBinding {
  int32_t symbol;
  int32_t input;
  int32_t axis;
  int64_t divisor;
};

/// A value of the model that does not change from run to run: a weight.
struct ConstantDescription {
  const char* name;          // a C identifier
  const char* originalName;  // the name in the user's program, dots and all; "" hides it from lists
  DType dtype;
  int32_t rank;
  const int64_t* shape;
  int64_t sizeInBytes;
  const void* data;     // in the library's image; null if unbound or kept only in folded form
  bool isBound;         // the library was compiled with a value for it
  bool isFoldingInput;  // some fold step reads it
};

/// A value computed from constants alone, such as a packed weight.
struct FoldedDescription {
  int64_t sizeInBytes;
  const void* data;  // computed at compile time, in the image; null: the fold steps compute it
};

/// Where an operand of a step lives.
enum class Space : int32_t {
  input = 0,     // index: of the input
  output = 1,    // index: of the output
  arena = 2,     // offset within the runtime's arena (for a fold step: the folding arena)
  constant = 3,  // index: of the constant
  folded = 4,    // index: of the folded value
};

struct OperandReference {
  Space space;
  // For `arena`: the number of the buffer in the plan, the same for all operands that share its
  // content. Only fold steps need it: values that take turns in the same memory are told apart by
  // it when some of the steps run again.
  int32_t index;
  int32_t offset;  // a dimension-table entry: bytes from the start; -1 for none
};

/// Shape of an operand, for profiles and debugging.
struct OperandShape {
  DType dtype;
  int32_t rank;
  const int32_t* dimensions;  // [rank] indices into the dimension table
};

/// One kernel call.
struct StepDescription {
  const char* name;       // the node's, a C identifier
  const char* operation;  // the operator, such as "matmul"
  const char* kernelName;
  KernelFunction kernel;
  int32_t operandCount;
  const OperandReference* operands;
  const OperandShape* shapes;  // [operandCount]
  int32_t inputCount;          // the first `inputCount` operands are read, the rest written
  int32_t sizeCount;
  const int32_t* sizes;  // [sizeCount] dimension-table entries handed to the kernel
  int32_t workspace;     // dimension-table entry: byte offset in the arena; -1 for none
  int32_t flops;         // dimension-table entry: floating-point operations of a run; -1 unknown
  int32_t bytes;         // dimension-table entry: bytes read and written at least; -1 unknown
};

/// An input/output pair kept in the library, with which it can check itself on a new machine.
struct SelfTestDescription {
  const int64_t* symbols;      // [symbolCount] the sizes it was made with
  const void* const* inputs;   // [inputCount], in the image
  const void* const* outputs;  // [outputCount], as computed by the reference evaluator
  const double* tolerances;    // [outputCount] bound of ‖a − b‖ / ‖b‖
};

/// A cubin: what the device compiler made of one source file, for one architecture.
struct DeviceImage {
  const void* data;
  int64_t sizeInBytes;
  const char* symbol;  // of the only kernel that it holds; null: of any
};

/// The device code for one architecture. On devices of the same major number and at least the same
/// minor one it runs; if it is specific (sm_90a), on devices of exactly its numbers.
struct DeviceArchitecture {
  const char* name;  // such as "sm_90a"
  int32_t major;
  int32_t minor;
  bool isSpecific;
  int32_t imageCount;
  const DeviceImage* images;
};

/// A kernel in one of the images.
struct DeviceKernel {
  const char* symbol;
  int32_t architecture;       // the only one that has it; -1: all have it
  int32_t blockSize;          // threads of a block, for `DeviceQueue::activeClusterCount`
  int32_t sharedSizeInBytes;  // dynamic shared memory at most
  int32_t clusterSize;        // 1: no clusters
};

struct DeviceBackend;

/// Everything that runs on a device rather than on the processor.
struct DeviceCode {
  const DeviceBackend* backend;  // such as `&ait::cudaBackend`
  int32_t driverVersion;         // that the images need at least, such as 13000 for CUDA 13.0
  int32_t alignmentInBytes;      // of inputs, outputs and constants, such as 16; 0: the element's
  int32_t architectureCount;
  const DeviceArchitecture* architectures;
  int32_t kernelCount;
  const DeviceKernel* const* kernels;  // [kernelCount]; each is defined beside its host code
  bool isEmulated;                     // the images are for the driver that emulates devices
};

/// Linked into models for CUDA only.
extern const DeviceBackend cudaBackend __attribute__((visibility("hidden")));

struct ModelDescription {
  const char* name;
  const char* target;    // such as "cpu:x86-64-v3"
  const char* compiler;  // version of the compiler that made it
  const char* manifest;  // JSON: inputs, outputs, buffers, kernels; for tools
  const char* source;    // the optimised graph as text

  int32_t symbolCount;
  const SymbolDescription* symbols;
  int32_t bindingCount;
  const SymbolBinding* bindings;

  /// Evaluates every entry of the dimension table; entries are sizes, strides and byte offsets.
  int32_t dimensionCount;
  void (*evaluateDimensions)(const int64_t* symbols, int64_t* dimensions);
  int32_t constraintCount;
  const ConstraintDescription* constraints;

  int32_t inputCount;
  const TensorDescription* inputs;
  int32_t outputCount;
  const TensorDescription* outputs;
  int32_t constantCount;
  const ConstantDescription* constants;
  int32_t foldedCount;
  const FoldedDescription* folded;

  int32_t arenaSize;          // dimension-table entry: bytes for the symbols at hand
  int64_t arenaBoundInBytes;  // largest value of it over all legal symbol values
  int64_t foldArenaSizeInBytes;

  int32_t foldStepCount;
  const StepDescription* foldSteps;  // read constants and folded values, write folded values
  int32_t stepCount;
  const StepDescription* steps;

  const SelfTestDescription* selfTest;  // or null

  /// The first extension of the instruction set that the kernels use and this machine lacks; null
  /// if it has them all. A null function asks for nothing.
  const char* (*missingInstructions)();

  /// Of a model whose steps run on a device; null for the CPU. Then buffers are device memory, and
  /// the steps' functions put work into `KernelContext::queue`.
  const DeviceCode* device;
};

}  // namespace ait

/// Defined by the generated source of each model.
extern "C" __attribute__((visibility("hidden"))) const ait::ModelDescription* aitModelDescription();
