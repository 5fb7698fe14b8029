"""A layer that does nothing, to stand where one is expected."""

from __future__ import annotations

from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["Identity"]


class Identity(Module):
    """The input itself."""

    def __init__(self, dtype: str = "float16") -> None:
        super().__init__()

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "Identity takes one input"
        return args[0]
