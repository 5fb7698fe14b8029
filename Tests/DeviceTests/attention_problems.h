// Attention with seeded inputs in device memory, its launches by the host code of libraries, and
// its meaning in double.
#pragma once

#include "ait/gpu/attention_launch.h"
#include "attention_cases.h"
#include "products.h"

namespace device {

/// The queue of a library's host code, which puts its launches into a stream: kernels by number.
class TestQueue final : public ait::DeviceQueue {
 public:
  TestQueue(std::vector<Handle> kernels, Handle stream)
      : kernels_(std::move(kernels)), stream_(stream) {}

  void launch(const ait::DeviceLaunch& launch) override {
    Launch own;
    own.function = kernels_[static_cast<size_t>(launch.kernel)];
    own.blocks = launch.grid[0];
    own.threads = static_cast<int>(launch.blockSize);
    own.sharedBytes = static_cast<int>(launch.sharedSizeInBytes);
    own.isProgrammatic = launch.overlapsPrevious;
    own.prepare();
    own.enqueue(stream_, launch.arguments[0]);
    ++count_;
  }
  void encodeTensorMap(void* map, const ait::TensorMapRequest& request) override {
    AIT_CALL(cuTensorMapEncodeTiled, map, request.elementType, request.rank, request.address,
             request.extents, request.strides, request.box, request.steps, request.interleaving,
             request.swizzle, request.promotion, request.filling);
  }
  void copy(void*, const void*, int64_t) override { std::abort(); }
  void fill(void*, int32_t, int64_t) override { std::abort(); }
  int32_t architecture() const override { return 0; }
  int32_t multiprocessorCount() const override { return Driver::shared().multiprocessors(); }
  int32_t activeClusterCount(int32_t) const override { return 1; }
  int32_t step() const override { return 0; }
  ait::DeviceErrorRecord* errorRecord() const override { return nullptr; }

  int count() const { return count_; }

 private:
  std::vector<Handle> kernels_;
  Handle stream_;
  int count_ = 0;
};

/// Attention's host code uses no threads.
class NoThreads final : public ait::ThreadPool {
  int32_t threadCount() const override { return 1; }
  void run(int64_t, Task, void*) override { std::abort(); }
  void* scratch(int32_t) override { return nullptr; }
};

struct AttentionExtents {
  int64_t batch;
  /// Heads of keys, and of queries for each of them.
  int64_t heads;
  int64_t group;
  int64_t queries;
  int64_t keys;
};

/// What the mask of a query is: numbers at random, or one for all its keys.
enum class MaskKind { random, none, least };

enum class AttentionKernel { warps, warpgroups, fewQueries };

/// Operands lie as projections leave them, heads side by side in a row: `[batch, position, head,
/// column]`. The mask is the same for all heads.
template <class Config>
class AttentionProblem {
  using T = typename Config::Element;
  using M = typename Config::Mask;
  static constexpr bool kHasMask = !std::is_void_v<M>;
  static constexpr int64_t kDepth = Config::kTestDepth;
  static constexpr int64_t kWidth = Config::kTestWidth;
  /// From one element of a row to the next.
  static constexpr int64_t kSpread = Config::kAlignmentQ == 0 ? 2 : 1;

 public:
  explicit AttentionProblem(const AttentionExtents& extents, uint64_t seed = 1)
      : extents_(extents) {
    const auto [batch, heads, group, queries, keys] = extents;
    const int64_t all = batch * heads * group;
    const auto numbers = [&](int64_t count, uint64_t seed, float scale) {
      return randomNumbers<T>(static_cast<size_t>(count * kSpread), seed, scale);
    };
    q_ = numbers(all * queries * kDepth, seed, 2);
    k_ = numbers(batch * heads * keys * kDepth, seed + 1, 2);
    v_ = numbers(batch * heads * keys * kWidth, seed + 2, 1);
    for (Buffer* buffer : {&deviceQ_, &deviceK_, &deviceV_}) {
      *buffer = Buffer(buffer == &deviceQ_ ? q_ : buffer == &deviceK_ ? k_ : v_);
    }
    out = Buffer(static_cast<size_t>(all * queries * kWidth * kSpread) * sizeof(T));
    workspace = Buffer(size_t{Config::kWorkspaceStates} *
                       ait::AttentionFewQueriesShape<Config>::kStateFloats * 4);
    if constexpr (kHasMask) makeMask(seed + 3);
    makeSizes();
  }

