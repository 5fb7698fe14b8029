#!/usr/bin/env python3
"""Times the suites of `ait bench` on a GPU: our libraries against PyTorch and cuBLAS.

    ait bench --suite matmul --prepare suite-matmul --target cuda:sm_90a      # needs no GPU
    python3 Benchmarks/suite_gpu.py suite-matmul --output Benchmarks/results/matmul.md
    ait bench --suite rows --prepare suite-rows --target cuda:sm_90a
    python3 Benchmarks/suite_gpu.py suite-rows --output Benchmarks/results/rows.md

The libraries are loaded by ctypes into this process and given PyTorch's tensors by pointer. A run is
of several copies of one problem, each on tensors of its own, together beyond the level-2 cache (200
MB; no more than 64 copies). PyTorch does the same work on the same tensors: products by cuBLAS
(torch.mm; torch.addmm where there is a bias), then the pointwise kernels that eager PyTorch needs for
what is fused in ours (GELU; the sum with the residual). Both are CUDA graphs of all copies. They take
turns; times are medians over rounds of many replays between events on the device, divided by replays
and copies.

Results of the first and the last copy are compared with float64 and with each other's before anything
is timed: a case whose error is beyond PyTorch's own by more than a half is reported as wrong and not
timed. A fault ends a case, not the script. Results are appended to OUTPUT.jsonl as they come; a second
call goes on where the first stopped, and writes the table of all that is there.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from model_library import Library, graphed, microseconds  # noqa: E402

# How much of it is one round, in microseconds; the shortest work is repeated as often as this holds.
ROUND = 6000


class Problem:
    """The tensors of a case, and PyTorch's way to the same results."""

    def __init__(self, case: dict):
        self.case = case
        self.kind, self.epilogue = case["kind"], case["epilogue"]
        self.copies = range(case["copies"])
        dtype = getattr(torch, case["dtype"])
        m, n, k = case["m"], case["n"], case["k"]

        def random(*shape, scale=1.0):
            return torch.randn(*shape, device="cuda", dtype=torch.float32).mul_(scale).to(dtype)

        self.inputs, self.constants, self.ours, self.theirs = {}, {}, {}, {}
        for i in self.copies:
            if self.kind == "matmul":
                self.inputs[f"x{i}"] = random(m, k)
                # So that results are of the order of 1, as a model's are.
                self.constants[f"w{i}"] = random(n, k, scale=1 / math.sqrt(k))
                if self.epilogue != "none":
                    self.constants[f"b{i}"] = random(n)
                if self.epilogue == "bias_residual":
                    self.inputs[f"r{i}"] = random(m, n)
            else:
                self.inputs[f"x{i}"] = random(m, n)
                if self.kind in ("layer_norm", "scaled_sum"):
                    self.constants[f"w{i}"] = random(n)
                if self.kind == "layer_norm":
                    self.constants[f"b{i}"] = random(n)
            for outputs in (self.ours, self.theirs):
                outputs[f"y{i}"] = torch.full((m, n), float("nan"), device="cuda", dtype=dtype)

    def tensor(self, name: str, i: int):
        key = f"{name}{i}"
        return self.inputs[key] if key in self.inputs else self.constants.get(key)

    def pytorch(self, i: int) -> None:
        """The work of a copy, by PyTorch's eager kernels."""
        x, w, b, r, y = *(self.tensor(name, i) for name in "xwbr"), self.theirs[f"y{i}"]
        if self.kind == "matmul":
            if self.epilogue == "none":
                torch.mm(x, w.t(), out=y)
            else:
                torch.addmm(b, x, w.t(), out=y)
            if self.epilogue == "bias_gelu":
                y = F.gelu(y, approximate="tanh")
            elif self.epilogue == "bias_residual":
                torch.add(y, r, out=y)
        elif self.kind == "layer_norm":
            y = F.layer_norm(x, (x.shape[1],), w, b, 1e-5)
        elif self.kind == "softmax":
            y = F.softmax(x, 1)
        elif self.kind == "scaled_sum":
            torch.addcmul(x, x, w, out=y)
        else:
            y = F.gelu(x, approximate="tanh")
        # Some functions have no form with an output that is given: the graph's memory holds it.
        self.theirs[f"y{i}"] = y

    def exact(self, i: int) -> torch.Tensor:
        """A copy's result in float64."""
        x, w, b, r = (
            None if each is None else each.double()
            for each in (self.tensor(name, i) for name in "xwbr")
        )
        if self.kind == "matmul":
            y = x @ w.t()
            y = y if b is None else y + b
            if self.epilogue == "bias_gelu":
                y = F.gelu(y, approximate="tanh")
            return y if r is None else y + r
        if self.kind == "layer_norm":
            return F.layer_norm(x, (x.shape[1],), w, b, 1e-5)
        if self.kind == "softmax":
            return torch.softmax(x, 1)
        return x * w + x if self.kind == "scaled_sum" else F.gelu(x, approximate="tanh")

    def errors(self) -> tuple:
        """The largest normalised errors of ours and PyTorch's, over the first and the last copy."""
        worst = [0.0, 0.0]
        for i in {0, len(self.copies) - 1}:
            # By parts, as float64 of a large one takes much memory.
            exact = self.exact(i)
            norm = float(exact.norm())
            for side, outputs in enumerate((self.ours, self.theirs)):
                error = float((outputs[f"y{i}"].double() - exact).norm()) / norm
                worst[side] = max(worst[side], error if math.isfinite(error) else math.inf)
        return tuple(worst)


