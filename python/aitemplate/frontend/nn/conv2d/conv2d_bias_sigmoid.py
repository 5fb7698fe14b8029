"""Convolution, bias and sigmoid."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.common_conv2d_bias_act import Conv2dBiasAct


class Conv2dBiasSigmoid(Conv2dBiasAct):
    """Convolution, bias and sigmoid, of `[N, H, W, C]`.

    Arguments and parameters are those of `Conv2dBiasAct`.
    """

    operator = "conv2d_bias_sigmoid"
