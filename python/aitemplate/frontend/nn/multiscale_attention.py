"""Attention that shrinks a film as it goes: the blocks of multiscale vision transformers (MViT).

Source: Fan and others, Multiscale Vision Transformers (2021), as in PyTorchVideo.
"""

from __future__ import annotations

import math
from typing import Any, Callable, List, Optional, Sequence, Tuple

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.compiler.ops.common.epilogue import FuncEnum
from aitemplate.frontend.nn.activation import GELU
from aitemplate.frontend.nn.attention import check_heads, size
from aitemplate.frontend.nn.batch_norm import BatchNorm1d, BatchNorm3d
from aitemplate.frontend.nn.conv3d import Conv3d
from aitemplate.frontend.nn.dropout import Dropout, DropPath
from aitemplate.frontend.nn.identity import Identity
from aitemplate.frontend.nn.layer_norm import LayerNorm
from aitemplate.frontend.nn.linear import Linear
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.pool3d import MaxPool3d

__all__ = ["Mlp", "MultiScaleAttention", "MultiScaleBlock"]

Extents = List[Any]


def get_shape(x: Tensor) -> List[Any]:
    """The sizes of a tensor: ints where they are fixed."""
    return [size(dim) for dim in x.shape()]


class Mlp(Module):
    """Two products with an activation between them.

    Args:
        in_features: the last size of the input.
        hidden_features, out_features: those of the products; `in_features` if not given.
        act_layer: a class of an activation.
        dropout_rate: kept; models are not trained here.
        bias_on: whether the products have a bias.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: Optional[int] = None,
        out_features: Optional[int] = None,
        act_layer: Callable[[], Module] = GELU,
        dropout_rate: float = 0.0,
        bias_on: bool = True,
    ) -> None:
        super().__init__()
        self.dropout_rate = dropout_rate
        self.fc1 = Linear(in_features, hidden_features or in_features, bias=bias_on)
        self.act = act_layer()
        self.fc2 = Linear(hidden_features or in_features, out_features or in_features, bias=bias_on)
        self.dropout = Dropout(dropout_rate) if dropout_rate > 0.0 else Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.fc2(self.dropout(self.act(self.fc1(x)))))


class _AttentionPool(Module):
    """A film that is a sequence, pooled as a film.

    Without `pool`, the input itself. Where the first vector is that of the class, it is left out of
    the pooling. Batch normalization comes before the pooling, with GELU after it; others after.
    """

    def __init__(self, pool: Optional[Module], has_cls_embed: bool, norm: Optional[Module]) -> None:
        super().__init__()
        self.has_pool = pool is not None
        self.pool = pool if pool is not None else Identity()
        self.has_cls_embed = has_cls_embed
        self.norm_before_pool = isinstance(norm, (BatchNorm3d, Identity))
        self.has_norm = norm is not None
        self.norm = norm if norm is not None else Identity()

    def forward(self, tensor: Tensor, thw_shape: Extents) -> Tuple[Tensor, Extents]:
        if not self.has_pool:
            return tensor, thw_shape
        rank = len(tensor.shape())
        if rank not in (3, 4):
            raise NotImplementedError(
                f"a sequence to be pooled is [B, L, C] or [B, H, L, C], not {get_shape(tensor)}"
            )
        if rank == 3:
            tensor = ops.unsqueeze(dim=1)(tensor)
        batch, heads, _, channels = get_shape(tensor)
        first = None
        if self.has_cls_embed:
            first = ops.dynamic_slice()(tensor, [0, 0, 0, 0], [None, None, 1, None])
            tensor = ops.dynamic_slice()(tensor, [0, 0, 1, 0], [None, None, None, None])

        film = ops.reshape()(tensor, [-1, *thw_shape, channels])
        if self.has_norm and self.norm_before_pool:
            film = ops.elementwise(FuncEnum.GELU)(self.norm(film))
        film = self.pool(film)
        thw_shape = get_shape(film)[1:4]
        tensor = ops.reshape()(film, [batch, heads, math.prod(thw_shape), channels])

        if first is not None:
            tensor = ops.concatenate()([first, tensor], dim=2)
        if self.has_norm and not self.norm_before_pool:
            tensor = self.norm(tensor)
        return (ops.squeeze(dim=1)(tensor) if rank == 3 else tensor), thw_shape


class MultiScaleAttention(Module):
    """Attention whose queries, keys and values are pooled, before their products or after.

    Args:
        dim: the last size of input and result.
        num_heads: H; dim is a multiple.
        batch_size: kept; the batch is that of the input.
        qkv_bias: whether the products that make Q, K and V have a bias.
        dropout_rate: must be 0: models are not trained here.
        kernel_q, kernel_kv, stride_q, stride_kv: the windows of the pooling; 1 everywhere is none.
        norm_layer: a class of a normalization, applied where there is pooling.
        has_cls_embed: whether the first vector is that of the class.
        pool_mode: "conv" pools by a convolution, "max" takes the largest.
        pool_first: whether pooling comes before the products.
        residual_pool: whether the pooled queries are added to the result.
        depthwise_conv: whether the convolution is of each channel alone.
        bias_on: whether the last product has a bias.
        separate_qkv: whether Q, K and V are three products.
        max_seq_len: kept.

    Shapes: `forward(x [B, L, dim], [T, H, W])` gives `[B, L', dim]` and the new T, H and W.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int = 8,
        batch_size: int = 1,
        qkv_bias: bool = False,
        dropout_rate: float = 0.0,
        kernel_q: Sequence[int] = (1, 1, 1),
        kernel_kv: Sequence[int] = (1, 1, 1),
        stride_q: Sequence[int] = (1, 1, 1),
        stride_kv: Sequence[int] = (1, 1, 1),
        norm_layer: Callable[..., Module] = LayerNorm,
        has_cls_embed: bool = True,
        pool_mode: str = "conv",
        pool_first: bool = False,
        residual_pool: bool = True,
        depthwise_conv: bool = True,
        bias_on: bool = True,
        separate_qkv: bool = False,
        max_seq_len: int = 6272,
    ) -> None:
        super().__init__()
        assert pool_mode in ("conv", "avg", "max"), f"unknown pool_mode {pool_mode!r}"
        assert dropout_rate == 0.0, f"dropout_rate must be 0, not {dropout_rate}"
        if pool_mode == "avg":
            raise NotImplementedError('pool_mode "avg" is not supported: use "conv" or "max"')
        self.pool_first = pool_first
        self.dropout_rate = dropout_rate
        self.num_heads = num_heads
        self.dim = dim
        self.head_dim = check_heads(dim, num_heads)
        self.scale = self.head_dim**-0.5
        self.has_cls_embed = has_cls_embed
        self.residual_pool = residual_pool
        self.separate_qkv = separate_qkv
        self.max_seq_len = max_seq_len
        if pool_first or separate_qkv:
            self.q = Linear(dim, dim, bias=qkv_bias)
            self.k = Linear(dim, dim, bias=qkv_bias)
            self.v = Linear(dim, dim, bias=qkv_bias)
        else:
            self.qkv = Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = Linear(dim, dim, bias=bias_on)

        # Before the products a sequence has all channels of a head too: pooling is by head.
        channels = self.head_dim
        for part, kernel, stride in (
            ("q", kernel_q, stride_q),
            ("k", kernel_kv, stride_kv),
            ("v", kernel_kv, stride_kv),
        ):
            pool = norm = None
            if math.prod(kernel) != 1 or math.prod(stride) != 1:
                padding = tuple(extent // 2 for extent in kernel)
                if pool_mode == "max":
                    pool = MaxPool3d(tuple(kernel), tuple(stride), padding)
                else:
                    pool = Conv3d(
                        channels,
                        channels,
                        tuple(kernel),
                        stride=tuple(stride),
                        padding=padding,
                        groups=channels if depthwise_conv else 1,
                    )
                    norm = norm_layer(channels)
            setattr(self, f"pool_{part}", pool)
            setattr(self, f"norm_{part}", norm)
            setattr(self, f"_attention_pool_{part}", _AttentionPool(pool, has_cls_embed, norm))

    def _heads(self, x: Tensor) -> Tensor:
        batch, length, _ = get_shape(x)
        heads = ops.reshape()(x, [batch, length, self.num_heads, self.head_dim])
        return ops.permute()(heads, [0, 2, 1, 3])

    def _sequence(self, x: Tensor) -> Tensor:
        batch, _, length, _ = get_shape(x)
        return ops.reshape()(ops.permute()(x, [0, 2, 1, 3]), [batch, length, self.dim])

    def _products(self, x: Tensor) -> List[Tensor]:
        if self.separate_qkv:
            return [self._heads(layer(x)) for layer in (self.q, self.k, self.v)]
        parts = ops.split()(self.qkv(x), self.dim, dim=2)
        return [self._heads(part) for part in parts]

    def forward(self, x: Tensor, thw_shape: Extents) -> Tuple[Tensor, Extents]:
        parts = [self._heads(x)] * 3 if self.pool_first else self._products(x)
        pools = (self._attention_pool_q, self._attention_pool_k, self._attention_pool_v)
        pooled = [pool(part, thw_shape) for pool, part in zip(pools, parts)]
        (q, k, v), thw_shape = [part for part, _ in pooled], pooled[0][1]
        if self.pool_first:
            q = self._heads(self.q(self._sequence(q)))
            k = self._heads(self.k(self._sequence(k)))
            v = self._heads(self.v(self._sequence(v)))

        attended = ops.mem_eff_attention(causal=False)(q, k, v)
        if self.residual_pool:
            attended = attended + ops.permute()(q, [0, 2, 1, 3])
        batch, length = get_shape(attended)[:2]
        return self.proj(ops.reshape()(attended, [batch, length, self.dim])), thw_shape


class MultiScaleBlock(Module):
    """Attention and two products, each on a normalized input and added to it.

    Args:
        dim, dim_out: the last sizes of input and result.
        num_heads: how many heads the attention has.
        seq_len: kept; the length is that of the input.
        mlp_ratio: the size between the products, as a multiple of dim.
        qkv_bias: whether the products that make Q, K and V have a bias.
        dropout_rate: must be 0; droppath_rate: kept: models are not trained here.
        act_layer, norm_layer, attn_norm_layer: classes of activation and normalizations.
        kernel_q, kernel_kv, stride_q, stride_kv: the windows of the pooling; empty is none.
        pool_mode, has_cls_embed, pool_first, residual_pool, depthwise_conv, bias_on, separate_qkv:
            see `MultiScaleAttention`.

    Shapes: `forward(x [B, L, dim], T, H, W)` gives `[B, L', dim_out]` and the new `[T, H, W]`.
    """

    def __init__(
        self,
        dim: int,
        dim_out: int,
        num_heads: int,
        seq_len: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = False,
        dropout_rate: float = 0.0,
        droppath_rate: float = 0.0,
        act_layer: Callable[[], Module] = GELU,
        norm_layer: Callable[..., Module] = LayerNorm,
        attn_norm_layer: Callable[..., Module] = LayerNorm,
        kernel_q: Sequence[int] = (1, 1, 1),
        kernel_kv: Sequence[int] = (1, 1, 1),
        stride_q: Sequence[int] = (1, 1, 1),
        stride_kv: Sequence[int] = (1, 1, 1),
        pool_mode: str = "conv",
        has_cls_embed: bool = True,
        pool_first: bool = False,
        residual_pool: bool = False,
        depthwise_conv: bool = True,
        bias_on: bool = True,
        separate_qkv: bool = False,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.dim_out = dim_out
        self.has_cls_embed = has_cls_embed
        self.norm1 = norm_layer(dim)
        self.attn = MultiScaleAttention(
            dim,
            num_heads=num_heads,
            qkv_bias=qkv_bias,
            dropout_rate=dropout_rate,
            kernel_q=kernel_q,
            kernel_kv=kernel_kv,
            stride_q=stride_q,
            stride_kv=stride_kv,
            norm_layer=attn_norm_layer,
            has_cls_embed=has_cls_embed,
            pool_mode=pool_mode,
            pool_first=pool_first,
            residual_pool=residual_pool,
            bias_on=bias_on,
            depthwise_conv=depthwise_conv,
            separate_qkv=separate_qkv,
            max_seq_len=seq_len,
        )
        self.drop_path = DropPath(droppath_rate) if droppath_rate > 0.0 else Identity()
        self.norm2 = norm_layer(dim)
        self.norm1_is_batchnorm_1d = isinstance(self.norm1, BatchNorm1d)
        self.norm2_is_batchnorm_1d = isinstance(self.norm2, BatchNorm1d)
        self.mlp = Mlp(
            in_features=dim,
            hidden_features=int(dim * mlp_ratio),
            out_features=dim_out,
            act_layer=act_layer,
            dropout_rate=dropout_rate,
            bias_on=bias_on,
        )
        self.proj = Linear(dim, dim_out, bias=bias_on) if dim != dim_out else Identity()
        self.pool_skip = None
        if len(stride_q) > 0 and math.prod(stride_q) > 1:
            kernel = tuple(step + 1 if step > 1 else step for step in stride_q)
            padding = tuple(extent // 2 for extent in kernel)
            self.pool_skip = MaxPool3d(kernel, tuple(stride_q), padding)
        self._attention_pool = _AttentionPool(self.pool_skip, has_cls_embed, norm=None)

    def forward(
        self, x: Tensor, t_shape: int, h_shape: int, w_shape: int
    ) -> Tuple[Tensor, Extents]:
        thw_shape = [t_shape, h_shape, w_shape]
        attended, thw_shape_new = self.attn(self.norm1(x), thw_shape)
        skipped, _ = self._attention_pool(x, thw_shape)
        x = skipped + self.drop_path(attended)
        normal = self.norm2(x)
        if self.dim != self.dim_out:
            x = self.proj(normal)
        return x + self.drop_path(self.mlp(normal)), thw_shape_new
