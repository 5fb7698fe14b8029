// Matrix products by plain loops, and the operands to compare matmul on.
//
// Elements are small integers, so that every sum is exact in its accumulator and results must be
// equal, not near. What is between the elements of an operand is NaN or a guard.
#pragma once

#include <memory>

#include "ait/cpu/matmul.h"
#include "check.h"

namespace reference {

using namespace ait;
using check::GuardedBuffer;
using check::Random;
using Extents = std::vector<int64_t>;

template <class T>
T smallElement(Random& random) {
  const int64_t value =
      random.integer(std::is_unsigned_v<T> ? 0 : -4, std::is_unsigned_v<T> ? 8 : 4);
  return toStorage<T>(static_cast<ComputeType<T>>(value));
}

inline int64_t dot(const Extents& index, const Extents& strides) {
  int64_t sum = 0;
  for (size_t axis = 0; axis < index.size(); ++axis) sum += index[axis] * strides[axis];
  return sum;
}

/// Calls `body(index)` for every index below the extents.
template <class Body>
void forEachIndex(const Extents& extents, Body body) {
  for (const int64_t extent : extents) {
    if (extent == 0) return;
  }
  Extents index(extents.size(), 0);
  while (true) {
    body(index);
    size_t axis = extents.size();
    while (axis > 0 && ++index[axis - 1] == extents[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

/// How the axes of an operand lie in memory.
struct Layout {
  /// Whether the last two axes change places.
  bool isTransposed = false;
  int64_t innerStride = 1;
  /// Elements between a row and the next, a matrix and the next.
  int64_t padding = 0;
  /// Axes with stride 0, counted from the last.
  std::vector<int> broadcast;
};

/// An operand with guards around it and NaN in its gaps.
template <class T>
struct Matrix {
  Extents extents;
  Extents strides;
  std::unique_ptr<GuardedBuffer<T>> buffer;

  Matrix(Extents shape, const Layout& layout) : extents(std::move(shape)) {
    const int rank = static_cast<int>(extents.size());
    strides.assign(rank, 0);
    int64_t stride = layout.innerStride;
    int64_t last = 0;
    for (int i = 0; i < rank; ++i) {
      int axis = rank - 1 - i;
      if (layout.isTransposed && i < 2) axis = rank - 2 + i;
      bool isBroadcast = false;
      for (const int fromLast : layout.broadcast) isBroadcast |= rank - 1 - fromLast == axis;
      if (isBroadcast) continue;
      strides[axis] = stride;
      last += stride * (extents[axis] - 1);
      stride = stride * extents[axis] + layout.padding;
    }
    int64_t count = last + 1;
    for (const int64_t extent : extents) count = extent == 0 ? 0 : count;
    buffer = std::make_unique<GuardedBuffer<T>>(count);
  }

  T& operator[](const Extents& index) { return (*buffer)[dot(index, strides)]; }

  void fill(Random& random) {
    forEachIndex(extents, [&](const Extents& index) { (*this)[index] = smallElement<T>(random); });
  }

  void* data() { return buffer->data(); }
};

/// What a test varies besides types.
struct Shape {
  Extents batch;
  int64_t M;
  int64_t N;
  int64_t K;
  Layout a = {};
  Layout b = {};
  Layout c = {};
  Layout extra = {};
  uint64_t seed = 1;
};

inline Extents joined(Extents batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

inline void append(std::vector<int64_t>& sizes, const Extents& more) {
  sizes.insert(sizes.end(), more.begin(), more.end());
}

/// Where the sums are made: as wide as the accumulator, wrapping around like it.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<ComputeType<T>>, double, int64_t>;

template <class T>
Wide<T> wide(T value) {
  return static_cast<Wide<T>>(toCompute(value));
}

/// A and B of a product, B also packed if the configuration asks for it.
template <class Config>
struct Factors {
  using A = typename Config::A;
  using B = typename Config::B;
  static constexpr int kColumns = Config::Tile::kColumns;

  Shape shape;
  Matrix<A> a;
  Matrix<B> b;
  std::unique_ptr<GuardedBuffer<B>> packed;
  Extents bStrides;

  explicit Factors(const Shape& s)
      : shape(s),
        a(joined(s.batch, s.M, s.K), s.a),
        b(joined(s.batch, s.K, s.N), s.b),
        bStrides(b.strides) {
    Random random(s.seed);
    a.fill(random);
    b.fill(random);
    if (Config::kPacking == Packing::packed) pack();
  }

  /// Packs every matrix of the batch, the equal ones of a broadcast one too.
  void pack() {
    int64_t batch = 1;
    for (const int64_t extent : shape.batch) batch *= extent;
    const int64_t count = packedElementCount(shape.K, shape.N, kColumns);
    packed = std::make_unique<GuardedBuffer<B>>(batch * count);
    check::SerialPool pool;
    int64_t matrix = 0;
    forEachIndex(shape.batch, [&](const Extents& index) {
      Extents origin = index;
      origin.resize(index.size() + 2, 0);
      const int64_t offset = count == 0 ? 0 : dot(origin, b.strides);
      const size_t rank = shape.batch.size();
      check::runKernel(packWeights<B, kColumns>,
                       {static_cast<B*>(b.data()) + offset, packed->data() + matrix * count},
                       {1, shape.K, shape.N, 0, b.strides[rank], b.strides[rank + 1]}, pool);
      ++matrix;
    });
    int64_t stride = count;
    for (size_t axis = shape.batch.size(); axis > 0; --axis) {
      bStrides[axis - 1] = stride;
      stride *= shape.batch[axis - 1];
    }
  }

  void* bData() { return packed ? packed->data() : b.data(); }

  /// The element of A B at an index of C.
  auto sum(const Extents& index) {
    const size_t rank = shape.batch.size();
    Extents aIndex = index;
    Extents bIndex = index;
    aIndex[rank + 1] = 0;
    bIndex[rank] = 0;
    const int64_t aFirst = dot(aIndex, a.strides);
    const int64_t bFirst = dot(bIndex, b.strides);
    const A* aElements = a.buffer->data();
    const B* bElements = b.buffer->data();
    Wide<typename Config::Accumulator> result = 0;
    for (int64_t k = 0; k < shape.K; ++k) {
      result += wide(aElements[aFirst + k * a.strides[rank + 1]]) *
                wide(bElements[bFirst + k * b.strides[rank]]);
    }
    return result;
  }

  std::vector<int64_t> sizes() const {
    std::vector<int64_t> result = shape.batch;
    append(result, {shape.M, shape.N, shape.K});
    append(result, a.strides);
    append(result, bStrides);
    return result;
  }
};

inline std::string describe(const Shape& shape) {
  std::string text;
  for (const int64_t extent : shape.batch) text += std::to_string(extent) + " x ";
  return text + std::to_string(shape.M) + " x " + std::to_string(shape.N) + " x " +
         std::to_string(shape.K) + (shape.a.isTransposed ? " aT" : "") +
         (shape.b.isTransposed ? " bT" : "") + (shape.c.isTransposed ? " cT" : "") + " seed " +
         std::to_string(shape.seed);
}

/// Whether the output holds `expected(index)` and its gaps and guards are untouched.
template <class T, class Expected>
bool holds(Matrix<T>& output, Expected expected) {
  GuardedBuffer<T> wanted(output.buffer->count());
  forEachIndex(output.extents,
               [&](const Extents& index) { wanted[dot(index, output.strides)] = expected(index); });
  return output.buffer->guardsAreIntact() &&
         std::memcmp(wanted.data(), output.data(), wanted.count() * sizeof(T)) == 0;
}

inline check::SerialPool& onePool() {
  static check::SerialPool pool;
  return pool;
}

inline check::TwoThreadPool& twoPool() {
  static check::TwoThreadPool pool;
  return pool;
}

// MARK: - Products without an epilogue

struct Identity {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> sum) {
    return results(sum);
  }
};

template <class Out>
struct ConvertTo {
  template <int W, class T>
  static AIT_INLINE auto apply(Vec<T, W> sum) {
    return results(convert<Out>(sum));
  }
};

/// C = A B with C of type `Out`, on one thread and on two.
template <class A, class B, Packing packing, int batchRank, class Out,
          Access access = Access::contiguous>
void checkProduct(const Shape& shape) {
  using Config = MatmulConfig<A, B, packing, batchRank>;
  Factors<Config> factors(shape);
  Matrix<Out> c(joined(shape.batch, shape.M, shape.N), shape.c);
  std::vector<int64_t> sizes = factors.sizes();
  append(sizes, c.strides);
  for (const bool isThreaded : {false, true}) {
    c.buffer->poison();
    ThreadPool& pool = isThreaded ? static_cast<ThreadPool&>(twoPool()) : onePool();
    check::runKernel(matmul<Config, ConvertTo<Out>, Inputs<>, Outputs<Operand<Out, access>>>,
                     {factors.a.data(), factors.bData(), c.data()}, sizes, pool);
    CHECK(holds(c,
                [&](const Extents& index) {
                  return toStorage<Out>(static_cast<ComputeType<Out>>(factors.sum(index)));
                }),
          describe(shape), isThreaded);
  }
}

inline Layout randomLayout(Random& random, bool mayBroadcastBatch, int batchRank) {
  Layout layout;
  layout.isTransposed = random.integer(0, 1) == 1;
  layout.padding = random.integer(0, 2) == 0 ? random.integer(1, 9) : 0;
  if (random.integer(0, 9) == 0) layout.innerStride = random.integer(2, 3);
  for (int axis = 0; mayBroadcastBatch && axis < batchRank; ++axis) {
    if (random.integer(0, 2) == 0) layout.broadcast.push_back(2 + axis);
  }
  return layout;
}

inline int64_t pick(Random& random, const std::vector<int64_t>& values) {
  return values[random.integer(0, static_cast<int64_t>(values.size()) - 1)];
}

inline const std::vector<int64_t> kRowCounts = {1,  2,  3,  4,  5,  6,  7,  8, 11,
                                                12, 13, 14, 17, 24, 25, 37, 61};
inline const std::vector<int64_t> kColumnCounts = {1,  2,  5,  8,  15, 16, 17, 31,
                                                   32, 33, 48, 63, 64, 65, 96, 130};
inline const std::vector<int64_t> kDepths = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257};

template <class A, class B, Packing packing, int batchRank, class Out>
void checkRandomProducts(int count, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    Shape shape;
    shape.seed = seed * 1000 + i;
    for (int axis = 0; axis < batchRank; ++axis) shape.batch.push_back(random.integer(1, 3));
    shape.M = pick(random, kRowCounts);
    shape.N = pick(random, kColumnCounts);
    shape.K = pick(random, kDepths);
    shape.a = randomLayout(random, true, batchRank);
    shape.b = randomLayout(random, true, batchRank);
    shape.c.padding = random.integer(0, 5);
    checkProduct<A, B, packing, batchRank, Out>(shape);
  }
}

}  // namespace reference
