// What Run accepts and refuses.
#include "fixtures.h"

using namespace fixtures;

TEST(runComputes) {
  Blend blend;
  blend.setConstants();
  int64_t totalShape[2] = {0, 0}, twiceShape[2] = {0, 0};
  int64_t* shapes[] = {totalShape, twiceShape};
  CHECK_OK(blend.run(shapes));
  CHECK(blend.isRight());
  CHECK(totalShape[0] == 3 && totalShape[1] == 4 && twiceShape[0] == 3 && twiceShape[1] == 4);
  CHECK(std::isnan(blend.total[12]) && std::isnan(blend.twice[12]));
}

TEST(runFollowsTheBatch) {
  Blend blend;
  blend.setConstants();
  for (int64_t batch : {1, 8, 3, 3, 5}) {
    blend.x = Tensor<float>({batch, 4}, 1, 1);
    blend.y = Tensor<float>({batch, 4}, 2, 3);
    int64_t totalShape[2], twiceShape[2];
    int64_t* shapes[] = {totalShape, twiceShape};
    CHECK_OK(blend.run(shapes));
    CHECK(blend.isRight());
    CHECK(totalShape[0] == batch && twiceShape[0] == batch);
  }
}

TEST(runWithOutputsOnHost) {
  Blend blend;
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  int64_t totalShape[2], twiceShape[2];
  int64_t* shapes[] = {totalShape, twiceShape};
  CHECK_OK(AITemplateModelContainerRunWithOutputsOnHost(blend.container.handle, inputs, 2, outputs,
                                                        2, nullptr, true, shapes));
  CHECK(blend.isRight() && totalShape[0] == 3);
  CHECK_FAILS("found 1 inputs",
              AITemplateModelContainerRunWithOutputsOnHost(blend.container.handle, inputs, 1,
                                                           outputs, 2, nullptr, false, nullptr));
}

TEST(runWithOptions) {
  Blend blend(1, 4);
  blend.setConstants();
  AITData inputs[] = {blend.x.data(), blend.y.data()};
  AITData outputs[] = {blend.total.data(), blend.twice.data()};
  int64_t totalShape[2], twiceShape[2];
  int64_t* shapes[] = {totalShape, twiceShape};
  AITemplateRunOptions options = {};
  options.struct_size = sizeof(options);
  options.output_shapes_out = shapes;
  for (size_t threadCount : {0, 1, 2, 4, 1000}) {
    options.num_threads = threadCount;
    blend.total = Tensor<float>({8, 4}, NAN);
    outputs[0] = blend.total.data();
    CHECK_OK(AITemplateModelContainerRunWithOptions(blend.container.handle, inputs, 2, outputs, 2,
                                                    &options));
    CHECK(blend.isRight() && totalShape[0] == 3);
  }
  CHECK_OK(AITemplateModelContainerRunWithOptions(blend.container.handle, inputs, 2, outputs, 2,
                                                  nullptr));
  options.struct_size = 3;
  CHECK_FAILS("struct_size = 3", AITemplateModelContainerRunWithOptions(
                                     blend.container.handle, inputs, 2, outputs, 2, &options));
}

TEST(runRefusesBadCounts) {
  Blend blend;
  blend.setConstants();
  AITData x = blend.x.data(), y = blend.y.data();
  AITData total = blend.total.data(), twice = blend.twice.data();
  CHECK_FAILS("found 1 inputs, expected 2", blend.container.run({x}, {total, twice}));
  CHECK_FAILS("found 3 inputs, expected 2", blend.container.run({x, y, y}, {total, twice}));
  CHECK_FAILS("found 0 outputs, expected 2", blend.container.run({x, y}, {}));
  CHECK_FAILS("found 1 outputs, expected 2", blend.container.run({x, y}, {total}));
  AITData inputs[] = {x, y};
  AITData outputs[] = {total, twice};
  CHECK_FAILS("array of inputs is null",
              AITemplateModelContainerRun(blend.container.handle, nullptr, 2, outputs, 2, nullptr,
                                          true, false, nullptr));
  CHECK_FAILS("array of outputs is null",
              AITemplateModelContainerRun(blend.container.handle, inputs, 2, nullptr, 2, nullptr,
                                          true, false, nullptr));
  CHECK_FAILS("handle is null", AITemplateModelContainerRun(nullptr, inputs, 2, outputs, 2, nullptr,
                                                            true, false, nullptr));
}

