#!/usr/bin/env python3
"""Records PyTorch's results as an independent truth for the operators.

    python3 Tests/Fixtures/make_operator_fixtures.py

writes into Tests/Fixtures/operators, the same on every run:

    operators.safetensors  inputs and outputs of all cases
    operators.json         the cases, one a line
    promotion.json         result types by operand types; null where PyTorch refuses

Needs torch (2.13.0 made the files in git) and safetensors, as Benchmarks/setup_venv.sh installs
them. A line of operators.json reads

    {"id": "softmax-3", "op": "softmax", "inputs": ["normal.float32[3,4,5]"],
     "attributes": {"dim": 1}, "outputs": ["softmax-3"], "computed": "float64", "exact": false}

    op          what `operations` at the top of the file maps to the PyTorch function
    inputs      names in operators.safetensors, shared between cases
    attributes  the function's other arguments by PyTorch's names; "inf", "-inf", "nan" are strings;
                2.0 is a floating-point scalar, 2 an integer, which matters to promotion
    outputs     names in operators.safetensors; their types and shapes are part of the claim
    computed    "float64": PyTorch computed in float64 from the inputs as stored, and the result was
                rounded to the output's type, so it is right to half a unit in the last place;
                another name: PyTorch computed in that type, by its own rules
    exact       the output must be met bit for bit, NaN payloads aside
    disputed    where present: indices, in row-major order, at which PyTorch in the inputs' own type
                gives a NaN or an infinity and in float64 does not, or the other way about, such as
                gelu(inf) or cosh(89); either is right

For every case that is computed in float64 the script also runs PyTorch in the inputs' own type,
and stops if the two differ by more than rounding explains.
"""

import itertools
import json
import math
import pathlib
import shutil

import safetensors.torch
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent / "operators"
INFINITY, NAN = math.inf, math.nan
F16, BF16, F32, F64 = torch.float16, torch.bfloat16, torch.float32, torch.float64
U8, I8, I16, I32, I64 = torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64
BOOL = torch.bool
FLOATS = [F32, F16, BF16, F64]
DTYPES = [F32, F16, BF16, F64, I8, U8, I16, I32, I64, BOOL]

# How far PyTorch's own results may lie from the float64 ones: relative, with an absolute part for
# results near zero after cancellation. Some 16 units in the last place; it catches a wrong
# comparison, not a poor one.
TOLERANCES = {F64: 1e-12, F32: 2e-6, F16: 8e-3, BF16: 6e-2}


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


