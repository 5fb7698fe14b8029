"""Multiscale vision transformers (MViT) for images and films.

Source: Fan and others, Multiscale Vision Transformers (2021), as in PyTorchVideo.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.batch_norm import BatchNorm1d, BatchNorm3d
from aitemplate.frontend.nn.container import ModuleList
from aitemplate.frontend.nn.conv2d import Conv2d
from aitemplate.frontend.nn.conv3d import Conv3d
from aitemplate.frontend.nn.dropout import Dropout
from aitemplate.frontend.nn.head import create_vit_basic_head
from aitemplate.frontend.nn.identity import Identity
from aitemplate.frontend.nn.layer_norm import LayerNorm
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.multiscale_attention import MultiScaleBlock
from aitemplate.frontend.nn.patch_embed import create_conv_patch_embed
from aitemplate.frontend.nn.positional_encoding import SpatioTemporalClsPositionalEncoding

__all__ = ["MultiscaleVisionTransformers", "create_multiscale_vision_transformers"]


def round_width(width: float, multiplier: float, min_width: int = 8, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to a product, at least `min_width`, at most 10 % below."""
    if not multiplier:
        return int(width)
    product = width * multiplier
    rounded = max(min_width, math.floor(product / divisor + 0.5) * divisor)
    return int(rounded + divisor if rounded < 0.9 * product else rounded)


class MultiscaleVisionTransformers(Module):
    """Pieces of a film, their places, blocks that shrink it, and classes.

    Args:
        patch_embed: makes a sequence of a film.
        cls_positional_encoding: adds places; has `patch_embed_shape()`.
        pos_drop: dropout after it.
        blocks: called with the sequence and its T, H and W, give both anew.
        norm_embed: normalizes what the last one gives.
        head: classes of the sequence.
    """

    def __init__(
        self,
        *,
        patch_embed: Optional[Module],
        cls_positional_encoding: Module,
        pos_drop: Optional[Module],
        blocks: ModuleList,
        norm_embed: Optional[Module],
        head: Optional[Module],
    ) -> None:
        super().__init__()
        assert hasattr(cls_positional_encoding, "patch_embed_shape"), (
            "cls_positional_encoding should have method patch_embed_shape."
        )
        self.patch_embed = Identity() if patch_embed is None else patch_embed
        self.cls_positional_encoding = cls_positional_encoding
        self.pos_drop = Identity() if pos_drop is None else pos_drop
        self.blocks = blocks
        self.norm_embed = Identity() if norm_embed is None else norm_embed
        self.head = Identity() if head is None else head

    def forward(self, x: Tensor) -> Tensor:
        x = self.pos_drop(self.cls_positional_encoding(self.patch_embed(x)))
        extents = self.cls_positional_encoding.patch_embed_shape()
        for block in self.blocks:
            x, extents = block(x, *extents)
        return self.head(self.norm_embed(x))


def _by_block(depth: int, pairs: Optional[Sequence[Sequence[Any]]]) -> List[float]:
    values = [1.0] * (depth + 1)
    for block, factor in pairs or ():
        values[int(block)] = factor
    return values


def _windows(
    depth: int,
    strides: Optional[Sequence[Sequence[int]]],
    kernel: Optional[Sequence[int]],
) -> Tuple[List[List[int]], List[List[int]]]:
    """Kernels and strides of each block; without a kernel, one wider than the stride."""
    kernels: List[List[int]] = [[] for _ in range(depth)]
    steps: List[List[int]] = [[] for _ in range(depth)]
    for block, *stride in strides or ():
        steps[block] = list(stride)
        kernels[block] = (
            [step + 1 if step > 1 else step for step in stride] if kernel is None else list(kernel)
        )
    return kernels, steps


