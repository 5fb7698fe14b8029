"""Attention as layers, on fused kernels."""

from __future__ import annotations

from typing import Any, Tuple, Union

from aitemplate.compiler import ops
from aitemplate.compiler.base import IntImm, IntVar, Tensor
from aitemplate.frontend.nn.dropout import Dropout
from aitemplate.frontend.nn.linear import Linear
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["CrossAttention", "FlashAttention", "MultiheadAttention", "ScaledDotProductAttention"]

Size = Union[int, IntVar]

# The sizes of heads that flash_attention was made for.
FLASH_HEAD_SIZES = (8, 16, 32, 64, 128)


def check_heads(dim: int, num_heads: int) -> int:
    """The size of a head; dim is a multiple of the number of heads."""
    assert dim % num_heads == 0, f"dim {dim} should be divisible by num_heads {num_heads}"
    return dim // num_heads


def size(dim: Any) -> Any:
    """A dimension as an int if it is fixed, else the dimension itself."""
    return dim.value() if isinstance(dim, IntImm) else dim


def project(layer: Linear, x: Tensor, residual: Tuple[Tensor, ...], dim: int) -> Tensor:
    """The last product of an attention layer, and what is added to it, in the form it comes in."""
    if residual and len(residual[0].shape()) == 2:
        x = ops.reshape()(x, [-1, dim])
    return layer(x, *residual)


