#!/usr/bin/env python3
"""Times the tutorial's MLP in float32 on the CPU: PyTorch, ONNX Runtime, OpenVINO, and us.

    Benchmarks/setup_venv.sh .venv-peers
    .venv-peers/bin/python Benchmarks/peers.py --write-weights weights.safetensors
    (compile the model with those weights)
    .venv-peers/bin/python Benchmarks/peers.py --library mlp.so

Prints one markdown table for each batch size; `--json FILE` keeps the figures. The library has
AITemplate's C ABI, one float32 input [batch, 512] and one output, and a batch of 1 to the largest
asked for; `{batch}` in its path stands for the batch size where there is a library for each. Its
weights may be inside it; constants without a value are set by name (dense1_weight …).

How the comparison is kept fair is told by `engines.py`. Everyone computes the exact GELU, or everyone
the tanh form.
"""

import argparse
import json
import os
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Examples" / "Tutorial"))
import engines
from pytorch_model import PTSimpleModel

HIDDEN = 512
# The bound of a float32 operator in our table of tolerances, for the model as a whole.
LARGEST_ERROR = 1e-5


def parsed_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", help="our compiled model; may contain {batch}")
    parser.add_argument("--batches", default="1,32,1024", help="default: 1,32,1024")
    parser.add_argument("--threads", type=int, default=2, help="of every engine; default: 2")
    parser.add_argument("--seconds", type=float, default=20, help="for each batch; default: 20")
    parser.add_argument("--patience", type=float, default=60,
                        help="seconds more for each batch to wait for other programs; default: 60")
    parser.add_argument("--gelu", choices=["none", "tanh"], default="none", help="PyTorch's names")
    parser.add_argument("--engines", default="", help="only those whose name contains one of these")
    parser.add_argument("--write-weights", metavar="FILE", help="writes .safetensors and ends")
    parser.add_argument("--json", metavar="FILE", help="writes the figures")
    return parser.parse_args()


def main() -> int:
    options = parsed_options()
    torch.manual_seed(1)
    model = PTSimpleModel(HIDDEN, gelu=options.gelu).eval()
    with torch.no_grad():
        # Initial values of 1 and 0 would let an engine drop the scale and shift.
        torch.nn.init.uniform_(model.layernorm.weight, 0.75, 1.25)
        torch.nn.init.uniform_(model.layernorm.bias, -0.25, 0.25)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    if options.write_weights:
        import safetensors.torch

        safetensors.torch.save_file(model.state_dict(), options.write_weights)
        return 0

    torch.set_num_threads(options.threads)
    os.environ["AIT_NUM_THREADS"] = str(options.threads)
    builders = {
        "PyTorch eager": engines.pytorch_eager,
        "torch.compile": engines.pytorch_compiled("torch.compile"),
        "torch.compile max-autotune": engines.pytorch_compiled(
            "torch.compile max-autotune", max_autotune=True, max_autotune_gemm_backends="CPP,ATEN"
        ),
        "ONNX Runtime": engines.onnx_runtime,
        "OpenVINO": engines.openvino,
    }
    if options.library:
        builders[engines.OURS] = engines.ours(options.library)
    builders = engines.chosen(builders, options.engines)

    print(f"{engines.processor()}, {os.cpu_count()} cores, {options.threads} threads, float32, "
          f"hidden {HIDDEN}, GELU {'exact' if options.gelu == 'none' else 'tanh'}")
    rows, failures = [], []
    for batch in map(int, options.batches.split(",")):
        x = torch.randn(batch, HIDDEN, generator=torch.Generator().manual_seed(batch))
        expected = PTSimpleModel(HIDDEN, gelu=options.gelu).double()
        expected.load_state_dict(model.state_dict())
        with torch.inference_mode():
            truth = expected(x.double()).numpy()
        built, failed = engines.build(builders, model, (x,), truth, options, LARGEST_ERROR)
        failures += [f"batch {batch}: {each}" for each in failed]
        with torch.inference_mode():
            description = engines.measure(built, options.seconds, options.patience)
        operations = 2 * 2 * batch * HIDDEN * 4 * HIDDEN
        rows += engines.print_table(f"Batch {batch}", built, description, operations)

    for failure in failures:
        print(f"\nfailed: {failure}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
