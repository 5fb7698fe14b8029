"""Compiled models: the functions of a library, on tensors of any framework."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import Any, Dict, List, Optional, Sequence, Union

from aitemplate._native import tensors
from aitemplate._native.model_library import Call, Library, Shape
from aitemplate._native.tensors import memory_of
from aitemplate.compiler.dtype import dtype_of_enum
from aitemplate.compiler.model_constants import ModelConstants
from aitemplate.compiler.model_data import (
    AIT_DEFAULT_NUM_RUNTIMES,
    AITData,
    AITemplateAllocatorKind,
    AITemplateMemcpyKind,
    Tensors,
    cut,
    torch_to_ait_data,
)
from aitemplate.compiler.model_measuring import ModelMeasuring
from aitemplate.compiler.model_memory import ModelMemory

__all__ = [
    "AIT_DEFAULT_NUM_RUNTIMES",
    "AITData",
    "AITemplateAllocatorKind",
    "AITemplateMemcpyKind",
    "Model",
    "torch_to_ait_data",
]


class Model(ModelConstants, ModelMeasuring, ModelMemory):
    """A compiled library, ready to run; use it in a ``with``, or close it.

    Calls may come from several threads; as many runs go on at once as there are runtimes, the
    others wait. A model is of the process that made it: after a fork it raises.

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
        self.DLL = Library(lib_path)
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
        self._calls: List[Call] = []

    # MARK: - Life

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()

    def __del__(self) -> None:
        # The interpreter may be ending, or the model was never whole.
        with contextlib.suppress(RuntimeError, AttributeError, TypeError):
            self.close()

    def close(self) -> None:
        """Frees everything; `RuntimeError` while other threads use the model."""
        if getattr(self, "_process", None) != os.getpid() or "DLL" not in self.__dict__:
            return
        if not self.DLL.begin_close():
            return
        library = self.DLL.DLL
        for address in list(self._allocated_ait_data):
            library.AITemplateDeviceFree(ctypes.c_void_p(address), None, ctypes.c_bool(True))
        self._allocated_ait_data.clear()
        if self.handle:
            library.AITemplateModelContainerDelete(self.handle)
            self.handle = ctypes.c_void_p()
        if self.allocator_handle:
            library.AITemplateAllocatorDelete(self.allocator_handle)
            self.allocator_handle = ctypes.c_void_p()
        self.DLL.finish_close()

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
            stream_ptr: a CUDA stream; None is torch's current one with torch's tensors, else the
                default.
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
            name: cut(ordered_outputs[index], results[index])
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
            shapes = [list(result[:rank]) for result, rank in zip(call.results, self._output_ndims)]
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
            name: cut(ordered[index], results[index])
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
            if on_host:
                self.DLL.AITemplateModelContainerRunWithOutputsOnHost(
                    self.handle,
                    call.inputs,
                    len(inputs),
                    call.outputs,
                    len(outputs),
                    stream_ptr,
                    graph_mode,
                    call.shapes,
                )
            else:
                self.DLL.AITemplateModelContainerRun(
                    self.handle,
                    call.inputs,
                    len(inputs),
                    call.outputs,
                    len(outputs),
                    stream_ptr,
                    sync,
                    graph_mode,
                    call.shapes,
                )
            return [result[:rank] for result, rank in zip(call.results, self._output_ndims)]
        finally:
            self._give_back(call)

    def _call_on(self, inputs: Sequence[Any], outputs: Optional[Sequence[Any]]) -> Call:
        """Arrays that describe what has an address, extents and a type in this order."""
        if len(inputs) != len(self._input_ranks):
            raise ValueError(f"got {len(inputs)} inputs, expected {len(self._input_ranks)}")
        if outputs is None:
            outputs = ()
        elif len(outputs) != len(self._output_ndims):
            raise ValueError(f"got {len(outputs)} outputs, expected {len(self._output_ndims)}")
        try:
            call = self._calls.pop()
        except IndexError:
            call = Call(self._input_ranks, self._output_ndims, self._output_ndims)
        if not call.fill(call.input_slots, inputs) or not call.fill(call.output_slots, outputs):
            # The library says what is wrong with other ranks.
            ranks = [len(each[1]) for each in outputs] or self._output_ndims
            call = Call([len(each[1]) for each in inputs], ranks, self._output_ndims)
            call.is_kept = False
            call.fill(call.input_slots, inputs)
            call.fill(call.output_slots, outputs)
        return call

    def _give_back(self, call: Call) -> None:
        if call.is_kept:
            self._calls.append(call)

    def _ordered(self, values: Any, index: Dict[str, int], what: str) -> List[Any]:
        if not isinstance(values, dict):
            if len(values) != len(index):
                raise ValueError(
                    f"Did not get correct number of {what} expected {len(index)}, got {len(values)}"
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
                raise ValueError(f"Got unexpected {what[:-1]}: {name}; they are {', '.join(index)}")
            ordered[index[name]] = value
        return ordered

    def _memories(
        self, values: Any, index: Optional[Dict[str, int]], what: str, on_gpu: bool
    ) -> List[tensors.Memory]:
        ordered = values if index is None else self._ordered(values, index, what)
        memories = []
        for number, value in enumerate(ordered):
            memory = memory_of(value)
            if memory.is_read_only and what == "outputs":
                raise ValueError(f"outputs[{number}] is read-only")
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
        shape = Shape()
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


def _current_stream(values: Tensors) -> Optional[int]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    each = list(values.values()) if isinstance(values, dict) else list(values)
    if not any(isinstance(value, torch.Tensor) for value in each):
        return None
    return torch.cuda.current_stream().cuda_stream or None


def _empty(shape: List[int], dtype: str, like: List[Any]) -> Any:
    """A tensor of the kind of the first one given: torch's, else numpy's."""
    for tensor in like:
        if tensors.is_torch(tensor):
            import torch

            return torch.empty(shape, dtype=getattr(torch, dtype), device=tensor.device)
    import numpy

    return numpy.empty(shape, dtype=dtype)
