"""Modules that hold modules: in order, in a list, by name. They behave as those of `torch.nn`."""

from __future__ import annotations

import operator
from collections.abc import Iterable as IterableABC
from collections.abc import Mapping as MappingABC
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from aitemplate.frontend.nn.module import Module, typename
from aitemplate.frontend.nn.parameter_container import ParameterDict, ParameterList, pairs

__all__ = ["Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"]


class _Numbered(Module):
    """What `Sequential` and `ModuleList` share: parts that have an order."""

    def _key(self, index: int) -> str:
        keys = list(self._modules)
        position = operator.index(index)
        if not -len(keys) <= position < len(keys):
            raise IndexError(f"index {position} is out of range for {len(keys)} modules")
        return keys[position]

    def _renumber(self, modules: Iterable[Optional[Module]]) -> None:
        values = list(modules)
        self._modules.clear()
        self._modules.update((str(index), module) for index, module in enumerate(values))

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: Union[int, slice]) -> None:
        keys = list(self._modules)
        for key in keys[index] if isinstance(index, slice) else [self._key(index)]:
            delattr(self, key)
        self._renumber(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def pop(self, index: Union[int, slice]) -> Module:
        """Removes a module and returns it."""
        module = self[index]
        del self[index]
        return module

    def append(self, module: Module) -> _Numbered:
        """Adds a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> _Numbered:
        """Adds modules at the end."""
        if not isinstance(modules, IterableABC):
            raise TypeError(
                f"{typename(self)}.extend takes an iterable of modules, not {typename(modules)}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> _Numbered:
        """Adds a module before the one at an index."""
        if not isinstance(module, Module):
            raise AssertionError(f"a {typename(self)} holds modules, not {typename(module)}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} modules")
        modules: List[Optional[Module]] = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self


class Sequential(_Numbered):
    """Modules called one after the other, each with the result of the one before.

    Takes the modules as arguments, or one mapping of names to modules in order.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], MappingABC):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for index, module in enumerate(args):
                self.add_module(str(index), module)

    def __getitem__(self, index: Union[int, slice]) -> Any:
        if isinstance(index, slice):
            return type(self)(dict(list(self._modules.items())[index]))
        return self._modules[self._key(index)]

    def _check_other(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(f"only a Sequential can be added to one, not {typename(other)}")

    def __add__(self, other: Sequential) -> Sequential:
        self._check_other(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        self._check_other(other)
        self.extend(other)
        return self

    def _check_factor(self, factor: Any) -> None:
        if not isinstance(factor, int):
            raise TypeError(
                f"unsupported operand type(s) for *: {typename(self)} and {typename(factor)}"
            )
        if factor <= 0:
            raise ValueError(f"a Sequential is repeated at least once, not {factor} times")

    def __mul__(self, factor: int) -> Sequential:
        self._check_factor(factor)
        return Sequential(*(list(self) * factor))

    __rmul__ = __mul__

    def __imul__(self, factor: int) -> Sequential:
        self._check_factor(factor)
        self.extend(list(self) * (factor - 1))
        return self

    def forward(self, value: Any) -> Any:
        for module in self:
            value = module(value)
        return value


class ModuleList(_Numbered):
    """A list of modules, whose parameters are the model's; it cannot be called itself."""

    def __init__(self, modules: Optional[Iterable[Module]] = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: Union[int, slice]) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._modules[self._key(index)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        self.extend(modules)
        return self


class ModuleDict(Module):
    """Modules by name, whose parameters are the model's; it cannot be called itself."""

    def __init__(self, modules: Optional[Mapping[str, Module]] = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Removes all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Removes a module and returns it."""
        return self._modules.pop(key)

    def keys(self) -> Iterable[str]:
        """The names, in the order in which they were added."""
        return self._modules.keys()

    def items(self) -> Iterable[Tuple[str, Module]]:
        """The names with their modules."""
        return self._modules.items()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Union[Mapping[str, Module], Iterable[Tuple[str, Module]]]) -> None:
        """Adds modules from a mapping or from pairs, in place of those of the same name."""
        for key, module in pairs(modules, "ModuleDict.update"):
            self[key] = module
