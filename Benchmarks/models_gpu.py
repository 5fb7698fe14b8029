#!/usr/bin/env python3
"""Times vision and language models in float16 on a GPU: ours against PyTorch and torch.compile.

    make release                                                             # needs no GPU
    python3 Benchmarks/models_gpu.py --ait .build/release/ait --output Benchmarks/models_gpu.md

The models are those of torchvision and transformers with random weights: ours are exported by
`torch.export`, compiled by `ait compile --target cuda:detect` (g++ and nvcc are needed) and called
through the library's C ABI in graph mode, with PyTorch's tensors by pointer. PyTorch has its best
case: convolutions channels-last, eager and torch.compile's max-autotune in CUDA graphs of our making.
All take turns in one process; times are medians over rounds of many calls in a row between events on
the device. Before anything is timed, results are compared with the model in float64: ours may be off
by no more than twice PyTorch's own error. A model that fails is reported, and the others go on.

`--profile` prints what ours spends on each kernel instead, `--no-compile` leaves torch.compile out.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time
import traceback
import warnings

warnings.filterwarnings("ignore")

import torch  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import coverage  # noqa: E402
from model_library import Library, graphed, microseconds  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = "AITemplate for Swift, graph"
ROUNDS = 15
# How much of it is one round, in microseconds.
ROUND = 30000


class Encoder(torch.nn.Module):
    """A model of transformers as a function of token numbers."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens):
        return self.model(tokens).last_hidden_state


def bert(batch: int):
    """BERT-base for 128 tokens."""
    import transformers

    config = transformers.BertConfig(attn_implementation="sdpa")
    model = transformers.BertModel(config, add_pooling_layer=False)
    return Encoder(model), torch.randint(0, 30000, (batch, 128))


def vision(name: str, batch: int):
    """A classifier of torchvision for pictures of 224 by 224."""
    import torchvision

    return torchvision.models.get_model(name, weights=None), torch.randn(batch, 3, 224, 224)


MODELS = {
    "BERT-base, batch 1, 128 tokens": lambda: bert(1),
    "BERT-base, batch 32, 128 tokens": lambda: bert(32),
    "ViT-B/16, batch 32": lambda: vision("vit_b_16", 32),
    "ResNet-50, batch 1": lambda: vision("resnet50", 1),
    "ResNet-50, batch 32": lambda: vision("resnet50", 32),
}


def prepared(name: str):
    """A model in evaluation mode, float32, on the processor, and its input."""
    torch.manual_seed(1)
    model, x = MODELS[name]()
    model = model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        # Initial zeros would have no error to speak of.
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.8, 1.2)
    return model, x


def halved(x: torch.Tensor) -> torch.Tensor:
    """The same in float16, if it is of floating-point numbers."""
    return x.half() if x.is_floating_point() else x


def compiled(name: str, model, x, options) -> tuple:
    """The path of our library, and the seconds that `ait compile` took, without a cache."""
    stem = "".join(c if c.isalnum() else "-" for c in name.lower())
    folder = pathlib.Path(options.folder) / stem
    folder.mkdir(parents=True, exist_ok=True)
    program, library = folder / "model.pt2", folder / "model.so"
    torch.export.save(torch.export.export(model.half(), (halved(x),)), program)
    command = [options.ait, "compile", program, "-o", library, "--target", options.target,
               "--work-directory", folder / f"work-{os.getpid()}", "--no-cache", "--quiet"]
    if options.record:
        command += ["--tuning-record", options.record]
    if options.tune:
        command += ["--tune", str(options.tune)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"ait compile failed with {done.returncode}")
    return library, time.perf_counter() - start


def relative_error(found, exact) -> float:
    """The largest error in relation to the largest number."""
    return float((found.double() - exact).abs().max() / exact.abs().max())


