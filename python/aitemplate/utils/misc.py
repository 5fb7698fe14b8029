"""What has no place of its own: the platform, logging, short names."""

from __future__ import annotations

import cProfile
import functools
import hashlib
import io
import logging
import os
import platform
import pstats
from typing import Any, Callable

__all__ = ["callstack_stats", "is_debug", "is_linux", "is_windows", "setup_logger", "short_str"]


def is_debug() -> bool:
    """Whether the logger "aitemplate" is at DEBUG."""
    return logging.getLogger("aitemplate").level == logging.DEBUG


def is_linux() -> bool:
    """Whether this is Linux."""
    return platform.system() == "Linux"


def is_windows() -> bool:
    """Whether this is Windows."""
    return os.name == "nt"


def setup_logger(name: str) -> logging.Logger:
    """A logger that writes lines with time and level, at the level that LOGLEVEL names."""
    logger = logging.getLogger(name)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s <%(name)s> %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    level = os.environ.get("LOGLEVEL")
    logger.setLevel(level.upper() if level else logging.getLogger().level)
    return logger


def short_str(s: str, length: int = 8) -> str:
    """The first digits of a hash of a text."""
    return hashlib.sha256(s.encode()).hexdigest()[:length]


def callstack_stats(enable: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that logs where the time of a function goes, if it is enabled."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if not enable:
            return function

        @functools.wraps(function)
        def profiled(*args: Any, **kwargs: Any) -> Any:
            profile = cProfile.Profile()
            result = profile.runcall(function, *args, **kwargs)
            text = io.StringIO()
            statistics = pstats.Stats(profile, stream=text)
            statistics.sort_stats(pstats.SortKey.CUMULATIVE).print_stats(30)
            logging.getLogger(__name__).debug(text.getvalue())
            return result

        return profiled

    return decorate
