"""Extents of tensors: numbers, symbols, expressions over symbols, and jagged ones."""

from __future__ import annotations

import itertools
from numbers import Number
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Union

from aitemplate.compiler.symbolic import Symbolic

if TYPE_CHECKING:
    from aitemplate.compiler.base import Tensor

_counter = itertools.count()


class Node:
    """What tensors, operators and dimensions share: a dictionary of attributes."""

    def __init__(self) -> None:
        self._attrs: Dict[str, Any] = {"name": None, "depth": 0, "nop": False}

    def __repr__(self) -> str:
        return self.pseudo_code()

    __str__ = __repr__

    def pseudo_code(self, with_shape: bool = False) -> str:
        """A line of Python-like text."""
        return f"{type(self).__name__}({self._attrs['name']})"


class IntVar(Node):
    """An extent that is known only when the model runs.

    Args:
        values: the least and the greatest extent, both allowed; values between them are points at
            which kernels are tuned.
        name: the symbol's name; the same name and bounds are the same extent everywhere.
        symbolic_value: the expression that the extent is, for one computed from others.
    """

    _by_number: Dict[int, IntVar] = {}

    def __init__(
        self,
        values: Sequence[int],
        name: Optional[str] = None,
        symbolic_value: Any = None,
    ) -> None:
        super().__init__()
        if values is None or len(values) < 2:
            raise RuntimeError(
                f"IntVar 'values' field must have at least 2 values! values: {values}, name: {name}"
            )
        if min(values) < 0:
            raise RuntimeError(f"IntVar has < 0 value! values: {values}, name: {name}")
        self._attrs["name"] = name
        self._attrs["values"] = sorted(set(values))
        if len(self._attrs["values"]) == 1:
            self._attrs["symbolic_value"] = self._attrs["values"][0]
            self._attrs["values"] = self._attrs["values"] * 2
        elif symbolic_value is not None:
            self._attrs["symbolic_value"] = symbolic_value
        else:
            symbol = Symbolic.symbol(
                name or f"dim_{next(_counter)}", self.lower_bound(), self.upper_bound()
            )
            self._attrs["symbolic_value"] = symbol
            IntVar._by_number[symbol.number] = self

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, IntVar)
            and self._attrs["symbolic_value"] == other._attrs["symbolic_value"]
        )

    def __hash__(self) -> int:
        return hash(self._attrs["symbolic_value"])

    def lower_bound(self) -> int:
        """The least extent."""
        return self._attrs["values"][0]

    def upper_bound(self) -> int:
        """The greatest extent."""
        return self._attrs["values"][-1]

    def symbolic_value(self) -> Any:
        """The expression that the extent is: a number, or a `Symbolic`."""
        return self._attrs["symbolic_value"]

    def pseudo_code(self, with_shape: bool = False) -> str:
        """The name, or the expression."""
        name = self._attrs["name"]
        return name if name is not None else f"IntVar({self._attrs['values']})"

    # Arithmetic is the compiler's; bounds below 0 are no extents.

    def _combine(self, function: str, other: Any, reverse: bool = False) -> IntVar:
        if isinstance(other, IntVar):
            other = other._attrs["symbolic_value"]
        elif not isinstance(other, Number):
            raise NotImplementedError(f"Unable to {function} {self} and {other}")
        left, right = self._attrs["symbolic_value"], other
        if reverse:
            left, right = right, left
        return int_var_of(Symbolic.combine(function, left, right))

    def __add__(self, other: Any) -> IntVar:
        return self._combine("add", other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> IntVar:
        return self._combine("subtract", other)

    def __rsub__(self, other: Any) -> IntVar:
        return self._combine("subtract", other, reverse=True)

    def __mul__(self, other: Any) -> IntVar:
        return self._combine("multiply", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> IntVar:
        return self._combine("divide", other)

    def __rtruediv__(self, other: Any) -> IntVar:
        return self._combine("divide", other, reverse=True)

    __floordiv__ = __truediv__
    __rfloordiv__ = __rtruediv__


class IntImm(IntVar):
    """An extent that is known when compiling."""

    def __init__(self, value: int, name: Optional[str] = None) -> None:
        if not isinstance(value, int):
            raise RuntimeError(
                f"IntImm only takes an int value! Name: {name}, current value: {value}"
            )
        Node.__init__(self)
        self._attrs["name"] = name
        self._attrs["values"] = [value]
        self._attrs["symbolic_value"] = value

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, int):
            return self.value() == other
        return isinstance(other, IntImm) and self.value() == other.value()

    __hash__ = IntVar.__hash__

    def value(self) -> int:
        """The extent."""
        return self._attrs["values"][0]

    def pseudo_code(self, with_shape: bool = False) -> str:
        """The number."""
        return str(self.value())


def int_var_of(value: Union[int, Symbolic]) -> IntVar:
    """The dimension that an expression is; the user's own object for a symbol of the user's."""
    if not isinstance(value, Symbolic):
        return IntImm(max(0, value))
    known = IntVar._by_number.get(value.number)
    if known is None:
        bounds = [max(0, value.lower), max(0, value.upper)]
        if bounds[0] == bounds[1]:
            return IntImm(bounds[0])
        known = IntVar(bounds, symbolic_value=value)
        IntVar._by_number[value.number] = known
    return known


class JaggedDim(Node):
    """One level of a jagged dimension: the bounds of the lengths of its sequences.

    Args:
        min_value: the least length.
        max_value: the greatest length.
    """

    def __init__(self, min_value: Union[int, IntVar], max_value: Union[int, IntVar]) -> None:
        super().__init__()
        if isinstance(min_value, int):
            min_value = IntImm(min_value)
        if isinstance(max_value, int):
            max_value = IntImm(max_value)
        if min_value.lower_bound() < 0:
            raise ValueError(f"{min_value=}, but must be non-negative.")
        if min_value.lower_bound() > max_value.upper_bound():
            raise ValueError(f"{min_value=} can't be larger than {max_value=}.")
        self._attrs["values"] = [min_value, max_value]
        self._attrs["offsets"] = None

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, JaggedDim)
            and self.min_value() == other.min_value()
            and self.max_value() == other.max_value()
            and self.offsets() is other.offsets()
        )

    def __hash__(self) -> int:
        return hash((self.min_value(), self.max_value()))

    def min_value(self) -> IntVar:
        """The least length."""
        return self._attrs["values"][0]

    def max_value(self) -> IntVar:
        """The greatest length."""
        return self._attrs["values"][1]

    def offsets(self) -> Optional[Tensor]:
        """Where the sequences begin, [B + 1]; set by `make_jagged`."""
        return self._attrs["offsets"]

    def pseudo_code(self, with_shape: bool = False) -> str:
        """The bounds."""
        return f"JaggedDim({self.min_value().pseudo_code()}, {self.max_value().pseudo_code()})"


