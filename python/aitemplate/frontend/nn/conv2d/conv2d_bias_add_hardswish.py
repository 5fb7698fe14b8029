"""Convolution, bias, a residual and hard swish."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.common_conv2d_bias_add_act import Conv2dBiasAddAct


class Conv2dBiasAddHardswish(Conv2dBiasAddAct):
    """Convolution, bias, a residual and hard swish, of `[N, H, W, C]`: `forward(x, residual)`.

    Arguments and parameters are those of `Conv2dBiasAct`.
    """

    operator = "conv2d_bias_add_hardswish"
