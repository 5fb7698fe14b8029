"""Convolution of few channels, bias and an activation: what such layers share."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.conv2d.conv2d import Size, window
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter


class SpecialConv2dBiasAct(Module):
    """Convolution of few channels, bias and an activation; the operator is `ops.<operator>`.

    Args:
        in_channels: C; out_channels: O.
        kernel_size: the sides of the window, an int or two.
        stride: how far the window moves.
        padding: how many zeros surround the image.
        dilation: how far apart the pixels are that a window reads.
        auto_padding: whether channels are padded to four or eight, in input and weight.
        dtype: the element type of the parameters.

    Parameters: `weight [O, KH, KW, C]`, `bias [O]`.
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
        auto_padding: bool = True,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        # The operator pads channels to four or to eight; the weight has as many.
        if auto_padding and in_channels < 8:
            in_channels = 4 if in_channels <= 4 else 8
        self.weight = Parameter(
            shape=[out_channels, *window(kernel_size), in_channels], dtype=dtype
        )
        self.bias = Parameter(shape=[out_channels], dtype=dtype)
        make = getattr(ops, self.operator)
        self.op = make(stride=stride, pad=padding, dilate=dilation, auto_padding=auto_padding)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, f"{type(self).__name__} takes one input"
        return self.op(args[0], self.weight.tensor(), self.bias.tensor())