// Each case changes one thing of a legal call.
TEST(runRefusesBadTensors) {
  struct Case {
    const char* part;
    void (*change)(AITData* inputs, AITData* outputs);
  };
  static const int64_t batch0[] = {0, 4}, batch9[] = {9, 4}, batch4[] = {4, 4}, wide[] = {3, 5},
                       flat[] = {12}, deep[] = {3, 2, 2}, negative[] = {-3, 4}, small[] = {2, 4},
                       negativeTwice[] = {-3, -4};
  const Case cases[] = {
      {"input 0 'x': found element type int32 (3), expected float32",
       [](AITData* in, AITData*) { in[0].dtype = AITemplateDtype::kInt; }},
      {"found element type unset (0)",
       [](AITData* in, AITData*) { in[1].dtype = AITemplateDtype::kUnset; }},
      {"found element type unknown (42)",
       [](AITData* in, AITData*) { in[1].dtype = static_cast<AITemplateDtype>(42); }},
      {"output 1 'twice': found element type float16",
       [](AITData*, AITData* out) { out[1].dtype = AITemplateDtype::kHalf; }},
      {"found shape [0, 4], expected [1...8, 4]: axis 0 has extent 0, but must lie in 1...8",
       [](AITData* in, AITData*) { in[0].shape.shape_data = batch0; }},
      {"found shape [9, 4]", [](AITData* in, AITData*) { in[0].shape.shape_data = batch9; }},
      {"found shape [-3, 4]", [](AITData* in, AITData*) { in[0].shape.shape_data = negative; }},
      {"'batch' = 3 in input 0 'x' (axis 0), but = 4 in input 1 'y' (axis 0)",
       [](AITData* in, AITData*) { in[1].shape.shape_data = batch4; }},
      {"axis 1 has extent 5, but must have 4",
       [](AITData* in, AITData*) { in[0].shape.shape_data = wide; }},
      {"as many axes", [](AITData* in, AITData*) { in[0].shape = AITemplateParamShape(flat, 1); }},
      {"as many axes", [](AITData* in, AITData*) { in[0].shape = AITemplateParamShape(deep, 3); }},
      {"as many axes",
       [](AITData* in, AITData*) { in[0].shape = AITemplateParamShape(nullptr, 0); }},
      {"shape's data is null",
       [](AITData* in, AITData*) { in[0].shape = AITemplateParamShape(nullptr, 2); }},
      {"shape's data is null",
       [](AITData*, AITData* out) { out[0].shape = AITemplateParamShape(nullptr, 2); }},
      {"input 1 'y': the pointer is null", [](AITData* in, AITData*) { in[1].ptr = nullptr; }},
      {"output 0 'total': the pointer is null",
       [](AITData*, AITData* out) { out[0].ptr = nullptr; }},
      {"expected a multiple of 4",
       [](AITData* in, AITData*) { in[0].ptr = static_cast<char*>(in[0].ptr) + 2; }},
      {"expected a multiple of 4",
       [](AITData*, AITData* out) { out[1].ptr = static_cast<char*>(out[1].ptr) + 1; }},
      {"this run writes 12 elements, there is room for 8",
       [](AITData*, AITData* out) { out[0].shape.shape_data = small; }},
      {"there is room for 1",
       [](AITData*, AITData* out) { out[0].shape = AITemplateParamShape(nullptr, 0); }},
      {"there is room for 0",
       [](AITData*, AITData* out) { out[0].shape.shape_data = negativeTwice; }},
      {"output 0 'total': its memory overlaps that of input 0 'x'",
       [](AITData* in, AITData* out) { out[0].ptr = in[0].ptr; }},
      {"output 1 'twice': its memory overlaps that of output 0 'total'",
       [](AITData*, AITData* out) { out[1].ptr = static_cast<float*>(out[0].ptr) + 11; }},
      {"overlaps that of input 1 'y'",
       [](AITData* in, AITData* out) { in[1].ptr = static_cast<float*>(out[0].ptr) - 11; }},
  };
  Blend blend;
  blend.setConstants();
  for (const Case& each : cases) {
    blend.total = Tensor<float>({8, 4}, -5);
    blend.twice = Tensor<float>({8, 4}, -5);
    std::vector<float> spare(24, 1.0f);  // room below an output
    std::vector<float> room(64, -5.0f);
    AITData inputs[] = {blend.x.data(), blend.y.data()};
    AITData outputs[] = {blend.total.data(), blend.twice.data()};
    outputs[0].ptr = room.data() + 16;
    each.change(inputs, outputs);
    CHECK_FAILS("", AITemplateModelContainerRun(blend.container.handle, inputs, 2, outputs, 2,
                                                nullptr, true, false, nullptr));
    harness::note(harness::contains(AITemplateGetLastError(), each.part), each.part, __FILE__,
                  __LINE__, AITemplateGetLastError());
    bool isUntouched = true;
    for (float value : room) isUntouched &= value == -5;
    for (size_t i = 0; i < 32; ++i) isUntouched &= blend.total[i] == -5 && blend.twice[i] == -5;
    harness::note(isUntouched, "no output is written", __FILE__, __LINE__, each.part);
  }
  CHECK_OK(blend.run());
  CHECK(blend.isRight());
}

