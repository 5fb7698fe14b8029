"""The part of `Model` that is about time."""

from __future__ import annotations

import ctypes
import math
import os
from typing import Any, Dict, List, Optional, Tuple, Union

from aitemplate.compiler.model_data import AITData, Tensors, cut


class ModelMeasuring:
    """Timing of a model's runs and kernels."""

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
        if num_iters < 1:
            raise ValueError(f"num_iters={num_iters}, expected at least 1")
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
        if count < 1 or repeat < 1:
            raise ValueError(f"count={count} and repeat={repeat}, expected at least 1")
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
            shapes = [list(result[:rank]) for result, rank in zip(call.results, self._output_ndims)]
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
        named = {
            name: cut(ordered[index], results[name].shape)
            for name, index in self._output_name_to_index.items()
        }
        return mean, deviation, named
