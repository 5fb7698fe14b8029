"""Two products of the same input, one of which gates the other."""

from __future__ import annotations

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.linear import Linear
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["DualGemm", "T5DenseGatedGeluDense"]


class DualGemm(Module):
    """`f(x W1^T) * (x W2^T)`.

    Args:
        in_channels: K, the last size of x.
        out_channels: N, the last size of the result.
        fast_gelu: whether f is GELU by tanh; otherwise SiLU.
        dtype: the element type of the parameters.

    Parameters: `w1 [N, K]`, `w2 [N, K]`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        fast_gelu: bool = True,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        self.w1 = Parameter(shape=[out_channels, in_channels], dtype=dtype)
        self.w2 = Parameter(shape=[out_channels, in_channels], dtype=dtype)
        self.op = ops.dual_gemm_rcr_fast_gelu() if fast_gelu else ops.dual_gemm_rcr_silu()

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "DualGemm takes one input"
        return self.op(args[0], self.w1.tensor(), self.w2.tensor())


class T5DenseGatedGeluDense(Module):
    """The feed-forward layer of T5 1.1: `(gelu(x W0^T) * (x W1^T)) Wo^T`.

    Args:
        in_channels: K, the last size of input and result.
        out_channels: N, the size between.
        dtype: the element type of the parameters.

    Parameters: `wi_0_weight [N, K]`, `wi_1_weight [N, K]`, `wo.weight [K, N]`.
    """

    def __init__(self, in_channels: int, out_channels: int, dtype: str = "float16") -> None:
        super().__init__()
        self.wi_0_weight = Parameter(shape=[out_channels, in_channels], dtype=dtype)
        self.wi_1_weight = Parameter(shape=[out_channels, in_channels], dtype=dtype)
        self.wo = Linear(out_channels, in_channels, bias=False, dtype=dtype)
        self.op = ops.dual_gemm_rcr_fast_gelu()

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "T5DenseGatedGeluDense takes one input"
        hidden = self.op(args[0], self.wi_0_weight.tensor(), self.wi_1_weight.tensor())
        return self.wo(hidden)
