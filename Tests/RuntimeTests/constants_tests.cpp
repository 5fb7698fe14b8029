// Constants: setting, folding, the double buffer.
#include <algorithm>

#include "fixtures.h"

using namespace fixtures;

namespace {

std::vector<std::string> names(Container& container, bool unboundOnly, bool foldingOnly) {
  size_t count = 0;
  CHECK_OK(
      AITemplateModelContainerGetNumConstants(container.handle, unboundOnly, foldingOnly, &count));
  std::vector<const char*> texts(count);
  CHECK_OK(AITemplateModelContainerGetConstantNames(container.handle, unboundOnly, foldingOnly,
                                                    texts.data()));
  return std::vector<std::string>(texts.begin(), texts.end());
}

void resetCounts() {
  for (std::atomic<int>& count : models::foldCounts) count = 0;
}

/// Whether the fold steps ran so often since `resetCounts`.
bool ran(int sum, int f0, int f1, int f2) {
  return models::foldCounts[0] == sum && models::foldCounts[1] == f0 &&
         models::foldCounts[2] == f1 && models::foldCounts[3] == f2;
}

}  // namespace

TEST(constantsAreListed) {
  using List = std::vector<std::string>;
  Container container;
  CHECK(names(container, false, false) == List{"w", "b", "p", "q", "r", "s"});
  CHECK(names(container, true, false) == List{"b", "q"});
  CHECK(names(container, false, true) == List{"p", "q", "r", "s"});
  CHECK(names(container, true, true) == List{"q"});
  AITemplateModelHandle handle = container.handle;
  size_t count;
  const char* text = nullptr;
  AITemplateDtype dtype;
  AITemplateParamShape shape;
  CHECK_FAILS("is null", AITemplateModelContainerGetNumConstants(handle, false, false, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetConstantNames(handle, false, false, nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetNumConstants(nullptr, false, false, &count));
  CHECK_OK(AITemplateModelContainerGetConstantDtype(handle, "w", &dtype));
  CHECK(dtype == AITemplateDtype::kFloat);
  CHECK_OK(AITemplateModelContainerGetConstantOriginalName(handle, "w", &text));
  CHECK(std::string(text) == "layer.w");
  CHECK_OK(AITemplateModelContainerGetConstantOriginalName(handle, "layer.b", &text));
  CHECK(std::string(text) == "layer.b");
  CHECK_OK(AITemplateModelContainerGetConstantShape(handle, "w", &shape));
  CHECK(shape.size == 2 && shape.shape_data[1] == 4);
  CHECK_FAILS("no constant 'z'", AITemplateModelContainerGetConstantDtype(handle, "z", &dtype));
  CHECK_FAILS("no constant 'z'",
              AITemplateModelContainerGetConstantOriginalName(handle, "z", &text));
  CHECK_FAILS("no constant 'z'", AITemplateModelContainerGetConstantShape(handle, "z", &shape));
  CHECK_FAILS("name is null", AITemplateModelContainerGetConstantDtype(handle, nullptr, &dtype));
  CHECK_FAILS("dtype is null", AITemplateModelContainerGetConstantDtype(handle, "w", nullptr));
  CHECK_FAILS("name is null",
              AITemplateModelContainerGetConstantOriginalName(handle, nullptr, &text));
  CHECK_FAILS("is null", AITemplateModelContainerGetConstantOriginalName(handle, "w", nullptr));
  CHECK_FAILS("is null", AITemplateModelContainerGetConstantShape(handle, "w", nullptr));
  models::current = &models::tiny;
  Container* tiny = new Container();
  CHECK_OK(AITemplateModelContainerGetConstantNames(tiny->handle, false, false, nullptr));
  delete tiny;
  models::current = &models::blend;
}

TEST(runNamesAllMissingConstants) {
  Blend blend;
  CHECK_FAILS("2 unbound constants: 'b', 'q'; set them", blend.run());
  CHECK_OK(blend.container.set("b", blend.b.data()));
  CHECK_FAILS("1 unbound constant: 'q'; set it", blend.run());
  CHECK_FAILS("'q'", blend.container.fold());
  CHECK_OK(blend.container.set("q", blend.q.data()));
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(foldNeedsItsOwnInputsOnly) {
  Blend blend;
  CHECK_FAILS("1 constant that folding reads: 'q'", blend.container.fold());
  CHECK_OK(blend.container.set("q", blend.q.data()));
  CHECK_OK(blend.container.fold());
  CHECK_FAILS("'b'", blend.run());
  CHECK_OK(blend.container.set("b", blend.b.data()));
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(setConstantRefusesBadArguments) {
  Blend blend;
  Container& container = blend.container;
  AITData good = blend.b.data();
  CHECK_FAILS("no constant 'nothing'", container.set("nothing", good));
  CHECK_FAILS("no constant 'x'", container.set("x", good));
  CHECK_FAILS("name is null", container.set(nullptr, good));
  CHECK_FAILS("tensor is null",
              AITemplateModelContainerSetConstant(container.handle, "b", nullptr));
  CHECK_FAILS("handle is null", AITemplateModelContainerSetConstant(nullptr, "b", &good));
  AITData bad = good;
  bad.dtype = AITemplateDtype::kHalf;
  CHECK_FAILS("constant 'b': found element type float16 (1), expected float32",
              container.set("b", bad));
  bad = good;
  bad.ptr = nullptr;
  CHECK_FAILS("pointer is null, expected 16 bytes", container.set("b", bad));
  bad = good;
  bad.ptr = reinterpret_cast<char*>(blend.b.elements.data()) + 1;
  CHECK_FAILS("expected a multiple of 4", container.set("b", bad));
  bad = good;
  bad.shape.shape_data = nullptr;
  CHECK_FAILS("shape's data is null", container.set("b", bad));
  const int64_t five[] = {5}, ones[] = {1, 4, 1}, square[] = {2, 2}, negative[] = {-2, -2};
  bad = good;
  bad.shape = AITemplateParamShape(five, 1);
  CHECK_FAILS("found shape [5], expected [4]", container.set("b", bad));
  bad.shape = AITemplateParamShape(square, 2);
  CHECK_FAILS("found shape [2, 2], expected [4]", container.set("b", bad));
  bad.shape = AITemplateParamShape(negative, 2);
  CHECK_FAILS("found shape [-2, -2]", container.set("b", bad));
  bad.shape = AITemplateParamShape(nullptr, 0);
  CHECK_FAILS("found shape []", container.set("b", bad));
  good.shape = AITemplateParamShape(ones, 3);
  CHECK_OK(container.set("b", good));
  Tensor<float> w({16});
  CHECK_OK(container.set("w", w.data()));  // flat
  CHECK_OK(container.set("layer.b", blend.b.data()));
  CHECK_FAILS("no constant 'nothing'", container.setLater("nothing", good));
  CHECK_FAILS("name is null", container.setLater(nullptr, good));
  CHECK_FAILS("tensor is null", AITemplateModelContainerSetDoubleBufferConstant(
                                    container.handle, nullptr, "b", nullptr));
}

TEST(setManyIsAllOrNothing) {
  Blend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  Tensor<float> newB({4}, 1), newQ({4}, 2);
  const char* bad[] = {"b", "q", "missing"};
  const AITData tensors[] = {newB.data(), newQ.data(), newQ.data()};
  AITemplateModelHandle handle = blend.container.handle;
  CHECK_FAILS("no constant 'missing'",
              AITemplateModelContainerSetManyConstants(handle, bad, tensors, 3));
  CHECK_FAILS("no constant 'missing'", AITemplateModelContainerSetManyDoubleBufferConstants(
                                           handle, nullptr, bad, tensors, 3));
  const char* holed[] = {"b", nullptr};
  CHECK_FAILS("name 1 of 2 is null",
              AITemplateModelContainerSetManyConstants(handle, holed, tensors, 2));
  CHECK_FAILS("array of names is null",
              AITemplateModelContainerSetManyConstants(handle, nullptr, tensors, 2));
  CHECK_FAILS("array of tensors is null",
              AITemplateModelContainerSetManyConstants(handle, bad, nullptr, 2));
  CHECK_FAILS("array of tensors is null", AITemplateModelContainerSetManyDoubleBufferConstants(
                                              handle, nullptr, bad, nullptr, 2));
  CHECK_OK(AITemplateModelContainerSetManyConstants(handle, nullptr, nullptr, 0));
  CHECK_OK(blend.container.swap());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(AITemplateModelContainerSetManyConstants(handle, bad, tensors, 2));
  std::copy(newB.elements.begin(), newB.elements.end(), blend.b.elements.begin());
  std::copy(newQ.elements.begin(), newQ.elements.end(), blend.q.elements.begin());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(setConstantReadsTheMemoryHandedIn) {
  Blend blend;
  blend.setConstants();
  Tensor<float> w({4, 4});
  w = {2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2};
  blend.diagonal = {2, 2, 2, 2};
  CHECK_OK(blend.container.set("w", w.data()));  // a bound one
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  w[0] = 3;
  blend.diagonal[0] = 3;
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(onlyAffectedFoldStepsRun) {
  Blend blend;
  resetCounts();
  blend.setConstants();
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK(ran(1, 1, 0, 0));  // f1 and f2 are in the image
  CHECK_OK(blend.run());
  CHECK(ran(1, 1, 0, 0));
  Tensor<float> w({4, 4});
  w = {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4};
  CHECK_OK(blend.container.set("w", w.data()));
  CHECK_OK(blend.run());
  CHECK(ran(1, 1, 0, 0));  // w does not fold
  Tensor<float> p({4}, 70);
  blend.p = {70, 70, 70, 70};
  CHECK_OK(blend.container.set("p", p.data()));
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK(ran(2, 2, 0, 0));
  // Explicitly: all that depends on what was set, as its memory may have changed in place.
  blend.q[0] = -4;
  CHECK_OK(blend.run());
  CHECK(ran(2, 2, 0, 0));
  CHECK_OK(blend.container.fold());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK(ran(3, 3, 0, 0));
}

TEST(foldingWithDroppedDataIsAnError) {
  Blend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  Tensor<float> s({4}, 6), r({4}, 3);
  CHECK_OK(blend.container.set("s", s.data()));
  CHECK_FAILS("no data of 'r', which is combined with 's'", blend.container.fold());
  CHECK_FAILS("set 'r' too", blend.run());
  CHECK_OK(blend.container.set("r", r.data()));
  blend.s = {6, 6, 6, 6};
  blend.r = {3, 3, 3, 3};
  resetCounts();
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK(ran(0, 0, 1, 1));
}

TEST(doubleBufferWaitsForTheSwap) {
  Blend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  Tensor<float> w({4, 4}), b({4}, 5), p({4}, 6), q({4}, 7);
  w = {9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9};
  CHECK_OK(blend.container.setLater("w", w.data()));
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.setLater("b", b.data()));
  CHECK_OK(blend.container.setLater("q", q.data()));
  // Bound ones were copied.
  for (float& value : w.elements) value = NAN;
  for (float& value : p.elements) value = NAN;
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_FAILS("4 constants set in the double buffer but not folded", blend.container.swap());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  resetCounts();
  CHECK_OK(blend.container.swap());
  blend.diagonal = {9, 9, 9, 9};
  blend.p = {6, 6, 6, 6};
  for (size_t i = 0; i < 4; ++i) {
    blend.b[i] = 5;
    blend.q[i] = 7;
  }
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK(ran(0, 0, 0, 0));
  CHECK_OK(blend.container.swap());  // nothing noted: nothing happens
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(swapWithoutFoldInputsNeedsNoFold) {
  Blend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  Tensor<float> b({4}, 5);
  CHECK_OK(blend.container.setLater("b", b.data()));
  CHECK_OK(blend.container.swap());
  for (size_t i = 0; i < 4; ++i) blend.b[i] = -1e9f;  // no longer read
  CHECK_OK(blend.run());
  for (size_t i = 0; i < 4; ++i) blend.b[i] = 5;
  CHECK(blend.isRight());
}

TEST(swapKeepsWhatWasSetMeanwhile) {
  Blend blend;
  Tensor<float> firstB = blend.b, firstQ = blend.q;
  CHECK_OK(blend.container.set("b", firstB.data()));
  CHECK_OK(blend.container.set("q", firstQ.data()));
  CHECK_OK(blend.run());
  Tensor<float> p({4}, 6), q({4}, 7), b({4}, 8);
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.container.set("q", q.data()));
  CHECK_OK(blend.container.set("b", b.data()));
  for (size_t i = 0; i < 4; ++i) {
    blend.b[i] = 8;
    blend.q[i] = 7;
    firstB[i] = NAN;
    firstQ[i] = NAN;
  }
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(blend.container.swap());
  blend.p = {6, 6, 6, 6};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(swapWinsOverWhatWasSetMeanwhile) {
  Blend blend;
  blend.setConstants();
  Tensor<float> p({4}, 6), other({4}, 7);
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.foldLater());
  const char* texts[] = {"p", "b"};
  const AITData tensors[] = {other.data(), other.data()};
  CHECK_OK(AITemplateModelContainerSetManyConstants(blend.container.handle, texts, tensors, 2));
  blend.p = {7, 7, 7, 7};
  for (size_t i = 0; i < 4; ++i) blend.b[i] = 7;
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(blend.container.swap());
  blend.p = {6, 6, 6, 6};
  resetCounts();
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK(ran(0, 0, 0, 0));
}

TEST(foldInPlaceReachesTheSwap) {
  Blend blend;
  blend.setConstants();
  Tensor<float> p({4}, 6);
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.foldLater());
  blend.q[0] = -3;
  CHECK_OK(blend.container.fold());
  CHECK_OK(blend.container.swap());
  blend.p = {6, 6, 6, 6};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(laterNotesReplaceEarlierOnes) {
  Blend blend;
  blend.setConstants();
  Tensor<float> first({4}, 6), second({4}, 7);
  CHECK_OK(blend.container.setLater("p", first.data()));
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.container.setLater("p", second.data()));
  CHECK_FAILS("not folded", blend.container.swap());
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.container.swap());
  blend.p = {7, 7, 7, 7};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(unboundConstantsByDoubleBufferOnly) {
  Blend blend;
  Tensor<float> b = blend.b, q = blend.q;
  const char* texts[] = {"b", "q"};
  const AITData tensors[] = {b.data(), q.data()};
  CHECK_OK(AITemplateModelContainerSetManyDoubleBufferConstants(blend.container.handle, nullptr,
                                                                texts, tensors, 2));
  CHECK_OK(blend.container.foldLater());
  CHECK_FAILS("'b', 'q'", blend.run());
  CHECK_OK(blend.container.swap());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(failedFoldInDoubleBufferChangesNothing) {
  Blend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
  Tensor<float> s({4}, 6), r({4}, 3);
  CHECK_OK(blend.container.setLater("s", s.data()));
  CHECK_FAILS("no data of 'r'", blend.container.foldLater());
  CHECK_FAILS("not folded", blend.container.swap());
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
  CHECK_OK(blend.container.setLater("r", r.data()));
  CHECK_OK(blend.container.foldLater());
  CHECK_OK(blend.container.swap());
  blend.s = {6, 6, 6, 6};
  blend.r = {3, 3, 3, 3};
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

TEST(notesLeftAtTheEndAreFreed) {
  Blend blend;
  blend.setConstants();
  Tensor<float> p({4}, 6);
  CHECK_OK(blend.container.setLater("p", p.data()));
  CHECK_OK(blend.container.foldLater());
}