class JaggedIntVar(IntVar):
    """The first dimension of a jagged tensor: sequences of several lengths, one after the other.

    Made by the operator `make_jagged`.

    Args:
        total_length: the extent of the dimension in memory.
        batch_dim: how many sequences there are.
        jagged_dims: the levels, outermost first, with offsets.
    """

    def __init__(
        self, total_length: IntVar, batch_dim: IntVar, jagged_dims: List[JaggedDim]
    ) -> None:
        if total_length is None or type(total_length) is not IntVar:
            raise TypeError(
                f"total_length must be dynamic (IntVar), but given {type(total_length).__name__}."
            )
        if not jagged_dims or not all(isinstance(dim, JaggedDim) for dim in jagged_dims):
            raise TypeError(
                f"jagged_dims must be a non-empty list of JaggedDims, but given {jagged_dims}."
            )
        types = set()
        for level, dim in enumerate(jagged_dims):
            if dim.offsets() is None:
                raise ValueError(
                    f"JaggedDim {level} in the jagged_dims list has no associated offsets: "
                    "jagged tensors are made by the operator make_jagged"
                )
            types.add(dim.offsets()._attrs["dtype"])
        if not types <= {"int32", "int64"}:
            raise TypeError(f"offsets are int32 or int64, but given {sorted(types)}.")
        if len(types) > 1:
            raise TypeError(f"all offsets have one type, but given {sorted(types)}.")
        super().__init__(
            total_length._attrs["values"],
            total_length._attrs["name"],
            total_length._attrs["symbolic_value"],
        )
        self._attrs["batch_dim"] = batch_dim
        self._attrs["jagged_dims"] = jagged_dims
        self._attrs["offsets_type"] = f"{types.pop()}_t"
        self._total_length = total_length

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, JaggedIntVar)
            and self.total_length() == other.total_length()
            and self.batch_dim() == other.batch_dim()
            and self.jagged_dims() == other.jagged_dims()
        )

    __hash__ = IntVar.__hash__

    def total_length(self) -> IntVar:
        """The extent of the dimension in memory."""
        return self._total_length

    def batch_dim(self) -> IntVar:
        """How many sequences there are."""
        return self._attrs["batch_dim"]

    def jagged_dims(self) -> List[JaggedDim]:
        """The levels, outermost first."""
        return self._attrs["jagged_dims"]

    def offsets_type(self) -> str:
        """The C type of the offsets."""
        return self._attrs["offsets_type"]

    def get_max_dense_shape(self) -> List[IntVar]:
        """The extents of the padded tensor: the batch, then the greatest length of each level."""
        return [self.batch_dim()] + [dim.max_value() for dim in self.jagged_dims()]
