"""Jagged tensors in PyTorch: to dense and back, and what operators on them mean.

A jagged tensor holds only those rows that are there: `[T, D...]` for a batch of sequences of
different lengths, T rows in all. One tensor of offsets for each jagged dimension says where the
rows of each begin: `offsets[0] == 0`, `offsets[i]` to `offsets[i + 1]` are those of element i, and
the last offset of one dimension is how many elements the next has.
"""

from __future__ import annotations

import random
from typing import Any, List, Optional, Sequence

from aitemplate.testing.test_utils import get_torch_full_tensor
from aitemplate.utils.torch_utils import string_to_torch_dtype, torch_dtype_to_string

__all__ = [
    "add_jagged_dense_ref",
    "batched_dense_vec_jagged_2d_mul_ref",
    "dense_to_jagged",
    "generate_offsets",
    "jagged_to_dense",
]


def _as_lists(offsets_list: Sequence[Any]) -> List[List[int]]:
    lists = []
    for offsets in offsets_list:
        assert offsets.dim() == 1, f"offsets have one dimension, not {offsets.dim()}"
        lists.append([int(offset) for offset in offsets.cpu()])
    for level, offsets in enumerate(lists):
        assert offsets[0] == 0, f"offsets of level {level} begin with {offsets[0]}, not 0"
        assert all(a <= b for a, b in zip(offsets, offsets[1:])), (
            f"offsets of level {level} are not ascending"
        )
        if level > 0:
            assert len(offsets) == lists[level - 1][-1] + 1, (
                f"level {level - 1} has {lists[level - 1][-1]} elements, level {level} offsets for "
                f"{len(offsets) - 1}"
            )
    return lists


def _places(offsets_list: List[List[int]]) -> Any:
    """For each row its place in the dense tensor: `[T, 1 + levels]`."""
    import torch

    places = torch.arange(len(offsets_list[0]) - 1).reshape(-1, 1)
    for offsets in offsets_list:
        bounds = torch.tensor(offsets)
        lengths = bounds[1:] - bounds[:-1]
        parents = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        own = torch.arange(int(bounds[-1])) - bounds[:-1][parents]
        places = torch.cat([places[parents], own.reshape(-1, 1)], dim=1)
    return places


def jagged_to_dense(
    jagged: Any,
    offsets_list: Sequence[Any],
    dense_shape: Sequence[int],
    padding_value: float = 0.0,
) -> Any:
    """A jagged tensor as a dense one.

    Args:
        jagged: `[T, D1, ..., Dm]`.
        offsets_list: the offsets of each jagged dimension.
        dense_shape: `[B, N1, ..., Nn, D1, ..., Dm]`; no sequence of dimension i is longer than Ni.
        padding_value: what stands where there is no row.
    """
    offsets = _as_lists(offsets_list)
    levels = len(offsets)
    assert len(dense_shape) == jagged.dim() + levels, (
        f"{jagged.dim()} dimensions with {levels} jagged ones make {jagged.dim() + levels}, "
        f"not {len(dense_shape)}"
    )
    assert tuple(jagged.shape[1:]) == tuple(dense_shape[1 + levels :])
    for level, bounds in enumerate(offsets):
        longest = max((b - a for a, b in zip(bounds, bounds[1:])), default=0)
        assert longest <= dense_shape[1 + level], (
            f"a sequence of {longest} does not fit dimension {1 + level} of {list(dense_shape)}"
        )
    dense = get_torch_full_tensor(
        list(dense_shape), padding_value, torch_dtype_to_string(jagged.dtype)
    )
    places = _places(offsets).to(dense.device)
    dense[tuple(places.unbind(dim=1))] = jagged
    return dense


def dense_to_jagged(dense: Any, offsets_list: Sequence[Any], padding_value: float = 0.0) -> Any:
    """The rows of a dense tensor that offsets tell.

    Args:
        dense: `[B, N1, ..., Nn, D1, ..., Dm]`.
        offsets_list: the offsets of each jagged dimension.
        padding_value: the rows whose place is outside of the dense tensor.

    Returns:
        `[T, D1, ..., Dm]`.
    """
    import torch

    offsets = _as_lists(offsets_list)
    levels = len(offsets)
    assert levels < dense.dim(), f"{levels} jagged dimensions of {dense.dim()} in all"
    jagged = get_torch_full_tensor(
        [offsets[-1][-1], *dense.shape[1 + levels :]],
        padding_value,
        torch_dtype_to_string(dense.dtype),
    )
    places = _places(offsets).to(dense.device)
    extents = torch.tensor(dense.shape[: 1 + levels], device=dense.device)
    inside = (places < extents).all(dim=1)
    jagged[inside] = dense[tuple(places[inside].unbind(dim=1))]
    return jagged


def generate_offsets(
    batch_size: int,
    max_seq_len: int,
    load_factor: float,
    offsets_dtype: str,
    spread_radius: float = 0.1,
) -> Any:
    """Random offsets of one jagged dimension.

    Args:
        batch_size: how many sequences.
        max_seq_len: the length that none exceeds.
        load_factor: the mean length, as a share of `max_seq_len`.
        offsets_dtype: "int32" or "int64".
        spread_radius: how far lengths differ from the mean, as a share of `max_seq_len`.

    Returns:
        A torch tensor `[batch_size + 1]`.
    """
    import torch

    assert 0 <= load_factor <= 1, f"load_factor is a share, not {load_factor}"
    assert 0 <= spread_radius <= 1, f"spread_radius is a share, not {spread_radius}"
    mean, spread = int(max_seq_len * load_factor), int(max_seq_len * spread_radius)
    offsets = [0]
    for _ in range(batch_size):
        length = max_seq_len if load_factor == 1 else mean + random.randint(-spread, spread + 1)
        offsets.append(offsets[-1] + min(max(length, 0), max_seq_len))
    result = torch.tensor(offsets, dtype=string_to_torch_dtype(offsets_dtype))
    return result.cuda() if torch.cuda.is_available() else result


def batched_dense_vec_jagged_2d_mul_ref(vectors: Any, matrices: Any, offsets: Any) -> Any:
    """Vectors times jagged matrices, as fbgemm's operator of that name defines it.

    Args:
        vectors: `[B, H, N]`, N the longest sequence.
        matrices: jagged `[T, H, D]`: for each of the batch `[length, H, D]`.
        offsets: `[B + 1]`.

    Returns:
        `[B, H, D]`: of each of the batch and each h, the vector times the matrix of length rows.
    """
    import torch

    batch, heads, longest = vectors.shape
    assert matrices.dim() == 3 and matrices.size(1) == heads
    assert offsets.dim() == 1 and offsets.size(0) == batch + 1
    dense = jagged_to_dense(matrices, [offsets], [batch, longest, heads, matrices.size(2)])
    return torch.einsum("bhn,bnhd->bhd", vectors.float(), dense.float()).to(vectors.dtype)


def add_jagged_dense_ref(
    jagged: Any,
    offsets_list: Sequence[Any],
    dense: Any,
    jagged_max_shape: Optional[Sequence[int]] = None,
) -> Any:
    """A jagged tensor plus a dense one of the shape `jagged_max_shape`, as a jagged one."""
    shape = list(dense.shape if jagged_max_shape is None else jagged_max_shape)
    assert len(shape) == jagged.dim() + len(offsets_list)
    assert len(shape) >= dense.dim()
    total = dense + jagged_to_dense(jagged, offsets_list, shape)
    return dense_to_jagged(total, offsets_list, padding_value=-1.0)
