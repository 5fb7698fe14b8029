#include "folding.h"

#include "error.h"
#include "tensors.h"

namespace ait {
namespace {

/// Calls `visit(operand)` for the operands that the step reads, or for those it writes.
template <class Visit>
void forInputs(const StepDescription& step, Visit&& visit) {
  for (int32_t slot = 0; slot < step.inputCount; ++slot) visit(step.operands[slot]);
}

template <class Visit>
void forOutputs(const StepDescription& step, Visit&& visit) {
  for (int32_t slot = step.inputCount; slot < step.operandCount; ++slot) {
    visit(step.operands[slot]);
  }
}

// An arena operand without a number shares buffer 0: then more steps run than need to, not fewer.
size_t bufferNumber(const OperandReference& operand) {
  return operand.index < 0 ? 0 : static_cast<size_t>(operand.index);
}

}  // namespace

bool Folding::prepare() {
  size_t bufferCount = 1;
  size_t operandCount = 0;
  size_t sizeCount = 0;
  if (!isRead_.allocate(static_cast<size_t>(model_.constantCount))) {
    return failForMemory(static_cast<size_t>(model_.constantCount), "the tables of folding");
  }
  const auto noteRead = [this](const OperandReference& operand) {
    if (operand.space == Space::constant) isRead_[static_cast<size_t>(operand.index)] = 1;
  };
  for (int32_t index = 0; index < model_.stepCount; ++index) {
    forInputs(model_.steps[index], noteRead);
  }
  for (int32_t index = 0; index < model_.foldStepCount; ++index) {
    const StepDescription& step = model_.foldSteps[index];
    forInputs(step, noteRead);
    for (int32_t slot = 0; slot < step.operandCount; ++slot) {
      const OperandReference& operand = step.operands[slot];
      if (operand.space != Space::arena) continue;
      if (bufferNumber(operand) >= bufferCount) bufferCount = bufferNumber(operand) + 1;
    }
    const size_t operands = static_cast<size_t>(step.operandCount);
    const size_t sizes = static_cast<size_t>(step.sizeCount);
    if (operands > operandCount) operandCount = operands;
    if (sizes > sizeCount) sizeCount = sizes;
  }
  Array<int64_t> symbols;
  if (!symbols.allocate(static_cast<size_t>(model_.symbolCount)) ||
      !dimensions_.allocate(static_cast<size_t>(model_.dimensionCount)) ||
      !mustRun_.allocate(static_cast<size_t>(model_.foldStepCount)) ||
      !isNeeded_.allocate(bufferCount) ||
      !isRewritten_.allocate(static_cast<size_t>(model_.foldedCount)) ||
      !blocks_.allocate(static_cast<size_t>(model_.foldedCount)) ||
      !buffers_.allocate(operandCount) || !sizes_.allocate(sizeCount)) {
    return failForMemory(dimensions_.count(), "the tables of folding");
  }
  for (size_t index = 0; index < symbols.count(); ++index) {
    symbols[index] = model_.symbols[index].minimum;
  }
  if (model_.dimensionCount > 0) model_.evaluateDimensions(symbols.data(), dimensions_.data());
  return true;
}

void Folding::markInitial(Snapshot& snapshot) const {
  for (size_t index = 0; index < snapshot.isStale.count(); ++index) {
    forOutputs(model_.foldSteps[index], [&](const OperandReference& operand) {
      if (operand.space != Space::folded) return;
      const FoldedDescription& value = model_.folded[operand.index];
      if (!value.data && value.sizeInBytes > 0) snapshot.isStale[index] = 1;
    });
  }
}

bool Folding::markDependents(const Array<uint8_t>& isChosen, Snapshot& snapshot) {
  // Steps are in order, so one pass forward reaches all.
  bool any = false;
  for (uint8_t& flag : isNeeded_) flag = 0;
  for (uint8_t& flag : isRewritten_) flag = 0;
  for (size_t index = 0; index < snapshot.isStale.count(); ++index) {
    const StepDescription& step = model_.foldSteps[index];
    bool depends = false;
    forInputs(step, [&](const OperandReference& operand) {
      if (operand.space == Space::constant) {
        depends |= isChosen[static_cast<size_t>(operand.index)] != 0;
      } else if (operand.space == Space::folded) {
        depends |= isRewritten_[static_cast<size_t>(operand.index)] != 0;
      } else if (operand.space == Space::arena) {
        depends |= isNeeded_[bufferNumber(operand)] != 0;
      }
    });
    if (!depends) continue;
    any = true;
    snapshot.isStale[index] = 1;
    forOutputs(step, [&](const OperandReference& operand) {
      if (operand.space == Space::folded) {
        isRewritten_[static_cast<size_t>(operand.index)] = 1;
      } else if (operand.space == Space::arena) {
        isNeeded_[bufferNumber(operand)] = 1;
      }
    });
  }
  return any;
}

// Grows `mustRun_` from the stale steps until each step in it finds its arena buffers written, and
// each folded value that gets new memory is written whole. Returns whether any step must run.
bool Folding::close(const Snapshot& snapshot) {
  bool any = false;
  for (uint8_t& flag : isNeeded_) flag = 0;
  for (uint8_t& flag : isRewritten_) flag = 0;
  for (size_t index = 0; index < mustRun_.count(); ++index) {
    mustRun_[index] = snapshot.isStale[index];
    any |= mustRun_[index] != 0;
  }
  for (bool grows = any; grows;) {
    grows = false;
    for (size_t turn = mustRun_.count(); turn > 0; --turn) {
      const size_t index = turn - 1;
      const StepDescription& step = model_.foldSteps[index];
      bool writesNeeded = false;
      forOutputs(step, [&](const OperandReference& operand) {
        if (operand.space == Space::folded) {
          writesNeeded |= isRewritten_[static_cast<size_t>(operand.index)] != 0;
        } else if (operand.space == Space::arena) {
          writesNeeded |= isNeeded_[bufferNumber(operand)] != 0;
        }
      });
      if (writesNeeded && !mustRun_[index]) {
        mustRun_[index] = 1;
        grows = true;
      }
      if (!mustRun_[index]) continue;
      const auto note = [&](uint8_t& flag) {
        if (flag) return;
        flag = 1;
        grows = true;
      };
      for (int32_t slot = 0; slot < step.operandCount; ++slot) {
        const OperandReference& operand = step.operands[slot];
        if (operand.space == Space::arena) note(isNeeded_[bufferNumber(operand)]);
        if (operand.space == Space::folded && slot >= step.inputCount) {
          note(isRewritten_[static_cast<size_t>(operand.index)]);
        }
      }
    }
  }
  return any;
}

bool Folding::checkInputs(const Snapshot& snapshot) const {
  Message unset, dropped;
  int32_t unsetCount = 0;
  const char* dropper = nullptr;  // a constant whose new value wants the dropped one's data
  const char* anySet = nullptr;
  Array<uint8_t> isListed;
  if (!isListed.allocate(snapshot.constants.count())) {
    return failForMemory(snapshot.constants.count(), "folding");
  }
  for (size_t index = 0; index < mustRun_.count(); ++index) {
    if (!mustRun_[index]) continue;
    const char* setHere = nullptr;
    bool isDroppedHere = false;
    forInputs(model_.foldSteps[index], [&](const OperandReference& operand) {
      if (operand.space != Space::constant) return;
      const size_t constant = static_cast<size_t>(operand.index);
      const ConstantDescription& description = model_.constants[constant];
      if (snapshot.isSet[constant] && !setHere) setHere = description.name;
      if (snapshot.constants[constant] || description.sizeInBytes == 0) return;
      if (isListed[constant]) return;
      isListed[constant] = 1;
      if (description.isBound) {
        isDroppedHere = true;
        dropped.add(dropped.length() == 0 ? "'%s'" : ", '%s'", description.name);
      } else {
        unset.add(unsetCount++ == 0 ? "'%s'" : ", '%s'", description.name);
      }
    });
    if (isDroppedHere && !dropper) dropper = setHere;
    if (!anySet) anySet = setHere;
  }
  if (unsetCount > 0) {
    Message message;
    message.add(
        "found no value for %d constant%s that folding reads: %s; set %s with "
        "AITemplateModelContainerSetConstant first",
        unsetCount, unsetCount == 1 ? "" : "s", unset.text(), unsetCount == 1 ? "it" : "them");
    return fail(message);
  }
  if (dropped.length() > 0) {
    Message message;
    message.add(
        "found no data of %s, which is combined with '%s' when constants are folded: the "
        "library keeps the combination as compiled only; set %s too, or compile with the "
        "original data kept",
        dropped.text(),
        dropper  ? dropper
        : anySet ? anySet
                 : "another constant",
        dropped.text());
    return fail(message);
  }
  return true;
}

bool Folding::allocateFolded() {
  for (size_t index = 0; index < blocks_.count(); ++index) {
    if (!isRewritten_[index]) continue;
    blocks_[index] = Block::make(memory_, static_cast<size_t>(model_.folded[index].sizeInBytes),
                                 "folded constants");
    if (!blocks_[index]) return false;
  }
  return true;
}

bool Folding::fold(Snapshot& snapshot, Team& team, RunQueue* queue, Stream stream) {
  if (!close(snapshot)) return true;
  if (!checkInputs(snapshot)) return false;
  Region arena;
  bool isDone =
      allocateFolded() &&
      memory_.allocate(static_cast<size_t>(model_.foldArenaSizeInBytes), "folding's arena", arena);
  if (isDone) {
    uint8_t* data = static_cast<uint8_t*>(arena.data);
    isDone = queue ? runOnDevice(snapshot, data, team, *queue, stream)
                   : runSteps(snapshot, data, team, nullptr);
  }
  memory_.free(arena);
  for (size_t index = 0; index < blocks_.count(); ++index) {
    if (!blocks_[index]) continue;
    if (isDone) snapshot.setFolded(index, blocks_[index], memory_);
    Block::release(blocks_[index], memory_);
    blocks_[index] = nullptr;
  }
  if (isDone) {
    for (uint8_t& flag : snapshot.isStale) flag = 0;
  }
  return isDone;
}

bool Folding::runOnDevice(const Snapshot& snapshot, uint8_t* arena, Team& team, RunQueue& queue,
                          Stream stream) {
  struct Steps {
    Folding& folding;
    const Snapshot& snapshot;
    uint8_t* arena;
    Team& team;
    RunQueue& queue;
  } steps = {*this, snapshot, arena, team, queue};
  DeviceRun run = {};
  run.stream = stream;
  run.isSynchronous = true;
  run.steps = model_.foldSteps;
  run.stepCount = mustRun_.count();
  run.enqueue = [](void* context) {
    Steps& given = *static_cast<Steps*>(context);
    given.folding.runSteps(given.snapshot, given.arena, given.team, &given.queue);
  };
  run.context = &steps;
  return queue.run(run);
}

bool Folding::runSteps(const Snapshot& snapshot, uint8_t* arena, Team& team, RunQueue* queue) {
  team.begin(0);
  for (size_t index = 0; index < mustRun_.count(); ++index) {
    if (!mustRun_[index]) continue;
    const StepDescription& step = model_.foldSteps[index];
    for (int32_t slot = 0; slot < step.operandCount; ++slot) {
      const OperandReference& operand = step.operands[slot];
      const size_t value = static_cast<size_t>(operand.index);
      const void* base = nullptr;
      if (operand.space == Space::arena) {
        base = arena;
      } else if (operand.space == Space::constant) {
        base = snapshot.constants[value];
      } else if (operand.space == Space::folded) {
        base = blocks_[value] ? blocks_[value]->region.data : snapshot.folded[value];
      }
      buffers_[static_cast<size_t>(slot)] = atOffset(base, operand.offset, dimensions_.data());
    }
    for (int32_t size = 0; size < step.sizeCount; ++size) {
      sizes_[static_cast<size_t>(size)] = dimensions_[static_cast<size_t>(step.sizes[size])];
    }
    void* workspace =
        step.workspace < 0 ? nullptr : atOffset(arena, step.workspace, dimensions_.data());
    if (queue) queue->enter(index);
    team.enter(step);
    step.kernel(KernelContext{buffers_.data(), sizes_.data(), workspace, team, queue});
  }
  return team.end();
}

}  // namespace ait
