"""What PyTorch and cuBLAS take for the same work, by replays of CUDA graphs.

    python3 torch_baseline.py tutorial|matmul|skinny|rows|types|compile …
"""

import statistics
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(1)
HALF = torch.float16


def capture(work):
    """A graph of `work`, after it has run a few times on its own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream), torch.no_grad():
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        work()
    return graph


def microseconds(graph, replays=100, rounds=15):
    times = []
    for _ in range(rounds + 2):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(replays):
            graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1000 / replays)
    return statistics.median(times[2:])


def line(name, time, note=""):
    print(f"torch {name:44} {time:9.2f} us  {note}", flush=True)


class Model(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.dense1 = torch.nn.Linear(hidden, 4 * hidden)
        self.dense2 = torch.nn.Linear(4 * hidden, hidden)
        self.layernorm = torch.nn.LayerNorm(hidden, eps=1e-5)

    def forward(self, x):
        h = F.gelu(self.dense1(x), approximate="tanh")
        return self.layernorm(self.dense2(h) + x)


def tutorial(compiled=False):
    model = Model(512).cuda().half().eval()
    x = torch.randn(1024, 512, device="cuda", dtype=HALF)
    inner = torch.randn(1024, 2048, device="cuda", dtype=HALF)
    line("tutorial eager in a graph", microseconds(capture(lambda: model(x))))
    first = lambda: F.linear(x, model.dense1.weight, model.dense1.bias)
    second = lambda: F.linear(inner, model.dense2.weight, model.dense2.bias)
    line("its two products alone", microseconds(capture(lambda: (first(), second()))))
    line("first product", microseconds(capture(first)))
    line("second product", microseconds(capture(second)))
    chain = lambda work: capture(lambda: [work() for _ in range(20)])
    line("first product, in a chain of 20", microseconds(chain(first)) / 20)
    line("second product, in a chain of 20", microseconds(chain(second)) / 20)
    if compiled:
        fast = torch.compile(model, mode="max-autotune-no-cudagraphs")
        with torch.no_grad():
            fast(x)
        line("tutorial max-autotune in a graph", microseconds(capture(lambda: fast(x))))


def matmul(shapes=((4096, 4096, 4096), (8192, 8192, 8192))):
    for M, N, K in shapes:
        a = torch.rand(M, K, device="cuda", dtype=HALF) * 2 - 1
        b = torch.rand(N, K, device="cuda", dtype=HALF) * 2 - 1
        out = torch.empty(M, N, device="cuda", dtype=HALF)
        graph = capture(lambda: [torch.mm(a, b.t(), out=out) for _ in range(4)])
        time = microseconds(graph, 10, 9) / 4
        line(f"matmul {M}x{N}x{K}", time, f"{2e-6 * M * N * K / time:.1f} TFLOP/s")


def skinny():
    source = torch.rand(1 << 30, device="cuda").half()
    target = torch.empty_like(source)
    time = microseconds(capture(lambda: target.copy_(source)), 3, 7)
    line("copy of 2 GB", time, f"{2 * source.nbytes / time * 1e-6:.3f} TB/s")
    weights = [torch.rand(4096, 4096, device="cuda").half() - 0.5 for _ in range(8)]
    for M in (1, 2, 4, 8, 16):
        x = torch.rand(M, 4096, device="cuda").half() - 0.5
        time = microseconds(capture(lambda: [F.linear(x, w) for w in weights]), 20) / 8
        line(f"linear {M}x4096x4096, 8 weights in turn", time,
             f"{weights[0].nbytes / time * 1e-6:.3f} TB/s")


def rows():
    x = torch.rand(32768, 4096, device="cuda").half()
    y = torch.empty_like(x)
    w = torch.rand(4096, device="cuda").half()
    time = microseconds(capture(lambda: y.copy_(x)), 10, 9)
    line("copy of 268 MB", time, f"{2 * x.nbytes / time * 1e-6:.3f} TB/s")
    for name, work in (
        ("layer_norm", lambda: F.layer_norm(x, (4096,), w, w)),
        ("softmax", lambda: F.softmax(x, -1)),
        ("x * w + x", lambda: torch.addcmul(x, x, w)),
    ):
        time = microseconds(capture(work), 10, 9)
        line(f"{name} 32768x4096", time, f"{2 * x.nbytes / time * 1e-6:.3f} TB/s")


def types():
    """Products of float32, tf32 and float64, odd sizes of float16, gates of two products."""

    def product(name, M, N, K, dtype, isAlongK=True):
        a = torch.rand(M, K, device="cuda").to(dtype) * 2 - 1
        b = torch.rand(N, K, device="cuda").to(dtype) * 2 - 1
        b = b.t() if isAlongK else b.t().contiguous()
        out = torch.empty(M, N, device="cuda", dtype=dtype)
        time = microseconds(capture(lambda: [torch.mm(a, b, out=out) for _ in range(4)]), 10, 9) / 4
        line(f"{name} {M}x{N}x{K}{'' if isAlongK else ' b along n'}", time,
             f"{2e-6 * M * N * K / time:.1f} TFLOP/s  B at {1e-6 * b.nbytes / time:.3f} TB/s")

    for allowed in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        for size in (1024, 2048, 4096):
            for isAlongK in (True, False):
                product("tf32" if allowed else "float32", size, size, size, torch.float32, isAlongK)
    torch.backends.cuda.matmul.allow_tf32 = False
    product("float32", 4095, 4095, 4095, torch.float32)
    product("float32", 128, 768, 768, torch.float32)
    product("float64", 2048, 2048, 2048, torch.float64, False)
    product("float16", 4095, 4095, 4095, HALF)
    product("float16", 4094, 4094, 4094, HALF, False)
    for rows in (1, 8, 16):
        for isAlongK in (True, False):
            product("float32", rows, 8192, 8192, torch.float32, isAlongK)
    for M, N, K in ((4096, 11008, 4096), (1, 11008, 4096), (1024, 2048, 512)):
        x = torch.rand(M, K, device="cuda").half() - 0.5
        gate, up = (torch.rand(N, K, device="cuda").half() - 0.5 for _ in range(2))
        both = torch.cat([gate, up])
        apart = lambda: F.silu(F.linear(x, gate)) * F.linear(x, up)

        def joined():
            g, u = F.linear(x, both).chunk(2, -1)
            return F.silu(g) * u

        for name, work in (("two products", apart), ("one product", joined)):
            time = microseconds(capture(lambda: [work() for _ in range(4)]), 10, 9) / 4
            line(f"gate {M}x{N}x{K}, {name}", time, f"{4e-6 * M * N * K / time:.1f} TFLOP/s")


if __name__ == "__main__":
    print(torch.__version__, torch.cuda.get_device_name())
    for what in sys.argv[1:]:
        if what == "compile":
            tutorial(compiled=True)
        else:
            globals()[what]()
