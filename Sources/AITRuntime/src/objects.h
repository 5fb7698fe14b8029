// Objects on the heap without `operator new`, which can throw and so brings the machinery of
// exceptions into every library. Allocation failure is a null pointer.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace ait {

/// Memory for objects of any alignment that this runtime asks for.
inline void* allocateForObjects(size_t sizeInBytes, size_t alignment) {
  void* memory = nullptr;
  if (alignment < sizeof(void*)) alignment = sizeof(void*);
  return posix_memalign(&memory, alignment, sizeInBytes == 0 ? 1 : sizeInBytes) == 0 ? memory
                                                                                     : nullptr;
}

template <class T, class... Arguments>
T* makeObject(Arguments&&... arguments) {
  void* memory = allocateForObjects(sizeof(T), alignof(T));
  return memory ? ::new (memory) T(std::forward<Arguments>(arguments)...) : nullptr;
}

template <class T>
void destroyObject(T* object) {
  if (!object) return;
  object->~T();
  std::free(object);
}

/// Objects in a row that never move; their number is set once.
template <class T>
class ObjectRow {
 public:
  ObjectRow() = default;
  ObjectRow(const ObjectRow&) = delete;
  ObjectRow& operator=(const ObjectRow&) = delete;

  ~ObjectRow() {
    for (size_t index = 0; index < count_; ++index) objects_[index].~T();
    std::free(objects_);
  }

  bool make(size_t count) {
    if (count > (size_t{1} << 40) / sizeof(T)) return false;
    objects_ = static_cast<T*>(allocateForObjects(count * sizeof(T), alignof(T)));
    if (!objects_) return false;
    for (; count_ < count; ++count_) ::new (&objects_[count_]) T();
    return true;
  }

  size_t count() const { return count_; }
  T& operator[](size_t index) { return objects_[index]; }
  T* begin() { return objects_; }
  T* end() { return objects_ + count_; }

 private:
  T* objects_ = nullptr;
  size_t count_ = 0;
};

}  // namespace ait
