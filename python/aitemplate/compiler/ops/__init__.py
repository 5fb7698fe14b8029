"""AITemplate's operators, by their names.

``ops.gemm_rcr_bias()(x, weight, bias)``: the constructor takes what stays the same, the call takes
tensors. Classes are made from the compiler's catalogue when they are first asked for; functions
such as ``ops.relu(x)`` are in `common.math`.
"""

from __future__ import annotations

from typing import Any, List

from aitemplate.compiler.ops import catalog
from aitemplate.compiler.ops.common import math as _math
from aitemplate.compiler.ops.common.elementwise import elementwise
from aitemplate.compiler.ops.common.epilogue import FuncEnum
from aitemplate.compiler.ops.common.int_elementwise import int_elementwise
from aitemplate.compiler.ops.common.math import *  # noqa: F401,F403
from aitemplate.compiler.ops.common.python_ops import (
    getitem,
    list_construct,
    size,
    tuple_construct,
)
from aitemplate.compiler.ops.jagged import (
    batched_dense_vec_jagged_2d_mul,
    jagged_to_padded_dense,
    make_jagged,
    padded_dense_to_jagged,
)

_own = {
    "FuncEnum": FuncEnum,
    "batched_dense_vec_jagged_2d_mul": batched_dense_vec_jagged_2d_mul,
    "elementwise": elementwise,
    "getitem": getitem,
    "int_elementwise": int_elementwise,
    "jagged_to_padded_dense": jagged_to_padded_dense,
    "list_construct": list_construct,
    "make_jagged": make_jagged,
    "padded_dense_to_jagged": padded_dense_to_jagged,
    "size": size,
    "tuple_construct": tuple_construct,
}


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    try:
        return catalog.operator_class(name)
    except KeyError:
        raise AttributeError(
            f"'{name}' is none of AITemplate's operators; `dir(ops)` lists them"
        ) from None


def __dir__() -> List[str]:
    return sorted(set(catalog.names()) | set(_own) | set(_math.__all__))
