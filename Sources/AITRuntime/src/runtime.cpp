#include "runtime.h"

#include "error.h"
#include "tensors.h"

namespace ait {

// MARK: - Life

bool Runtime::prepare() {
  const size_t stepCount = static_cast<size_t>(model_.stepCount);
  size_t operandCount = 0;
  size_t sizeCount = 0;
  size_t tensorCount = 0;
  size_t constantCount = 0;
  for (size_t index = 0; index < stepCount; ++index) {
    const StepDescription& step = model_.steps[index];
    operandCount += static_cast<size_t>(step.operandCount);
    sizeCount += static_cast<size_t>(step.sizeCount);
    for (int32_t operand = 0; operand < step.operandCount; ++operand) {
      const Space space = step.operands[operand].space;
      tensorCount += space == Space::input || space == Space::output ? 1 : 0;
      constantCount += space == Space::constant || space == Space::folded ? 1 : 0;
    }
  }
  if (!symbols_.allocate(static_cast<size_t>(model_.symbolCount)) ||
      !newSymbols_.allocate(static_cast<size_t>(model_.symbolCount)) ||
      !dimensions_.allocate(static_cast<size_t>(model_.dimensionCount)) ||
      !buffers_.allocate(operandCount) || !sizes_.allocate(sizeCount) ||
      !workspaces_.allocate(stepCount) || !bufferStarts_.allocate(stepCount) ||
      !sizeStarts_.allocate(stepCount) || !tensorSlots_.allocate(tensorCount) ||
      !constantSlots_.allocate(constantCount) ||
      !inputSizes_.allocate(static_cast<size_t>(model_.inputCount)) ||
      !outputSizes_.allocate(static_cast<size_t>(model_.outputCount))) {
    return failForMemory(operandCount * sizeof(void*), "the tables of a runtime");
  }

  uint32_t buffer = 0;
  uint32_t size = 0;
  size_t tensor = 0;
  size_t constant = 0;
  for (size_t index = 0; index < stepCount; ++index) {
    const StepDescription& step = model_.steps[index];
    bufferStarts_[index] = buffer;
    sizeStarts_[index] = size;
    size += static_cast<uint32_t>(step.sizeCount);
    for (int32_t operand = 0; operand < step.operandCount; ++operand, ++buffer) {
      const OperandReference& reference = step.operands[operand];
      const Slot slot = {buffer, reference.space, reference.index, reference.offset};
      if (reference.space == Space::input || reference.space == Space::output) {
        tensorSlots_[tensor++] = slot;
      } else if (reference.space != Space::arena) {
        constantSlots_[constant++] = slot;
      }
    }
  }
  return memory_.allocate(static_cast<size_t>(model_.arenaBoundInBytes), "a runtime's arena",
                          arena_);
}

Runtime::~Runtime() {
  if (queue_) queue_->destroy();  // which waits for what is under way in the arena
  memory_.free(arena_);
}

size_t Runtime::tableSizeInBytes() const {
  return sizeof(Runtime) +
         sizeof(int64_t) * (symbols_.count() + newSymbols_.count() + dimensions_.count() +
                            sizes_.count() + inputSizes_.count() + outputSizes_.count()) +
         sizeof(void*) * (buffers_.count() + workspaces_.count()) +
         sizeof(uint32_t) * (bufferStarts_.count() + sizeStarts_.count()) +
         sizeof(Slot) * (tensorSlots_.count() + constantSlots_.count());
}

void Runtime::invalidate() {
  hasSizes_ = false;
  boundConstants_ = 0;
}

// MARK: - Run

bool Runtime::run(const RunArguments& arguments, const Snapshot& constants, StepTime* times) {
  if (!check(arguments, constants)) return false;
  if (queue_) return runOnDevice(arguments, constants, times);
  bindTensors(arguments);
  if (boundConstants_ != constants.version) bindConstants(constants);
  team_.begin(arguments.threadLimit);
  runSteps(times);
  if (!team_.end()) return false;
  if (arguments.outputShapes) writeOutputShapes(arguments.outputShapes);
  return true;
}

/// Puts the steps into the queue of the device; the tables are read before it returns.
bool Runtime::runOnDevice(const RunArguments& arguments, const Snapshot& constants,
                          StepTime* times) {
  if (arguments.hasInputsOnHost || arguments.hasOutputsOnHost) {
    return queue_->runFromHost(*this, arguments, inputSizes_.data(), outputSizes_.data(),
                               constants);
  }
  if (!queue_->check(arguments, inputSizes_.data(), outputSizes_.data())) return false;
  bindTensors(arguments);
  if (boundConstants_ != constants.version) bindConstants(constants);
  const auto enqueue = [](void* runtime) { static_cast<Runtime*>(runtime)->runSteps(nullptr); };
  const DeviceRun run = {arguments.stream,
                         arguments.isSynchronous,
                         arguments.usesGraph,
                         symbols_.data(),
                         symbols_.count(),
                         &arguments,
                         constants.version,
                         model_.steps,
                         workspaces_.count(),
                         times,
                         enqueue,
                         this};
  if (!queue_->run(run)) return false;
  if (arguments.outputShapes) writeOutputShapes(arguments.outputShapes);
  return true;
}

/// Fills what depends on the symbols alone.
bool Runtime::bindSizes() {
  hasSizes_ = false;
  boundConstants_ = 0;  // their offsets are entries of the dimension table, too
  if (model_.dimensionCount > 0) model_.evaluateDimensions(symbols_.data(), dimensions_.data());
  const int64_t* dimensions = dimensions_.data();
  if (!checkConstraints()) return false;
  if (model_.arenaBoundInBytes > 0 && dimensions[model_.arenaSize] > model_.arenaBoundInBytes) {
    return fail(
        "found an arena of %lld bytes for these shapes, expected at most %lld: the library "
        "is inconsistent; report it as a defect of the compiler",
        static_cast<long long>(dimensions[model_.arenaSize]),
        static_cast<long long>(model_.arenaBoundInBytes));
  }
  void** buffers = buffers_.data();
  int64_t* sizes = sizes_.data();
  for (int32_t index = 0; index < model_.stepCount; ++index) {
    const StepDescription& step = model_.steps[index];
    for (int32_t operand = 0; operand < step.operandCount; ++operand, ++buffers) {
      const OperandReference& reference = step.operands[operand];
      if (reference.space != Space::arena) continue;
      *buffers = atOffset(arena_.data, reference.offset, dimensions);
    }
    for (int32_t size = 0; size < step.sizeCount; ++size) *sizes++ = dimensions[step.sizes[size]];
    workspaces_[static_cast<size_t>(index)] =
        step.workspace < 0 ? nullptr : atOffset(arena_.data, step.workspace, dimensions);
  }
  hasSizes_ = true;
  return true;
}

/// Before any step: kernels rely on what they are told of sizes.
bool Runtime::checkConstraints() const {
  for (int32_t index = 0; index < model_.constraintCount; ++index) {
    const ConstraintDescription& constraint = model_.constraints[index];
    if (dimension(constraint.margin) >= 0) continue;
    return fail("node '%s': found %s%lld for %s, expected %s%lld: pass inputs whose sizes fit "
                "together",
                constraint.node, constraint.found,
                static_cast<long long>(dimension(constraint.foundValue)), constraint.subject,
                constraint.expected, static_cast<long long>(dimension(constraint.bound)));
  }
  return true;
}

void Runtime::bindTensors(const RunArguments& arguments) {
  for (const Slot& slot : tensorSlots_) {
    const void* base = slot.space == Space::input ? arguments.inputs[slot.index].ptr
                                                  : arguments.outputs[slot.index].ptr;
    buffers_[slot.position] = atOffset(base, slot.offset, dimensions_.data());
  }
}

void Runtime::bindConstants(const Snapshot& constants) {
  for (const Slot& slot : constantSlots_) {
    const size_t index = static_cast<size_t>(slot.index);
    const void* base =
        slot.space == Space::constant ? constants.constants[index] : constants.folded[index];
    buffers_[slot.position] = atOffset(base, slot.offset, dimensions_.data());
  }
  boundConstants_ = constants.version;
}

void Runtime::runSteps(StepTime* times) {
  for (size_t index = 0; index < workspaces_.count(); ++index) {
    const StepDescription& step = model_.steps[index];
    const KernelContext context = {buffers_.data() + bufferStarts_[index],
                                   sizes_.data() + sizeStarts_[index], workspaces_[index], team_,
                                   queue_};
    if (queue_) queue_->enter(index);
    team_.enter(step);
    if (!times) {
      step.kernel(context);
      continue;
    }
    const int64_t begin = nowInNanoseconds();
    step.kernel(context);
    const int64_t duration = nowInNanoseconds() - begin;
    StepTime& time = times[index];
    time.total += duration;
    if (time.shortest == 0 || duration < time.shortest) time.shortest = duration;
  }
}

void Runtime::writeOutputShapes(int64_t** shapes) const {
  for (int32_t index = 0; index < model_.outputCount; ++index) {
    const TensorDescription& output = model_.outputs[index];
    for (int32_t axis = 0; axis < output.rank; ++axis) {
      shapes[index][axis] = dimension(output.dimensions[axis]);
    }
  }
}

}  // namespace ait
