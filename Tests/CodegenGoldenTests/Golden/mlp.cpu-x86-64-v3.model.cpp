// mlp: what the runtime reads of the model. Generated.
#include "ait/model_description.h"

#include "constants.h"

extern "C" void pack_float16_5851c5d600055eea(const ait::KernelContext& context);
extern "C" void pointwise_float16_7d56df64d5438062(const ait::KernelContext& context);
extern "C" void matmul_float16_e1bb40ddd8c066c5(const ait::KernelContext& context);
extern "C" void matmul_float16_6d35f8b005826839(const ait::KernelContext& context);
extern "C" void softmax_float16_259bbcc35aea1c19(const ait::KernelContext& context);
extern "C" void pointwise_float16_112759fcfe9dd309(const ait::KernelContext& context);

namespace {

using ait::DType;
using ait::Space;

const ait::SymbolDescription symbols[] = {{"batch", 1, 64}};
const ait::SymbolBinding bindings[] = {{0, 0, 0, 1}};
const int32_t input0Extents[] = {0, 1};
const int64_t input0Minimum[] = {1, 16};
const int64_t input0Maximum[] = {64, 16};
const ait::TensorDescription inputs[] = {
  {"X", DType::float16, 2, input0Extents, input0Minimum, input0Maximum},
};
const int32_t output0Extents[] = {0, 1};
const int64_t output0Minimum[] = {1, 16};
const int64_t output0Maximum[] = {64, 16};
const int32_t output1Extents[] = {0, 2};
const int64_t output1Minimum[] = {1, 32};
const int64_t output1Maximum[] = {64, 32};
const ait::TensorDescription outputs[] = {
  {"Y", DType::float16, 2, output0Extents, output0Minimum, output0Maximum},
  {"hidden_part", DType::float16, 2, output1Extents, output1Minimum, output1Maximum},
};
const ait::OperandReference fold0Operands[] = {
  {Space::constant, 0, -1},
  {Space::folded, 0, -1},
};
const int32_t fold0Shape0[] = {2, 1};
const int32_t fold0Shape1[] = {3};
const ait::OperandShape fold0Shapes[] = {
  {DType::float16, 2, fold0Shape0},
  {DType::float16, 1, fold0Shape1},
};
const int32_t fold0Sizes[] = {4, 1, 2, 5, 4, 1};
const ait::OperandReference fold1Operands[] = {
  {Space::constant, 3, -1},
  {Space::constant, 4, -1},
  {Space::folded, 1, -1},
};
const int32_t fold1Shape0[] = {1};
const int32_t fold1Shape1[] = {4};
const int32_t fold1Shape2[] = {1};
const ait::OperandShape fold1Shapes[] = {
  {DType::float16, 1, fold1Shape0},
  {DType::float16, 1, fold1Shape1},
  {DType::float16, 1, fold1Shape2},
};
const int32_t fold1Sizes[] = {1, 4, 5, 4};
const ait::OperandReference fold2Operands[] = {
  {Space::constant, 2, -1},
  {Space::folded, 2, -1},
};
const int32_t fold2Shape0[] = {1, 2};
const int32_t fold2Shape1[] = {3};
const ait::OperandShape fold2Shapes[] = {
  {DType::float16, 2, fold2Shape0},
  {DType::float16, 1, fold2Shape1},
};
const int32_t fold2Sizes[] = {4, 2, 1, 5, 4, 2};
const ait::StepDescription foldSteps[] = {
  {"dense1_weight_packed", "pack", "pack_float16_5851c5d600055eea", pack_float16_5851c5d600055eea, 2, fold0Operands, fold0Shapes, 1, 6, fold0Sizes, -1, 5, 6},
  {"factor", "pointwise", "pointwise_float16_7d56df64d5438062", pointwise_float16_7d56df64d5438062, 3, fold1Operands, fold1Shapes, 2, 4, fold1Sizes, -1, 1, 7},
  {"dense2_weight_packed", "pack", "pack_float16_5851c5d600055eea", pack_float16_5851c5d600055eea, 2, fold2Operands, fold2Shapes, 1, 6, fold2Sizes, -1, 5, 6},
};
const ait::OperandReference run0Operands[] = {
  {Space::input, 0, -1},
  {Space::folded, 0, -1},
  {Space::constant, 1, -1},
  {Space::output, 1, -1},
};
const int32_t run0Shape0[] = {0, 1};
const int32_t run0Shape1[] = {3};
const int32_t run0Shape2[] = {2};
const int32_t run0Shape3[] = {0, 2};
const ait::OperandShape run0Shapes[] = {
  {DType::float16, 2, run0Shape0},
  {DType::float16, 1, run0Shape1},
  {DType::float16, 1, run0Shape2},
  {DType::float16, 2, run0Shape3},
};
const int32_t run0Sizes[] = {0, 2, 1, 1, 4, 4, 1, 5, 4, 2, 4};
const ait::OperandReference run1Operands[] = {
  {Space::output, 1, -1},
  {Space::folded, 2, -1},
  {Space::arena, 0, -1},
};
const int32_t run1Shape0[] = {0, 2};
const int32_t run1Shape1[] = {3};
const int32_t run1Shape2[] = {0, 1};
const ait::OperandShape run1Shapes[] = {
  {DType::float16, 2, run1Shape0},
  {DType::float16, 1, run1Shape1},
  {DType::float16, 2, run1Shape2},
};
const int32_t run1Sizes[] = {0, 1, 2, 2, 4, 4, 2, 1, 4};
const ait::OperandReference run2Operands[] = {{Space::arena, 0, -1}, {Space::arena, 0, -1}};
const int32_t run2Shape0[] = {0, 1};
const int32_t run2Shape1[] = {0, 1};
const ait::OperandShape run2Shapes[] = {
  {DType::float16, 2, run2Shape0},
  {DType::float16, 2, run2Shape1},
};
const int32_t run2Sizes[] = {0, 1, 1, 4, 1, 4};
const ait::OperandReference run3Operands[] = {
  {Space::arena, 0, -1},
  {Space::folded, 1, -1},
  {Space::output, 0, -1},
};
const int32_t run3Shape0[] = {0, 1};
const int32_t run3Shape1[] = {1};
const int32_t run3Shape2[] = {0, 1};
const ait::OperandShape run3Shapes[] = {
  {DType::float16, 2, run3Shape0},
  {DType::float16, 1, run3Shape1},
  {DType::float16, 2, run3Shape2},
};
const int32_t run3Sizes[] = {0, 1, 1, 4, 5, 4, 1, 4};
const ait::StepDescription runSteps[] = {
  {"hidden", "matmul", "matmul_float16_e1bb40ddd8c066c5", matmul_float16_e1bb40ddd8c066c5, 4, run0Operands, run0Shapes, 3, 11, run0Sizes, -1, 8, 9},
  {"product", "matmul", "matmul_float16_6d35f8b005826839", matmul_float16_6d35f8b005826839, 3, run1Operands, run1Shapes, 2, 9, run1Sizes, -1, 10, 11},
  {"rows", "softmax", "softmax_float16_259bbcc35aea1c19", softmax_float16_259bbcc35aea1c19, 2, run2Operands, run2Shapes, 1, 6, run2Sizes, -1, 12, 13},
  {"Y", "pointwise", "pointwise_float16_112759fcfe9dd309", pointwise_float16_112759fcfe9dd309, 3, run3Operands, run3Shapes, 2, 8, run3Sizes, -1, 14, 15},
};

[[maybe_unused]] int64_t floorDivide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

[[maybe_unused]] int64_t modulo(int64_t a, int64_t b) { return a - floorDivide(a, b) * b; }
[[maybe_unused]] int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
[[maybe_unused]] int64_t larger(int64_t a, int64_t b) { return a < b ? b : a; }

void evaluateDimensions([[maybe_unused]] const int64_t* symbols, int64_t* dimensions) {
  dimensions[0] = symbols[0];
  dimensions[1] = 16;
  dimensions[2] = 32;
  dimensions[3] = 512;
  dimensions[4] = 1;
  dimensions[5] = 0;
  dimensions[6] = 2048;
  dimensions[7] = 66;
  dimensions[8] = 1088 * symbols[0];
  dimensions[9] = 96 * symbols[0] + 1088;
  dimensions[10] = 1024 * symbols[0];
  dimensions[11] = 96 * symbols[0] + 1024;
  dimensions[12] = 640 * symbols[0];
  dimensions[13] = 64 * symbols[0];
  dimensions[14] = 16 * symbols[0];
  dimensions[15] = 64 * symbols[0] + 32;
  dimensions[16] = 64 * floorDivide(32 * symbols[0] + 63, 64);
}

const char* missingInstructions() {
  if (!__builtin_cpu_supports("avx2")) return "avx2";
  if (!__builtin_cpu_supports("fma")) return "fma";
  if (!__builtin_cpu_supports("bmi")) return "bmi";
  if (!__builtin_cpu_supports("bmi2")) return "bmi2";
  return nullptr;
}

const char manifest[] =
    "{\n"
      "  \"name\": \"mlp\",\n"
      "  \"target\": \"cpu:x86-64-v3\",\n"
      "  \"allows_tf32\": false,\n"
      "  \"arena\": \"64*((32*batch + 63)//(64))\",\n"
      "  \"arena_bound\": 2048,\n"
      "  \"symbols\": [\n"
      "    {\"name\": \"batch\", \"minimum\": 1, \"maximum\": 64}\n"
      "  ],\n"
      "  \"inputs\": [\n"
      "    {\"name\": \"X\", \"dtype\": \"float16\", \"shape\": [\"batch\", \"16\"]}\n"
      "  ],\n"
      "  \"outputs\": [\n"
      "    {\"name\": \"Y\", \"dtype\": \"float16\", \"shape\": [\"batch\", \"16\"]},\n"
      "    {\"name\": \"hidden_part\", \"dtype\": \"float16\", \"shape\": [\"batch\", \"32\"]}\n"
      "  ],\n"
      "  \"constants\": [\n"
      "    {\"name\": \"dense1_weight\", \"dtype\": \"float16\", \"shape\": [\"32\", \"16\"], \"original_name\": \"dense1.weight\", \"bound\": false},\n"
      "    {\"name\": \"dense1_bias\", \"dtype\": \"float16\", \"shape\": [\"32\"], \"original_name\": \"dense1.bias\", \"bound\": false},\n"
      "    {\"name\": \"dense2_weight\", \"dtype\": \"float16\", \"shape\": [\"16\", \"32\"], \"original_name\": \"dense2.weight\", \"bound\": false},\n"
      "    {\"name\": \"scale\", \"dtype\": \"float16\", \"shape\": [\"16\"], \"original_name\": \"scale\", \"bound\": true}\n"
      "  ],\n"
      "  \"steps\": [\n"
      "    {\"name\": \"hidden\", \"operation\": \"matmul\", \"kernel\": \"matmul_float16_e1bb40ddd8c066c5\", \"configuration\": \"B packed in panels of 16\"},\n"
      "    {\"name\": \"product\", \"operation\": \"matmul\", \"kernel\": \"matmul_float16_6d35f8b005826839\", \"configuration\": \"B packed in panels of 16\"},\n"
      "    {\"name\": \"rows\", \"operation\": \"softmax\", \"kernel\": \"softmax_float16_259bbcc35aea1c19\", \"configuration\": \"vectors along rows\"},\n"
      "    {\"name\": \"Y\", \"operation\": \"pointwise\", \"kernel\": \"pointwise_float16_112759fcfe9dd309\", \"configuration\": \"loops of rank 2\"}\n"
      "  ],\n"
      "  \"buffers\": [\n"
      "    {\"name\": \"product\", \"size\": \"32*batch\", \"offset\": \"0\", \"first_step\": 1, \"last_step\": 3}\n"
      "  ]\n"
      "}";
const char source[] =
    "graph mlp {\n"
      "  symbol batch: 1...64\n"
      "  input X: float16[batch, 16]\n"
      "  constant dense1_weight: float16[32, 16] \"dense1.weight\"\n"
      "  constant dense1_bias: float16[32] \"dense1.bias\"\n"
      "  constant dense2_weight: float16[16, 32] \"dense2.weight\"\n"
      "  constant scale: float16[16] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}\n"
      "  literal shift: float16[1] = {0.5}\n"
      "  hidden = matmul(X, dense1_weight, dense1_bias) {transpose_b: true, epilogue: (x0: float16, x1: float16) { t2 = add(x0, x1); t3 = relu(t2); return t3 }} : float16[batch, 32]\n"
      "  factor = pointwise(scale, shift) {body: (x0: float16, x1: float16) { t2 = multiply(x0, x1); return t2 }} : float16[16]\n"
      "  product = matmul(hidden, dense2_weight) {transpose_b: true} : float16[batch, 16]\n"
      "  rows = softmax(product) {axis: 1} : float16[batch, 16]\n"
      "  Y = pointwise(rows, factor) {body: (x0: float16, x1: float16) { t2 = multiply(x0, x1); return t2 }} : float16[batch, 16] from \"Model.swift:12\"\n"
      "  output Y = Y\n"
      "  output hidden_part = hidden\n"
      "}\n"
      "";

const ait::ModelDescription description = {
  /* name = */ "mlp",
  /* target = */ "cpu:x86-64-v3",
  /* compiler = */ "compiler",
  /* manifest = */ manifest,
  /* source = */ source,
  /* symbolCount = */ 1,
  /* symbols = */ symbols,
  /* bindingCount = */ 1,
  /* bindings = */ bindings,
  /* dimensionCount = */ 17,
  /* evaluateDimensions = */ evaluateDimensions,
  /* constraintCount = */ 0,
  /* constraints = */ nullptr,
  /* inputCount = */ 1,
  /* inputs = */ inputs,
  /* outputCount = */ 2,
  /* outputs = */ outputs,
  /* constantCount = */ 5,
  /* constants = */ ait::generated::constants,
  /* foldedCount = */ 3,
  /* folded = */ ait::generated::folded,
  /* arenaSize = */ 16,
  /* arenaBoundInBytes = */ 2048,
  /* foldArenaSizeInBytes = */ 0,
  /* foldStepCount = */ 3,
  /* foldSteps = */ foldSteps,
  /* stepCount = */ 4,
  /* steps = */ runSteps,
  /* selfTest = */ ait::generated::selfTest,
  /* missingInstructions = */ missingInstructions,
  /* device = */ nullptr,
};

}  // namespace

extern "C" const ait::ModelDescription* aitModelDescription() { return &description; }
