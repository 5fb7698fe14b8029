"""The part of `Model` that is about constants."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Optional

from aitemplate._native.model_library import Data, Shape
from aitemplate._native.tensors import memory_of
from aitemplate.compiler.dtype import dtype_str_to_enum
from aitemplate.compiler.model_data import AITData


class ModelConstants:
    """Constants of a model: set, folded, exchanged while runs go on."""

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
        array = (Data * max(1, count))()
        shapes = []
        for index, (name, data) in enumerate(constants.items()):
            shape = (ctypes.c_int64 * max(1, len(data.shape)))(*data.shape)
            shapes.append(shape)
            names[index] = name.encode()
            array[index].pointer = data.data_ptr
            array[index].shape = Shape(
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
        self.DLL.AITemplateModelContainerGetNumConstants(self.handle, *choice, ctypes.byref(count))
        names = (ctypes.c_char_p * max(1, count.value))()
        self.DLL.AITemplateModelContainerGetConstantNames(self.handle, *choice, names)
        return [(names[index] or b"").decode() for index in range(count.value)]

    def get_constant_folding_input_names(self, unbound_constants_only: bool = True) -> List[str]:
        """The constants that others are computed from."""
        return self.get_constant_names(unbound_constants_only, constant_folding_only=True)
