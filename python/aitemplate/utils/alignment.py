"""How many elements accesses to memory may take at once."""

from __future__ import annotations

from typing import List, Sequence

from aitemplate.compiler.dtype import normalize_dtype

__all__ = ["find_max_alignment", "find_max_alignment_from", "get_alignments", "valid_alignment"]


def get_alignments(dtype: str) -> List[int]:
    """The numbers of elements that 16, 8, 4 and 2 bytes hold, the largest first."""
    normal = normalize_dtype(dtype)
    if normal in ("float16", "bfloat16"):
        return [8, 4, 2, 1]
    if normal in ("float", "float32"):
        return [4, 2, 1]
    raise NotImplementedError(f"unsupported dtype={dtype!r} for alignments")


def find_max_alignment(number: int, dtype: str) -> int:
    """The largest alignment that divides a number of elements."""
    return find_max_alignment_from([number], dtype)


def find_max_alignment_from(numbers: Sequence[int], dtype: str) -> int:
    """The largest alignment that divides all of some numbers of elements."""
    return next(
        alignment
        for alignment in get_alignments(dtype)
        if all(number % alignment == 0 for number in numbers)
    )


def valid_alignment(align: int, dtype: str) -> bool:
    """Whether that many elements fill whole words of four bytes."""
    return get_alignments(dtype)[0] == 4 or align % 2 == 0
