"""Operators on Python's containers and on dimensions, which compute nothing."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple, Union

from aitemplate.compiler.base import IntVar, IntVarTensor, Operator, Tensor
from aitemplate.utils.tensor_utils import wrap_dim


class getitem(Operator):  # noqa: N801
    """An element of a list or tuple."""

    def __call__(self, vals: Union[List[Any], Tuple[Any, ...]], index: int) -> Any:
        if not isinstance(vals, (tuple, list)) or not vals:
            raise AssertionError(f"getitem of {vals!r}, expected a list or tuple with elements")
        value = vals[wrap_dim(int(index), len(vals))]
        if isinstance(value, (Tensor, IntVar)):
            return value
        raise NotImplementedError(f"getitem op does not support this val type: {value}")


class tuple_construct(Operator):  # noqa: N801
    """The operands as a tuple."""

    def __call__(self, *args: Any) -> Tuple[Any, ...]:
        return tuple(args)


class list_construct(Operator):  # noqa: N801
    """The operands as a list."""

    def __call__(self, *args: Any) -> List[Any]:
        return list(args)


class size(Operator):  # noqa: N801
    """An extent of a tensor, or all of them, in the place of tensors."""

    def __call__(
        self, x: Tensor, dim: Optional[int] = None
    ) -> Union[IntVarTensor, List[IntVarTensor]]:
        self._attrs["inputs"] = [x]
        self._set_depth()
        if dim is not None:
            output = IntVarTensor(x._size(dim), src_ops=[self])
            self._attrs["outputs"] = [output]
            return output
        outputs = [IntVarTensor(extent, src_ops=[self]) for extent in x.shape()]
        self._attrs["outputs"] = outputs
        return outputs
