"""Operators that describe memory anew."""

from aitemplate.compiler.ops.jagged import make_jagged  # noqa: F401


def __getattr__(name):
    from aitemplate.compiler import ops

    return getattr(ops, name)
