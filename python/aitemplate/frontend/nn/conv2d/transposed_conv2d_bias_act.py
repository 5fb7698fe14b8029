"""Transposed convolution, bias and an activation: what such layers share."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.conv2d.conv2d import Size, window
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter


class ConvTranspose2dBiasAct(Module):
    """Transposed convolution, bias and an activation; the operator is `ops.<operator>`.

    Args:
        in_channels: C; out_channels: O.
        kernel_size: the sides of the window, an int or two.
        stride: how far the window moves.
        padding: how many zeros surround the image.
        dilation: how far apart the pixels are that a window reads.
        groups: G, how many groups channels are divided into; a group sees only its own.
        dtype: the element type of the parameters.

    Parameters: `weight [C, KH, KW, O/G]`, `bias [O]`.
    """

    operator = ""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        self.weight = Parameter(
            shape=[in_channels, *window(kernel_size), out_channels // groups], dtype=dtype
        )
        self.bias = Parameter(shape=[out_channels], dtype=dtype)
        make = getattr(ops, self.operator)
        self.op = make(stride=stride, pad=padding, dilate=dilation, group=groups)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, f"{type(self).__name__} takes one input"
        return self.op(args[0], self.weight.tensor(), self.bias.tensor())
