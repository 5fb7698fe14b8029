#include "snapshot.h"

#include "error.h"
#include "objects.h"

namespace ait {

// MARK: - Block

Block* Block::make(Memory& memory, size_t sizeInBytes, const char* purpose) {
  Block* block = makeObject<Block>();
  if (!block) {
    failForMemory(sizeof(Block), purpose);
    return nullptr;
  }
  if (!memory.allocate(sizeInBytes, purpose, block->region)) {
    destroyObject(block);
    return nullptr;
  }
  return block;
}

Block* Block::retain(Block* block) {
  if (block) ++block->references;
  return block;
}

void Block::release(Block* block, Memory& memory) {
  if (!block || --block->references > 0) return;
  memory.free(block->region);
  destroyObject(block);
}

// MARK: - Snapshot

Snapshot* Snapshot::make(const ModelDescription& model, const void* const* uploaded) {
  Snapshot* snapshot = makeObject<Snapshot>();
  const size_t constantCount = static_cast<size_t>(model.constantCount);
  const size_t foldedCount = static_cast<size_t>(model.foldedCount);
  if (!snapshot || !snapshot->constants.allocate(constantCount) ||
      !snapshot->constantBlocks.allocate(constantCount) ||
      !snapshot->isSet.allocate(constantCount) || !snapshot->folded.allocate(foldedCount) ||
      !snapshot->foldedBlocks.allocate(foldedCount) ||
      !snapshot->isStale.allocate(static_cast<size_t>(model.foldStepCount))) {
    destroyObject(snapshot);
    failForMemory(sizeof(Snapshot), "the table of constants");
    return nullptr;
  }
  for (size_t index = 0; index < constantCount; ++index) {
    snapshot->constants[index] = uploaded ? uploaded[index] : model.constants[index].data;
  }
  for (size_t index = 0; index < foldedCount; ++index) {
    snapshot->folded[index] = uploaded ? uploaded[constantCount + index] : model.folded[index].data;
  }
  return snapshot;
}

Snapshot* Snapshot::copy(const Snapshot& other) {
  Snapshot* snapshot = makeObject<Snapshot>();
  if (!snapshot || !snapshot->constants.copy(other.constants) ||
      !snapshot->constantBlocks.copy(other.constantBlocks) || !snapshot->isSet.copy(other.isSet) ||
      !snapshot->folded.copy(other.folded) || !snapshot->foldedBlocks.copy(other.foldedBlocks) ||
      !snapshot->isStale.copy(other.isStale)) {
    destroyObject(snapshot);
    failForMemory(sizeof(Snapshot), "the table of constants");
    return nullptr;
  }
  for (Block* block : snapshot->constantBlocks) Block::retain(block);
  for (Block* block : snapshot->foldedBlocks) Block::retain(block);
  return snapshot;
}

void Snapshot::destroy(Snapshot* snapshot, Memory& memory) {
  if (!snapshot) return;
  for (Block* block : snapshot->constantBlocks) Block::release(block, memory);
  for (Block* block : snapshot->foldedBlocks) Block::release(block, memory);
  destroyObject(snapshot);
}

void Snapshot::setConstant(size_t index, const void* data, Block* block, Memory& memory) {
  Block* old = constantBlocks[index];
  constants[index] = data;
  constantBlocks[index] = Block::retain(block);
  isSet[index] = 1;
  Block::release(old, memory);
}

void Snapshot::setFolded(size_t index, Block* block, Memory& memory) {
  Block* old = foldedBlocks[index];
  folded[index] = block->region.data;
  foldedBlocks[index] = Block::retain(block);
  Block::release(old, memory);
}

}  // namespace ait
