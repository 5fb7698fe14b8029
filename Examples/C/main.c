// Calls a compiled model from plain C: `make -C Examples/C` compiles Examples/Graphs/mlp.ait, links
// this file with the library and runs it.
#include <stdio.h>
#include <stdlib.h>

#include "ait/ait.h"

enum { kBatch = 3, kInputs = 64, kHidden = 128, kClasses = 10 };

/// Ends the program with the library's own words if a call failed.
static void check(AITemplateError error) {
  if (error == AITemplateError_Success) return;
  fprintf(stderr, "%s\n", AITemplateGetLastError());
  exit(1);
}

/// A tensor over memory that stays the caller's.
static AITData tensor(float* elements, const int64_t* extents, size_t rank) {
  AITData data = {elements, {extents, rank}, AITemplateDtype_kFloat};
  return data;
}

/// Numbers in -0.1...0.1, the same on every run.
static void fill(float* elements, size_t count) {
  static uint32_t state = 1;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    elements[i] = (float)(state >> 8) / (float)(1 << 24) * 0.2f - 0.1f;
  }
}

int main(void) {
  AITemplateModelHandle model;
  AITemplateCreateOptions options = {.struct_size = sizeof options, .num_threads = 1};
  check(AITemplateModelContainerCreateWithOptions(&model, &options));

  // The library was compiled without weights: they are read from here as long as the model lives.
  static float w1[kHidden * kInputs], b1[kHidden], w2[kClasses * kHidden], b2[kClasses];
  fill(w1, kHidden * kInputs);
  fill(b1, kHidden);
  fill(w2, kClasses * kHidden);
  fill(b2, kClasses);
  const int64_t shape1[] = {kHidden, kInputs}, shape2[] = {kClasses, kHidden};
  const char* names[] = {"w1", "b1", "w2", "b2"};
  const AITData weights[] = {tensor(w1, shape1, 2), tensor(b1, shape1, 1), tensor(w2, shape2, 2),
                             tensor(b2, shape2, 1)};
  check(AITemplateModelContainerSetManyConstants(model, names, weights, 4));

  static float x[kBatch * kInputs], y[kBatch * kClasses];
  fill(x, kBatch * kInputs);
  const int64_t inputShape[] = {kBatch, kInputs}, outputShape[] = {kBatch, kClasses};
  const AITData input = tensor(x, inputShape, 2);
  AITData output = tensor(y, outputShape, 2);
  int64_t actual[2];
  int64_t* actualShapes[] = {actual};
  check(AITemplateModelContainerRun(model, &input, 1, &output, 1, NULL, true, false, actualShapes));

  for (int64_t row = 0; row < actual[0]; ++row) {
    for (int64_t column = 0; column < actual[1]; ++column)
      printf(" %.4f", y[row * actual[1] + column]);
    printf("\n");
  }
  check(AITemplateModelContainerDelete(model));
  return 0;
}
