#!/usr/bin/env python3
"""Makes the tutorial's fixture: half-precision weights, an input batch, PyTorch's output for it.

    python3 Tests/Fixtures/make_tutorial_fixture.py

writes three files into Tests/Fixtures/tutorial, each a gzip stream:

    simple_model.pt.gz        torch.save(model.state_dict()) of PTSimpleModel(512).half()
    input.safetensors.gz      X, float16 [1024, 512]
    output.safetensors.gz     Y, float16 [1024, 512]: what PyTorch computes in half on the CPU

Needs torch (2.13.0 made the files in git) and safetensors, as Benchmarks/setup_venv.sh installs
them. Reading the fixture needs gzip alone:

    gzip -dc Tests/Fixtures/tutorial/simple_model.pt.gz > simple_model.pt

Random half-precision weights do not compress: the state dict would cost 4.2 MB of git. So every
weight and bias is a multiple of 1/64, drawn as torch.nn.Linear draws (uniform within
1/sqrt(inputs)), rounded, and kept within that range: 5 levels in dense1, 3 in dense2, each entry
still drawn on its own, so that a transposed, shifted or permuted matrix gives wrong results. X is
normal, rounded to integers. The scale and shift of the layer normalisation are multiples of 1/16
about 1 and 0, where PyTorch's own initial values, exactly 1 and 0, would let a forgotten scale
pass. Y is not rounded: it is PyTorch's output, bit for bit. For all that the products and their
sums are exact in float32, so Y does not depend on the order of summation there; only rounding to
half between the layers, GELU and the layer normalisation leave errors.

Seed, torch version and CPU capability given, the files come out byte for byte the same; another
CPU may round a few entries of Y differently.
"""

import gzip
import io
import math
import pathlib
import sys

import safetensors.torch
import torch

FIXTURES = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FIXTURES.parent.parent / "Examples" / "Tutorial"))
from pytorch_model import PTSimpleModel  # noqa: E402

BATCH = 1024
HIDDEN = 512
SEED = 20240229


def uniform_on_grid(shape, bound: float, step: float, generator) -> torch.Tensor:
    """Draws uniformly from [-bound, bound], rounded to the multiples of `step` inside it."""
    values = (torch.rand(shape, generator=generator) * 2 - 1) * bound / step
    largest = math.floor(bound / step)
    # Adding 0 turns the -0 that rounding leaves into +0, a byte pattern less to store.
    return values.round().clamp(-largest, largest) * step + 0.0


def write_compressed(path: pathlib.Path, content: bytes) -> None:
    """Writes `content` as a gzip stream without a time stamp or a name."""
    path.write_bytes(gzip.compress(content, 9, mtime=0))
    print(f"{path.name:26} {path.stat().st_size:9} bytes, {len(content)} unpacked")


def main() -> None:
    generator = torch.Generator().manual_seed(SEED)
    model = PTSimpleModel(HIDDEN)
    with torch.no_grad():
        for layer in (model.dense1, model.dense2):
            bound = 1 / math.sqrt(layer.in_features)
            for parameter in (layer.weight, layer.bias):
                parameter.copy_(uniform_on_grid(parameter.shape, bound, 1 / 64, generator))
        scale = uniform_on_grid([HIDDEN], 0.25, 1 / 16, generator)
        model.layernorm.weight.copy_(1 + scale)
        model.layernorm.bias.copy_(uniform_on_grid([HIDDEN], 0.25, 1 / 16, generator))
    model = model.half().eval()
    x = (torch.randn(BATCH, HIDDEN, generator=generator).round() + 0.0).half()

    with torch.inference_mode():
        y = model(x)
        exact = PTSimpleModel(HIDDEN).double()
        exact.load_state_dict(model.state_dict())
        y_exact = exact(x.double())
    error = (y.double() - y_exact).norm() / y_exact.norm()
    largest = (y.double() - y_exact).abs().max()
    print(f"Y against float64: normalised error {error:.2e}, largest {largest:.2e}")

    folder = FIXTURES / "tutorial"
    folder.mkdir(exist_ok=True)
    saved = io.BytesIO()
    torch.save(model.state_dict(), saved)
    write_compressed(folder / "simple_model.pt.gz", saved.getvalue())
    write_compressed(folder / "input.safetensors.gz", safetensors.torch.save({"X": x}))
    write_compressed(folder / "output.safetensors.gz", safetensors.torch.save({"Y": y}))


if __name__ == "__main__":
    main()
