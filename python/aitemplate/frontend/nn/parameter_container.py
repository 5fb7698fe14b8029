"""Modules that hold parameters: in a list, by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable as IterableABC
from typing import Any, Dict, Iterable, Iterator, Optional, Tuple, Union

from aitemplate.frontend.nn.module import Module, typename


def pairs(source: Any, what: str) -> Iterable[Tuple[str, Any]]:
    """The pairs of a mapping or of an iterable of pairs; else raises as `torch.nn` does."""
    if hasattr(source, "items"):
        return list(source.items())
    if not isinstance(source, IterableABC):
        raise TypeError(f"{what} takes a mapping or pairs, not {typename(source)}")
    found: Dict[str, Any] = {}
    for index, element in enumerate(source):
        if not isinstance(element, IterableABC):
            raise TypeError(f"{what}: element {index} is {typename(element)}, not a pair")
        pair = tuple(element)
        if len(pair) != 2:
            raise ValueError(f"{what}: element {index} has length {len(pair)}, not 2")
        found[pair[0]] = pair[1]
    return list(found.items())


class ParameterList(Module):
    """A list of parameters, or of other values, which are then no parameters of the model."""

    def __init__(self, values: Optional[Iterable[Any]] = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, index: int) -> str:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"index {position} is out of range for {len(self)} parameters")
        return str(position % len(self))

    def __getitem__(self, index: Union[int, slice]) -> Any:
        if isinstance(index, slice):
            return type(self)(self[i] for i in range(*index.indices(len(self))))
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), value)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Adds a parameter at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds parameters at the end."""
        if not isinstance(values, IterableABC):
            raise TypeError(f"ParameterList.extend takes an iterable, not {typename(values)}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"({index}): {typename(value)}" for index, value in enumerate(self))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a ParameterList holds parameters and cannot be called")


class ParameterDict(Module):
    """Parameters by name, or other values, which are then no parameters of the model."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: Dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        self._check(key)
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def _check(self, key: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"the keys of a ParameterDict are strings, not {typename(key)}")

    def __setitem__(self, key: str, value: Any) -> None:
        self._check(key)
        self._keys[key] = None
        setattr(self, key, value)

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Another ParameterDict of the same parameters."""
        return ParameterDict(self)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key; a key that is not there is added with the default."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Removes all parameters."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Removes a parameter and returns it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> Tuple[str, Any]:
        """Removes the parameter that was added last, and returns its key and it."""
        if not self._keys:
            raise KeyError("popitem(): the ParameterDict is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A ParameterDict with one value for all keys."""
        return ParameterDict([(key, default) for key in keys])

    def keys(self) -> Iterable[str]:
        """The keys, in the order in which they were added."""
        return self._keys.keys()

    def items(self) -> Iterable[Tuple[str, Any]]:
        """The keys with their values."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Adds parameters from a mapping or from pairs, in place of those of the same key."""
        for key, value in pairs(parameters, "ParameterDict.update"):
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(f"({key}): {typename(value)}" for key, value in self.items())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a ParameterDict holds parameters and cannot be called")

    def __or__(self, other: Any) -> ParameterDict:
        union = self.copy()
        union.update(other)
        return union

    def __ror__(self, other: Any) -> ParameterDict:
        union = ParameterDict(other)
        union.update(self)
        return union

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self
