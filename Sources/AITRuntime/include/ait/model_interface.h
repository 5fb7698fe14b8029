// The C ABI of a compiled model: names, argument order and layouts of AITemplate's public header,
// so that clients written for it load our libraries unchanged. Compiles as C++11 and, with the
// types as plain structs and enumerations, as C11. What goes beyond AITemplate is in `ait.h`.
//
// Every function returns success (0) or failure (1); after a failure `AITemplateGetLastError` in
// `ait.h` says what was found, what was expected and what to do. Streams belong to GPUs: on a CPU a
// stream handle, `sync` and `graph_mode` are accepted and mean nothing, and every call is complete
// when it returns.
//
// A model for a GPU takes and gives device memory, of the container's device and aligned to 16
// bytes unless a comment says otherwise; memory of the host is refused by name. A stream is a
// `cudaStream_t` or `CUstream` of that device's primary context; null is the legacy default stream.
// What constants are set to, and where they are copied and folded, follows the stream given; those
// calls wait for their own work. CUDA does not survive a fork: in the child, containers of the
// parent answer questions and can be deleted, and all else is refused.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define AIT_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define AIT_EXPORT __attribute__((__visibility__("default")))
#else
#define AIT_EXPORT
#endif

// MARK: - Types

#ifdef __cplusplus

struct AITemplateModelOpaque {};
using AITemplateModelHandle = AITemplateModelOpaque*;

struct AITemplateStreamOpaque {};
using AITemplateStreamHandle = AITemplateStreamOpaque*;

enum class AITemplateError : int {
  AITemplateSuccess = 0,
  AITemplateFailure = 1,
};

/// Element types; `ait.h` adds the numbers from 7 on.
enum class AITemplateDtype {
  kUnset = 0,
  kHalf,
  kFloat,
  kInt,
  kLong,
  kBool,
  kBFloat16,
};

enum class AITemplateAllocatorType {
  kDefault = 0,
  kTracking,  // counts the bytes handed out
};

enum class AITemplateMemcpyKind {
  HostToDevice = 0,
  DeviceToHost,
  DeviceToDevice,
};

namespace ait {
using ::AITemplateMemcpyKind;  // where AITemplate's clients look for it
}

/// Extents of a tensor, outermost first; the memory stays the owner's.
struct AITemplateParamShape {
  AITemplateParamShape() : shape_data(nullptr), size(0) {}
  AITemplateParamShape(const int64_t* shape_data_in, size_t size_in)
      : shape_data(shape_data_in), size(size_in) {}

  const int64_t* shape_data;
  size_t size;

  size_t Numel() const {
    int64_t count = 1;
    for (size_t axis = 0; axis < size; ++axis) count *= shape_data[axis];
    return static_cast<size_t>(count);
  }
};

/// A tensor in row-major order without gaps; the memory stays the owner's.
struct AITData {
  AITData() : ptr(nullptr), dtype(AITemplateDtype::kUnset) {}
  AITData(void* ptr_in, const AITemplateParamShape& shape_in, AITemplateDtype dtype_in)
      : ptr(ptr_in), shape(shape_in), dtype(dtype_in) {}

  void* ptr;
  AITemplateParamShape shape;
  AITemplateDtype dtype;
};

/// Where a container gets its memory from; C++ clients derive their own. Must outlive the
/// container. Calls come one at a time for each container: when it is created or deleted, and when
/// constants are folded or copied.
class AITemplateAllocator {
 public:
  virtual void* Allocate(size_t nbytes) = 0;
  virtual void Free(void* ptr) = 0;

  virtual ~AITemplateAllocator() = default;
};

