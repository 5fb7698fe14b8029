// A test is a function that registers itself; a failed check is reported and counted, and the test
// goes on.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

#include "ait/ait.h"

namespace harness {

using Test = void (*)();

void enlist(const char* name, Test test);
void note(bool isTrue, const char* expression, const char* file, int line, const char* detail);

struct Enlister {
  Enlister(const char* name, Test test) { enlist(name, test); }
};

inline bool isSuccess(AITemplateError error) { return error == AITemplateError::AITemplateSuccess; }

inline bool contains(const char* text, const char* part) {
  return std::strstr(text, part) != nullptr;
}

}  // namespace harness

#define TEST(name)                                       \
  static void name();                                    \
  static harness::Enlister enlister_##name(#name, name); \
  static void name()

#define CHECK(...) harness::note((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__, "")

/// The call succeeds. Its text is asked for after it: the order of arguments is open, and a call
/// that fails frees the text before it.
#define CHECK_OK(...)                                          \
  do {                                                         \
    const bool isSuccess = harness::isSuccess(__VA_ARGS__);    \
    harness::note(isSuccess, #__VA_ARGS__, __FILE__, __LINE__, \
                  isSuccess ? "" : AITemplateGetLastError());  \
  } while (false)

/// The call fails, and the error text has the part given.
#define CHECK_FAILS(part, ...)                                                            \
  do {                                                                                    \
    const bool failed = !harness::isSuccess(__VA_ARGS__);                                 \
    harness::note(failed, "fails: " #__VA_ARGS__, __FILE__, __LINE__, "");                \
    if (failed) {                                                                         \
      harness::note(harness::contains(AITemplateGetLastError(), part), "text has: " part, \
                    __FILE__, __LINE__, AITemplateGetLastError());                        \
    }                                                                                     \
  } while (false)
