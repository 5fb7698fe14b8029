// Boxes of images resampled, and boxes that overlap left out, against straight loops.
#include <algorithm>

#include "ait/cpu/nms.h"
#include "ait/cpu/roi_align.h"
#include "check.h"

using check::GuardedBuffer;
using check::Random;

namespace {

std::atomic<int> reports{0};

}  // namespace

namespace ait {

void reportIndexError(int64_t, int64_t) { ++reports; }

}  // namespace ait

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;
ait::ThreadPool* const kPools[] = {&serialPool, &twoThreadPool};

struct Identity {
  template <int W, class T>
  static auto apply(ait::Vec<T, W> x) {
    return ait::results(x);
  }
};

template <int kCount, bool kAligned, bool kPerPosition>
struct Regions {
  static constexpr double kScale = 0.5;
  static constexpr int kSamples = kCount;
  static constexpr bool kIsAligned = kAligned;
  static constexpr bool kIsPerPosition = kPerPosition;
};

/// The element at a place between four; 0 farther than 1 outside.
template <class At>
double interpolated(double y, double x, int64_t height, int64_t width, At at) {
  if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 &&
        x <= static_cast<double>(width))) {
    return 0;
  }
  y = std::fmin(std::fmax(y, 0), static_cast<double>(height - 1));
  x = std::fmin(std::fmax(x, 0), static_cast<double>(width - 1));
  double sum = 0;
  for (int64_t i = 0; i < height; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      const double weight = std::fmax(0, 1 - std::fabs(y - static_cast<double>(i))) *
                            std::fmax(0, 1 - std::fabs(x - static_cast<double>(j)));
      if (weight > 0) sum += weight * at(i, j);
    }
  }
  return sum;
}

template <class Boxes, class Element>
void checkRegions(int64_t channels) {
  using T = ait::ComputeType<Element>;
  const int64_t N = 2, H = 7, W = 9, R = 5, P = 2, Q = 3;
  const int64_t C = channels * (Boxes::kIsPerPosition ? P * Q : 1);
  Random random(9);
  GuardedBuffer<Element> x(N * H * W * C);
  for (int64_t i = 0; i < x.count(); ++i) {
    x[i] = ait::toStorage<Element>(static_cast<T>(random.uniform(-2, 2)));
  }
  GuardedBuffer<float> boxes(R * 4);
  GuardedBuffer<int32_t> images(R);
  for (int64_t r = 0; r < R; ++r) {
    images[r] = static_cast<int32_t>(r % N);
    for (int i = 0; i < 2; ++i) {
      boxes[4 * r + i] = static_cast<float>(random.uniform(-4, 12));
      boxes[4 * r + 2 + i] = boxes[4 * r + i] + static_cast<float>(random.uniform(-1, 14));
    }
  }
  const std::vector<int64_t> sizes = {
      R,        1, P, Q, channels, H * W * C, 0, W * C, C, 1, P * Q * channels, 0, Q * channels,
      channels, 1, 1, H, W,        4,         1, 1,     N};
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<Element> y(R * P * Q * channels);
    using Out = ait::Outputs<ait::Operand<Element, ait::Access::contiguous>>;
    using X = ait::Operand<Element,
                           Boxes::kIsPerPosition ? ait::Access::strided : ait::Access::contiguous>;
    check::runKernel(ait::roiAlign<Boxes, float, int32_t, Identity, X, ait::Inputs<>, Out>,
                     {x.data(), boxes.data(), images.data(), y.data()}, sizes, *pool);
    int64_t place = 0;
    for (int64_t r = 0; r < R; ++r) {
      const double offset = Boxes::kIsAligned ? 0.5 : 0;
      double low[2], bin[2];
      int64_t count[2];
      for (int i = 0; i < 2; ++i) {
        low[i] = boxes[4 * r + 1 - i] * Boxes::kScale - offset;
        double size = boxes[4 * r + 3 - i] * Boxes::kScale - offset - low[i];
        if (!Boxes::kIsAligned) size = std::fmax(size, 1);
        bin[i] = size / static_cast<double>(i == 0 ? P : Q);
        count[i] = Boxes::kSamples > 0
                       ? Boxes::kSamples
                       : std::max<int64_t>(0, static_cast<int64_t>(std::ceil(bin[i])));
      }
      for (int64_t i = 0; i < P; ++i) {
        for (int64_t j = 0; j < Q; ++j) {
          for (int64_t c = 0; c < channels; ++c, ++place) {
            const int64_t own = Boxes::kIsPerPosition ? (c * P + i) * Q + j : c;
            double sum = 0;
            for (int64_t a = 0; a < count[0]; ++a) {
              for (int64_t b = 0; b < count[1]; ++b) {
                const double v =
                    low[0] + static_cast<double>(i) * bin[0] +
                    (static_cast<double>(a) + 0.5) * bin[0] / static_cast<double>(count[0]);
                const double u =
                    low[1] + static_cast<double>(j) * bin[1] +
                    (static_cast<double>(b) + 0.5) * bin[1] / static_cast<double>(count[1]);
                sum += interpolated(v, u, H, W, [&](int64_t row, int64_t column) {
                  return static_cast<double>(
                      ait::toCompute<Element>(x[((images[r] * H + row) * W + column) * C + own]));
                });
              }
            }
            const double expected =
                sum / static_cast<double>(std::max<int64_t>(1, count[0] * count[1]));
            CHECK_NEAR(ait::toCompute<Element>(y[place]), expected,
                       sizeof(Element) == 2 ? 2e-3 : 1e-5, r, i, j, c);
          }
        }
      }
    }
    CHECK(y.guardsAreIntact());
  }
}

}  // namespace

