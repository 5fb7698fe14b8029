"""Transposed convolution, bias and ReLU."""

from __future__ import annotations

from aitemplate.frontend.nn.conv2d.transposed_conv2d_bias_act import ConvTranspose2dBiasAct


class ConvTranspose2dBiasRelu(ConvTranspose2dBiasAct):
    """Transposed convolution, bias and ReLU, of `[N, H, W, C]`.

    Arguments and parameters are those of `ConvTranspose2dBiasAct`.
    """

    operator = "transposed_conv2d_bias_relu"