class Recorder:
    """Collects cases and their tensors."""

    def __init__(self):
        self.tensors = {}
        self.cases = []
        self.operations = {}
        self.counts = {}

    def input(self, name: str, tensor: torch.Tensor) -> str:
        """Stores an input under `name` with its type and shape; returns the full name."""
        extents = ",".join(str(extent) for extent in tensor.shape)
        full = f"{name}.{name_of(tensor.dtype)}[{extents}]"
        stored = self.tensors.setdefault(full, tensor.contiguous())
        assert stored.equal(tensor) or tensor.isnan().any(), full
        return full

    def case(self, op, function, inputs, attributes=None, exact=False, own=False, torch_name=None):
        """Records `function(*inputs, **attributes)`; `own` computes in the inputs' own type.

        Exact functions are computed so in any case: sqrt(65504), rounded to float64 and then to
        float32, is wrong by a unit in the last place.
        """
        attributes = attributes or {}
        name = torch_name or f"torch.{op}"
        assert self.operations.setdefault(op, name) == name
        tensors = [self.tensors[name] for name in inputs]
        own_result = function(*tensors, **attributes)
        if not isinstance(own_result, (list, tuple)):
            own_result = [own_result]
        has_floats = any(t.is_floating_point() for t in tensors + list(own_result))
        computed = name_of(tensors[0].dtype)
        results, disputed = own_result, []
        if has_floats and not own and not exact:
            computed = "float64"
            wide = [t.double() if t.is_floating_point() else t for t in tensors]
            if not any(t.is_floating_point() for t in tensors):
                wide = [t.double() for t in tensors]
            results = function(*wide, **attributes)
            if not isinstance(results, (list, tuple)):
                results = [results]
            results = [w.to(o.dtype) for w, o in zip(results, own_result, strict=True)]
            for w, o in zip(results, own_result):
                disputed += self.compare(f"{op} {inputs} {attributes}", w, o)
        number = self.counts[op] = self.counts.get(op, -1) + 1
        case = f"{op}-{number}"
        outputs = [case] if len(results) == 1 else [f"{case}.{i}" for i in range(len(results))]
        for output, result in zip(outputs, results):
            self.tensors[output] = result.clone(memory_format=torch.contiguous_format)
        exact = exact or not any(t.is_floating_point() for t in results)
        readable = {key: json_value(value) for key, value in attributes.items()}
        self.cases.append(
            {"id": case, "op": op, "inputs": list(inputs), "attributes": readable,
             "outputs": outputs, "computed": computed, "exact": exact}
        )
        if disputed:
            self.cases[-1]["disputed"] = disputed

    @staticmethod
    def compare(where: str, wide, own) -> list:
        """Indices at which only one result is finite; stops on any other difference."""
        if not own.is_floating_point():
            assert wide.equal(own), f"{where}: {wide} {own}"
            return []
        a, b = wide.double().flatten(), own.double().flatten()
        alike = (a == b) | (a.isnan() & b.isnan())
        finite = a.isfinite() & b.isfinite()
        tolerance = TOLERANCES[own.dtype]
        close = (a - b).abs() <= tolerance * (a.abs() + 0.5)
        far = finite & ~close & ~alike
        assert not far.any(), f"{where}: {a[far]} {b[far]}"
        return (~alike & ~finite).nonzero().flatten().tolist()

    def write(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        safetensors.torch.save_file(self.tensors, FOLDER / "operators.safetensors")
        head = {"torch": torch.__version__.split("+")[0], "operations": self.operations}
        lines = [json.dumps(head)[:-1] + ', "cases": [']
        lines += [json.dumps(case) + "," for case in self.cases]
        lines[-1] = lines[-1][:-1] + "]}"
        (FOLDER / "operators.json").write_text("\n".join(lines) + "\n")


def json_value(value):
    if isinstance(value, torch.dtype):
        return name_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


# MARK: - Elementwise


def special_values(dtype: torch.dtype) -> torch.Tensor:
    """Zeros, infinities, NaN, denormals, limits, ties, and where functions change their course."""
    info = torch.finfo(dtype)
    positive = [
        0.0, info.smallest_normal, info.smallest_normal * info.eps, info.smallest_normal / 2,
        info.eps, info.max, INFINITY, 1e-8, 1e-4, 0.1, 0.25, 0.49999997, 0.5, 0.75, 0.99999994,
        1.0, 1.0000001, 1.5, 2.0, 2.5, 3.0, 3.5, 6.0, 6.5, math.pi / 2, math.pi, 5.5, 9.25, 10.0,
        17.5, 20.0, 20.25, 42.0, 87.0, 88.5, 89.0, 103.5, 105.0, 1000.0, 2049.0, 65504.0,
        8388609.0, 1e10, 1e30,
    ]
    random = torch.randn(16, generator=torch.Generator().manual_seed(3), dtype=F64) * 3
    values = positive + [-value for value in positive] + [NAN] + random.tolist()
    return torch.tensor(values, dtype=F64).to(dtype)


def add_unary(r: Recorder) -> None:
    def f(name):
        return getattr(F, name), f"torch.nn.functional.{name}"

    def t(name):
        return getattr(torch, name), f"torch.{name}"

    exact = {"abs", "neg", "floor", "ceil", "round", "trunc", "sign", "relu", "relu6", "square",
             "sqrt", "reciprocal", "hardtanh", "nan_to_num", "clamp"}
    # In float64 a choice suffices: the rest is built from these.
    in_double = {"exp", "log", "tanh", "erf", "sin", "sqrt", "round", "sigmoid", "gelu", "clamp"}
    plain = [
        "abs", "neg", "floor", "ceil", "round", "trunc", "frac", "sign", "square", "sqrt", "rsqrt",
        "reciprocal", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
        "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc",
        "sigmoid", "isnan", "isinf", "isfinite",
    ]
    table = [(*t(name), {}) for name in plain]
    table += [(*f(name), {}) for name in (
        "relu", "relu6", "hardswish", "hardsigmoid", "silu", "mish", "softsign", "logsigmoid",
        "selu")]
    table += [
        (*f("gelu"), {"approximate": "none"}),
        (*f("gelu"), {"approximate": "tanh"}),
        (*f("celu"), {"alpha": 1.0}),
        (*f("celu"), {"alpha": 0.5}),
        (*f("elu"), {"alpha": 1.0}),
        (*f("elu"), {"alpha": 0.5}),
        (*f("hardtanh"), {"min_val": -1.0, "max_val": 1.0}),
        (*f("hardtanh"), {"min_val": -0.25, "max_val": 3.5}),
        (*f("leaky_relu"), {"negative_slope": 0.01}),
        (*f("leaky_relu"), {"negative_slope": 0.2}),
        (*f("softplus"), {"beta": 1.0, "threshold": 20.0}),
        (*f("softplus"), {"beta": 2.0, "threshold": 5.0}),
        (*t("nan_to_num"), {}),
        (*t("nan_to_num"), {"nan": 1.5, "posinf": 2.0, "neginf": -3.0}),
        (*t("clamp"), {"min": -0.5}),
        (*t("clamp"), {"max": 2.0}),
        (*t("clamp"), {"min": -1.0, "max": 1.0}),
        (*t("clamp"), {"min": 1.0, "max": -1.0}),
    ]
    table += [(*t("pow"), {"exponent": e}) for e in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0, -0.5, 2.5, 2)]
    for dtype in FLOATS:
        x = r.input("special", special_values(dtype))
        for function, torch_name, attributes in table:
            op = torch_name.split(".")[-1]
            if dtype == F64 and op not in in_double:
                continue
            r.case(op, function, [x], attributes, op in exact, False, torch_name)

    integers = {
        I32: [0, 1, -1, 2, -3, 7, 46341, -46341, 2147483647, -2147483648],
        I8: [0, 1, -1, 2, -3, 7, 11, 12, 127, -128],
        U8: [0, 1, 2, 3, 15, 16, 127, 128, 254, 255],
        I64: [0, 1, -1, 3, 3037000500, -5, 9223372036854775807, -9223372036854775808],
    }
    for dtype, values in integers.items():
        x = r.input("integers", torch.tensor(values, dtype=dtype))
        for op in ("abs", "neg", "sign", "square", "bitwise_not"):
            r.case(op, getattr(torch, op), [x])
        r.case("relu", F.relu, [x], torch_name="torch.nn.functional.relu")
        r.case("clamp", torch.clamp, [x], {"min": 2, "max": 100})
        r.case("pow", torch.pow, [x], {"exponent": 3})
        for op in ("exp", "sqrt", "sin", "reciprocal", "sigmoid"):
            # Integers become float32 first, by the rule of promotion.
            r.case(op, getattr(torch, op), [x], own=True)
    truth = r.input("truth", torch.tensor([True, False]))
    for op in ("logical_not", "bitwise_not", "exp"):
        r.case(op, getattr(torch, op), [truth], own=True)
    for dtype in (F32, I32):
        x = r.input("not", torch.tensor([0, 1, -2, 0], dtype=dtype))
        r.case("logical_not", torch.logical_not, [x])
    zeros = r.input("zeros", torch.tensor([0.0, -0.0, NAN, INFINITY, 1e-45]))
    r.case("logical_not", torch.logical_not, [zeros], own=True)


