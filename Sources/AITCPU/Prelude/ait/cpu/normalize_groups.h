// Normalisation of groups of channels that lie side by side, such as those of channels-last images.
//
// A group is not a row in memory: its channels are a few columns of every pixel. Vectors go along
// the channels, whose statistics are kept apart until those of a group are brought together.
#pragma once

#include "ait/cpu/normalize.h"

namespace ait {

/// The normalisation of some whole groups of a sample: a range of its columns.
template <class Parameters, class Operands>
class GroupNormalization {
  using T = typename Operands::T;
  static constexpr int W = Operands::W;
  static constexpr int64_t kChannels = Parameters::kChannels;

 public:
  /// Columns of a task, at most: whole groups, or one group that has more.
  static constexpr int64_t kMostColumns =
      kChannels > 2048 ? kChannels : 2048 / kChannels * kChannels;
  /// What the statistics of so many columns and a block of pixels take of the scratch memory.
  static constexpr int64_t kBlockElements = 8192;
  static constexpr int64_t kLeastPixels = 8;
  static_assert(kMostColumns * (2 * int64_t{sizeof(double)} + (3 + kLeastPixels) * sizeof(T)) +
                        kBlockElements * sizeof(T) + 64 * W * sizeof(T) <=
                    ThreadPool::kScratchSizeInBytes,
                "a group's statistics fit the scratch memory");

  /// - pixels: the indices of the axes that are normalised beside the channels.
  AIT_INLINE GroupNormalization(const Operands& operands, int64_t pixels, int64_t columns,
                                void* scratch)
      : operands_(operands),
        pixels_(pixels),
        // The same for all cuts into tasks, so that they change no sum.
        blockPixels_(columns * kLeastPixels < kBlockElements ? kBlockElements / columns
                                                             : kLeastPixels),
        means_(static_cast<double*>(scratch)),
        squares_(means_ + kMostColumns),
        center_(reinterpret_cast<T*>(squares_ + kMostColumns)),
        scale_(center_ + kMostColumns + W),
        shift_(scale_ + kMostColumns + W),
        kept_(shift_ + kMostColumns + W) {}

  /// Normalises the columns `first ..< last` of a sample.
  AIT_INLINE void run(int64_t sample, int64_t first, int64_t last) {
    first_ = first;
    last_ = last;
    for (int64_t at = 0; at < last - first; ++at) means_[at] = squares_[at] = 0;
    operands_.seek(sample * pixels_);
    for (int64_t pixel = 0; pixel < pixels_; pixel += blockPixels_) {
      const int64_t rest = pixels_ - pixel;
      addBlock(pixel, rest < blockPixels_ ? rest : blockPixels_);
    }
    for (int64_t at = 0; at < last - first; at += kChannels) setScale(at);
    operands_.seek(sample * pixels_);
    for (int64_t pixel = 0; pixel < pixels_; ++pixel) {
      write(operands_.rows());
      operands_.advance();
    }
  }

 private:
  /// Adds some pixels to the means and the sums of squared deviations of all columns. Source: Chan,
  /// Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
  /// (1979).
  AIT_INLINE void addBlock(int64_t before, int64_t count) {
    const int64_t width = (last_ - first_ + W - 1) / W * W;
    for (int64_t pixel = 0; pixel < count; ++pixel) {
      const auto rows = operands_.rows();
      T* kept = kept_ + pixel * width;
      forEachVector<W>(first_, last_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
        // What is exposed may take the place of what is read: not before the last pass.
        store<T, W>(kept + (column - first_), rows.template read<false>(column, extent));
      });
      operands_.advance();
    }
    const double share = 1 / static_cast<double>(count);
    const double weight = static_cast<double>(count) / static_cast<double>(before + count);
    for (int64_t at = 0; at < width; at += W) {
      Vec<T, W> sum = broadcast<W, T>(0);
      for (int64_t pixel = 0; pixel < count; ++pixel) {
        sum = sum + load<T, W>(kept_ + pixel * width + at);
      }
      const Vec<T, W> center = sum * broadcast<W, T>(static_cast<T>(share));
      Vec<T, W> rest = broadcast<W, T>(0);
      Vec<T, W> squares = rest;
      for (int64_t pixel = 0; pixel < count; ++pixel) {
        const Vec<T, W> deviation = load<T, W>(kept_ + pixel * width + at) - center;
        rest = rest + deviation;
        squares = mulAdd(deviation, deviation, squares);
      }
      for (int64_t lane = 0; lane < W && at + lane < last_ - first_; ++lane) {
        // The mean of the deviations is what the center lacks of the mean.
        const double lack = static_cast<double>(rest[lane]) * share;
        const double step = static_cast<double>(center[lane]) + lack - means_[at + lane];
        squares_[at + lane] += static_cast<double>(squares[lane]) -
                               lack * lack * static_cast<double>(count) +
                               step * step * weight * static_cast<double>(before);
        means_[at + lane] += step * weight;
      }
    }
  }

