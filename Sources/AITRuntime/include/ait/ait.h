// What a compiled model offers beyond AITemplate's C ABI (`model_interface.h`). Plain C.
#pragma once

#include "ait/model_interface.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Errors

/// Why the last failing call of this thread failed: what was found, what was expected, where, and
/// what to do. Empty before the first failure; valid until the next failing call of this thread.
AIT_EXPORT const char* AITemplateGetLastError(void);

// MARK: - Element types beyond AITemplate's

#ifdef __cplusplus
constexpr AITemplateDtype AITemplateDtype_kDouble = static_cast<AITemplateDtype>(7);
constexpr AITemplateDtype AITemplateDtype_kInt8 = static_cast<AITemplateDtype>(8);
constexpr AITemplateDtype AITemplateDtype_kUInt8 = static_cast<AITemplateDtype>(9);
constexpr AITemplateDtype AITemplateDtype_kInt16 = static_cast<AITemplateDtype>(10);
#endif

// MARK: - Options

// Set a structure to zero bytes, then `struct_size` to its sizeof, then what is wanted. Fields that
// come later in newer headers are taken as zero.

typedef struct AITemplateCreateOptions {
  size_t struct_size;
  size_t num_runtimes;  // runs that can go on at once; 0: one
  size_t num_threads;  // threads of a run, the caller's own among them; 0: AIT_NUM_THREADS from the
                       // environment, else one for each processor this process may use
  AITemplateAllocator* allocator;  // null: the operating system's memory, touched pages only; of
                                   // a model for a device: the device's
  const char* device;  // of a model for a device, such as "cuda:1"; null: AIT_CUDA_DEVICE from the
                       // environment, else the device of the calling thread's context, else the
                       // first
} AITemplateCreateOptions;

AIT_EXPORT AITemplateError AITemplateModelContainerCreateWithOptions(
    AITemplateModelHandle* ret, const AITemplateCreateOptions* options);

typedef struct AITemplateRunOptions {
  size_t struct_size;
  size_t num_threads;           // at most so many; 0: the container's number
  int64_t** output_shapes_out;  // or null
} AITemplateRunOptions;

AIT_EXPORT AITemplateError AITemplateModelContainerRunWithOptions(
    AITemplateModelHandle handle, const AITData* inputs, size_t num_inputs, AITData* outputs,
    size_t num_outputs, const AITemplateRunOptions* options);

AIT_EXPORT AITemplateError AITemplateModelContainerGetNumThreads(AITemplateModelHandle handle,
                                                                 size_t* num_threads_out);

// MARK: - Shapes

