"""Convolution of each channel alone."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.conv2d import Conv2d


class Conv2dDepthwise(Conv2d):
    """Convolution of `[N, H, W, C]`, each channel alone; the arguments are those of `Conv2d`.

    Parameters: `weight [O, KH, KW, C/G]`; G is C.
    """

    op_name = "conv2d_depthwise"
