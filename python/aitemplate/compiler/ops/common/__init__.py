"""Modules of AITemplate's names: what programs import of `ops.common`."""

from __future__ import annotations

from typing import Any

from aitemplate.compiler.ops.common.epilogue import FuncEnum

__all__ = ["FuncEnum"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from aitemplate.compiler import ops

    return getattr(ops, name)
