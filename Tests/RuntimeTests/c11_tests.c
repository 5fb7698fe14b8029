/* The headers as plain C: a whole life of a container. Returns the number of failures. */
#include <stdio.h>
#include <string.h>

#include "ait/ait.h"
#include "ait/model_interface.h"

_Static_assert(sizeof(AITData) == 32, "layout of AITData");
_Static_assert(offsetof(AITData, shape) == 8, "layout of AITData");
_Static_assert(offsetof(AITData, dtype) == 24, "layout of AITData");
_Static_assert(sizeof(AITemplateParamShape) == 16, "layout of AITemplateParamShape");
_Static_assert(sizeof(AITemplateError) == sizeof(int), "enumerations are int");
_Static_assert(sizeof(AITemplateDtype) == sizeof(int), "enumerations are int");
_Static_assert(AITemplateDtype_kBFloat16 == 6 && AITemplateDtype_kInt16 == 10, "numbers of types");

static int failures;

static void check(int is_true, const char* expression, int line) {
  if (is_true) return;
  ++failures;
  printf("%s:%d: failed: %s (%s)\n", __FILE__, line, expression, AITemplateGetLastError());
}

#define CHECK(expression) check((expression) != 0, #expression, __LINE__)

int runFromC(void);

int runFromC(void) {
  AITemplateModelHandle handle = NULL;
  AITemplateAllocator* allocator = NULL;
  AITemplateCreateOptions create_options = {0};
  AITemplateRunOptions run_options = {0};
  AITemplateMemoryFigures figures = {0};
  AITemplateParamShape shape;
  AITemplateDtype dtype;
  const char* text = NULL;
  const char* names[6];
  size_t count = 0;
  size_t allocated = 0;
  float milliseconds = 0;
  void* memory = NULL;
  const int64_t extents[] = {2, 4};
  const int64_t four[] = {4};
  float x[8], y[8], total[32], twice[32], b[4] = {0}, q[4] = {0};
  int64_t total_shape[2] = {0}, twice_shape[2] = {0};
  int64_t* shapes[2];
  AITData inputs[2], outputs[2], tensor;
  int i;

  for (i = 0; i < 8; ++i) {
    x[i] = (float)i;
    y[i] = 1;
  }
  failures = 0;
  CHECK(AITemplateAllocatorCreate(&allocator, AITemplateAllocatorType_kTracking) == 0);
  create_options.struct_size = sizeof(create_options);
  create_options.num_runtimes = 2;
  create_options.num_threads = 2;
  create_options.allocator = allocator;
  CHECK(AITemplateModelContainerCreateWithOptions(&handle, &create_options) == 0);
  CHECK(AITemplateTrackingAllocatorGetNumBytes(allocator, &allocated) == 0 && allocated > 0);

  CHECK(AITemplateModelContainerGetNumInputs(handle, &count) == 0 && count == 2);
  CHECK(AITemplateModelContainerGetNumOutputs(handle, &count) == 0 && count == 2);
  CHECK(AITemplateModelContainerGetNumRuntimes(handle, &count) == 0 && count == 2);
  CHECK(AITemplateModelContainerGetNumThreads(handle, &count) == 0 && count == 2);
  CHECK(AITemplateModelContainerGetNumSteps(handle, &count) == 0 && count == 4);
  CHECK(AITemplateModelContainerGetInputName(handle, 0, &text) == 0 && strcmp(text, "x") == 0);
  CHECK(AITemplateModelContainerGetInputName(handle, 2, &text) == AITemplateError_Failure);
  CHECK(strstr(AITemplateGetLastError(), "found input 2") != NULL);
  CHECK(AITemplateModelContainerGetOutputName(handle, 1, &text) == 0 && strcmp(text, "twice") == 0);
  CHECK(AITemplateModelContainerGetMaximumInputShape(handle, 0, &shape) == 0 && shape.size == 2);
  CHECK(AITemplateModelContainerGetMinimumOutputShape(handle, 0, &shape) == 0 &&
        shape.shape_data[0] == 1);
  CHECK(AITemplateModelContainerGetInputDtype(handle, 0, &dtype) == 0 &&
        dtype == AITemplateDtype_kFloat && AITemplateDtypeSizeBytes(dtype) == 4);
  CHECK(AITemplateModelContainerGetNumConstants(handle, false, false, &count) == 0 && count == 6);
  CHECK(AITemplateModelContainerGetConstantNames(handle, false, false, names) == 0 &&
        strcmp(names[5], "s") == 0);
  CHECK(AITemplateGetModelName(&text) == 0 && strcmp(text, "blend") == 0);

  memset(&tensor, 0, sizeof(tensor));
  tensor.ptr = b;
  tensor.shape.shape_data = four;
  tensor.shape.size = 1;
  tensor.dtype = AITemplateDtype_kFloat;
  CHECK(AITemplateModelContainerSetConstant(handle, "b", &tensor) == 0);
  tensor.ptr = q;
  names[0] = "q";
  CHECK(AITemplateModelContainerSetManyConstants(handle, names, &tensor, 1) == 0);
  CHECK(AITemplateModelContainerFoldConstants(handle, NULL, true) == 0);

  for (i = 0; i < 2; ++i) {
    inputs[i].shape.shape_data = extents;
    inputs[i].shape.size = 2;
    inputs[i].dtype = AITemplateDtype_kFloat;
    outputs[i] = inputs[i];
  }
  inputs[0].ptr = x;
  inputs[1].ptr = y;
  outputs[0].ptr = total;
  outputs[1].ptr = twice;
  shapes[0] = total_shape;
  shapes[1] = twice_shape;
  CHECK(AITemplateModelContainerRun(handle, inputs, 2, outputs, 2, NULL, true, false, shapes) == 0);
  CHECK(total_shape[0] == 2 && twice_shape[1] == 4);
  CHECK(twice[7] == 16);
  run_options.struct_size = sizeof(run_options);
  run_options.num_threads = 1;
  CHECK(AITemplateModelContainerRunWithOptions(handle, inputs, 2, outputs, 2, &run_options) == 0);
  CHECK(AITemplateModelContainerRun(handle, inputs, 1, outputs, 2, NULL, true, false, NULL) != 0);
  CHECK(AITemplateModelContainerBenchmark(handle, inputs, 2, outputs, 2, NULL, false, 3, 2, false,
                                          &milliseconds, NULL) == 0);
  CHECK(AITemplateModelContainerProfile(handle, inputs, 2, outputs, 2, NULL, 1, NULL) != 0);
  CHECK(AITemplateModelContainerSetDoubleBufferConstant(handle, NULL, "b", &tensor) == 0);
  CHECK(AITemplateModelContainerFoldConstantsInDoubleBuffer(handle, NULL, true) == 0);
  CHECK(AITemplateModelContainerSwapConstants(handle) == 0);
  figures.struct_size = sizeof(figures);
  CHECK(AITemplateModelContainerGetMemoryFigures(handle, &figures) == 0 && figures.folded == 48);

  CHECK(AITemplateDeviceMalloc(&memory, 64, NULL, true) == 0);
  CHECK(AITemplateMemcpy(memory, x, sizeof(x), AITemplateMemcpyKind_HostToDevice, NULL, true) == 0);
  CHECK(memcmp(memory, x, sizeof(x)) == 0);
  CHECK(AITemplateDeviceFree(memory, NULL, true) == 0);

  CHECK(AITemplateModelContainerDelete(handle) == 0);
  CHECK(AITemplateAllocatorDelete(allocator) == 0);
  return failures;
}
