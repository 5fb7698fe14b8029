"""Engines that run a PyTorch model on the CPU, and how their times are taken: for `peers.py` and
`model_peers.py`.

How the comparison is kept fair:

- One process, the same input, and every engine on the same number of threads. Everyone
  computes in float32; OpenVINO would take bfloat16 by itself on some processors. The error of each result against float64 is in the table.
- Engines take turns: a round visits each of them, in an order that moves on from round to round,
  so a clock that rises or falls hits all of them alike. Times are medians over rounds; `fastest`
  is the best round.
- Rounds in which other programs ran are repeated. Their load does not hit all engines alike: a
  thread that waits for one that lost its core may wait 8 ms in one engine and 0.1 ms in another.
- A turn is a burst of calls one after another, as in a busy server, the first ones untimed: they
  bring the engine's weights back into the caches and wake its threads.
- Worker threads spin for a while after a call (ONNX Runtime's for tens of milliseconds), which
  serves their own engine's next call and would steal cores from the next engine. So spinning stays
  as each engine ships it, and a turn begins only when this process has stopped burning time.
- Shapes are fixed at build time, tensors are bound once, and outputs are written in place where an
  engine can do so. Calls go through Python for everyone: a few microseconds of each time.
"""

import contextlib
import ctypes
import dataclasses
import gc
import io
import logging
import os
import pathlib
import platform
import statistics
import time
import warnings
from typing import Callable

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np  # noqa: E402
import torch  # noqa: E402

# A burst is as many calls as fit into this time, so that reading the clock and the loop in Python
# cost nothing against it.
BURST_SECONDS = 0.02
# Other programs may take so much of a core in a round that counts: a clock tick or two.
QUIET_CORES = 0.1
OURS = "AITemplate for Swift"


@dataclasses.dataclass
class Engine:
    """A model made ready for inputs of certain shapes."""

    name: str
    run: Callable[[], object]
    output: Callable[[], np.ndarray]
    build_seconds: float = 0
    times: list = dataclasses.field(default_factory=list)
    error: float = float("nan")


# MARK: - Engines


def pytorch_eager(model, inputs, threads) -> Engine:
    return Engine("PyTorch eager", lambda: model(*inputs), lambda: model(*inputs).numpy())


def pytorch_compiled(name: str, freezing: bool = True, **options):
    """torch.compile; frozen weights it packs, or multiplies with kernels of its own."""

    def build(model, inputs, threads) -> Engine:
        torch._dynamo.reset()
        # Global, not an option of torch.compile: tracing reads it before options are in force, and
        # without it the weights stay arguments and every call multiplies as eager does.
        torch._inductor.config.freezing = freezing
        # The time to build is a figure of the table, so it must not come from a cache.
        torch._inductor.config.force_disable_caches = True
        torch._inductor.config.autotune_num_choices_displayed = 0
        compiled = torch.compile(model, dynamic=False, options=options)
        # In the mode in which it is measured: another mode means another compilation.
        with torch.inference_mode():
            compiled(*inputs)
            compiled(*inputs)
        return Engine(name, lambda: compiled(*inputs), lambda: compiled(*inputs).numpy())

    return build


def exported(model, inputs) -> bytes:
    """The model as ONNX, with GELU and layer normalisation as single operators."""
    program = torch.onnx.export(model, inputs, dynamo=True, opset_version=20, verbose=False)
    return program.model_proto.SerializeToString()


def onnx_runtime(model, inputs, threads) -> Engine:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        exported(model, inputs), options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    for description, x in zip(session.get_inputs(), inputs, strict=True):
        source = onnxruntime.OrtValue.ortvalue_from_numpy(x.numpy())
        binding.bind_ortvalue_input(description.name, source)
    result = onnxruntime.OrtValue.ortvalue_from_numpy(poisoned_result(model, inputs))
    binding.bind_ortvalue_output(session.get_outputs()[0].name, result)
    return Engine(
        "ONNX Runtime", lambda: session.run_with_iobinding(binding), lambda: result.numpy()
    )


def poisoned_result(model, inputs) -> np.ndarray:
    """An array for the model's output that holds no result."""
    with torch.inference_mode():
        return np.full(model(*inputs).shape, np.nan, np.float32)


def openvino(model, inputs, threads) -> Engine:
    import openvino

    program = torch.export.export(model, inputs)
    converted = openvino.convert_model(program)
    compiled = openvino.Core().compile_model(
        converted,
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            # Pinned threads would fight with the other engines' threads for their core.
            "ENABLE_CPU_PINNING": False,
        },
    )
    request = compiled.create_infer_request()
    for index, x in enumerate(inputs):
        request.set_input_tensor(index, openvino.Tensor(x.numpy(), shared_memory=True))
    result = poisoned_result(model, inputs)
    request.set_output_tensor(openvino.Tensor(result, shared_memory=True))

    def run():
        request.start_async()
        request.wait()

    return Engine("OpenVINO", run, lambda: result)


