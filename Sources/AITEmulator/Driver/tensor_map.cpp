#include "tensor_map.h"

#include <cstring>

namespace emulator {

namespace {

/// By the driver's numbers: u8 u16 u32 s32 u64 s64 f16 f32 f64 bf16 f32-ftz tf32 tf32-ftz.
constexpr uint8_t kElementSizes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};

const char* checkAxes(uint32_t rank, uint32_t elementSize, const uint64_t* extents,
                      const uint64_t* strides, const uint32_t* box, const uint32_t* steps) {
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 0 || extents[axis] > uint64_t{1} << 32) {
      return "an extent is 0 or more than 2^32";
    }
    if (box[axis] == 0 || box[axis] > 256) return "an extent of the box is 0 or more than 256";
    if (steps[axis] == 0 || steps[axis] > 8) return "an element stride is 0 or more than 8";
    if (steps[axis] != 1) return "element strides other than 1 are not emulated";
  }
  for (uint32_t axis = 0; axis + 1 < rank; ++axis) {
    if (strides[axis] == 0 || strides[axis] % 16 != 0) return "a stride is no multiple of 16 bytes";
    if (strides[axis] >= uint64_t{1} << 40) return "a stride is 2^40 bytes or more";
  }
  if (box[0] * elementSize % 16 != 0) return "a row of the box is no multiple of 16 bytes";
  return nullptr;
}

}  // namespace

const char* encode(void* map, int type, uint32_t rank, void* address, const uint64_t* extents,
                   const uint64_t* strides, const uint32_t* box, const uint32_t* steps,
                   int interleaving, int swizzle, int promotion, int filling) {
  if (reinterpret_cast<uintptr_t>(map) % 64 != 0)
    return "it does not lie at a multiple of 64 bytes";
  if (type < 0 || type >= static_cast<int>(sizeof(kElementSizes))) return "the type is unknown";
  if (rank == 0 || rank > 5) return "the rank is not 1 to 5";
  const auto at = reinterpret_cast<uintptr_t>(address);
  if (at == 0 || at % 16 != 0) return "the tensor does not lie at a multiple of 16 bytes";
  if (interleaving != 0) return "interleaving is not emulated";
  if (swizzle < 0 || swizzle > 3) return "the swizzle is unknown";
  if (promotion < 0 || promotion > 3) return "the promotion is unknown";
  if (filling < 0 || filling > 1) return "the filling is unknown";
  if (filling != 0) return "a filling with NaN is not emulated";
  const uint32_t elementSize = kElementSizes[type];
  if (const char* problem = checkAxes(rank, elementSize, extents, strides, box, steps)) {
    return problem;
  }
  const uint32_t span = swizzle == 0 ? 0 : 16u << swizzle;
  if (span != 0 && box[0] * elementSize > span)
    return "a row of the box is longer than the swizzle";
  MapContent content = {};
  content.mark = MapContent::kMark;
  content.elementSize = static_cast<uint8_t>(elementSize);
  content.rank = static_cast<uint8_t>(rank);
  content.swizzle = static_cast<uint8_t>(span);
  content.address = at;
  for (uint32_t axis = 0; axis < 5; ++axis) {
    content.extents[axis] = axis < rank ? extents[axis] : 1;
    content.strides[axis] = axis == 0 ? elementSize : axis < rank ? strides[axis - 1] : 0;
    content.box[axis] = static_cast<uint16_t>(axis < rank ? box[axis] : 1);
  }
  std::memset(map, 0, 128);
  std::memcpy(map, &content, sizeof(content));
  return nullptr;
}

}  // namespace emulator
