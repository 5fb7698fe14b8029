"""Convolution of fewer than eight channels, bias and ReLU."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.conv2d import Size
from aitemplate.frontend.nn.conv2d.special_conv2d_bias_act import SpecialConv2dBiasAct


class Conv2dBiasReluFewChannels(SpecialConv2dBiasAct):
    """Convolution of fewer than eight channels, bias and ReLU, of `[N, H, W, C]`.

    Args:
        in_channels: C; out_channels: O.
        kernel_size: the sides of the window, an int or two.
        stride: how far the window moves.
        padding: how many zeros surround the image.
        dilation: how far apart the pixels are that a window reads.
        auto_padding: whether channels are padded to four or eight, in input and weight.
        dtype: the element type of the parameters.

    Parameters: `weight [O, KH, KW, C padded]`, `bias [O]`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size = 0,
        dilation: Size = 1,
        auto_padding: bool = True,
        dtype: str = "float16",
    ) -> None:
        super().__init__(
            "conv2d_bias_relu_few_channels",
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            auto_padding,
            dtype,
        )
