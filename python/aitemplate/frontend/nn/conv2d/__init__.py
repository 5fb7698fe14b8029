"""Convolutions of channels-last images, with what is fused into them."""

from aitemplate.frontend.nn.conv2d.conv2d import Conv2d
from aitemplate.frontend.nn.conv2d.conv2d_bias import Conv2dBias
from aitemplate.frontend.nn.conv2d.conv2d_bias_add_hardswish import Conv2dBiasAddHardswish
from aitemplate.frontend.nn.conv2d.conv2d_bias_add_relu import Conv2dBiasAddRelu
from aitemplate.frontend.nn.conv2d.conv2d_bias_few_channels import Conv2dBiasFewChannels
from aitemplate.frontend.nn.conv2d.conv2d_bias_hardswish import Conv2dBiasHardswish
from aitemplate.frontend.nn.conv2d.conv2d_bias_hardswish_few_channels import (
    Conv2dBiasHardswishFewChannels,
)
from aitemplate.frontend.nn.conv2d.conv2d_bias_relu import Conv2dBiasRelu
from aitemplate.frontend.nn.conv2d.conv2d_bias_relu_few_channels import Conv2dBiasReluFewChannels
from aitemplate.frontend.nn.conv2d.conv2d_bias_sigmoid import Conv2dBiasSigmoid
from aitemplate.frontend.nn.conv2d.conv2d_depthwise import Conv2dDepthwise
from aitemplate.frontend.nn.conv2d.conv2d_depthwise_bias import Conv2dDepthwiseBias
from aitemplate.frontend.nn.conv2d.transposed_conv2d_bias import ConvTranspose2dBias
from aitemplate.frontend.nn.conv2d.transposed_conv2d_bias_relu import ConvTranspose2dBiasRelu

__all__ = [
    "Conv2d",
    "Conv2dBias",
    "Conv2dBiasAddHardswish",
    "Conv2dBiasAddRelu",
    "Conv2dBiasFewChannels",
    "Conv2dBiasHardswish",
    "Conv2dBiasHardswishFewChannels",
    "Conv2dBiasRelu",
    "Conv2dBiasReluFewChannels",
    "Conv2dBiasSigmoid",
    "Conv2dDepthwise",
    "Conv2dDepthwiseBias",
    "ConvTranspose2dBias",
    "ConvTranspose2dBiasRelu",
]
