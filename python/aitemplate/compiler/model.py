"""Compiled models: the functions of a library, on tensors of any framework."""

from __future__ import annotations

import ctypes
import enum
import math
import os
import struct
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from aitemplate._native import tensors
from aitemplate._native.tensors import memory_of
from aitemplate.compiler.dtype import dtype_of_enum, dtype_str_to_enum

AIT_DEFAULT_NUM_RUNTIMES = 1

Tensors = Union[Sequence[Any], Dict[str, Any]]


class AITemplateMemcpyKind(enum.Enum):
    """The direction of a copy."""

    HostToDevice = 0
    DeviceToHost = 1
    DeviceToDevice = 2


class AITemplateAllocatorKind(enum.Enum):
    """Where a model gets its memory."""

    DEFAULT = 0
    TRACKING = 1


class AITData(NamedTuple):
    """A tensor as an address, extents and the name of its element type."""

    data_ptr: int
    shape: List[int]
    dtype: str


class _Shape(ctypes.Structure):
    _fields_ = [("shape_data", ctypes.POINTER(ctypes.c_int64)), ("size", ctypes.c_size_t)]


class _Data(ctypes.Structure):
    _fields_ = [("pointer", ctypes.c_void_p), ("shape", _Shape), ("dtype", ctypes.c_int)]


def torch_to_ait_data(tensor: Any) -> AITData:
    """The address, extents and type of a tensor."""
    memory = memory_of(tensor)
    return AITData(memory.address, list(memory.shape), memory.dtype)


def _close(library: ctypes.CDLL) -> None:
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(library._handle)


class _Library:
    """The functions of a model library; each raises with the library's own text if it fails."""

    def __init__(self, path: str) -> None:
        self.lib_path = path
        self.DLL = ctypes.CDLL(path)
        self.DLL.AITemplateGetLastError.restype = ctypes.c_char_p
        self.is_open = True

    def close(self) -> None:
        """Unloads the library; its functions raise from then on."""
        if self.is_open:
            self.is_open = False
            self.__dict__ = {"DLL": self.DLL, "lib_path": self.lib_path, "is_open": False}
            _close(self.DLL)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__") or "DLL" not in self.__dict__:
            raise AttributeError(name)
        if not self.is_open:
            raise RuntimeError(f"Cannot use closed AIT library: {self.lib_path}")
        function = getattr(self.DLL, name)
        last_error = self.DLL.AITemplateGetLastError

        def call(*args: Any) -> None:
            if function(*args):
                text = (last_error() or b"").decode(errors="replace")
                raise RuntimeError(f"Error in function: {name}: {text}" if text else name)

        self.__dict__[name] = call
        return call


class _Call:
    """What a run passes to the library: arrays that are kept and filled anew."""

    __slots__ = (
        "inputs",
        "outputs",
        "shapes",
        "input_shapes",
        "output_shapes",
        "results",
        "is_kept",
    )

    def __init__(
        self, input_ranks: List[int], output_ranks: List[int], result_ranks: List[int]
    ) -> None:
        self.inputs, self.input_shapes = self._array(input_ranks)
        self.outputs, self.output_shapes = self._array(output_ranks)
        # The library writes as many extents as its results have, whatever it was given.
        self.results = [(ctypes.c_int64 * max(1, rank))() for rank in result_ranks]
        self.shapes = (ctypes.POINTER(ctypes.c_int64) * max(1, len(result_ranks)))()
        for index, result in enumerate(self.results):
            self.shapes[index] = ctypes.cast(result, ctypes.POINTER(ctypes.c_int64))
        self.is_kept = True

    @staticmethod
    def fill(array: Any, shapes: List[Any], data: Sequence[Any]) -> None:
        """Describes what has an address, extents and a type in this order."""
        for element, shape, each in zip(array, shapes, data):
            element.pointer = each[0]
            element.dtype = dtype_str_to_enum(each[2])
            extents = each[1]
            if extents:
                shape[:] = extents

    @staticmethod
    def _array(ranks: List[int]) -> Tuple[Any, List[Any]]:
        array = (_Data * max(1, len(ranks)))()
        shapes = [(ctypes.c_int64 * max(1, rank))() for rank in ranks]
        for index, (rank, shape) in enumerate(zip(ranks, shapes)):
            array[index].shape.shape_data = ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64))
            array[index].shape.size = rank
        return array, shapes


