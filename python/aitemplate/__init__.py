"""AITemplate: PyTorch models compiled ahead of time into one library of fused kernels.

The names are those of Meta's AITemplate, so that its programs run as they are; the compiler behind
them is a library (``_native``) that needs neither a GPU nor PyTorch. numpy and torch are used where
they are there, and are imported only when a caller passes their tensors.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["backend", "compile", "compiler", "frontend", "testing", "utils"]


def __getattr__(name: str):
    """Imports a subpackage on first use, so that ``import aitemplate`` itself costs nothing."""
    import importlib

    if name == "compile":
        return importlib.import_module(f"{__name__}.exported").compile
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
