"""Where Python finds modules."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["import_parent"]


def import_parent(filepath: str, level: int) -> None:
    """Makes modules importable that lie in a folder some levels above a file, not beside it."""
    path = Path(filepath).resolve()
    sys.path.append(str(path.parents[level]))
    beside = str(path.parent)
    if beside in sys.path:
        sys.path.remove(beside)