def add_binary(r: Recorder) -> None:
    arithmetic = ["add", "sub", "mul", "div", "maximum", "minimum", "fmax", "fmin"]
    comparisons = ["eq", "ne", "lt", "le", "gt", "ge"]
    transcendental = ["pow", "atan2"]
    modular = ["fmod", "remainder", "floor_divide"]
    logical = ["logical_and", "logical_or", "logical_xor"]
    bitwise = ["bitwise_and", "bitwise_or", "bitwise_xor"]

    values = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 3.0, 0.1, 1e-40, 3e38, INFINITY, -INFINITY, NAN]
    pairs = list(itertools.product(values, values))
    random = torch.randn(20, 2, generator=torch.Generator().manual_seed(4), dtype=F64) * 4
    pairs += random.tolist() + [(7.5, 2.5), (-7.5, 2.5), (7.5, -2.5), (1.0, 0.1), (-6.0, 0.3)]
    for dtype in (F32, F16, BF16):
        table = torch.tensor(pairs, dtype=F64).to(dtype)
        a, b = r.input("left", table[:, 0]), r.input("right", table[:, 1])
        for op in arithmetic + comparisons + transcendental + modular + logical:
            # Whether a quotient reaches the next integer, and the sign of a remainder's zero,
            # are decided in the operands' own type.
            r.case(op, getattr(torch, op), [a, b], exact=op in arithmetic + modular,
                   own=op in modular)
        for mode in ("floor", "trunc"):
            r.case("div", torch.div, [a, b], {"rounding_mode": mode}, exact=True, own=True)

    integers = {
        I32: [1, -1, 2, -2, 3, 7, -7, 100, 65537, 2147483647, -2147483647],
        I64: [1, -1, 2, 3, -7, 4294967297, 9223372036854775807],
        I8: [1, -1, 3, -7, 100, 127, -127],
        U8: [1, 2, 3, 7, 100, 200, 255],
        I16: [1, -1, 7, -300, 32767],
    }
    for dtype, values in integers.items():
        table = torch.tensor(list(itertools.product(values, values)), dtype=dtype)
        a, b = r.input("left", table[:, 0]), r.input("right", table[:, 1])
        ops = ["add", "sub", "mul", "maximum", "minimum", *comparisons, *modular, *bitwise]
        for op in ops + logical[:1]:
            r.case(op, getattr(torch, op), [a, b])
        r.case("div", torch.div, [a, b], own=True)
        for mode in ("floor", "trunc"):
            r.case("div", torch.div, [a, b], {"rounding_mode": mode})
    powers = list(itertools.product([0, 1, -1, 2, -3, 10], [0, 1, 2, 3, 9, 31, 40]))
    table = torch.tensor(powers, dtype=I32)
    r.case("pow", torch.pow, [r.input("bases", table[:, 0]), r.input("powers", table[:, 1])])
    shifts = torch.tensor(list(itertools.product([1, -1, 6, -7, 2147483647], [0, 1, 5, 31])),
                          dtype=I32)
    a, b = r.input("shifted", shifts[:, 0]), r.input("shifts", shifts[:, 1])
    r.case("bitwise_left_shift", torch.bitwise_left_shift, [a, b])
    r.case("bitwise_right_shift", torch.bitwise_right_shift, [a, b])

    table = torch.tensor(list(itertools.product([True, False], repeat=2)))
    a, b = r.input("left", table[:, 0]), r.input("right", table[:, 1])
    for op in ["add", "mul", "maximum", "minimum", *comparisons, *logical, *bitwise]:
        r.case(op, getattr(torch, op), [a, b])
    r.case("div", torch.div, [a, b], own=True)

    # Scalars: the number's kind takes part in promotion, its width does not.
    for dtype in (F32, F16, I32, U8, BOOL):
        x = r.input("small", torch.tensor([0, 1, 2, 3]).to(dtype))
        for op, scalar in itertools.product(("add", "mul", "div", "eq", "lt"), (2, 2.5, True)):
            r.case(op, getattr(torch, op), [x], {"other": scalar}, own=True)

    generator = torch.Generator().manual_seed(5)
    for left, right in (([3, 1, 4], [2, 1]), ([4], [2, 3, 4]), ([], [2, 2]), ([1, 5], [5, 1]),
                        ([0, 3], [1, 3]), ([2, 1, 1, 3], [4, 1])):
        a = r.input("broadcast", torch.randn(left, generator=generator))
        b = r.input("broadcast", torch.randn(right, generator=generator))
        r.case("add", torch.add, [a, b], exact=True)
    mixed = itertools.product([(F32, [2, 3]), (F16, [3]), (I64, [2, 1]), (BOOL, [])], repeat=2)
    for (dtype_a, shape_a), (dtype_b, shape_b) in mixed:
        if dtype_a != dtype_b:
            a = r.input("mixed", torch.arange(math.prod(shape_a)).reshape(shape_a).to(dtype_a))
            b = r.input("mixed", torch.arange(math.prod(shape_b)).reshape(shape_b).to(dtype_b))
            r.case("add", torch.add, [a, b], own=True)

    condition = r.input("condition", torch.tensor([[True], [False], [True]]))
    for dtype in (F32, F16, I64, BOOL):
        a = r.input("where", torch.arange(4).to(dtype))
        b = r.input("where_else", torch.arange(9, 21).reshape(3, 4).to(dtype))
        r.case("where", torch.where, [condition, a, b], exact=True)
    a = r.input("left", torch.tensor([0.0, NAN, 3.0, INFINITY]))
    low = r.input("low", torch.tensor([1.0, 0.0, NAN, -INFINITY]))
    high = r.input("high", torch.tensor([2.0, 1.0, 5.0, 7.0]))
    r.case("clamp", torch.clamp, [a, low, high], exact=True)


