"""How long a compiled model takes on inputs that are in no cache."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Optional, Tuple

__all__ = ["make_input_output_pools", "run_benchmark", "run_module_with_pools"]

Tensors = Dict[str, Any]


def make_input_output_pools(
    *,
    pool_size: int,
    eval_pt_func: Callable[[], Tensors],
    input_filter_func: Callable[[str, Any], bool],
    output_filter_func: Callable[[str, Any], bool],
) -> Tuple[Tuple[Tensors, ...], Tuple[Tensors, ...]]:
    """Several sets of inputs and outputs, so many that together they are larger than caches.

    Args:
        pool_size: how many sets.
        eval_pt_func: makes the tensors of one set by name, inputs and results.
        input_filter_func: whether a name and a tensor are an input.
        output_filter_func: whether a name and a tensor are a result, for which room is made.

    Returns:
        The sets of inputs, and those of outputs.
    """
    import torch

    inputs: List[Tensors] = []
    outputs: List[Tensors] = []
    for _ in range(pool_size):
        tensors = eval_pt_func()
        inputs.append({k: v for k, v in tensors.items() if input_filter_func(k, v)})
        outputs.append(
            {k: torch.empty_like(v) for k, v in tensors.items() if output_filter_func(k, v)}
        )
    return tuple(inputs), tuple(outputs)


def run_module_with_pools(
    *,
    ait_module: Any,
    inputs_pool: Any,
    outputs_pool: Any,
    num_iters: int,
    stream_ptr: Optional[int] = None,
    sync: bool = False,
    graph_mode: bool = False,
) -> None:
    """Runs a model `num_iters` times, each time on the next set of inputs and outputs."""
    for index in range(num_iters):
        ait_module.run_with_tensors(
            inputs_pool[index % len(inputs_pool)],
            outputs_pool[index % len(outputs_pool)],
            sync=sync,
            stream_ptr=stream_ptr,
            graph_mode=graph_mode,
        )


def run_benchmark(
    *,
    ait_module: Any,
    inputs_pool: Any,
    outputs_pool: Any,
    num_iters: int,
    num_warmup_iters: int,
    stream: Any = None,
    sync: bool = False,
    graph_mode: bool = False,
) -> float:
    """The mean time of a run over sets of inputs and outputs, in milliseconds.

    Args:
        ait_module: the compiled model.
        inputs_pool, outputs_pool: what `make_input_output_pools` made.
        num_iters: how many runs are counted; `num_warmup_iters` runs come before.
        stream: the torch stream of the runs; the default one if it is not given.
        sync: whether each run is awaited.
        graph_mode: whether runs are replayed as a CUDA graph.
    """
    import torch

    on_gpu = torch.cuda.is_available()
    if stream is None and on_gpu:
        stream = torch.cuda.default_stream()
    arguments = dict(
        ait_module=ait_module,
        inputs_pool=inputs_pool,
        outputs_pool=outputs_pool,
        sync=sync if on_gpu else True,
        stream_ptr=stream.cuda_stream if stream is not None else None,
        graph_mode=graph_mode,
    )
    run_module_with_pools(num_iters=num_warmup_iters, **arguments)
    if not on_gpu:
        begin = time.perf_counter()
        run_module_with_pools(num_iters=num_iters, **arguments)
        return (time.perf_counter() - begin) * 1e3 / num_iters

    torch.cuda.synchronize()
    start = torch.cuda.Event(enable_timing=True)
    end = torch.cuda.Event(enable_timing=True)
    start.record(stream=stream)
    run_module_with_pools(num_iters=num_iters, **arguments)
    end.record(stream=stream)
    torch.cuda.synchronize()
    return start.elapsed_time(end) / num_iters
