#!/usr/bin/env python3
"""Runs AITemplate's own unit tests against this package, and writes a table of what they say.

    python python/tests/run_aitemplate_suite.py --suite AITemplate/tests/unittest

The suite is a checkout of facebookincubator/AITemplate, of which nothing is kept here. Each test
runs in a process of its own with a time limit. Results go to a file of JSON lines as they come,
from which an interrupted run goes on with --resume. On a machine without a GPU `.cuda()` and its
like are identities.

Needs torch, numpy, parameterized, and for single tests pytest, einops, sympy and jinja2.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import queue
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List, Optional

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import suite_report  # noqa: E402


class Server:
    """A process that has PyTorch loaded and forks for each test."""

    def __init__(self, options: argparse.Namespace, threads: int) -> None:
        environment = dict(os.environ)
        paths = [HERE, os.path.dirname(HERE), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        environment["XDG_CACHE_HOME"] = os.path.join(options.work, "cache")
        environment["TMPDIR"] = options.work
        if options.target == "cpu":
            environment["AIT_TARGET"] = "cpu:native"
            environment["CUDA_VISIBLE_DEVICES"] = ""
        elif options.target == "cuda":
            environment["AIT_TARGET"] = "cuda:detect"
            # The driver must not be started in a process that is forked.
            environment["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
        self._process = subprocess.Popen(
            [
                sys.executable,
                os.path.join(HERE, "suite_worker.py"),
                f"--suite={options.suite}",
                f"--work={options.work}",
                f"--timeout={options.timeout}",
                f"--threads={threads}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def ask(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Runs a request in a forked process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the server ended with {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def test_files(suite: str, only: Optional[str]) -> List[str]:
    """The files of the suite, by path; `only` is a part of the path, or a regular expression."""
    found = []
    for folder, _, names in os.walk(suite):
        for name in names:
            if name.startswith("test_") and name.endswith(".py"):
                found.append(os.path.relpath(os.path.join(folder, name), suite))
    pattern = (only or "").partition("::")[0]
    return sorted(file for file in found if re.search(pattern, file))


def written_tests(path: str) -> List[str]:
    """The tests of a file that cannot be imported: those that are written, without parameters."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.append(node.name)
        elif isinstance(node, ast.ClassDef):
            found += [
                f"{node.name}.{member.name}"
                for member in node.body
                if isinstance(member, ast.FunctionDef) and member.name.startswith("test_")
            ]
    return found


def each(servers: List[Server], requests: List[Dict[str, Any]], done: Any) -> None:
    """Asks for all requests, as many at once as there are servers."""
    waiting: queue.Queue[Dict[str, Any]] = queue.Queue()
    for request in requests:
        waiting.put(request)
    errors: List[BaseException] = []
    lock = threading.Lock()

    def work(server: Server) -> None:
        while not errors:
            try:
                request = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answer = server.ask(request)
                with lock:
                    done(request, answer)
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def identifier(file: str, test: str) -> str:
    """What a test is called: "ops.test_gemm.GEMMTestCase.test_rcr"."""
    return os.path.splitext(file)[0].replace(os.sep, ".") + "." + test


def parse() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", required=True, help="tests/unittest of a checkout of AITemplate")
    parser.add_argument("--target", choices=("cpu", "cuda"), help="this machine's, if not given")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at once")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for a test")
    parser.add_argument("--only", help="regular expression of files, then :: and one of tests")
    parser.add_argument("--sample", type=int, help="so many tests of each file at most")
    parser.add_argument("--list", action="store_true", help="print the tests, run none")
    parser.add_argument("--resume", help="the file of results; those in it are not run again")
    parser.add_argument("--retry", action="store_true", help="run those that did not pass again")
    parser.add_argument("--deadline", type=float, help="start no test after so many seconds")
    parser.add_argument("--output", help="the table, such as docs/aitemplate-suite.md")
    parser.add_argument("--work", help="a folder for caches; else a temporary one")
    options = parser.parse_args()
    options.suite = os.path.abspath(options.suite)
    if not os.path.isdir(options.suite):
        parser.error(f"there is no folder {options.suite}")
    options.work = os.path.abspath(options.work or tempfile.mkdtemp(prefix="aitemplate-suite-"))
    os.makedirs(options.work, exist_ok=True)
    return options


