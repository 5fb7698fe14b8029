// Recurrent layers against plain loops in double.
#include "ait/cpu/recurrence.h"

#include <algorithm>

#include "check.h"

using ait::Cell;
using check::GuardedBuffer;
using check::Random;

namespace {

check::SerialPool serialPool;
check::TwoThreadPool twoThreadPool;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Units lie side by side, or one element apart from each other in every operand.
template <Cell kCell, class Element, ait::Packing kPacking, bool kIsReversed, bool kIsSpread>
void checkLayer(int64_t steps, int64_t rows, int64_t units, double tolerance) {
  constexpr int64_t G = ait::kGateCount<kCell>;
  constexpr bool kHasMemory = kCell == Cell::lstm, kHasBias = kCell == Cell::gru;
  constexpr int64_t kApart = kIsSpread ? 2 : 1;
  using T = ait::ComputeType<Element>;
  Random random(static_cast<uint64_t>(steps * 1000 + rows * 100 + units));
  const auto fill = [&](GuardedBuffer<Element>& buffer, double scale) {
    for (int64_t i = 0; i < buffer.count(); ++i) {
      buffer[i] = ait::toStorage<Element>(static_cast<T>(scale * random.uniform()));
    }
  };
  const auto at = [](GuardedBuffer<Element>& buffer, int64_t i) {
    return static_cast<double>(ait::toCompute<Element>(buffer[i * kApart]));
  };
  GuardedBuffer<Element> gates(steps * rows * G * units * kApart), first(rows * units * kApart);
  GuardedBuffer<Element> firstMemory(rows * units * kApart), bias(units * kApart);
  GuardedBuffer<Element> weights(G * units * units * kApart);
  for (auto* buffer : {&gates, &first, &firstMemory, &bias}) fill(*buffer, 1);
  // States that do not grow from step to step, nor errors.
  fill(weights, 1 / std::sqrt(static_cast<double>(units)));

  constexpr int kWidth = ait::MatmulTile<ait::Accumulator<Element, Element>>::kColumns;
  GuardedBuffer<Element> packed((G * units + kWidth - 1) / kWidth * kWidth * units);
  check::runKernel(ait::packWeights<Element, kWidth>, {weights.data(), packed.data()},
                   {1, units, G * units, 0, kApart, units * kApart}, serialPool);

  std::vector<double> hidden(rows * units), memory(rows * units), states(steps * rows * units);
  for (int64_t i = 0; i < rows * units; ++i) {
    hidden[i] = at(first, i);
    memory[i] = at(firstMemory, i);
  }
  for (int64_t index = 0; index < steps; ++index) {
    const int64_t step = kIsReversed ? steps - 1 - index : index;
    const std::vector<double> before = hidden;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t unit = 0; unit < units; ++unit) {
        double x[G], p[G];
        for (int64_t gate = 0; gate < G; ++gate) {
          x[gate] = at(gates, ((step * rows + row) * G + gate) * units + unit);
          p[gate] = 0;
          for (int64_t k = 0; k < units; ++k) {
            p[gate] += before[row * units + k] * at(weights, (gate * units + unit) * units + k);
          }
        }
        const int64_t place = row * units + unit;
        double& h = hidden[place];
        double& c = memory[place];
        if constexpr (kCell == Cell::lstm) {
          c = sigmoid(x[1] + p[1]) * c + sigmoid(x[0] + p[0]) * std::tanh(x[2] + p[2]);
          h = sigmoid(x[3] + p[3]) * std::tanh(c);
        } else if constexpr (kCell == Cell::gru) {
          const double z = sigmoid(x[1] + p[1]);
          h = (1 - z) * std::tanh(x[2] + sigmoid(x[0] + p[0]) * (p[2] + at(bias, unit))) +
              z * before[place];
        } else {
          h = kCell == Cell::tanh ? std::tanh(x[0] + p[0]) : std::max(x[0] + p[0], 0.0);
        }
        // As it is kept for the next step.
        h = static_cast<double>(ait::toCompute(ait::toStorage<Element>(static_cast<T>(h))));
        states[step * rows * units + place] = h;
      }
    }
  }

  for (ait::ThreadPool* pool : {static_cast<ait::ThreadPool*>(&serialPool),
                                static_cast<ait::ThreadPool*>(&twoThreadPool)}) {
    GuardedBuffer<Element> y(steps * rows * units * kApart), last(rows * units * kApart);
    GuardedBuffer<Element> lastMemory(rows * units * kApart);
    GuardedBuffer<T> workspace(rows * (G + 1) * units);
    std::vector<void*> buffers = {gates.data(), first.data()};
    const int64_t row = units * kApart, sequence = rows * G * row;
    std::vector<int64_t> sizes = {steps, rows, units, sequence, G * row, kApart, row, kApart};
    const auto add = [&](void* buffer, std::vector<int64_t> strides) {
      buffers.push_back(buffer);
      sizes.insert(sizes.end(), strides.begin(), strides.end());
    };
    if (kHasMemory) add(firstMemory.data(), {row, kApart});
    add(kPacking == ait::Packing::packed ? packed.data() : weights.data(), {row, kApart});
    if (kHasBias) add(bias.data(), {kApart});
    add(y.data(), {rows * row, row, kApart});
    add(last.data(), {row, kApart});
    if (kHasMemory) add(lastMemory.data(), {row, kApart});
    check::runKernel(ait::recurrence < kCell, Element, kPacking, kIsReversed,
                     kIsSpread ? ait::Access::strided : ait::Access::contiguous >, buffers, sizes,
                     *pool, workspace.data());
    for (int64_t i = 0; i < steps * rows * units; ++i) {
      CHECK_NEAR(at(y, i), states[i], tolerance, i, steps, rows, units);
    }
    for (int64_t i = 0; i < rows * units; ++i) {
      CHECK_NEAR(at(last, i), hidden[i], tolerance, i, steps, rows, units);
      if (kHasMemory) CHECK_NEAR(at(lastMemory, i), memory[i], tolerance, i, steps, rows, units);
    }
    CHECK(y.guardsAreIntact() && last.guardsAreIntact() && lastMemory.guardsAreIntact() &&
              workspace.guardsAreIntact(),
          steps, rows, units);
  }
}

template <Cell kCell, class Element>
void checkSizes(double tolerance) {
  using ait::Packing;
  checkLayer<kCell, Element, Packing::packed, false, false>(6, 1, 40, tolerance);
  checkLayer<kCell, Element, Packing::packed, true, true>(3, 5, 19, tolerance);
  checkLayer<kCell, Element, Packing::strided, true, false>(2, 17, 33, tolerance);
  checkLayer<kCell, Element, Packing::strided, false, true>(4, 3, 7, tolerance);
  checkLayer<kCell, Element, Packing::strided, false, false>(0, 2, 5, tolerance);
  checkLayer<kCell, Element, Packing::packed, false, false>(3, 0, 5, tolerance);
}

}  // namespace

TEST(lstm) {
  checkSizes<Cell::lstm, float>(2e-6);
  checkSizes<Cell::lstm, ait::bfloat16>(3e-2);
}
TEST(gru) {
  checkSizes<Cell::gru, float>(2e-6);
  checkSizes<Cell::gru, double>(1e-14);
}
TEST(plainLayers) {
  checkSizes<Cell::tanh, ait::float16>(3e-3);
  checkSizes<Cell::relu, float>(1e-5);
}
