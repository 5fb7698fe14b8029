// Running those fold steps that changed constants make necessary, and no others.
//
// A step depends on constants, on folded values and on arena buffers. Folded values outlast the
// folding, so they are computed again only if a constant behind them changed; arena buffers do not,
// so a step that runs again needs the writers of all its buffers to run again.
#pragma once

#include <cstdint>

#include "ait/model_description.h"
#include "allocators.h"
#include "array.h"
#include "device.h"
#include "snapshot.h"
#include "thread_pool.h"

namespace ait {

class Folding {
 public:
  Folding(const ModelDescription& model, Memory& memory) : model_(model), memory_(memory) {}

  bool prepare();

  /// Constants that a run or a fold step reads, so that it cannot do without.
  bool isRead(size_t constant) const { return isRead_[constant] != 0; }

  /// Marks the steps that compute folded values for which the library holds no data.
  void markInitial(Snapshot& snapshot) const;

  /// Marks the steps that depend on the constants chosen, at any distance. Returns whether any do.
  bool markDependents(const Array<uint8_t>& isChosen, Snapshot& snapshot);

  /// Runs the marked steps, and those they need, into new memory, and unmarks them; with a queue on
  /// its device, after the work in the stream, and waits. On failure the snapshot is as before.
  bool fold(Snapshot& snapshot, Team& team, RunQueue* queue, Stream stream);

 private:
  bool close(const Snapshot& snapshot);
  bool checkInputs(const Snapshot& snapshot) const;
  bool allocateFolded();
  bool runSteps(const Snapshot& snapshot, uint8_t* arena, Team& team, RunQueue* queue);
  bool runOnDevice(const Snapshot& snapshot, uint8_t* arena, Team& team, RunQueue& queue,
                   Stream stream);

  const ModelDescription& model_;
  Memory& memory_;
  Array<int64_t> dimensions_;   // of fold steps; they depend on no symbol
  Array<uint8_t> isRead_;       // by constant
  Array<uint8_t> mustRun_;      // by fold step
  Array<uint8_t> isNeeded_;     // by arena buffer
  Array<uint8_t> isRewritten_;  // by folded value
  Array<Block*> blocks_;        // by folded value: its new memory
  Array<void*> buffers_;
  Array<int64_t> sizes_;
};

}  // namespace ait
