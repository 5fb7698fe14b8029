"""Tools for tests and measurements."""

from aitemplate.testing import benchmark_ait, benchmark_pt
from aitemplate.testing.detect_target import detect_target
from aitemplate.testing.profile import profile_callable

__all__ = ["benchmark_ait", "benchmark_pt", "detect_target", "profile_callable"]
