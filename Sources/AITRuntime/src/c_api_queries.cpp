// Questions to a container that take its runtimes or constants: part of `ait.h`.
#include "c_api.h"
#include "constants.h"
#include "runtime.h"

using namespace ait;

namespace ait {

bool Runtime::inferOutputShapes(const AITData* inputs, size_t inputCount, int64_t** shapes) {
  // The outputs are not looked at; their number has to be right.
  AITData unused;
  RunArguments arguments = {};
  arguments.inputs = inputs;
  arguments.inputCount = inputCount;
  arguments.outputs = &unused;
  arguments.outputCount = static_cast<size_t>(model_.outputCount);
  if (!checkInputTypes(arguments) || !bindSymbols(arguments) || !checkInputs(arguments)) {
    return false;
  }
  writeOutputShapes(shapes);
  return true;
}

}  // namespace ait

extern "C" {

AITemplateError AITemplateModelContainerInferOutputShapes(AITemplateModelHandle handle,
                                                          const AITData* inputs, size_t num_inputs,
                                                          int64_t** output_shapes_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(output_shapes_out, "output_shapes_out")) return false;
    Runtime* runtime = container.acquireRuntime(nullptr);
    const bool isDone = runtime->inferOutputShapes(inputs, num_inputs, output_shapes_out);
    container.releaseRuntime(runtime);
    return isDone;
  });
}

AITemplateError AITemplateModelContainerGetFoldedValue(AITemplateModelHandle handle,
                                                       size_t folded_idx, const void** data_out,
                                                       size_t* size_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    if (!isGiven(data_out, "data_out") || !isGiven(size_out, "size_out")) return false;
    if (!isBelow(folded_idx, model.foldedCount, "folded value")) return false;
    const Snapshot* constants = container.constants().acquire(nullptr);
    if (!constants) return false;
    *data_out = constants->folded[folded_idx];
    *size_out = static_cast<size_t>(model.folded[folded_idx].sizeInBytes);
    container.constants().release(constants);
    return true;
  });
}

}  // extern "C"
