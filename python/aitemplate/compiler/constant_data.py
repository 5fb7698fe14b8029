"""Elements that constants are bound to."""

from __future__ import annotations

from typing import Any

from aitemplate.compiler.dtype import normalize_dtype


class _ConstantTensorData:
    """Elements that a tensor is bound to; they stay in memory until the model is compiled."""

    def __init__(self, dtype: str) -> None:
        self.dtype = normalize_dtype(dtype)

    def to_bytes(self) -> bytes:
        """A copy of the elements."""
        raise NotImplementedError

    def address(self) -> int:
        """Where the elements lie, in the memory of the host."""
        raise NotImplementedError

    def size(self) -> int:
        """The number of bytes."""
        raise NotImplementedError

    def is_dtype(self, dtype: str) -> bool:
        """Whether the elements are of a type."""
        return self.dtype == normalize_dtype(dtype)

    def __len__(self) -> int:
        return self.size()


class _HostConstantTensorData(_ConstantTensorData):
    """Elements as bytes."""

    def __init__(self, data: bytes, dtype: str = "float16") -> None:
        super().__init__(dtype)
        import ctypes

        self._size = len(data)
        self._buffer = ctypes.create_string_buffer(data, max(1, len(data)))

    def to_bytes(self) -> bytes:
        return self._buffer.raw[: self._size]

    def address(self) -> int:
        import ctypes

        return ctypes.addressof(self._buffer)

    def size(self) -> int:
        return self._size


class _TorchConstantTensorData(_ConstantTensorData):
    """Elements of a torch tensor; a copy only where it is on a GPU or not contiguous."""

    def __init__(self, tensor: Any) -> None:
        from aitemplate.utils.torch_utils import torch_dtype_to_string

        super().__init__(torch_dtype_to_string(tensor.dtype))
        self.tensor = tensor.detach().cpu().contiguous()

    def to_bytes(self) -> bytes:
        import ctypes

        return ctypes.string_at(self.tensor.data_ptr(), self.size()) if self.size() else b""

    def address(self) -> int:
        return self.tensor.data_ptr()

    def size(self) -> int:
        return self.tensor.element_size() * self.tensor.nelement()


class _NumpyConstantTensorData(_ConstantTensorData):
    """Elements of a numpy array."""

    def __init__(self, arr: Any) -> None:
        import numpy

        super().__init__(str(arr.dtype))
        self.array = numpy.ascontiguousarray(arr)

    def to_bytes(self) -> bytes:
        return self.array.tobytes()

    def address(self) -> int:
        return self.array.ctypes.data

    def size(self) -> int:
        return self.array.nbytes
