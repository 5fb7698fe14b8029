#include "constants.h"

#include "error.h"
#include "tensors.h"

namespace ait {
namespace {

/// Whether two shapes are equal but for extents of 1.
bool isSameButOnes(const int64_t* shape, size_t rank, const int64_t* other, size_t otherRank) {
  size_t axis = 0;
  size_t otherAxis = 0;
  for (;;) {
    while (axis < rank && shape[axis] == 1) ++axis;
    while (otherAxis < otherRank && other[otherAxis] == 1) ++otherAxis;
    if (axis == rank || otherAxis == otherRank) return axis == rank && otherAxis == otherRank;
    if (shape[axis++] != other[otherAxis++]) return false;
  }
}

}  // namespace

bool Constants::prepare(Team& team, Device* device) {
  team_ = &team;
  device_ = device;
  const size_t count = static_cast<size_t>(model_.constantCount);
  if (!folding_.prepare()) return false;
  if (!isPending_.allocate(count) || !pending_.allocate(count) || !pendingBlocks_.allocate(count)) {
    return failForMemory(count * sizeof(void*), "the table of constants");
  }
  if (device_) {
    if (!device_->upload(memory_, image_, uploaded_)) return false;
    queue_ = device_->makeQueue();
    if (!queue_) return false;
  }
  active_ = makeCompiled();
  if (!active_) return false;
  settle(*active_);
  return true;
}

Constants::~Constants() {
  if (queue_) queue_->destroy();
  dropPrepared();
  for (Block* block : pendingBlocks_) Block::release(block, memory_);
  Snapshot::destroy(active_, memory_);
  memory_.free(image_);
}

void Constants::resetInChild() {
  writerMutex_.reset();
  drained_.reset();
  if (active_) active_->readers = 0;
}

// MARK: - Readers

const Snapshot* Constants::acquire(Stream stream) {
  if (device_ && !device_->isUsable()) return nullptr;
  {
    Lock lock(mutex_);
    if (active_->isReady) {
      ++active_->readers;
      return active_;
    }
  }
  Lock writer(writerMutex_);
  if (!active_->isReady) {
    if (!checkPresence(*active_)) return nullptr;
    Snapshot* next = Snapshot::copy(*active_);
    if (!next) return nullptr;
    if (!finish(*next, stream)) {
      Snapshot::destroy(next, memory_);
      return nullptr;
    }
    publish(next);
  }
  Lock lock(mutex_);
  ++active_->readers;
  return active_;
}

void Constants::release(const Snapshot* snapshot) {
  Lock lock(mutex_);
  // Only its writer, which waits, still sees an old snapshot as changeable.
  const bool isLast = --const_cast<Snapshot*>(snapshot)->readers == 0;
  if (isLast && (snapshot != active_ || isClosing_)) drained_.wakeAll();
}

void Constants::waitForReaders() {
  Lock lock(mutex_);
  isClosing_ = true;
  while (active_->readers > 0) drained_.wait(mutex_);
}

// MARK: - Writers

bool Constants::set(const char* const* names, const AITData* tensors, size_t count) {
  if (count == 0) return true;
  Array<int32_t> indices;
  Array<uint8_t> isChosen;
  if (!check(names, tensors, count, indices)) return false;
  if (!isChosen.allocate(static_cast<size_t>(model_.constantCount))) {
    return failForMemory(static_cast<size_t>(model_.constantCount), "the choice of constants");
  }
  Lock writer(writerMutex_);
  Snapshot* next = Snapshot::copy(*active_);
  if (!next) return false;
  for (size_t position = 0; position < count; ++position) {
    const size_t index = static_cast<size_t>(indices[position]);
    next->setConstant(index, tensors[position].ptr, nullptr, memory_);
    isChosen[index] = 1;
  }
  folding_.markDependents(isChosen, *next);
  settle(*next);
  if (prepared_) {
    // The swap to come must not bring back what was replaced, except where it has a value itself.
    bool any = false;
    for (size_t position = 0; position < count; ++position) {
      const size_t index = static_cast<size_t>(indices[position]);
      if (isPending_[index]) {
        isChosen[index] = 0;
      } else {
        prepared_->setConstant(index, tensors[position].ptr, nullptr, memory_);
        any = true;
      }
    }
    if (any) folding_.markDependents(isChosen, *prepared_);
    settle(*prepared_);
  }
  publish(next);
  return true;
}

bool Constants::setInDoubleBuffer(const char* const* names, const AITData* tensors, size_t count,
                                  Stream stream) {
  if (count == 0) return true;
  Array<int32_t> indices;
  Array<Block*> blocks;
  if (!check(names, tensors, count, indices)) return false;
  if (!blocks.allocate(count)) return failForMemory(count * sizeof(Block*), "new constants");
  Lock writer(writerMutex_);
  for (size_t position = 0; position < count; ++position) {
    const ConstantDescription& constant = model_.constants[indices[position]];
    if (!constant.isBound) continue;
    const size_t size = static_cast<size_t>(constant.sizeInBytes);
    blocks[position] = Block::make(memory_, size, "copies of constants");
    if (!blocks[position] ||
        !copy(blocks[position]->region.data, tensors[position].ptr, size, stream)) {
      for (Block* block : blocks) Block::release(block, memory_);
      return false;
    }
  }
  // The tensors are the caller's again when this returns.
  if (device_ && !device_->synchronize(stream)) {
    for (Block* block : blocks) Block::release(block, memory_);
    return false;
  }
  dropPrepared();
  for (size_t position = 0; position < count; ++position) {
    const size_t index = static_cast<size_t>(indices[position]);
    Block* block = blocks[position];
    Block::release(pendingBlocks_[index], memory_);
    pendingBlocks_[index] = block;
    pending_[index] = block ? block->region.data : tensors[position].ptr;
    if (!isPending_[index]) ++pendingCount_;
    isPending_[index] = 1;
  }
  return true;
}

bool Constants::fold(Stream stream) {
  if (device_ && !device_->isUsable()) return false;
  Lock writer(writerMutex_);
  Snapshot* next = Snapshot::copy(*active_);
  if (!next) return false;
  // What the user set lies in the user's memory, whose content may have changed since.
  folding_.markDependents(next->isSet, *next);
  if (!finish(*next, stream)) {
    Snapshot::destroy(next, memory_);
    return false;
  }
  if (prepared_) {
    folding_.markDependents(next->isSet, *prepared_);
    settle(*prepared_);
  }
  publish(next);
  return true;
}

bool Constants::foldInDoubleBuffer(Stream stream) {
  if (device_ && !device_->isUsable()) return false;
  Lock writer(writerMutex_);
  if (pendingCount_ == 0) return true;
  Snapshot* next = Snapshot::copy(*active_);
  if (!next) return false;
  applyPending(*next);
  if (!finish(*next, stream)) {
    Snapshot::destroy(next, memory_);
    return false;
  }
  dropPrepared();
  prepared_ = next;
  return true;
}

bool Constants::swap() {
  if (device_ && !device_->isUsable()) return false;
  Lock writer(writerMutex_);
  if (pendingCount_ == 0) return true;
  Snapshot* next = prepared_;
  if (!next) {
    next = Snapshot::copy(*active_);
    if (!next) return false;
    if (applyPending(*next)) {
      Snapshot::destroy(next, memory_);
      return fail(
          "found %zu constant%s set in the double buffer but not folded: call "
          "AITemplateModelContainerFoldConstantsInDoubleBuffer first; nothing was swapped",
          pendingCount_, pendingCount_ == 1 ? "" : "s");
    }
    settle(*next);
  }
  prepared_ = nullptr;
  for (size_t index = 0; index < isPending_.count(); ++index) {
    Block::release(pendingBlocks_[index], memory_);
    pendingBlocks_[index] = nullptr;
    pending_[index] = nullptr;
    isPending_[index] = 0;
  }
  pendingCount_ = 0;
  publish(next);
  return true;
}

/// Puts the noted values into the snapshot; returns whether a fold step depends on them.
bool Constants::applyPending(Snapshot& snapshot) {
  for (size_t index = 0; index < isPending_.count(); ++index) {
    if (!isPending_[index]) continue;
    snapshot.setConstant(index, pending_[index], pendingBlocks_[index], memory_);
  }
  return folding_.markDependents(isPending_, snapshot);
}

void Constants::dropPrepared() {
  Snapshot::destroy(prepared_, memory_);
  prepared_ = nullptr;
}

/// Brings the folded values of a snapshot that no run sees yet up to date.
bool Constants::finish(Snapshot& snapshot, Stream stream) {
  if (!folding_.fold(snapshot, *team_, queue_, stream)) return false;
  settle(snapshot);
  return true;
}

/// Decides whether runs may use the snapshot.
void Constants::settle(Snapshot& snapshot) {
  snapshot.version = nextVersion_++;
  snapshot.isReady = true;
  for (const uint8_t isStale : snapshot.isStale) {
    if (isStale) snapshot.isReady = false;
  }
  for (size_t index = 0; index < snapshot.constants.count(); ++index) {
    if (isMissing(snapshot, index)) snapshot.isReady = false;
  }
}

/// Makes the snapshot the active one and waits until no run reads the one it replaces.
void Constants::publish(Snapshot* snapshot) {
  Snapshot* old = active_;
  {
    Lock lock(mutex_);
    active_ = snapshot;
    while (old->readers > 0) drained_.wait(mutex_);
  }
  // Runs that were not waited for may still be at work with the old values.
  if (device_) device_->waitForRuns();
  Snapshot::destroy(old, memory_);
}

// MARK: - Checks

bool Constants::isMissing(const Snapshot& snapshot, size_t constant) const {
  const ConstantDescription& description = model_.constants[constant];
  return !description.isBound && !snapshot.constants[constant] && description.sizeInBytes > 0 &&
         folding_.isRead(constant);
}

bool Constants::checkPresence(const Snapshot& snapshot) const {
  Message names;
  size_t missingCount = 0;
  for (size_t index = 0; index < snapshot.constants.count(); ++index) {
    if (!isMissing(snapshot, index)) continue;
    names.add(missingCount++ == 0 ? "'%s'" : ", '%s'", model_.constants[index].name);
  }
  if (missingCount == 0) return true;
  Message message;
  message.add(
      "found no value for %zu unbound constant%s: %s; set %s with "
      "AITemplateModelContainerSetConstant before the first run",
      missingCount, missingCount == 1 ? "" : "s", names.text(), missingCount == 1 ? "it" : "them");
  return fail(message);
}

bool Constants::check(const char* const* names, const AITData* tensors, size_t count,
                      Array<int32_t>& indices) const {
  if (device_ && !device_->isUsable()) return false;
  if (!names) return fail("the array of names is null, expected %zu names", count);
  if (!tensors) return fail("the array of tensors is null, expected %zu tensors", count);
  if (!indices.allocate(count)) return failForMemory(count * sizeof(int32_t), "the names");
  for (size_t position = 0; position < count; ++position) {
    if (!names[position]) return fail("name %zu of %zu is null", position, count);
    indices[position] = find(names[position]);
    if (indices[position] < 0) return false;
    if (!checkTensor(model_.constants[indices[position]], tensors[position])) return false;
  }
  return true;
}

bool Constants::checkTensor(const ConstantDescription& constant, const AITData& tensor) const {
  if (static_cast<DType>(tensor.dtype) != constant.dtype) {
    return fail("constant '%s': found element type %s (%d), expected %s: convert the tensor",
                constant.name, dtypeName(tensor.dtype), static_cast<int>(tensor.dtype),
                dtypeName(constant.dtype));
  }
  const size_t rank = tensor.shape.size;
  if (rank > 0 && !tensor.shape.shape_data) {
    return fail("constant '%s': the shape's data is null, expected %zu extents", constant.name,
                rank);
  }
  const size_t expectedRank = static_cast<size_t>(constant.rank);
  if (rank > kLargestRank) {
    return fail("constant '%s': found a shape of %zu axes, expected %zu", constant.name, rank,
                expectedRank);
  }
  // A flat tensor says nothing about its axes; any other that differs may be a transposed one.
  const bool isFlat =
      rank == 1 && tensor.shape.shape_data[0] == elementCount(constant.shape, expectedRank);
  if (!isFlat && !isSameButOnes(tensor.shape.shape_data, rank, constant.shape, expectedRank)) {
    Message message;
    message.add("constant '%s': found shape ", constant.name)
        .addShape(tensor.shape.shape_data, rank, kLargestRank)
        .add(", expected ")
        .addShape(constant.shape, expectedRank, kLargestRank)
        .add(" (extents of 1 apart, or flat): reshape or transpose the tensor");
    return fail(message);
  }
  if (!tensor.ptr && constant.sizeInBytes > 0) {
    return fail("constant '%s': the tensor's pointer is null, expected %lld bytes", constant.name,
                static_cast<long long>(constant.sizeInBytes));
  }
  const size_t elementSize = elementSizeInBytes(constant.dtype);
  if (!isAligned(tensor.ptr, elementSize)) {
    return fail(
        "constant '%s': found the pointer %p, expected a multiple of %zu (the size of a %s): "
        "align the memory",
        constant.name, tensor.ptr, elementSize, dtypeName(constant.dtype));
  }
  return !device_ || constant.sizeInBytes == 0 ||
         device_->checkPointer("constant", -1, constant.name, tensor.ptr);
}

}  // namespace ait
