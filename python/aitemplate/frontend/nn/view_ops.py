"""Layers that describe the same memory anew."""

from __future__ import annotations

from typing import Any, Sequence

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["Reshape", "View", "Flatten"]


class Reshape(Module):
    """The input with other sizes: `forward(x, shape)`; one of them may be -1."""

    def __init__(self) -> None:
        super().__init__()
        self.op = ops.reshape()

    def forward(self, *args: Any) -> Tensor:
        assert len(args) == 2, f"{type(self).__name__} takes an input and its new sizes"
        x: Tensor = args[0]
        shape: Sequence[Any] = args[1]
        return self.op(x, shape)


class View(Reshape):
    """The same as `Reshape`."""


class Flatten(Module):
    """The dimensions from `start_dim` to `end_dim`, both included, as one."""

    def __init__(self, start_dim: int = 0, end_dim: int = -1) -> None:
        super().__init__()
        self.op = ops.flatten(start_dim, end_dim)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Flatten takes one input"
        return self.op(args[0])
