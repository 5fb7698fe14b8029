// Error texts: every failure of the runtime leaves one, per thread, and nothing is thrown.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ait {

/// Text that grows; keeps what fits if memory runs out.
class Message {
 public:
  Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message();

  __attribute__((format(printf, 2, 3))) Message& add(const char* format, ...);

  /// Adds extents as "[2, 3]".
  /// Adds a shape, at most so many of its extents: what a caller says there are may not all be
  /// there.
  Message& addShape(const int64_t* extents, size_t rank, size_t most);

  const char* text() const { return text_ ? text_ : ""; }
  size_t length() const { return length_; }

 private:
  bool reserve(size_t length);

  char* text_ = nullptr;
  size_t length_ = 0;
  size_t capacity_ = 0;
};

/// Keeps the text as this thread's last error. Returns false, for `return fail(...)`.
__attribute__((format(printf, 1, 2))) bool fail(const char* format, ...);
bool fail(const Message& message);
bool failForMemory(size_t sizeInBytes, const char* purpose);

/// This thread's last error, or "".
const char* lastError();

/// Puts "function: " before this thread's last error.
void nameLastError(const char* function);

}  // namespace ait