def add_casts(r: Recorder) -> None:
    def cast(x, dtype):
        return x.to(dtype)

    ties = [1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-24, 1 + 2**-11 + 2**-23,
            65519.0, 65520.0, 3.3895e38, 3.39e38, 2.0**-24, 2.0**-25, 2.0**-25 * 1.5, 2.0**-133,
            2.0**-134]
    for source in (F32, F64, F16, BF16):
        values = torch.tensor(ties + [-value for value in ties], dtype=F64).to(source)
        x = r.input("ties", torch.cat([values, special_values(source)]))
        for target in FLOATS:
            if source != target:
                r.case("to", cast, [x], {"dtype": target}, True, True, "torch.Tensor.to")
        r.case("to", cast, [x], {"dtype": BOOL}, True, True, "torch.Tensor.to")
        # In range of every signed type: what an overflowing conversion gives is not defined.
        small = torch.tensor([0.0, -0.0, 0.5, -0.5, 0.99, 1.5, -1.5, 2.5, 100.75, -127.9])
        y = r.input("truncated", small.to(source))
        for target in (I8, I16, I32, I64):
            r.case("to", cast, [y], {"dtype": target}, True, True, "torch.Tensor.to")
    integers = [0, 1, -1, 127, 128, 255, 256, -129, 65535, 16777217, -2147483648, 2147483647]
    for source in (I64, I32, I8, U8):
        x = r.input("to", torch.tensor(integers).to(source))
        for target in DTYPES:
            if source != target:
                r.case("to", cast, [x], {"dtype": target}, True, True, "torch.Tensor.to")
    x = r.input("to", torch.tensor([True, False]))
    for target in (F32, F16, U8, I64):
        r.case("to", cast, [x], {"dtype": target}, True, True, "torch.Tensor.to")


# MARK: - Reductions and normalisations