class Model:
    """A compiled library, ready to run; use it in a ``with``, or close it.

    Calls may come from several threads; as many runs go on at once as there are runtimes, the others
    wait. A model is of the process that made it: after a fork it raises.

    Args:
        lib_path: the library.
        num_runtimes: how many runs can go on at once.
        allocator_kind: whether memory is counted.
    """

    def __init__(
        self,
        lib_path: str,
        num_runtimes: int = AIT_DEFAULT_NUM_RUNTIMES,
        allocator_kind: Optional[AITemplateAllocatorKind] = None,
    ) -> None:
        self.handle = ctypes.c_void_p()
        self.allocator_handle = ctypes.c_void_p()
        self._allocated_ait_data: set = set()
        self._process = os.getpid()
        if num_runtimes <= 0:
            raise ValueError(f"num_runtimes must be positive, but got {num_runtimes}")
        if not os.path.exists(lib_path):
            raise FileNotFoundError(f"found no library at {lib_path}")
        self.DLL = _Library(lib_path)
        self.lib_path = lib_path
        self._num_runtimes = num_runtimes
        self._allocator_kind = allocator_kind
        if allocator_kind is not None:
            self.DLL.AITemplateAllocatorCreate(
                ctypes.byref(self.allocator_handle), ctypes.c_int(allocator_kind.value)
            )
        self.DLL.AITemplateModelContainerCreate(
            ctypes.byref(self.handle), ctypes.c_size_t(num_runtimes), self.allocator_handle
        )
        self.torch_constant_tensors: Dict[str, Any] = {}
        self.debug_sorted_graph: Any = None
        self._input_name_to_index = self._names("Input")
        self._output_name_to_index = self._names("Output")
        self._input_ranks = [
            len(self._shape("GetMaximumInputShape", index))
            for index in range(len(self._input_name_to_index))
        ]
        self._output_ndims = [
            len(self.get_output_maximum_shape(index))
            for index in range(len(self._output_name_to_index))
        ]
        target = ctypes.c_char_p()
        self.DLL.AITemplateGetTarget(ctypes.byref(target))
        self.target = (target.value or b"").decode()
        self._is_on_gpu = self.target.startswith("cuda")
        self._calls: List[_Call] = []
        self._lock = threading.Lock()
        self._running = 0

    # MARK: - Life

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except (RuntimeError, AttributeError, TypeError):
            # The interpreter is ending, or the model was never whole.
            pass

    def close(self) -> None:
        """Frees everything; runs in other threads must have ended."""
        if getattr(self, "_process", None) != os.getpid() or "DLL" not in self.__dict__:
            return
        if getattr(self, "_running", 0):
            raise RuntimeError(
                f"{self.lib_path} is closed while {self._running} runs go on: wait for them first"
            )
        for address in list(self._allocated_ait_data):
            self.free_gpu_memory(address, sync=True)
        if self.handle:
            self.DLL.AITemplateModelContainerDelete(self.handle)
            self.handle = ctypes.c_void_p()
        if self.allocator_handle:
            self.DLL.AITemplateAllocatorDelete(self.allocator_handle)
            self.allocator_handle = ctypes.c_void_p()
        self.DLL.close()

    def __getstate__(self) -> Dict[str, Any]:
        return {
            "lib_path": self.lib_path,
            "num_runtimes": self._num_runtimes,
            "allocator_kind": self._allocator_kind,
        }

    def __setstate__(self, state: Dict[str, Any]) -> None:
        if "lib_path" not in state:
            raise RuntimeError(f"Didn't find 'lib_path' property in {state}")
        self.__init__(
            state["lib_path"],
            state.get("num_runtimes", AIT_DEFAULT_NUM_RUNTIMES),
            state.get("allocator_kind"),
        )

    def _check(self) -> None:
        if not self.handle:
            raise RuntimeError(f"Cannot use closed AIT library: {self.lib_path}")
        if self._process != os.getpid():
            raise RuntimeError(
                f"{self.lib_path} was loaded before this process was forked, whose threads are not "
                "here: load it anew, or start processes by multiprocessing's 'spawn'"
            )

    # MARK: - Running

    def run(
        self,
        inputs: Union[Dict[str, AITData], List[AITData]],
        outputs: Union[Dict[str, AITData], List[AITData]],
        stream_ptr: Optional[int] = None,
        sync: bool = True,
        graph_mode: bool = False,
    ) -> Dict[str, AITData]:
        """Runs the model.

        Args:
            inputs: by name, or in the order of `get_input_name_to_index_map`.
            outputs: the same; with memory for the greatest extents, or those of this run.
            stream_ptr: a CUDA stream; None is the default one.
            sync: whether to wait for the end.
            graph_mode: whether a GPU's kernels are started as one graph.

        Returns:
            The outputs by name, with the extents of this run.
        """
        return self._run(inputs, outputs, stream_ptr, sync, graph_mode, on_host=False)

    def run_with_tensors(
        self,
        inputs: Tensors,
        outputs: Optional[Tensors] = None,
        stream_ptr: Optional[int] = None,
        sync: bool = True,
        graph_mode: bool = False,
    ) -> Dict[str, Any]:
        """Runs the model on tensors of torch, numpy, or whatever offers DLPack.

        Args:
            inputs: by name, or in the order of `get_input_name_to_index_map`.
            outputs: the same, with memory for the greatest extents; None has them made, of the kind
                of the inputs and of the extents of this run.
            stream_ptr: a CUDA stream; None is torch's current one if torch is used, else the default.
            sync: whether to wait for the end.
            graph_mode: whether a GPU's kernels are started as one graph.

        Returns:
            The outputs by name, cut to the extents of this run; they share the memory handed in.
        """
        self._check()
        if outputs is None:
            outputs = self.make_outputs(inputs)
        if stream_ptr is None and self._is_on_gpu:
            stream_ptr = _current_stream(inputs)
        ordered_outputs = self._ordered(outputs, self._output_name_to_index, "outputs")
        results = self._execute(
            self._memories(inputs, self._input_name_to_index, "inputs", self._is_on_gpu),
            self._memories(ordered_outputs, None, "outputs", self._is_on_gpu),
            stream_ptr,
            sync,
            graph_mode,
            False,
        )
        return {
            name: _cut(ordered_outputs[index], results[index])
            for name, index in self._output_name_to_index.items()
        }

    def make_outputs(self, inputs: Tensors) -> Dict[str, Any]:
        """Tensors for the outputs of a run on these inputs, of the kind of the inputs."""
        self._check()
        memories = self._memories(inputs, self._input_name_to_index, "inputs", self._is_on_gpu)
        call = self._call_on(memories, None)
        try:
            self.DLL.AITemplateModelContainerInferOutputShapes(
                self.handle, call.inputs, ctypes.c_size_t(len(memories)), call.shapes
            )
            shapes = [
                list(result[:rank]) for result, rank in zip(call.results, self._output_ndims)
            ]
        finally:
            self._give_back(call)
        values = list(inputs.values()) if isinstance(inputs, dict) else list(inputs)
        return {
            name: _empty(shapes[index], dtype_of_enum(self.get_output_dtype(index)), values)
            for name, index in self._output_name_to_index.items()
        }

    def _run_with_outputs_on_host(
        self,
        inputs: Union[Dict[str, AITData], List[AITData]],
        outputs: Union[Dict[str, AITData], List[AITData]],
        stream_ptr: Optional[int] = None,
        graph_mode: bool = False,
    ) -> Dict[str, AITData]:
        return self._run(inputs, outputs, stream_ptr, True, graph_mode, on_host=True)

    def _run_with_tensors_outputs_on_host(
        self,
        inputs: Tensors,
        outputs: Tensors,
        stream_ptr: Optional[int] = None,
        graph_mode: bool = False,
    ) -> Dict[str, Any]:
        self._check()
        ordered = self._ordered(outputs, self._output_name_to_index, "outputs")
        results = self._execute(
            self._memories(inputs, self._input_name_to_index, "inputs", self._is_on_gpu),
            self._memories(ordered, None, "outputs", False),
            stream_ptr,
            True,
            graph_mode,
            True,
        )
        return {
            name: _cut(ordered[index], results[index])
            for name, index in self._output_name_to_index.items()
        }

    def _run(
        self,
        inputs: Any,
        outputs: Any,
        stream_ptr: Optional[int],
        sync: bool,
        graph_mode: bool,
        on_host: bool,
    ) -> Dict[str, AITData]:
        self._check()
        ordered = self._ordered(outputs, self._output_name_to_index, "outputs")
        results = self._execute(
            self._ordered(inputs, self._input_name_to_index, "inputs"),
            ordered,
            stream_ptr,
            sync,
            graph_mode,
            on_host,
        )
        return {
            name: AITData(ordered[index].data_ptr, results[index], ordered[index].dtype)
            for name, index in self._output_name_to_index.items()
        }

    def _execute(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        stream_ptr: Optional[int],
        sync: bool,
        graph_mode: bool,
        on_host: bool,
    ) -> List[List[int]]:
        """Runs on what has an address, extents and a type in this order; the outputs' extents."""
        call = self._call_on(inputs, outputs)
        try:
            stream = ctypes.c_void_p(stream_ptr)
            with self._lock:
                self._running += 1
            try:
                if on_host:
                    self.DLL.AITemplateModelContainerRunWithOutputsOnHost(
                        self.handle,
                        call.inputs,
                        ctypes.c_size_t(len(inputs)),
                        call.outputs,
                        ctypes.c_size_t(len(outputs)),
                        stream,
                        ctypes.c_bool(graph_mode),
                        call.shapes,
                    )
                else:
                    self.DLL.AITemplateModelContainerRun(
                        self.handle,
                        call.inputs,
                        ctypes.c_size_t(len(inputs)),
                        call.outputs,
                        ctypes.c_size_t(len(outputs)),
                        stream,
                        ctypes.c_bool(sync),
                        ctypes.c_bool(graph_mode),
                        call.shapes,
                    )
            finally:
                with self._lock:
                    self._running -= 1
            return [list(result[:rank]) for result, rank in zip(call.results, self._output_ndims)]
        finally:
            self._give_back(call)

    def _call_on(self, inputs: Sequence[Any], outputs: Optional[Sequence[Any]]) -> _Call:
        """Arrays that describe what has an address, extents and a type in this order."""
        for data, ranks, what in (
            (inputs, self._input_ranks, "input"),
            (outputs, self._output_ndims, "output"),
        ):
            if data is not None and len(data) != len(ranks):
                raise ValueError(f"got {len(data)} {what}s, expected {len(ranks)}")
        given = [len(each[1]) for each in inputs], [len(each[1]) for each in outputs or ()]
        if given[0] == self._input_ranks and given[1] in ([], self._output_ndims):
            try:
                call = self._calls.pop()
            except IndexError:
                call = _Call(self._input_ranks, self._output_ndims, self._output_ndims)
        else:
            # The library says what is wrong with other ranks.
            call = _Call(given[0], given[1] or self._output_ndims, self._output_ndims)
            call.is_kept = False
        call.fill(call.inputs, call.input_shapes, inputs)
        call.fill(call.outputs, call.output_shapes, outputs or ())
        return call

    def _give_back(self, call: _Call) -> None:
        if call.is_kept:
            self._calls.append(call)

    def _ordered(self, values: Any, index: Dict[str, int], what: str) -> List[Any]:
        if not isinstance(values, dict):
            if len(values) != len(index):
                raise ValueError(
                    f"Did not get correct number of {what} expected {len(index)}, "
                    f"got {len(values)}"
                )
            return list(values)
        if len(values) != len(index):
            raise ValueError(
                f"Did not get correct number of {what} expected {len(index)}, got {len(values)}: "
                f"they are {', '.join(index)}"
            )
        ordered = [None] * len(index)
        for name, value in values.items():
            if name not in index:
                raise ValueError(
                    f"Got unexpected {what[:-1]}: {name}; they are {', '.join(index)}"
                )
            ordered[index[name]] = value
        return ordered

    def _memories(
        self, values: Any, index: Optional[Dict[str, int]], what: str, on_gpu: bool
    ) -> List[tensors.Memory]:
        ordered = values if index is None else self._ordered(values, index, what)
        memories = []
        for number, value in enumerate(ordered):
            memory = memory_of(value)
            if not memory.is_contiguous or memory.is_on_gpu != on_gpu:
                place = "on GPU" if on_gpu else "on host"
                found = "contiguous" if memory.is_contiguous else "not contiguous"
                found += ", on GPU" if memory.is_on_gpu else ", on host"
                raise ValueError(
                    f"{what}[{number}] failed check: contiguous and {place} (it is {found}; the "
                    f"model is for {self.target})"
                )
            memories.append(memory)
        return memories

    # MARK: - Measuring

    def profile(
        self,
        inputs: Union[Dict[str, AITData], List[AITData]],
        outputs: Union[Dict[str, AITData], List[AITData]],
        num_iters: int,
        filename: str,
        stream_ptr: Optional[int] = None,
    ) -> None:
        """Times every kernel, and writes the figures to a file as JSON."""
        self._check()
        ins = self._ordered(inputs, self._input_name_to_index, "inputs")
        outs = self._ordered(outputs, self._output_name_to_index, "outputs")
        call = self._call_on(ins, outs)
        try:
            self.DLL.AITemplateModelContainerProfile(
                self.handle,
                call.inputs,
                ctypes.c_size_t(len(ins)),
                call.outputs,
                ctypes.c_size_t(len(outs)),
                ctypes.c_void_p(stream_ptr),
                ctypes.c_size_t(num_iters),
                ctypes.c_char_p(os.fspath(filename).encode()),
            )
        finally:
            self._give_back(call)

    def profile_with_tensors(
        self,
        inputs: Tensors,
        outputs: Tensors,
        num_iters: int,
        filename: str,
        stream_ptr: Optional[int] = None,
    ) -> None:
        """`profile` on tensors."""
        self._check()
        self.profile(
            self._data(inputs, self._input_name_to_index, "inputs"),
            self._data(outputs, self._output_name_to_index, "outputs"),
            num_iters,
            filename,
            stream_ptr,
        )

    def _data(self, values: Tensors, index: Dict[str, int], what: str) -> List[AITData]:
        return [
            AITData(memory.address, list(memory.shape), memory.dtype)
            for memory in self._memories(values, index, what, self._is_on_gpu)
        ]

    def benchmark(
        self,
        inputs: Union[Dict[str, AITData], List[AITData]],
        outputs: Union[Dict[str, AITData], List[AITData]],
        stream_ptr: Optional[int] = None,
        graph_mode: bool = False,
        count: int = 10,
        repeat: int = 1,
        num_threads: int = 1,
        use_unique_stream_per_thread: bool = False,
    ) -> Tuple[float, float, Dict[str, AITData]]:
        """Times runs.

        Args:
            inputs: as for `run`.
            outputs: as for `run`.
            stream_ptr: a CUDA stream.
            graph_mode: whether a GPU's kernels are started as one graph.
            count: runs of each measurement and thread.
            repeat: measurements.
            num_threads: threads that run the model at once; 0 is one for each processor.
            use_unique_stream_per_thread: whether each thread has a CUDA stream of its own.

        Returns:
            Milliseconds of a run, their standard deviation over the measurements, the outputs.
        """
        self._check()
        ins = self._ordered(inputs, self._input_name_to_index, "inputs")
        outs = self._ordered(outputs, self._output_name_to_index, "outputs")
        call = self._call_on(ins, outs)
        times: List[float] = []
        try:
            milliseconds = ctypes.c_float()
            for _ in range(repeat):
                self.DLL.AITemplateModelContainerBenchmark(
                    self.handle,
                    call.inputs,
                    ctypes.c_size_t(len(ins)),
                    call.outputs,
                    ctypes.c_size_t(len(outs)),
                    ctypes.c_void_p(stream_ptr),
                    ctypes.c_bool(graph_mode),
                    ctypes.c_size_t(count),
                    ctypes.c_size_t(num_threads),
                    ctypes.c_bool(use_unique_stream_per_thread),
                    ctypes.byref(milliseconds),
                    call.shapes,
                )
                times.append(milliseconds.value)
            shapes = [
                list(result[:rank]) for result, rank in zip(call.results, self._output_ndims)
            ]
        finally:
            self._give_back(call)
        mean = math.fsum(times) / len(times) if times else math.nan
        deviation = math.sqrt(math.fsum((t - mean) ** 2 for t in times) / max(1, len(times)))
        results = {
            name: AITData(outs[index].data_ptr, shapes[index], outs[index].dtype)
            for name, index in self._output_name_to_index.items()
        }
        return mean, deviation, results

    def benchmark_with_tensors(
        self,
        inputs: Tensors,
        outputs: Tensors,
        stream_ptr: Optional[int] = None,
        graph_mode: bool = False,
        count: int = 10,
        repeat: int = 1,
        num_threads: int = 1,
        use_unique_stream_per_thread: bool = False,
    ) -> Tuple[float, float, Dict[str, Any]]:
        """`benchmark` on tensors."""
        self._check()
        ordered = self._ordered(outputs, self._output_name_to_index, "outputs")
        mean, deviation, results = self.benchmark(
            self._data(inputs, self._input_name_to_index, "inputs"),
            self._data(outputs, self._output_name_to_index, "outputs"),
            stream_ptr,
            graph_mode,
            count,
            repeat,
            num_threads,
            use_unique_stream_per_thread,
        )
        cut = {
            name: _cut(ordered[index], results[name].shape)
            for name, index in self._output_name_to_index.items()
        }
        return mean, deviation, cut

    # MARK: - Names and shapes

    def _names(self, what: str) -> Dict[str, int]:
        count = ctypes.c_size_t()
        getattr(self.DLL, f"AITemplateModelContainerGetNum{what}s")(
            self.handle, ctypes.byref(count)
        )
        names = {}
        for index in range(count.value):
            name = ctypes.c_char_p()
            getattr(self.DLL, f"AITemplateModelContainerGet{what}Name")(
                self.handle, ctypes.c_size_t(index), ctypes.byref(name)
            )
            names[(name.value or b"").decode()] = index
        return names

    def _shape(self, function: str, index: int) -> List[int]:
        shape = _Shape()
        getattr(self.DLL, f"AITemplateModelContainer{function}")(
            self.handle, ctypes.c_size_t(index), ctypes.byref(shape)
        )
        return [shape.shape_data[axis] for axis in range(shape.size)]

    def get_input_name_to_index_map(self) -> Dict[str, int]:
        """The inputs' names, and the order in which lists are taken."""
        return dict(self._input_name_to_index)

    def get_output_name_to_index_map(self) -> Dict[str, int]:
        """The outputs' names, in the order that `compile_model` was given."""
        return dict(self._output_name_to_index)

    def get_output_maximum_shape(self, output_idx_or_name: Union[int, str]) -> List[int]:
        """The greatest extents of an output, by name or place."""
        if isinstance(output_idx_or_name, str):
            if output_idx_or_name not in self._output_name_to_index:
                raise ValueError(
                    f"Name {output_idx_or_name} not in OutputNameToIndexMap! Available names: "
                    f"{list(self._output_name_to_index)}"
                )
            output_idx_or_name = self._output_name_to_index[output_idx_or_name]
        elif not isinstance(output_idx_or_name, int):
            raise TypeError(
                f"output_idx_or_name must be str or int, but got {type(output_idx_or_name)}"
            )
        return self._shape("GetMaximumOutputShape", output_idx_or_name)

    def get_output_dtype(self, index: int) -> int:
        """The element type of an output, as the library's number."""
        dtype = ctypes.c_int()
        self.DLL.AITemplateModelContainerGetOutputDtype(
            self.handle, ctypes.c_size_t(index), ctypes.byref(dtype)
        )
        return dtype.value

    def get_num_runtimes(self) -> int:
        """How many runs can go on at once."""
        count = ctypes.c_size_t()
        self.DLL.AITemplateModelContainerGetNumRuntimes(self.handle, ctypes.byref(count))
        return count.value

    # MARK: - Constants

    def set_constant(self, name: str, tensor: AITData) -> None:
        """Sets a constant; its memory must stay until the constant is set anew."""
        self.set_many_constants({name: tensor})

    def set_many_constants(self, constants: Dict[str, AITData]) -> None:
        """Sets all of the constants, or none if one of them is wrong."""
        self._set("AITemplateModelContainerSetManyConstants", constants)

    def set_double_buffer_constant(
        self, name: str, tensor: AITData, stream_ptr: Optional[int] = None
    ) -> None:
        """Notes a constant for the next `swap_constants`, while runs go on."""
        self.set_many_double_buffer_constants({name: tensor}, stream_ptr)

    def set_many_double_buffer_constants(
        self, constants: Dict[str, AITData], stream_ptr: Optional[int] = None
    ) -> None:
        """Notes constants for the next `swap_constants`, while runs go on."""
        self._set(
            "AITemplateModelContainerSetManyDoubleBufferConstants",
            constants,
            ctypes.c_void_p(stream_ptr),
        )

    def set_constant_with_tensor(self, name: str, tensor: Any) -> None:
        """Sets a constant to a tensor, which the model keeps."""
        self.set_many_constants_with_tensors({name: tensor})

    def set_many_constants_with_tensors(self, constants: Dict[str, Any]) -> None:
        """Sets constants to tensors, which the model keeps."""
        self.set_many_constants(self._constants(constants))
        self.torch_constant_tensors.update(constants)

    def set_double_buffer_constant_with_tensor(
        self, name: str, tensor: Any, stream_ptr: Optional[int] = None
    ) -> None:
        """`set_double_buffer_constant` with a tensor, which the model keeps."""
        self.set_many_double_buffer_constants_with_tensors({name: tensor}, stream_ptr)

    def set_many_double_buffer_constants_with_tensors(
        self, constants: Dict[str, Any], stream_ptr: Optional[int] = None
    ) -> None:
        """`set_many_double_buffer_constants` with tensors, which the model keeps."""
        self.set_many_double_buffer_constants(self._constants(constants), stream_ptr)
        self._pending_constants = {**getattr(self, "_pending_constants", {}), **constants}

    def _constants(self, constants: Dict[str, Any]) -> Dict[str, AITData]:
        data = {}
        for name, tensor in constants.items():
            memory = memory_of(tensor)
            if not memory.is_contiguous or memory.is_on_gpu != self._is_on_gpu:
                place = "GPU" if self._is_on_gpu else "host"
                raise ValueError(f"Constant {name} must be contiguous and on the {place}.")
            data[name] = AITData(memory.address, list(memory.shape), memory.dtype)
        return data

    def _set(self, function: str, constants: Dict[str, AITData], *stream: Any) -> None:
        self._check()
        count = len(constants)
        names = (ctypes.c_char_p * max(1, count))()
        array = (_Data * max(1, count))()
        shapes = []
        for index, (name, data) in enumerate(constants.items()):
            shape = (ctypes.c_int64 * max(1, len(data.shape)))(*data.shape)
            shapes.append(shape)
            names[index] = name.encode()
            array[index].pointer = data.data_ptr
            array[index].shape = _Shape(
                ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64)), len(data.shape)
            )
            array[index].dtype = dtype_str_to_enum(data.dtype)
        getattr(self.DLL, function)(self.handle, *stream, names, array, ctypes.c_size_t(count))

    def fold_constants(
        self, stream_ptr: Optional[int] = None, sync: bool = True, double_buffer: bool = False
    ) -> None:
        """Computes what follows from constants anew; from the noted ones with ``double_buffer``."""
        self._check()
        suffix = "InDoubleBuffer" if double_buffer else ""
        getattr(self.DLL, f"AITemplateModelContainerFoldConstants{suffix}")(
            self.handle, ctypes.c_void_p(stream_ptr), ctypes.c_bool(sync)
        )

    def swap_constants(self) -> None:
        """Makes the noted constants the current ones, all at once."""
        self._check()
        self.DLL.AITemplateModelContainerSwapConstants(self.handle)
        self.torch_constant_tensors.update(self.__dict__.pop("_pending_constants", {}))

    def get_constant_names(
        self, unbound_constants_only: bool = True, constant_folding_only: bool = False
    ) -> List[str]:
        """The constants: those without a value only, those that others are computed from only."""
        choice = (ctypes.c_bool(unbound_constants_only), ctypes.c_bool(constant_folding_only))
        count = ctypes.c_size_t()
        self.DLL.AITemplateModelContainerGetNumConstants(
            self.handle, *choice, ctypes.byref(count)
        )
        names = (ctypes.c_char_p * max(1, count.value))()
        self.DLL.AITemplateModelContainerGetConstantNames(self.handle, *choice, names)
        return [(names[index] or b"").decode() for index in range(count.value)]

    def get_constant_folding_input_names(self, unbound_constants_only: bool = True) -> List[str]:
        """The constants that others are computed from."""
        return self.get_constant_names(unbound_constants_only, constant_folding_only=True)

    # MARK: - Memory

    def allocate_gpu_memory(
        self, nbytes: int, stream_ptr: Optional[int] = None, sync: bool = True
    ) -> int:
        """The address of memory of the model's device; to be freed by `free_gpu_memory`."""
        address = ctypes.c_void_p()
        self.DLL.AITemplateDeviceMalloc(
            ctypes.byref(address),
            ctypes.c_size_t(nbytes),
            ctypes.c_void_p(stream_ptr),
            ctypes.c_bool(sync),
        )
        return address.value or 0

    def free_gpu_memory(
        self, ptr: int, stream_ptr: Optional[int] = None, sync: bool = True
    ) -> None:
        """Frees memory of `allocate_gpu_memory`."""
        self._allocated_ait_data.discard(ptr)
        self.DLL.AITemplateDeviceFree(
            ctypes.c_void_p(ptr), ctypes.c_void_p(stream_ptr), ctypes.c_bool(sync)
        )

    def memcpy(
        self,
        dst: int,
        src: int,
        count: int,
        kind: AITemplateMemcpyKind,
        stream_ptr: Optional[int] = None,
        sync: bool = True,
    ) -> None:
        """Copies bytes between addresses."""
        self.DLL.AITemplateMemcpy(
            ctypes.c_void_p(dst),
            ctypes.c_void_p(src),
            ctypes.c_size_t(count),
            ctypes.c_int(kind.value),
            ctypes.c_void_p(stream_ptr),
            ctypes.c_bool(sync),
        )

    def numpy_to_ait_data(
        self, arr: Any, stream_ptr: Optional[int] = None, sync: bool = True
    ) -> AITData:
        """A copy of an array in the device's memory; freed when the model is closed, or before."""
        import numpy

        arr = numpy.ascontiguousarray(arr)
        address = self.allocate_gpu_memory(arr.nbytes, stream_ptr, sync)
        self._allocated_ait_data.add(address)
        self.memcpy(
            address,
            arr.ctypes.data,
            arr.nbytes,
            AITemplateMemcpyKind.HostToDevice,
            stream_ptr,
            sync,
        )
        return AITData(address, list(arr.shape), str(arr.dtype))

    def ait_data_to_numpy(
        self, ait_data: AITData, stream_ptr: Optional[int] = None, sync: bool = True
    ) -> Any:
        """A copy of device memory as an array."""
        import numpy

        arr = numpy.empty(ait_data.shape, dtype=ait_data.dtype)
        self.memcpy(
            arr.ctypes.data,
            ait_data.data_ptr,
            arr.nbytes,
            AITemplateMemcpyKind.DeviceToHost,
            stream_ptr,
            sync,
        )
        return arr

    # MARK: - Files

    def write_standalone_testcase_data(
        self,
        filename: str,
        inputs: Dict[str, Any],
        expected_outputs: List[Any],
        atol: float = 1e-2,
        rtol: float = 1e-2,
    ) -> None:
        """Writes inputs and outputs to a file: tolerances, then types, extents and bytes of each."""
        ordered = self._ordered(inputs, self._input_name_to_index, "inputs")
        partial = f"{filename}.partial"
        with open(partial, "wb") as file:
            file.write(struct.pack("ff", atol, rtol))
            for tensor in ordered + list(expected_outputs):
                _write(tensor, file)
        os.replace(partial, filename)