  /// Puts the launches of a kernel into a stream; returns their number.
  int launch(const Module& module, const std::string& name, AttentionKernel kernel,
             Handle stream = Driver::shared().stream()) const {
    std::vector<Handle> kernels;
    const bool isFew = kernel == AttentionKernel::fewQueries;
    kernels.push_back(module.function(name + (isFew                                   ? "_few"
                                              : kernel == AttentionKernel::warpgroups ? "_hopper"
                                                                                      : "")));
    if (isFew) kernels.push_back(module.function(name + "_few_finish"));
    TestQueue queue(kernels, stream);
    NoThreads threads;
    std::vector<void*> buffers = {deviceQ_.pointer(), deviceK_.pointer(), deviceV_.pointer()};
    if (kHasMask) buffers.push_back(deviceMask_.pointer());
    buffers.push_back(out.pointer());
    const ait::KernelContext context{buffers.data(), sizes_.data(), workspace.pointer(), threads,
                                     &queue};
    if (isFew) {
      const int32_t numbers[2] = {0, 1};
      ait::launchAttentionFewQueries<Config>(context, numbers);
    } else if (kernel == AttentionKernel::warpgroups) {
      ait::launchAttentionHopper<Config>(context, 0);
    } else {
      ait::launchAttention<Config>(context, 0);
    }
    return queue.count();
  }

  /// The error of the results; NaN where one is not written, or a guard is broken.
  double error(int64_t mostRows = int64_t{1} << 40) const {
    const std::vector<T> results = out.template content<T>();
    const int64_t rows = extents_.batch * extents_.heads * extents_.group * extents_.queries;
    int64_t step = 1;
    while (rows / step > mostRows) step = step * 2 + 1;
    std::vector<ErrorNorm> norms(static_cast<size_t>(rows));
    onAllCores((rows + step - 1) / step, [&](int64_t i) {
      norms[static_cast<size_t>(i * step)] = errorOfRow(results, i * step);
    });
    ErrorNorm total;
    for (const auto& norm : norms) total.add(norm);
    if (!out.guardsAreIntact() || !workspace.guardsAreIntact()) return NAN;
    return gapsAreIntact(results) ? total.value() : NAN;
  }

  /// Operations of both products.
  double operations() const {
    const auto [batch, heads, group, queries, keys] = extents_;
    const double scores = static_cast<double>(batch * heads * group * queries * keys);
    return scores * 2.0 * static_cast<double>(kDepth + kWidth) / (Config::kIsCausal ? 2 : 1);
  }
  /// The bytes of keys and values.
  double bytes() const { return static_cast<double>((k_.size() + v_.size()) * sizeof(T)); }

  Buffer out;
  Buffer workspace;

 private:
  /// Masks differ by batch and query; every fifth query's is one number for all keys, in turn none
  /// that counts and the least that there is.
  static MaskKind kindOf(int64_t query) {
    return query % 5 != 2 ? MaskKind::random : query % 2 == 0 ? MaskKind::none : MaskKind::least;
  }

  void makeMask(uint64_t seed) {
    const auto [batch, heads, group, queries, keys] = extents_;
    Random random(seed);
    mask_.resize(static_cast<size_t>(batch * queries * keys));
    std::vector<M_> stored(mask_.size() * kMaskSpread);
    for (size_t i = 0; i < mask_.size(); ++i) {
      const MaskKind kind = kindOf(static_cast<int64_t>(i) / keys % queries);
      M_ own{};
      if constexpr (std::is_same_v<M, bool>) {
        own = kind == MaskKind::random && random.uniform() > -0.3f ? 1 : 0;
        mask_[i] = own ? 0.0 : -INFINITY;
      } else {
        const float least = std::is_same_v<M, F16_> ? -65504.0f : -3.3895e38f;
        const float x = random.uniform();
        own = fromFloat<M_>(kind == MaskKind::none    ? -INFINITY
                            : kind == MaskKind::least ? least
                            : x > 0.7f                ? -INFINITY
                                                      : 3 * x);
        mask_[i] = toDouble(own);
      }
      stored[i * kMaskSpread] = own;
    }
    deviceMask_ = Buffer(stored);
  }

