"""Sums, differences, products and quotients of dimensions."""

from __future__ import annotations

from typing import Any

from aitemplate.compiler.base import IntImm, IntVar, IntVarTensor, Operator
from aitemplate.compiler.ops.common.epilogue import FuncEnum

_FUNCTIONS = {
    FuncEnum.ADD: lambda x, y: x + y,
    FuncEnum.SUB: lambda x, y: x - y,
    FuncEnum.MUL: lambda x, y: x * y,
    FuncEnum.DIV: lambda x, y: x / y,
}


class int_elementwise(Operator):  # noqa: N801
    """A function of dimensions: ADD, SUB, MUL or DIV, which rounds down."""

    def __init__(self, func_enum: FuncEnum) -> None:
        super().__init__()
        self._attrs["func"] = func_enum

    def __call__(self, *args: Any) -> IntVarTensor:
        function = _FUNCTIONS.get(self._attrs["func"])
        if function is None:
            raise RuntimeError(f"Unsupported calculation type {self._attrs['func']}!")
        if len(args) < 2:
            raise RuntimeError(f"{self._attrs['func']} of {len(args)} dimensions, expected two")
        tensors = [_tensor(argument) for argument in args]
        result = tensors[0]._attrs["int_var"]
        for tensor in tensors[1:]:
            result = function(result, tensor._attrs["int_var"])
        if result.upper_bound() <= 0 and self._attrs["func"] in (FuncEnum.SUB, FuncEnum.DIV):
            raise RuntimeError(f"{self._attrs['func']} of {args} is no extent")
        self._attrs["inputs"] = tensors
        self._attrs["args"] = tensors
        self._set_depth()
        output = IntVarTensor(result, src_ops=[self])
        self._attrs["outputs"] = [output]
        return output

    def _get_op_attributes(self) -> Any:
        return {"func_enum": self._attrs["func"]}


def _tensor(argument: Any) -> IntVarTensor:
    if isinstance(argument, IntVarTensor):
        return argument
    if isinstance(argument, IntVar):
        return IntVarTensor(argument)
    if isinstance(argument, int):
        return IntVarTensor(IntImm(argument))
    raise RuntimeError(f"{argument} of type {type(argument).__name__} is no dimension")
