// Memory of the caller's that a run reads must not be what it writes.
#include <algorithm>

#include "fixtures.h"

using namespace fixtures;

// What the caller sets is read where it lies, until it is replaced.
TEST(outputsKeepOffConstants) {
  Blend blend;
  std::vector<float> memory(64, -5.0f);
  AITData x = blend.x.data(), y = blend.y.data();
  AITData total = blend.total.data(), twice = blend.twice.data();
  AITData b = blend.b.data();
  std::copy(blend.b.elements.begin(), blend.b.elements.begin() + 4, memory.begin() + 16);
  b.ptr = memory.data() + 16;
  CHECK_OK(blend.container.set("b", b));
  CHECK_OK(blend.container.set("q", blend.q.data()));
  const std::vector<float> before = memory;
  for (int start : {16, 5, 19}) {  // outputs of 12 elements, a constant of 4
    twice.ptr = memory.data() + start;
    CHECK_FAILS("output 1 'twice': its memory overlaps that of constant 'b'",
                blend.container.run({x, y}, {total, twice}));
    CHECK(memory == before);
  }
  for (int start : {4, 20}) {
    twice.ptr = memory.data() + start;
    CHECK_OK(blend.container.run({x, y}, {total, twice}));
  }
  // `w` lies in the library; once it is set, its memory is the caller's as well.
  Tensor<float> w({4, 4}, 1, 0);
  CHECK_OK(blend.container.set("w", w.data()));
  total.ptr = &w[0];
  twice = blend.twice.data();
  CHECK_FAILS("overlaps that of constant 'w'", blend.container.run({x, y}, {total, twice}));
  // Copies that the container keeps are nobody else's memory.
  CHECK_OK(blend.container.setLater("w", w.data()));
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.container.swap());
  CHECK_OK(blend.container.run({x, y}, {total, twice}));
  // Memory of a value that was replaced is free again.
  CHECK_OK(blend.container.set("b", blend.b.data()));
  total = blend.total.data();
  twice.ptr = memory.data() + 16;
  CHECK_OK(blend.container.run({x, y}, {total, twice}));
}
