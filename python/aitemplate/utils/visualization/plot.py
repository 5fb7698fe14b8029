"""A graph as a picture: a page that needs nothing else, or a file that graphviz draws."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from aitemplate.utils.environ import shorten_tensor_names_for_plots
from aitemplate.utils.graph_timings import ProfiledTimeStatistics, track_graph_timings
from aitemplate.utils.json_utils import gen_unique_op_names
from aitemplate.utils.misc import short_str
from aitemplate.utils.visualization.page import page

__all__ = ["plot_graph"]

_COLORS = {
    "tensor": "#a8d5f2",
    "view": "#e3b7e8",
    "output": "#e07aa0",
    "parameter": "#c4c4c4",
    "operator": "#b7a4e0",
}
# What of an operator's attributes is shown.
_KEYS = ("op", "depth", "nop", "epilogue", "epilogue_alignment", "split_k", "permute_shape")
_LONG_NAME = 30


@dataclass
class Node:
    """A tensor or an operator of the picture."""

    name: str
    label: str
    color: str
    is_operator: bool
    details: Dict[str, str]
    # How much wider its border is than others, for operators that take long.
    weight: int = 1
    operands: List[str] = field(default_factory=list)


def sorted_tensors(tensors: Union[Any, Sequence[Any]]) -> List[Any]:
    """The tensors that some depend on, and they themselves, operands before results."""
    order: List[Any] = []
    seen = set()
    stack: List[Tuple[Any, bool]] = [
        (tensor, False)
        for tensor in reversed(list(tensors) if isinstance(tensors, (list, tuple)) else [tensors])
    ]
    while stack:
        tensor, is_ready = stack.pop()
        if is_ready:
            order.append(tensor)
            continue
        if tensor in seen:
            continue
        seen.add(tensor)
        stack.append((tensor, True))
        for operator in tensor.src_ops():
            for operand in reversed(operator._attrs["inputs"]):
                stack.append((operand, False))
    return order


def _extent(dim: Any) -> str:
    values = dim._attrs["values"]
    return str(values[0]) if len(values) == 1 else f"{min(values)}..{max(values)}"


def _tensor_details(tensor: Any) -> Dict[str, str]:
    view = tensor._attrs.get("is_view_of")
    details = {"shape": "[" + ", ".join(_extent(dim) for dim in tensor.shape()) + "]"}
    for key in ("dtype", "is_input", "is_output", "is_param"):
        details[key] = str(tensor._attrs.get(key))
    details["is_view_of"] = "None" if view is None else str(view._attrs["name"])
    return details


def _operator_details(operator: Any) -> Dict[str, str]:
    details = {
        key: str(operator._attrs[key])
        for key in _KEYS
        if operator._attrs.get(key) not in (None, "")
    }
    members = operator._attrs.get("elementwise_ops")
    if members:
        details["func"] = ", ".join(str(member._attrs["func"]) for member in members)
    elif operator._attrs.get("func") is not None:
        details["func"] = str(operator._attrs["func"])
    return details


def _tensor_color(tensor: Any) -> str:
    for key, color in (("is_param", "parameter"), ("is_output", "output"), ("is_view_of", "view")):
        if tensor._attrs.get(key):
            return _COLORS[color]
    return _COLORS["tensor"]


def _nodes(graph: List[Any], times: ProfiledTimeStatistics) -> List[Node]:
    unique = gen_unique_op_names(graph)
    names: Dict[Any, str] = {}
    taken: Dict[str, int] = {}

    def name_of(value: Any, base: Optional[str]) -> str:
        if value not in names:
            name = base or f"tensor {len(names)}"
            taken[name] = taken.get(name, 0) + 1
            names[value] = name if taken[name] == 1 else f"{name} ({taken[name]})"
        return names[value]

    nodes: Dict[str, Node] = {}
    for tensor in graph:
        sources = []
        for operator in tensor.src_ops():
            base = unique.get(operator) or operator._attrs.get("name") or operator._attrs["op"]
            name = name_of(operator, base)
            sources.append(name)
            if name not in nodes:
                operands = [name_of(x, x._attrs["name"]) for x in operator._attrs["inputs"]]
                duration = times.op_durations.get(operator)
                nodes[name] = Node(
                    name,
                    name if duration is None else f"{name}\n{duration:.3f} ms",
                    _COLORS["operator"],
                    True,
                    _operator_details(operator),
                    _weight(duration, times),
                    operands,
                )
        name = name_of(tensor, tensor._attrs["name"])
        label = (
            short_str(name) if shorten_tensor_names_for_plots() and len(name) > _LONG_NAME else name
        )
        ends = [
            f"{tracker[tensor].execution_end:.3f} ms"
            for tracker in (times.tensor_sequential_trackers, times.tensor_parallel_trackers)
            if tensor in tracker and tracker[tensor].execution_end != 0
        ]
        if ends:
            label += "\n" + " / ".join(ends)
        nodes[name] = Node(
            name, label, _tensor_color(tensor), False, _tensor_details(tensor), 1, sources
        )
    return list(nodes.values())


def _weight(duration: Optional[float], times: ProfiledTimeStatistics) -> int:
    if duration is None:
        return 1
    limits = (times.duration_p70, times.duration_p90, times.duration_p95)
    return 1 + 2 * sum(duration > limit for limit in limits)


def _dot(nodes: List[Node]) -> str:
    def quote(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = ["digraph {"]
    for node in nodes:
        shape = "folder" if node.is_operator else "note"
        details = "\n".join(f"{key}: {value}" for key, value in node.details.items())
        lines.append(
            f"  {quote(node.name)} [shape={shape}, style=filled, fillcolor={quote(node.color)}, "
            f"penwidth={node.weight}, label={quote(node.label)}, tooltip={quote(details)}];"
        )
        lines += [f"  {quote(operand)} -> {quote(node.name)};" for operand in node.operands]
    return "\n".join([*lines, "}"]) + "\n"


def plot_graph(
    tensors: Union[Any, Sequence[Any]],
    file_path: str,
    file_with_time_profiles: Optional[str] = None,
) -> None:
    """Draws a graph.

    Args:
        tensors: the outputs of the graph, or all of its tensors.
        file_path: the file, whose ending says what it is: ".html" is a page that shows attributes
            of what is clicked, ".dot" the graph as text; ".svg", ".png", ".pdf" and the like are
            drawn by graphviz, whose `dot` must be installed.
        file_with_time_profiles: times of operators, as `Model.profile` writes them: operators show
            theirs, tensors when they are ready, one operator after the other and in parallel.

    Raises:
        ValueError: the file has no ending, or one that graphviz does not know.
        RuntimeError: graphviz is not installed.
    """
    extension = os.path.splitext(file_path)[1][1:]
    if not extension:
        raise ValueError("Please provide a file extension in path to plot.")
    graph = sorted_tensors(tensors)
    times = ProfiledTimeStatistics()
    if file_with_time_profiles is not None:
        times = track_graph_timings(graph, file_with_time_profiles)
    nodes = _nodes(graph, times)
    folder = os.path.dirname(file_path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    if extension in ("html", "dot"):
        title = os.path.splitext(os.path.basename(file_path))[0]
        text = _dot(nodes) if extension == "dot" else page(html.escape(title), nodes)
        with open(file_path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            f"a picture of type '{extension}' is drawn by graphviz, which is not installed; "
            "'.html' and '.dot' need no other program"
        )
    drawn = subprocess.run(
        [program, f"-T{extension}", "-o", file_path],
        input=_dot(nodes),
        text=True,
        capture_output=True,
    )
    if drawn.returncode != 0:
        raise ValueError(f"Unsupported extension '{extension}' to plot! {drawn.stderr.strip()}")
