"""Files and folders."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable, Optional, Union

__all__ = ["file_age", "file_sizes", "touch"]

Location = Union[str, "os.PathLike[str]"]


def touch(file_path: Location) -> None:
    """Makes a file, and the folders above it, if it is not there; sets its time to now."""
    path = Path(file_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def file_age(file_path: Location) -> float:
    """Seconds since a file was written; for one that is not there, a thousand days."""
    path = Path(file_path)
    return time.time() - path.stat().st_mtime if path.is_file() else 3600 * 24 * 1000.0


def file_sizes(directory: Location, filter_function: Optional[Callable[[str], bool]] = None) -> int:
    """The bytes of all files below a folder, or of those that a function accepts by path."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if filter_function is None or filter_function(path):
                total += os.path.getsize(path)
    return total