class Shape(ctypes.Structure):
    """AITemplateParamShape."""

    _fields_ = [("extents", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_size_t)]


class Data(ctypes.Structure):
    """AITData."""

    _fields_ = [("pointer", ctypes.c_void_p), ("shape", Shape), ("dtype", ctypes.c_int)]

    CODES = {np.dtype(np.float32): 2, np.dtype(np.int64): 4}

    @classmethod
    def of(cls, array: np.ndarray) -> "Data":
        """Describes an array's memory; the array must outlive the description."""
        assert array.flags.c_contiguous
        extents = (ctypes.c_int64 * array.ndim)(*array.shape)
        return cls(array.ctypes.data, Shape(extents, array.ndim), cls.CODES[array.dtype])


class Library:
    """A model library with AITemplate's C ABI, and one container made from it."""

    PREFIX = "AITemplateModelContainer"

    def __init__(self, path: str):
        self.path = path
        self.library = ctypes.CDLL(os.path.abspath(path))
        self.handle = ctypes.c_void_p()
        self.call("Create", ctypes.byref(self.handle), ctypes.c_size_t(1), None)

    def call(self, function: str, *arguments) -> None:
        if getattr(self.library, self.PREFIX + function)(*arguments) != 0:
            raise RuntimeError(f"{self.path}: {function} failed: {self.last_error()}")

    def last_error(self) -> str:
        """The error's text, which AITemplate itself only logs."""
        try:
            function = self.library.AITemplateGetLastError
        except AttributeError:
            return "see the log"
        function.restype = ctypes.c_char_p
        return function().decode()

    def largest_input(self) -> list:
        shape = Shape()
        self.call("GetMaximumInputShape", self.handle, ctypes.c_size_t(0), ctypes.byref(shape))
        return shape.extents[: shape.rank]

    def set_constants(self, weights: dict) -> None:
        """Sets the constants that the library was compiled without; keeps `weights` alive."""
        unbound = (ctypes.c_bool(True), ctypes.c_bool(False))
        count = ctypes.c_size_t()
        self.call("GetNumConstants", self.handle, *unbound, ctypes.byref(count))
        if count.value == 0:
            return
        names = (ctypes.c_char_p * count.value)()
        self.call("GetConstantNames", self.handle, *unbound, names)
        self.weights = {name.replace(".", "_").encode(): w for name, w in weights.items()}
        values = (Data * count.value)(*(Data.of(self.weights[name]) for name in names))
        self.call("SetManyConstants", self.handle, names, values, count)

    def bound_run(self, inputs: list, y: np.ndarray) -> Callable[[], None]:
        """A call of Run with its arguments converted once and for all; inputs in the library's order."""
        run = getattr(self.library, self.PREFIX + "Run")
        extents = (ctypes.c_int64 * y.ndim)()
        shapes = (ctypes.POINTER(ctypes.c_int64) * 1)(extents)
        arguments = (
            self.handle, (Data * len(inputs))(*map(Data.of, inputs)), ctypes.c_size_t(len(inputs)),
            ctypes.byref(Data.of(y)), ctypes.c_size_t(1), None, ctypes.c_bool(True), ctypes.c_bool(False), shapes,
        )

        def call():
            if run(*arguments) != 0:
                raise RuntimeError(f"{self.path}: Run failed: {self.last_error()}")

        call()
        assert list(extents) == list(y.shape), f"output shape {list(extents)}"
        return call


def ours(path: str):
    """A compiled library; `{batch}` in its path stands for the extent of the first input's first axis."""

    def build(model, inputs, threads) -> Engine:
        library = Library(path.format(batch=len(inputs[0])))
        largest = library.largest_input()
        if largest[0] < len(inputs[0]):
            raise RuntimeError(f"{library.path}: takes inputs up to {largest}")
        weights = {name: value.numpy() for name, value in model.state_dict().items()}
        library.set_constants(weights)
        result = poisoned_result(model, inputs)
        run = library.bound_run([x.numpy() for x in inputs], result)
        return Engine(OURS, run, lambda: result)

    return build


# MARK: - Measuring


def settle() -> None:
    """Waits until this process has stopped burning time: until nobody's workers spin."""
    deadline = time.perf_counter() + 1
    quiet = 0
    while quiet < 2 and time.perf_counter() < deadline:
        burnt = time.process_time()
        time.sleep(0.004)
        quiet = quiet + 1 if time.process_time() - burnt < 0.001 else 0


