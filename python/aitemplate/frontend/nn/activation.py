"""Activations as layers."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.compiler.ops.common.epilogue import FuncEnum
from aitemplate.frontend.nn.module import Module

__all__ = ["GELU"]


class GELU(Module):
    """`x * Phi(x)`, with Phi the distribution function of the normal distribution.

    Args:
        approximate: "none", or "tanh" for `0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU: approximate is "none" or "tanh", not {approximate!r}')
        self.approximate = approximate

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "GELU takes one input"
        function = FuncEnum.FASTGELU if self.approximate == "tanh" else FuncEnum.GELU
        return ops.elementwise(function)(args[0])
