"""Graphs as text, and what the times of their operators add up to."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, Optional, Sequence, Union

from aitemplate.utils.graph_timings import (
    ProfiledTimeStatistics,
    TimestampTracking,
    track_graph_timings,
)
from aitemplate.utils.misc import is_debug

__all__ = [
    "ProfiledTimeStatistics",
    "TimestampTracking",
    "dump_graph_debug_str_to_file",
    "get_sorted_ops",
    "sorted_graph_debug_json",
    "sorted_graph_debug_str",
    "sorted_graph_pseudo_code",
    "sorted_op_pseudo_code",
    "split_simple_multistream_parallel_ops",
    "track_graph_timings",
]

_LOGGER = logging.getLogger(__name__)

Tensors = Union[Any, Sequence[Any]]


def _as_list(values: Tensors) -> List[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def get_sorted_ops(tensors: Tensors) -> List[Any]:
    """The operators that make the tensors of a sorted graph, each once, in order."""
    operators: Dict[Any, None] = {}
    for tensor in _as_list(tensors):
        operators.update(dict.fromkeys(tensor.src_ops()))
    return list(operators)


def sorted_graph_debug_str(tensors: Tensors) -> str:
    """All that is known of the tensors of a sorted graph and of their operators."""
    tensor_text = "\n\n".join(str(tensor) for tensor in _as_list(tensors))
    operator_text = "\n\n".join(str(operator) for operator in get_sorted_ops(tensors))
    return f"Tensors: {tensor_text}\n\nOperators: {operator_text}\n\n"


def sorted_graph_debug_json(tensors: Tensors) -> str:
    """The same as JSON: an object of "Tensors" and "Operators"."""
    from aitemplate.utils.json_utils import GraphJsonEncoder, gen_unique_op_names

    tensors = _as_list(tensors)
    graph = {"Tensors": tensors, "Operators": get_sorted_ops(tensors)}
    return GraphJsonEncoder(gen_unique_op_names(tensors), indent=2).encode(graph)


def sorted_graph_pseudo_code(tensors: Tensors, with_shape: bool = True) -> str:
    """A sorted graph as lines like those of Python, one for each operator."""
    return sorted_op_pseudo_code(get_sorted_ops(tensors), with_shape)


def sorted_op_pseudo_code(ops: Tensors, with_shape: bool = True) -> str:
    """Operators as lines like those of Python."""
    return "\n".join(operator.pseudo_code(with_shape) for operator in _as_list(ops))


def dump_graph_debug_str_to_file(
    tensors: Tensors,
    workdir: str,
    name: str,
    file_with_time_profiles: Optional[str] = None,
) -> None:
    """Writes a sorted graph to files in a folder, if the logger "aitemplate" is at DEBUG.

    The files are `<name>_graph.txt`, `<name>_graph.json`, `<name>_pseudo_code.txt` and
    `<name>_graph_vis.html`.
    """
    if not is_debug():
        return
    from aitemplate.utils.visualization import plot_graph

    prefix = os.path.join(workdir, name)
    for suffix, write in (
        ("_graph.txt", sorted_graph_debug_str),
        ("_graph.json", sorted_graph_debug_json),
        ("_pseudo_code.txt", sorted_graph_pseudo_code),
    ):
        with open(prefix + suffix, "w", encoding="utf-8") as file:
            file.write(write(tensors))
    plot_graph(tensors, prefix + "_graph_vis.html", file_with_time_profiles)
    _LOGGER.debug("the graph of %s was written to %s_*", name, prefix)


def split_simple_multistream_parallel_ops(
    ops_by_order: Dict[int, Sequence[Any]], max_parallel_ops: int
) -> List[List[Any]]:
    """Operators that may run at once, by levels, in groups of at most so many."""
    assert max_parallel_ops > 0, f"a group holds at least one operator, not {max_parallel_ops}"
    groups = []
    for level in sorted(ops_by_order):
        operators = list(ops_by_order[level])
        for first in range(0, len(operators), max_parallel_ops):
            groups.append(operators[first : first + max_parallel_ops])
    return groups
