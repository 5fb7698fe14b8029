"""Memory of tensors of any framework, without a copy.

torch tensors, numpy arrays, what has ``__array_interface__`` or ``__cuda_array_interface__``, and
whatever offers DLPack.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, NamedTuple, Optional, Tuple

_TORCH_NAMES = {
    "torch.float16": "float16",
    "torch.float32": "float32",
    "torch.float64": "float64",
    "torch.bfloat16": "bfloat16",
    "torch.int8": "int8",
    "torch.uint8": "uint8",
    "torch.int16": "int16",
    "torch.int32": "int32",
    "torch.int64": "int64",
    "torch.bool": "bool",
}


class Memory(NamedTuple):
    """Where a tensor lies, and what it is."""

    address: int
    shape: Tuple[int, ...]
    dtype: str
    is_on_gpu: bool
    is_contiguous: bool
    is_read_only: bool = False


_torch_dtypes: dict = {}
_array_dtypes: dict = {}


def _torch_dtype(dtype: Any) -> str:
    name = _torch_dtypes.get(dtype)
    if name is None:
        name = _TORCH_NAMES.get(str(dtype))
        if name is None:
            raise ValueError(f"tensors of {dtype} are not supported")
        _torch_dtypes[dtype] = name
    return name


def memory_of(tensor: Any) -> Memory:
    """What is known of a tensor's memory.

    Raises:
        TypeError: for what is no tensor.
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(tensor) is numpy.ndarray:
        flags = tensor.flags
        dtype = tensor.dtype
        name = _array_dtypes.get(dtype)
        if name is not None:
            address = tensor.__array_interface__["data"][0]
            return Memory(
                address, tensor.shape, name, False, flags.c_contiguous, not flags.writeable
            )
    if hasattr(tensor, "data_ptr"):
        kind = tensor.device.type
        if kind != "cpu" and kind != "cuda":
            raise ValueError(f"a tensor on the device '{tensor.device}', expected cpu or cuda")
        if tensor.is_neg():
            raise ValueError("a tensor that stands for its negative: use resolve_neg()")
        return Memory(
            tensor.data_ptr(),
            tuple(tensor.shape),
            _torch_dtype(tensor.dtype),
            kind == "cuda",
            tensor.is_contiguous(),
        )
    # Each look makes the dictionary anew.
    interface = getattr(tensor, "__array_interface__", None)
    if interface is not None:
        return _array(tensor, interface, False)
    interface = getattr(tensor, "__cuda_array_interface__", None)
    if interface is not None:
        return _array(tensor, interface, True)
    if hasattr(tensor, "__dlpack__"):
        return _dlpack(tensor)
    raise TypeError(f"{type(tensor).__name__} is no tensor")


_NAMES_OF_KINDS = {"f": "float", "i": "int", "u": "uint"}


def _array(tensor: Any, interface: Any, is_on_gpu: bool) -> Memory:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(tensor, numpy.generic):
        raise TypeError(f"a {type(tensor).__name__} has no memory of its own: use numpy.asarray")
    kind = interface["typestr"]
    if kind[0] == (">" if sys.byteorder == "little" else "<"):
        raise ValueError(f"an array of type {kind}: its bytes are in the other order")
    dtype = getattr(tensor, "dtype", None)
    name = _array_dtypes.get(dtype)
    if name is None:
        size = int(kind[2:])
        plain = "bool" if kind[1] == "b" else f"{_NAMES_OF_KINDS.get(kind[1], kind[1])}{size * 8}"
        name = getattr(dtype, "name", None) or plain
        if dtype is not None:
            # numpy works the name out at each look.
            _array_dtypes[dtype] = name
    shape = tuple(interface["shape"])
    data = interface.get("data")
    if data is not None and not isinstance(data, tuple):
        raise ValueError(f"a {type(tensor).__name__} without an address: use numpy.asarray")
    address, is_read_only = data if data else (0, False)
    strides = interface.get("strides")
    is_dense = _is_dense(shape, strides, int(kind[2:]))
    return Memory(address, shape, name, is_on_gpu, is_dense, bool(is_read_only))


def _is_dense(shape: Tuple[int, ...], strides: Optional[Tuple[int, ...]], unit: int) -> bool:
    if strides is None or 0 in shape:
        return True
    expected = unit
    for extent, stride in zip(reversed(shape), reversed(strides)):
        if extent != 1 and stride != expected:
            return False
        expected *= extent
    return True


class _DLDevice(ctypes.Structure):
    _fields_ = [("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32)]


class _DLDataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", _DLDevice),
        ("ndim", ctypes.c_int32),
        ("dtype", _DLDataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


_DLPACK_NAMES = {
    (0, 8): "int8",
    (0, 16): "int16",
    (0, 32): "int32",
    (0, 64): "int64",
    (1, 8): "uint8",
    (2, 16): "float16",
    (2, 32): "float32",
    (2, 64): "float64",
    (4, 16): "bfloat16",
    (6, 8): "bool",
}


def _dlpack(tensor: Any) -> Memory:
    # The capsule is looked at and thrown away: the caller's object keeps the memory.
    capsule = tensor.__dlpack__()
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype = ctypes.c_void_p
    get.argtypes = [ctypes.py_object, ctypes.c_char_p]
    view = ctypes.cast(get(capsule, b"dltensor"), ctypes.POINTER(_DLTensor)).contents
    shape = tuple(view.shape[axis] for axis in range(view.ndim))
    strides = tuple(view.strides[axis] for axis in range(view.ndim)) if view.strides else None
    name = _DLPACK_NAMES.get((view.dtype.code, view.dtype.bits))
    if name is None or view.dtype.lanes != 1:
        raise ValueError(f"a DLPack tensor of type code {view.dtype.code}, {view.dtype.bits} bits")
    # kDLCPU and kDLCUDAHost are memory of the host.
    is_on_gpu = view.device.device_type not in (1, 3)
    return Memory(
        (view.data or 0) + view.byte_offset,
        shape,
        name,
        is_on_gpu,
        _is_dense(shape, strides, 1),
    )


def is_torch(tensor: Any) -> bool:
    """Whether a tensor is torch's; torch is not imported for it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(tensor, torch.Tensor)
