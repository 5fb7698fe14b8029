"""Pieces of an image or a film as a sequence of vectors."""

from __future__ import annotations

from typing import Callable, Sequence

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.conv2d import Conv2d, Conv2dBias
from aitemplate.frontend.nn.conv3d import Conv3d
from aitemplate.frontend.nn.module import Module

__all__ = ["PatchEmbed", "create_conv_patch_embed"]


class PatchEmbed(Module):
    """A convolution whose pixels become a sequence: `[N, D, H, W, C]` to `[N, D' H' W', O]`."""

    def __init__(self, patch_model: Module) -> None:
        super().__init__()
        self.patch_model = patch_model

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "PatchEmbed takes one input"
        return ops.flatten(start_dim=1, end_dim=-2)(self.patch_model(args[0]))


def create_conv_patch_embed(
    *,
    in_channels: int,
    out_channels: int,
    conv_kernel_size: Sequence[int] = (1, 16, 16),
    conv_stride: Sequence[int] = (1, 4, 4),
    conv_padding: Sequence[int] = (1, 7, 7),
    conv_bias: bool = True,
    conv: Callable[..., Module] = Conv3d,
) -> Module:
    """A `PatchEmbed` of a convolution.

    Args:
        in_channels, out_channels: of the convolution.
        conv_kernel_size, conv_stride, conv_padding: three numbers, or two for `Conv2d`.
        conv_bias: whether the convolution has a bias.
        conv: the class of the convolution.
    """
    arguments = dict(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=tuple(conv_kernel_size),
        stride=tuple(conv_stride),
        padding=tuple(conv_padding),
    )
    if conv is Conv2d:
        # In two dimensions the bias makes another class.
        return PatchEmbed(Conv2dBias(**arguments) if conv_bias else Conv2d(**arguments))
    return PatchEmbed(conv(**arguments, bias=conv_bias))