TEST(regions) {
  for (const int64_t channels : {1, 3, 16, 35}) {
    checkRegions<Regions<2, false, false>, float>(channels);
    checkRegions<Regions<0, false, false>, ait::float16>(channels);
    checkRegions<Regions<0, true, false>, float>(channels);
    checkRegions<Regions<3, true, true>, double>(channels);
  }
}

TEST(imagesThatAreNotThere) {
  float x[4] = {1, 2, 3, 4}, boxes[4] = {0, 0, 2, 2}, y = 7;
  int32_t image = 1;
  reports = 0;
  using One = ait::Operand<float, ait::Access::contiguous>;
  check::runKernel(ait::roiAlign<Regions<1, false, false>, float, int32_t, Identity, One,
                                 ait::Inputs<>, ait::Outputs<One>>,
                   {x, boxes, &image, &y},
                   {1, 1, 1, 1, 1, 4, 0, 2, 1, 1, 1, 0, 1, 1, 1, 1, 2, 2, 4, 1, 1, 1}, serialPool);
  CHECK_EQUAL(y, 0.0f);
  CHECK_EQUAL(reports.load(), 1);
}

namespace {

struct Thresholds {
  static constexpr double kOverlap = 0.3;
  static constexpr double kScore = 0.1;
};

template <class Element>
void checkSuppression(int64_t count, int64_t most, int64_t candidates) {
  using T = ait::ComputeType<Element>;
  const int64_t B = 3;
  Random random(static_cast<uint64_t>(4 + count));
  GuardedBuffer<Element> boxes(B * count * 4), scores(B * count);
  for (int64_t i = 0; i < B * count; ++i) {
    for (int corner = 0; corner < 2; ++corner) {
      const double low = random.uniform(0, 20);
      boxes[4 * i + corner] = ait::toStorage<Element>(static_cast<T>(low));
      boxes[4 * i + 2 + corner] =
          ait::toStorage<Element>(static_cast<T>(low + random.uniform(0, 12)));
    }
    // Few different scores: ties.
    scores[i] = ait::toStorage<Element>(static_cast<T>(random.integer(0, 9)) / 8);
  }
  GuardedBuffer<uint8_t> workspace(B * ait::suppressionBytes<T>(count, most));
  for (ait::ThreadPool* pool : kPools) {
    GuardedBuffer<int64_t> positions(B * most), counts(B);
    check::runKernel(ait::suppressBoxes<Element, Thresholds>,
                     {boxes.data(), scores.data(), positions.data(), counts.data()},
                     {B, count, most, candidates, count * 4, 4, 1, count, 1, most, 1, 1}, *pool,
                     workspace.data());
    for (int64_t b = 0; b < B; ++b) {
      std::vector<int64_t> order, kept;
      const auto score = [&](int64_t i) { return ait::toCompute(scores[b * count + i]); };
      for (int64_t i = 0; i < count; ++i) {
        if (score(i) > static_cast<T>(0.1)) order.push_back(i);
      }
      std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
        return score(i) != score(j) ? score(i) > score(j) : i < j;
      });
      if (static_cast<int64_t>(order.size()) > candidates) order.resize(candidates);
      for (const int64_t i : order) {
        const auto at = [&](int64_t box, int corner) {
          return static_cast<double>(ait::toCompute(boxes[4 * (b * count + box) + corner]));
        };
        const auto area = [&](int64_t box) {
          return (at(box, 2) - at(box, 0)) * (at(box, 3) - at(box, 1));
        };
        bool isFree = static_cast<int64_t>(kept.size()) < most;
        for (const int64_t other : kept) {
          double common = 1;
          for (int axis = 0; axis < 2; ++axis) {
            common *= std::fmax(0, std::fmin(at(i, 2 + axis), at(other, 2 + axis)) -
                                       std::fmax(at(i, axis), at(other, axis)));
          }
          isFree = isFree && !(common / (area(i) + area(other) - common) > 0.3);
        }
        if (isFree) kept.push_back(i);
      }
      CHECK_EQUAL(counts[b], static_cast<int64_t>(kept.size()), count, most);
      for (int64_t i = 0; i < most; ++i) {
        const int64_t expected = i < static_cast<int64_t>(kept.size()) ? kept[i] : -1;
        CHECK_EQUAL(positions[b * most + i], expected, count, most, b, i);
      }
    }
    CHECK(positions.guardsAreIntact() && counts.guardsAreIntact() && workspace.guardsAreIntact());
  }
}

}  // namespace

TEST(suppression) {
  for (const int64_t count : {0, 1, 7, 16, 100, 300}) {
    for (const int64_t most : {0, 1, 10, 40}) {
      checkSuppression<float>(count, most, count);
      checkSuppression<double>(count, most, count / 2);
      checkSuppression<ait::float16>(count, most, count);
    }
  }
}
