"""How long the kernels take that a function runs on a GPU, with empty caches."""

from __future__ import annotations

import logging
import time
from typing import Any, Callable, List, Tuple

__all__ = ["profile_callable"]

_LOGGER = logging.getLogger(__name__)
_WARM_UPS = 5
# Any number that is not zero: it is written over the slab, so that caches hold the slab.
_FILLING = 3.7


def profile_callable(
    func: Callable[[], Any], cache_flush_slab: Any, n_iter: int
) -> Tuple[List[int], List[int]]:
    """Times of each call of a function: the sum of its kernels, and from first to last.

    Args:
        func: what is called.
        cache_flush_slab: a tensor larger than the caches, which is filled before each call.
        n_iter: how many calls.

    Returns:
        Two lists of microseconds. Without a GPU both hold the time of the call.
    """
    import torch

    if n_iter <= 0:
        return [], []
    for _ in range(_WARM_UPS):
        func()
    if not torch.cuda.is_available():
        times = []
        for _ in range(n_iter):
            cache_flush_slab.fill_(_FILLING)
            begin = time.perf_counter_ns()
            func()
            times.append((time.perf_counter_ns() - begin) // 1000)
        return times, list(times)

    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities, record_shapes=True) as profile:
        for _ in range(n_iter):
            cache_flush_slab.fill_(_FILLING)
            func()
    kernels = sorted(
        (
            (event.time_range.start, event.time_range.end, event.name)
            for event in profile.events()
            if event.name != "Context Sync" and event.time_range.end > event.time_range.start
        ),
    )
    if len(kernels) % n_iter:
        raise RuntimeError(
            f"{len(kernels)} kernels of {n_iter} calls: not all calls run the same kernels"
        )
    per_call = len(kernels) // n_iter
    # The first kernel of a call fills the slab.
    calls = [kernels[first + 1 : first + per_call] for first in range(0, len(kernels), per_call)]
    _LOGGER.info("kernels of a call: %s", [name for _, _, name in calls[0]])
    device = [sum(end - start for start, end, _ in call) for call in calls]
    wall = [call[-1][1] - call[0][0] if call else 0 for call in calls]
    return device, wall
