"""What lies inside and outside of a group of operators."""

from __future__ import annotations

from typing import Dict, Iterable, List, Set

from aitemplate.compiler.base import Operator, Tensor

__all__: List[str] = []


def _get_inputs_outputs(
    partitioned_ops: Iterable[Operator], all_ops: Set[Operator]
) -> List[List[Tensor]]:
    """The tensors that operators read and write, and of both those that others are concerned with.

    Args:
        partitioned_ops: a group of operators.
        all_ops: all that may be grouped.

    Returns:
        Tensors read; written; read and not computed inside; written and read outside, or outputs
        of the graph.
    """
    reads: Dict[Tensor, None] = {}
    writes: Dict[Tensor, None] = {}
    for operator in partitioned_ops:
        reads.update(dict.fromkeys(operator._attrs["inputs"]))
        writes.update(dict.fromkeys(operator._attrs["outputs"]))
    others = set(all_ops)
    from_outside = [
        tensor for tensor in reads if tensor not in writes and not tensor.is_a_const_num()
    ]
    to_outside = [
        tensor
        for tensor in writes
        if tensor._attrs["is_output"] or set(tensor._attrs["dst_ops"]) - others
    ]
    return [list(reads), list(writes), from_outside, to_outside]
