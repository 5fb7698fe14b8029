// Products of warp groups: begun by four warps, computed by each for its 16 rows when it waits.
#include <cstring>

#include "cluster.h"

namespace emulator {

using ait::emulated::Product;

namespace {

/// NaN, and no number that a kernel computes.
constexpr uint32_t kUnderWay = 0xffc0de01;

/// The sums that products add to, of all lanes of a warp.
struct Accumulator {
  float* places[32];
  int columns = 0;
  std::vector<float> values;  // columns / 2 of each lane
  int underWay = 0;
};

struct PendingProduct {
  Product product;
  float* key;  // the first lane's sums
  /// A, if it is in registers: the four words of every lane when the product began, and where.
  std::vector<uint32_t> words;
  const uint32_t* places[32];
};

/// Bytes of shared memory that a matrix lies in.
struct Range {
  size_t begin;
  size_t end;
};

/// A matrix as its descriptor tells: rows of 128 bytes, swizzled, in groups of 8.
struct MatrixPlace {
  size_t start;
  size_t chunkStride;
  size_t groupStride;

  explicit MatrixPlace(uint64_t descriptor)
      : start(((descriptor & 0x3fff) << 4) - ait::emulated::kSharedBase),
        chunkStride((descriptor >> 16 & 0x3fff) << 4),
        groupStride((descriptor >> 32 & 0x3fff) << 4) {}

  /// Where the element lies: its index along M or N, and along K.
  size_t at(int index, int k, bool isTransposed, int elementSize) const {
    const int perRow = 128 / elementSize;
    size_t address = start;
    if (isTransposed) {
      address += static_cast<size_t>(index / perRow) * chunkStride +
                 static_cast<size_t>(k / 8) * groupStride + static_cast<size_t>(k % 8) * 128 +
                 static_cast<size_t>(index % perRow * elementSize);
    } else {
      address += static_cast<size_t>(index / 8) * groupStride +
                 static_cast<size_t>(index % 8) * 128 + static_cast<size_t>(k * elementSize);
    }
    return address ^ (address >> 7 & 7) << 4;
  }

