"""Expressions over dimensions; the arithmetic is the compiler's."""

from __future__ import annotations

from typing import Any, Dict, Union

from aitemplate._native import bridge


class Symbolic:
    """An extent as an expression over named symbols: equal expressions have one number.

    Attributes:
        number: the compiler's number of the expression.
        text: the expression, such as ``batch * 4``.
        lower: the least value.
        upper: the greatest value.
    """

    __slots__ = ("number", "text", "lower", "upper")

    def __init__(self, number: int, text: str, lower: int, upper: int) -> None:
        self.number = number
        self.text = text
        self.lower = lower
        self.upper = upper

    @staticmethod
    def of(reply: Dict[str, Any]) -> Symbolic:
        """The expression that a reply describes."""
        return Symbolic(reply["dimension"], reply["text"], reply["lower"], reply["upper"])

    @staticmethod
    def symbol(name: str, lower: int, upper: int) -> Symbolic:
        """The symbol of a name and bounds."""
        reply = bridge.call("dimension.symbol", {"name": name, "lower": lower, "upper": upper})
        return Symbolic.of(reply)

    @staticmethod
    def combine(
        function: str, left: Union[int, Symbolic], right: Union[int, Symbolic]
    ) -> Union[int, Symbolic]:
        """A function of expressions and numbers: add, subtract, multiply, divide."""
        reply = bridge.call(
            "dimension.combine",
            {"function": function, "left": _extent(left), "right": _extent(right)},
        )
        return reply["i"] if "i" in reply else Symbolic.of(reply)

    @property
    def name(self) -> str:
        """The text."""
        return self.text

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Symbolic) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return self.text

    def __add__(self, other: Any) -> Any:
        return Symbolic.combine("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return Symbolic.combine("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return Symbolic.combine("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return Symbolic.combine("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return Symbolic.combine("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return Symbolic.combine("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return Symbolic.combine("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return Symbolic.combine("divide", other, self)

    __floordiv__ = __truediv__
    __rfloordiv__ = __rtruediv__


def _extent(value: Union[int, Symbolic]) -> Dict[str, int]:
    if isinstance(value, Symbolic):
        return {"dimension": value.number}
    return {"i": int(value)}
