"""A product with a weight, with a bias and what follows fused into it."""

from __future__ import annotations

from typing import Any, Optional

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["Linear"]


class Linear(Module):
    """`y = x W^T + b`, and what `specialization` names on top of it.

    Args:
        in_channels: K, the last size of x.
        out_channels: N, the last size of y.
        bias: whether b is added.
        specialization: what follows the product: "relu", "sigmoid", "tanh", "gelu", "fast_gelu",
            "swish", "hardswish", "add", "add_relu", "mul", "permute" and so on; the operator is
            `ops.gemm_rcr_bias_<specialization>`, or without bias `ops.gemm_rcr_<specialization>`.
        dtype: the element type of the parameters.
        kwargs: what the operator takes besides, such as `shape` of "permute".

    Shapes: x is `[..., K]`, y is `[..., N]`.

    Parameters: `weight [N, K]`, `bias [N]`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        specialization: Optional[str] = None,
        dtype: str = "float16",
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._op_name = "gemm_rcr_bias" if bias else "gemm_rcr"
        if specialization is not None:
            self._op_name += f"_{specialization}"
        make = getattr(ops, self._op_name, None)
        if make is None:
            raise AttributeError(
                f"Linear: there is no operator ops.{self._op_name} "
                f"(bias={bias}, specialization={specialization!r})"
            )
        self.weight = Parameter(shape=[out_channels, in_channels], dtype=dtype)
        if bias:
            self.bias = Parameter(shape=[out_channels], dtype=dtype)
        self.op = make(**kwargs)
        self.use_bias = bias
        self.in_channels = in_channels

    def forward(self, *args: Tensor) -> Tensor:
        """The product; operands after the first are those of the specialization."""
        assert len(args) >= 1, "Linear takes an input, and the operands of its specialization"
        operands = [args[0], self.weight.tensor()]
        if self.use_bias:
            operands.append(self.bias.tensor())
        return self.op(*operands, *args[1:])
