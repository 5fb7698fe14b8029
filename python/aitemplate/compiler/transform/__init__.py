"""Questions about graphs of Python's tensors, under the names they have in AITemplate.

The passes that make a graph fast are the compiler's, which runs them in `compile_model`; they have
no names here.
"""

from __future__ import annotations

from typing import Any

from aitemplate.compiler.transform import fuse_ops, transform_utils
from aitemplate.compiler.transform.mark_param_tensor import mark_param_tensor
from aitemplate.compiler.transform.name_graph import name_graph
from aitemplate.compiler.transform.refine_graph import refine_graph
from aitemplate.compiler.transform.toposort import toposort

__all__ = [
    "fuse_ops",
    "mark_param_tensor",
    "name_graph",
    "refine_graph",
    "toposort",
    "transform_utils",
]


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"aitemplate.compiler.transform has no '{name}': passes are the compiler's own, and run in "
        "compile_model"
    )
