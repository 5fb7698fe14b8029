"""Operators as classes, made from the compiler's catalogue.

A class has the constructor's and the call's signature of its entry; what it does is the compiler's.
"""

from __future__ import annotations

import enum
import inspect
from typing import Any, Dict, List, Optional, Tuple

from aitemplate._native import bridge
from aitemplate.compiler.base import (
    IntVar,
    IntVarTensor,
    JaggedIntVar,
    Operator,
    Tensor,
    dim_of,
    extent_of,
)
from aitemplate.compiler.symbolic import Symbolic

# Operands that the compiler takes beside jagged tensors, which here carry them.
_CARRIED = ("offsets", "max_lengths")

_entries: Optional[Dict[str, Dict[str, Any]]] = None
_classes: Dict[str, type] = {}


def entries() -> Dict[str, Dict[str, Any]]:
    """The compiler's operators by name."""
    global _entries
    if _entries is None:
        reply = bridge.call("catalog", {})
        _entries = {entry["name"]: entry for entry in reply["operators"]}
    return _entries


def names() -> List[str]:
    """The names of the compiler's operators."""
    return sorted(entries())


def operator_class(name: str) -> type:
    """The class of an operator; `KeyError` if there is none of the name."""
    known = _classes.get(name)
    if known is None:
        entry = entries()[name]
        known = type(
            name,
            (CatalogOperator,),
            {
                "__doc__": _documentation(entry),
                "__module__": "aitemplate.compiler.ops",
                "entry": entry,
                "__signature__": _signature(entry["attributes"]),
                "call_signature": _signature(
                    [p for p in entry["operands"] if p["name"] not in _CARRIED]
                ),
            },
        )
        _classes[name] = known
    return known


def _documentation(entry: Dict[str, Any]) -> str:
    lines = [entry["summary"], ""]
    for title, key in (("Constructor", "attributes"), ("Call", "operands")):
        if entry[key]:
            lines.append(f"{title}: " + ", ".join(f"{p['name']}: {p['kind']}" for p in entry[key]))
    return "\n".join(lines)


def _signature(parameters: List[Dict[str, Any]]) -> inspect.Signature:
    made = []
    for parameter in parameters:
        if parameter["isVariadic"]:
            kind, default = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.empty
        else:
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            default = (
                inspect.Parameter.empty
                if parameter["isRequired"]
                else value_of(parameter.get("default") or {})
            )
        made.append(inspect.Parameter(parameter["name"], kind, default=default))
    return inspect.Signature(made)


def value_of(message: Dict[str, Any]) -> Any:
    """The Python value of a message."""
    for field in ("b", "i", "f", "s"):
        if message.get(field) is not None:
            return message[field]
    if message.get("special") is not None:
        return float(message["special"])
    if message.get("list") is not None:
        return [value_of(element) for element in message["list"]]
    return None


def message_of(value: Any) -> Dict[str, Any]:
    """A Python value as the compiler takes it; `TypeError` for what it knows nothing of."""
    if value is None:
        return {}
    if isinstance(value, Tensor):
        if isinstance(value, IntVarTensor):
            return extent_of(value._attrs["int_var"])
        if value.is_a_const_num():
            return message_of(value._attrs["value"])
        return {"tensor": value.number()}
    if isinstance(value, (IntVar, Symbolic)):
        return extent_of(value)
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"i": value}
    if isinstance(value, float):
        # Infinities and NaN are no numbers of JSON.
        is_finite = value - value == 0
        return {"f": value} if is_finite else {"special": repr(value)}
    if isinstance(value, str):
        return {"s": value}
    if isinstance(value, enum.Enum):
        return {"s": value.name}
    if isinstance(value, (list, tuple)):
        return {"list": [message_of(element) for element in value]}
    if hasattr(value, "item"):
        return message_of(value.item())
    raise TypeError(f"{value!r} of type {type(value).__name__} is nothing an operator takes")


def _tensors_in(value: Any, found: List[Tensor]) -> None:
    if isinstance(value, Tensor):
        if not value.is_a_const_num():
            found.append(value)
    elif isinstance(value, (list, tuple)):
        for element in value:
            _tensors_in(element, found)


