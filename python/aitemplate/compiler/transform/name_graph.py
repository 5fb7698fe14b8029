"""Names of tensors and operators."""

from __future__ import annotations

from typing import Sequence

from aitemplate.compiler.base import Tensor
from aitemplate.compiler.compiler import name_tensors
from aitemplate.utils.graph_utils import get_sorted_ops

__all__ = ["name_graph"]


def name_graph(sorted_graph: Sequence[Tensor]) -> None:
    """Gives names to the tensors and operators of a sorted graph that have none."""
    name_tensors(list(sorted_graph))
    operators = get_sorted_ops(list(sorted_graph))
    taken = {operator._attrs["name"] for operator in operators}
    for operator in operators:
        number = 0
        while operator._attrs["name"] is None:
            name = f"{operator._attrs['op']}_{number}"
            if name not in taken:
                operator._attrs["name"] = name
                taken.add(name)
            number += 1