def timed_burst(engine: Engine, calls: int) -> float:
    """Seconds per call over a burst, after a third as many untimed calls."""
    run = engine.run
    for _ in range(1 + calls // 3):
        run()
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


class OtherLoad:
    """How many cores other programs kept busy since it was made; 0 where nothing tells."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now() -> tuple:
        try:
            fields = pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        except OSError:
            return time.perf_counter(), 0.0
        ticks = [int(field) for field in fields]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy - time.process_time()

    def cores(self) -> float:
        (start, busy), (end, busy_now) = self.start, self.now()
        return max(0.0, (busy_now - busy) / (end - start))


def wait_for_quiet(patience: float) -> None:
    """Waits until other programs leave the machine alone, but no longer than so many seconds."""
    deadline = time.perf_counter() + patience
    while time.perf_counter() < deadline:
        load = OtherLoad()
        time.sleep(0.5)
        if load.cores() <= QUIET_CORES:
            break


def measure(engines: list, seconds: float, patience: float) -> str:
    """Fills in the engines' times: `seconds` of quiet rounds; says how many rounds of what kind.

    Rounds in which other programs ran are repeated, for at most `patience` seconds in all. If
    fewer than five were quiet by then, all rounds count.
    """
    bursts = {}
    for engine in engines:
        settle()
        once = min(timed_burst(engine, 3) for _ in range(2))
        bursts[engine.name] = max(1, round(BURST_SECONDS / once))
    gc.disable()
    start = time.perf_counter()
    rounds, quiet_seconds = [], 0.0
    whole_load = OtherLoad()
    while quiet_seconds < seconds and time.perf_counter() - start < seconds + patience:
        load = OtherLoad()
        begin = time.perf_counter()
        times = {}
        for position in range(len(engines)):
            engine = engines[(len(rounds) + position) % len(engines)]
            settle()
            times[engine.name] = timed_burst(engine, bursts[engine.name])
        is_quiet = load.cores() <= QUIET_CORES
        rounds.append((is_quiet, times))
        quiet_seconds += (time.perf_counter() - begin) if is_quiet else 0
    gc.enable()
    kept = [times for is_quiet, times in rounds if is_quiet]
    description = f"median of {len(kept)} quiet rounds of {len(rounds)}"
    if len(kept) < 5:
        kept = [times for _, times in rounds]
        description = f"**noisy, not to be quoted**: median of {len(kept)} rounds"
    for engine in engines:
        engine.times = [times[engine.name] for times in kept]
    return f"{description}; other programs took {whole_load.cores():.2f} cores"


def normalised_error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a.astype(np.float64) - b) / np.linalg.norm(b))


def processor() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n"):
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def build(builders: dict, model, inputs, truth, options, largest_error: float) -> tuple:
    """The engines that build and give the right result, and what failed, as texts.

    `options` holds `threads` and `patience`, as the command line of both scripts.
    """
    engines, failures = [], []
    # Autotuning measures, too. What the engines print while they build is not of interest.
    wait_for_quiet(options.patience)
    for name, builder in builders.items():
        start = time.perf_counter()
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                engine = builder(model, inputs, options.threads)
                with torch.inference_mode():
                    engine.run()
                    engine.error = normalised_error(engine.output(), truth)
        except Exception as error:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            failures.append(f"{name}: {reason}")
            continue
        engine.build_seconds = engine.build_seconds or time.perf_counter() - start
        if not engine.error <= largest_error:
            failures.append(f"{name}: error {engine.error:.1e}")
        engines.append(engine)
    return engines, failures


def chosen(builders: dict, words: str) -> dict:
    """The builders whose name contains one of the words between commas, and ours; all for none."""
    wanted = [word.lower() for word in words.split(",") if word]
    return {
        name: builder for name, builder in builders.items()
        if not wanted or name == OURS or any(word in name.lower() for word in wanted)
    }  # fmt: skip


def print_table(title: str, engines: list, description: str, operations: float) -> list:
    """Prints the times of a model of so many operations; returns the rows as values for a file."""
    peers = [engine for engine in engines if engine.name != OURS]
    medians = {engine.name: statistics.median(engine.times) for engine in engines}
    best = min((medians[engine.name] for engine in peers), default=float("nan"))
    print(f"\n### {title}: {description}\n")
    print("| engine | ms | fastest | speed, best peer = 1 | GFLOP/s | error | built in s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    rows = []
    for engine in sorted(engines, key=lambda engine: medians[engine.name]):
        median, fastest = medians[engine.name], min(engine.times)
        name = f"**{engine.name}**" if engine.name == OURS else engine.name
        print(
            f"| {name} | {median * 1e3:.3f} | {fastest * 1e3:.3f} | {best / median:.2f} "
            f"| {operations / median / 1e9:.1f} | {engine.error:.1e} | {engine.build_seconds:.1f} |"
        )
        rows.append(
            {"title": title, "engine": engine.name, "median_s": median, "fastest_s": fastest,
             "rounds": len(engine.times), "error": engine.error,
             "build_s": engine.build_seconds, "noisy": "noisy" in description}
        )
    return rows