// A caller's mistake in `size` must not lead beyond the extents that are there.
TEST(runReadsNoMoreExtentsThanItKnows) {
  Blend blend;
  blend.setConstants();
  AITData x = blend.x.data(), y = blend.y.data();
  AITData total = blend.total.data(), twice = blend.twice.data();
  // On the heap, so that AddressSanitizer sees a read beyond.
  const std::vector<int64_t> two = {3, 4}, sixteen(16, 1);
  for (size_t claimed : {size_t(200), SIZE_MAX}) {
    x.shape = AITemplateParamShape(two.data(), claimed);
    CHECK_FAILS(" axes], expected [1...8, 4]: pass a tensor of as many axes",
                blend.container.run({x, y}, {total, twice}));
    const std::string found = "input 0 'x': found shape [3, 4, ... " + std::to_string(claimed);
    CHECK(harness::contains(AITemplateGetLastError(), found.c_str()));
    int64_t shape[2];
    int64_t* shapes[] = {shape, shape};
    AITData inputs[] = {x, y};
    CHECK_FAILS("as many axes", AITemplateModelContainerInferOutputShapes(blend.container.handle,
                                                                         inputs, 2, shapes));
    x = blend.x.data();
    total.shape = AITemplateParamShape(sixteen.data(), claimed);
    CHECK_FAILS("output 0 'total': found a shape of", blend.container.run({x, y}, {total, twice}));
    total = blend.total.data();
    AITData b = blend.b.data();
    b.shape = AITemplateParamShape(sixteen.data(), claimed);
    CHECK_FAILS("constant 'b': found a shape of", blend.container.set("b", b));
    CHECK_FAILS("constant 'b': found a shape of", blend.container.setLater("b", b));
  }
  CHECK_OK(blend.container.run({x, y}, {total, twice}));
  CHECK(blend.isRight());
}

TEST(adjacentMemoryIsNoOverlap) {
  Blend blend;
  blend.setConstants();
  std::vector<float> memory(12 * 4);
  AITData x = blend.x.data(), y = blend.y.data();
  AITData total = blend.total.data(), twice = blend.twice.data();
  x.ptr = memory.data();
  total.ptr = memory.data() + 12;
  twice.ptr = memory.data() + 24;
  y.ptr = memory.data() + 36;
  CHECK_OK(blend.container.run({x, y}, {total, twice}));
  y.ptr = x.ptr;  // inputs may share memory
  CHECK_OK(blend.container.run({x, y}, {total, twice}));
}

TEST(outputShapePointers) {
  Blend blend;
  blend.setConstants();
  int64_t shape[2];
  int64_t* shapes[] = {shape, nullptr};
  CHECK_FAILS("output 1 'twice': the pointer in output_shapes_out is null", blend.run(shapes));
}

TEST(outputMayBeFlat) {
  Blend blend;
  blend.setConstants();
  const int64_t flat[] = {12};
  AITData total = blend.total.data();
  total.shape = AITemplateParamShape(flat, 1);
  CHECK_OK(blend.container.run({blend.x.data(), blend.y.data()}, {total, blend.twice.data()}));
  CHECK(blend.isRight());
  const int64_t huge[] = {INT64_MAX, INT64_MAX, 4};
  total.shape = AITemplateParamShape(huge, 3);
  CHECK_OK(blend.container.run({blend.x.data(), blend.y.data()}, {total, blend.twice.data()}));
}