def copy_rate() -> float:
    """Bytes read and written in a second by a copy of 256 MB on the device: larger ones are slower."""
    source = torch.empty(1 << 28, device="cuda", dtype=torch.uint8).random_()
    target = torch.empty_like(source)
    stream = torch.cuda.Stream()
    replay = graphed(lambda: target.copy_(source), stream)
    times = [microseconds(replay, stream, 10) for _ in range(7)]
    return 2 * source.nbytes / min(times) * 1e6


def warm_up(seconds: float) -> None:
    """Brings the clocks up to where they stay under load."""
    a = torch.randn(4096, 4096, device="cuda", dtype=torch.float16)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(20):
            a @ a
        torch.cuda.synchronize()


def measure(folder: pathlib.Path, case: dict, rounds: int) -> dict:
    torch.manual_seed(1)
    problem = Problem(case)
    library = Library(str(folder / f"{case['name']}.so"))
    stream = torch.cuda.Stream()
    try:
        if problem.constants:
            library.set_constants(problem.constants)
        ours = library.bound_run(
            [problem.inputs[name] for name in library.names("Input")],
            [problem.ours[name] for name in library.names("Output")],
            stream, True,
        )
        with torch.no_grad():
            theirs = graphed(lambda: [problem.pytorch(i) for i in problem.copies], stream)
            theirs()
        torch.cuda.synchronize()
        errors = problem.errors()
        result = dict(case, error=errors[0], pytorch_error=errors[1])
        if not errors[0] <= max(1.5 * errors[1], 1e-3):
            return dict(result, problem=f"error {errors[0]:.2e}, PyTorch's {errors[1]:.2e}")
        once = max(microseconds(theirs, stream, 3), 1.0)
        calls = max(2, min(200, round(ROUND / once)))
        times = {"ours": [], "pytorch": []}
        for index in range(rounds):
            turns = [("ours", ours), ("pytorch", theirs)]
            # Neither always comes first.
            for name, call in turns if index % 2 == 0 else reversed(turns):
                times[name].append(microseconds(call, stream, calls) / case["copies"])
        result["us"] = statistics.median(times["ours"])
        result["pytorch_us"] = statistics.median(times["pytorch"])
        result["ratio"] = result["pytorch_us"] / result["us"]
        return result
    finally:
        torch.cuda.synchronize()
        library.close()


def geometric_mean(values: list) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def describe(result: dict) -> str:
    if result["kind"] == "matmul":
        fused = {"none": "", "bias_gelu": "bias, GELU", "bias_residual": "bias, residual"}
        return f"{result['m']} × {result['n']} × {result['k']} | {fused[result['epilogue']]}"
    names = {"layer_norm": "LayerNorm", "softmax": "softmax", "scaled_sum": "x · w + x",
             "gelu": "GELU"}
    return f"{names[result['kind']]}, {result['m']} × {result['n']} | "


