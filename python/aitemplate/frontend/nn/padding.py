"""Layers that pad three channels to eight."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["Nhwc3to8", "Ndhwc3to8"]


class Nhwc3to8(Module):
    """`[N, H, W, 3]` to `[N, H, W, 8]`; the new channels are zero."""

    def __init__(self) -> None:
        super().__init__()
        self.op = ops.nhwc3to8()

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Nhwc3to8 takes one input"
        return self.op(args[0])


class Ndhwc3to8(Module):
    """`[N, D, H, W, 3]` to `[N, D, H, W, 8]`; the new channels are zero."""

    def __init__(self) -> None:
        super().__init__()
        self.op = ops.ndhwc3to8()

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Ndhwc3to8 takes one input"
        return self.op(args[0])