def calls_of(name: str, options, stream) -> tuple:
    """The ways to compute a model, by their names; errors and seconds of building, too."""
    model, x = prepared(name)
    library_path, seconds = compiled(name, model, x, options)
    print(f"### {name}\n\ncompiled in {seconds:.1f} s", flush=True)
    if options.profile:
        profile = [options.ait, "profile", library_path]
        print(subprocess.run(profile, capture_output=True, text=True).stdout, flush=True)
    x = x.cuda()
    with torch.inference_mode():
        exact = model.cuda().double()(x.double() if x.is_floating_point() else x)
        model, x = model.half(), halved(x)
        expected = model(x)
        found = torch.full_like(expected, float("nan"))
        library = Library(str(library_path))
        calls = {
            OURS: library.bound_run([x], [found], stream, True),
            "AITemplate for Swift": library.bound_run([x], [found], stream, False),
        }
        errors = [relative_error(each, exact) for each in (found, expected)]
        print(f"largest error in relation to the largest number: ours {errors[0]:.1e}, "
              f"PyTorch {errors[1]:.1e}", flush=True)
        if not errors[0] <= 2 * errors[1]:
            raise RuntimeError(f"{name}: the result is wrong: {errors[0]:.1e}")
        if x.ndim == 4:
            model = model.to(memory_format=torch.channels_last)
            theirs = x.to(memory_format=torch.channels_last)
        else:
            theirs = x
        calls["PyTorch eager, graph"] = graphed(lambda: model(theirs), stream)
        if not options.no_compile:
            torch._dynamo.reset()
            start = time.perf_counter()
            function = torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)
            calls["torch.compile max-autotune, graph"] = graphed(lambda: function(theirs), stream)
            print(f"torch.compile took {time.perf_counter() - start:.1f} s", flush=True)
    return calls, (model, library, function if not options.no_compile else None)


def measured(name: str, options) -> None:
    """Checks and times a model, and prints its table."""
    stream = torch.cuda.Stream()
    calls, keep = calls_of(name, options, stream)
    with torch.inference_mode():
        counts = {}
        for way, call in calls.items():
            once = microseconds(call, stream, 5)
            counts[way] = max(5, round(ROUND / once))
        times = {way: [] for way in calls}
        for _ in range(ROUNDS):
            for way, call in calls.items():
                times[way].append(microseconds(call, stream, counts[way]))
    peers = [statistics.median(each) for way, each in times.items() if "Swift" not in way]
    print("\n| | median ms | fastest | speed, best peer = 1 |\n| --- | ---: | ---: | ---: |")
    for way, each in times.items():
        median = statistics.median(each)
        print(f"| {way} | {median / 1e3:.3f} | {min(each) / 1e3:.3f} | {min(peers) / median:.2f} |")
    print(flush=True)
    keep[1].close()


class Copied:
    """Standard output that a file gets as well."""

    def __init__(self, path):
        self.file, self.stream = open(path, "w"), sys.stdout

    def write(self, text):
        self.file.write(text)
        return self.stream.write(text)

    def flush(self):
        self.file.flush()
        self.stream.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ait", default=str(ROOT / ".build/release/ait"))
    parser.add_argument("--target", default="cuda:detect")
    parser.add_argument("--models", nargs="+", default=[], metavar="WORDS",
                        help="only those whose name contains one of these")
    parser.add_argument("--folder", default=str(ROOT / "out/models-gpu"), help="for our libraries")
    parser.add_argument("--record", help="a tuning record, by which kernels are chosen")
    parser.add_argument("--tune", type=int, metavar="SECONDS", help="measure kernels for so long")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--profile", action="store_true", help="print our kernels' times, too")
    parser.add_argument("--prepare", action="store_true", help="compile ours only; needs no GPU")
    parser.add_argument("--output", metavar="FILE", help="where the tables are kept")
    options = parser.parse_args()
    if options.output:
        sys.stdout = Copied(options.output)
    words = [word.lower() for word in options.models]
    names = [name for name in MODELS
             if not words or any(word in name.lower() for word in words)]
    if not options.prepare:
        print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, float16, "
              f"{ROUNDS} rounds\n")
    if not torch.cuda.is_available():
        # A build of torch for which there is no torchvision.
        coverage.import_libraries()
    status = 0
    for name in names:
        try:
            if options.prepare:
                library, seconds = compiled(name, *prepared(name), options)
                print(f"{name}: {library}, {seconds:.1f} s")
            else:
                measured(name, options)
        except Exception as error:  # The others are measured all the same.
            print(f"\nfailed: {name}: {error}\n", flush=True)
            traceback.print_exc()
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
