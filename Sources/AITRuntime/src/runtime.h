// One instance of the model: an arena, the tables that bind steps to memory, and the step loop.
// A run allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ait/model_description.h"
#include "ait/model_interface.h"
#include "allocators.h"
#include "array.h"
#include "device.h"
#include "snapshot.h"
#include "thread_pool.h"

namespace ait {

/// What a caller of the C ABI hands over for one run.
struct RunArguments {
  const AITData* inputs;
  size_t inputCount;
  AITData* outputs;
  size_t outputCount;
  int64_t** outputShapes;  // or null
  int32_t threadLimit;     // 0: all

  // For devices.
  Stream stream = nullptr;
  bool isSynchronous = true;
  bool usesGraph = false;
  bool hasInputsOnHost = false;
  bool hasOutputsOnHost = false;
};

/// Time spent in one step over several runs.
struct StepTime {
  int64_t total;
  int64_t shortest;
};

/// Used by one thread at a time.
class Runtime {
 public:
  Runtime(const ModelDescription& model, Memory& memory, Team& team, RunQueue* queue)
      : model_(model), memory_(memory), team_(team), queue_(queue) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  bool prepare();

  /// Checks the arguments, writing no output if they are wrong; then runs all steps. `times` holds
  /// an entry for each step, or is null.
  bool run(const RunArguments& arguments, const Snapshot& constants, StepTime* times = nullptr);

  /// Null on the CPU.
  RunQueue* queue() const { return queue_; }

  /// Checks the inputs and writes the shapes that a run on them gives its outputs.
  bool inferOutputShapes(const AITData* inputs, size_t inputCount, int64_t** shapes);

  /// Entries of the dimension table of the last run.
  int64_t dimension(int32_t index) const { return dimensions_[static_cast<size_t>(index)]; }

  /// Memory besides the arena and the threads' scratch.
  size_t tableSizeInBytes() const;

  /// Forgets what the last run bound: for the child of a fork that interrupted a run.
  void invalidate();

  Runtime* next = nullptr;  // in the container's list of free ones

 private:
  // A place in `buffers_` that is filled again for each run, or for each snapshot.
  struct Slot {
    uint32_t position;
    Space space;
    int32_t index;
    int32_t offset;
  };

  // Checks, in arguments.cpp.
  bool check(const RunArguments& arguments, const Snapshot& constants);
  bool checkInputTypes(const RunArguments& arguments) const;
  bool bindSymbols(const RunArguments& arguments);
  bool bindSymbol(const RunArguments& arguments, const SymbolBinding& binding);
  bool checkInputs(const RunArguments& arguments);
  bool checkOutputs(const RunArguments& arguments);
  bool checkOverlaps(const RunArguments& arguments) const;
  bool checkConstantOverlaps(const RunArguments& arguments, const Snapshot& constants) const;
  int64_t sizeInBytes(const TensorDescription& tensor) const;

  bool bindSizes();
  bool checkConstraints() const;
  void bindTensors(const RunArguments& arguments);
  void bindConstants(const Snapshot& constants);
  void runSteps(StepTime* times);
  bool runOnDevice(const RunArguments& arguments, const Snapshot& constants, StepTime* times);
  void writeOutputShapes(int64_t** shapes) const;

  const ModelDescription& model_;
  Memory& memory_;
  Team& team_;
  RunQueue* const queue_;
  Region arena_;

  Array<int64_t> symbols_;
  Array<int64_t> newSymbols_;
  Array<int64_t> dimensions_;
  bool hasSizes_ = false;       // the tables below hold for `symbols_`
  int64_t boundConstants_ = 0;  // the version of the snapshot in `buffers_`

  // By step, one after the other; where a step's part begins is in the arrays of offsets.
  Array<void*> buffers_;
  Array<int64_t> sizes_;
  Array<void*> workspaces_;
  Array<uint32_t> bufferStarts_;
  Array<uint32_t> sizeStarts_;
  Array<Slot> tensorSlots_;
  Array<Slot> constantSlots_;

  Array<int64_t> inputSizes_;
  Array<int64_t> outputSizes_;
};

}  // namespace ait
