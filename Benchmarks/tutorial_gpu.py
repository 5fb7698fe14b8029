#!/usr/bin/env python3
"""Checks and times the tutorial's model on a GPU: ours against PyTorch.

    ait compile Examples/Graphs/tutorial_mlp_float16.ait --target cuda:sm_90a \\
      --weights out/tutorial/simple_model.pt -o simple_model.so
    python3 Benchmarks/tutorial_gpu.py --library simple_model.so --weights out/tutorial/simple_model.pt

The library is loaded by ctypes and given PyTorch's tensors by pointer. Ours, PyTorch eager, eager in
a CUDA graph and torch.compile (max-autotune) in a CUDA graph take turns in one process; times are
medians over rounds of the time of one of many calls in a row, measured by events on the device.
Weights and activations (about 11 MB) stay in the L2 cache between calls, for everyone.
"""

import argparse
import ctypes
import os
import pathlib
import statistics
import sys
import warnings

warnings.filterwarnings("ignore")

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Examples" / "Tutorial"))
from pytorch_model import PTSimpleModel  # noqa: E402

CALLS = 200
ROUNDS = 15


class Shape(ctypes.Structure):
    """AITemplateParamShape."""

    _fields_ = [("extents", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_size_t)]


class Data(ctypes.Structure):
    """AITData."""

    _fields_ = [("pointer", ctypes.c_void_p), ("shape", Shape), ("dtype", ctypes.c_int)]

    HALF = 1

    @classmethod
    def of(cls, tensor: torch.Tensor) -> "Data":
        """Describes a contiguous float16 tensor, which must outlive the description."""
        assert tensor.dtype == torch.float16 and tensor.is_contiguous()
        extents = (ctypes.c_int64 * tensor.ndim)(*tensor.shape)
        return cls(tensor.data_ptr(), Shape(extents, tensor.ndim), cls.HALF)


class Library:
    """A model library with AITemplate's C ABI, and one container made from it."""

    PREFIX = "AITemplateModelContainer"

    def __init__(self, path: str):
        self.path = path
        self.library = ctypes.CDLL(os.path.abspath(path))
        self.library.AITemplateGetLastError.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p()
        self.call("Create", ctypes.byref(self.handle), ctypes.c_size_t(1), None)

    def check(self, status: int, function: str) -> None:
        if status != 0:
            message = self.library.AITemplateGetLastError().decode()
            raise RuntimeError(f"{self.path}: {function}: {message}")

    def call(self, function: str, *arguments) -> None:
        self.check(getattr(self.library, self.PREFIX + function)(*arguments), function)

    def bound_run(self, x: torch.Tensor, y: torch.Tensor, stream, graph_mode: bool):
        """A call of Run with its arguments converted once and for all."""
        run = getattr(self.library, self.PREFIX + "Run")
        extents = (ctypes.c_int64 * y.ndim)()
        shapes = (ctypes.POINTER(ctypes.c_int64) * 1)(extents)
        keep = (Data.of(x), Data.of(y))
        arguments = (
            self.handle, ctypes.byref(keep[0]), ctypes.c_size_t(1), ctypes.byref(keep[1]),
            ctypes.c_size_t(1), ctypes.c_void_p(stream.cuda_stream), ctypes.c_bool(False),
            ctypes.c_bool(graph_mode), shapes,
        )

        def call():
            self.check(run(*arguments), "Run")

        call()
        torch.cuda.synchronize()
        assert list(extents) == list(y.shape), f"output shape {list(extents)}"
        return call


def graphed(function, stream):
    """A CUDA graph of a function, and its replay."""
    for _ in range(5):
        function()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        function()
    return graph.replay


def microseconds(call, stream) -> float:
    """The time of one call among many in a row."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    with torch.cuda.stream(stream):
        for _ in range(CALLS // 4):
            call()
        start.record()
        for _ in range(CALLS):
            call()
        end.record()
    end.synchronize()
    return start.elapsed_time(end) * 1e3 / CALLS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 256, 1024])
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    options = parser.parse_args()

    torch.manual_seed(0)
    model = PTSimpleModel(512, gelu="tanh").cuda().half().eval()
    model.load_state_dict(torch.load(options.weights))
    library = Library(options.library)
    stream = torch.cuda.Stream()
    print(f"{torch.cuda.get_device_name()}, float16, hidden 512; microseconds a call\n")
    status = 0
    for batch in options.batch:
        x = torch.randn(batch, 512, device="cuda", dtype=torch.float16)
        with torch.inference_mode():
            expected = model(x)
            exact = model.double()(x.double())
            model.half()
        found = torch.full_like(expected, float("nan"))
        calls = {
            "AITemplate for Swift, graph": library.bound_run(x, found, stream, True),
            "AITemplate for Swift": library.bound_run(x, found, stream, False),
        }
        is_close = torch.allclose(found, expected, atol=1e-2, rtol=1e-2)
        status |= not is_close
        errors = [float((each.double() - exact).abs().max()) for each in (found, expected)]
        with torch.inference_mode():
            calls["PyTorch eager"] = lambda: model(x)
            calls["PyTorch eager, graph"] = graphed(lambda: model(x), stream)
            if not options.no_compile:
                compiled = torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)
                calls["torch.compile max-autotune, graph"] = graphed(lambda: compiled(x), stream)
            times = {name: [] for name in calls}
            for _ in range(ROUNDS):
                for name, call in calls.items():
                    times[name].append(microseconds(call, stream))
        print(f"### Batch {batch}\n")
        print(f"torch.allclose(atol=1e-2, rtol=1e-2): {is_close}; largest error against float64: "
              f"ours {errors[0]:.4f}, PyTorch {errors[1]:.4f}\n")
        print("| | median | fastest |\n| --- | ---: | ---: |")
        for name, each in times.items():
            print(f"| {name} | {statistics.median(each):.2f} | {min(each):.2f} |")
        print(flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
