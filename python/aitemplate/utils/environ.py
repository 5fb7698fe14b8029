"""Environment variables that AITemplate knows and that mean something here."""

from __future__ import annotations

import os

__all__ = ["enable_standalone_exe_generation", "shorten_tensor_names_for_plots"]


def _is_on(name: str) -> bool:
    return os.environ.get(name, "0") == "1"


def shorten_tensor_names_for_plots() -> bool:
    """AIT_PLOT_SHORTEN_TENSOR_NAMES=1: pictures of graphs have hashes for long names."""
    return _is_on("AIT_PLOT_SHORTEN_TENSOR_NAMES")


def enable_standalone_exe_generation() -> bool:
    """AIT_ENABLE_STANDALONE=1: the default of `AITDebugSettings.gen_standalone`."""
    return _is_on("AIT_ENABLE_STANDALONE")
