"""Pooling of channels-last images."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["MaxPool2d", "AvgPool2d"]


class MaxPool2d(Module):
    """The largest value of each square window of `[N, H, W, C]`.

    Args:
        kernel_size: the side of the window.
        stride: how far the window moves.
        padding: how many pixels of minus infinity surround the image.
    """

    def __init__(self, kernel_size: int, stride: int, padding: int = 0) -> None:
        super().__init__()
        self.op = ops.max_pool2d(kernel_size, stride, padding)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "MaxPool2d takes one input"
        return self.op(args[0])


class AvgPool2d(Module):
    """The mean of each square window of `[N, H, W, C]`.

    Args:
        kernel_size: the side of the window.
        stride: how far the window moves.
        padding: how many pixels of zero surround the image.
    """

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__()
        self.op = ops.avg_pool2d(kernel_size, stride, padding)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "AvgPool2d takes one input"
        return self.op(args[0])
