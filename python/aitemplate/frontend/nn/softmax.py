"""Softmax as a layer."""

from __future__ import annotations

from typing import Optional

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["Softmax"]


class Softmax(Module):
    """`exp(x) / sum(exp(x))` along a dimension; without `dim`, along the last."""

    def __init__(self, dim: Optional[int] = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Softmax takes one input"
        return ops.softmax()(args[0], -1 if self.dim is None else self.dim)