def add_reductions(r: Recorder) -> None:
    generator = torch.Generator().manual_seed(6)
    normal = torch.randn(3, 4, 5, generator=generator, dtype=F64)
    axes = [[0], [1], [-1], [0, 2], [1, 2], [0, 1, 2]]

    def norm(x, ord, dim, keepdim=False):
        return torch.linalg.vector_norm(x, ord, dim, keepdim)

    for dtype in (F32, F16, BF16):
        x = r.input("normal", normal.to(dtype))
        for number, dim in enumerate(axes if dtype == F32 else axes[2:4]):
            a = {"dim": dim, "keepdim": number % 2 == 1}
            for op in ("sum", "mean", "amax", "amin", "logsumexp"):
                r.case(op, getattr(torch, op), [x], a, exact=op.startswith("am"))
            for correction in (1, 0):
                for op in ("var", "std"):
                    r.case(op, getattr(torch, op), [x], {**a, "correction": correction})
            for ord in (1.0, 2.0, 3.0, 0.0, INFINITY, -INFINITY):
                r.case("norm", norm, [x], {"ord": ord, **a},
                       torch_name="torch.linalg.vector_norm")
            if len(dim) == 1:
                for op in ("prod", "argmax", "argmin"):
                    r.case(op, getattr(torch, op), [x], {**a, "dim": dim[0]})
        for op in ("sum", "mean", "prod", "argmax", "argmin"):
            r.case(op, getattr(torch, op), [x])

    for dtype in (I32, I8, U8, I16, I64, BOOL):
        x = r.input("integers", (normal * 60).abs().to(dtype))
        for op in ("sum", "amax", "amin", "any", "all", "argmax"):
            if not (dtype == BOOL and op == "argmax"):  # PyTorch has no argmax of booleans
                r.case(op, getattr(torch, op), [x], {"dim": 1})
        r.case("sum", torch.sum, [x])
        r.case("prod", torch.prod, [x], {"dim": 0})
        r.case("any", torch.any, [x])
        r.case("all", torch.all, [x])
    r.case("sum", torch.sum, [x], {"dim": 1, "dtype": F32})
    x = r.input("normal", normal.to(F16))
    r.case("sum", torch.sum, [x], {"dim": 1, "dtype": F32})

    special = torch.tensor([
        [1.0, NAN, 3.0], [INFINITY, 1.0, 2.0], [-INFINITY, 1.0, 2.0], [INFINITY, -INFINITY, 0.0],
        [-INFINITY, -INFINITY, -INFINITY], [0.0, -0.0, 0.0], [2.0, 2.0, 1.0], [NAN, INFINITY, NAN],
        [1e4, 1e4, -1e4], [-2000.0, -2001.0, -2002.0]])
    x = r.input("special", special)
    for op in ("sum", "mean", "amax", "amin", "prod", "logsumexp", "argmax", "argmin", "any",
               "all", "var"):
        r.case(op, getattr(torch, op), [x], {"dim": 1})
    for ord in (1.0, 2.0, 0.0, INFINITY, -INFINITY):
        r.case("norm", norm, [x], {"ord": ord, "dim": 1}, torch_name="torch.linalg.vector_norm")

    ties = r.input("ties", torch.tensor([[1, 3, 3, 0, 0], [2, 2, 2, 2, 2], [-1, -5, -5, 4, 4]]))
    for op in ("argmax", "argmin"):
        for dim in (0, 1):
            r.case(op, getattr(torch, op), [ties], {"dim": dim})
    empty = r.input("empty", torch.empty(2, 0, 3))
    for op in ("sum", "mean", "prod", "any", "all", "logsumexp"):
        for dim in (0, 1):
            r.case(op, getattr(torch, op), [empty], {"dim": dim})
    one = r.input("one", torch.tensor([[2.5], [-1.0]]))
    for correction in (1, 0):
        r.case("var", torch.var, [one], {"dim": 1, "correction": correction})
    scalar = r.input("scalar", torch.tensor(-2.5))
    for op in ("sum", "amax", "prod", "argmax", "logsumexp"):
        r.case(op, getattr(torch, op), [scalar], {"dim": 0})

    # Long rows about a large mean: accumulation and the variance's formula show here.
    for dtype in (F32, F16):
        long = torch.randn(2, 1025, generator=generator, dtype=F64) + 40
        x = r.input("long", long.to(dtype))
        for op in ("sum", "mean", "var", "logsumexp"):
            r.case(op, getattr(torch, op), [x], {"dim": 1})


