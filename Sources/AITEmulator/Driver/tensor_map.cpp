#include "tensor_map.h"

#include <cstring>

namespace emulator {

namespace {

/// By the driver's numbers: u8 u16 u32 s32 u64 s64 f16 f32 f64 bf16 f32-ftz tf32 tf32-ftz.
constexpr uint8_t kElementSizes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};

const char* checkAxes(uint32_t rank, const uint64_t* extents, const uint64_t* strides,
                      const uint32_t* steps) {
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 0 || extents[axis] > uint64_t{1} << 32) {
      return "an extent is 0 or more than 2^32";
    }
    if (steps[axis] == 0 || steps[axis] > 8) return "an element stride is 0 or more than 8";
  }
  for (uint32_t axis = 0; axis + 1 < rank; ++axis) {
    if (strides[axis] == 0 || strides[axis] % 16 != 0) return "a stride is no multiple of 16 bytes";
    if (strides[axis] >= uint64_t{1} << 40) return "a stride is 2^40 bytes or more";
  }
  return nullptr;
}

/// What maps of boxes and of images have in common; `rowSize` elements are copied side by side.
const char* encodeTensor(MapContent& content, void* map, int type, uint32_t rank, void* address,
                         const uint64_t* extents, const uint64_t* strides, uint32_t rowSize,
                         const uint32_t* steps, int interleaving, int swizzle, int promotion,
                         int filling) {
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
  if (const char* problem = checkAxes(rank, extents, strides, steps)) return problem;
  if (rowSize * elementSize % 16 != 0) return "a row of the box is no multiple of 16 bytes";
  const uint32_t span = swizzle == 0 ? 0 : 16u << swizzle;
  if (span != 0 && rowSize * elementSize > span) {
    return "a row of the box is longer than the swizzle";
  }
  content.mark = MapContent::kMark;
  content.elementSize = static_cast<uint8_t>(elementSize);
  content.rank = static_cast<uint8_t>(rank);
  content.swizzle = static_cast<uint8_t>(span);
  content.address = at;
  for (uint32_t axis = 0; axis < 5; ++axis) {
    content.extents[axis] = axis < rank ? extents[axis] : 1;
    content.strides[axis] = axis == 0 ? elementSize : axis < rank ? strides[axis - 1] : 0;
    content.box[axis] = 1;
  }
  return nullptr;
}

}  // namespace

const char* encode(void* map, int type, uint32_t rank, void* address, const uint64_t* extents,
                   const uint64_t* strides, const uint32_t* box, const uint32_t* steps,
                   int interleaving, int swizzle, int promotion, int filling) {
  MapContent content = {};
  if (const char* problem =
          encodeTensor(content, map, type, rank, address, extents, strides, box[0], steps,
                       interleaving, swizzle, promotion, filling)) {
    return problem;
  }
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (box[axis] == 0 || box[axis] > 256) return "an extent of the box is 0 or more than 256";
    if (steps[axis] != 1) return "element strides of boxes other than 1 are not emulated";
    content.box[axis] = static_cast<uint16_t>(box[axis]);
  }
  std::memset(map, 0, 128);
  std::memcpy(map, &content, sizeof(content));
  return nullptr;
}

const char* encodeImages(void* map, int type, uint32_t rank, void* address, const uint64_t* extents,
                         const uint64_t* strides, const int* lower, const int* upper,
                         uint32_t channels, uint32_t pixels, const uint32_t* steps,
                         int interleaving, int swizzle, int promotion, int filling) {
  MapContent content = {};
  if (rank < 3 || rank > 5) return "images have 3 to 5 axes";
  if (const char* problem =
          encodeTensor(content, map, type, rank, address, extents, strides, channels, steps,
                       interleaving, swizzle, promotion, filling)) {
    return problem;
  }
  if (channels == 0 || channels > 256) return "a copy has no channels, or more than 256";
  if (pixels == 0 || pixels > 1024) return "a copy has no pixels, or more than 1024";
  // The corners share 16 bits.
  const int limit = rank == 3 ? 1 << 15 : rank == 4 ? 1 << 7 : 1 << 4;
  for (uint32_t axis = 0; axis + 2 < rank; ++axis) {
    const auto isInRange = [&](int corner) { return corner >= -limit && corner < limit; };
    if (!isInRange(lower[axis]) || !isInRange(upper[axis])) return "a corner is out of its range";
    if (lower[axis] >= static_cast<int64_t>(extents[axis + 1]) + upper[axis]) {
      return "a line has no pixels";
    }
    content.lower[axis] = static_cast<int16_t>(lower[axis]);
    content.upper[axis] = static_cast<int16_t>(upper[axis]);
    content.steps[axis] = static_cast<uint8_t>(steps[axis + 1]);
  }
  content.isImage = 1;
  content.box[0] = static_cast<uint16_t>(channels);
  content.box[1] = static_cast<uint16_t>(pixels);
  std::memset(map, 0, 128);
  std::memcpy(map, &content, sizeof(content));
  return nullptr;
}

}  // namespace emulator
