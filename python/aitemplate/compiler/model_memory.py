"""The part of `Model` that is about memory of its device, and files."""

from __future__ import annotations

import ctypes
import math
import os
import struct
from typing import Any, Dict, List, Optional

from aitemplate._native import tensors
from aitemplate._native.tensors import memory_of
from aitemplate.compiler.dtype import dtype_str_to_enum, get_dtype_size
from aitemplate.compiler.model_data import AITData, AITemplateMemcpyKind


class ModelMemory:
    """Memory of a model's device, and files of its inputs and outputs."""

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
        if address.value:
            self._allocated_ait_data.add(address.value)
        return address.value or 0

    def free_gpu_memory(
        self, ptr: int, stream_ptr: Optional[int] = None, sync: bool = True
    ) -> None:
        """Frees memory of `allocate_gpu_memory`; `ValueError` for what is none, or no more."""
        if ptr and ptr not in self._allocated_ait_data:
            raise ValueError(f"{ptr:#x} is no memory of this model, or was freed")
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

    def write_standalone_testcase_data(
        self,
        filename: str,
        inputs: Dict[str, Any],
        expected_outputs: List[Any],
        atol: float = 1e-2,
        rtol: float = 1e-2,
    ) -> None:
        """Writes inputs and outputs to a file: tolerances, then type, extents, bytes of each."""
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
    if not memory.is_contiguous or memory.is_on_gpu:
        raise ValueError("a tensor that is written is contiguous and on the host")
    file.write(struct.pack("ii", dtype_str_to_enum(memory.dtype), len(memory.shape)))
    file.write(struct.pack(f"{len(memory.shape)}i", *memory.shape))
    size = math.prod(memory.shape) * get_dtype_size(memory.dtype)
    file.write(struct.pack("i", size))
    file.write(ctypes.string_at(memory.address, size) if size else b"")
