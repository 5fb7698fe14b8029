#!/usr/bin/env python3
"""Times PyTorch on the tutorial's model and prints one line, for `make demo`.

    python3 Examples/Tutorial/pytorch_time.py [--fixture DIR] [--threads N] [--seconds S]

    pytorch: 9.876 ms/iter (float16, batch 1024, 2 threads), max error 0.000e+00

The time is the median of single calls after a warm-up; the error is the largest difference from
the output recorded in the fixture. Fixture files are read as they lie in git or unpacked. Exits
with 3 and prints nothing where torch is not installed; needs no other package.
"""

import argparse
import gzip
import io
import json
import os
import pathlib
import statistics
import sys
import time
import warnings

# Without numpy, torch warns at import; nothing here uses it.
warnings.filterwarnings("ignore", message=".*NumPy.*")
try:
    import torch
except ImportError:
    sys.exit(3)

from pytorch_model import PTSimpleModel

FIXTURE = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures" / "tutorial"


def read(folder: pathlib.Path, name: str) -> bytes:
    """The content of a fixture file, from `name` or else from `name.gz`."""
    unpacked = folder / name
    if unpacked.exists():
        return unpacked.read_bytes()
    return gzip.decompress((folder / f"{name}.gz").read_bytes())


def read_half_tensor(content: bytes, name: str) -> torch.Tensor:
    """The float16 tensor `name` of a .safetensors file: u64 length, JSON header, data."""
    data = 8 + int.from_bytes(content[:8], "little")
    entry = json.loads(content[8:data])[name]
    begin, end = (data + offset for offset in entry["data_offsets"])
    assert entry["dtype"] == "F16"
    return torch.frombuffer(bytearray(content[begin:end]), dtype=torch.half).reshape(entry["shape"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fixture", type=pathlib.Path, default=FIXTURE, help="folder of the files")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--threads", type=int, default=cores, help="default: all cores")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to time")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    model = PTSimpleModel(512).half().eval()
    weights = io.BytesIO(read(options.fixture, "simple_model.pt"))
    model.load_state_dict(torch.load(weights, weights_only=True))
    x = read_half_tensor(read(options.fixture, "input.safetensors"), "X")
    recorded = read_half_tensor(read(options.fixture, "output.safetensors"), "Y")

    times = []
    with torch.inference_mode():
        for _ in range(3):
            y = model(x)
        end = time.perf_counter() + options.seconds
        while len(times) < 5 or time.perf_counter() < end:
            start = time.perf_counter()
            y = model(x)
            times.append(time.perf_counter() - start)
    error = (y.float() - recorded.float()).abs().max().item()
    print(
        f"pytorch: {statistics.median(times) * 1e3:.3f} ms/iter (float16, batch {len(x)}, "
        f"{options.threads} threads), max error {error:.3e}"
    )


if __name__ == "__main__":
    main()