AIT_EXPORT AITemplateError AITemplateModelContainerGetMinimumInputShape(
    AITemplateModelHandle handle, size_t input_idx, AITemplateParamShape* shape_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetMinimumOutputShape(
    AITemplateModelHandle handle, size_t output_idx, AITemplateParamShape* shape_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetConstantShape(
    AITemplateModelHandle handle, const char* name, AITemplateParamShape* shape_out);

/// Writes the shapes that a run on these inputs gives the outputs, as Run does; runs nothing.
AIT_EXPORT AITemplateError AITemplateModelContainerInferOutputShapes(AITemplateModelHandle handle,
                                                                     const AITData* inputs,
                                                                     size_t num_inputs,
                                                                     int64_t** output_shapes_out);

/// The bytes of a value computed from constants, computed now if need be. Valid until constants
/// change. The compiler reads packed weights through it. Of a model for a GPU: device memory.
AIT_EXPORT AITemplateError AITemplateModelContainerGetFoldedValue(AITemplateModelHandle handle,
                                                                  size_t folded_idx,
                                                                  const void** data_out,
                                                                  size_t* size_out);

// MARK: - Steps

/// The kernel calls of a run, in order; the keys of a profile.
AIT_EXPORT AITemplateError AITemplateModelContainerGetNumSteps(AITemplateModelHandle handle,
                                                               size_t* num_steps_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetStepName(AITemplateModelHandle handle,
                                                               size_t step_idx,
                                                               const char** name_out);

/// The operator a step computes, such as "matmul".
AIT_EXPORT AITemplateError AITemplateModelContainerGetStepOperation(AITemplateModelHandle handle,
                                                                    size_t step_idx,
                                                                    const char** operation_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetStepKernelName(AITemplateModelHandle handle,
                                                                     size_t step_idx,
                                                                     const char** kernel_name_out);

// MARK: - Memory

/// All in bytes.
typedef struct AITemplateMemoryFigures {
  size_t struct_size;           // in: sizeof(AITemplateMemoryFigures)
  uint64_t arena_bound;         // intermediate values of one runtime, at the largest sizes
  uint64_t scratch;             // address space of all threads; touched pages cost memory
  uint64_t per_runtime;         // what one more runtime takes: arena, scratch and tables
  uint64_t constants_in_image;  // constants kept in the library
  uint64_t constants_unbound;   // constants that the user supplies
  uint64_t folded;              // values computed from constants, wherever they are
  uint64_t folded_in_image;     // those computed when the model was compiled
  uint64_t allocated;           // held by the container now, its runtimes included; on a GPU with
                                // the memory of the device
} AITemplateMemoryFigures;

AIT_EXPORT AITemplateError AITemplateModelContainerGetMemoryFigures(
    AITemplateModelHandle handle, AITemplateMemoryFigures* figures_out);

// MARK: - The device of a container

// Memory and streams of the device that the container is on, whatever device the calling thread
// uses otherwise. Of a model for the CPU the memory is the host's, and null is the only stream.

/// The device, such as "cuda:0 'NVIDIA H200'"; empty of a model for the CPU. The container's text.
AIT_EXPORT AITemplateError AITemplateModelContainerGetDeviceName(AITemplateModelHandle handle,
                                                                 const char** name_out);

/// Memory for tensors, aligned as kernels need it; no bytes give a null pointer. To be freed
/// before the container is deleted, when no run uses it any more.
AIT_EXPORT AITemplateError AITemplateModelContainerDeviceMalloc(AITemplateModelHandle handle,
                                                                void** ptr_out, size_t size);

AIT_EXPORT AITemplateError AITemplateModelContainerDeviceFree(AITemplateModelHandle handle,
                                                              void* ptr);

/// Copies in the order of the stream; waits for the copy, but for one from device to device.
AIT_EXPORT AITemplateError AITemplateModelContainerMemcpy(AITemplateModelHandle handle, void* dst,
                                                          const void* src, size_t count,
                                                          AITemplateMemcpyKind kind,
                                                          AITemplateStreamHandle stream_handle);

/// A stream that waits for no other.
AIT_EXPORT AITemplateError AITemplateModelContainerStreamCreate(
    AITemplateModelHandle handle, AITemplateStreamHandle* stream_handle_out);

AIT_EXPORT AITemplateError AITemplateModelContainerStreamDestroy(
    AITemplateModelHandle handle, AITemplateStreamHandle stream_handle);

/// Waits for what is in the stream; an error of a kernel that ran there is reported.
AIT_EXPORT AITemplateError AITemplateModelContainerStreamSynchronize(
    AITemplateModelHandle handle, AITemplateStreamHandle stream_handle);

// MARK: - The library about itself

// These need no container; the text belongs to the library.

AIT_EXPORT AITemplateError AITemplateGetModelName(const char** name_out);

/// What the library was compiled for, such as "cpu:x86-64-v3".
AIT_EXPORT AITemplateError AITemplateGetTarget(const char** target_out);

/// The version of the compiler that made the library.
AIT_EXPORT AITemplateError AITemplateGetCompiler(const char** compiler_out);

/// Inputs, outputs, buffers and kernels as JSON.
AIT_EXPORT AITemplateError AITemplateGetManifest(const char** json_out);

/// The optimised graph as text.
AIT_EXPORT AITemplateError AITemplateGetGraphText(const char** text_out);

/// Runs the input kept in the library, with the constants it was compiled with, and compares with
/// the outputs kept beside it. Writes the largest normalised error |a - b| / |b| of an output to
/// `largest_error_out`, which may be null. Fails if an output is off, or if nothing was kept.
AIT_EXPORT AITemplateError AITemplateModelContainerSelfTest(AITemplateModelHandle handle,
                                                            double* largest_error_out);

#ifdef __cplusplus
}
#endif
