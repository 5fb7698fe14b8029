"""The base of all layers: a tree of modules whose leaves are parameters, as in `torch.nn`."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.parameter import Parameter


def typename(value: Any) -> str:
    """The name of a value's class, for messages."""
    return type(value).__name__


def _without_forward(self: Module, *args: Any) -> None:
    raise NotImplementedError(
        f"{typename(self)} has no forward: define forward(self, ...) in the class"
    )


class Module:
    """A layer, or a model made of layers.

    Assigning a `Parameter` or a `Module` to an attribute makes it a part of this module, under
    that name; parts are found again by `named_parameters` and `named_modules`, in the order in
    which they were assigned. Calling the module calls `forward`, which builds a piece of the graph.
    """

    _parameters: Dict[str, Optional[Parameter]]
    _buffers: Dict[str, Optional[Tensor]]
    _modules: Dict[str, Optional[Module]]
    _non_persistent_buffers_set: Set[str]

    forward: Callable[..., Any] = _without_forward

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_modules"):
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_non_persistent_buffers_set", set())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # Parts

    def _store(self, kind: str) -> Dict[str, Any]:
        try:
            return self.__dict__[kind]
        except KeyError:
            part = {"_parameters": "parameter", "_buffers": "buffer", "_modules": "module"}[kind]
            raise AttributeError(
                f"cannot assign a {part} to {typename(self)} before Module.__init__() was called"
            ) from None

    def _check_name(self, part: str, name: str, store: Dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a {part} is a string, not {typename(name)}")
        if "." in name:
            raise KeyError(f'the name of a {part} cannot contain ".": {name}')
        if name == "":
            raise KeyError(f'the name of a {part} cannot be the empty string ""')
        if hasattr(self, name) and name not in store:
            raise KeyError(f"{typename(self)} has an attribute '{name}' already")

    def register_buffer(self, name: str, tensor: Optional[Tensor], persistent: bool = True) -> None:
        """Makes a tensor that is no parameter a part of this module."""
        store = self._store("_buffers")
        self._check_name("buffer", name, store)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"buffer '{name}' is a Tensor or None, not {typename(tensor)}")
        store[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Optional[Parameter]) -> None:
        """Makes a parameter a part of this module; so does assigning it to an attribute."""
        store = self._store("_parameters")
        self._check_name("parameter", name, store)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"parameter '{name}' is a nn.Parameter or None, not {typename(param)}")
        store[name] = param

    def add_module(self, name: str, module: Optional[Module]) -> None:
        """Makes a module a part of this module; so does assigning it to an attribute."""
        store = self._store("_modules")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"module '{name}' is a nn.Module or None, not {typename(module)}")
        self._check_name("module", name, store)
        store[name] = module

    def register_module(self, name: str, module: Optional[Module]) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    # Look-up by dotted path

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path, such as "encoder.0.attention"; "" is this module."""
        module: Module = self
        for name in target.split(".") if target else []:
            if not hasattr(module, name):
                raise AttributeError(f"{typename(module)} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not a nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{typename(module)} has no attribute `{name}`")
        parameter = getattr(module, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not a nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{typename(module)} has no attribute `{name}`")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return getattr(module, name)

    # Attributes

    def __getattr__(self, name: str) -> Any:
        for kind in ("_parameters", "_buffers", "_modules"):
            store = self.__dict__.get(kind)
            if store is not None and name in store:
                return store[name]
        raise AttributeError(f"'{typename(self)}' object has no attribute '{name}'")

    def _forget(self, name: str) -> None:
        self.__dict__.pop(name, None)
        for kind in ("_parameters", "_buffers", "_modules"):
            self.__dict__.get(kind, {}).pop(name, None)
        self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)

    def __setattr__(self, name: str, value: Any) -> None:
        for kind, cls in (("_parameters", Parameter), ("_modules", Module)):
            if isinstance(value, cls):
                store = self._store(kind)
                if name not in store:
                    self._forget(name)
                store[name] = value
                return
        for kind, expected, allowed in (
            ("_parameters", "parameter '{}' is a nn.Parameter or None", ()),
            ("_modules", "module '{}' is a nn.Module or None", ()),
            ("_buffers", "buffer '{}' is a Tensor or None", (Tensor,)),
        ):
            store = self.__dict__.get(kind)
            if store is not None and name in store:
                if value is not None and not isinstance(value, allowed):
                    raise TypeError(f"{expected.format(name)}, not {typename(value)}")
                store[name] = value
                return
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(kind, {}):
                self._forget(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> List[str]:
        names = [*dir(type(self)), *self.__dict__]
        names += [*self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in set(names) if not name[0].isdigit())

    # Walks

    def _named_members(
        self,
        members: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
    ) -> Iterator[Tuple[str, Any]]:
        seen: Set[Any] = set()
        modules = self.named_modules(prefix=prefix) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in members(module):
                if member is None or member in seen:
                    continue
                seen.add(member)
                yield f"{path}.{name}" if path else name, member

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once; without those of parts if not `recurse`."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[Tuple[str, Parameter]]:
        """All parameters with their dotted paths, each once."""
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once; without those of parts if not `recurse`."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[Tuple[str, Tensor]]:
        """All buffers with their dotted paths, each once."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse)

    def children(self) -> Iterator[Module]:
        """The modules that are direct parts, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[Tuple[str, Module]]:
        """The modules that are direct parts, with their names, each once."""
        seen: Set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self) -> Iterator[Module]:
        """This module and all modules below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_modules(
        self,
        memo: Optional[Set[Module]] = None,
        prefix: str = "",
        remove_duplicate: bool = True,
    ) -> Iterator[Tuple[str, Module]]:
        """This module and all modules below it with their dotted paths, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def name_parameter_tensor(self) -> None:
        """Names every parameter after its path, with "_" for ".": what the library knows it by."""
        for name, parameter in self.named_parameters():
            parameter.tensor()._attrs["name"] = name.replace(".", "_")

    # Text

    def _get_name(self) -> str:
        return typename(self)

    def extra_repr(self) -> str:
        """What `repr` says of this module besides its parts; for subclasses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._modules.items()
        ]
        if not children:
            inside = extra if "\n" not in extra else "\n  " + extra.replace("\n", "\n  ") + "\n"
        else:
            lines = (extra.split("\n") if extra else []) + children
            inside = "\n  " + "\n  ".join(lines) + "\n"
        return f"{self._get_name()}({inside})"
