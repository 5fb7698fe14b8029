"""Targets: what a model is compiled for, as a value that Python programs pass around."""

from __future__ import annotations

import os
import threading
from typing import Any, Dict, List, Optional, Union

__all__ = ["CPU", "CUDA", "ROCM", "Target", "TargetType"]

_stack = threading.local()


class TargetType:
    """The kinds of targets there are names for."""

    cuda = 1
    rocm = 2
    cpu = 3


class Target:
    """What a model is compiled for.

    A target is also a context: inside `with target:`, `Target.current()` is that target.

    Args:
        text: the target as the compiler writes it, such as "cpu:native" or "cuda:sm_80".
        arch: the compute capability of a GPU, without a point; for processors "80", since they
            do all that GPUs of that capability do, among it bfloat16.
        kwargs: options, such as `use_fp16_acc`. They are kept in `_kwargs`; the compiler decides
            by its own measures, and accumulates in float32.
    """

    _name = ""

    def __init__(self, text: str, arch: str, **kwargs: Any) -> None:
        self.text = text
        self._arch = arch
        self._kwargs: Dict[str, Any] = kwargs

    def name(self) -> str:
        """The kind: "cpu" or "cuda"."""
        return self._name

    def type(self) -> int:
        """The kind, as a number of `TargetType`."""
        return getattr(TargetType, self._name)

    @staticmethod
    def current() -> Target:
        """The target of the innermost `with target:` of this thread.

        Raises:
            RuntimeError: outside of all of them.
        """
        targets = _targets()
        if not targets:
            raise RuntimeError("Target.current() is called outside of 'with target:'")
        return targets[-1]

    def in_ci_env(self) -> bool:
        """Whether the environment says that this is a run of tests by a server (CI_FLAG)."""
        return os.environ.get("CI_FLAG") == "CIRCLECI"

    def use_dummy_profiling_results(self) -> bool:
        """Whether choices of kernels are made up and not measured; they never are."""
        return False

    def __enter__(self) -> Target:
        _targets().append(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        targets = _targets()
        if not targets or targets.pop() is not self:
            raise RuntimeError(f"'with' of the target {self.text} ends out of order")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Target) and self.text == other.text and self._kwargs == other._kwargs
        )

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self._kwargs.items())
        return f"{type(self).__name__}({self.text!r}{options})"


def _targets() -> List[Target]:
    if not hasattr(_stack, "targets"):
        _stack.targets = []
    return _stack.targets


class CPU(Target):
    """The processor.

    Args:
        isa: "native", "x86-64-v2", "x86-64-v3", "x86-64-v4" or "aarch64".
    """

    _name = "cpu"

    def __init__(self, isa: str = "native", **kwargs: Any) -> None:
        super().__init__(f"cpu:{isa}", "80", **kwargs)


class CUDA(Target):
    """GPUs of NVIDIA.

    Args:
        arch: the compute capability without a point, such as "80" or 90; "90" means Hopper with
            all its instructions. Without it, the GPUs of this machine.
        text: the target as the compiler writes it, in place of what follows from `arch`.
    """

    _name = "cuda"

    def __init__(
        self,
        arch: Optional[Union[int, str]] = None,
        text: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        name = "80" if arch is None else str(arch).replace("sm_", "").rstrip("a")
        if text is None:
            text = "cuda:detect" if arch is None else f"cuda:sm_{'90a' if name == '90' else name}"
        super().__init__(text, name, **kwargs)


class ROCM(Target):
    """GPUs of AMD, which this compiler makes no code for."""

    _name = "rocm"

    def __init__(self, arch: str = "gfx90a", **kwargs: Any) -> None:
        raise RuntimeError(f"there is no code for ROCm ({arch}): the targets are CPU() and CUDA()")
