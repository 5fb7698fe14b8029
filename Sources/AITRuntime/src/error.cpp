#include "error.h"

#include <pthread.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ait {
namespace {

// A pthread key, not a `thread_local`: the first use of the latter in a thread may allocate, and
// its destructors keep a library from being unloaded. `free` belongs to libc, so texts of threads
// that outlive this library are still released.
pthread_key_t key;
pthread_once_t keyOnce = PTHREAD_ONCE_INIT;
bool hasKey = false;

void makeKey() { hasKey = pthread_key_create(&key, std::free) == 0; }

__attribute__((destructor)) void deleteKey() {
  if (!hasKey) return;
  std::free(pthread_getspecific(key));
  pthread_key_delete(key);
}

bool keep(const char* prefix, const char* text) {
  pthread_once(&keyOnce, makeKey);
  if (!hasKey) return false;
  const size_t prefixLength = std::strlen(prefix);
  const size_t textLength = std::strlen(text);
  char* copy = static_cast<char*>(std::malloc(prefixLength + textLength + 1));
  if (copy) {
    std::memcpy(copy, prefix, prefixLength);
    std::memcpy(copy + prefixLength, text, textLength + 1);
  }
  // Freed after the copy: `text` may be the old text.
  void* old = pthread_getspecific(key);
  if (pthread_setspecific(key, copy) != 0) {
    std::free(copy);
    return false;
  }
  std::free(old);
  return false;
}

}  // namespace

Message::~Message() { std::free(text_); }

bool Message::reserve(size_t length) {
  if (length + 1 <= capacity_) return true;
  const size_t capacity = length + 1 < 256 ? 256 : 2 * (length + 1);
  char* text = static_cast<char*>(std::realloc(text_, capacity));
  if (!text) return false;
  text_ = text;
  capacity_ = capacity;
  return true;
}

Message& Message::add(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  if (length > 0 && reserve(length_ + static_cast<size_t>(length))) {
    std::vsnprintf(text_ + length_, static_cast<size_t>(length) + 1, format, again);
    length_ += static_cast<size_t>(length);
  }
  va_end(again);
  return *this;
}

Message& Message::addShape(const int64_t* extents, size_t rank, size_t most) {
  add("[");
  for (size_t axis = 0; axis < rank && axis < most; ++axis) {
    add(axis == 0 ? "%lld" : ", %lld", static_cast<long long>(extents[axis]));
  }
  if (rank > most) add(most == 0 ? "%zu axes" : ", ... %zu axes", rank);
  return add("]");
}

bool fail(const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return keep("", text);
}

bool fail(const Message& message) { return keep("", message.text()); }

bool failForMemory(size_t sizeInBytes, const char* purpose) {
  return fail("found no %zu bytes of memory for %s: free some, or use fewer runtimes", sizeInBytes,
              purpose);
}

const char* lastError() {
  pthread_once(&keyOnce, makeKey);
  const void* text = hasKey ? pthread_getspecific(key) : nullptr;
  return text ? static_cast<const char*>(text) : "";
}

void nameLastError(const char* function) {
  Message prefix;
  keep(prefix.add("%s: ", function).text(), lastError());
}

}  // namespace ait
