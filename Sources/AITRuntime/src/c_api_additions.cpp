// What the C ABI has beyond AITemplate's: `ait.h`.
#include <cstring>

#include "c_api.h"
#include "constants.h"

using namespace ait;

namespace {

/// Copies a structure from a caller whose header may be older or newer than ours.
template <class Structure>
bool readOptions(const Structure* given, Structure& options) {
  options = Structure();
  if (!given) return true;
  const size_t size = given->struct_size;
  if (size < sizeof(size_t) || size % alignof(Structure) != 0) {
    return fail(
        "found options->struct_size = %zu, expected %zu: set it to the sizeof the structure", size,
        sizeof(Structure));
  }
  std::memcpy(&options, given, size < sizeof(Structure) ? size : sizeof(Structure));
  for (size_t byte = sizeof(Structure); byte < size; ++byte) {
    if (reinterpret_cast<const unsigned char*>(given)[byte] == 0) continue;
    return fail(
        "found an option that this library does not know (options->struct_size = %zu, the "
        "library's is %zu): leave it zero, or compile the model with a newer compiler",
        size, sizeof(Structure));
  }
  return true;
}

bool getText(const char* text, const char** out, const char* name) {
  if (!isGiven(out, name)) return false;
  *out = text ? text : "";
  return true;
}

bool getStepText(ModelContainer& container, size_t index, const char* StepDescription::* field,
                 const char** out, const char* name) {
  const ModelDescription& model = container.model();
  return isBelow(index, model.stepCount, "step") && getText(model.steps[index].*field, out, name);
}

bool getMinimumShape(const TensorDescription& tensor, AITemplateParamShape* out) {
  *out = AITemplateParamShape(tensor.minimumShape, static_cast<size_t>(tensor.rank));
  return true;
}

}  // namespace

extern "C" {

const char* AITemplateGetLastError(void) { return lastError(); }

// MARK: - Options

AITemplateError AITemplateModelContainerCreateWithOptions(AITemplateModelHandle* ret,
                                                          const AITemplateCreateOptions* options) {
  return answer(__func__, [&] {
    AITemplateCreateOptions given;
    if (!isGiven(ret, "ret") || !readOptions(options, given)) return false;
    ContainerOptions chosen;
    chosen.runtimeCount = given.num_runtimes == 0 ? 1 : given.num_runtimes;
    chosen.threadCount = given.num_threads;
    chosen.allocator = given.allocator;
    chosen.device = given.device;
    ModelContainer* container = ModelContainer::make(*aitModelDescription(), chosen);
    if (container) *ret = reinterpret_cast<AITemplateModelHandle>(container);
    return container != nullptr;
  });
}

AITemplateError AITemplateModelContainerRunWithOptions(AITemplateModelHandle handle,
                                                       const AITData* inputs, size_t num_inputs,
                                                       AITData* outputs, size_t num_outputs,
                                                       const AITemplateRunOptions* options) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    AITemplateRunOptions given;
    if (!readOptions(options, given)) return false;
    const size_t limit = container.threadCount();
    const size_t threadCount = given.num_threads < limit ? given.num_threads : limit;
    return container.run({inputs, num_inputs, outputs, num_outputs, given.output_shapes_out,
                          static_cast<int32_t>(threadCount)});
  });
}

AITemplateError AITemplateModelContainerGetNumThreads(AITemplateModelHandle handle,
                                                      size_t* num_threads_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(num_threads_out, "num_threads_out")) return false;
    *num_threads_out = container.threadCount();
    return true;
  });
}

// MARK: - Shapes

AITemplateError AITemplateModelContainerGetMinimumInputShape(AITemplateModelHandle handle,
                                                             size_t input_idx,
                                                             AITemplateParamShape* shape_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return isGiven(shape_out, "shape_out") &&
           isBelow(input_idx, container.model().inputCount, "input") &&
           getMinimumShape(container.model().inputs[input_idx], shape_out);
  });
}

