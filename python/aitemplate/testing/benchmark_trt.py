"""How long TensorRT takes for a module of PyTorch, where torch_tensorrt is installed."""

from __future__ import annotations

from typing import Any, Callable

from aitemplate.testing.benchmark_pt import benchmark_torch_function

__all__ = ["benchmark_trt_function", "make_trt_module"]


def make_trt_module(
    function: Any,
    *inputs: Any,
    max_batch_size: int = 256,
    max_workspace_size: int = 2 << 31,
    dtype: str = "float16",
    dynamic_batch: bool = False,
) -> Callable[..., Any]:
    """A module of PyTorch compiled by TensorRT.

    Args:
        function: the module.
        inputs: examples of its inputs.
        max_batch_size, dynamic_batch: kept for programs written for AITemplate.
        max_workspace_size: the bytes TensorRT may use.
        dtype: "float16" or "float32", the type it computes in.

    Raises:
        ModuleNotFoundError: where torch_tensorrt is not installed.
    """
    import torch

    types = {"float16": {torch.half, torch.float}, "float32": {torch.float}}
    if dtype not in types:
        raise ValueError(
            f"Unsupported dtype: {dtype}; TensorRT computes in {', '.join(types)} here"
        )
    try:
        import torch_tensorrt
    except ImportError as error:
        raise ModuleNotFoundError(
            "benchmark_trt needs TensorRT: pip install torch-tensorrt"
        ) from error
    return torch_tensorrt.compile(
        function,
        inputs=list(inputs),
        enabled_precisions=types[dtype],
        workspace_size=max_workspace_size,
    )


def benchmark_trt_function(iters: int, function: Any, *args: Any) -> float:
    """Milliseconds for one call of a module of PyTorch compiled by TensorRT."""
    return benchmark_torch_function(iters, make_trt_module(function, *args), *args)
