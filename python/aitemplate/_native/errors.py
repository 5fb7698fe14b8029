"""The exceptions that stand for the compiler's diagnostics."""

from __future__ import annotations

from typing import Any, Dict, Optional


class DiagnosticError(RuntimeError, ValueError):
    """A problem that the compiler found.

    The text says what was found, what was expected, the line of Python that made it, and what to
    do. It is a `RuntimeError` and a `ValueError`, as AITemplate raises either for such problems.

    Attributes:
        identity: the kind of problem, such as ``shape-mismatch``.
        message: what was found and what was expected.
        location: the line of Python, node, file or argument concerned, if any.
        hint: what to do about it, if that is known.
    """

    def __init__(
        self, identity: str, message: str, location: Optional[str], hint: Optional[str], text: str
    ) -> None:
        super().__init__(text)
        self.identity = identity
        self.message = message
        self.location = location
        self.hint = hint

    def __reduce__(self):
        values = (self.identity, self.message, self.location, self.hint, str(self))
        return (type(self), values)


class DiagnosticTypeError(DiagnosticError, TypeError):
    """Arguments or element types that do not fit."""


class UnsupportedError(DiagnosticError, NotImplementedError):
    """What the compiler, or the target, cannot do."""


class ArgumentError(DiagnosticError, TypeError, AssertionError):
    """An argument of a kind that the operator does not take."""


_TYPES = {
    "dtype-mismatch": DiagnosticTypeError,
    "invalid-argument": ArgumentError,
    "wrong-input-count": ArgumentError,
    "unsupported-operator": UnsupportedError,
    "unsupported-format": UnsupportedError,
}


def make(error: Dict[str, Any]) -> DiagnosticError:
    """Returns the exception for an `error` of a reply."""
    identity = error.get("identity", "internal-inconsistency")
    kind = _TYPES.get(identity, DiagnosticError)
    message = error.get("message", "the compiler gave no reason")
    text = error.get("text", message)
    return kind(identity, message, error.get("location"), error.get("hint"), text)