class CatalogOperator(Operator):
    """An operator of the compiler's catalogue."""

    entry: Dict[str, Any] = {}
    call_signature = inspect.Signature()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        bound = type(self).__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        self._attributes = dict(bound.arguments)
        self._attrs["op"] = self.entry["name"]
        self._attrs.update(self._attributes)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self.call_signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return self._apply(dict(bound.arguments))

    def _apply(self, operands: Dict[str, Any]) -> Any:
        """Notes what is to be computed, and returns tensors for the results."""
        self._operands = operands
        inputs: List[Tensor] = []
        for value in operands.values():
            _tensors_in(value, inputs)
        operands = {**self._carried(operands, inputs), **operands}
        # A constructor and a call may share a name: what the call leaves out does not count.
        given = dict(self._attributes)
        for name, value in operands.items():
            if value is not None or name not in given:
                given[name] = value
        arguments = {name: message_of(value) for name, value in given.items()}
        reply = bridge.call(
            "apply",
            {"operator": self.entry["name"], "arguments": arguments, "at": bridge.caller()},
        )
        self._attrs["inputs"] = inputs
        self._set_depth()
        outputs = [self._result(result, inputs) for result in reply["results"]]
        self._attrs["outputs"] = outputs
        kind = self.entry["results"]
        joining = self.entry.get("joiningParameter")
        if kind == "tensor" or (joining is not None and given.get(joining) is not None):
            return outputs[0]
        return tuple(outputs) if kind == "tuple" else outputs

    def _carried(self, operands: Dict[str, Any], inputs: List[Tensor]) -> Dict[str, Any]:
        """The offsets and greatest lengths of the first jagged tensor, where they are asked for."""
        wanted = [p["name"] for p in self.entry["operands"] if p["name"] in _CARRIED]
        if all(name in operands for name in wanted):
            return {}
        for tensor in inputs:
            if tensor.is_jagged():
                carried = dict(zip(_CARRIED, offsets_of(tensor._attrs["shape"][0])))
                return {name: carried[name] for name in wanted}
        raise RuntimeError(
            f"{self.entry['name']} of dense tensors, expected jagged ones: see make_jagged"
        )

    def _result(self, reply: Dict[str, Any], inputs: List[Tensor]) -> Tensor:
        shape = [dim_of(dim) for dim in reply["shape"]]
        if shape and shape[0].lower_bound() != shape[0].upper_bound():
            shape[0] = jagged_like(shape[0], inputs)
        tensor = Tensor(shape, src_ops=[self], dtype=reply["dtype"])
        tensor._number = reply["tensor"]
        return tensor

    def _get_op_attributes(self) -> Dict[str, Any]:
        return dict(self._attributes)

    def _args_for_pseudo_code(self) -> List[str]:
        return [f"{name}={value}" for name, value in self._attributes.items()]

    def pseudo_code(self, with_shape: bool = True) -> str:
        """A line of Python-like text."""
        outputs = ", ".join(x.pseudo_code(with_shape) for x in self._attrs["outputs"] or [])
        arguments = ", ".join(
            [x.pseudo_code(with_shape) for x in self._attrs["inputs"] or []]
            + self._args_for_pseudo_code()
        )
        return f"({outputs}) = {self._attrs['op']}({arguments})"


def jagged_like(dim: IntVar, inputs: List[Tensor]) -> IntVar:
    """The jagged dimension of the inputs that a dimension is the total length of, or itself."""
    for tensor in inputs:
        if tensor.is_jagged():
            jagged: JaggedIntVar = tensor._attrs["shape"][0]
            if jagged.total_length() == dim:
                return jagged
    return dim


def offsets_of(jagged: JaggedIntVar) -> Tuple[List[Tensor], List[IntVar]]:
    """The offsets and the greatest lengths of the levels of a jagged dimension."""
    dims = jagged.jagged_dims()
    return [dim.offsets() for dim in dims], [dim.max_value() for dim in dims]
