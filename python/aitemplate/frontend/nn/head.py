"""What stands at the end of a vision transformer: classes from a sequence."""

from __future__ import annotations

from typing import Callable, Optional

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.dropout import Dropout
from aitemplate.frontend.nn.linear import Linear
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.softmax import Softmax

__all__ = ["SequencePool", "VisionTransformerBasicHead", "create_vit_basic_head"]


class SequencePool(Module):
    """One vector of a sequence `[B, S, C]`: the mean of all ("mean"), or the first ("cls")."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        assert mode in ("cls", "mean"), f'SequencePool: mode is "cls" or "mean", not {mode!r}'
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if self.mode == "mean":
            return ops.reduce_mean(1)(x)
        first = ops.dynamic_slice()(x, [0, 0, 0], [None, 1, None])
        return ops.squeeze(1)(first)


class VisionTransformerBasicHead(Module):
    """Pooling, dropout, projection and activation, each if it is given."""

    def __init__(
        self,
        sequence_pool: Optional[Module] = None,
        dropout: Optional[Module] = None,
        proj: Optional[Module] = None,
        activation: Optional[Module] = None,
    ) -> None:
        super().__init__()
        self.sequence_pool = sequence_pool
        self.dropout = dropout
        self.proj = proj
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        for step in (self.sequence_pool, self.dropout, self.proj, self.activation):
            if step is not None:
                x = step(x)
        return x


def create_vit_basic_head(
    *,
    in_features: int,
    out_features: int,
    seq_pool_type: str = "cls",
    dropout_rate: float = 0.5,
    activation: Optional[Callable[..., Module]] = None,
) -> Module:
    """A `VisionTransformerBasicHead`.

    Args:
        in_features: the length of the vectors of the sequence.
        out_features: how many classes.
        seq_pool_type: "cls" for the first vector, "mean" for the mean of all, "none".
        dropout_rate: kept; models are not trained here.
        activation: a class of an activation, such as `Softmax`, or None.
    """
    assert seq_pool_type in ("cls", "mean", "none"), (
        f'create_vit_basic_head: seq_pool_type is "cls", "mean" or "none", not {seq_pool_type!r}'
    )
    if activation is None:
        last = None
    else:
        last = activation(dim=1) if activation is Softmax else activation()
    return VisionTransformerBasicHead(
        sequence_pool=None if seq_pool_type == "none" else SequencePool(seq_pool_type),
        dropout=Dropout(dropout_rate) if dropout_rate > 0.0 else None,
        proj=Linear(in_features, out_features),
        activation=last,
    )
