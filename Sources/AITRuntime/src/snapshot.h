// The values of all constants, and of what is computed from them, at one moment.
#pragma once

#include <cstdint>

#include "ait/model_description.h"
#include "allocators.h"
#include "array.h"

namespace ait {

/// Memory that snapshots share; only writers of constants touch the count, one at a time.
struct Block {
  int32_t references = 1;
  Region region;

  /// Null, with an error text, if there is no memory.
  static Block* make(Memory& memory, size_t sizeInBytes, const char* purpose);
  static Block* retain(Block* block);
  static void release(Block* block, Memory& memory);
};

/// Never changes once runs may see it. Runs count as its readers while they last.
struct Snapshot {
  int64_t version = 0;  // never used twice
  int32_t readers = 0;
  bool isReady = false;  // nothing missing, nothing stale: runs may use it

  Array<const void*> constants;  // null where there is no value
  Array<Block*> constantBlocks;  // what `constants` points into, where it is ours
  Array<uint8_t> isSet;          // by the user, so not as compiled
  Array<const void*> folded;
  Array<Block*> foldedBlocks;
  Array<uint8_t> isStale;  // by fold step: it must run before the snapshot is ready

  /// What the library was compiled with. `uploaded` says where constants, and then folded values,
  /// lie on a device; null: in the library. Null, with an error text, if there is no memory.
  static Snapshot* make(const ModelDescription& model, const void* const* uploaded);
  static Snapshot* copy(const Snapshot& other);
  static void destroy(Snapshot* snapshot, Memory& memory);

  void setConstant(size_t index, const void* data, Block* block, Memory& memory);
  void setFolded(size_t index, Block* block, Memory& memory);
};

}  // namespace ait
