#!/usr/bin/env python3
"""Checks and times the tutorial's model on a GPU: ours against PyTorch.

    ait compile Examples/Graphs/tutorial_mlp_float16.ait --target cuda:sm_90a \\
      --weights out/tutorial/simple_model.pt -o simple_model.so
    python3 Benchmarks/tutorial_gpu.py --library simple_model.so --weights out/tutorial/simple_model.pt

The library is loaded by ctypes and given PyTorch's tensors by pointer; one that was compiled without
--weights is given the model's. Ours, PyTorch eager, eager in a CUDA graph and torch.compile
(max-autotune) in a CUDA graph take turns in one process; times are medians over rounds of the time of
one of many calls in a row, measured by events on the device.
Weights and activations (about 11 MB) stay in the L2 cache between calls, for everyone.
"""

import argparse
import ctypes
import pathlib
import statistics
import sys
import warnings

warnings.filterwarnings("ignore")

import torch

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "Examples" / "Tutorial")]
from model_library import Library, graphed, microseconds  # noqa: E402
from pytorch_model import PTSimpleModel  # noqa: E402

CALLS = 200
ROUNDS = 15


def set_weights(library: Library, model: torch.nn.Module) -> None:
    """Gives the library the model's weights, if it has none of its own."""
    count = ctypes.c_size_t()
    library.call("GetNumConstants", library.handle, ctypes.c_bool(True), ctypes.c_bool(False),
                 ctypes.byref(count))
    if count.value > 0:
        library.set_constants({name: value.data for name, value in model.state_dict().items()})


def compiled(model: torch.nn.Module, x: torch.Tensor, stream):
    """The model by torch.compile, tuned for this batch, in a CUDA graph of our making."""
    torch._dynamo.reset()
    function = torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)
    return graphed(lambda: function(x), stream)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 256, 1024])
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    options = parser.parse_args()

    torch.manual_seed(0)
    model = PTSimpleModel(512, gelu="tanh").cuda().half().eval()
    model.load_state_dict(torch.load(options.weights))
    library = Library(options.library)
    set_weights(library, model)
    stream = torch.cuda.Stream()
    print(f"{torch.cuda.get_device_name()}, float16, hidden 512; microseconds a call\n")
    status = 0
    medians = {}
    for batch in options.batch:
        x = torch.randn(batch, 512, device="cuda", dtype=torch.float16)
        with torch.inference_mode():
            expected = model(x)
            exact = model.double()(x.double())
            model.half()
        found = torch.full_like(expected, float("nan"))
        calls = {
            "AITemplate for Swift, graph": library.bound_run([x], [found], stream, True),
            "AITemplate for Swift": library.bound_run([x], [found], stream, False),
        }
        is_close = torch.allclose(found, expected, atol=1e-2, rtol=1e-2)
        status |= not is_close
        errors = [float((each.double() - exact).abs().max()) for each in (found, expected)]
        with torch.inference_mode():
            calls["PyTorch eager"] = lambda: model(x)
            calls["PyTorch eager, graph"] = graphed(lambda: model(x), stream)
            if not options.no_compile:
                calls["torch.compile max-autotune, graph"] = compiled(model, x, stream)
            times = {name: [] for name in calls}
            for _ in range(ROUNDS):
                for name, call in calls.items():
                    times[name].append(microseconds(call, stream, CALLS))
        print(f"### Batch {batch}\n")
        print(f"torch.allclose(atol=1e-2, rtol=1e-2): {is_close}; largest error against float64: "
              f"ours {errors[0]:.4f}, PyTorch {errors[1]:.4f}\n")
        print("| | median | fastest |\n| --- | ---: | ---: |")
        for name, each in times.items():
            median = statistics.median(each)
            medians.setdefault(name, []).append(median)
            print(f"| {name} | {median:.2f} | {min(each):.2f} |")
        print(flush=True)
    print(f"### Medians\n\nPyTorch {torch.__version__}, {ROUNDS} rounds of {CALLS} calls\n")
    print(f"| | batch {' | '.join(map(str, options.batch))} |")
    print("| --- |" + " ---: |" * len(options.batch))
    for name, each in medians.items():
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in each)} |")
    return status


if __name__ == "__main__":
    sys.exit(main())
