"""The optimised program as tensors and operators, to look at."""

from __future__ import annotations

from typing import Any, Dict, List

from aitemplate.compiler.base import IntImm, IntVar, Node, Operator, Tensor
from aitemplate.compiler.symbolic import Symbolic

# What AITemplate calls operators that are one and the same.
_NAMES = {
    "concat": "concatenate",
    "layer_norm": "layernorm",
    "pointwise": "fused_elementwise",
    "slice": "dynamic_slice",
    "top_k": "topk",
}


# The origins of values that no node computes.
_GIVEN = ("input", "constant", "literal")


class CompiledOperator(Operator):
    """A node of the optimised program: its attributes are text, its fused functions by name."""

    def __init__(self, node: Dict[str, Any]) -> None:
        super().__init__()
        self._attrs.update(
            name=node["name"],
            original_name=node["name"],
            op=_NAMES.get(node["op"], node["op"]),
            attributes=node["attributes"],
            fused=node["fused"],
            source=node.get("source"),
        )

    def _args_for_pseudo_code(self) -> List[str]:
        return [f"{name}={value}" for name, value in self._attrs["attributes"].items()]


def tensors_of(listing: Dict[str, Any]) -> List[Tensor]:
    """The tensors of a program, those read before those computed from them."""
    tensors: Dict[int, Tensor] = {}
    order: List[Tensor] = []

    def tensor(index: int) -> Tensor:
        if index not in tensors:
            value = listing["values"][index]
            made = Tensor([_dim(dim) for dim in value["shape"]], value["name"])
            made._attrs.update(
                dtype=value["dtype"],
                is_input=value["origin"] == "input",
                is_param=value["origin"] == "constant",
                is_internal_constant=value["origin"] == "literal",
                original_name=value.get("originalName"),
            )
            if value["outputs"] and value["origin"] not in _GIVEN:
                made._attrs.update(name=value["outputs"][0], is_output=True)
            tensors[index] = made
            order.append(made)
        return tensors[index]

    for node in listing["nodes"]:
        op = CompiledOperator(node)
        op._attrs["inputs"] = [tensor(index) for index in node["inputs"]]
        op._set_depth()
        op._attrs["outputs"] = [tensor(index) for index in node["outputs"]]
        for output in op._attrs["outputs"]:
            output._attrs["src_ops"].add(op)
            output._attrs["depth"] = op._attrs["depth"] + 1
    for index, value in enumerate(listing["values"]):
        # An output that is an input, a constant, or another output too.
        for name in value["outputs"][0 if value["origin"] in _GIVEN else 1 :]:
            source = tensor(index)
            view = Tensor(source.shape(), name, is_output=True, is_view_of=source)
            view._attrs["depth"] = source._attrs["depth"]
            order.append(view)
    return order


def _dim(extent: Dict[str, Any]) -> IntVar:
    if "i" in extent:
        return IntImm(extent["i"])
    bounds = [max(0, extent["lower"]), max(0, extent["upper"])]
    symbol = Symbolic(-1 - hash(extent["text"]) % 2**30, extent["text"], *bounds)
    return IntVar(bounds, extent["text"], symbolic_value=symbol)


__all__ = ["CompiledOperator", "Node", "tensors_of"]
