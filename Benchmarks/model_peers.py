#!/usr/bin/env python3
"""Times vision and language models in float32 on the CPU: PyTorch, ONNX Runtime, OpenVINO, and us.

    Benchmarks/setup_venv.sh .venv-peers --models
    make release
    .venv-peers/bin/python Benchmarks/model_peers.py

The models are those of torchvision and transformers with random weights and shapes fixed: ours are
exported by `torch.export`, compiled by `ait compile` and called through the library's C ABI. How the
comparison is kept fair is told by `engines.py`; results are compared with the model in float64.
`--models` chooses some by words in their names, `--json FILE` keeps the figures; *built in* is the
time that an engine takes from the PyTorch model to its first result, ours that of `ait compile`
without a cache.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Callable

import coverage
import engines
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Of float32 through some fifty layers, in relation to the output's norm.
LARGEST_ERROR = 1e-4


class OneResult(torch.nn.Module):
    """A model of transformers as a function of token numbers, without a cache."""

    def __init__(self, model, field: str):
        super().__init__()
        self.model, self.field = model, field

    def forward(self, tokens):
        return getattr(self.model(tokens, use_cache=False), self.field)


class Encoder(OneResult):
    """The same for a model that has no cache."""

    def forward(self, tokens):
        return getattr(self.model(tokens), self.field)


def vision(name: str, batch: int) -> Callable[[], tuple]:
    """A classifier of torchvision for pictures of 224 by 224."""

    def make():
        import torchvision

        return torchvision.models.get_model(name, weights=None), (torch.randn(batch, 3, 224, 224),)

    return make


def bert(batch: int, **sizes) -> Callable[[], tuple]:
    """An encoder of 128 tokens."""

    def make():
        import transformers

        model = transformers.BertModel(transformers.BertConfig(**sizes), add_pooling_layer=False)
        return Encoder(model, "last_hidden_state"), (torch.randint(0, 30000, (batch, 128)),)

    return make


def gpt2() -> tuple:
    """GPT-2 of 124 million weights with its head, for 128 tokens."""
    import transformers

    model = transformers.GPT2LMHeadModel(transformers.GPT2Config())
    return OneResult(model, "logits"), (torch.randint(0, 50000, (1, 128)),)


MINILM = {
    "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536,
}  # fmt: skip
MODELS = {
    "ResNet-50, batch 1": vision("resnet50", 1),
    "ResNet-50, batch 8": vision("resnet50", 8),
    "MobileNetV3-L, batch 1": vision("mobilenet_v3_large", 1),
    "ViT-B/16, batch 1": vision("vit_b_16", 1),
    "BERT-base, batch 1, 128 tokens": bert(1),
    "MiniLM-L6, batch 1, 128 tokens": bert(1, **MINILM),
    "MiniLM-L6, batch 8, 128 tokens": bert(8, **MINILM),
    "GPT-2, batch 1, 128 tokens": gpt2,
}


def operations(model, inputs) -> int:
    """The multiplications and additions of matrix products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    # The fused attention of CPUs is not counted by the counter.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            model(*inputs)
    return counter.get_total_flops()


def compiled(name: str, model, inputs, options) -> tuple:
    """Our library for a model, and the seconds that its compilation took without a cache."""
    stem = "".join(c if c.isalnum() else "-" for c in name.lower())
    folder = pathlib.Path(options.folder) / stem
    folder.mkdir(parents=True, exist_ok=True)
    program, library = folder / "model.pt2", folder / "model.so"
    torch.export.save(torch.export.export(model, inputs), program)
    start = time.perf_counter()
    work = folder / f"work-{os.getpid()}"
    command = [options.ait, "compile", program, "-o", library, "--work-directory", work, "--quiet"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(work / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"ait compile failed with {done.returncode}")
    return str(library), time.perf_counter() - start


def ours(name: str, options):
    """Compiles a model anew and loads its library."""

    def build(model, inputs, threads):
        library, seconds = compiled(name, model, inputs, options)
        engine = engines.ours(library)(model, inputs, threads)
        engine.build_seconds = seconds
        return engine

    return build


def measured(name: str, options) -> tuple:
    """Prints a model's table; its rows, and what failed."""
    torch.manual_seed(1)
    model, inputs = MODELS[name]()
    model = model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        # Initial zeros would let an engine drop a layer, and have no error to speak of.
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    # So would the initial statistics, of scale and shift.
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.8, 1.2)
    with torch.inference_mode():
        truth = model.double()(*(x.double() if x.is_floating_point() else x for x in inputs)).numpy()
        model.float()
    builders = engines.chosen({
        "PyTorch eager": engines.pytorch_eager,
        "torch.compile": engines.pytorch_compiled("torch.compile", freezing=False),
        "torch.compile freezing": engines.pytorch_compiled("torch.compile freezing"),
        "ONNX Runtime": engines.onnx_runtime,
        "OpenVINO": engines.openvino,
        engines.OURS: ours(name, options),
    }, options.engines)  # fmt: skip
    built, failures = engines.build(builders, model, inputs, truth, options, LARGEST_ERROR)
    with torch.inference_mode():
        description = engines.measure(built, options.seconds, options.patience)
    rows = engines.print_table(name, built, description, operations(model, inputs))
    sys.stdout.flush()
    return rows, [f"{name}: {failure}" for failure in failures]


def parsed_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="", help="only those whose name contains one of these")
    parser.add_argument("--engines", default="", help="only those whose name contains one of these")
    parser.add_argument("--ait", default=str(ROOT / ".build/release/ait"))
    parser.add_argument("--folder", default=str(ROOT / "out/model-peers"), help="for our libraries")
    parser.add_argument("--threads", type=int, default=2, help="of every engine; default: 2")
    parser.add_argument("--seconds", type=float, default=30, help="for each model; default: 30")
    parser.add_argument("--patience", type=float, default=60,
                        help="seconds more for each model to wait for other programs; default: 60")
    parser.add_argument("--json", metavar="FILE", help="writes the figures")
    return parser.parse_args()


def main() -> int:
    options = parsed_options()
    torch.set_num_threads(options.threads)
    os.environ["AIT_NUM_THREADS"] = str(options.threads)
    print(f"{engines.processor()}, {os.cpu_count()} cores, {options.threads} threads, float32, "
          "random weights")
    words = [word.lower() for word in options.models.split(",") if word]
    # Before transformers imports torchvision.
    coverage.import_libraries()
    rows, failures = [], []
    for name in MODELS:
        if words and not any(word in name.lower() for word in words):
            continue
        measurements, failed = measured(name, options)
        rows += measurements
        failures += failed
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    for failure in failures:
        print(f"\nfailed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
