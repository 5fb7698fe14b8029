"""Convolution of channels-last images."""

from __future__ import annotations

from typing import List, Sequence, Union

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

Size = Union[int, Sequence[int]]


def window(kernel_size: Size) -> List[int]:
    """The height and width of a window that is given as one int or two."""
    return [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)


class Conv2d(Module):
    """Convolution of `[N, H, W, C]`.

    Args:
        in_channels: C; out_channels: O.
        kernel_size: the sides of the window, an int or two.
        stride: how far the window moves.
        padding: how many zeros surround the image.
        dilation: how far apart the pixels are that a window reads.
        groups: G, how many groups channels are divided into; a group sees only its own.
        dtype: the element type of the parameters.

    Shapes: the result is `[N, P, Q, O]` with
    `P = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1`, and Q of W likewise.

    Parameters: `weight [O, KH, KW, C/G]`.
    """

    op_name = "conv2d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        self.weight = Parameter(
            shape=[out_channels, *window(kernel_size), in_channels // groups], dtype=dtype
        )
        make = getattr(ops, self.op_name)
        self.op = make(stride=stride, pad=padding, dilate=dilation, group=groups)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, f"{type(self).__name__} takes one input"
        return self.op(args[0], self.weight.tensor())
