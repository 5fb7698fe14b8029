"""What a compiled model checks or writes while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from aitemplate.utils import environ

__all__ = ["AITDebugSettings"]


@dataclass
class AITDebugSettings:
    """Settings of `compile_model` for finding faults; models are slower by them.

    Attributes:
        check_all_nan_and_inf: print which tensors hold NaN or infinity.
        check_all_outputs: print the values of all tensors.
        gen_profiler_annotation: name the operators for profilers.
        dump_ait_to_py: a file to write the graph to, as a Python program.
        gen_standalone: make a program that runs the model on its own.
    """

    check_all_nan_and_inf: bool = False
    check_all_outputs: bool = False
    gen_profiler_annotation: bool = False
    dump_ait_to_py: Optional[str] = None
    gen_standalone: bool = field(default_factory=environ.enable_standalone_exe_generation)
