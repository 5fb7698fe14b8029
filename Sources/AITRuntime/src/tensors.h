// Facts about element types and shapes that several parts of the runtime need.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ait/model_description.h"
#include "ait/model_interface.h"

namespace ait {

inline size_t elementSizeInBytes(DType dtype) {
  return AITemplateDtypeSizeBytes(static_cast<AITemplateDtype>(dtype));
}

/// The name as in the compiler's graphs; "unset" or "unknown" for what is no type.
const char* dtypeName(DType dtype);
inline const char* dtypeName(AITemplateDtype dtype) { return dtypeName(static_cast<DType>(dtype)); }

/// The greatest rank of a tensor, the compiler's own limit. A shape that claims more is a mistake,
/// and its extents are not read.
constexpr size_t kLargestRank = 16;

/// The product of extents; INT64_MAX where it overflows. No extent is negative.
int64_t elementCount(const int64_t* extents, size_t rank);

inline bool isAligned(const void* pointer, size_t sizeInBytes) {
  return sizeInBytes <= 1 || reinterpret_cast<uintptr_t>(pointer) % sizeInBytes == 0;
}

/// The address of an operand within the memory its space begins at.
inline void* atOffset(const void* base, int32_t offset, const int64_t* dimensions) {
  if (!base || offset < 0) return const_cast<void*>(base);
  return static_cast<uint8_t*>(const_cast<void*>(base)) + dimensions[offset];
}

}  // namespace ait
