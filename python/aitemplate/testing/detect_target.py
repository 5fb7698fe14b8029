"""The target of this machine: its GPU, or its processor."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
from typing import Any, Optional

from aitemplate.backend.target import CPU, CUDA, Target

__all__ = ["detect_target"]

# CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h.
_MAJOR, _MINOR = 75, 76


@functools.cache
def compute_capability() -> Optional[int]:
    """The compute capability of the first GPU, 90 for 9.0; None without a GPU or its driver."""
    for name in ("libcuda.so.1", ctypes.util.find_library("cuda")):
        try:
            driver = ctypes.CDLL(name) if name else None
        except OSError:
            driver = None
        if driver is not None:
            break
    else:
        return None
    device, value = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return None
    parts = []
    for attribute in (_MAJOR, _MINOR):
        if driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device) != 0:
            return None
        parts.append(value.value)
    return parts[0] * 10 + parts[1]


def detect_target(**kwargs: Any) -> Target:
    """What this machine is to compile for: CUDA if it has a GPU, else the processor.

    The environment variable AIT_TARGET overrides it, with a target as the compiler writes it,
    such as "cpu:native" or "cuda:sm_80".

    Args:
        kwargs: options that AITemplate knows, such as `use_fp16_acc`; see `Target`.
    """
    text = os.environ.get("AIT_TARGET", "")
    device, _, name = text.partition(":")
    if device == "cpu":
        return CPU(name or "native", **kwargs)
    capability = compute_capability()
    if text:
        named = [part for part in name.split("+") if part.startswith("sm_")]
        arch = named[0] if named else capability if capability is not None else "80"
        return CUDA(arch=arch, text=text, **kwargs)
    if capability is None:
        return CPU(**kwargs)
    return CUDA(arch=capability, text="cuda:detect", **kwargs)
