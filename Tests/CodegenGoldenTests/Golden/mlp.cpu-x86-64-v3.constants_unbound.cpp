// The constants of mlp, and where their data lies. Generated.
#include "constants.h"

extern "C" __attribute__((visibility("hidden"))) const unsigned char aitImage[];

namespace {

const int64_t shape0[] = {32, 16};
const int64_t shape1[] = {32};
const int64_t shape2[] = {16, 32};
const int64_t shape3[] = {16};
const int64_t shape4[] = {1};
const int64_t selfTestSymbols[] = {1};
const void* const selfTestInputs[] = {aitImage + 192};
const void* const selfTestOutputs[] = {aitImage + 256, aitImage + 320};
const double selfTestTolerances[] = {0.002, 0.004};
const ait::SelfTestDescription selfTestTable = {selfTestSymbols, selfTestInputs, selfTestOutputs, selfTestTolerances};

}  // namespace

namespace ait::generated {

const ConstantDescription constants[] = {
  {"dense1_weight", "dense1.weight", DType::float16, 2, shape0, 1024, nullptr, false, true},
  {"dense1_bias", "dense1.bias", DType::float16, 1, shape1, 64, nullptr, false, false},
  {"dense2_weight", "dense2.weight", DType::float16, 2, shape2, 1024, nullptr, false, true},
  {"scale", "scale", DType::float16, 1, shape3, 32, aitImage + 0, false, true},
  {"shift", "", DType::float16, 1, shape4, 2, aitImage + 64, false, true},
};
const FoldedDescription folded[] = {
  {1024, nullptr},  // dense1_weight_packed
  {32, aitImage + 128},  // factor
  {1024, nullptr},  // dense2_weight_packed
};
const SelfTestDescription* const selfTest = &selfTestTable;

}  // namespace ait::generated
