"""Lets programs for GPUs run on the processor: `.cuda()` and its like become identities.

`install()` is called before the program. Tensors that it puts on "cuda" are in the memory of the
host, streams do nothing, events are the host's clock. Where PyTorch has no half-precision operator
for the processor, it is computed in float32.
"""

from __future__ import annotations

import time
from typing import Any, Optional

import torch
from torch.overrides import TorchFunctionMode


def _is_cuda(value: Any) -> bool:
    if isinstance(value, str):
        return value == "cuda" or value.startswith("cuda:")
    return isinstance(value, torch.device) and value.type == "cuda"


def _on_cpu(value: Any) -> Any:
    return "cpu" if _is_cuda(value) else value


def _cast(value: Any, before: tuple, after: torch.dtype) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(after) if value.dtype in before else value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(_cast(item, before, after) for item in value)
    if isinstance(value, torch.dtype):
        return after if value in before else value
    return value


_HALVES = (torch.float16, torch.bfloat16)


def _half_of(values: Any) -> Optional[torch.dtype]:
    for value in values:
        if isinstance(value, torch.Tensor) and value.dtype in _HALVES:
            return value.dtype
        if isinstance(value, (list, tuple)):
            found = _half_of(value)
            if found is not None:
                return found
    return None


def _in_float(func: Any, args: tuple, kwargs: dict) -> Any:
    half = _half_of((*args, *kwargs.values()))
    args = _cast(args, _HALVES, torch.float32)
    kwargs = {key: _cast(item, _HALVES, torch.float32) for key, item in kwargs.items()}
    return _cast(func(*args, **kwargs), (torch.float32,), half)


class _OnCPU(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = {key: _on_cpu(value) for key, value in (kwargs or {}).items()}
        args = tuple(_on_cpu(value) for value in args)
        try:
            return func(*args, **kwargs)
        except (RuntimeError, NotImplementedError) as error:
            half = _half_of((*args, *kwargs.values()))
            if half is None or "not implemented for" not in str(error):
                raise
            return _in_float(func, args, kwargs)


class Stream:
    """A stream that is the program's own order."""

    cuda_stream = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass

    def synchronize(self) -> None:
        """All has run already."""

    def wait_stream(self, stream: Any) -> None:
        """All has run already."""

    def wait_event(self, event: Any) -> None:
        """All has run already."""


class Event:
    """A moment of the host's clock."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.moment = 0.0

    def record(self, stream: Any = None) -> None:
        """Notes the moment."""
        self.moment = time.perf_counter()

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds up to another event."""
        return (end.moment - self.moment) * 1e3

    def synchronize(self) -> None:
        """All has run already."""

    def wait(self, stream: Any = None) -> None:
        """All has run already."""


def _identity(value: Any, *args: Any, **kwargs: Any) -> Any:
    return value


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def install() -> None:
    """Makes the identities; has no effect on a machine with a GPU."""
    if torch.cuda.is_available():
        return
    torch.Tensor.cuda = _identity
    torch.nn.Module.cuda = _identity
    to = torch.nn.Module.to

    def module_to(module: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs = {key: _on_cpu(value) for key, value in kwargs.items()}
        return to(module, *(_on_cpu(value) for value in args), **kwargs)

    torch.nn.Module.to = module_to
    stream = Stream()
    for name, value in {
        "Event": Event,
        "Stream": Stream,
        "current_stream": lambda *args: stream,
        "default_stream": lambda *args: stream,
        "stream": lambda stream: stream,
        "synchronize": _nothing,
        "empty_cache": _nothing,
        "manual_seed": _nothing,
        "manual_seed_all": _nothing,
        "set_device": _nothing,
        "current_device": lambda: 0,
        "device_count": lambda: 1,
        "get_device_capability": lambda *args: (8, 0),
        "get_device_name": lambda *args: "the processor",
    }.items():
        setattr(torch.cuda, name, value)
    _OnCPU().__enter__()
