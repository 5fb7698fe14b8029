"""Convolution, bias, a residual and an activation: what such layers share."""

from __future__ import annotations

from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.conv2d.common_conv2d_bias_act import Conv2dBiasAct


class Conv2dBiasAddAct(Conv2dBiasAct):
    """Convolution, bias, a residual and an activation: `forward(x, residual)`.

    Arguments and parameters are those of `Conv2dBiasAct`.
    """

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 2, f"{type(self).__name__} takes an input and a residual"
        return self.op(args[0], self.weight.tensor(), self.bias.tensor(), args[1])
