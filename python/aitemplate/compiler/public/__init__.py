"""The names that programs may rely on."""

from aitemplate.compiler import ops
from aitemplate.compiler.base import (
    DynamicProfileStrategy,
    IntImm,
    IntVar,
    IntVarTensor,
    JaggedDim,
    JaggedIntVar,
    Operator,
    Tensor,
)
from aitemplate.compiler.ops.common.epilogue import FuncEnum

__all__ = [
    "DynamicProfileStrategy",
    "FuncEnum",
    "IntImm",
    "IntVar",
    "IntVarTensor",
    "JaggedDim",
    "JaggedIntVar",
    "Operator",
    "Tensor",
    "ops",
    *dir(ops),
]


def __getattr__(name):
    return getattr(ops, name)