  void makeSizes() {
    const auto [batch, heads, group, queries, keys] = extents_;
    sizes_ = {batch, heads, group, queries, keys, kDepth, kWidth};
    const auto place = [&, heads = heads](int64_t rows, int64_t columns, int64_t groups) {
      const int64_t row = heads * groups * columns * kSpread;
      for (const int64_t stride : {rows * row, groups * columns * kSpread,
                                   groups > 1 ? columns * kSpread : int64_t{0}, row, kSpread}) {
        sizes_.push_back(stride);
      }
    };
    place(queries, kDepth, group);
    place(keys, kDepth, 1);
    place(keys, kWidth, 1);
    if (kHasMask) {
      const int64_t spread = static_cast<int64_t>(kMaskSpread);
      for (const int64_t stride :
           {queries * keys * spread, int64_t{0}, int64_t{0}, keys * spread, spread}) {
        sizes_.push_back(stride);
      }
    }
    place(queries, kWidth, group);
  }

  /// - row: of batch, query and head.
  ErrorNorm errorOfRow(const std::vector<T>& results, int64_t row) const {
    const auto [batch, heads, group, queries, keys] = extents_;
    const int64_t head = row % (heads * group);
    const int64_t query = row / (heads * group) % queries;
    const int64_t sequence = row / (heads * group) / queries;
    const auto at = [&, heads = heads, group = group, keys = keys](int64_t key) {
      return (sequence * keys + key) * heads + head / group;
    };
    std::vector<double> scores(static_cast<size_t>(keys));
    double largest = -INFINITY;
    for (int64_t key = 0; key < keys; ++key) {
      double sum = 0;
      for (int64_t d = 0; d < kDepth; ++d) {
        sum += toDouble(q_[static_cast<size_t>((row * kDepth + d) * kSpread)]) *
               toDouble(k_[static_cast<size_t>((at(key) * kDepth + d) * kSpread)]);
      }
      double& score = scores[static_cast<size_t>(key)];
      score = sum * static_cast<double>(Config::kScale) / 1.4426950408889634;
      if (kHasMask) {
        score += mask_[static_cast<size_t>((sequence * queries + query) * keys + key)];
      }
      if (Config::kIsCausal && key > query) score = -INFINITY;
      largest = std::fmax(largest, score);
    }
    std::vector<double> sums(static_cast<size_t>(kWidth));
    double weights = 0;
    for (int64_t key = 0; key < keys && largest > -INFINITY; ++key) {
      const double weight = std::exp(scores[static_cast<size_t>(key)] - largest);
      weights += weight;
      for (int64_t e = 0; e < kWidth; ++e) {
        sums[static_cast<size_t>(e)] +=
            weight * toDouble(v_[static_cast<size_t>((at(key) * kWidth + e) * kSpread)]);
      }
    }
    ErrorNorm norm;
    for (int64_t e = 0; e < kWidth; ++e) {
      const double none = Config::kKeepsNaN && keys > 0 ? NAN : 0;
      const double expected = weights > 0 ? sums[static_cast<size_t>(e)] / weights : none;
      const double actual = toDouble(results[static_cast<size_t>((row * kWidth + e) * kSpread)]);
      if (std::isnan(expected) && std::isnan(actual)) continue;
      norm.add(actual, expected);
    }
    return norm;
  }

  /// Whether what lies between the elements of a row is as it was.
  bool gapsAreIntact(const std::vector<T>& results) const {
    for (size_t i = 1; kSpread > 1 && i < results.size(); i += kSpread) {
      if (results[i].bits != 0xffff) return false;
    }
    return true;
  }

  using F16_ = ait::float16;
  /// What a mask is stored as.
  using M_ =
      std::conditional_t<std::is_same_v<M, bool>, uint8_t, std::conditional_t<kHasMask, M, float>>;
  static constexpr size_t kMaskSpread = Config::kIsMaskContiguous ? 1 : 3;

  AttentionExtents extents_;
  std::vector<T> q_, k_, v_;
  std::vector<double> mask_;
  std::vector<int64_t> sizes_;
  Buffer deviceQ_, deviceK_, deviceV_, deviceMask_;
};

}  // namespace device
