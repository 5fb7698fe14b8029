"""Convolution of channels-last sequences."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["Conv1d"]


class Conv1d(Module):
    """Convolution of `[B, L, C]`, computed as that of an image one pixel wide.

    Args:
        in_channels: C; out_channels: O; kernel_size: K.
        stride: how far the window moves.
        padding: how many zeros stand at each end.
        dilation: how far apart the elements are that a window reads.
        groups: G, how many groups channels are divided into; a group sees only its own.
        dtype: the element type of the parameters.
        bias: whether a bias is added.
        name: the parameters are called `<name>_weight` and `<name>_bias`.

    Shapes: the result is `[B, floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1, O]`.

    Parameters: `weight [O, K, C/G]`, `bias [O]`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        dtype: str = "float16",
        bias: bool = False,
        name: str = "conv1d",
    ) -> None:
        super().__init__()
        self.weight = Parameter(
            shape=[out_channels, kernel_size, in_channels // groups],
            dtype=dtype,
            name=f"{name}_weight",
        )
        self.bias = (
            Parameter(shape=[out_channels], dtype=dtype, name=f"{name}_bias") if bias else None
        )
        make = ops.conv2d_bias if bias else ops.conv2d
        self.op = make(stride=(stride, 1), pad=(padding, 0), dilate=(dilation, 1), group=groups)

    def forward(self, x: Tensor) -> Tensor:
        operands = [ops.unsqueeze(dim=2)(x), ops.unsqueeze(dim=2)(self.weight.tensor())]
        if self.bias is not None:
            operands.append(self.bias.tensor())
        return ops.squeeze(dim=2)(self.op(*operands))