class FlashAttention(Module):
    """Attention of sequences of different lengths laid end to end.

    Args:
        batch_size: B, how many sequences.
        max_seq_len: the longest of them.
        dropout: must be 0: models are not trained here.
        causal: whether a token sees only those up to itself.
        dtype: kept; the result has the type of the input.

    Shapes: `forward(qkv [T, 3, H, D])` gives `[T, H, D]`, T tokens in all.

    Parameters: `cu_length [B + 1]` of int32, where each sequence begins, and T.
    """

    def __init__(
        self,
        batch_size: int,
        max_seq_len: int,
        dropout: float = 0,
        causal: bool = False,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        self.cu_length = Parameter(shape=[batch_size + 1], dtype="int32")
        self.op = ops.flash_attention(
            batch_size=batch_size, dropout=dropout, max_seq_len=max_seq_len, causal=causal
        )

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 1, "FlashAttention takes one input: queries, keys and values"
        return self.op(args[0], self.cu_length.tensor())


class MultiheadAttention(Module):
    """Self-attention: projections, attention, projection, and a residual.

    `softmax(Q K^T / sqrt(D)) V` for each of H heads of size D, with Q, K and V products of x.

    Where batch and length are fixed, heads have a usual size and the batch is worth it, the
    sequences are laid end to end for `flash_attention`, which reads their lengths from the
    parameter `cu_length`; otherwise `mem_eff_attention` is used, with sizes as they are when the
    model runs. Both respect `causal`.

    Args:
        dim: H D, the last size of x.
        batch_size: B, an int or a symbolic size.
        seq_len: S, an int or a symbolic size.
        num_heads: H.
        qkv_bias: whether the products that make Q, K and V have a bias.
        attn_drop, proj_drop: must be 0: models are not trained here.
        has_residual: whether forward takes a second tensor that is added to the result.
        causal: whether a token sees only those up to itself.
        mask_seq: how many tokens at the end of the batch are padding, and become `output_mask`.
        use_mem_eff: whether `mem_eff_attention` is used in any case.
        dtype: the element type of the parameters.

    Shapes: `forward(x [B, S, dim], residual)` gives `[B, S, dim]`.

    Parameters: `qkv.weight [3 dim, dim]`, `qkv.bias`, `proj.weight [dim, dim]`, `proj.bias`,
    `cu_length [B + 1]` of int32 where B is fixed, `output_mask [mask_seq, H, D]`.
    """

    def __init__(
        self,
        dim: int,
        batch_size: Size,
        seq_len: Size,
        num_heads: int = 8,
        qkv_bias: bool = False,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        has_residual: bool = True,
        causal: bool = False,
        mask_seq: int = 0,
        use_mem_eff: bool = False,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        head_dim = check_heads(dim, num_heads)
        batch_size, seq_len = size(batch_size), size(seq_len)
        self.dim = dim
        self.num_heads = num_heads
        self.scale = head_dim**-0.5
        self.causal = causal
        self.has_residual = has_residual
        self.mask_seq = mask_seq
        self.use_mem_eff = use_mem_eff
        fixed = isinstance(batch_size, int) and isinstance(seq_len, int)
        self.use_flash = (
            not use_mem_eff
            and fixed
            and (
                (not (seq_len >= 512 and batch_size <= 2) and head_dim in FLASH_HEAD_SIZES)
                or seq_len % 2 == 1
            )
        )
        if mask_seq and not self.use_flash:
            raise ValueError(
                "MultiheadAttention: mask_seq is for sequences laid end to end, and these are not "
                f"(batch_size={batch_size}, seq_len={seq_len}, use_mem_eff={use_mem_eff})"
            )
        if self.use_flash:
            self.op = ops.flash_attention(
                batch_size=batch_size, dropout=attn_drop, max_seq_len=seq_len, causal=causal
            )
        else:
            self.op = ops.mem_eff_attention(causal=causal)
        if isinstance(batch_size, int) and batch_size > 0:
            self.cu_length = Parameter(shape=[batch_size + 1], dtype="int32")
        if mask_seq:
            self.output_mask = Parameter(shape=[mask_seq, num_heads, head_dim], dtype=dtype)
        self.qkv = Linear(dim, dim * 3, bias=qkv_bias, dtype=dtype)
        self.attn_drop = Dropout(attn_drop, dtype=dtype)
        self.proj = Linear(dim, dim, specialization="add" if has_residual else None, dtype=dtype)
        self.proj_drop = Dropout(proj_drop, dtype=dtype)

    def get_shape(self, x: Tensor) -> list:
        """The sizes of a tensor: ints where they are fixed."""
        return [size(dim) for dim in x.shape()]

    def qkv_proj(self, x: Tensor) -> Tensor:
        """Queries, keys and values: `[B S, 3, H, D]` end to end, else `[3, B, H, S, D]`."""
        batch, seq, hidden = self.get_shape(x)
        head_dim = hidden // self.num_heads
        qkv = self.qkv(x)
        if self.use_flash:
            return ops.reshape()(qkv, [batch * seq, 3, self.num_heads, head_dim])
        heads = ops.reshape()(qkv, [batch, seq, 3, self.num_heads, head_dim])
        return ops.permute()(heads, [2, 0, 3, 1, 4])

    def attention(self, x: Tensor) -> Tensor:
        """Attention of what `qkv_proj` made: `[B S, H, D]` end to end, else `[B, S, H, D]`."""
        if self.use_flash:
            return self.op(x, self.cu_length.tensor())
        _, *shape = self.get_shape(x)
        queries, keys, values = (ops.reshape()(part, shape) for part in ops.split()(x, 1, dim=0))
        return self.op(queries, keys, values)

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) >= (2 if self.has_residual else 1), "MultiheadAttention takes an input" + (
            " and a residual" if self.has_residual else ""
        )
        batch, seq, hidden = self.get_shape(args[0])
        qkv = self.qkv_proj(args[0])
        if self.mask_seq:
            total = self.get_shape(qkv)[0]
            qkv = ops.dynamic_slice()(
                qkv,
                start_indices=[0, 0, 0, 0],
                end_indices=[total - self.mask_seq, None, None, None],
            )
        attended = self.attention(qkv)
        if self.mask_seq:
            attended = ops.concatenate()([attended, self.output_mask.tensor()], dim=0)
        attended = ops.reshape()(attended, [batch, seq, hidden])
        result = self.proj_drop(
            project(self.proj, attended, args[1 : 1 + self.has_residual], hidden)
        )
        return ops.reshape()(result, [batch, seq, hidden])


class CrossAttention(Module):
    """Attention between two sequences: queries from one, keys and values from the other.

    Args:
        dim: H D, the last size of all inputs.
        seq_len, seq_len_kv: kept; the lengths are those of the inputs.
        num_heads: H.
        qkv_bias: whether the products that make Q, K and V have a bias.
        attn_drop, proj_drop: must be 0: models are not trained here.
        has_residual: whether forward takes a fourth tensor that is added to the result.
        causal: whether a query sees only the keys up to its own place.
        dtype: the element type of the parameters.

    Shapes: `forward(q [B, S, dim], k [B, T, dim], v [B, T, dim], residual)` gives `[B, S, dim]`; B,
    S and T may be symbolic.

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
        self.num_heads = num_heads
        self.causal = causal
        self.has_residual = has_residual
        self.dim = dim
        self.op = ops.mem_eff_attention(causal=causal)
        self.proj_q = Linear(dim, dim, bias=qkv_bias, dtype=dtype)
        self.proj_k = Linear(dim, dim, bias=qkv_bias, dtype=dtype)
        self.proj_v = Linear(dim, dim, bias=qkv_bias, dtype=dtype)
        self.attn_drop = Dropout(attn_drop, dtype=dtype)
        self.proj = Linear(dim, dim, specialization="add" if has_residual else None, dtype=dtype)
        self.proj_drop = Dropout(proj_drop, dtype=dtype)

    def _heads(self, x: Tensor, projection: Linear) -> Tensor:
        batch, seq, _ = x.shape()
        heads = ops.reshape()(projection(x), [batch, seq, self.num_heads, self.head_dim])
        return ops.permute()(heads, [0, 2, 1, 3])

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Projections and attention: `[B, S, H, D]`."""
        return self.op(
            self._heads(q, self.proj_q), self._heads(k, self.proj_k), self._heads(v, self.proj_v)
        )

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) >= (4 if self.has_residual else 3), (
            "CrossAttention takes queries, keys and values"
            + (", and a residual" if self.has_residual else "")
        )
        batch, seq, _ = args[0].shape()
        attended = ops.reshape()(self.attention(*args[:3]), [batch, seq, self.dim])
        result = self.proj_drop(
            project(self.proj, attended, args[3 : 3 + self.has_residual], self.dim)
        )
        return ops.reshape()(result, [batch, seq, self.dim])


class ScaledDotProductAttention(Module):
    """`softmax(q k^T / sqrt(D)) v` of `[B, H, S, D]`; gives `[B, S, H, D]`.

    Args:
        causal: whether a query sees only the keys up to its own place.
    """

    def __init__(self, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return ops.mem_eff_attention(causal=self.causal)(q, k, v)
