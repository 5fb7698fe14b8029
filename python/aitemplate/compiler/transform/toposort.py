"""Graphs in order."""

from __future__ import annotations

from typing import List, Sequence, Union

from aitemplate.compiler.base import Tensor
from aitemplate.compiler.compiler import walk

__all__ = ["toposort"]


def toposort(nodes: Union[Tensor, Sequence[Tensor]]) -> List[Tensor]:
    """The tensors that some depend on, and they themselves, operands before results."""
    return walk([nodes] if isinstance(nodes, Tensor) else list(nodes))
