"""The compiler: `libAITemplate.so`, called through C with requests and replies in JSON.

Python's lock is released while a call lasts (`ctypes` sees to that). The library is loaded on first
use, and not used in a process that was forked after it: its threads are not there.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from typing import Any, Dict, Optional

from aitemplate._native import errors

_LIBRARY_NAME = "libAITemplate.so"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

_lock = threading.Lock()
_library: Optional[ctypes.CDLL] = None
_process = 0
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def library_path() -> str:
    """The compiler's library: that of AIT_COMPILER_LIBRARY, or the one in the package."""
    given = os.environ.get("AIT_COMPILER_LIBRARY")
    path = given or os.path.join(os.path.dirname(os.path.abspath(__file__)), _LIBRARY_NAME)
    if not os.path.exists(path):
        raise ImportError(
            f"found no compiler at {path}: "
            + (
                "AIT_COMPILER_LIBRARY names a file that is not there"
                if given
                else "build it by `make python` in a checkout, or install a wheel (`make wheel`)"
            )
        )
    return path


def _load() -> ctypes.CDLL:
    global _library, _process
    with _lock:
        if _library is None:
            library = ctypes.CDLL(library_path())
            library.AITCompilerCall.restype = ctypes.c_void_p
            library.AITCompilerCall.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
            library.AITCompilerFreeText.restype = None
            library.AITCompilerFreeText.argtypes = [ctypes.c_void_p]
            library.AITCompilerVersion.restype = ctypes.c_char_p
            library.AITCompilerVersion.argtypes = []
            _process = os.getpid()
            _library = library
    return _library


def version() -> str:
    """What the compiler says of itself."""
    return (_load().AITCompilerVersion() or b"").decode()


def call(method: str, request: Dict[str, Any]) -> Dict[str, Any]:
    """Asks the compiler.

    Args:
        method: the name of a method of the bridge, such as ``apply``.
        request: its fields.

    Returns:
        The fields of the reply.

    Raises:
        DiagnosticError: what the compiler found.
        RuntimeError: in a process that was forked after the compiler was loaded.
    """
    library = _library if _library is not None else _load()
    if _process != os.getpid():
        raise RuntimeError(
            "this process was forked after the compiler was loaded, whose threads it lacks: start "
            "processes by multiprocessing's 'spawn', or fork before the first use of aitemplate"
        )
    address = library.AITCompilerCall(method.encode(), _encode(request).encode())
    if not address:
        raise MemoryError("the compiler found no memory for its reply")
    try:
        reply = json.loads(ctypes.string_at(address))
    finally:
        library.AITCompilerFreeText(address)
    if "error" in reply:
        raise errors.make(reply["error"])
    return reply


def caller() -> Dict[str, Any]:
    """The line of the user's program that led here: the nearest outside of this package."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return {"file": "?", "line": 0}
    return {"file": frame.f_code.co_filename, "line": frame.f_lineno}
