// AITemplate's C ABI.
#include "c_api.h"
#include "constants.h"

namespace ait {

bool isGiven(const void* pointer, const char* name) {
  return pointer != nullptr || fail("%s is null, expected a pointer", name);
}

bool isBelow(size_t index, int32_t count, const char* kind) {
  return index < static_cast<size_t>(count) ||
         fail("found %s %zu, but the model has %d, counted from 0", kind, index, count);
}

bool isMemcpyKind(AITemplateMemcpyKind kind) {
  const int number = static_cast<int>(kind);
  return (number >= 0 && number <= 2) ||
         fail(
             "found kind = %d, expected 0 (host to device), 1 (device to host) or 2 (device to "
             "device)",
             number);
}

ModelContainer* open(AITemplateModelHandle handle) {
  if (!isGiven(handle, "handle")) return nullptr;
  ModelContainer* container = reinterpret_cast<ModelContainer*>(handle);
  if (container->belongsTo(*aitModelDescription())) return container;
  fail(
      "the handle was made by another library than model '%s': call the functions of the library "
      "that made it",
      aitModelDescription()->name);
  return nullptr;
}

}  // namespace ait

using namespace ait;

namespace {

bool getShape(const int64_t* extents, int32_t rank, AITemplateParamShape* out) {
  *out = AITemplateParamShape(extents, static_cast<size_t>(rank));
  return true;
}

RunArguments makeArguments(const AITData* inputs, size_t inputCount, AITData* outputs,
                           size_t outputCount, AITemplateStreamHandle stream, bool usesGraph,
                           int64_t** outputShapes) {
  RunArguments arguments = {inputs, inputCount, outputs, outputCount, outputShapes, 0};
  arguments.stream = stream;
  arguments.usesGraph = usesGraph;
  return arguments;
}

}  // namespace

extern "C" {

// MARK: - Life

AITemplateError AITemplateModelContainerCreate(AITemplateModelHandle* ret, size_t num_runtimes,
                                               AITemplateAllocator* allocator) {
  return answer(__func__, [&] {
    if (!isGiven(ret, "ret")) return false;
    ContainerOptions options;
    options.runtimeCount = num_runtimes;
    options.allocator = allocator;
    ModelContainer* container = ModelContainer::make(*aitModelDescription(), options);
    if (container) *ret = reinterpret_cast<AITemplateModelHandle>(container);
    return container != nullptr;
  });
}

AITemplateError AITemplateModelContainerDelete(AITemplateModelHandle handle) {
  return answer(__func__, handle, [](ModelContainer& container) {
    ModelContainer::destroy(&container);
    return true;
  });
}

// MARK: - Constants

AITemplateError AITemplateModelContainerSetConstant(AITemplateModelHandle handle, const char* name,
                                                    const AITData* tensor) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return isGiven(name, "name") && isGiven(tensor, "tensor") &&
           container.constants().set(&name, tensor, 1);
  });
}

AITemplateError AITemplateModelContainerSetManyConstants(AITemplateModelHandle handle,
                                                         const char** names, const AITData* tensors,
                                                         size_t num_tensors) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return container.constants().set(names, tensors, num_tensors);
  });
}

AITemplateError AITemplateModelContainerSetDoubleBufferConstant(AITemplateModelHandle handle,
                                                                AITemplateStreamHandle stream,
                                                                const char* name,
                                                                const AITData* tensor) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return isGiven(name, "name") && isGiven(tensor, "tensor") &&
           container.constants().setInDoubleBuffer(&name, tensor, 1, stream);
  });
}

AITemplateError AITemplateModelContainerSetManyDoubleBufferConstants(AITemplateModelHandle handle,
                                                                     AITemplateStreamHandle stream,
                                                                     const char** names,
                                                                     const AITData* tensors,
                                                                     size_t num_tensors) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return container.constants().setInDoubleBuffer(names, tensors, num_tensors, stream);
  });
}

AITemplateError AITemplateModelContainerGetNumConstants(AITemplateModelHandle handle,
                                                        bool unbound_constants_only,
                                                        bool constant_folding_inputs_only,
                                                        size_t* num_constants_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(num_constants_out, "num_constants_out")) return false;
    *num_constants_out =
        container.constants().count(unbound_constants_only, constant_folding_inputs_only);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetConstantNames(AITemplateModelHandle handle,
                                                         bool unbound_constants_only,
                                                         bool constant_folding_inputs_only,
                                                         const char** constant_names_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const Constants& constants = container.constants();
    if (constants.count(unbound_constants_only, constant_folding_inputs_only) == 0) return true;
    if (!isGiven(constant_names_out, "constant_names_out")) return false;
    constants.writeNames(unbound_constants_only, constant_folding_inputs_only, constant_names_out);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetConstantDtype(AITemplateModelHandle handle,
                                                         const char* name, AITemplateDtype* dtype) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(name, "name") || !isGiven(dtype, "dtype")) return false;
    const int32_t index = container.constants().find(name);
    if (index < 0) return false;
    *dtype = static_cast<AITemplateDtype>(container.model().constants[index].dtype);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetConstantOriginalName(AITemplateModelHandle handle,
                                                                const char* name,
                                                                const char** original_name_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(name, "name") || !isGiven(original_name_out, "original_name_out")) return false;
    const int32_t index = container.constants().find(name);
    if (index < 0) return false;
    const ConstantDescription& constant = container.model().constants[index];
    *original_name_out = constant.originalName ? constant.originalName : constant.name;
    return true;
  });
}

AITemplateError AITemplateModelContainerFoldConstants(AITemplateModelHandle handle,
                                                      AITemplateStreamHandle stream, bool) {
  return answer(__func__, handle,
                [&](ModelContainer& container) { return container.constants().fold(stream); });
}