def create_multiscale_vision_transformers(
    *,
    spatial_size: Union[int, Tuple[int, int]],
    temporal_size: int,
    cls_embed_on: bool = True,
    sep_pos_embed: bool = True,
    depth: int = 16,
    norm: str = "layernorm",
    enable_patch_embed: bool = True,
    input_channels: int = 3,
    patch_embed_dim: int = 96,
    conv_patch_embed_kernel: Sequence[int] = (3, 7, 7),
    conv_patch_embed_stride: Sequence[int] = (2, 4, 4),
    conv_patch_embed_padding: Sequence[int] = (1, 3, 3),
    enable_patch_embed_norm: bool = False,
    use_2d_patch: bool = False,
    num_heads: int = 1,
    mlp_ratio: float = 4.0,
    qkv_bias: bool = True,
    dropout_rate_block: float = 0.0,
    droppath_rate_block: float = 0.0,
    pooling_mode: str = "conv",
    pool_first: bool = False,
    residual_pool: bool = False,
    depthwise_conv: bool = True,
    bias_on: bool = True,
    separate_qkv: bool = True,
    embed_dim_mul: Optional[Sequence[Sequence[Any]]] = None,
    atten_head_mul: Optional[Sequence[Sequence[Any]]] = None,
    dim_mul_in_att: bool = False,
    pool_q_stride_size: Optional[Sequence[Sequence[int]]] = None,
    pool_kv_stride_size: Optional[Sequence[Sequence[int]]] = None,
    pool_kv_stride_adaptive: Optional[Sequence[int]] = None,
    pool_kvq_kernel: Optional[Sequence[int]] = None,
    head: Optional[Callable[..., Module]] = create_vit_basic_head,
    head_dropout_rate: float = 0.5,
    head_activation: Optional[Callable[..., Module]] = None,
    head_num_classes: int = 400,
    create_scriptable_model: bool = False,
    multiscale_vit_class: Callable[..., Module] = MultiscaleVisionTransformers,
) -> Module:
    """An MViT with the arguments of PyTorchVideo.

    Lists of lists begin with the number of a block: `[[1, 2.0], [3, 2.0]]` doubles the width
    (`embed_dim_mul`) or the heads (`atten_head_mul`) there, `[[1, 1, 2, 2]]` is the stride of the
    pooling of that block. `pool_kv_stride_adaptive` is the stride of keys and values of the first
    block, divided by the strides of the queries from block to block. `norm` is "layernorm" or
    "batchnorm".
    """
    if use_2d_patch:
        assert temporal_size == 1, "If use_2d_patch, temporal_size needs to be 1."
    if pool_kv_stride_adaptive is not None:
        assert pool_kv_stride_size is None, (
            "pool_kv_stride_size should be none if pool_kv_stride_adaptive is set."
        )
    if norm == "layernorm":
        norm_layer = block_norm_layer = attn_norm_layer = partial(LayerNorm, eps=1e-6)
    elif norm == "batchnorm":
        norm_layer, block_norm_layer, attn_norm_layer = None, BatchNorm1d, BatchNorm3d
    else:
        raise NotImplementedError(f'norm is "layernorm" or "batchnorm", not {norm!r}')

    height, width = (spatial_size,) * 2 if isinstance(spatial_size, int) else spatial_size
    film = [temporal_size, height, width]
    patch_embed = None
    if enable_patch_embed:
        patch_embed = create_conv_patch_embed(
            in_channels=input_channels,
            out_channels=patch_embed_dim,
            conv_kernel_size=conv_patch_embed_kernel,
            conv_stride=conv_patch_embed_stride,
            conv_padding=conv_patch_embed_padding,
            conv=Conv2d if use_2d_patch else Conv3d,
        )
        strides = (1, *conv_patch_embed_stride) if use_2d_patch else conv_patch_embed_stride
        film = [extent // stride for extent, stride in zip(film, strides)]
    encoding = SpatioTemporalClsPositionalEncoding(
        embed_dim=patch_embed_dim,
        patch_embed_shape=film,
        sep_pos_embed=sep_pos_embed,
        has_cls=cls_embed_on,
    )

    widths, heads = _by_block(depth, embed_dim_mul), _by_block(depth, atten_head_mul)
    kernels_q, strides_q = _windows(depth, pool_q_stride_size, pool_kvq_kernel)
    if pool_kv_stride_adaptive is not None:
        adaptive = list(pool_kv_stride_adaptive)
        pool_kv_stride_size = []
        for block, stride in enumerate(strides_q):
            if stride:
                adaptive = [max(extent // step, 1) for extent, step in zip(adaptive, stride)]
            pool_kv_stride_size.append([block, *adaptive])
    kernels_kv, strides_kv = _windows(depth, pool_kv_stride_size, pool_kvq_kernel)

    blocks = ModuleList()
    dim_in = patch_embed_dim
    for block in range(depth):
        num_heads = round_width(num_heads, heads[block], min_width=1, divisor=1)
        later = block if dim_mul_in_att else block + 1
        dim_out = round_width(dim_in, widths[later], divisor=round_width(num_heads, heads[later]))
        blocks.append(
            MultiScaleBlock(
                dim=dim_in,
                dim_out=dim_out,
                num_heads=num_heads,
                seq_len=math.prod(film),
                mlp_ratio=mlp_ratio,
                qkv_bias=qkv_bias,
                dropout_rate=dropout_rate_block,
                droppath_rate=droppath_rate_block * block / max(depth - 1, 1),
                norm_layer=block_norm_layer,
                attn_norm_layer=attn_norm_layer,
                kernel_q=kernels_q[block],
                kernel_kv=kernels_kv[block],
                stride_q=strides_q[block],
                stride_kv=strides_kv[block],
                pool_mode=pooling_mode,
                has_cls_embed=cls_embed_on,
                pool_first=pool_first,
                residual_pool=residual_pool,
                bias_on=bias_on,
                depthwise_conv=depthwise_conv,
                separate_qkv=separate_qkv,
            )
        )
        dim_in = dim_out
    head_model = None
    if head is not None:
        head_model = head(
            in_features=dim_in,
            out_features=head_num_classes,
            seq_pool_type="cls" if cls_embed_on else "mean",
            dropout_rate=head_dropout_rate,
            activation=head_activation,
        )
    return multiscale_vit_class(
        patch_embed=patch_embed,
        cls_positional_encoding=encoding,
        pos_drop=Dropout(dropout_rate_block) if dropout_rate_block > 0.0 else None,
        blocks=blocks,
        norm_embed=None if norm_layer is None else norm_layer(dim_in),
        head=head_model,
    )
