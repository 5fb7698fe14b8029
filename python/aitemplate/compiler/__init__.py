"""The compiler: programs of tensors and operators, and libraries of them."""

from __future__ import annotations

from aitemplate.compiler import base, dtype, ops, symbolic
from aitemplate.compiler.compiler import compile_model
from aitemplate.compiler.model import AIT_DEFAULT_NUM_RUNTIMES, AITData, Model

__all__ = [
    "AIT_DEFAULT_NUM_RUNTIMES",
    "AITData",
    "Model",
    "base",
    "compile_model",
    "dtype",
    "ops",
    "public",
    "symbolic",
    "transform",
]


def __getattr__(name):
    if name in ("public", "transform"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
