"""What the times of operators add up to: one after the other, and as parallel as can be."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, List, Sequence, Union

__all__ = ["ProfiledTimeStatistics", "TimestampTracking", "track_graph_timings"]


class TimestampTracking:
    """When an operator starts, how long it takes, and its place in the order, in milliseconds."""

    def __init__(
        self, execution_start: float = 0, duration: float = 0, execution_order: int = 0
    ) -> None:
        self.execution_order = execution_order
        self.execution_start = execution_start
        self.duration = duration

    @property
    def execution_end(self) -> float:
        """When it ends."""
        return self.execution_start + self.duration


class ProfiledTimeStatistics:
    """The times of a graph: of each operator and tensor, in both schedules, and how they spread.

    `*_sequential_trackers` are of a schedule that runs one operator after the other,
    `*_parallel_trackers` of one that runs each as soon as its operands are there.
    """

    def __init__(self) -> None:
        self.op_durations: Dict[Any, float] = {}
        self.op_parallel_trackers: Dict[Any, TimestampTracking] = {}
        self.op_sequential_trackers: Dict[Any, TimestampTracking] = {}
        self.tensor_parallel_trackers: Dict[Any, TimestampTracking] = {}
        self.tensor_sequential_trackers: Dict[Any, TimestampTracking] = {}
        self.duration_p70 = 0.0
        self.duration_p90 = 0.0
        self.duration_p95 = 0.0
        self.duration_max = 0.0
        self.total_duration = 0.0


def _durations(source: Any) -> Dict[str, float]:
    if isinstance(source, (str, os.PathLike)):
        with open(source, encoding="utf-8") as file:
            profile = json.load(file)
        return {name: entry["ms_per_iter"] for name, entry in profile.items()}
    if isinstance(source, dict) and all(
        isinstance(name, str) and isinstance(time, (int, float)) for name, time in source.items()
    ):
        return source
    raise ValueError(
        "times are a file that Model.profile wrote, or a dictionary of names and milliseconds, "
        f"not {type(source)}"
    )


def track_graph_timings(
    tensors: Sequence[Any], inputv: Union[str, os.PathLike[str], Dict[str, float]]
) -> ProfiledTimeStatistics:
    """The two schedules of a sorted graph.

    Args:
        tensors: the tensors of the graph, operands before results.
        inputv: the file that `Model.profile` wrote, or milliseconds by the names of operators.
    """
    times = _durations(inputv)
    result = ProfiledTimeStatistics()
    spread = sorted(times.values())
    if spread:
        result.duration_p70 = spread[int(len(spread) * 0.7)]
        result.duration_p90 = spread[int(len(spread) * 0.9)]
        result.duration_p95 = spread[int(len(spread) * 0.95)]
        result.duration_max = spread[-1]
        result.total_duration = sum(spread)

    operators: Dict[Any, None] = {}
    for tensor in tensors:
        operators.update(dict.fromkeys(tensor.src_ops()))
    for operator in operators:
        name = operator._attrs.get("original_name")
        result.op_durations[operator] = times.get(name, 0) if name is not None else 0

    clock = 0.0
    done = 0

    def sequential(operator: Any, operands: List[TimestampTracking]) -> TimestampTracking:
        nonlocal clock, done
        done += 1
        entry = TimestampTracking(clock, result.op_durations[operator], done)
        clock = entry.execution_end
        return entry

    def parallel(operator: Any, operands: List[TimestampTracking]) -> TimestampTracking:
        start = max((operand.execution_end for operand in operands), default=0)
        level = max((operand.execution_order for operand in operands), default=-1) + 1
        return TimestampTracking(start, result.op_durations[operator], level)

    _schedule(
        tensors, sequential, result.op_sequential_trackers, result.tensor_sequential_trackers, 0
    )
    _schedule(tensors, parallel, result.op_parallel_trackers, result.tensor_parallel_trackers, -1)
    return result


def _schedule(
    tensors: Sequence[Any],
    place: Callable[[Any, List[TimestampTracking]], TimestampTracking],
    by_operator: Dict[Any, TimestampTracking],
    by_tensor: Dict[Any, TimestampTracking],
    before_all: int,
) -> None:
    """Places the operators of a sorted graph; what depends on tensors outside of it is left out."""
    for tensor in tensors:
        sources = list(tensor.src_ops())
        if not sources:
            by_tensor[tensor] = TimestampTracking(execution_order=before_all)
            continue
        for operator in sources:
            operands = operator._attrs["inputs"]
            if operator not in by_operator and all(operand in by_tensor for operand in operands):
                by_operator[operator] = place(operator, [by_tensor[x] for x in operands])
        if all(operator in by_operator for operator in sources):
            entries = [by_operator[operator] for operator in sources]
            by_tensor[tensor] = TimestampTracking(
                execution_start=max(entry.execution_end for entry in entries),
                execution_order=max(entry.execution_order for entry in entries),
            )