def add_softmax(r: Recorder) -> None:
    generator = torch.Generator().manual_seed(7)
    normal = torch.randn(3, 4, 5, generator=generator, dtype=F64) * 2
    rows = torch.tensor([
        [1e4, -1e4, 0.0, 1e4], [-INFINITY, 1.0, 2.0, -INFINITY], [INFINITY, 1.0, 2.0, 3.0],
        [-INFINITY, -INFINITY, -INFINITY, -INFINITY], [NAN, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0],
        [-200.0, -201.0, -202.0, 5.0], [88.0, 89.0, 90.0, 91.0]])
    for op in ("softmax", "log_softmax"):
        function = getattr(torch, op)
        for dtype in (F32, F16, BF16):
            x = r.input("softmax", normal.to(dtype))
            for dim in (0, 1, 2, -1) if dtype == F32 else (1, 2):
                r.case(op, function, [x], {"dim": dim})
            r.case(op, function, [r.input("rows", rows.to(dtype))], {"dim": 1})
        r.case(op, function, [r.input("softmax", normal.to(F16))], {"dim": 2, "dtype": F32},
               own=True)
        long = torch.randn(1, 700, generator=torch.Generator().manual_seed(8)) * 4
        r.case(op, function, [r.input("logits", long)], {"dim": 1})
        r.case(op, function, [r.input("one", torch.tensor([[2.5], [-1.0]]))], {"dim": 1})
        r.case(op, function, [r.input("empty", torch.empty(2, 0, 3))], {"dim": 1})


def add_normalisations(r: Recorder) -> None:
    def named(op):
        return f"torch.nn.functional.{op}"

    def normal(name, shape, dtype, shift=0.0):
        seed = sum(name.encode()) * 1000 + sum(shape)
        values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)
        return r.input(name, (values + shift).to(dtype))

    def layer_norm(x, *affine, normalized_shape, eps, has_bias=True):
        weight = affine[0] if affine else None
        return F.layer_norm(x, normalized_shape, weight, affine[1] if has_bias and affine else None,
                            eps)

    def rms_norm(x, *weight, normalized_shape, eps):
        return F.rms_norm(x, normalized_shape, *weight, eps=eps)

    def group_norm(x, *affine, num_groups, eps):
        return F.group_norm(x, num_groups, *affine, eps=eps)

    def batch_norm(x, *statistics, eps):
        return F.batch_norm(x, *statistics, eps=eps)

    for dtype in (F32, F16, BF16):
        for shape, axes in (([4, 32], [32]), ([2, 3, 5], [3, 5]), ([2, 3, 37], [37])):
            x = normal("activations", shape, dtype, 0.5)
            weight, bias = normal("weight", axes, dtype, 1.0), normal("bias", axes, dtype)
            a = {"normalized_shape": axes, "eps": 1e-5}
            r.case("layer_norm", layer_norm, [x, weight, bias], a, torch_name=named("layer_norm"))
            r.case("layer_norm", layer_norm, [x], a, torch_name=named("layer_norm"))
            r.case("rms_norm", rms_norm, [x, weight], {**a, "eps": 1e-6},
                   torch_name=named("rms_norm"))
            r.case("rms_norm", rms_norm, [x], {**a, "eps": 1e-6}, torch_name=named("rms_norm"))
        x = normal("activations", [2, 6, 4, 5], dtype, 0.5)
        weight, bias = normal("weight", [6], dtype, 1.0), normal("bias", [6], dtype)
        for groups in (1, 2, 3, 6) if dtype == F32 else (3,):
            r.case("group_norm", group_norm, [x, weight, bias], {"num_groups": groups, "eps": 1e-5},
                   torch_name=named("group_norm"))
        r.case("group_norm", group_norm, [x], {"num_groups": 2, "eps": 1e-5},
               torch_name=named("group_norm"))
        mean = normal("mean", [6], dtype)
        variance = r.input("variance", torch.linspace(0.01, 3, 6).to(dtype))
        r.case("batch_norm", batch_norm, [x, mean, variance, weight, bias], {"eps": 1e-5},
               torch_name=named("batch_norm"))
        r.case("batch_norm", batch_norm, [x, mean, variance], {"eps": 1e-3},
               torch_name=named("batch_norm"))
    x, weight = normal("activations", [4, 32], F32, 0.5), normal("weight", [32], F32, 1.0)
    r.case("layer_norm", layer_norm, [x, weight],
           {"normalized_shape": [32], "eps": 0.1, "has_bias": False},
           torch_name=named("layer_norm"))
    # Without eps PyTorch takes the type's epsilon, so the type decides the result.
    r.case("rms_norm", rms_norm, [x, weight], {"normalized_shape": [32], "eps": None}, own=True,
           torch_name=named("rms_norm"))
    constant = r.input("constant", torch.full([2, 16], 3.0))
    r.case("layer_norm", layer_norm, [constant], {"normalized_shape": [16], "eps": 1e-5},
           torch_name=named("layer_norm"))


# MARK: - Products, indexing, movement


