"""A model library through AITemplate's C ABI, given PyTorch's tensors by pointer."""

import ctypes
import os

import torch

DTYPES = {torch.float16: 1, torch.float32: 2, torch.int64: 4, torch.bfloat16: 6}


class Shape(ctypes.Structure):
    """AITemplateParamShape."""

    _fields_ = [("extents", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_size_t)]


class Data(ctypes.Structure):
    """AITData."""

    _fields_ = [("pointer", ctypes.c_void_p), ("shape", Shape), ("dtype", ctypes.c_int)]

    @classmethod
    def of(cls, tensor: torch.Tensor) -> "Data":
        """Describes a contiguous tensor, which must outlive the description."""
        assert tensor.is_contiguous()
        extents = (ctypes.c_int64 * tensor.ndim)(*tensor.shape)
        return cls(tensor.data_ptr(), Shape(extents, tensor.ndim), DTYPES[tensor.dtype])


class Library:
    """A library, and one container made from it."""

    PREFIX = "AITemplateModelContainer"

    def __init__(self, path: str):
        self.path = path
        self.library = ctypes.CDLL(os.path.abspath(path))
        self.library.AITemplateGetLastError.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p()
        self.keep = []
        self.call("Create", ctypes.byref(self.handle), ctypes.c_size_t(1), None)

    def close(self) -> None:
        """Frees the container; its tensors may be freed then."""
        self.call("Delete", self.handle)
        self.keep = []

    def check(self, status: int, function: str) -> None:
        if status != 0:
            message = self.library.AITemplateGetLastError().decode()
            raise RuntimeError(f"{self.path}: {function}: {message}")

    def call(self, function: str, *arguments) -> None:
        self.check(getattr(self.library, self.PREFIX + function)(*arguments), function)

    def names(self, kind: str) -> list:
        """The names of the inputs ("Input") or outputs ("Output"), in order."""
        count = ctypes.c_size_t()
        self.call(f"GetNum{kind}s", self.handle, ctypes.byref(count))
        names = []
        for index in range(count.value):
            name = ctypes.c_char_p()
            self.call(f"Get{kind}Name", self.handle, ctypes.c_size_t(index), ctypes.byref(name))
            names.append(name.value.decode())
        return names

    def set_constants(self, tensors: dict) -> None:
        """Sets constants by name; they are read where they lie."""
        names = (ctypes.c_char_p * len(tensors))(*(name.encode() for name in tensors))
        data = (Data * len(tensors))(*(Data.of(tensor) for tensor in tensors.values()))
        self.keep.append((tensors, data))
        torch.cuda.synchronize()
        self.call("SetManyConstants", self.handle, names, data, ctypes.c_size_t(len(tensors)))

    def bound_run(self, inputs: list, outputs: list, stream, graph_mode: bool):
        """A call of Run with its arguments converted once and for all; it does not wait."""
        run = getattr(self.library, self.PREFIX + "Run")
        read = (Data * len(inputs))(*(Data.of(tensor) for tensor in inputs))
        written = (Data * len(outputs))(*(Data.of(tensor) for tensor in outputs))
        shapes = [(ctypes.c_int64 * tensor.ndim)() for tensor in outputs]
        pointers = (ctypes.POINTER(ctypes.c_int64) * len(outputs))(
            *(ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64)) for shape in shapes)
        )
        self.keep.append((inputs, outputs, read, written, shapes))
        # The tensors are made in another stream.
        torch.cuda.synchronize()
        arguments = (
            self.handle, read, ctypes.c_size_t(len(inputs)), written,
            ctypes.c_size_t(len(outputs)), ctypes.c_void_p(stream.cuda_stream),
            ctypes.c_bool(False), ctypes.c_bool(graph_mode), pointers,
        )

        def call():
            self.check(run(*arguments), "Run")

        call()
        torch.cuda.synchronize()
        for shape, tensor in zip(shapes, outputs):
            assert list(shape) == list(tensor.shape), f"{self.path}: output shape {list(shape)}"
        return call


def graphed(function, stream):
    """A CUDA graph of a function, and its replay."""
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            function()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        function()
    return graph.replay


def microseconds(call, stream, calls: int) -> float:
    """The time of one call among many in a row, by events on the device."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    with torch.cuda.stream(stream):
        call()
        start.record()
        for _ in range(calls):
            call()
        end.record()
    end.synchronize()
    return start.elapsed_time(end) * 1e3 / calls
