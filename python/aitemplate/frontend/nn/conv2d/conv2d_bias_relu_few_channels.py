"""Convolution of fewer than eight channels, bias and ReLU."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.special_conv2d_bias_act import SpecialConv2dBiasAct


class Conv2dBiasReluFewChannels(SpecialConv2dBiasAct):
    """Convolution of fewer than eight channels, bias and ReLU, of `[N, H, W, C]`.

    Arguments and parameters are those of `SpecialConv2dBiasAct`.
    """

    operator = "conv2d_bias_relu_few_channels"