TEST(derivedExtents) {
  models::Use use(models::shapes);
  Container container;
  Tensor<int16_t> wide({3, 4}, 1, 1), copy({4, 6}, -1);
  Tensor<uint8_t> narrow({2});
  int64_t shape[2];
  int64_t* shapes[] = {shape};
  CHECK_OK(container.run({wide.data(), narrow.data()}, {copy.data()}, shapes));
  CHECK(shape[0] == 3 && shape[1] == 4 && copy[11] == 12 && copy[12] == -1);

  Tensor<int16_t> odd({3, 5}), tooWide({3, 8});
  Tensor<uint8_t> three({3});
  CHECK_FAILS("be a multiple of 2", container.run({odd.data(), narrow.data()}, {copy.data()}));
  CHECK_FAILS("must lie in 2...6", container.run({tooWide.data(), narrow.data()}, {copy.data()}));
  CHECK_FAILS(
      "input 1 'narrow': found shape [3], expected [1...3]: axis 0 has extent 3, but must "
      "have 2 with the other extents given",
      container.run({wide.data(), three.data()}, {copy.data()}));
  CHECK_OK(container.run({wide.data(), narrow.data()}, {copy.data()}));
}

TEST(sizesThatDoNotFitTogetherFailTheRun) {
  models::Use use(models::fitting);
  Container container;
  Tensor<int16_t> good({1, 4}, 5), bad({3, 4}, 6), copy({4, 6}, -1);
  Tensor<uint8_t> narrow({2});
  int64_t shape[2] = {0, 0};
  int64_t* shapes[] = {shape};
  // Again and again: a refusal is not taken for the sizes of the run before.
  for (int turn = 0; turn < 3; ++turn) {
    CHECK_FAILS(
        "node 'rows': found n = 3 for the highest position of slice along axis 0, expected at most "
        "m - 1 = 1: pass inputs whose sizes fit together",
        container.run({bad.data(), narrow.data()}, {copy.data()}));
    CHECK(copy[0] == (turn == 0 ? -1 : 5));
    if (turn == 1) continue;
    CHECK_OK(container.run({good.data(), narrow.data()}, {copy.data()}, shapes));
    CHECK(shape[0] == 1 && shape[1] == 4 && copy[3] == 5 && copy[4] == -1);
  }
}

TEST(operandsAtOffsets) {
  models::Use use(models::windows);
  Container container;
  Tensor<float> out({2});
  for (int64_t n : {3, 3, 8, 1}) {
    Tensor<float> in({n}, 1, 1);
    CHECK_OK(container.run({in.data()}, {out.data()}));
    CHECK(out[0] == 10 * static_cast<float>(n) && out[1] == static_cast<float>(n));
  }
}

TEST(emptyTensorsMayBeNull) {
  models::Use use(models::shapes);
  Container container;
  Tensor<int16_t> wide({0, 4}), copy({4, 6});
  Tensor<uint8_t> narrow({2});
  AITData in = wide.data(), out = copy.data();
  in.ptr = nullptr;
  out.ptr = nullptr;
  int64_t shape[2];
  int64_t* shapes[] = {shape};
  CHECK_OK(container.run({in, narrow.data()}, {out}, shapes));
  CHECK(shape[0] == 0 && shape[1] == 4);
}

TEST(indexErrorsFailTheRun) {
  models::Use use(models::gather);
  for (size_t threadCount : {1, 4}) {
    Container container(1, threadCount);
    Tensor<int64_t> index({4});
    Tensor<float> out({16}, -1);
    index = {1, 2, 3, 9};
    CHECK_OK(container.run({index.data()}, {out.data()}));
    CHECK(out[0] == 1 && out[3] == 81 && out[4] == -1);
    index = {1, 10, 3, 9};
    CHECK_FAILS("step 'lookup' (gather): found index 10, expected 0 to 9",
                container.run({index.data()}, {out.data()}));
    index = {-7, 1, 1, 1};
    CHECK_FAILS("found index -7", container.run({index.data()}, {out.data()}));
    index = {1, 1, 1, 1};
    CHECK_OK(container.run({index.data()}, {out.data()}));
  }
}

TEST(indexErrorOutsideARunIsIgnored) {
  ait::reportIndexError(5, 3);
  Blend blend;
  blend.setConstants();
  CHECK_OK(blend.run());
}
