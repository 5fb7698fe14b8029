// Checks the layouts of single instructions against the tables of the PTX manual, which are written
// down here again: layouts_test <folder of cubins>. What passes here on a GPU and on an emulated
// device shows that the emulation lays out as the hardware does.
#include "layouts.h"
#include "memory.h"

namespace {

int failures = 0;

void report(const char* name, int wrong) {
  if (wrong > 0) ++failures;
  std::printf("%s %s: %d wrong\n", wrong == 0 ? "ok    " : "FAILED", name, wrong);
  std::fflush(stdout);
}

template <class T>
std::vector<T> run(const device::Module& module, const char* name, const device::Buffer& in,
                   size_t count, int threads, const ait::TensorMap* map = nullptr) {
  device::Buffer out(count * sizeof(T));
  device::Launch launch;
  launch.function = module.function(name);
  launch.threads = threads;
  launch.sharedBytes = layouts::kSharedBytes;
  layouts::Arguments arguments{};
  if (map) arguments.map = *map;
  arguments.in = in.pointer();
  arguments.out = out.pointer();
  launch.setArguments(arguments);
  launch.prepare();
  launch.enqueue(device::Driver::shared().stream());
  AIT_CALL(cuStreamSynchronize, device::Driver::shared().stream());
  return out.content<T>();
}

/// Section "ldmatrix": register i of a thread holds, of matrix i, the elements of row thread / 4 in
/// the columns thread % 4 * 2 and the next; of the transposed matrix with .trans.
void checkMatrices(const device::Module& module, bool isTransposed) {
  std::vector<uint16_t> elements(4 * 64);
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<uint16_t>(i);
  const char* name = isTransposed ? "show_matrices_transposed" : "show_matrices";
  const auto words = run<uint32_t>(module, name, device::Buffer(elements), 128, 32);
  int wrong = 0;
  for (int thread = 0; thread < 32; ++thread) {
    for (int matrix = 0; matrix < 4; ++matrix) {
      for (int half = 0; half < 2; ++half) {
        const int row = thread / 4, column = thread % 4 * 2 + half;
        const int expected = matrix * 64 + (isTransposed ? column * 8 + row : row * 8 + column);
        const uint32_t word = words[static_cast<size_t>(thread * 4 + matrix)];
        wrong += static_cast<int>(half == 0 ? word & 0xffff : word >> 16) != expected;
      }
    }
  }
  report(name, wrong);
}

/// Small whole numbers, whose products are exact.
template <class T>
std::vector<float> smallNumbers(size_t count, uint64_t seed) {
  device::Random random(seed);
  std::vector<float> result(count);
  for (float& x : result) x = static_cast<float>(static_cast<int64_t>(random.bits() % 15) - 7);
  return result;
}

/// Section "Matrix Fragments for mma.m16n8k16 with floating point type", with groupID = lane >> 2
/// and threadID_in_group = lane % 4.
template <class T>
void checkTiles(const device::Module& module, const char* name) {
  const auto a = smallNumbers<T>(16 * 16, 1);
  const auto b = smallNumbers<T>(16 * 8, 2);
  std::vector<T> fragments(32 * 12);
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, thread = lane % 4;
    for (int i = 0; i < 8; ++i) {
      const int row = (i >= 0 && i < 2) || (i >= 4 && i < 6) ? group : group + 8;
      const int column = i < 4 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
      fragments[static_cast<size_t>(lane * 12 + i)] =
          device::fromFloat<T>(a[static_cast<size_t>(row * 16 + column)]);
    }
    for (int i = 0; i < 4; ++i) {
      const int row = i < 2 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
      fragments[static_cast<size_t>(lane * 12 + 8 + i)] =
          device::fromFloat<T>(b[static_cast<size_t>(row * 8 + group)]);
    }
  }
  const auto sums = run<float>(module, name, device::Buffer(fragments), 128, 32);
  int wrong = 0;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int row = i < 2 ? lane >> 2 : (lane >> 2) + 8;
      const int column = lane % 4 * 2 + (i & 1);
      float expected = static_cast<float>(i + 1);
      for (int k = 0; k < 16; ++k) {
        expected += a[static_cast<size_t>(row * 16 + k)] * b[static_cast<size_t>(k * 8 + column)];
      }
      wrong += sums[static_cast<size_t>(lane * 4 + i)] != expected;
    }
  }
  report(name, wrong);
}

