"""What the results of AITemplate's tests are made of: why some are not run, causes, the table."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from typing import Any, Dict, List, Optional

SUITE = "AITemplate/tests/unittest"

_PASSES = "calls parts of AITemplate's optimiser one by one"

# Tests of parts of AITemplate that this compiler does not have, by file (and test).
_NOT_HERE = {
    "backend/test_build_cache.py": "AITemplate's builder: its cache of make's output",
    "backend/test_codegen_output_aliases.py": "text of AITemplate's code generator",
    "backend/test_codegen_output_tensor.py": "text of AITemplate's code generator",
    "backend/test_fused_elementwise_backend.py": "text of AITemplate's code generator",
    "backend/test_profiler.py": "AITemplate's profilers: programs built from CUTLASS",
    "compiler/test_compilation_failure.py": "AITemplate's builder: broken templates of its backend",
    "compiler/test_fuse_duplicate_fused_elementwise.py": _PASSES,
    "compiler/test_fused_elementwise_singleton.py": _PASSES,
    "compiler/test_parallel_gemm_fusions.py": _PASSES,
    "compiler/test_remove_elementwise_no_ops.py": _PASSES,
    "compiler/test_tensor_accessor.py": _PASSES,
    "compiler/test_transform_memory_ops.py": _PASSES,
    "compiler/test_transform_toposort.py": _PASSES,
    "compiler/test_transform_utils.py": _PASSES,
    "ops/test_conv3d_profiler_cache.py": "AITemplate's profile cache: CUTLASS configurations",
    "ops/test_conv_profiler_cache.py": "AITemplate's profile cache: CUTLASS configurations",
    "ops/test_gemm_profiler_cache.py": "AITemplate's profile cache: CUTLASS configurations",
    "benchmark/test_gemm_benchmark.py": "a measurement, with TensorRT for comparison",
    "benchmark/test_group_gemm_benchmark.py": "a measurement, with TensorRT for comparison",
    "benchmark/test_strided_layernorm_benchmark.py": "a measurement",
}

# What is known of causes: by a part of the cause, or of the test where causes say little.
_REMARKS = {
    "max_read_t": "asks for the vector types of AITemplate's kernels",
    "No bmm_tensor found": "looks for AITemplate's operator in the optimised program",
    "idx -4 out of range; rank 2": "AITemplate is wrong here: two dimensions have no -4",
    "masked_select: a result whose size depends": "sizes follow from those of inputs here",
    "test_bert_embeddings_fp16": "the tolerance, 1e-3, is less than float16 rounds by",
}

_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


def reason_to_skip(file: str, test: str) -> Optional[str]:
    """Why a test is not run, or None; an empty test stands for the whole file."""
    reason = _NOT_HERE.get(file.replace(os.sep, "/"))
    if reason is not None:
        return reason
    return "ROCm" if test.endswith("rocm") else None


def excuse(answer: Dict[str, Any]) -> Dict[str, Any]:
    """A result, skipped instead of failed where a package of others is missing."""
    if "operator torchvision::" in answer.get("cause", ""):
        return {**answer, "status": "skipped", "cause": "needs torchvision for this PyTorch"}
    missing = _MISSING.match(answer.get("cause", ""))
    if missing and not missing.group(1).startswith("aitemplate"):
        return {**answer, "status": "skipped", "cause": f"needs the package {missing.group(1)}"}
    return answer


def cause_of(result: Dict[str, Any]) -> str:
    """The cause of a failure without what differs from test to test."""
    text = result.get("cause", "") or result["status"]
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    text = re.sub(r"\[[^\[\]]*\d[^\[\]]*\]", "[…]", text)
    text = re.sub(r"\b\d+(\.\d+)?(e[-+]?\d+)?\b", "N", text)
    text = re.sub(r"'[\w.]*_N\b[\w.]*'", "'…'", text)
    return text[:160]


_ORDER = ("passed", "failed", "timeout", "crashed", "skipped")


def _counts(results: List[Dict[str, Any]]) -> Counter:
    return Counter(result["status"] for result in results)


def summary(results: List[Dict[str, Any]]) -> str:
    """One line: how many tests passed of those that were run."""
    counts = _counts(results)
    run = sum(counts[status] for status in _ORDER[:-1])
    share = f", {100 * counts['passed'] / run:.1f} % of those run" if run else ""
    return ", ".join(f"{counts[status]} {status}" for status in _ORDER if counts[status]) + share


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def table(
    results: List[Dict[str, Any]], target: str, command: str, sample: Optional[str] = None
) -> str:
    """The page: totals, a row for each file, failures by cause, what was skipped and why.

    Args:
        results: what tests said.
        target: what they were compiled for.
        command: what writes the page.
        sample: which tests were run, if not all.
    """
    by_file: Dict[str, List[Dict[str, Any]]] = defaultdict(list)
    by_folder: Dict[str, List[Dict[str, Any]]] = defaultdict(list)
    for result in results:
        file = result["file"].replace(os.sep, "/")
        by_file[file].append(result)
        by_folder[file.rpartition("/")[0] or "."].append(result)
    lines = [
        "# AITemplate's own tests",
        "",
        f"What the public unit tests of facebookincubator/AITemplate say of this package, on the "
        f"target `{target}`. Each test runs in a process of its own."
        + (f" **{sample}**" if sample else "")
        + " Written by",
        "",
        "```",
        command,
        "```",
        "",
        "| folder | passed | failed | skipped | of those run |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for folder, group in [*sorted(by_folder.items()), ("**all**", results)]:
        lines.append("| " + folder + _row(group) + _share(group))
    lines += [
        "",
        "## Files",
        "",
        "| file | passed | failed | skipped |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += ["| " + file + _row(group) for file, group in sorted(by_file.items())]

    failed: Dict[str, List[Dict[str, Any]]] = defaultdict(list)
    skipped: Dict[str, List[Dict[str, Any]]] = defaultdict(list)
    for result in results:
        if result["status"] == "skipped":
            skipped[result.get("cause", "")].append(result)
        elif result["status"] != "passed":
            failed[cause_of(result)].append(result)
    lines += ["", "## Failures by cause", ""]
    lines += _causes(failed, "No test fails.")
    lines += ["## Skipped", ""]
    lines += _causes(skipped, "No test is skipped.")
    return "\n".join(lines).rstrip() + "\n"


def _row(group: List[Dict[str, Any]]) -> str:
    counts = _counts(group)
    failed = counts["failed"] + counts["timeout"] + counts["crashed"]
    return f" | {counts['passed']} | {failed} | {counts['skipped']} |"


def _share(group: List[Dict[str, Any]]) -> str:
    counts = _counts(group)
    run = len(group) - counts["skipped"]
    return f" {100 * counts['passed'] / run:.1f} % |" if run else " |"


def _causes(causes: Dict[str, List[Dict[str, Any]]], none: str) -> List[str]:
    if not causes:
        return [none, ""]
    lines = []
    for cause, group in sorted(causes.items(), key=lambda item: (-len(item[1]), item[0])):
        remarks = {
            remark
            for part, remark in _REMARKS.items()
            if part in cause or all(part in result["id"] for result in group)
        }
        note = "".join(f". *{remark}*" for remark in sorted(remarks))
        lines.append(f"- {len(group)}: {_escape(cause)}{note}")
        tests: Dict[str, List[str]] = defaultdict(list)
        for result in group:
            tests[result["file"].replace(os.sep, "/")].append(result["test"] or "(the file)")
        for file, names in sorted(tests.items()):
            lines.append(f"  - {file}: {', '.join(sorted(names))}")
    return [*lines, ""]
