"""Layer normalization."""

from __future__ import annotations

from typing import Any, Sequence, Union

from aitemplate.compiler import ops
from aitemplate.compiler.base import IntVar, Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["LayerNorm"]


class LayerNorm(Module):
    """`(x - mean) / sqrt(variance + eps) * weight + bias` over the last dimensions of x.

    Args:
        normalized_shape: the last sizes of x, over which mean and variance are taken.
        eps: what is added to the variance.
        dtype: the element type of the parameters.

    Parameters: `weight` and `bias` of `normalized_shape`.
    """

    def __init__(
        self,
        normalized_shape: Union[int, Sequence[Union[int, IntVar]]],
        eps: float = 1e-5,
        dtype: str = "float16",
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.eps = eps
        self.dim = (
            tuple(normalized_shape)
            if isinstance(normalized_shape, (tuple, list))
            else (normalized_shape,)
        )
        self.weight = Parameter(shape=list(self.dim), dtype=dtype)
        self.bias = Parameter(shape=list(self.dim), dtype=dtype)
        self.op = ops.layernorm()

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "LayerNorm takes one input"
        return self.op(args[0], self.weight.tensor(), self.bias.tensor(), list(self.dim), self.eps)