def _write(tensor: Any, file: Any) -> None:
    if tensors.is_torch(tensor):
        tensor = tensor.detach().cpu().contiguous()
    memory = memory_of(tensor)
    file.write(struct.pack("ii", dtype_str_to_enum(memory.dtype), len(memory.shape)))
    file.write(struct.pack(f"{len(memory.shape)}i", *memory.shape))
    from aitemplate.compiler.dtype import get_dtype_size

    size = math.prod(memory.shape) * get_dtype_size(memory.dtype)
    file.write(struct.pack("i", size))
    file.write(ctypes.string_at(memory.address, size) if size else b"")


def _current_stream(values: Tensors) -> Optional[int]:
    import sys

    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    each = list(values.values()) if isinstance(values, dict) else list(values)
    if not any(isinstance(value, torch.Tensor) for value in each):
        return None
    return torch.cuda.current_stream().cuda_stream or None


def _cut(tensor: Any, shape: List[int]) -> Any:
    """The first elements of a dense tensor under other extents; the same memory."""
    if list(tensor.shape) == shape:
        return tensor
    if len(tensor.shape) != len(shape):
        raise AssertionError(
            f"an output tensor of shape {list(tensor.shape)} for a result of shape {shape}"
        )
    return tensor.reshape(-1)[: math.prod(shape)].reshape(shape)


def _empty(shape: List[int], dtype: str, like: List[Any]) -> Any:
    """A tensor of the kind of the first one given: torch's, else numpy's."""
    for tensor in like:
        if tensors.is_torch(tensor):
            import torch

            return torch.empty(shape, dtype=getattr(torch, dtype), device=tensor.device)
    import numpy

    return numpy.empty(shape, dtype=dtype)
