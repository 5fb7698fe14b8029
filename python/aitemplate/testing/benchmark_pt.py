"""How long a function of PyTorch takes."""

from __future__ import annotations

import time
from typing import Any, Callable

__all__ = ["benchmark_torch_function"]

WARM_UPS = 5


def benchmark_torch_function(
    iters: int, function: Callable[..., Any], *args: Any, **kwargs: Any
) -> float:
    """Calls a function again and again, and gives the mean of its time.

    On a GPU the time is that between two of its events, else that of the clock of this machine.
    Five calls come before, which are not counted.

    Args:
        iters: how many calls are counted.
        function: what is called, with `args` and `kwargs`.

    Returns:
        Milliseconds for one call.
    """
    import torch

    for _ in range(WARM_UPS):
        function(*args, **kwargs)
    if not torch.cuda.is_available():
        begin = time.perf_counter()
        for _ in range(iters):
            function(*args, **kwargs)
        return (time.perf_counter() - begin) * 1e3 / iters

    torch.cuda.synchronize()
    start = torch.cuda.Event(enable_timing=True)
    end = torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(iters):
        function(*args, **kwargs)
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / iters
