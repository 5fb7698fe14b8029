"""Tensors as addresses, and the enumerations of a model's functions."""

from __future__ import annotations

import enum
import math
from typing import Any, Dict, List, NamedTuple, Sequence, Union

from aitemplate._native.tensors import memory_of

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


def torch_to_ait_data(tensor: Any) -> AITData:
    """The address, extents and type of a tensor."""
    memory = memory_of(tensor)
    return AITData(memory.address, list(memory.shape), memory.dtype)


def cut(tensor: Any, shape: List[int]) -> Any:
    """The first elements of a dense tensor under other extents; the same memory."""
    if list(tensor.shape) == shape:
        return tensor
    if len(tensor.shape) != len(shape):
        raise AssertionError(
            f"an output tensor of shape {list(tensor.shape)} for a result of shape {shape}"
        )
    return tensor.reshape(-1)[: math.prod(shape)].reshape(shape)
