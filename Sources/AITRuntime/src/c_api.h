// How the functions of the C ABI are made: checks of their pointers, and the way errors get out.
#pragma once

#include "ait/ait.h"
#include "ait/model_description.h"
#include "error.h"
#include "model_container.h"

namespace ait {

/// Turns a result into a status, naming the function in the error text.
template <class Body>
AITemplateError answer(const char* function, Body&& body) noexcept {
  if (body()) return AITemplateError::AITemplateSuccess;
  nameLastError(function);
  return AITemplateError::AITemplateFailure;
}

// Each leaves an error text where it fails.
bool isGiven(const void* pointer, const char* name);
bool isBelow(size_t index, int32_t count, const char* kind);
bool isMemcpyKind(AITemplateMemcpyKind kind);

/// The container behind a handle; null if the handle is none of ours.
ModelContainer* open(AITemplateModelHandle handle);

/// Runs `body(container)` for the container behind the handle.
template <class Body>
AITemplateError answer(const char* function, AITemplateModelHandle handle, Body&& body) noexcept {
  return answer(function, [&] {
    ModelContainer* container = open(handle);
    return container && body(*container);
  });
}

}  // namespace ait
