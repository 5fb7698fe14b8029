"""Batch normalization with the statistics of training."""

from __future__ import annotations

from typing import Any, Sequence, Tuple

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.compiler.ops.common.epilogue import FuncEnum
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class _BatchNorm(Module):
    """`(x - running_mean) / sqrt(running_var + eps) * weight + bias`, along the last dimension.

    Args:
        num_features: C, how many channels there are.
        eps: what is added to the variance.
        dtype: the element type of the parameters.
        permute_input_output: whether channels come second, as in PyTorch, and not last.

    Parameters: `weight`, `bias`, `running_mean`, `running_var`, each `[C]`, and
    `num_batches_tracked`, which is not read.
    """

    ranks: Tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        dtype: str = "float16",
        permute_input_output: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.dim = (num_features,)
        self.dtype = dtype
        self.num_features = num_features
        self.permute_input_output = permute_input_output
        self.eps = eps
        self.weight = Parameter(shape=[num_features], dtype=dtype)
        self.bias = Parameter(shape=[num_features], dtype=dtype)
        self.running_mean = Parameter(shape=[num_features], dtype=dtype)
        self.running_var = Parameter(shape=[num_features], dtype=dtype)
        self.num_batches_tracked = Parameter(shape=[], value=0, dtype=dtype)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, f"{type(self).__name__} takes one input"
        x = args[0]
        rank = len(x.shape())
        if rank not in self.ranks:
            expected = " or ".join(f"{rank}D" for rank in self.ranks)
            raise ValueError(f"expected {expected} input (got {rank}D input)")
        permutes = self.permute_input_output and rank > 2
        if permutes:
            x = _permute(x, [0, *range(2, rank), 1])
        y = self._normalize(x)
        return _permute(y, [0, rank - 1, *range(1, rank - 1)]) if permutes else y

    def _normalize(self, x: Tensor) -> Tensor:
        def apply(function: FuncEnum, *operands: Any) -> Tensor:
            return ops.elementwise(function)(*operands)

        variance = apply(FuncEnum.ADD, self.running_var.tensor(), self.eps)
        centred = apply(FuncEnum.SUB, x, self.running_mean.tensor())
        normal = apply(FuncEnum.DIV, centred, apply(FuncEnum.SQRT, variance))
        scaled = apply(FuncEnum.MUL, self.weight.tensor(), normal)
        return apply(FuncEnum.ADD, scaled, self.bias.tensor())


def _permute(x: Tensor, order: Sequence[int]) -> Tensor:
    return ops.permute()(x, list(order))


class BatchNorm1d(_BatchNorm):
    """Batch normalization of `[N, C]` or `[N, L, C]`; channels may come second, as `[N, C, L]`."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of `[N, H, W, C]`; channels may come second."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalization of `[N, D, H, W, C]`; channels may come second."""

    ranks = (5,)