AITemplateError AITemplateModelContainerGetMinimumOutputShape(AITemplateModelHandle handle,
                                                              size_t output_idx,
                                                              AITemplateParamShape* shape_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return isGiven(shape_out, "shape_out") &&
           isBelow(output_idx, container.model().outputCount, "output") &&
           getMinimumShape(container.model().outputs[output_idx], shape_out);
  });
}

AITemplateError AITemplateModelContainerGetConstantShape(AITemplateModelHandle handle,
                                                         const char* name,
                                                         AITemplateParamShape* shape_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(name, "name") || !isGiven(shape_out, "shape_out")) return false;
    const int32_t index = container.constants().find(name);
    if (index < 0) return false;
    const ConstantDescription& constant = container.model().constants[index];
    *shape_out = AITemplateParamShape(constant.shape, static_cast<size_t>(constant.rank));
    return true;
  });
}

// MARK: - Steps

AITemplateError AITemplateModelContainerGetNumSteps(AITemplateModelHandle handle,
                                                    size_t* num_steps_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(num_steps_out, "num_steps_out")) return false;
    *num_steps_out = static_cast<size_t>(container.model().stepCount);
    return true;
  });
}

AITemplateError AITemplateModelContainerGetStepName(AITemplateModelHandle handle, size_t step_idx,
                                                    const char** name_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return getStepText(container, step_idx, &StepDescription::name, name_out, "name_out");
  });
}

AITemplateError AITemplateModelContainerGetStepOperation(AITemplateModelHandle handle,
                                                         size_t step_idx,
                                                         const char** operation_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return getStepText(container, step_idx, &StepDescription::operation, operation_out,
                       "operation_out");
  });
}

AITemplateError AITemplateModelContainerGetStepKernelName(AITemplateModelHandle handle,
                                                          size_t step_idx,
                                                          const char** kernel_name_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    return getStepText(container, step_idx, &StepDescription::kernelName, kernel_name_out,
                       "kernel_name_out");
  });
}

// MARK: - Memory

AITemplateError AITemplateModelContainerGetMemoryFigures(AITemplateModelHandle handle,
                                                         AITemplateMemoryFigures* figures_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    if (!isGiven(figures_out, "figures_out")) return false;
    const size_t size = figures_out->struct_size;
    if (size < sizeof(size_t)) {
      return fail(
          "found figures_out->struct_size = %zu, expected %zu: set it to the sizeof the "
          "structure",
          size, sizeof(AITemplateMemoryFigures));
    }
    AITemplateMemoryFigures figures = {};
    container.writeMemoryFigures(figures);
    figures.struct_size = size;
    // A caller with an older header has room for less; one with a newer gets zeroes.
    std::memset(figures_out, 0, size);
    std::memcpy(figures_out, &figures, size < sizeof(figures) ? size : sizeof(figures));
    return true;
  });
}

// MARK: - The library about itself

AITemplateError AITemplateGetModelName(const char** name_out) {
  return answer(__func__,
                [&] { return getText(aitModelDescription()->name, name_out, "name_out"); });
}

AITemplateError AITemplateGetTarget(const char** target_out) {
  return answer(__func__,
                [&] { return getText(aitModelDescription()->target, target_out, "target_out"); });
}

AITemplateError AITemplateGetCompiler(const char** compiler_out) {
  return answer(__func__, [&] {
    return getText(aitModelDescription()->compiler, compiler_out, "compiler_out");
  });
}

AITemplateError AITemplateGetManifest(const char** json_out) {
  return answer(__func__,
                [&] { return getText(aitModelDescription()->manifest, json_out, "json_out"); });
}

AITemplateError AITemplateGetGraphText(const char** text_out) {
  return answer(__func__,
                [&] { return getText(aitModelDescription()->source, text_out, "text_out"); });
}

AITemplateError AITemplateModelContainerSelfTest(AITemplateModelHandle handle,
                                                 double* largest_error_out) {
  return answer(__func__, handle, [&](ModelContainer& container) {
    double largestError = 0;
    const bool isPassed = container.selfTest(largestError);
    if (largest_error_out) *largest_error_out = largestError;
    return isPassed;
  });
}

}  // extern "C"