/// Throws where a call fails; the user of the macro includes <stdexcept> and <string>.
#define AIT_ERROR_CHECK(call)                                                                  \
  if ((call) != AITemplateError::AITemplateSuccess) {                                          \
    throw std::runtime_error(std::string(#call " API call failed at ") + __FILE__ + ", line" + \
                             std::to_string(__LINE__));                                        \
  }

#define AIT_DEFAULT(value) = value

#else  // C

typedef struct AITemplateModelOpaque* AITemplateModelHandle;
typedef struct AITemplateStreamOpaque* AITemplateStreamHandle;
typedef struct AITemplateAllocator AITemplateAllocator;

typedef enum AITemplateError {
  AITemplateError_Success = 0,
  AITemplateError_Failure = 1,
} AITemplateError;

typedef enum AITemplateDtype {
  AITemplateDtype_kUnset = 0,
  AITemplateDtype_kHalf,
  AITemplateDtype_kFloat,
  AITemplateDtype_kInt,
  AITemplateDtype_kLong,
  AITemplateDtype_kBool,
  AITemplateDtype_kBFloat16,
  AITemplateDtype_kDouble,  // from here on ours, see ait.h
  AITemplateDtype_kInt8,
  AITemplateDtype_kUInt8,
  AITemplateDtype_kInt16,
} AITemplateDtype;

typedef enum AITemplateAllocatorType {
  AITemplateAllocatorType_kDefault = 0,
  AITemplateAllocatorType_kTracking,
} AITemplateAllocatorType;

typedef enum AITemplateMemcpyKind {
  AITemplateMemcpyKind_HostToDevice = 0,
  AITemplateMemcpyKind_DeviceToHost,
  AITemplateMemcpyKind_DeviceToDevice,
} AITemplateMemcpyKind;

typedef struct AITemplateParamShape {
  const int64_t* shape_data;
  size_t size;
} AITemplateParamShape;

typedef struct AITData {
  void* ptr;
  AITemplateParamShape shape;
  AITemplateDtype dtype;
} AITData;

#define AIT_DEFAULT(value)

#endif

/// The size of one element; 0 for a type that has none.
static inline size_t AITemplateDtypeSizeBytes(AITemplateDtype dtype) {
  // unset, half, float, int, long, bool, bfloat16, double, int8, uint8, int16
  static const unsigned char sizes[] = {0, 2, 4, 4, 8, 1, 2, 8, 1, 1, 2};
  return (unsigned)dtype < sizeof(sizes) ? sizes[(unsigned)dtype] : 0;
}

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Life

/// Makes a container of `num_runtimes` (> 0) instances of the model, so many runs can go on at
/// once.
AIT_EXPORT AITemplateError
AITemplateModelContainerCreate(AITemplateModelHandle* ret, size_t num_runtimes,
                               AITemplateAllocator* allocator AIT_DEFAULT(nullptr));

/// Waits for the runs in flight and frees all. No other call may begin any more.
AIT_EXPORT AITemplateError AITemplateModelContainerDelete(AITemplateModelHandle handle);

// MARK: - Constants

// Until it is replaced, the runtime reads a constant from the memory handed in (except where a
// comment says copy), so that memory must stay, and no run may write to it: outputs that overlap it
// are refused. Each run sees the constants as they were when it
// began. When a function of this section returns, nothing reads the values it replaced any more.
// Values computed from constants follow: the next run, or `FoldConstants`, brings them up to date.
// Such a run takes longer and allocates memory; all others allocate none.

AIT_EXPORT AITemplateError AITemplateModelContainerSetConstant(AITemplateModelHandle handle,
                                                               const char* name,
                                                               const AITData* tensor);

/// Sets all or, if one of them is wrong, none; no run sees some of them only.
AIT_EXPORT AITemplateError AITemplateModelContainerSetManyConstants(AITemplateModelHandle handle,
                                                                    const char** names,
                                                                    const AITData* tensors,
                                                                    size_t num_tensors);

/// Notes a value for the next `SwapConstants`: a copy if the constant is bound, else the pointer.
AIT_EXPORT AITemplateError AITemplateModelContainerSetDoubleBufferConstant(
    AITemplateModelHandle handle, AITemplateStreamHandle stream_handle, const char* name,
    const AITData* tensor);

AIT_EXPORT AITemplateError AITemplateModelContainerSetManyDoubleBufferConstants(
    AITemplateModelHandle handle, AITemplateStreamHandle stream_handle, const char** names,
    const AITData* tensors, size_t num_tensors);

AIT_EXPORT AITemplateError AITemplateModelContainerGetNumConstants(
    AITemplateModelHandle handle, bool unbound_constants_only, bool constant_folding_inputs_only,
    size_t* num_constants_out);

/// Writes as many names as `GetNumConstants` counts with the same two choices.
AIT_EXPORT AITemplateError AITemplateModelContainerGetConstantNames(
    AITemplateModelHandle handle, bool unbound_constants_only, bool constant_folding_inputs_only,
    const char** constant_names_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetConstantDtype(AITemplateModelHandle handle,
                                                                    const char* name,
                                                                    AITemplateDtype* dtype);

/// The name in the program the model came from, such as "encoder.0.weight".
AIT_EXPORT AITemplateError AITemplateModelContainerGetConstantOriginalName(
    AITemplateModelHandle handle, const char* name, const char** original_name_out);

/// Computes anew what depends on constants that were set, whether or not they were set again: call
/// it also after changing the memory of a constant in place.
AIT_EXPORT AITemplateError AITemplateModelContainerFoldConstants(
    AITemplateModelHandle handle, AITemplateStreamHandle stream_handle, bool sync);

/// The same for the values noted for the next `SwapConstants`; runs go on meanwhile.
AIT_EXPORT AITemplateError AITemplateModelContainerFoldConstantsInDoubleBuffer(
    AITemplateModelHandle handle, AITemplateStreamHandle stream_handle, bool sync);

/// Makes the noted values the current ones, all at once, and waits for the runs that read the old
/// ones. Fails, changing nothing, if noted values were not folded; does nothing if there are none.
AIT_EXPORT AITemplateError AITemplateModelContainerSwapConstants(AITemplateModelHandle handle);

// MARK: - Running

/// Runs the model; waits first if all runtimes are busy. Outputs need memory for the actual shape,
/// which the maximum shape bounds. `output_shapes_out` may be null; else it holds, for each output,
/// a pointer to as many integers as the output has axes, which receive the actual extents.
///
/// On a GPU the run is put into the stream; without `sync` the call returns at once, and inputs,
/// outputs and the constants it began with are in use until the stream gets there. Runs that were
/// not waited for and share a runtime come one after the other on the device, in whatever streams
/// they are. An error of a kernel is reported by the call that waits, or by a later one;
/// AIT_CUDA_SYNC=1 in the environment waits for every step, so that the error names it. With
/// `graph_mode` the run is one launch of a graph, made at the first run of these sizes and addresses
/// and updated if only addresses or constants change. A caller may capture the stream itself,
/// without `sync`: then such a graph, the container's other runs and changes of its constants must
/// not overlap in time, and constants must not change while the graph is in use.
AIT_EXPORT AITemplateError AITemplateModelContainerRun(AITemplateModelHandle handle,
                                                       const AITData* inputs, size_t num_inputs,
                                                       AITData* outputs, size_t num_outputs,
                                                       AITemplateStreamHandle stream_handle,
                                                       bool sync, bool graph_mode,
                                                       int64_t** output_shapes_out);

/// The same with outputs in host memory; on a CPU there is no other. For debugging on a GPU: the
/// call allocates device memory, and waits.
AIT_EXPORT AITemplateError AITemplateModelContainerRunWithOutputsOnHost(
    AITemplateModelHandle handle, const AITData* inputs, size_t num_inputs, AITData* outputs,
    size_t num_outputs, AITemplateStreamHandle stream_handle, bool graph_mode,
    int64_t** output_shapes_out);

/// Times every step of the model and writes the figures to a file as JSON, by step name. On a GPU by
/// events, with nothing of the run before in the level-2 cache.
AIT_EXPORT AITemplateError AITemplateModelContainerProfile(AITemplateModelHandle handle,
                                                           const AITData* inputs, size_t num_inputs,
                                                           AITData* outputs, size_t num_outputs,
                                                           AITemplateStreamHandle stream_handle,
                                                           size_t num_iters, const char* filename);

/// Runs the model `count` times in each of `num_threads` threads (0: one for each processor) and
/// returns the milliseconds of an iteration: the slowest thread's time over all iterations. Threads
/// but the first write outputs of their own, which must equal the first's in the end. On a GPU the
/// runs are put into the stream without waiting for each, and timed by events; threads but the first
/// use streams of their own if `use_unique_stream_per_thread` is set.
AIT_EXPORT AITemplateError AITemplateModelContainerBenchmark(
    AITemplateModelHandle handle, const AITData* inputs, size_t num_inputs, AITData* outputs,
    size_t num_outputs, AITemplateStreamHandle stream_handle, bool graph_mode, size_t count,
    size_t num_threads, bool use_unique_stream_per_thread, float* runtime_ms,
    int64_t** output_shapes_out);

// MARK: - Questions

AIT_EXPORT AITemplateError AITemplateModelContainerGetNumInputs(AITemplateModelHandle handle,
                                                                size_t* num_inputs_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetInputName(AITemplateModelHandle handle,
                                                                size_t input_idx,
                                                                const char** input_name_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetMaximumInputShape(
    AITemplateModelHandle handle, size_t input_idx, AITemplateParamShape* shape);

AIT_EXPORT AITemplateError AITemplateModelContainerGetInputDtype(AITemplateModelHandle handle,
                                                                 size_t input_idx,
                                                                 AITemplateDtype* input_dtype);

AIT_EXPORT AITemplateError AITemplateModelContainerGetNumOutputs(AITemplateModelHandle handle,
                                                                 size_t* num_outputs_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetOutputName(AITemplateModelHandle handle,
                                                                 size_t output_idx,
                                                                 const char** output_name_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetMaximumOutputShape(
    AITemplateModelHandle handle, size_t output_idx, AITemplateParamShape* shape_out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetOutputDtype(AITemplateModelHandle handle,
                                                                  size_t output_idx,
                                                                  AITemplateDtype* out);

AIT_EXPORT AITemplateError AITemplateModelContainerGetNumRuntimes(AITemplateModelHandle handle,
                                                                  size_t* num_runtimes_out);

// MARK: - Memory

AIT_EXPORT AITemplateError AITemplateAllocatorCreate(AITemplateAllocator** allocator_out,
                                                     AITemplateAllocatorType allocator_type);

AIT_EXPORT AITemplateError AITemplateAllocatorDelete(AITemplateAllocator* allocator_out);

/// All bytes that a tracking allocator has handed out so far, freed ones included.
AIT_EXPORT AITemplateError AITemplateTrackingAllocatorGetNumBytes(AITemplateAllocator* allocator,
                                                                  size_t* num_bytes_out);

// Of a model for a GPU: memory of the device that the calling thread's context is for; without one,
// of AIT_CUDA_DEVICE in the environment, else of the first. Memory is freed after the work that is in
// the stream.

/// Memory for tensors, 64-byte aligned; no bytes give a null pointer.
AIT_EXPORT AITemplateError AITemplateDeviceMalloc(
    void** ptr_out, size_t size, AITemplateStreamHandle stream_handle AIT_DEFAULT(nullptr),
    bool sync AIT_DEFAULT(true));

AIT_EXPORT AITemplateError
AITemplateDeviceFree(void* ptr, AITemplateStreamHandle stream_handle AIT_DEFAULT(nullptr),
                     bool sync AIT_DEFAULT(true));

AIT_EXPORT AITemplateError AITemplateMemcpy(
    void* dst, const void* src, size_t count, AITemplateMemcpyKind kind,
    AITemplateStreamHandle stream_handle AIT_DEFAULT(nullptr), bool sync AIT_DEFAULT(true));

#ifdef __cplusplus
}
#endif
