"""Element types by AITemplate's names."""

from __future__ import annotations

from typing import Dict

# Bytes of an element, and the number by which model libraries know the type; from 7 on, those that
# AITemplate does not have.
_TYPES: Dict[str, tuple] = {
    "float16": (2, 1),
    "float32": (4, 2),
    "float": (4, 2),
    "int": (4, 3),
    "int32": (4, 3),
    "int64": (8, 4),
    "bool": (1, 5),
    "bfloat16": (2, 6),
    "float64": (8, 7),
    "int8": (1, 8),
    "uint8": (1, 9),
    "int16": (2, 10),
}


def get_dtype_size(dtype: str) -> int:
    """The bytes of an element; `KeyError` for an unknown type."""
    if dtype not in _TYPES:
        raise KeyError(f"Unknown dtype: {dtype}. Expected one of {list(_TYPES)}")
    return _TYPES[dtype][0]


def normalize_dtype(dtype: str) -> str:
    """The name with its width: ``int`` is ``int32``, ``float`` is ``float32``."""
    return {"int": "int32", "float": "float32"}.get(dtype, dtype)


def dtype_str_to_enum(dtype: str) -> int:
    """The number by which model libraries know a type; `ValueError` for an unknown one."""
    if dtype not in _TYPES:
        raise ValueError(
            f"Got unsupported input dtype {dtype}! Supported dtypes are: {list(_TYPES)}"
        )
    return _TYPES[dtype][1]


def dtype_to_enumerator(dtype: str) -> str:
    """The name of a type in the C++ header of model libraries."""
    number = dtype_str_to_enum(dtype)
    names = ["kUnset", "kHalf", "kFloat", "kInt", "kLong", "kBool", "kBFloat16"]
    if number < len(names):
        return f"AITemplateDtype::{names[number]}"
    return "AITemplateDtype_" + ["kDouble", "kInt8", "kUInt8", "kInt16"][number - len(names)]


def dtype_of_enum(number: int) -> str:
    """The type that model libraries know by a number; `ValueError` for an unknown one."""
    for name, (_, known) in _TYPES.items():
        if known == number and normalize_dtype(name) == name:
            return name
    raise ValueError(f"no element type has the number {number}")
