"""Which tensors are constants."""

from __future__ import annotations

from typing import Sequence

from aitemplate.compiler.base import IntVarTensor, Tensor

__all__ = ["mark_param_tensor"]


def mark_param_tensor(sorted_graph: Sequence[Tensor]) -> None:
    """Sets `is_param` of the tensors that are neither inputs, nor computed, nor numbers."""
    for tensor in sorted_graph:
        attrs = tensor._attrs
        if attrs["src_ops"] or attrs["is_input"] or isinstance(tensor, IntVarTensor):
            continue
        if not tensor.is_a_const_num():
            attrs["is_param"] = True
