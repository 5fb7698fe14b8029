"""Transposed convolution and bias."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.transposed_conv2d_bias_act import ConvTranspose2dBiasAct


class ConvTranspose2dBias(ConvTranspose2dBiasAct):
    """Transposed convolution and bias, of `[N, H, W, C]`.

    Arguments and parameters are those of `ConvTranspose2dBiasAct`.
    """

    operator = "transposed_conv2d_bias"
