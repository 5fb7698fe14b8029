"""Convolution and bias."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.common_conv2d_bias_act import Conv2dBiasAct


class Conv2dBias(Conv2dBiasAct):
    """Convolution and bias, of `[N, H, W, C]`.

    Arguments and parameters are those of `Conv2dBiasAct`.
    """

    operator = "conv2d_bias"