def collect(
    options: argparse.Namespace,
    servers: List[Server],
    results: Dict[str, Dict[str, Any]],
    note: Any,
) -> List[Dict[str, Any]]:
    """The requests for all tests that are to run; files that are skipped are noted as results."""
    requests: List[Dict[str, Any]] = []
    wanted = (options.only or "").partition("::")[2]

    def whole(file: str, answer: Dict[str, Any]) -> None:
        for test in written_tests(os.path.join(options.suite, file)):
            if re.search(wanted, test):
                note(file, test, answer)

    to_import = []
    for file in test_files(options.suite, options.only):
        reason = suite_report.reason_to_skip(file, "")
        if reason is not None:
            whole(file, {"status": "skipped", "cause": reason, "seconds": 0})
        else:
            to_import.append({"kind": "collect", "file": file})

    def collected(request: Dict[str, Any], answer: Dict[str, Any]) -> None:
        file = request["file"]
        if "tests" not in answer:
            whole(file, suite_report.excuse(answer))
            return
        tests = [test for test in answer["tests"] if re.search(wanted, test)]
        if options.sample and len(tests) > options.sample:
            step = len(tests) / options.sample
            tests = [tests[int(index * step)] for index in range(options.sample)]
        for test in tests:
            reason = suite_report.reason_to_skip(file, test)
            known = results.get(identifier(file, test))
            if reason is not None:
                note(file, test, {"status": "skipped", "cause": reason, "seconds": 0})
            elif known is None or (options.retry and known["status"] not in ("passed", "skipped")):
                requests.append({"kind": "test", "file": file, "test": test})

    each(servers, to_import, collected)
    return sorted(requests, key=lambda request: (request["file"], request["test"]))


def main() -> int:
    """Runs the tests; the exit status says nothing of their results."""
    options = parse()
    results: Dict[str, Dict[str, Any]] = {}
    path = options.resume or os.path.join(options.work, "results.jsonl")
    if options.resume and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                results[entry["id"]] = entry
    record = open(path, "a", encoding="utf-8")  # noqa: SIM115

    def note(file: str, test: str, answer: Dict[str, Any]) -> None:
        entry = {"id": identifier(file, test).rstrip("."), "file": file, "test": test, **answer}
        results[entry["id"]] = entry
        record.write(json.dumps(entry) + "\n")
        record.flush()

    threads = max(1, (os.cpu_count() or 1) // options.jobs)
    servers = [Server(options, threads) for _ in range(options.jobs)]
    begin = time.monotonic()
    try:
        requests = collect(options, servers, results, note)
        if options.list:
            for request in requests:
                print(identifier(request["file"], request["test"]))
            return 0
        print(f"{len(requests)} tests; results go to {path}", flush=True)
        count = 0

        def ran(request: Dict[str, Any], answer: Dict[str, Any]) -> None:
            nonlocal count
            if "unasked" in answer:
                return
            count += 1
            answer = suite_report.excuse(answer)
            note(request["file"], request["test"], answer)
            print(
                f"{count}/{len(requests)} {answer['status']:8} {answer['seconds']:6.1f} s  "
                f"{identifier(request['file'], request['test'])}  {answer.get('cause', '')[:120]}",
                flush=True,
            )

        if options.deadline is not None:
            for server in servers:
                server.ask = _until(begin + options.deadline, server.ask)
        each(servers, requests, ran)
    finally:
        for server in servers:
            server.close()
        record.close()
    command = f"python python/tests/run_aitemplate_suite.py --suite {suite_report.SUITE}"
    for name in ("target", "sample", "only"):
        value = getattr(options, name)
        if value is not None:
            command += f" --{name} {shlex.quote(str(value))}"
    sample = f"Of each file {options.sample} tests at most were run." if options.sample else None
    table = suite_report.table(
        list(results.values()), options.target or "detected", command, sample
    )
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(table)
    print(suite_report.summary(list(results.values())))
    return 0


def _until(moment: float, ask: Any) -> Any:
    def limited(request: Dict[str, Any]) -> Dict[str, Any]:
        return {"unasked": True} if time.monotonic() > moment else ask(request)

    return limited


if __name__ == "__main__":
    sys.exit(main())
