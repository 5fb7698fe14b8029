"""Group normalization of channels-last images."""

from __future__ import annotations

from typing import Any

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["GroupNorm"]


class GroupNorm(Module):
    """Normalization over all pixels and the channels of a group.

    Args:
        num_groups: G, how many groups the channels are divided into.
        num_channels: C, a multiple of G.
        eps: what is added to the variance.
        affine: whether there are a weight and a bias.
        dtype: the element type of the parameters.
        use_swish: whether `y * sigmoid(y)` is taken of the result y.

    Shapes: x is `[N, H, W, C]`.

    Parameters: `weight [C]`, `bias [C]`, if `affine`.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: str = "float16",
        use_swish: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.eps = eps
        self.affine = affine
        if affine:
            self.weight = Parameter(shape=[num_channels], dtype=dtype)
            self.bias = Parameter(shape=[num_channels], dtype=dtype)
        make = ops.group_norm_swish if use_swish else ops.group_norm
        self.op = make(num_groups, num_channels)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "GroupNorm takes one input"
        if not self.affine:
            return self.op(args[0], None, None, self.eps)
        return self.op(args[0], self.weight.tensor(), self.bias.tensor(), self.eps)
