"""The place of a piece of film, added to its vector."""

from __future__ import annotations

from typing import Sequence, Tuple

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["SpatioTemporalClsPositionalEncoding", "repeat", "repeat_interleave", "tile"]


def tile(input_val: Tensor, dims: Sequence[int]) -> Tensor:
    """The tensor repeated `dims[i]` times along dimension i; fewer numbers are for the last."""
    rank = len(input_val.shape())
    counts = [1] * (rank - len(dims)) + list(dims)
    result = input_val
    for _ in range(len(counts) - rank):
        result = ops.unsqueeze(0)(result)
    for axis, count in enumerate(counts):
        if count > 1:
            result = ops.concatenate()([result] * count, dim=axis)
    return result


def repeat(input_val: Tensor, dims: Sequence[int]) -> Tensor:
    """The same as `tile`; the numbers must be ints."""
    if not all(isinstance(count, int) for count in dims):
        raise TypeError(f"repeat: a tensor is repeated a fixed number of times, not {dims}")
    return tile(input_val, dims)


def repeat_interleave(input_val: Tensor, repeats: int, dim: int = -1) -> Tensor:
    """Each element along a dimension repeated, one copy beside the other."""
    if not isinstance(repeats, int):
        raise TypeError(f"repeat_interleave: repeats is an int, not {repeats!r}")
    shape = input_val.shape()
    axis = dim + len(shape) if dim < 0 else dim
    counts = [1] * (len(shape) + 1)
    counts[axis + 1] = repeats
    tiled = tile(ops.unsqueeze(axis + 1)(input_val), counts)
    return ops.reshape()(tiled, [*shape[:axis], -1, *shape[axis + 1 :]])


class SpatioTemporalClsPositionalEncoding(Module):
    """A vector for the class put before the sequence, and one of its place added to each.

    Args:
        embed_dim: C, the length of the vectors.
        patch_embed_shape: T, H and W, how many pieces there are along each.
        sep_pos_embed: whether places in time and in the image have vectors of their own.
        has_cls: whether there is a vector for the class.
        dtype: the element type of the parameters.

    Shapes: `forward(x [B, T H W, C])` gives `[B, T H W (+ 1), C]`.

    Parameters: `cls_token [1, 1, C]`; `pos_embed [1, T H W (+ 1), C]`, or `pos_embed_spatial
    [1, H W, C]`, `pos_embed_temporal [1, T, C]` and `pos_embed_class [1, 1, C]`. Those that are not
    used have no sizes.
    """

    def __init__(
        self,
        embed_dim: int,
        patch_embed_shape: Sequence[int],
        sep_pos_embed: bool = False,
        has_cls: bool = True,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        assert len(patch_embed_shape) == 3, (
            f"patch_embed_shape is (T, H, W), not {tuple(patch_embed_shape)}"
        )
        self.cls_embed_on = has_cls
        self.sep_pos_embed = sep_pos_embed
        self._patch_embed_shape = tuple(patch_embed_shape)
        self.num_temporal_patch = patch_embed_shape[0]
        self.num_spatial_patch = patch_embed_shape[1] * patch_embed_shape[2]
        places = self.num_spatial_patch * self.num_temporal_patch + (1 if has_cls else 0)

        def parameter(length: int, used: bool) -> Parameter:
            return Parameter(shape=[1, length, embed_dim] if used else [], dtype=dtype)

        self.cls_token = parameter(1, has_cls)
        self.pos_embed_spatial = parameter(self.num_spatial_patch, sep_pos_embed)
        self.pos_embed_temporal = parameter(self.num_temporal_patch, sep_pos_embed)
        self.pos_embed_class = parameter(1, sep_pos_embed and has_cls)
        self.pos_embed = parameter(places, not sep_pos_embed)

    def patch_embed_shape(self) -> Tuple[int, ...]:
        """T, H and W."""
        return self._patch_embed_shape

    def forward(self, x: Tensor) -> Tensor:
        if self.cls_embed_on:
            token = ops.expand()(self.cls_token.tensor(), [x.shape()[0], -1, -1])
            x = ops.concatenate()([token, x], dim=1)
        if not self.sep_pos_embed:
            return x + self.pos_embed.tensor()
        spatial = repeat(self.pos_embed_spatial.tensor(), (1, self.num_temporal_patch, 1))
        temporal = repeat_interleave(
            self.pos_embed_temporal.tensor(), self.num_spatial_patch, dim=1
        )
        places = spatial + temporal
        if self.cls_embed_on:
            places = ops.concatenate()([self.pos_embed_class.tensor(), places], dim=1)
        return x + places
