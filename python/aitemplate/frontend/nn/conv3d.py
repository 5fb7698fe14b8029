"""Convolution of channels-last volumes."""

from __future__ import annotations

from typing import Sequence, Union

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["Conv3d"]


class Conv3d(Module):
    """Convolution of `[N, D, H, W, C]`.

    Args:
        in_channels: C; out_channels: O; kernel_size: an int, or three.
        stride: how far the window moves, an int or three.
        padding: how many zeros surround the volume, an int or three.
        dilation: how far apart the elements are that a window reads, an int or three.
        groups: 1, or C for a convolution of each channel alone.
        dtype: the element type of the parameters.
        bias: whether a bias is added.

    Parameters: `weight [O, KD, KH, KW, C/groups]`, `bias [O]`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Union[int, Sequence[int]],
        stride: Union[int, Sequence[int]],
        padding: Union[int, Sequence[int]] = 0,
        dilation: Union[int, Sequence[int]] = 1,
        groups: int = 1,
        dtype: str = "float16",
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.has_bias = bias
        self.groups = groups
        self.in_channels = in_channels
        kernel = [kernel_size] * 3 if isinstance(kernel_size, int) else list(kernel_size)
        self.weight = Parameter(shape=[out_channels, *kernel, in_channels // groups], dtype=dtype)
        if bias:
            self.bias = Parameter(shape=[out_channels], dtype=dtype)
        arguments = dict(stride=stride, pad=padding, dilate=dilation, group=groups)
        if groups != 1:
            self.op = ops.depthwise_conv3d(**arguments, bias=bias)
        else:
            self.op = ops.conv3d_bias(**arguments) if bias else ops.conv3d(**arguments)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Conv3d takes one input"
        x, weight = args[0], self.weight.tensor()
        if not self.has_bias:
            return self.op(x, weight)
        # conv3d_bias reads channels in eights; three of them are the frames of a film.
        if self.groups == 1 and self.in_channels == 3:
            x, weight = ops.ndhwc3to8()(x), ops.ndhwc3to8()(weight)
        return self.op(x, weight, self.bias.tensor())
