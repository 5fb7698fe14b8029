// Model descriptions as the compiler would emit them, written by hand.
#pragma once

#include <atomic>

#include "ait/model_description.h"

namespace models {

/// total[batch, 4] = (x + y) · w + b + f0 + f1 + f2, twice = 2 · (x + y)
///   inputs   x, y: float32 [batch, 4], batch in 1...8
///   bound    w [4, 4]; p, s [4] fold; r [4] folds, its data is not kept
///   unbound  b [4]; q [4] folds
///   folded   f0 = 2 (p + q), computed when run; f1 = r · s and f2 = s + s, in the image
extern const ait::ModelDescription blend;

/// out[4, 64]: rows u, v, u + v (folded) and c, times the input scale[1]; u, v unbound, c bound.
/// Rows are copied slowly, by several threads.
extern const ait::ModelDescription versions;

/// out[n] = table[index[n]], n in 0...16; the table has 10 entries. Reports illegal indices.
extern const ait::ModelDescription gather;

/// copy[n, 2 m] from an input of the same shape and one of shape [m]; n in 0...4, m in 1...3.
extern const ait::ModelDescription shapes;

/// As `shapes`, refused unless n < m.
extern const ait::ModelDescription fitting;

/// out[1] = in[1] + 1: as little as a model can do.
extern const ait::ModelDescription tiny;

/// out[1] = number of calls of a loop of 64 in which each thread fills its scratch.
extern const ait::ModelDescription threads;

/// out[1] = in[1], once `gateIsOpen`.
extern const ait::ModelDescription gated;
extern std::atomic<bool> gateIsOpen;

/// out[2] = ramp[n], in[n - 1] for in[n], n in 1...8: all operands at offsets that vary with n.
extern const ait::ModelDescription windows;

/// Of `blend`: how often each fold step ran (sum of p and q, f0, f1, f2).
extern std::atomic<int> foldCounts[4];

/// The model that the library's functions see. Change it while no container is alive.
extern const ait::ModelDescription* current;

struct Use {
  explicit Use(const ait::ModelDescription& model) { current = &model; }
  ~Use() { current = &blend; }
};

}  // namespace models
