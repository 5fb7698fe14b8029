// The reductions by name; `reducers_state.h` tells what a reducer is.
#pragma once

#include "ait/cpu/reducers_fold.h"
#include "ait/cpu/reducers_position.h"
#include "ait/cpu/reducers_spread.h"

namespace ait {

#define AIT_REDUCER(name, ...)        \
  struct name {                       \
    template <class T, class Options> \
    using For = __VA_ARGS__;          \
  };
AIT_REDUCER(Sum, Fold<SumRule<T>>)
AIT_REDUCER(Mean, Fold<MeanRule<T>>)
AIT_REDUCER(Product, Fold<ProductRule<T>>)
AIT_REDUCER(Maximum, Fold<MaximumRule<T>>)
AIT_REDUCER(Minimum, Fold<MinimumRule<T>>)
AIT_REDUCER(Any, Fold<TruthRule<T, MaximumRule<bool>>>)
AIT_REDUCER(All, Fold<TruthRule<T, MinimumRule<bool>>>)
AIT_REDUCER(LogSumExp, LogSumExpReducer<T>)
AIT_REDUCER(Variance, VarianceReducer<T, Options>)
AIT_REDUCER(ArgMaximum, ArgReducer<T, true>)
AIT_REDUCER(ArgMinimum, ArgReducer<T, false>)
AIT_REDUCER(Norm, Fold<typename NormRule<T, Options, __builtin_isinf(Options::kOrder),
                                         (Options::kOrder > 0)>::Type>)
#undef AIT_REDUCER

}  // namespace ait
