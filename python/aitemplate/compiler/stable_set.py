"""A set that keeps the order in which elements came."""

from __future__ import annotations

from collections.abc import MutableSet
from typing import Any, Iterable, Iterator, Optional


class StableSet(MutableSet):
    """A set whose elements are visited in the order in which they were added."""

    def __init__(self, s: Optional[Iterable[Any]] = None) -> None:
        self._d = dict.fromkeys(() if s is None else s)

    def __contains__(self, value: Any) -> bool:
        return value in self._d

    def __iter__(self) -> Iterator[Any]:
        # A copy: callers change the set while they walk it.
        return iter(list(self._d))

    def __len__(self) -> int:
        return len(self._d)

    def add(self, value: Any) -> None:
        """Adds an element; one that is there keeps its place."""
        self._d.setdefault(value)

    def discard(self, value: Any) -> None:
        """Takes an element out, if it is there."""
        self._d.pop(value, None)

    def remove(self, value: Any) -> None:
        """Takes an element out; `KeyError` if it is not there."""
        del self._d[value]

    def update(self, other: Iterable[Any]) -> None:
        """Adds elements."""
        for value in other:
            self.add(value)

    def copy(self) -> StableSet:
        """A set of the same elements in the same order."""
        return StableSet(self._d)

    def clear(self) -> None:
        """Takes all elements out."""
        self._d = {}

    def __eq__(self, other: Any) -> bool:
        self._check(other)
        return list(self._d) == list(other._d)

    def __sub__(self, other: Iterable[Any]) -> StableSet:
        left = self.copy()
        for value in other:
            left.discard(value)
        return left

    def __repr__(self) -> str:
        return repr(list(self._d))

    __str__ = __repr__
    __hash__ = None

    def _check(self, other: Any) -> None:
        if not isinstance(other, StableSet):
            raise RuntimeError(f"a StableSet beside {type(other)}, expected another StableSet")
