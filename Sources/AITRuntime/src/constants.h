// The constants of a container: what runs read now, and what they will read after a swap.
//
// A run takes the active snapshot when it begins. A writer builds another snapshot aside, makes it
// the active one in one step, and returns once no run reads the old one: so runs never wait for
// writers, never see half a change, and replaced memory is the user's again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ait/model_description.h"
#include "ait/model_interface.h"
#include "allocators.h"
#include "array.h"
#include "device.h"
#include "folding.h"
#include "snapshot.h"
#include "threading.h"

namespace ait {

class Constants {
 public:
  Constants(const ModelDescription& model, Memory& memory)
      : model_(model), memory_(memory), folding_(model, memory) {}
  Constants(const Constants&) = delete;
  Constants& operator=(const Constants&) = delete;
  ~Constants();

  /// `team` runs the fold steps, or puts them into the device's queue. Uploads what the library
  /// was compiled with to the device.
  bool prepare(Team& team, Device* device);

  // MARK: Readers

  /// The active snapshot, folded first where needed; null if a value is missing. Pair with
  /// `release`. Here and below, a device folds and copies after the work that is in the stream.
  const Snapshot* acquire(Stream stream);
  void release(const Snapshot* snapshot);

  /// Waits until nobody holds a snapshot; nobody may acquire one any more.
  void waitForReaders();

  /// The constants as compiled, for the self test; null if some are unbound. Pair with
  /// `releaseCompiled`.
  const Snapshot* acquireCompiled();
  void releaseCompiled(const Snapshot* snapshot);

  // MARK: Writers

  bool set(const char* const* names, const AITData* tensors, size_t count);
  bool setInDoubleBuffer(const char* const* names, const AITData* tensors, size_t count,
                         Stream stream);
  bool fold(Stream stream);
  bool foldInDoubleBuffer(Stream stream);
  bool swap();

  // MARK: Questions

  /// The index of a constant, by name or by original name; -1, with an error text, if none has it.
  int32_t find(const char* name) const;
  size_t count(bool unboundOnly, bool foldingInputsOnly) const;
  void writeNames(bool unboundOnly, bool foldingInputsOnly, const char** names) const;

  // For a fork: the child has none of the readers and writers.
  void lockForFork() { mutex_.lock(); }
  void unlockAfterFork() { mutex_.unlock(); }
  void resetInChild();

 private:
  bool isListed(const ConstantDescription& constant, bool unboundOnly,
                bool foldingInputsOnly) const;
  bool check(const char* const* names, const AITData* tensors, size_t count,
             Array<int32_t>& indices) const;
  bool checkTensor(const ConstantDescription& constant, const AITData& tensor) const;
  bool isMissing(const Snapshot& snapshot, size_t constant) const;
  bool checkPresence(const Snapshot& snapshot) const;
  Snapshot* makeCompiled() const;
  bool copy(void* target, const void* source, size_t sizeInBytes, Stream stream);
  bool finish(Snapshot& snapshot, Stream stream);
  void settle(Snapshot& snapshot);
  void publish(Snapshot* snapshot);
  bool applyPending(Snapshot& snapshot);
  void dropPrepared();

  const ModelDescription& model_;
  Memory& memory_;
  Team* team_ = nullptr;
  Device* device_ = nullptr;
  RunQueue* queue_ = nullptr;    // of folding
  Region image_;                 // on the device: what the library was compiled with
  Array<const void*> uploaded_;  // by constant, then by folded value; empty on the CPU

  // Guards what readers touch: the active pointer and the counts of readers. Held briefly.
  Mutex mutex_;
  Condition drained_;
  Snapshot* active_ = nullptr;
  bool isClosing_ = false;

  // Held by one writer at a time while it builds, folds and waits. Taken before `mutex_`; nobody
  // who counts as a reader waits for it. Guards all that follows.
  Mutex writerMutex_;
  Folding folding_;
  int64_t nextVersion_ = 1;

  // For the next swap: the values noted, and the snapshot folded from them if that is done.
  Array<uint8_t> isPending_;
  Array<const void*> pending_;
  Array<Block*> pendingBlocks_;
  size_t pendingCount_ = 0;
  Snapshot* prepared_ = nullptr;
};

}  // namespace ait