/// Section "Swizzling Modes": where the 16-byte pieces of 8 lines of 128 bytes lie in 128B mode.
constexpr int kSwizzle[8][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6},
                                {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4},
                                {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2},
                                {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};

/// The place of an element among 128-byte lines of 64.
size_t swizzled(int line, int element) {
  return static_cast<size_t>(line * 64 + kSwizzle[line % 8][element / 8] * 8 + element % 8);
}

/// A box that begins a row above the tensor and ends beyond its columns.
void checkBox(const device::Module& module) {
  constexpr int kRows = 12, kColumns = 40;
  std::vector<uint16_t> tensor(kRows * kColumns);
  for (size_t i = 0; i < tensor.size(); ++i) tensor[i] = static_cast<uint16_t>(i + 1);
  const device::Buffer in(tensor);
  ait::TensorMap map;
  const uint64_t extents[2] = {kColumns, kRows};
  const uint64_t strides[1] = {kColumns * 2};
  const uint32_t box[2] = {64, 16}, steps[2] = {1, 1};
  AIT_CALL(cuTensorMapEncodeTiled, &map, 6, 2u, in.pointer(), extents, strides, box, steps, 0, 3, 3,
           0);
  const auto words = run<uint16_t>(module, "show_box", in, 1024, 32, &map);
  int wrong = 0;
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 64; ++column) {
      const int m = row - 1, n = column + 8;
      const bool exists = m >= 0 && m < kRows && n < kColumns;
      const int expected = exists ? m * kColumns + n + 1 : 0;
      wrong += words[swizzled(row, column)] != expected;
    }
  }
  report("show_box", wrong);
}

/// Sections "Shared Memory Matrix Layout" and "Register Fragments for wgmma.mma_async.m64nNk16":
/// with K or with the other axis contiguous.
///
/// - first, last: the part of K that is summed; start: what it is added to.
void checkProduct(const device::Module& module, const char* name, bool isAAlongK, bool isBAlongK,
                  int first, int last, float start) {
  using layouts::kColumns;
  const auto a = smallNumbers<ait::float16>(64 * 64, 3);
  const auto b = smallNumbers<ait::float16>(kColumns * 64, 4);
  std::vector<ait::float16> shared((layouts::kABytes + layouts::kBBytes) / 2);
  const auto place = [&](const std::vector<float>& matrix, int extent, size_t base, bool isAlongK) {
    for (int i = 0; i < extent; ++i) {
      for (int k = 0; k < 64; ++k) {
        // Chunks of 64 of the other axis are 64 lines of K apart.
        const size_t at =
            isAlongK ? swizzled(i, k) : static_cast<size_t>(i / 64 * 64 * 64) + swizzled(k, i % 64);
        shared[base + at] =
            device::fromFloat<ait::float16>(matrix[static_cast<size_t>(i * 64 + k)]);
      }
    }
  };
  place(a, 64, 0, isAAlongK);
  place(b, kColumns, layouts::kABytes / 2, isBAlongK);
  const auto sums = run<float>(module, name, device::Buffer(shared), 128 * (kColumns / 2), 128);
  int wrong = 0;
  for (int thread = 0; thread < 128; ++thread) {
    for (int i = 0; i < kColumns / 2; ++i) {
      const int row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8;
      const int column = i / 4 * 8 + thread % 4 * 2 + i % 2;
      float expected = start;
      for (int k = first; k < last; ++k) {
        expected += a[static_cast<size_t>(row * 64 + k)] * b[static_cast<size_t>(column * 64 + k)];
      }
      wrong += sums[static_cast<size_t>(thread * (kColumns / 2) + i)] != expected;
    }
  }
  report(name, wrong);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const device::Module module(folder + "/layouts.cubin");
  checkMatrices(module, false);
  checkMatrices(module, true);
  checkTiles<ait::float16>(module, "show_tiles_f16");
  checkTiles<ait::bfloat16>(module, "show_tiles_bf16");
  checkBox(module);
  checkProduct(module, "show_product_kk", true, true, 16, 32, 1);
  checkProduct(module, "show_product_mn", false, false, 16, 32, 1);
  checkProduct(module, "show_product_registers", true, false, 16, 48, 0);
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
