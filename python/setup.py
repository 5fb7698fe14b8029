"""Wheels hold the compiler's library: they are of one platform, and of every Python 3."""

import os
import platform
import re
import subprocess

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel

LIBRARY = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "aitemplate", "_native", "libAITemplate.so"
)


def tag() -> str:
    """The oldest system that has the symbols the library asks of libc, as a tag of wheels."""
    try:
        symbols = subprocess.run(
            ["objdump", "-T", LIBRARY], check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return f"linux_{platform.machine()}"
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_(\d+\.\d+)\b", symbols)}
    major, minor = max(versions, default=(2, 17))
    return f"manylinux_{major}_{minor}_{platform.machine()}"


class PlatformWheel(bdist_wheel):
    """A wheel with a library that is no extension module."""

    def finalize_options(self) -> None:
        if not os.path.exists(LIBRARY):
            raise SystemExit(f"found no {LIBRARY}: build it by `make python` in the checkout")
        self.plat_name = self.plat_name or tag()
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple:
        """Any Python 3, no particular ABI, this platform."""
        return "py3", "none", super().get_tag()[2]


setup(cmdclass={"bdist_wheel": PlatformWheel})
