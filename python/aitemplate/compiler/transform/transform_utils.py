"""Whether a graph is whole."""

from __future__ import annotations

from typing import Iterator, Sequence, Set

from aitemplate.compiler.base import Tensor

__all__ = ["check_graph_validity"]


def _faults(sorted_graph: Sequence[Tensor]) -> Iterator[str]:
    before: Set[Tensor] = set()
    for tensor in sorted_graph:
        name = tensor._attrs["name"]
        for operator in tensor.src_ops():
            operator_name = operator._attrs["name"]
            if tensor not in operator._attrs["outputs"]:
                yield f"Tensor {name} not in outputs for op {operator_name}"
            for operand in operator._attrs["inputs"]:
                operand_name = operand._attrs["name"]
                if operand not in before:
                    yield (
                        f"Input tensor {operand_name} not established in graph for op "
                        f"{operator_name}"
                    )
                if operator not in operand.dst_ops():
                    yield f"Op {operator_name} not designated as dst_op for tensor {operand_name}"
        before.add(tensor)
    after: Set[Tensor] = set()
    for tensor in reversed(sorted_graph):
        name = tensor._attrs["name"]
        for operator in tensor.dst_ops():
            operator_name = operator._attrs["name"]
            if tensor not in operator._attrs["inputs"]:
                yield f"Tensor {name} not in inputs for op {operator_name}"
            for result in operator._attrs["outputs"]:
                result_name = result._attrs["name"]
                if result not in after:
                    yield (
                        f"Output tensor {result_name} not established in graph for op "
                        f"{operator_name}"
                    )
                if operator not in result.src_ops():
                    yield f"Op {operator_name} not designated as src_op for tensor {result_name}"
        after.add(tensor)


def check_graph_validity(sorted_graph: Sequence[Tensor], raiseError: bool = False) -> bool:
    """Whether tensors and operators of a sorted graph name each other, operands before results.

    Raises:
        RuntimeError: they do not, and `raiseError` is set.
    """
    for fault in _faults(sorted_graph):
        if raiseError:
            raise RuntimeError(fault)
        return False
    return True
