// A heap array of plain values whose length is set once. Allocation failure is a result.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace ait {

template <class T>
class Array {
  static_assert(std::is_trivially_copyable<T>::value, "elements are copied as bytes");

 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { std::free(elements_); }

  /// Makes `count` elements of zero bytes.
  bool allocate(size_t count) {
    std::free(elements_);
    elements_ = count == 0 ? nullptr : static_cast<T*>(std::calloc(count, sizeof(T)));
    count_ = elements_ ? count : 0;
    return count_ == count;
  }

  bool copy(const Array& other) {
    if (!allocate(other.count_)) return false;
    if (count_ != 0) std::memcpy(elements_, other.elements_, count_ * sizeof(T));
    return true;
  }

  size_t count() const { return count_; }
  T* data() { return elements_; }
  const T* data() const { return elements_; }
  T& operator[](size_t index) { return elements_[index]; }
  const T& operator[](size_t index) const { return elements_[index]; }
  T* begin() { return elements_; }
  T* end() { return elements_ + count_; }
  const T* begin() const { return elements_; }
  const T* end() const { return elements_ + count_; }

 private:
  T* elements_ = nullptr;
  size_t count_ = 0;
};

}  // namespace ait
