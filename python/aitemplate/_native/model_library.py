"""The functions of a model library, and what is passed to them."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
import threading
from typing import Any, Callable, List, Sequence, Tuple

from aitemplate.compiler.dtype import dtype_str_to_enum


class Shape(ctypes.Structure):
    """Extents of a tensor."""

    _fields_ = [("shape_data", ctypes.POINTER(ctypes.c_int64)), ("size", ctypes.c_size_t)]


class Data(ctypes.Structure):
    """A tensor: `AITData` of the C interface."""

    _fields_ = [("pointer", ctypes.c_void_p), ("shape", Shape), ("dtype", ctypes.c_int)]


def _close(library: ctypes.CDLL) -> None:
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(library._handle)


_ARRAY, _SIZE, _FLAG = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_bool

# What functions that run a model take: ctypes converts numbers, quicker than Python code does.
_TYPES = {
    "AITemplateModelContainerRun": [
        *(ctypes.c_void_p, _ARRAY, _SIZE, _ARRAY, _SIZE, ctypes.c_void_p, _FLAG, _FLAG, _ARRAY)
    ],
    "AITemplateModelContainerRunWithOutputsOnHost": [
        *(ctypes.c_void_p, _ARRAY, _SIZE, _ARRAY, _SIZE, ctypes.c_void_p, _FLAG, _ARRAY)
    ],
}


class Library:
    """The functions of a model library; each raises with the library's own text if it fails.

    No function begins once the library is closed, and none is under way when it is.
    """

    def __init__(self, path: str) -> None:
        self.lib_path = path
        self._gate = threading.Lock()
        self._active = 0
        self.is_open = False
        # The system knows libraries by their paths: one compiled anew would be taken for the one
        # before while that is open.
        folder = tempfile.mkdtemp(prefix="aitemplate-")
        try:
            copy = os.path.join(folder, os.path.basename(path))
            try:
                os.link(os.path.abspath(path), copy)
            except OSError:
                shutil.copy2(path, copy)
            self.DLL = ctypes.CDLL(copy)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not hasattr(self.DLL, "AITemplateGetLastError"):
            raise OSError(f"{path} is no library of AITemplate for Swift")
        self.DLL.AITemplateGetLastError.restype = ctypes.c_char_p
        self.is_open = True

    def begin_close(self) -> bool:
        """Keeps functions from beginning; False if that was done before.

        Raises:
            RuntimeError: while functions are under way.
        """
        with self._gate:
            if not self.is_open:
                return False
            if self._active:
                raise RuntimeError(
                    f"{self.lib_path} is closed while {self._active} calls go on: wait for them"
                )
            self.is_open = False
            return True

    def finish_close(self) -> None:
        """Unloads the library."""
        _close(self.DLL)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_") or "DLL" not in self.__dict__:
            raise AttributeError(name)
        gate = self._gate
        with gate:
            # A library that is unloaded has no functions to look for.
            if not self.is_open:
                raise RuntimeError(f"Cannot use closed AIT library: {self.lib_path}")
            function = getattr(self.DLL, name)
        if name in _TYPES:
            function.argtypes = _TYPES[name]
        last_error = self.DLL.AITemplateGetLastError

        def call(*args: Any) -> None:
            with gate:
                if not self.is_open:
                    raise RuntimeError(f"Cannot use closed AIT library: {self.lib_path}")
                self._active += 1
            try:
                if function(*args):
                    text = (last_error() or b"").decode(errors="replace")
                    raise RuntimeError(f"Error in function: {name}: {text}" if text else name)
            finally:
                with gate:
                    self._active -= 1

        self.__dict__[name] = call
        return call


class Call:
    """What a run passes to the library: arrays that are kept and filled anew."""

    __slots__ = (
        "inputs",
        "outputs",
        "shapes",
        "input_slots",
        "output_slots",
        "results",
        "is_kept",
    )

    def __init__(
        self, input_ranks: List[int], output_ranks: List[int], result_ranks: List[int]
    ) -> None:
        self.inputs, self.input_slots = self._array(input_ranks)
        self.outputs, self.output_slots = self._array(output_ranks)
        # The library writes as many extents as its results have, whatever it was given.
        self.results = [(ctypes.c_int64 * max(1, rank))() for rank in result_ranks]
        self.shapes = (ctypes.POINTER(ctypes.c_int64) * max(1, len(result_ranks)))()
        for index, result in enumerate(self.results):
            self.shapes[index] = ctypes.cast(result, ctypes.POINTER(ctypes.c_int64))
        self.is_kept = True

    @staticmethod
    def fill(slots: List[Any], data: Sequence[Any]) -> bool:
        """Describes what has an address, extents and a type here; False for other ranks."""
        for (element, shape, rank), each in zip(slots, data):
            extents = each[1]
            if len(extents) != rank:
                return False
            element.pointer = each[0]
            element.dtype = dtype_str_to_enum(each[2])
            if rank:
                shape[:] = extents
        return True

    @staticmethod
    def _array(ranks: List[int]) -> Tuple[Any, List[Any]]:
        array = (Data * max(1, len(ranks)))()
        slots = []
        for index, rank in enumerate(ranks):
            # Kept: to look an element up makes an object for it.
            element, shape = array[index], (ctypes.c_int64 * max(1, rank))()
            element.shape.shape_data = ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64))
            element.shape.size = rank
            slots.append((element, shape, rank))
        return array, slots