  Range range(int extent, int depth, bool isTransposed, int elementSize) const {
    const int perRow = 128 / elementSize;
    const size_t begin = start / 1024 * 1024;
    const size_t groups =
        isTransposed ? static_cast<size_t>(depth + 7) / 8 : static_cast<size_t>(extent + 7) / 8;
    const size_t chunks =
        isTransposed ? static_cast<size_t>(extent + perRow - 1) / static_cast<size_t>(perRow) : 1;
    return {begin, begin + (groups - 1) * groupStride + (chunks - 1) * chunkStride + 1024};
  }
};

Range rangeOfA(const Product& product) {
  if (product.registers != nullptr) return {0, 0};
  return MatrixPlace(product.a).range(64, product.depth, product.isATransposed,
                                      product.elementSize);
}
Range rangeOfB(const Product& product) {
  return MatrixPlace(product.b).range(product.columns, product.depth, product.isBTransposed,
                                      product.elementSize);
}

}  // namespace

struct WarpProducts {
  std::map<float*, Accumulator> accumulators;
  std::vector<PendingProduct> begun;
  std::vector<std::vector<PendingProduct>> committed;
  size_t count = 0;  // of all so far
  bool isFenced = false;
};

void WarpProductsDeleter::operator()(WarpProducts* products) const { delete products; }

namespace {

WarpProducts& productsOf(Fiber& fiber) {
  auto& products = fiber.owner->products[static_cast<size_t>(fiber.index / 32)];
  if (!products) products.reset(new WarpProducts());
  return *products;
}

template <class Visit>
void forEachPending(const WarpProducts& products, Visit&& visit) {
  for (const PendingProduct& pending : products.begun) visit(pending.product);
  for (const auto& group : products.committed) {
    for (const PendingProduct& pending : group) visit(pending.product);
  }
}

/// Fails unless a matrix is one that the matrix units can read now.
void checkMatrix(Fiber& fiber, uint64_t descriptor, Range range, const char* name) {
  Cluster& cluster = clusterOf(fiber);
  if (descriptor >> 62 != 1) {
    cluster.fail(fiber, std::string(name) + " is not in rows of the 128-byte swizzle");
  }
  const size_t size = static_cast<size_t>(cluster.grid().sharedSizeInBytes);
  if (MatrixPlace(descriptor).start % 1024 >= 128 || range.end > (size + 1023) / 1024 * 1024) {
    cluster.fail(fiber, std::string(name) + " at offset " +
                            std::to_string(MatrixPlace(descriptor).start) +
                            " does not begin in the first row of a group of 8 rows, or ends "
                            "beyond the shared memory");
  }
  const size_t end = range.end < size ? range.end : size;
  checkPendingWrites(fiber, *fiber.owner, range.begin, end - range.begin, "product");
  checkPublished(fiber, *fiber.owner, range.begin, end - range.begin, "product");
}

/// A's element of a row of 16, as `multiplyTiles` has it, of the words of all lanes.
const char* inRegisters(const std::vector<uint32_t>& words, int row, int k) {
  const size_t lane = static_cast<size_t>(row % 8 * 4 + k % 8 / 2);
  const size_t word = static_cast<size_t>(row / 8 + k / 8 * 2);
  return reinterpret_cast<const char*>(&words[lane * 4 + word]) + k % 2 * 2;
}

/// Fails if A's registers have changed since the product began.
void checkRegisters(Fiber& fiber, const PendingProduct& pending) {
  for (size_t lane = 0; lane < pending.words.size() / 4; ++lane) {
    if (std::memcmp(pending.places[lane], &pending.words[lane * 4], 16) == 0) continue;
    clusterOf(fiber).fail(fiber, "A's registers of lane " + std::to_string(lane) +
                                     " were written while products were under way");
  }
}

/// Adds a product to a warp's sums.
void compute(Fiber& fiber, Accumulator& sums, const PendingProduct& pending) {
  const Product& product = pending.product;
  const char* shared = fiber.shared;
  const MatrixPlace a(product.a), b(product.b);
  const int columns = product.columns, depth = product.depth;
  const int firstRow = fiber.index % 128 / 32 * 16;
  std::vector<float> right(static_cast<size_t>(depth * columns));
  for (int k = 0; k < depth; ++k) {
    for (int column = 0; column < columns; ++column) {
      right[static_cast<size_t>(k * columns + column)] =
          product.convert(shared + b.at(column, k, product.isBTransposed, product.elementSize));
    }
  }
  std::vector<float> row(static_cast<size_t>(columns));
  for (int m = 0; m < 16; ++m) {
    // Of row m, lane 4 (m % 8) + c holds columns 8 j + 2 c and the next, as sums 4 j + m / 8 * 2.
    const auto place = [&](int column) -> float& {
      const int lane = m % 8 * 4 + column % 8 / 2;
      return sums.values[static_cast<size_t>(lane * (columns / 2) + column / 8 * 4 + m / 8 * 2 +
                                             column % 2)];
    };
    for (int column = 0; column < columns; ++column) {
      row[static_cast<size_t>(column)] = product.accumulates ? place(column) : 0.0f;
    }
    for (int k = 0; k < depth; ++k) {
      const float x = product.convert(
          product.registers != nullptr
              ? inRegisters(pending.words, m, k)
              : shared + a.at(firstRow + m, k, product.isATransposed, product.elementSize));
      const float* factors = right.data() + k * columns;
      for (int column = 0; column < columns; ++column) {
        row[static_cast<size_t>(column)] += x * factors[column];
      }
    }
    for (int column = 0; column < columns; ++column) {
      place(column) = row[static_cast<size_t>(column)];
    }
  }
}

/// Gives the lanes their sums back.
void deliver(Fiber& fiber, const Accumulator& sums) {
  const size_t count = static_cast<size_t>(sums.columns / 2);
  for (size_t lane = 0; lane < 32; ++lane) {
    for (size_t i = 0; i < count; ++i) {
      uint32_t bits;
      std::memcpy(&bits, sums.places[lane] + i, sizeof(bits));
      if (bits == kUnderWay) continue;
      clusterOf(fiber).fail(fiber, "sum " + std::to_string(i) + " of lane " + std::to_string(lane) +
                                       " was written while products were under way");
    }
    std::memcpy(sums.places[lane], sums.values.data() + lane * count, count * sizeof(float));
  }
}

/// The warp's first and last instruction of a product: what all lanes have brought.
void begin(Thread& thread, void* const* slots) {
  Fiber& fiber = fiberOf(thread);
  Cluster& cluster = clusterOf(fiber);
  WarpProducts& products = productsOf(fiber);
  const Product& product = *static_cast<const Product*>(slots[0]);
  auto& log = fiber.owner->productLogs[static_cast<size_t>(thread.index / 128)];
  if (log.size() == products.count) log.push_back(product);
  for (int lane = 0; lane < 32; ++lane) {
    const Product& other = *static_cast<const Product*>(slots[lane]);
    const Product& first = log[products.count];
    if (other.a != first.a || other.b != first.b || other.columns != first.columns ||
        (other.registers == nullptr) != (first.registers == nullptr)) {
      cluster.fail(fiber, "the warps of a group begin different products");
    }
  }
  ++products.count;
  Accumulator& sums = products.accumulators[product.sums];
  if (sums.underWay == 0) {
    if (!products.isFenced) {
      cluster.fail(fiber, "a product begins without beginProducts since its sums were touched");
    }
    sums.columns = product.columns;
    const size_t count = static_cast<size_t>(product.columns / 2);
    sums.values.resize(32 * count);
    for (size_t lane = 0; lane < 32; ++lane) {
      sums.places[lane] = static_cast<const Product*>(slots[lane])->sums;
      std::memcpy(sums.values.data() + lane * count, sums.places[lane], count * sizeof(float));
      for (size_t i = 0; i < count; ++i) {
        std::memcpy(sums.places[lane] + i, &kUnderWay, sizeof(kUnderWay));
      }
    }
  }
  ++sums.underWay;
  PendingProduct pending = {product, product.sums, {}, {}};
  if (product.registers == nullptr) {
    checkMatrix(fiber, product.a, rangeOfA(product), "A");
  } else {
    for (size_t lane = 0; lane < 32; ++lane) {
      const uint32_t* words = static_cast<const Product*>(slots[lane])->registers;
      pending.places[lane] = words;
      pending.words.insert(pending.words.end(), words, words + 4);
    }
  }
  checkMatrix(fiber, product.b, rangeOfB(product), "B");
  products.begun.push_back(std::move(pending));
}

void commit(Thread& thread, void* const*) {
  WarpProducts& products = productsOf(fiberOf(thread));
  products.committed.push_back(std::move(products.begun));
  products.begun.clear();
}

void finishProducts(Thread& thread, void* const* slots) {
  Fiber& fiber = fiberOf(thread);
  WarpProducts& products = productsOf(fiber);
  const size_t pending = static_cast<size_t>(*static_cast<const int*>(slots[0]));
  while (products.committed.size() > pending) {
    for (const PendingProduct& each : products.committed.front()) {
      Accumulator& sums = products.accumulators.at(each.key);
      checkRegisters(fiber, each);
      compute(fiber, sums, each);
      if (--sums.underWay > 0) continue;
      deliver(fiber, sums);
      products.accumulators.erase(each.key);
      products.isFenced = false;
    }
    products.committed.erase(products.committed.begin());
  }
}

void fence(Thread& thread, void* const*) { productsOf(fiberOf(thread)).isFenced = true; }

}  // namespace

void beginProducts(Thread& thread, int line) {
  int slot = 0;
  meet(thread, 32, &slot, fence, "beginProducts", line);
}

void addProduct(Thread& thread, const Product& product, int line) {
  Fiber& fiber = fiberOf(thread);
  if (thread.index / 128 * 128 + 128 > static_cast<int>(fiber.owner->fibers.size())) {
    clusterOf(fiber).fail(fiber, "a product takes a warp group, of which the block has a part");
  }
  Product slot = product;
  meet(thread, 32, &slot, begin, "add of a WarpgroupProduct", line);
}

void commitProducts(Thread& thread, int line) {
  int slot = 0;
  meet(thread, 32, &slot, commit, "commitProducts", line);
}

void waitForProducts(Thread& thread, int pending, int line) {
  int slot = pending;
  meet(thread, 32, &slot, finishProducts, "waitForProducts", line);
}

void setRegisters(Thread& thread, int count, bool, int line) {
  Fiber& fiber = fiberOf(thread);
  if (count % 8 != 0 || count < 24 || count > 256) {
    clusterOf(fiber).fail(fiber, "a thread cannot have " + std::to_string(count) + " registers");
  }
  int slot = 0;
  meet(thread, 32, &slot, [](Thread&, void* const*) {}, "a change of registers", line);
  auto& registers = fiber.owner->registers;
  registers[static_cast<size_t>(thread.index / 128)] = count;
  int total = 0;
  for (const int each : registers) total += each * 128;
  if (total > 65536) {
    clusterOf(fiber).fail(fiber, "the warp groups ask for " + std::to_string(total) +
                                     " registers, of which there are 65536");
  }
}

void checkProductOperands(Fiber& fiber, Block& block, size_t offset, size_t bytes) {
  for (const auto& products : block.products) {
    if (!products) continue;
    forEachPending(*products, [&](const Product& product) {
      for (const Range range : {rangeOfA(product), rangeOfB(product)}) {
        if (offset >= range.end || offset + bytes <= range.begin) continue;
        clusterOf(fiber).fail(
            fiber, "a copy to offset " + std::to_string(offset) + " of the shared memory of rank " +
                       std::to_string(block.rank) + ", which products under way read");
      }
    });
  }
}

const char* unfinishedProducts(const Block& block) {
  for (const auto& products : block.products) {
    if (!products) continue;
    if (!products->begun.empty()) return "with products that are not committed";
    if (!products->committed.empty()) return "with products that nobody waits for";
  }
  return "";
}

}  // namespace emulator
