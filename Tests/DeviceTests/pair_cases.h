// The instances of the products of a pair that are tested: AIT_PAIR_…_CASES(X) call
// X(name, body, configuration…) for each.
#pragma once

#include "multistage_cases.h"

namespace cases {

/// A configuration for two matrices.
template <class Config>
struct Paired : Config {
  static constexpr bool kIsPaired = true;
};

}  // namespace cases

#define AIT_PAIR_HOPPER_CASES(X)                                        \
  X(pair_hopper_128x256, GateBias, F16, 128, 256, 4, 2)                 \
  X(pair_hopper_128x128, GateBias, F16, 128, 128, 4, 2)                 \
  X(pair_hopper_cluster, GateBias, BF16, 128, 256, 3, 2, 2, 1, 1, true) \
  X(pair_hopper_bn, GateBias, F16, 64, 128, 4, 1, 1, 1, 1, false, Major::k, Major::mn, 1, 8)
#define AIT_PAIR_MULTISTAGE_CASES(X)                                      \
  X(pair_multi_128x128, GateBias, F16, 128, 128, 4, 2, 3)                 \
  X(pair_multi_bn, GateBias, BF16, 64, 128, 2, 2, 3, Major::k, Major::mn) \
  X(pair_multi_odd, GateBias, F16, 64, 128, 2, 2, 3, Major::k, Major::k, 1, 1, 1)
#define AIT_PAIR_FEW_ROWS_CASES(X)           \
  X(pair_few_8, GateBias, F16, 8, 32, 16, 2) \
  X(pair_few_16, GateBias, BF16, 16, 32, 8, 2)

namespace cases {
#define AIT_CASE(name, body, ...) using name = Paired<Hopper<__VA_ARGS__>>;
AIT_PAIR_HOPPER_CASES(AIT_CASE)
#undef AIT_CASE
#define AIT_CASE(name, body, ...) using name = Paired<Multistage<__VA_ARGS__>>;
AIT_PAIR_MULTISTAGE_CASES(AIT_CASE)
#undef AIT_CASE
#define AIT_CASE(name, body, ...) using name = Paired<FewRows<__VA_ARGS__>>;
AIT_PAIR_FEW_ROWS_CASES(AIT_CASE)
#undef AIT_CASE
}  // namespace cases
