"""Numbers of dimensions."""

from __future__ import annotations

__all__ = ["wrap_dim"]


def wrap_dim(idx: int, rank: int) -> int:
    """A dimension counted from the front; negative ones are counted from the back."""
    assert isinstance(idx, int), f"idx must be int, but got {type(idx)}"
    wrapped = idx + rank if idx < 0 else idx
    assert 0 <= wrapped < rank, f"idx {idx} out of range; rank {rank}"
    return wrapped