def add_products(r: Recorder) -> None:
    def normal(shape, dtype, name):
        seed = sum(extent * 31**i for i, extent in enumerate(shape)) + 17 * (name == "right")
        values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)
        return r.input(name, values.to(dtype))

    shapes = [
        ([7], [7]), ([7], [7, 5]), ([3, 7], [7]), ([3, 7], [7, 5]), ([1, 1], [1, 1]),
        ([2, 3, 7], [7, 5]), ([3, 7], [2, 7, 5]), ([2, 3, 7], [2, 7, 5]), ([2, 1, 3, 7], [4, 7, 5]),
        ([1, 3, 7], [2, 7, 5]), ([2, 3, 7], [7]), ([7], [2, 7, 5]), ([17, 33], [33, 19]),
        ([1, 64], [64, 48]), ([2, 3, 4, 5], [5, 2]), ([3, 0], [0, 5]), ([0, 7], [7, 5]),
        ([0, 3, 7], [7, 5]),
    ]
    for left, right in shapes:
        r.case("matmul", torch.matmul, [normal(left, F32, "left"), normal(right, F32, "right")])
    for dtype in (F16, BF16, F64):
        for left, right in (shapes[3], shapes[8], shapes[12], shapes[0]):
            r.case("matmul", torch.matmul,
                   [normal(left, dtype, "left"), normal(right, dtype, "right")])
    for dtype in (I32, I64):
        a = r.input("left", torch.arange(-10, 11).reshape(3, 7).to(dtype))
        b = r.input("right", torch.arange(-17, 18).reshape(7, 5).to(dtype))
        r.case("matmul", torch.matmul, [a, b])
    # NaN and infinity times zero spread through a product.
    a = r.input("left", torch.tensor([[1.0, 0.0], [INFINITY, 0.0], [NAN, 1.0]]))
    b = r.input("right", torch.tensor([[2.0, 0.0], [INFINITY, NAN]]))
    r.case("matmul", torch.matmul, [a, b])

    for dtype in (F32, F16, BF16):
        x, weight = normal([2, 3, 24], dtype, "x"), normal([10, 24], dtype, "weight")
        bias = normal([10], dtype, "bias")
        r.case("linear", F.linear, [x, weight, bias], torch_name="torch.nn.functional.linear")
        r.case("linear", F.linear, [x, weight], torch_name="torch.nn.functional.linear")
    c, a, b = normal([5], F32, "left"), normal([3, 7], F32, "left"), normal([7, 5], F32, "right")
    r.case("addmm", torch.addmm, [c, a, b], {"beta": 0.5, "alpha": -2.0})
    c, a = normal([2, 3, 5], F32, "left"), normal([2, 3, 7], F32, "left")
    b = normal([2, 7, 5], F32, "right")
    r.case("baddbmm", torch.baddbmm, [c, a, b], {"beta": 1, "alpha": 1})


def add_indexing(r: Recorder) -> None:
    def sliced(x, slices):
        return x[tuple(slice(*bounds) for bounds in slices)]

    def index_select(x, index, dim):
        return torch.index_select(x, dim, index)

    def gather(x, index, dim):
        return torch.gather(x, dim, index)

    table = torch.arange(60, dtype=F32).reshape(3, 4, 5)
    for dtype in (F32, F16, I64, BOOL, U8):
        values = table % 2 == 0 if dtype == BOOL else table
        x = r.input("table", values.to(dtype))
        for dim, chosen, index_dtype in ((0, [2, 0, 2], I64), (2, [4, 1], I32), (-2, [3], I64)):
            index = r.input("index", torch.tensor(chosen, dtype=index_dtype))
            r.case("index_select", index_select, [x, index], {"dim": dim}, True)
        for dim, shape in ((0, [2, 4, 5]), (1, [3, 2, 5]), (2, [3, 4, 3]), (2, [2, 3, 1])):
            limit = table.shape[dim]
            numbers = (torch.arange(math.prod(shape)) * 7 % limit).reshape(shape)
            index = r.input("positions", numbers)
            r.case("gather", gather, [x, index], {"dim": dim}, True)
    for dtype in (F32, F16, BF16):
        weight = r.input("vocabulary", (torch.arange(33.0).reshape(11, 3) / 8).to(dtype))
        for index in (torch.tensor([0, 10, 3, 3]), torch.tensor([[1, 2, 3], [7, 0, 10]]),
                      torch.tensor(5), torch.empty(0, 2, dtype=I64), torch.tensor([4, 9]).int()):
            r.case("embedding", F.embedding, [r.input("tokens", index), weight], {}, True,
                   torch_name="torch.nn.functional.embedding")

    x = r.input("table", table)
    for slices in ([[1, 3]], [[0, 3, 2], [1, 4, 2]], [[None, None], [None, None], [4, 0]],
                   [[None, None, 2], [-3, -1], [None, None, 3]], [[0, 100], [-100, 2], [1, 2]],
                   [[2, 2]], [[None, None], [3, None, 5], [0, 5, 4]]):
        r.case("slice", sliced, [x], {"slices": slices}, True, torch_name="torch.Tensor[...]")

    small = r.input("image", torch.arange(24, dtype=F32).reshape(1, 2, 3, 4))
    for dtype in (F32, F16, I32):
        y = r.input("image", torch.arange(24).reshape(1, 2, 3, 4).to(dtype))
        for pad, value in (([1, 2], 0.0), ([0, 0, 2, 1], 1.5), ([1, 0, 0, 1, 2, 0], -1.0),
                           ([-1, 0, 0, -1], 0.0), ([-1, 2], 3.0), ([0, 0], 0.0)):
            r.case("pad", F.pad, [y], {"pad": pad, "mode": "constant", "value": value}, True,
                   torch_name="torch.nn.functional.pad")
    for mode, pad in (("reflect", [1, 2, 2, 0]), ("replicate", [3, 1, 0, 2]),
                      ("circular", [1, 2, 0, 1])):
        r.case("pad", F.pad, [small], {"pad": pad, "mode": mode}, True,
               torch_name="torch.nn.functional.pad")


