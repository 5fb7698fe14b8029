#include "tensors.h"

namespace ait {

const char* dtypeName(DType dtype) {
  switch (dtype) {
    case DType::unset:
      return "unset";
    case DType::float16:
      return "float16";
    case DType::float32:
      return "float32";
    case DType::int32:
      return "int32";
    case DType::int64:
      return "int64";
    case DType::boolean:
      return "bool";
    case DType::bfloat16:
      return "bfloat16";
    case DType::float64:
      return "float64";
    case DType::int8:
      return "int8";
    case DType::uint8:
      return "uint8";
    case DType::int16:
      return "int16";
  }
  return "unknown";
}

int64_t elementCount(const int64_t* extents, size_t rank) {
  int64_t count = 1;
  bool hasOverflow = false;
  for (size_t axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 0) return 0;
    hasOverflow |= __builtin_mul_overflow(count, extents[axis], &count);
  }
  return hasOverflow ? INT64_MAX : count;
}

}  // namespace ait
