"""Pooling of channels-last volumes."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple, Union

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["MaxPool3d"]

Size = Union[int, Sequence[int]]


def identical_elem_tuple_to_int(param: Any) -> int:
    """The one value of a tuple of equal values; other tuples raise RuntimeError."""
    if isinstance(param, int):
        return param
    if not isinstance(param, (list, tuple)) or any(value != param[0] for value in param):
        raise RuntimeError(f"sizes of a window that are not square are not supported: {param}")
    return param[0]


def _depth_and_side(value: Size, depth: int, what: str) -> Tuple[int, int]:
    if isinstance(value, int):
        return depth, value
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise RuntimeError(f"MaxPool3d: {what} is an int or three ints, not {value!r}")
    return value[0], identical_elem_tuple_to_int(value[1:])


class MaxPool3d(Module):
    """The largest value of each window of `[N, D, H, W, C]`; windows are one deep, and square.

    Args:
        kernel_size: the window: `(1, side, side)`. A single int is the side.
        stride: how far the window moves: `(1, s, s)` or s; without it, by its own size.
        padding: how many rows and columns of minus infinity surround each image: `(0, p, p)` or p.
    """

    def __init__(self, kernel_size: Size, stride: Optional[Size] = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "MaxPool3d takes one input"
        depth, kernel = _depth_and_side(self.kernel_size, 1, "kernel_size")
        assert depth == 1, f"MaxPool3d: only windows of depth 1 are supported, not {depth}"
        depth, stride = _depth_and_side(self.stride, 1, "stride")
        assert depth == 1, f"MaxPool3d: only a stride of 1 along depth is supported, not {depth}"
        depth, padding = _depth_and_side(self.padding, 0, "padding")
        assert depth == 0, f"MaxPool3d: only a padding of 0 along depth is supported, not {depth}"

        batch, images, height, width, channels = args[0].shape()
        flat = ops.reshape()(args[0], [-1, height, width, channels])
        pooled = ops.max_pool2d(kernel_size=kernel, stride=stride, pad=padding)(flat)
        _, height, width, _ = pooled.shape()
        return ops.reshape()(pooled, [batch, images, height, width, channels])
