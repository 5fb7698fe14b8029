#include "models.h"

#include <sched.h>

#include <cstring>

namespace models {

using ait::ConstantDescription;
using ait::DType;
using ait::FoldedDescription;
using ait::KernelContext;
using ait::ModelDescription;
using ait::OperandReference;
using ait::OperandShape;
using ait::Space;
using ait::StepDescription;
using ait::SymbolBinding;
using ait::SymbolDescription;
using ait::TensorDescription;

const ModelDescription* current = &blend;
std::atomic<int> foldCounts[4];
std::atomic<bool> gateIsOpen{true};

namespace {

int64_t aligned(int64_t size) { return (size + 63) / 64 * 64; }

const float* in(const KernelContext& context, int slot) {
  return static_cast<const float*>(context.buffers[slot]);
}

float* out(const KernelContext& context, int slot) {
  return static_cast<float*>(context.buffers[slot]);
}

constexpr OperandReference at(Space space, int32_t index, int32_t offset = -1) {
  return {space, index, offset};
}

// MARK: - Blend

// Dimension table.
enum : int32_t {
  kBatch,
  kFour,
  kElements,
  kFirstOffset,
  kSecondOffset,
  kWorkspaceOffset,
  kArenaSize,
  kFlops,
  kBytes,
  kBlendCount,
};

void evaluateBlend(const int64_t* symbols, int64_t* dimensions) {
  dimensions[kBatch] = symbols[0];
  dimensions[kFour] = 4;
  dimensions[kElements] = symbols[0] * 4;
  dimensions[kFirstOffset] = 0;
  dimensions[kSecondOffset] = aligned(symbols[0] * 16);
  dimensions[kWorkspaceOffset] = 2 * aligned(symbols[0] * 16);
  dimensions[kArenaSize] = 2 * aligned(symbols[0] * 16) + 64;
  dimensions[kFlops] = symbols[0] * 32;
  dimensions[kBytes] = symbols[0] * 32 + 64;
}

// sizes: elements
void add(const KernelContext& context) {
  for (int64_t i = 0; i < context.sizes[0]; ++i) {
    out(context, 2)[i] = in(context, 0)[i] + in(context, 1)[i];
  }
}

void twice(const KernelContext& context) {
  for (int64_t i = 0; i < context.sizes[0]; ++i) out(context, 1)[i] = 2 * in(context, 0)[i];
}

void multiply(const KernelContext& context) {
  for (int64_t i = 0; i < context.sizes[0]; ++i) {
    out(context, 2)[i] = in(context, 0)[i] * in(context, 1)[i];
  }
}

// sizes: batch; the product of [batch, 4] and [4, 4], a row for each index of a loop.
void matmul(const KernelContext& context) {
  std::memset(context.workspace, 0x7f, 64);
  ait::parallelFor(context.pool, context.sizes[0], [&](int64_t row, int32_t) {
    for (int64_t column = 0; column < 4; ++column) {
      float sum = 0;
      for (int64_t k = 0; k < 4; ++k)
        sum += in(context, 0)[row * 4 + k] * in(context, 1)[k * 4 + column];
      out(context, 2)[row * 4 + column] = sum;
    }
  });
}

// sizes: batch; adds four rows to each.
void addRows(const KernelContext& context) {
  for (int64_t i = 0; i < context.sizes[0] * 4; ++i) {
    float sum = in(context, 0)[i];
    for (int slot = 1; slot < 5; ++slot) sum += in(context, slot)[i % 4];
    out(context, 5)[i] = sum;
  }
}

template <ait::KernelFunction kernel, int index>
void counted(const KernelContext& context) {
  foldCounts[index].fetch_add(1);
  kernel(context);
}

const SymbolDescription batchSymbol[] = {{"batch", 1, 8}};
const SymbolBinding blendBindings[] = {{0, 0, 0, 1}, {0, 1, 0, 1}};
const int32_t batchByFour[] = {kBatch, kFour};
const int32_t four[] = {kFour};
const int32_t fourByFour[] = {kFour, kFour};
const int64_t blendMinimum[] = {1, 4};
const int64_t blendMaximum[] = {8, 4};
const TensorDescription blendInputs[] = {
    {"x", DType::float32, 2, batchByFour, blendMinimum, blendMaximum},
    {"y", DType::float32, 2, batchByFour, blendMinimum, blendMaximum},
};
const TensorDescription blendOutputs[] = {
    {"total", DType::float32, 2, batchByFour, blendMinimum, blendMaximum},
    {"twice", DType::float32, 2, batchByFour, blendMinimum, blendMaximum},
};

const int64_t shape4[] = {4};
const int64_t shape44[] = {4, 4};
const float wData[] = {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4};
const float pData[] = {1, 2, 3, 4};
const float sData[] = {10, 20, 30, 40};
const float f1Data[] = {50, 100, 150, 200};  // r = 5, 5, 5, 5
const float f2Data[] = {20, 40, 60, 80};
const ConstantDescription blendConstants[] = {
    {"w", "layer.w", DType::float32, 2, shape44, 64, wData, true, false},
    {"b", "layer.b", DType::float32, 1, shape4, 16, nullptr, false, false},
    {"p", "fold.p", DType::float32, 1, shape4, 16, pData, true, true},
    {"q", "fold.q", DType::float32, 1, shape4, 16, nullptr, false, true},
    {"r", "fold.r", DType::float32, 1, shape4, 16, nullptr, true, true},
    {"s", "fold.s", DType::float32, 1, shape4, 16, sData, true, true},
};
const FoldedDescription blendFolded[] = {{16, nullptr}, {16, f1Data}, {16, f2Data}};

const int32_t fourSize[] = {kFour};
const int32_t elementsSize[] = {kElements};
const int32_t batchSize[] = {kBatch};
const OperandShape rowShape = {DType::float32, 1, four};
const OperandShape matrixShape = {DType::float32, 2, batchByFour};
const OperandShape rowShapes[] = {rowShape, rowShape, rowShape};
const OperandShape matrixShapes[] = {matrixShape, matrixShape, matrixShape};
const OperandShape matmulShapes[] = {matrixShape, {DType::float32, 2, fourByFour}, matrixShape};
const OperandShape rowsShapes[] = {matrixShape, rowShape, rowShape,
                                   rowShape,    rowShape, matrixShape};

const OperandReference foldSum[] = {at(Space::constant, 2), at(Space::constant, 3),
                                    at(Space::arena, 7, kFirstOffset)};
const OperandReference foldTwice[] = {at(Space::arena, 7, kFirstOffset), at(Space::folded, 0)};
const OperandReference foldProduct[] = {at(Space::constant, 4), at(Space::constant, 5),
                                        at(Space::folded, 1)};
const OperandReference foldDouble[] = {at(Space::constant, 5), at(Space::constant, 5),
                                       at(Space::folded, 2)};
const StepDescription blendFoldSteps[] = {
    {"sum_pq", "add", "add", counted<add, 0>, 3, foldSum, rowShapes, 2, 1, fourSize, -1, -1, -1},
    {"f0", "scale", "twice", counted<twice, 1>, 2, foldTwice, rowShapes, 1, 1, fourSize, -1, -1,
     -1},
    {"f1", "mul", "multiply", counted<multiply, 2>, 3, foldProduct, rowShapes, 2, 1, fourSize, -1,
     -1, -1},
    {"f2", "add", "add", counted<add, 3>, 3, foldDouble, rowShapes, 2, 1, fourSize, -1, -1, -1},
};

const OperandReference addOperands[] = {at(Space::input, 0), at(Space::input, 1),
                                        at(Space::arena, 0, kFirstOffset)};
const OperandReference matmulOperands[] = {
    at(Space::arena, 0, kFirstOffset), at(Space::constant, 0), at(Space::arena, 1, kSecondOffset)};
const OperandReference rowsOperands[] = {at(Space::arena, 1, kSecondOffset),
                                         at(Space::constant, 1),
                                         at(Space::folded, 0),
                                         at(Space::folded, 1),
                                         at(Space::folded, 2),
                                         at(Space::output, 0)};
const OperandReference twiceOperands[] = {at(Space::arena, 0, kFirstOffset), at(Space::output, 1)};
const StepDescription blendSteps[] = {
    {"add_xy", "add", "add", add, 3, addOperands, matrixShapes, 2, 1, elementsSize, -1, kElements,
     -1},
    {"product", "matmul", "matmul<\"4x4\">", matmul, 3, matmulOperands, matmulShapes, 2, 1,
     batchSize, kWorkspaceOffset, kFlops, kBytes},
    {"total", "add", "addRows", addRows, 6, rowsOperands, rowsShapes, 5, 1, batchSize, -1, -1, -1},
    {"twice", "scale", "twice", twice, 2, twiceOperands, matrixShapes, 1, 1, elementsSize, -1, -1,
     -1},
};

// MARK: - Versions

// Dimension table: 64, 256, 4, 1, offset 0, offset 256 bytes.
void evaluateVersions(const int64_t*, int64_t* dimensions) {
  dimensions[0] = 64;
  dimensions[1] = 256;
  dimensions[2] = 4;
  dimensions[3] = 1;
  dimensions[4] = 0;
  dimensions[5] = 256;
}

// Reads its operands over some time, so that a change in between shows.
void assemble(const KernelContext& context) {
  const float scale = in(context, 0)[0];
  for (int half = 0; half < 2; ++half) {
    ait::parallelFor(context.pool, 4, [&](int64_t row, int32_t) {
      for (int64_t i = half * 32; i < half * 32 + 32; ++i) {
        out(context, 5)[row * 64 + i] = scale * in(context, static_cast<int>(row) + 1)[i];
      }
    });
    sched_yield();
  }
}

const int32_t one[] = {3};
const int32_t sixtyFour[] = {0};
const int32_t fourBySixtyFour[] = {2, 0};
const int64_t shape1[] = {1};
const int64_t shape64[] = {64};
const int64_t shape464[] = {4, 64};
const TensorDescription versionsInputs[] = {{"scale", DType::float32, 1, one, shape1, shape1}};
const TensorDescription versionsOutputs[] = {
    {"rows", DType::float32, 2, fourBySixtyFour, shape464, shape464}};
float ones[64];
const ConstantDescription versionsConstants[] = {
    {"u", "u", DType::float32, 1, shape64, 256, nullptr, false, true},
    {"v", "v", DType::float32, 1, shape64, 256, nullptr, false, true},
    {"c", "c", DType::float32, 1, shape64, 256, ones, true, false},
};
const FoldedDescription versionsFolded[] = {{256, nullptr}};
const OperandShape shapes64[] = {
    {DType::float32, 1, sixtyFour}, {DType::float32, 1, sixtyFour}, {DType::float32, 1, sixtyFour}};
const OperandReference versionsFoldOperands[] = {at(Space::constant, 0), at(Space::constant, 1),
                                                 at(Space::folded, 0)};
const int32_t sixtyFourSize[] = {0};
const StepDescription versionsFoldSteps[] = {
    {"uv", "add", "add", add, 3, versionsFoldOperands, shapes64, 2, 1, sixtyFourSize, -1, -1, -1}};
const OperandShape assembleShapes[] = {
    {DType::float32, 1, one},       {DType::float32, 1, sixtyFour},
    {DType::float32, 1, sixtyFour}, {DType::float32, 1, sixtyFour},
    {DType::float32, 1, sixtyFour}, {DType::float32, 2, fourBySixtyFour}};
const OperandReference assembleOperands[] = {at(Space::input, 0),    at(Space::constant, 0),
                                             at(Space::constant, 1), at(Space::folded, 0),
                                             at(Space::constant, 2), at(Space::output, 0)};
const StepDescription versionsSteps[] = {{"assemble", "concatenate", "assemble", assemble, 6,
                                          assembleOperands, assembleShapes, 5, 0, nullptr, -1, -1,
                                          -1}};

const struct FillOnes {
  FillOnes() {
    for (float& value : ones) value = 1;
  }
} fillOnes;

// MARK: - Gather

// Dimension table: n, 10.
void evaluateGather(const int64_t* symbols, int64_t* dimensions) {
  dimensions[0] = symbols[0];
  dimensions[1] = 10;
}

void gatherRows(const KernelContext& context) {
  const int64_t* indices = static_cast<const int64_t*>(context.buffers[0]);
  ait::parallelFor(context.pool, context.sizes[0], [&](int64_t i, int32_t) {
    int64_t index = indices[i];
    if (i % 4 == 0) sched_yield();  // so that runs overlap
    if (index < 0 || index >= context.sizes[1]) {
      ait::reportIndexError(index, context.sizes[1]);
      index = 0;
    }
    out(context, 2)[i] = in(context, 1)[index];
  });
}

const SymbolDescription gatherSymbols[] = {{"n", 0, 16}};
const SymbolBinding gatherBindings[] = {{0, 0, 0, 1}};
const int32_t nDimension[] = {0};
const int32_t tenDimension[] = {1};
const int64_t shape0[] = {0};
const int64_t shape10[] = {10};
const int64_t shape16[] = {16};
const TensorDescription gatherInputs[] = {{"index", DType::int64, 1, nDimension, shape0, shape16}};
const TensorDescription gatherOutputs[] = {{"out", DType::float32, 1, nDimension, shape0, shape16}};
const float tableData[] = {0, 1, 4, 9, 16, 25, 36, 49, 64, 81};
const ConstantDescription gatherConstants[] = {
    {"table", "table", DType::float32, 1, shape10, 40, tableData, true, false}};
const int32_t gatherSizes[] = {0, 1};
const OperandShape gatherShapes[] = {{DType::int64, 1, nDimension},
                                     {DType::float32, 1, tenDimension},
                                     {DType::float32, 1, nDimension}};
const OperandReference gatherOperands[] = {at(Space::input, 0), at(Space::constant, 0),
                                           at(Space::output, 0)};
const StepDescription gatherSteps[] = {{"lookup", "gather", "gatherRows", gatherRows, 3,
                                        gatherOperands, gatherShapes, 2, 2, gatherSizes, -1, -1,
                                        -1}};
const int64_t testSymbols[] = {3};
const int64_t testIndices[] = {9, 0, 2};
const void* const testInputs[] = {testIndices};
const float testOut[] = {81, 0, 4};
const void* const testOutputs[] = {testOut};
const double testTolerances[] = {1e-6};
const ait::SelfTestDescription gatherTest = {testSymbols, testInputs, testOutputs, testTolerances};

// MARK: - Shapes

// Dimension table: n, 2 m, m, elements.
void evaluateShapes(const int64_t* symbols, int64_t* dimensions) {
  dimensions[0] = symbols[0];
  dimensions[1] = 2 * symbols[1];
  dimensions[2] = symbols[1];
  dimensions[3] = symbols[0] * 2 * symbols[1];
}

void copy(const KernelContext& context) {
  for (int64_t i = 0; i < context.sizes[0]; ++i) {
    static_cast<int16_t*>(context.buffers[1])[i] =
        static_cast<const int16_t*>(context.buffers[0])[i];
  }
}

// As shapes, but n is less than m.
void evaluateFitting(const int64_t* symbols, int64_t* dimensions) {
  evaluateShapes(symbols, dimensions);
  dimensions[4] = symbols[1] - 1 - symbols[0];
  dimensions[5] = symbols[1] - 1;
}

const ait::ConstraintDescription fittingConstraints[] = {
    {"rows", "the highest position of slice along axis 0", "n = ", "at most m - 1 = ", 4, 0, 5}};

const SymbolDescription shapesSymbols[] = {{"n", 0, 4}, {"m", 1, 3}};
const SymbolBinding shapesBindings[] = {{0, 0, 0, 1}, {1, 0, 1, 2}};
const int32_t nByTwoM[] = {0, 1};
const int32_t mDimension[] = {2};
const int64_t shapesMinimum[] = {0, 2};
const int64_t shapesMaximum[] = {4, 6};
const int64_t shape3[] = {3};
const TensorDescription shapesInputs[] = {
    {"wide", DType::int16, 2, nByTwoM, shapesMinimum, shapesMaximum},
    {"narrow", DType::uint8, 1, mDimension, shape1, shape3},
};
const TensorDescription shapesOutputs[] = {
    {"copy", DType::int16, 2, nByTwoM, shapesMinimum, shapesMaximum}};
const int32_t copySizes[] = {3};
const OperandShape copyShapes[] = {{DType::int16, 2, nByTwoM}, {DType::int16, 2, nByTwoM}};
const OperandReference copyOperands[] = {at(Space::input, 0), at(Space::output, 0)};
const StepDescription shapesSteps[] = {
    {"copy", "identity", "copy", copy, 2, copyOperands, copyShapes, 1, 1, copySizes, -1, -1, -1}};

// MARK: - Tiny and threads

void evaluateOne(const int64_t*, int64_t* dimensions) { dimensions[0] = 1; }

void increment(const KernelContext& context) { out(context, 1)[0] = in(context, 0)[0] + 1; }

void fillScratch(const KernelContext& context) {
  std::atomic<int> calls{0};
  std::atomic<int> clashes{0};
  std::atomic<int> users[1024] = {};
  ait::parallelFor(context.pool, 64, [&](int64_t index, int32_t thread) {
    if (thread < 0 || thread >= context.pool.threadCount()) clashes.fetch_add(1);
    if (users[thread].fetch_add(1) != 0) clashes.fetch_add(1);
    unsigned char* scratch = static_cast<unsigned char*>(context.pool.scratch(thread));
    const unsigned char mark = static_cast<unsigned char>(index + 1);
    for (int byte = 0; byte < 4096; ++byte) scratch[byte] = mark;
    scratch[ait::ThreadPool::kScratchSizeInBytes - 1] = mark;
    if (index % 8 == 0) sched_yield();
    for (int byte = 0; byte < 4096; ++byte) {
      if (scratch[byte] != mark) {
        clashes.fetch_add(1);
        break;
      }
    }
    users[thread].fetch_sub(1);
    calls.fetch_add(1);
  });
  out(context, 1)[0] = static_cast<float>(clashes == 0 ? calls.load() : -1);
}

const int32_t oneDimension[] = {0};
const TensorDescription oneInput[] = {{"in", DType::float32, 1, oneDimension, shape1, shape1}};
const TensorDescription oneOutput[] = {{"out", DType::float32, 1, oneDimension, shape1, shape1}};
const OperandShape oneShapes[] = {{DType::float32, 1, oneDimension},
                                  {DType::float32, 1, oneDimension}};
const StepDescription tinySteps[] = {{"increment", "add", "increment", increment, 2, copyOperands,
                                      oneShapes, 1, 0, nullptr, -1, -1, -1}};
const StepDescription threadsSteps[] = {{"fill", "fill", "fillScratch", fillScratch, 2,
                                         copyOperands, oneShapes, 1, 0, nullptr, -1, -1, -1}};

void waitForGate(const KernelContext& context) {
  while (!gateIsOpen) sched_yield();
  out(context, 1)[0] = in(context, 0)[0];
}
const StepDescription gatedSteps[] = {{"wait", "identity", "waitForGate", waitForGate, 2,
                                       copyOperands, oneShapes, 1, 0, nullptr, -1, -1, -1}};

// MARK: - Windows

// Dimension table: n, 2, 9, offset 4 n, offset 4 (n - 1), offset 4.
void evaluateWindows(const int64_t* symbols, int64_t* dimensions) {
  dimensions[0] = symbols[0];
  dimensions[1] = 2;
  dimensions[2] = 9;
  dimensions[3] = 4 * symbols[0];
  dimensions[4] = 4 * (symbols[0] - 1);
  dimensions[5] = 4;
}

void copyOne(const KernelContext& context) { out(context, 1)[0] = in(context, 0)[0]; }

const SymbolDescription windowsSymbols[] = {{"n", 1, 8}};
const int32_t windowsOut[] = {1};
const int64_t shape2[] = {2};
const int64_t shape8[] = {8};
const int64_t shape9[] = {9};
const TensorDescription windowsInputs[] = {{"in", DType::float32, 1, nDimension, shape1, shape8}};
const TensorDescription windowsOutputs[] = {{"out", DType::float32, 1, windowsOut, shape2, shape2}};
const float rampData[] = {0, 10, 20, 30, 40, 50, 60, 70, 80};
const ConstantDescription windowsConstants[] = {
    {"ramp", "ramp", DType::float32, 1, shape9, 36, rampData, true, false}};
const OperandReference rampOperands[] = {at(Space::constant, 0, 3), at(Space::output, 0)};
const OperandReference lastOperands[] = {at(Space::input, 0, 4), at(Space::output, 0, 5)};
const StepDescription windowsSteps[] = {
    {"ramp", "slice", "copyOne", copyOne, 2, rampOperands, oneShapes, 1, 0, nullptr, -1, -1, -1},
    {"last", "slice", "copyOne", copyOne, 2, lastOperands, oneShapes, 1, 0, nullptr, -1, -1, -1}};

ModelDescription described(const char* name) {
  ModelDescription model = {};
  model.name = name;
  model.target = "cpu:test";
  model.compiler = "by hand";
  model.manifest = "{\"name\": \"fake\"}";
  model.source = "graph fake {}";
  return model;
}

ModelDescription makeBlend() {
  ModelDescription model = described("blend");
  model.symbolCount = 1;
  model.symbols = batchSymbol;
  model.bindingCount = 2;
  model.bindings = blendBindings;
  model.dimensionCount = kBlendCount;
  model.evaluateDimensions = evaluateBlend;
  model.inputCount = 2;
  model.inputs = blendInputs;
  model.outputCount = 2;
  model.outputs = blendOutputs;
  model.constantCount = 6;
  model.constants = blendConstants;
  model.foldedCount = 3;
  model.folded = blendFolded;
  model.arenaSize = kArenaSize;
  model.arenaBoundInBytes = 2 * 128 + 64;
  model.foldArenaSizeInBytes = 64;
  model.foldStepCount = 4;
  model.foldSteps = blendFoldSteps;
  model.stepCount = 4;
  model.steps = blendSteps;
  return model;
}

ModelDescription makeVersions() {
  ModelDescription model = described("versions");
  model.dimensionCount = 6;
  model.evaluateDimensions = evaluateVersions;
  model.inputCount = 1;
  model.inputs = versionsInputs;
  model.outputCount = 1;
  model.outputs = versionsOutputs;
  model.constantCount = 3;
  model.constants = versionsConstants;
  model.foldedCount = 1;
  model.folded = versionsFolded;
  model.arenaSize = 4;
  model.foldStepCount = 1;
  model.foldSteps = versionsFoldSteps;
  model.stepCount = 1;
  model.steps = versionsSteps;
  return model;
}

ModelDescription makeGather() {
  ModelDescription model = described("gather");
  model.symbolCount = 1;
  model.symbols = gatherSymbols;
  model.bindingCount = 1;
  model.bindings = gatherBindings;
  model.dimensionCount = 2;
  model.evaluateDimensions = evaluateGather;
  model.inputCount = 1;
  model.inputs = gatherInputs;
  model.outputCount = 1;
  model.outputs = gatherOutputs;
  model.constantCount = 1;
  model.constants = gatherConstants;
  model.stepCount = 1;
  model.steps = gatherSteps;
  model.selfTest = &gatherTest;
  return model;
}

ModelDescription makeShapes() {
  ModelDescription model = described("shapes");
  model.symbolCount = 2;
  model.symbols = shapesSymbols;
  model.bindingCount = 2;
  model.bindings = shapesBindings;
  model.dimensionCount = 4;
  model.evaluateDimensions = evaluateShapes;
  model.inputCount = 2;
  model.inputs = shapesInputs;
  model.outputCount = 1;
  model.outputs = shapesOutputs;
  model.stepCount = 1;
  model.steps = shapesSteps;
  return model;
}

ModelDescription makeFitting() {
  ModelDescription model = makeShapes();
  model.name = "fitting";
  model.dimensionCount = 6;
  model.evaluateDimensions = evaluateFitting;
  model.constraintCount = 1;
  model.constraints = fittingConstraints;
  return model;
}

ModelDescription makeWindows() {
  ModelDescription model = described("windows");
  model.symbolCount = 1;
  model.symbols = windowsSymbols;
  model.bindingCount = 1;
  model.bindings = gatherBindings;
  model.dimensionCount = 6;
  model.evaluateDimensions = evaluateWindows;
  model.inputCount = 1;
  model.inputs = windowsInputs;
  model.outputCount = 1;
  model.outputs = windowsOutputs;
  model.constantCount = 1;
  model.constants = windowsConstants;
  model.stepCount = 2;
  model.steps = windowsSteps;
  return model;
}

ModelDescription makeOne(const char* name, const StepDescription* steps) {
  ModelDescription model = described(name);
  model.dimensionCount = 1;
  model.evaluateDimensions = evaluateOne;
  model.inputCount = 1;
  model.inputs = oneInput;
  model.outputCount = 1;
  model.outputs = oneOutput;
  model.stepCount = 1;
  model.steps = steps;
  return model;
}

}  // namespace

const ModelDescription blend = makeBlend();
const ModelDescription versions = makeVersions();
const ModelDescription gather = makeGather();
const ModelDescription shapes = makeShapes();
const ModelDescription fitting = makeFitting();
const ModelDescription tiny = makeOne("tiny", tinySteps);
const ModelDescription gated = makeOne("gated", gatedSteps);
const ModelDescription windows = makeWindows();
const ModelDescription threads = makeOne("threads", threadsSteps);

}  // namespace models

extern "C" const ait::ModelDescription* aitModelDescription() { return models::current; }