  /// Brings the statistics of a group's channels together.
  AIT_INLINE void setScale(int64_t at) {
    double mean = 0;
    for (int64_t i = 0; i < kChannels; ++i) mean += means_[at + i];
    mean /= static_cast<double>(kChannels);
    double squares = 0;
    for (int64_t i = 0; i < kChannels; ++i) {
      const double deviation = means_[at + i] - mean;
      squares += squares_[at + i] + static_cast<double>(pixels_) * deviation * deviation;
    }
    const double variance = squares / static_cast<double>(pixels_ * kChannels);
    const double scale = 1 / __builtin_sqrt(variance + Parameters::kEpsilon);
    const T center = static_cast<T>(mean);
    for (int64_t i = 0; i < kChannels; ++i) {
      center_[at + i] = center;
      scale_[at + i] = static_cast<T>(scale);
      shift_[at + i] = static_cast<T>((static_cast<double>(center) - mean) * scale);
    }
  }

  template <class Rows>
  AIT_INLINE void write(const Rows& rows) const {
    forEachVector<W>(first_, last_, [&](int64_t column, auto extent) AIT_INLINE_LAMBDA {
      const int64_t at = column - first_;
      const Vec<T, W> x = rows.template read<true>(column, extent);
      rows.write(
          column,
          mulAdd(x - load<T, W>(center_ + at), load<T, W>(scale_ + at), load<T, W>(shift_ + at)),
          extent);
    });
  }

  Operands operands_;
  int64_t pixels_;
  int64_t blockPixels_;
  int64_t first_ = 0;
  int64_t last_ = 0;
  // Of columns: the means so far and the sums of squared deviations; what is subtracted, the factor
  // and what is added in the end.
  double* means_;
  double* squares_;
  T* center_;
  T* scale_;
  T* shift_;
  // A block of pixels, as many vectors each as the columns take.
  T* kept_;
};

/// Tasks of whole groups of samples, as many for each sample.
struct GroupTasks {
  int64_t perSample;
  int64_t groups;

  GroupTasks(int64_t samples, int64_t pixels, int64_t groups, int64_t channels, int64_t mostGroups,
             int32_t threads)
      : groups(groups) {
    constexpr int64_t kSerialElements = 32768;
    // A line of the cache belongs to one task.
    constexpr int64_t kLeastColumns = 16;
    const int64_t leastGroups = (kLeastColumns + channels - 1) / channels;
    const bool isSerial = threads == 1 || samples * pixels * groups * channels <= kSerialElements;
    const int64_t wanted = isSerial ? 1 : (2 * threads + samples - 1) / samples;
    const int64_t most = groups > leastGroups ? groups / leastGroups : 1;
    const int64_t least = (groups + mostGroups - 1) / mostGroups;
    perSample = wanted < most ? wanted : most;
    if (perSample < least) perSample = least;
  }

  int64_t first(int64_t part) const { return groups * part / perSample; }
};

/// outputs = Epilogue(Prologue(inputs) normalised by groups of columns, extras).
///
/// - sizes: `outerRank` extents, `innerRank` extents of which the last are the columns, then as
/// many
///   strides for each input, extra and output; in elements. Columns are a multiple of
///   `Parameters::kChannels`; so many neighbouring ones are a group, which is normalised together
///   with all other inner axes.
/// - buffers: inputs, extras, outputs. With `kExposes` the last output takes the prologue's value.
///   An output may be the same memory as an input of the prologue with the same strides.
/// - `Parameters::kEpsilon`: ε.
/// - Any extent may be 0.
///
/// All elements are read twice, the prologue runs each time. Bound by memory bandwidth.
template <class Parameters, class Prologue, class Epilogue, class In, class Extras, class Out,
          int outerRank, int innerRank, bool kExposes>
void normalizeGroups(const KernelContext& context) {
  constexpr int kRank = outerRank + innerRank;
  using Operands = RowOperands<Prologue, Epilogue, In, Extras, Out, kRank, kExposes>;
  using Groups = GroupNormalization<Parameters, Operands>;
  const int64_t samples = product(context.sizes, outerRank);
  const int64_t pixels = product(context.sizes + outerRank, innerRank - 1);
  const int64_t columns = context.sizes[kRank - 1];
  if (samples * pixels * columns == 0) return;
  const Operands operands(context.buffers, context.sizes, context.sizes + kRank);
  const GroupTasks tasks(samples, pixels, columns / Parameters::kChannels, Parameters::kChannels,
                         Groups::kMostColumns / Parameters::kChannels, context.pool.threadCount());
  parallelFor(context.pool, samples * tasks.perSample, [&](int64_t task, int32_t thread) {
    const int64_t part = task % tasks.perSample;
    Groups groups(operands, pixels, columns, context.pool.scratch(thread));
    groups.run(task / tasks.perSample, tasks.first(part) * Parameters::kChannels,
               tasks.first(part + 1) * Parameters::kChannels);
  });
}

}  // namespace ait
