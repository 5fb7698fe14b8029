// What the emulated copy engine is told of a tensor.
#pragma once

#include <cstdint>

namespace emulator {

/// The content of a tensor map, in the 128 bytes that the driver's interface gives it.
struct MapContent {
  static constexpr uint32_t kMark = 0x41495454;

  uint32_t mark;
  uint8_t elementSize;
  uint8_t rank;
  /// The bytes of a row of the swizzle: 0, 32, 64 or 128.
  uint8_t swizzle;
  /// Whether copies go through pixels of images: `box` is then channels and pixels.
  uint8_t isImage;
  uint64_t address;
  uint64_t extents[5];
  uint64_t strides[5];  // in bytes; the first is an element's size
  uint16_t box[5];
  /// Of images: the first pixel of a line, how far the last lies behind the end of the tensor, and
  /// the distance of pixels; width first.
  int16_t lower[3];
  int16_t upper[3];
  uint8_t steps[3];
};
static_assert(sizeof(MapContent) <= 128, "a tensor map has 128 bytes");

/// Writes a tensor map after the rules of `cuTensorMapEncodeTiled`; says which one is broken, null
/// if none is.
const char* encode(void* map, int type, uint32_t rank, void* address, const uint64_t* extents,
                   const uint64_t* strides, const uint32_t* box, const uint32_t* steps,
                   int interleaving, int swizzle, int promotion, int filling);

/// The same after the rules of `cuTensorMapEncodeIm2col`.
const char* encodeImages(void* map, int type, uint32_t rank, void* address, const uint64_t* extents,
                         const uint64_t* strides, const int* lower, const int* upper,
                         uint32_t channels, uint32_t pixels, const uint32_t* steps,
                         int interleaving, int swizzle, int promotion, int filling);

}  // namespace emulator
