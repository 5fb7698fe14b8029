"""Dropout, which does nothing when a model is not trained."""

from __future__ import annotations

from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["Dropout", "DropPath"]


class Dropout(Module):
    """The input itself; `p` is the probability of training."""

    def __init__(self, p: float = 0, dtype: str = "float16") -> None:
        super().__init__()
        self.p = p

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Dropout takes one input"
        return args[0]


class DropPath(Dropout):
    """The input itself; in training whole samples are dropped."""
