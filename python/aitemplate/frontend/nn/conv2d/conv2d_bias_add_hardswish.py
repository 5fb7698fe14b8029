"""Convolution, bias, a residual and hard swish."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.common_conv2d_bias_add_act import Conv2dBiasAddAct
from aitemplate.frontend.nn.conv2d.conv2d import Size


class Conv2dBiasAddHardswish(Conv2dBiasAddAct):
    """Convolution, bias, a residual and hard swish, of `[N, H, W, C]`: `forward(x, residual)`.

    Args:
        in_channels: C; out_channels: O.
        kernel_size: the sides of the window, an int or two.
        stride: how far the window moves.
        padding: how many zeros surround the image.
        dilation: how far apart the pixels are that a window reads.
        groups: G, how many groups channels are divided into; a group sees only its own.
        dtype: the element type of the parameters.

    Parameters: `weight [O, KH, KW, C/G]`, `bias [O]`.
    """

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
        super().__init__(
            "conv2d_bias_add_hardswish",
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            dtype,
        )
