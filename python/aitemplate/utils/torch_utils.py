"""Element types of PyTorch and of the compiler, and tensors in files."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, Iterator, Optional, Tuple

from aitemplate.compiler.dtype import dtype_str_to_enum, get_dtype_size, normalize_dtype

__all__ = ["string_to_torch_dtype", "torch_dtype_to_string", "types_mapping", "write_tensor_binary"]

_NAMES = ("float16", "bfloat16", "float32", "int32", "int64", "bool")


def types_mapping() -> Iterator[Tuple[Any, str]]:
    """The types of PyTorch with their names here."""
    import torch

    for name in _NAMES:
        yield getattr(torch, name), name


def torch_dtype_to_string(dtype: Any) -> str:
    """The name of a type of PyTorch.

    Raises:
        ValueError: the compiler has no such type.
    """
    # torch.float16 prints as "torch.float16"; so it is found without importing torch.
    name = str(dtype).rpartition(".")[2]
    if name not in _NAMES or isinstance(dtype, str):
        raise ValueError(
            f"Got unsupported input dtype {dtype}! Supported dtypes are: {list(types_mapping())}"
        )
    return name


def string_to_torch_dtype(string_dtype: Optional[str]) -> Any:
    """The type of PyTorch of a name; None for None.

    Raises:
        ValueError: the compiler has no such type.
    """
    if string_dtype is None:
        return None
    if string_dtype not in _NAMES:
        raise ValueError(
            f"Got unsupported ait dtype {string_dtype}! "
            f"Supported dtypes are: {list(types_mapping())}"
        )
    import torch

    return getattr(torch, string_dtype)


def write_tensor_binary(tensor: Any, file_handle: BinaryIO) -> None:
    """Writes a tensor for the standalone program of a model.

    The number of its type, of the bytes of an element and of its dimensions, as 32-bit integers;
    its sizes and its bytes in all, as words; its elements.
    """
    import torch

    tensor = tensor.detach().cpu().contiguous()
    dtype = normalize_dtype(torch_dtype_to_string(tensor.dtype))
    element = get_dtype_size(dtype)
    total = element * tensor.numel()
    file_handle.write(struct.pack("@III", dtype_str_to_enum(dtype), element, tensor.dim()))
    for extent in (*tensor.shape, total):
        file_handle.write(struct.pack("@N", extent))
    # Viewed as bytes, since numpy has no bfloat16.
    file_handle.write(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
