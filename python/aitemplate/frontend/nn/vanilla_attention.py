"""Attention from products and a softmax, with a mask that is added to the scores."""

from __future__ import annotations

from typing import Optional

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.attention import Size, check_heads, project, size
from aitemplate.frontend.nn.dropout import Dropout
from aitemplate.frontend.nn.linear import Linear
from aitemplate.frontend.nn.module import Module

__all__ = ["vanilla_attention", "VanillaCrossAttention", "VanillaMultiheadAttention"]


def vanilla_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: Optional[float] = None,
    attn_mask: Optional[Tensor] = None,
) -> Tensor:
    """`softmax(scale q k^T + attn_mask) v`.

    Args:
        q: `[B, S, H, D]`; k and v: `[B, T, H, D]`. Sizes may be symbolic.
        scale: 1 / sqrt(D) if it is not given.
        attn_mask: broadcast to `[B H, S, T]`; minus infinity hides a key.

    Returns:
        `[B, S, H D]`.
    """
    batch, seq, heads, head_dim = q.shape()
    _, keys, _, _ = k.shape()
    head_size = size(head_dim)
    if scale is None:
        scale = head_size**-0.5

    def by_head(x: Tensor, length: object) -> Tensor:
        return ops.reshape()(ops.permute()(x, [0, 2, 1, 3]), [-1, length, head_size])

    queries, keys_, values = by_head(q * scale, seq), by_head(k, keys), by_head(v, keys)
    scores = ops.bmm_rcr()(queries, keys_)
    if attn_mask is not None:
        scores = scores + attn_mask
    attended = ops.bmm_rrr()(ops.softmax()(scores, -1), values)
    attended = ops.reshape()(attended, [batch, heads, seq, head_size])
    attended = ops.permute()(attended, [0, 2, 1, 3])
    return ops.reshape()(attended, [batch, seq, size(heads) * head_size])


class VanillaMultiheadAttention(Module):
    """Self-attention, with a mask if one is given; see `MultiheadAttention` for fused kernels.

    Args:
        dim: H D, the last size of the input.
        batch_size, seq_len: kept; the sizes are those of the input.
        num_heads: H.
        qkv_bias: whether the product that makes Q, K and V has a bias.
        attn_drop, proj_drop: must be 0: models are not trained here.
        has_residual: whether forward takes a second tensor that is added to the result.
        causal: whether a token sees only those up to itself; then `attn_mask` must say so.
        attn_mask: added to the scores, such as `[1, S, S]` of 0 and minus infinity.
        mask_seq: must be 0: sequences here are not laid end to end.
        dtype: the element type of the parameters.

    Shapes: `forward(x [B, S, dim], residual)` gives `[B, S, dim]`.

    Parameters: `qkv.weight [3 dim, dim]`, `qkv.bias`, `proj.weight [dim, dim]`, `proj.bias`.
    """

    def __init__(
        self,
        dim: int,
        batch_size: Size = -1,
        seq_len: Size = -1,
        num_heads: int = 8,
        qkv_bias: bool = False,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        has_residual: bool = True,
        causal: bool = False,
        attn_mask: Optional[Tensor] = None,
        mask_seq: int = 0,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        head_dim = check_heads(dim, num_heads)
        assert not causal or attn_mask is not None, (
            f"Missing attn_mask=Tensor(shape=1x{seq_len}x{seq_len})"
        )
        if mask_seq:
            raise ValueError(
                "VanillaMultiheadAttention: mask_seq is for sequences laid end to end; "
                "use MultiheadAttention, or hide tokens by attn_mask"
            )
        self.dim = dim
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.scale = head_dim**-0.5
        self.causal = causal
        self.has_residual = has_residual
        # A tuple, so that the mask does not become a part of the module.
        self._mask = (attn_mask,)
        self.qkv = Linear(dim, dim * 3, bias=qkv_bias, dtype=dtype)
        self.attn_drop = Dropout(attn_drop)
        self.proj = Linear(dim, dim, specialization="add" if has_residual else None, dtype=dtype)
        self.proj_drop = Dropout(proj_drop)

    def attention(self, qkv: Tensor) -> Tensor:
        """Attention of `[B, S, 3 dim]`: `[B, S, dim]`."""
        batch, seq, _ = qkv.shape()
        shape = [batch, seq, self.num_heads, self.head_dim]
        q, k, v = (ops.reshape()(part, shape) for part in ops.split()(qkv, self.dim, dim=2))
        return vanilla_attention(q, k, v, self.scale, self._mask[0])

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) >= (2 if self.has_residual else 1), (
            "VanillaMultiheadAttention takes an input"
            + (" and a residual" if self.has_residual else "")
        )
        batch, seq, _ = args[0].shape()
        attended = self.attention(self.qkv(args[0]))
        result = self.proj_drop(
            project(self.proj, attended, args[1 : 1 + self.has_residual], self.dim)
        )
        return ops.reshape()(result, [batch, seq, self.dim])


class VanillaCrossAttention(Module):
    """Attention between two sequences; see `CrossAttention` for fused kernels.

    Args:
        dim: H D, the last size of all inputs.
        seq_len, seq_len_kv: kept; the lengths are those of the inputs.
        num_heads: H.
        qkv_bias: whether the products that make Q, K and V have a bias.
        attn_drop, proj_drop: must be 0: models are not trained here.
        has_residual: whether forward takes a fourth tensor that is added to the result.
        causal: must be False.
        dtype: the element type of the parameters.

    Shapes: `forward(q [B, S, dim], k [B, T, dim], v [B, T, dim], residual)` gives `[B, S, dim]`.

    Parameters: `weight [dim, dim]` and `bias` of `proj_q`, `proj_k`, `proj_v` and `proj`.
    """

    def __init__(
        self,
        dim: int,
        seq_len: Size,
        seq_len_kv: Size,
        num_heads: int,
        qkv_bias: bool = False,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        has_residual: bool = True,
        causal: bool = False,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        self.head_dim = check_heads(dim, num_heads)
        assert not causal, "Causal not implemented: use CrossAttention"
        self.num_heads = num_heads
        self.has_residual = has_residual
        self.dim = dim
        self.proj_q = Linear(dim, dim, bias=qkv_bias, dtype=dtype)
        self.proj_k = Linear(dim, dim, bias=qkv_bias, dtype=dtype)
        self.proj_v = Linear(dim, dim, bias=qkv_bias, dtype=dtype)
        self.attn_drop = Dropout(attn_drop)
        self.proj = Linear(dim, dim, specialization="add" if has_residual else None, dtype=dtype)
        self.proj_drop = Dropout(proj_drop)

    def _heads(self, x: Tensor, projection: Linear) -> Tensor:
        batch, seq, _ = x.shape()
        return ops.reshape()(projection(x), [batch, seq, self.num_heads, self.head_dim])

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Projections and attention: `[B, S, dim]`."""
        return vanilla_attention(
            self._heads(q, self.proj_q), self._heads(k, self.proj_k), self._heads(v, self.proj_v)
        )

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) >= (4 if self.has_residual else 3), (
            "VanillaCrossAttention takes queries, keys and values"
            + (", and a residual" if self.has_residual else "")
        )
        batch, seq, _ = args[0].shape()
        attended = self.attention(*args[:3])
        result = self.proj_drop(
            project(self.proj, attended, args[3 : 3 + self.has_residual], self.dim)
        )
        return ops.reshape()(result, [batch, seq, self.dim])