def table(results: list, head: dict, command: str) -> str:
    """The results as Markdown."""
    lines = [
        f"# {head['suite']} on {head['device']}", "",
        f"Printed by `{command}` on {head['date']}: PyTorch {head['torch']}, CUDA "
        f"{head['cuda']}, cuBLAS as it comes with it. `Benchmarks/suite_gpu.py` says what is compared "
        "and how. Microseconds of one copy; ratios above 1 are in our favour. A copy of 256 MB on the "
        f"device, in the same run: {head['copy'] / 1e12:.3f} TB/s.", "",
    ]
    timed = [each for each in results if "us" in each]
    fused = [each for each in timed if each["kind"] == "matmul" and each["epilogue"] != "none"]
    if fused:
        ratios = [each["ratio"] for each in fused]
        lines += [
            f"Products with what is fused: {len(fused)}; geometric mean of the ratios "
            f"**{geometric_mean(ratios):.3f}**, least {min(ratios):.2f}.", "",
        ]
        groups = sorted({each["group"] for each in fused})
        lines += ["| group | cases | geometric mean | least |", "| --- | ---: | ---: | ---: |"]
        for group in groups:
            own = [each["ratio"] for each in fused if each["group"] == group]
            lines.append(
                f"| {group} | {len(own)} | {geometric_mean(own):.3f} | {min(own):.2f} |"
            )
        lines.append("")
    lines += [
        "| group | work | fused | type | ours | PyTorch | ratio | TFLOP/s | TB/s | of a copy |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in timed:
        flops = f"{each['flops'] / each['us'] / 1e6:.1f}" if each["flops"] else ""
        rate = each["bytes"] / each["us"] * 1e6
        lines.append(
            f"| {each['group']} | {describe(each)} | {each['dtype']} | {each['us']:.2f} | "
            f"{each['pytorch_us']:.2f} | {each['ratio']:.2f} | {flops} | {rate / 1e12:.2f} | "
            f"{100 * rate / head['copy']:.0f} % |"
        )
    faults = [each for each in results if "us" not in each]
    if faults:
        lines += ["", "Not timed:", ""]
        lines += [f"- {each['name']}: {each['problem']}" for each in faults]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, help="the table, as Markdown")
    parser.add_argument("--only", default="", help="groups or parts of names, by commas")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=460, help="begin no case after so long")
    parser.add_argument("--again", action="store_true", help="time again what was timed before")
    options = parser.parse_args()

    start = time.monotonic()
    index = json.loads((options.folder / "suite.json").read_text())
    output = options.output or options.folder / "results.md"
    log = output.with_suffix(".jsonl")
    log.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if log.exists():
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            known[entry["name"]] = entry
    texts = [text for text in options.only.split(",") if text]
    cases = [
        case for case in index["cases"]
        if not texts or any(text == case["group"] or text in case["name"] for text in texts)
    ]
    warm_up(1.0)
    head = {
        "name": "head", "suite": index["suite"], "device": torch.cuda.get_device_name(),
        "torch": torch.__version__, "cuda": torch.version.cuda, "copy": copy_rate(),
        "date": time.strftime("%Y-%m-%d"),
    }
    with log.open("a") as record:
        def note(entry: dict) -> None:
            known[entry["name"]] = entry
            record.write(json.dumps(entry) + "\n")
            record.flush()

        note(head)
        print(f"{head['device']}, PyTorch {head['torch']}; copy {head['copy'] / 1e12:.3f} TB/s",
              flush=True)
        for case in cases:
            if "us" in known.get(case["name"], {}) and not options.again:
                continue
            if time.monotonic() - start > options.seconds:
                print("the time is over; call again to go on", flush=True)
                break
            try:
                result = measure(options.folder, case, options.rounds)
            except Exception as error:  # one case must not end the others
                result = dict(case, problem=str(error).split("\n")[0])
            note(result)
            shown = (
                f"{result['us']:9.2f} us  {result['pytorch_us']:9.2f} us  {result['ratio']:5.2f}"
                if "us" in result else result["problem"]
            )
            print(f"{case['name']:52} {shown}", flush=True)
            torch.cuda.empty_cache()
    ordered = [known[case["name"]] for case in index["cases"] if case["name"] in known]
    command = f"python3 Benchmarks/suite_gpu.py {options.folder.name} --output {output.name}"
    output.write_text(table(ordered, head, command))
    print("\n".join(table(ordered, head, command).split("\n")[2:16]), flush=True)
    return any("us" not in each for each in ordered)


if __name__ == "__main__":
    sys.exit(main())
