"""Upsampling of channels-last images."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["Upsampling2d", "Upsampling2dAdd"]


class Upsampling2d(Module):
    """`[N, H, W, C]` to `[N, s H, s W, C]`.

    Args:
        scale_factor: s.
        mode: "bilinear", "nearest", or "nearest_exact".
    """

    def __init__(self, scale_factor: float, mode: str) -> None:
        super().__init__()
        self.op = ops.upsampling2d(scale_factor, mode)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Upsampling2d takes one input"
        return self.op(args[0])


class Upsampling2dAdd(Module):
    """Upsampling, and another tensor of the new sizes added: `forward(x, residual)`."""

    def __init__(self, scale_factor: float, mode: str) -> None:
        super().__init__()
        self.op = ops.upsampling2d_add(scale_factor, mode)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 2, "Upsampling2dAdd takes an input and what is added"
        return self.op(args[0], args[1])