AITemplateError AITemplateModelContainerFoldConstantsInDoubleBuffer(AITemplateModelHandle handle,
                                                                    AITemplateStreamHandle stream,
                                                                    bool) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return container.constants().foldInDoubleBuffer(stream);
  });
}

AITemplateError AITemplateModelContainerSwapConstants(AITemplateModelHandle handle) {
  return answer(__func__, handle,
                [](ModelContainer& container) { return container.constants().swap(); });
}

// MARK: - Running

AITemplateError AITemplateModelContainerRun(AITemplateModelHandle handle, const AITData* inputs,
                                            size_t num_inputs, AITData* outputs, size_t num_outputs,
                                            AITemplateStreamHandle stream, bool sync,
                                            bool graph_mode, int64_t** output_shapes_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    RunArguments arguments = makeArguments(inputs, num_inputs, outputs, num_outputs, stream,
                                           graph_mode, output_shapes_out);
    arguments.isSynchronous = sync;
    return container.run(arguments);
  });
}

AITemplateError AITemplateModelContainerRunWithOutputsOnHost(
    AITemplateModelHandle handle, const AITData* inputs, size_t num_inputs, AITData* outputs,
    size_t num_outputs, AITemplateStreamHandle stream, bool graph_mode,
    int64_t** output_shapes_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    RunArguments arguments = makeArguments(inputs, num_inputs, outputs, num_outputs, stream,
                                           graph_mode, output_shapes_out);
    arguments.hasOutputsOnHost = true;
    return container.run(arguments);
  });
}

AITemplateError AITemplateModelContainerProfile(AITemplateModelHandle handle, const AITData* inputs,
                                                size_t num_inputs, AITData* outputs,
                                                size_t num_outputs, AITemplateStreamHandle stream,
                                                size_t num_iters, const char* filename) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return container.profile(
        makeArguments(inputs, num_inputs, outputs, num_outputs, stream, false, nullptr), num_iters,
        filename);
  });
}

AITemplateError AITemplateModelContainerBenchmark(AITemplateModelHandle handle,
                                                  const AITData* inputs, size_t num_inputs,
                                                  AITData* outputs, size_t num_outputs,
                                                  AITemplateStreamHandle stream, bool graph_mode,
                                                  size_t count, size_t num_threads,
                                                  bool use_unique_stream_per_thread,
                                                  float* runtime_ms, int64_t** output_shapes_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return isGiven(runtime_ms, "runtime_ms") &&
           container.benchmark(makeArguments(inputs, num_inputs, outputs, num_outputs, stream,
                                             graph_mode, output_shapes_out),
                               {count, num_threads, use_unique_stream_per_thread}, *runtime_ms);
  });
}

// MARK: - Questions

AITemplateError AITemplateModelContainerGetNumInputs(AITemplateModelHandle handle,
                                                     size_t* num_inputs_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(num_inputs_out, "num_inputs_out")) return false;
    *num_inputs_out = static_cast<size_t>(container.model().inputCount);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetInputName(AITemplateModelHandle handle, size_t input_idx,
                                                     const char** input_name_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    if (!isGiven(input_name_out, "input_name_out")) return false;
    if (!isBelow(input_idx, model.inputCount, "input")) return false;
    *input_name_out = model.inputs[input_idx].name;
    return true;
  });
}

AITemplateError AITemplateModelContainerGetMaximumInputShape(AITemplateModelHandle handle,
                                                             size_t input_idx,
                                                             AITemplateParamShape* shape) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    return isGiven(shape, "shape") && isBelow(input_idx, model.inputCount, "input") &&
           getShape(model.inputs[input_idx].maximumShape, model.inputs[input_idx].rank, shape);
  });
}

AITemplateError AITemplateModelContainerGetInputDtype(AITemplateModelHandle handle,
                                                      size_t input_idx,
                                                      AITemplateDtype* input_dtype) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    if (!isGiven(input_dtype, "input_dtype")) return false;
    if (!isBelow(input_idx, model.inputCount, "input")) return false;
    *input_dtype = static_cast<AITemplateDtype>(model.inputs[input_idx].dtype);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetNumOutputs(AITemplateModelHandle handle,
                                                      size_t* num_outputs_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(num_outputs_out, "num_outputs_out")) return false;
    *num_outputs_out = static_cast<size_t>(container.model().outputCount);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetOutputName(AITemplateModelHandle handle,
                                                      size_t output_idx,
                                                      const char** output_name_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    if (!isGiven(output_name_out, "output_name_out")) return false;
    if (!isBelow(output_idx, model.outputCount, "output")) return false;
    *output_name_out = model.outputs[output_idx].name;
    return true;
  });
}

AITemplateError AITemplateModelContainerGetMaximumOutputShape(AITemplateModelHandle handle,
                                                              size_t output_idx,
                                                              AITemplateParamShape* shape_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    return isGiven(shape_out, "shape_out") && isBelow(output_idx, model.outputCount, "output") &&
           getShape(model.outputs[output_idx].maximumShape, model.outputs[output_idx].rank,
                    shape_out);
  });
}

AITemplateError AITemplateModelContainerGetOutputDtype(AITemplateModelHandle handle,
                                                       size_t output_idx, AITemplateDtype* out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    const ModelDescription& model = container.model();
    if (!isGiven(out, "out") || !isBelow(output_idx, model.outputCount, "output")) return false;
    *out = static_cast<AITemplateDtype>(model.outputs[output_idx].dtype);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetNumRuntimes(AITemplateModelHandle handle,
                                                       size_t* num_runtimes_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(num_runtimes_out, "num_runtimes_out")) return false;
    *num_runtimes_out = container.runtimeCount();
    return true;
  });
}

}  // extern "C"