# MARK: - Promotion


def promotion() -> dict:
    """Result types of binary arithmetic, and of functions that choose their own."""

    def names(function, *operands):
        try:
            result = function(*operands)
        except (RuntimeError, TypeError):
            return None
        return name_of(result if isinstance(result, torch.dtype) else result.dtype)

    def table(left, right, function=torch.result_type):
        return {name: {other: names(function, a, b) for other, b in right.items()}
                for name, a in left.items()}

    tensors = {name_of(dtype): torch.ones(2, dtype=dtype) for dtype in DTYPES}
    scalar_tensors = {name_of(dtype): torch.ones((), dtype=dtype) for dtype in DTYPES}
    scalars = {"int": 2, "float": 2.5, "bool": True}
    for name, a in tensors.items():  # what result_type says is what addition does
        for b in [*tensors.values(), *scalar_tensors.values(), *scalars.values()]:
            assert (a + b).dtype == torch.result_type(a, b)

    floating = [torch.exp, torch.sqrt, torch.sigmoid, torch.reciprocal, torch.erf]
    reductions = {"sum": torch.sum, "prod": torch.prod, "mean": torch.mean, "amax": torch.amax,
                  "argmax": torch.argmax, "any": torch.any, "all": torch.all, "var": torch.var,
                  "logsumexp": lambda x: torch.logsumexp(x, 0),
                  "softmax": lambda x: torch.softmax(x, 0)}
    unary = {"exp": torch.exp, "abs": torch.abs, "neg": torch.neg, "square": torch.square,
             "floor": torch.floor, "round": torch.round, "sign": torch.sign, "relu": F.relu,
             "gelu": F.gelu, "isnan": torch.isnan, "logical_not": torch.logical_not,
             "bitwise_not": torch.bitwise_not}
    for x in tensors.values():
        assert len({names(function, x) for function in floating}) == 1
    pairs = {"div": torch.div, "floor_divide": torch.floor_divide, "pow": torch.pow,
             "atan2": torch.atan2, "eq": torch.eq, "logical_and": torch.logical_and,
             "bitwise_and": torch.bitwise_and, "matmul": torch.matmul}
    return {
        "torch": torch.__version__.split("+")[0],
        "tensor_tensor": table(tensors, tensors),
        "tensor_scalar": table(tensors, scalars),
        "tensor_rank0": table(tensors, scalar_tensors),
        "rank0_rank0": table(scalar_tensors, scalar_tensors),
        "rank0_scalar": table(scalar_tensors, scalars),
        "unary": {op: {name: names(function, x) for name, x in tensors.items()}
                  for op, function in unary.items()},
        "reduction": {op: {name: names(function, x) for name, x in tensors.items()}
                      for op, function in reductions.items()},
        "binary": {op: table(tensors, tensors, function) for op, function in pairs.items()},
        "binary_scalar": {op: table(tensors, scalars, function) for op, function in pairs.items()
                          if op not in ("atan2", "logical_and", "matmul")},
    }


def main() -> None:
    torch.set_num_threads(1)
    recorder = Recorder()
    add_unary(recorder)
    add_binary(recorder)
    add_casts(recorder)
    add_reductions(recorder)
    add_softmax(recorder)
    add_normalisations(recorder)
    add_products(recorder)
    add_indexing(recorder)
    recorder.write()

    tables = promotion()
    lines = []
    for name, value in tables.items():
        if isinstance(value, str):
            lines.append(f"{json.dumps(name)}: {json.dumps(value)}")
            continue
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in value.items())
        lines.append(f"{json.dumps(name)}: {{\n{rows}}}")
    (FOLDER / "promotion.json").write_text("{" + ",\n".join(lines) + "}\n")

    print(f"{len(recorder.cases)} cases of {len(recorder.operations)} operations")
    for file in sorted(FOLDER.iterdir()):
        print(f"{file.name:24} {file.stat().st_size:8} bytes")


if __name__ == "__main__":
    main()
