#!/usr/bin/env python3
"""Times attention alone in float32 on the CPU: PyTorch's kernel, and ours.

    Benchmarks/setup_venv.sh .venv-peers
    make release
    .venv-peers/bin/python Benchmarks/attention_peers.py

Both compute `scaled_dot_product_attention` of tensors [batch, heads, length, width]; ours is exported by
`torch.export`, compiled by `ait compile` and called through the library's C ABI. How the comparison is
kept fair is told by `engines.py`.
"""

import argparse
import os
import pathlib
import sys

import engines
import model_peers
import torch

LARGEST_ERROR = 1e-5


class Attention(torch.nn.Module):
    """The operator as a model."""

    def __init__(self, is_causal: bool):
        super().__init__()
        self.is_causal = is_causal

    def forward(self, q, k, v):
        attend = torch.nn.functional.scaled_dot_product_attention
        return attend(q, k, v, is_causal=self.is_causal)


# Batch, heads, length, width, causal.
SHAPES = {
    "MiniLM, batch 1": (1, 12, 128, 32, False),
    "MiniLM, batch 8": (8, 12, 128, 32, False),
    "BERT-base": (1, 12, 128, 64, False),
    "ViT-B/16": (1, 12, 197, 64, False),
    "GPT-2": (1, 12, 128, 64, True),
    "1024 tokens": (1, 12, 1024, 64, False),
    "1024 tokens, causal": (1, 12, 1024, 64, True),
    "heads of 128": (1, 8, 512, 128, False),
}


def measured(name: str, options) -> tuple:
    """Prints a shape's table; its rows, and what failed."""
    batch, heads, length, width, is_causal = SHAPES[name]
    torch.manual_seed(1)
    model = Attention(is_causal).eval()
    inputs = tuple(torch.randn(batch, heads, length, width) for _ in range(3))
    truth = model(*(x.double() for x in inputs)).numpy()

    def ours(model, inputs, threads):
        library, _ = model_peers.compiled(f"attention {name}", model, inputs, options)
        return engines.ours(library)(model, inputs, threads)

    builders = {"PyTorch": engines.pytorch_eager, engines.OURS: ours}
    built, failures = engines.build(builders, model, inputs, truth, options, LARGEST_ERROR)
    with torch.inference_mode():
        description = engines.measure(built, options.seconds, options.patience)
    pairs = length * (length + 1) / 2 if is_causal else length * length
    title = f"{name}: {batch} x {heads} x {length} x {width}"
    rows = engines.print_table(title, built, description, 4 * batch * heads * pairs * width)
    sys.stdout.flush()
    return rows, [f"{name}: {failure}" for failure in failures]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ait", default=str(model_peers.ROOT / ".build/release/ait"))
    parser.add_argument("--folder", default=str(model_peers.ROOT / "out/attention-peers"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5, help="for each shape; default: 5")
    parser.add_argument("--patience", type=float, default=30, help="seconds more to wait")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ["AIT_NUM_THREADS"] = str(options.threads)
    pathlib.Path(options.folder).mkdir(parents=True, exist_ok=True)
    print(f"{engines.processor()}, {os.cpu_count()} cores, {options.threads} threads, float32")
    failures = [failure for name in SHAPES for failure in measured(name, options)[1]]
    for failure in failures:
        print(f"\nfailed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
