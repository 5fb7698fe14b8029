"""Graphs as JSON."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, Dict, List

from aitemplate.compiler.base import IntVar, Operator, Tensor

__all__ = ["GraphJsonEncoder", "gen_unique_op_names"]

_OPERATORS = ("src_ops", "dst_ops")
_TENSORS = ("inputs", "args", "outputs", "original_inputs")


def gen_unique_op_names(sorted_graph: List[Tensor]) -> Dict[Operator, str]:
    """Names for operators that share theirs: with numbers, as "gemm_rcr_0 1"."""
    by_name: Dict[str, Dict[Operator, None]] = {}
    for tensor in sorted_graph:
        for operator in (*tensor.src_ops(), *tensor.dst_ops()):
            name = operator._attrs.get("name")
            if name is not None:
                by_name.setdefault(name, {})[operator] = None
    return {
        operator: f"{name} {number}"
        for name, operators in by_name.items()
        if len(operators) > 1
        for number, operator in enumerate(operators)
    }


class GraphJsonEncoder(json.JSONEncoder):
    """Writes tensors and operators as objects of their attributes, which name each other.

    Args:
        op_names: names in place of those of some operators; see `gen_unique_op_names`.
    """

    def __init__(self, op_names: Dict[Operator, str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.op_names = op_names

    def default(self, o: Any) -> Any:
        if isinstance(o, Enum):
            return o.name
        if isinstance(o, Tensor):
            return {key: self._attribute(key, value) for key, value in o._attrs.items()}
        if isinstance(o, Operator):
            result = {key: self._attribute(key, value) for key, value in o._attrs.items()}
            result["_original_op_name"] = o._attrs.get("name")
            result["name"] = self.op_names.get(o, o._attrs.get("name"))
            return result
        if isinstance(o, IntVar):
            return vars(o)
        return type(o).__name__ if "ConstantTensorData" in type(o).__name__ else str(o)

    def _attribute(self, key: str, value: Any) -> Any:
        if value is None:
            return None
        if key in _OPERATORS:
            return [self.op_names.get(x, x._attrs.get("name")) for x in value]
        if key in _TENSORS:
            return [x._attrs["name"] if isinstance(x, Tensor) else x for x in value]
        if isinstance(value, Tensor):
            return value._attrs["name"]
        return value
