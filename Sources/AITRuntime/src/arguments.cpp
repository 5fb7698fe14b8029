// Checks of what a run is given. They come before anything is written.
#include "error.h"
#include "runtime.h"
#include "tensors.h"

namespace ait {
namespace {

long long number(int64_t value) { return static_cast<long long>(value); }

bool failForType(const char* kind, size_t index, const TensorDescription& tensor,
                 AITemplateDtype found) {
  return fail("%s %zu '%s': found element type %s (%d), expected %s: convert the tensor", kind,
              index, tensor.name, dtypeName(found), static_cast<int>(found),
              dtypeName(tensor.dtype));
}

/// Adds the shape as it is declared: "[1...8, 512]".
void addBounds(Message& message, const TensorDescription& tensor) {
  message.add("[");
  for (int32_t axis = 0; axis < tensor.rank; ++axis) {
    const int64_t minimum = tensor.minimumShape[axis];
    const int64_t maximum = tensor.maximumShape[axis];
    message.add(axis == 0 ? "%lld" : ", %lld", number(minimum));
    if (minimum != maximum) message.add("...%lld", number(maximum));
  }
  message.add("]");
}

bool failForShape(const char* kind, size_t index, const TensorDescription& tensor,
                  const AITemplateParamShape& found, const char* reason) {
  Message message;
  message.add("%s %zu '%s': found shape ", kind, index, tensor.name)
      .addShape(found.shape_data, found.size, static_cast<size_t>(tensor.rank))
      .add(", expected ");
  addBounds(message, tensor);
  return fail(message.add("%s", reason));
}

bool checkMemory(const char* kind, size_t index, const TensorDescription& tensor, const void* found,
                 int64_t sizeInBytes) {
  if (sizeInBytes == 0) return true;
  if (!found) {
    return fail("%s %zu '%s': the pointer is null, expected %lld bytes of memory", kind, index,
                tensor.name, number(sizeInBytes));
  }
  const size_t elementSize = elementSizeInBytes(tensor.dtype);
  if (isAligned(found, elementSize)) return true;
  return fail(
      "%s %zu '%s': found the pointer %p, expected a multiple of %zu (the size of a %s): "
      "align the memory",
      kind, index, tensor.name, found, elementSize, dtypeName(tensor.dtype));
}

bool overlap(const void* left, int64_t leftSize, const void* right, int64_t rightSize) {
  const uintptr_t leftBegin = reinterpret_cast<uintptr_t>(left);
  const uintptr_t rightBegin = reinterpret_cast<uintptr_t>(right);
  return leftSize > 0 && rightSize > 0 &&
         leftBegin < rightBegin + static_cast<uintptr_t>(rightSize) &&
         rightBegin < leftBegin + static_cast<uintptr_t>(leftSize);
}

}  // namespace

bool Runtime::check(const RunArguments& arguments, const Snapshot& constants) {
  return checkInputTypes(arguments) && bindSymbols(arguments) && checkInputs(arguments) &&
         checkOutputs(arguments) && checkOverlaps(arguments) &&
         checkConstantOverlaps(arguments, constants);
}

/// Counts, types and ranks: what makes it safe to look at the extents.
bool Runtime::checkInputTypes(const RunArguments& arguments) const {
  const size_t inputCount = static_cast<size_t>(model_.inputCount);
  const size_t outputCount = static_cast<size_t>(model_.outputCount);
  if (arguments.inputCount != inputCount) {
    return fail(
        "found %zu inputs, expected %zu: pass all, in the order of "
        "AITemplateModelContainerGetInputName",
        arguments.inputCount, inputCount);
  }
  if (arguments.outputCount != outputCount) {
    return fail(
        "found %zu outputs, expected %zu: pass all, in the order of "
        "AITemplateModelContainerGetOutputName",
        arguments.outputCount, outputCount);
  }
  if (!arguments.inputs && inputCount > 0) {
    return fail("the array of inputs is null, expected %zu tensors", inputCount);
  }
  if (!arguments.outputs && outputCount > 0) {
    return fail("the array of outputs is null, expected %zu tensors", outputCount);
  }
  for (size_t index = 0; index < inputCount; ++index) {
    const TensorDescription& input = model_.inputs[index];
    const AITData& given = arguments.inputs[index];
    if (static_cast<DType>(given.dtype) != input.dtype) {
      return failForType("input", index, input, given.dtype);
    }
    if (!given.shape.shape_data && given.shape.size > 0) {
      return fail("input %zu '%s': the shape's data is null, expected %d extents", index,
                  input.name, input.rank);
    }
    if (given.shape.size != static_cast<size_t>(input.rank)) {
      return failForShape("input", index, input, given.shape, ": pass a tensor of as many axes");
    }
  }
  return true;
}

/// Reads the symbols off the inputs and, if they are not those of the last run, fills the tables.
bool Runtime::bindSymbols(const RunArguments& arguments) {
  // Unread symbols keep their minimum; only those with one legal value can be unread.
  for (size_t index = 0; index < newSymbols_.count(); ++index) newSymbols_[index] = INT64_MIN;
  for (int32_t index = 0; index < model_.bindingCount; ++index) {
    if (!bindSymbol(arguments, model_.bindings[index])) return false;
  }
  bool isSame = hasSizes_;
  for (size_t index = 0; index < newSymbols_.count(); ++index) {
    if (newSymbols_[index] == INT64_MIN) newSymbols_[index] = model_.symbols[index].minimum;
    isSame = isSame && newSymbols_[index] == symbols_[index];
    symbols_[index] = newSymbols_[index];
  }
  return isSame || bindSizes();
}

bool Runtime::bindSymbol(const RunArguments& arguments, const SymbolBinding& binding) {
  const size_t inputIndex = static_cast<size_t>(binding.input);
  const TensorDescription& input = model_.inputs[binding.input];
  const SymbolDescription& symbol = model_.symbols[binding.symbol];
  const int64_t divisor = binding.divisor;
  const int64_t extent = arguments.inputs[inputIndex].shape.shape_data[binding.axis];
  const int64_t value = extent / divisor;
  if (extent % divisor != 0 || value < symbol.minimum || value > symbol.maximum) {
    Message reason;
    reason.add(": axis %d has extent %lld, but must lie in %lld...%lld", binding.axis,
               number(extent), number(symbol.minimum * divisor), number(symbol.maximum * divisor));
    if (divisor != 1) reason.add(" and be a multiple of %lld", number(divisor));
    reason.add(" (symbol '%s'); pad or split the tensor, or compile the model for a wider range",
               symbol.name);
    return failForShape("input", inputIndex, input, arguments.inputs[inputIndex].shape,
                        reason.text());
  }
  int64_t& known = newSymbols_[static_cast<size_t>(binding.symbol)];
  if (known != INT64_MIN && known != value) {
    const SymbolBinding* first = model_.bindings;
    while (first->symbol != binding.symbol) ++first;
    return fail(
        "found symbol '%s' = %lld in input %d '%s' (axis %d), but = %lld in input %d '%s' "
        "(axis %d): pass inputs whose shapes agree",
        symbol.name, number(known), first->input, model_.inputs[first->input].name, first->axis,
        number(value), binding.input, input.name, binding.axis);
  }
  known = value;
  return true;
}

int64_t Runtime::sizeInBytes(const TensorDescription& tensor) const {
  int64_t size = static_cast<int64_t>(elementSizeInBytes(tensor.dtype));
  for (int32_t axis = 0; axis < tensor.rank; ++axis) size *= dimension(tensor.dimensions[axis]);
  return size;
}

/// Extents that are no symbol alone, then the memory.
bool Runtime::checkInputs(const RunArguments& arguments) {
  for (size_t index = 0; index < arguments.inputCount; ++index) {
    const TensorDescription& input = model_.inputs[index];
    const AITData& given = arguments.inputs[index];
    for (int32_t axis = 0; axis < input.rank; ++axis) {
      const int64_t expected = dimension(input.dimensions[axis]);
      if (given.shape.shape_data[axis] == expected) continue;
      Message reason;
      reason.add(": axis %d has extent %lld, but must have %lld", axis,
                 number(given.shape.shape_data[axis]), number(expected));
      if (input.minimumShape[axis] != input.maximumShape[axis]) {
        reason.add(" with the other extents given");
      }
      return failForShape("input", index, input, given.shape, reason.text());
    }
    inputSizes_[index] = sizeInBytes(input);
    if (!checkMemory("input", index, input, given.ptr, inputSizes_[index])) return false;
  }
  return true;
}

/// An output's shape tells how much memory there is; clients pass the maximum shape.
bool Runtime::checkOutputs(const RunArguments& arguments) {
  for (size_t index = 0; index < arguments.outputCount; ++index) {
    const TensorDescription& output = model_.outputs[index];
    const AITData& given = arguments.outputs[index];
    if (static_cast<DType>(given.dtype) != output.dtype) {
      return failForType("output", index, output, given.dtype);
    }
    if (!given.shape.shape_data && given.shape.size > 0) {
      return fail("output %zu '%s': the shape's data is null, expected %d extents", index,
                  output.name, output.rank);
    }
    if (given.shape.size > kLargestRank) {
      return fail("output %zu '%s': found a shape of %zu axes, expected %d", index, output.name,
                  given.shape.size, output.rank);
    }
    bool hasNegative = false;
    for (size_t axis = 0; axis < given.shape.size; ++axis) {
      hasNegative |= given.shape.shape_data[axis] < 0;
    }
    outputSizes_[index] = sizeInBytes(output);
    const int64_t elementSize = static_cast<int64_t>(elementSizeInBytes(output.dtype));
    const int64_t needed = outputSizes_[index] / elementSize;
    const int64_t room = hasNegative ? -1 : elementCount(given.shape.shape_data, given.shape.size);
    if (room < needed) {
      Message reason;
      reason.add(
          ": this run writes %lld elements, there is room for %lld; give memory for the "
          "maximum shape (AITemplateModelContainerGetMaximumOutputShape)",
          number(needed), number(hasNegative ? 0 : room));
      return failForShape("output", index, output, given.shape, reason.text());
    }
    if (!checkMemory("output", index, output, given.ptr, outputSizes_[index])) return false;
    if (arguments.outputShapes && !arguments.outputShapes[index] && output.rank > 0) {
      return fail(
          "output %zu '%s': the pointer in output_shapes_out is null, expected room for %d "
          "extents, or pass no output_shapes_out",
          index, output.name, output.rank);
    }
  }
  return true;
}

bool Runtime::checkOverlaps(const RunArguments& arguments) const {
  for (size_t index = 0; index < arguments.outputCount; ++index) {
    const void* output = arguments.outputs[index].ptr;
    const char* kind = nullptr;
    size_t other = 0;
    for (size_t input = 0; input < arguments.inputCount && !kind; ++input) {
      if (!overlap(output, outputSizes_[index], arguments.inputs[input].ptr, inputSizes_[input])) {
        continue;
      }
      kind = "input";
      other = input;
    }
    for (size_t earlier = 0; earlier < index && !kind; ++earlier) {
      if (!overlap(output, outputSizes_[index], arguments.outputs[earlier].ptr,
                   outputSizes_[earlier])) {
        continue;
      }
      kind = "output";
      other = earlier;
    }
    if (!kind) continue;
    const bool isInput = kind[0] == 'i';
    return fail(
        "output %zu '%s': its memory overlaps that of %s %zu '%s', expected memory of its "
        "own: allocate it apart",
        index, model_.outputs[index].name, kind, other,
        isInput ? model_.inputs[other].name : model_.outputs[other].name);
  }
  return true;
}

/// Values that the caller set are read where they lie: a run that writes there would change the
/// model for the runs after it, and for itself.
bool Runtime::checkConstantOverlaps(const RunArguments& arguments,
                                    const Snapshot& constants) const {
  for (size_t constant = 0; constant < constants.constants.count(); ++constant) {
    if (!constants.isSet[constant] || constants.constantBlocks[constant]) continue;
    const ConstantDescription& description = model_.constants[constant];
    for (size_t index = 0; index < arguments.outputCount; ++index) {
      if (!overlap(arguments.outputs[index].ptr, outputSizes_[index], constants.constants[constant],
                   description.sizeInBytes)) {
        continue;
      }
      return fail(
          "output %zu '%s': its memory overlaps that of constant '%s', which the model reads where "
          "it was set, expected memory of its own: allocate it apart",
          index, model_.outputs[index].name, description.name);
    }
  }
  return true;
}

}  // namespace ait
