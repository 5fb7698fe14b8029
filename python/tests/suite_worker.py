"""Collects and runs tests of AITemplate, each in a process of its own, for run_aitemplate_suite.py.

Reads requests as JSON, one a line, and answers each with one line. This process has PyTorch loaded,
not the compiler, so that it can be forked for each request: a process that was forked after the
compiler was loaded cannot use it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import inspect
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unittest
from typing import Any, Dict, Iterator, List, Optional

# How much of a test's output is kept.
_KEPT = 4000


def load(suite: str, file: str) -> Any:
    """The module of a test file, as part of the package `unittest` of the suite's folder."""
    name = os.path.splitext(file)[0].replace(os.sep, ".")
    parts = name.split(".")
    for depth in range(1, len(parts)):
        package = ".".join(parts[:depth])
        if package not in sys.modules:
            spec = importlib.util.spec_from_loader(package, loader=None, is_package=True)
            module = importlib.util.module_from_spec(spec)
            module.__path__ = [os.path.join(suite, *parts[:depth])]
            sys.modules[package] = module
    spec = importlib.util.spec_from_file_location(name, os.path.join(suite, file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _cases(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _cases(test)
        else:
            yield test


def collect(suite: str, file: str) -> Dict[str, Any]:
    """The names of all tests of a file: "Class.method", or "function" for those of pytest."""
    try:
        module = load(suite, file)
    except unittest.SkipTest as skip:
        return {"tests": [], "skipped": str(skip)}
    tests = [
        f"{type(test).__name__}.{test._testMethodName}"
        for test in _cases(unittest.defaultTestLoader.loadTestsFromModule(module))
    ]
    tests += [
        name
        for name, value in vars(module).items()
        if name.startswith("test_") and inspect.isfunction(value)
    ]
    return {"tests": tests}


class _Capture:
    """What pytest's fixture `capfd` does: the text that the process writes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._saved = os.dup(1)
        sys.stdout.flush()
        os.dup2(self._file.fileno(), 1)

    def readouterr(self) -> Any:
        """What was written since the last call, and nothing of errors."""
        sys.stdout.flush()
        self._file.seek(0)
        text = self._file.read().decode(errors="replace")
        self._file.seek(0)
        self._file.truncate()
        return text, ""

    def close(self) -> None:
        """Ends it."""
        sys.stdout.flush()
        os.dup2(self._saved, 1)


def _cause(error: BaseException) -> str:
    """The type of an error and the line of its message that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(": ")


class _Result(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.report: Dict[str, Any] = {"status": "passed"}

    def _fail(self, error: Any) -> None:
        if self.report["status"] != "failed":
            self.report = failure(error[1])

    def addError(self, test: Any, err: Any) -> None:
        self._fail(err)

    def addFailure(self, test: Any, err: Any) -> None:
        self._fail(err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._fail(err)

    def addSkip(self, test: Any, reason: str) -> None:
        if self.report["status"] == "passed":
            self.report = {"status": "skipped", "cause": reason}


def failure(error: BaseException) -> Dict[str, Any]:
    """The report of a test that raised an error."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"status": "failed", "cause": _cause(error), "trace": text[-_KEPT:]}


def run(suite: str, file: str, test: str) -> Dict[str, Any]:
    """Runs one test."""
    import torch

    torch.manual_seed(0)
    module = load(suite, file)
    name, _, method = test.partition(".")
    if method:
        result = _Result()
        unittest.TestSuite([getattr(module, name)(method)]).run(result)
        return result.report
    function = getattr(module, name)
    marks = getattr(function, "pytestmark", [])
    for mark in marks:
        if mark.name == "skip" or (mark.name == "skipif" and any(mark.args)):
            return {"status": "skipped", "cause": str(mark.kwargs.get("reason", mark.name))}
    capture = _Capture()
    try:
        function(**{name: capture for name in inspect.signature(function).parameters})
    finally:
        capture.close()
    return {"status": "passed"}


def _child(suite: str, request: Dict[str, Any], write: int, log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        if request["kind"] == "collect":
            report = collect(suite, request["file"])
        else:
            report = run(suite, request["file"], request["test"])
    except unittest.SkipTest as skip:
        report = {"status": "skipped", "cause": str(skip)}
    except BaseException as error:
        report = failure(error)
    with os.fdopen(write, "w") as pipe:
        json.dump(report, pipe)
    sys.stdout.flush()
    # Threads of the compiler and of PyTorch are left as they are.
    os._exit(0)


def _read(descriptor: int, until: float) -> Optional[bytes]:
    """What a pipe gives until it is closed; None if that takes too long."""
    chunks: List[bytes] = []
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def serve(suite: str, work: str, request: Dict[str, Any], timeout: float) -> Dict[str, Any]:
    """Forks for a request, waits for it, and cleans up."""
    folder = tempfile.mkdtemp(prefix="test-", dir=work)
    log = folder + ".log"
    begin = time.monotonic()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.setpgid(0, 0)
        os.chdir(folder)
        _child(suite, request, write, log)
    os.close(write)
    data = _read(read, begin + timeout)
    os.close(read)
    status = 0
    if data is None:
        report: Dict[str, Any] = {"status": "timeout", "cause": f"takes over {timeout:.0f} s"}
        _kill(child)
    _, status = os.waitpid(child, 0)
    if data is not None:
        try:
            report = json.loads(data)
        except ValueError:
            code = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            name = signal.Signals(code).name if os.WIFSIGNALED(status) else f"exit {code}"
            report = {"status": "crashed", "cause": f"the process ended by {name}"}
    _kill(child)
    if report.get("status") in ("failed", "timeout", "crashed"):
        with contextlib.suppress(OSError), open(log, errors="replace") as file:
            report["output"] = file.read()[-_KEPT:]
        # Where the checkout and the test's folder lie is of no use to readers of the table.
        for place in (folder, suite):
            report["cause"] = report["cause"].replace(place + os.sep, "")
    report["seconds"] = round(time.monotonic() - begin, 2)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.unlink(log)
    return report


def _kill(child: int) -> None:
    """Ends what is left of a process and its own compilers."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def main() -> None:
    """Serves requests until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    # Answers go where the output went; what tests print goes elsewhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    import torch
    import torch_on_cpu

    torch.set_num_threads(options.threads)
    if not os.environ.get("AIT_TARGET", "").startswith("cuda"):
        torch_on_cpu.install()
    sys.path.insert(0, options.suite)
    for line in sys.stdin:
        request = json.loads(line)
        json.dump(serve(options.suite, options.work, request, options.timeout), answers)
        answers.write("\n")
        answers.flush()


if __name__ == "__main__":
    main()
