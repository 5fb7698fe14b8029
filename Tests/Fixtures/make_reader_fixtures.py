#!/usr/bin/env python3
"""Makes the small .pt and .safetensors files that the tests of the weight readers open.

    python3 Tests/Fixtures/make_reader_fixtures.py

writes Tests/Fixtures/pt and Tests/Fixtures/safetensors, byte for byte the same on every run. Needs
torch (2.13.0 made the files in git) and safetensors, as Benchmarks/setup_venv.sh installs them.

Each folder's expected.json says what a reader must find:

    {"torch": "2.13.0",
     "files": {"views.pt": {
       "about":   what the file is there for,
       "tensors": [{"path": ["state_dict", "weight"],  keys from the root, integers in lists
                    "dtype": "float32", "shape": [2, 3],
                    "strides": [1, 2], "offset": 4,    in elements, of the stored view (.pt only)
                    "storage": 0,                      tensors of one number share memory (.pt only)
                    "values": [1.5, "nan", …],         in row-major order, exact decimals
                    "hex": "0000c03f…"}],              the same as little-endian bytes
       "others":  [{"path": ["epoch"], "value": 3}],   numbers, strings, booleans, nulls (.pt only)
       "metadata": {"format": "pt"},                   (.safetensors only)
       "error":   "unsafe global: os.system"}}}        or null

A file with an "error" must be refused as a whole, for that reason and before anything in it is
called or allocated; it has no tensors here. The hostile ones are harmless: an unpickler that runs
their code prints a line.
"""

import collections
import io
import json
import pathlib
import shutil
import struct
import zipfile

import safetensors.torch
import torch

FIXTURES = pathlib.Path(__file__).resolve().parent
COMMAND = b"echo this must never run"
NAN, INFINITY = float("nan"), float("inf")

# Values that a wrong width, sign or byte order turns into something else.
FLOATS = [0.0, -0.0, 1.0, -1.5, 3.140625, INFINITY, -INFINITY, NAN]
SAMPLES = {
    torch.float32: FLOATS + [1e-45, 3.4028234663852886e38, 16777215.0],
    torch.float16: FLOATS + [2.0**-24, 65504.0, 0.333251953125],
    torch.bfloat16: FLOATS + [2.0**-133, 3.3895313892515355e38, 0.333984375],
    torch.float64: FLOATS + [5e-324, 1.7976931348623157e308, 9007199254740991.0],
    torch.uint8: [0, 1, 127, 128, 255],
    torch.int8: [0, 1, 127, -128, -1],
    torch.int16: [0, 258, 32767, -32768, -1],
    torch.int32: [0, 16909060, 2147483647, -2147483648, -1],
    torch.int64: [0, 72623859790382856, 9223372036854775807, -9223372036854775808, -1],
    torch.bool: [True, False, False, True, True],
}
FLOAT8 = [torch.float8_e4m3fn, torch.float8_e5m2]
UNSIGNED = [torch.uint16, torch.uint32, torch.uint64]


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def little_endian_bytes(tensor: torch.Tensor) -> bytes:
    contiguous = tensor.detach().contiguous().reshape(-1)
    return contiguous.view(torch.uint8).numpy().tobytes() if contiguous.numel() else b""


def readable(value):
    """A number as JSON can hold it; what is not finite, and -0, as a string."""
    if isinstance(value, float) and (value != value or abs(value) == INFINITY):
        return str(value)
    return "-0.0" if isinstance(value, float) and value == 0 and str(value) == "-0.0" else value


def described(path, tensor: torch.Tensor) -> dict:
    tensor = tensor.detach()
    wide = tensor.double() if tensor.is_floating_point() else tensor
    return {
        "path": path,
        "dtype": name_of(tensor.dtype),
        "shape": list(tensor.shape),
        "values": [readable(value) for value in wide.reshape(-1).tolist()],
        "hex": little_endian_bytes(tensor).hex(),
    }


class Folder:
    """Collects files and what a reader must find in them; writes both at the end."""

    def __init__(self, name: str):
        self.path = FIXTURES / name
        self.files = {}
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()

    def add(self, name: str, about: str, content: bytes, error=None, **expected) -> None:
        (self.path / name).write_bytes(content)
        self.files[name] = {"about": about, "error": error, **expected}

    def write_expected(self) -> None:
        """Writes expected.json with one tensor a line."""
        lines = [f'{{"torch": "{torch.__version__.split("+")[0]}", "files": {{']
        for index, (name, file) in enumerate(self.files.items()):
            lines.append(f"  {json.dumps(name)}: {{")
            for position, (key, value) in enumerate(file.items()):
                comma = "," if position + 1 < len(file) else "}"
                if isinstance(value, list) and value:
                    entries = ",\n      ".join(json.dumps(entry) for entry in value)
                    lines.append(f'    "{key}": [\n      {entries}]{comma}')
                else:
                    lines.append(f'    "{key}": {json.dumps(value)}{comma}')
            lines[-1] += "," if index + 1 < len(self.files) else "}}"
        (self.path / "expected.json").write_text("\n".join(lines) + "\n")
        size = sum(file.stat().st_size for file in self.path.iterdir())
        print(f"{self.path.name}: {len(self.files)} files, {size} bytes with expected.json")


# MARK: - PyTorch files


def saved(value, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def contents(value, path=(), storages=None):
    """The tensors and the other leaves of nested containers, each with its path."""
    storages = {} if storages is None else storages
    if isinstance(value, torch.Tensor):
        entry = described(list(path), value)
        entry["strides"] = list(value.stride())
        entry["offset"] = value.storage_offset()
        key = value.untyped_storage()._cdata
        entry["storage"] = storages.setdefault(key, len(storages))
        return [entry], []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value))
    else:
        return [], [{"path": list(path), "value": value}]
    tensors, others = [], []
    for key, child in items:
        more = contents(child, (*path, key), storages)
        tensors += more[0]
        others += more[1]
    return tensors, others


class Reduced:
    """Pickles as a call of `function` with `arguments`; for files that no honest program writes."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


def rebuilt(storage, offset, shape, strides) -> Reduced:
    """A tensor record whose view need not fit its storage."""
    hooks = collections.OrderedDict()
    return Reduced(
        torch._utils._rebuild_tensor_v2, storage, offset, shape, strides, False, hooks
    )


def rezipped(content: bytes, compression=zipfile.ZIP_STORED, without=(), replacing=None) -> bytes:
    """The same archive as an ordinary zip tool writes it, with records dropped or replaced.

    PyTorch pads each record to start at a multiple of 64 bytes; this does not.
    """
    buffer = io.BytesIO()
    replacing = replacing or {}
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for record in old.namelist():
            short = record.split("/", 1)[1]
            if short not in without:
                entry = zipfile.ZipInfo(record, (1980, 1, 1, 0, 0, 0))
                entry.compress_type = compression
                new.writestr(entry, replacing.get(short, old.read(record)))
    return buffer.getvalue()


def add_readable_pytorch_files(folder: Folder) -> None:
    def add(name, about, value, content=None, **options):
        content = saved(value, **options) if content is None else content
        tensors, others = contents(value)
        folder.add(name, about, content, tensors=tensors, others=others)

    every_dtype = {
        name_of(dtype): torch.tensor(values, dtype=dtype) for dtype, values in SAMPLES.items()
    }
    add("dtypes.pt", "one tensor of every element type", every_dtype)
    more = {name_of(d): torch.tensor([0.0, 1.5, -448.0, 0.015625]).to(d) for d in FLOAT8}
    more |= {name_of(d): torch.tensor([0, 1, 258, 65535], dtype=d) for d in UNSIGNED}
    add("dtypes_v3.pt", "element types saved through _rebuild_tensor_v3", more)

    base = torch.arange(24, dtype=torch.float32)
    matrix = base.reshape(4, 6)
    views = {
        "base": base,
        "matrix": matrix,
        "transposed": matrix.t(),
        "slice": matrix[1:3, 2:5],
        "every_other": base[1::2],
        "column": matrix[:, 3],
        "expanded": matrix[0:1, :2].expand(3, 2),
        "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
        "scalar": matrix[2, 3],
        "alone": torch.tensor([7.0, 8.0]),
    }
    add("views.pt", "strided views of one storage, and one tensor of another", views)

    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Embedding(4, 2)
    )
    state = network.state_dict()
    assert hasattr(state, "_metadata")
    add("state_dict.pt", "OrderedDict with _metadata; an int64 scalar among the buffers", state)
    parameters = {"weight": torch.nn.Parameter(torch.tensor([[0.5, -2.0]])),
                  "frozen": torch.nn.Parameter(torch.tensor([4.0]), requires_grad=False)}
    add("parameters.pt", "nn.Parameter entries", parameters)
    checkpoint = {
        "state_dict": collections.OrderedDict(
            [("layer.weight", torch.tensor([[1.0, 2.0], [3.0, 4.0]])),
             ("layer.bias", torch.tensor([-1.0, 0.25], dtype=torch.float16))]
        ),
        "epoch": 3,
        "best": -0.125,
        "name": "résumé",
        "done": False,
        "note": None,
        "big": 2**70,
        "optimizer": {
            "state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.zeros(2)}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0, 1]}],
        },
    }
    add("checkpoint.pt", "nested plain dictionaries, lists, tuples and numbers", checkpoint)
    add("list.pt", "a list at the root", [torch.tensor([1, 2]), (torch.tensor([True]), 5)])
    add("tensor.pt", "a single tensor at the root", torch.tensor([[1.5, 2.5]], dtype=torch.half))
    shapes = {
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0),
        "no_rows": torch.empty(0, 3, dtype=torch.int64),
        "no_columns": torch.empty(2, 0, dtype=torch.float16),
        "ones": torch.ones(1, 1, 1, 1),
    }
    add("shapes.pt", "rank 0, no elements, extents of one", shapes)
    shared = torch.tensor([1.0, 2.0, 3.0])
    add("shared.pt", "one tensor under two names", {"tied": shared, "again": shared})
    small = {"weight": torch.tensor([[1.0, -2.0], [0.5, 4.0]]), "step": 7}
    for protocol in (2, 3, 4, 5):
        about = f"pickle protocol {protocol}"
        add(f"protocol{protocol}.pt", about, small, pickle_protocol=protocol)
    many = {f"layers.{i}.weight": torch.tensor([float(i)]) for i in range(40)}
    add("many.pt", "40 tensors: more memo entries than one byte can count", many)
    plain = rezipped(saved(small), without=("byteorder", ".format_version", ".storage_alignment"))
    add("unaligned.pt", "written as by a plain zip tool: no padding, no byte order", small, plain)


def add_refused_pytorch_files(folder: Folder) -> None:
    one = {"weight": torch.tensor([1.0, 2.0, 3.0, 4.0])}
    good = saved(one)

    legacy = saved(one, _use_new_zipfile_serialization=False)
    # The old format names a storage by its address; a fixed name keeps the file the same.
    key = str(one["weight"].untyped_storage()._cdata).encode()
    old, new = (b"X" + struct.pack("<I", len(text)) + text for text in (key, b"1"))
    assert old in legacy
    folder.add("legacy.pt", "the format before PyTorch 1.6, not a zip archive",
               legacy.replace(old, new), error="legacy format")

    # GLOBAL, BINUNICODE, TUPLE1, REDUCE, STOP: os.system(COMMAND).
    length = struct.pack("<I", len(COMMAND))
    called = b"\x80\x02cos\nsystem\nX" + length + COMMAND + b"\x85R."
    folder.add("hostile_system.pt", "calls os.system when unpickled",
               rezipped(good, replacing={"data.pkl": called}), error="unsafe global: os.system")
    folder.add("hostile_eval.pt", "a call of eval beside a good tensor",
               saved({**one, "extra": Reduced(eval, "print('this must never run')")}),
               error="unsafe global: __builtin__.eval")
    folder.add("hostile_getattr.pt", "reaches for a function by a name made at run time",
               saved({**one, "extra": Reduced(getattr, "text", "upper")}, pickle_protocol=4),
               error="unsafe global: builtins.getattr")
    # STACK_GLOBAL takes module and name from the stack, here through the memo.
    stacked = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R."
    folder.add("hostile_stack_global.pt", "names os.system by STACK_GLOBAL",
               rezipped(good, replacing={"data.pkl": stacked}),
               error="unsafe global: posix.system")

    folder.add("whole_module.pt", "a pickled nn.Module instead of its state dict",
               saved(torch.nn.Linear(2, 1)),
               error="unsafe global: torch.nn.modules.linear.Linear")
    folder.add("sparse.pt", "a sparse tensor", saved({"s": torch.eye(2).to_sparse()}),
               error="unsupported global: torch._utils._rebuild_sparse_tensor")
    folder.add("complex.pt", "an element type we lack",
               saved({"z": torch.tensor([1 + 2j], dtype=torch.complex64)}),
               error="unsupported type: ComplexFloatStorage")

    storage = one["weight"]._typed_storage()
    forged = {
        "beyond_storage.pt": ("more elements than the storage has", 0, (5,), (1,)),
        "offset_beyond_storage.pt": ("an offset past the storage", 4, (1,), (1,)),
        "strides_beyond_storage.pt": ("strides that leave the storage", 0, (2, 2), (3, 1)),
        "negative_offset.pt": ("a negative offset", -1, (2,), (1,)),
        "negative_stride.pt": ("a negative stride", 3, (2,), (-1,)),
        "negative_extent.pt": ("a negative extent", 0, (-2,), (1,)),
        "overflow.pt": ("a size that overflows 64 bits", 0, (2**62, 4), (4, 1)),
        "strides_rank.pt": ("fewer strides than extents", 0, (2, 2), (1,)),
    }
    for name, (about, offset, shape, strides) in forged.items():
        value = {"weight": rebuilt(storage, offset, shape, strides)}
        folder.add(name, about, saved(value), error=f"bad view: {about}")

    data = zipfile.ZipFile(io.BytesIO(good)).read("archive/data.pkl")
    folder.add("missing_record.pt", "the storage's record is not in the archive",
               rezipped(good, without=("data/0",)), error="missing record: data/0")
    folder.add("short_record.pt", "the storage's record is shorter than its element count",
               rezipped(good, replacing={"data/0": bytes(8)}), error="short record: data/0")
    folder.add("compressed.pt", "records compressed by a zip tool, so nothing can be mapped",
               rezipped(good, zipfile.ZIP_DEFLATED), error="compressed record")
    folder.add("big_endian.pt", "written on a big-endian machine",
               rezipped(good, replacing={"byteorder": b"big"}), error="byte order: big")
    folder.add("truncated.pt", "the zip directory is cut off", good[:-40], error="truncated")
    folder.add("truncated_pickle.pt", "the pickle stops in the middle of an opcode",
               rezipped(good, replacing={"data.pkl": data[: len(data) // 2]}), error="bad pickle")
    folder.add("unknown_opcode.pt", "an opcode that no protocol has",
               rezipped(good, replacing={"data.pkl": b"\x80\x02\xff."}), error="bad pickle")
    folder.add("stack_underflow.pt", "an opcode that takes more than the stack holds",
               rezipped(good, replacing={"data.pkl": b"\x80\x02s."}), error="bad pickle")
    folder.add("bad_memo.pt", "reads a memo entry never written",
               rezipped(good, replacing={"data.pkl": b"\x80\x02h\x07."}), error="bad pickle")
    huge = b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"x."
    folder.add("huge_string.pt", "a string said to be 2^63 - 1 bytes long",
               rezipped(good, replacing={"data.pkl": huge}), error="bad pickle")
    folder.add("no_pickle.pt", "a zip archive without data.pkl",
               rezipped(good, without=("data.pkl",)), error="missing record: data.pkl")
    folder.add("empty.pt", "a file of no bytes", b"", error="not a PyTorch file")
    folder.add("text.pt", "not a PyTorch file at all", b"weights\n", error="not a PyTorch file")
    cycle = {**one}
    cycle["self"] = cycle
    folder.add("cycle.pt", "a dictionary that holds itself", saved(cycle), error="cycle")


# MARK: - Safetensors files


def safetensors_file(header, data: bytes, padding: int = 8) -> bytes:
    """A file with the header as given, be it legal or not; `padding` 1 leaves data unaligned."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % padding)
    return struct.pack("<Q", len(text)) + text + data


def add_readable_safetensors_files(folder: Folder) -> None:
    def add(name, about, tensors, content=None, metadata=None):
        if content is None:
            content = safetensors.torch.save(tensors, metadata)
        described_tensors = [described([key], value) for key, value in tensors.items()]
        folder.add(name, about, content, tensors=described_tensors, metadata=metadata or {})

    every_dtype = {
        name_of(dtype): torch.tensor(values, dtype=dtype) for dtype, values in SAMPLES.items()
    }
    add("dtypes.safetensors", "one tensor of every element type", every_dtype)
    more = {name_of(d): torch.tensor([0.0, 1.5, -448.0, 0.015625]).to(d) for d in FLOAT8}
    more |= {name_of(d): torch.tensor([0, 1, 258, 65535], dtype=d) for d in UNSIGNED}
    add("dtypes_more.safetensors", "float8 and the wider unsigned integers", more)
    metadata = {"format": "pt", "title": "tab\there, quote \" and é", "empty": ""}
    w = torch.tensor([1.0])
    # By hand: the package writes metadata in an order that changes from run to run.
    header = {"__metadata__": metadata,
              "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    add("metadata.safetensors", "__metadata__ with escapes", {"w": w},
        safetensors_file(header, little_endian_bytes(w)), metadata)
    shapes = {
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0),
        "no_columns": torch.empty(2, 0, dtype=torch.float16),
        "cube": torch.arange(24, dtype=torch.int32).reshape(2, 3, 4),
    }
    add("shapes.safetensors", "rank 0, no elements, rank 3", shapes)
    add("no_tensors.safetensors", "no tensor at all", {})

    a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0, 5.0])
    header = {"b": {"dtype": "F32", "shape": [3], "data_offsets": [8, 20]},
              "a": {"shape": [2], "data_offsets": [0, 8], "dtype": "F32"}}
    data = little_endian_bytes(a) + little_endian_bytes(b)
    add("order.safetensors", "names and keys in another order than the data", {"b": b, "a": a},
        safetensors_file(header, data))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    header += b" " * (1 - len(header) % 2)
    unaligned = safetensors_file(header, little_endian_bytes(a), padding=1)
    add("unaligned.safetensors", "data at an odd offset of the file", {"w": a}, unaligned)
    text = ('{"caf\\u00e9.\\ud83d\\ude00":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}')
    add("escapes.safetensors", "a name spelt with JSON escapes and a surrogate pair",
        {"café.😀": a}, safetensors_file(text.encode(), little_endian_bytes(a)))


def add_refused_safetensors_files(folder: Folder) -> None:
    def entry(begin, end, dtype="F32", shape=None):
        return {"dtype": dtype, "shape": [2] if shape is None else shape,
                "data_offsets": [begin, end]}

    data = bytes(range(16))
    two = '{"a":%s,"a":%s}' % (json.dumps(entry(0, 8)), json.dumps(entry(8, 16)))
    refused = {
        "hole": ("bytes between two tensors belong to none",
                 safetensors_file({"a": entry(0, 8), "b": entry(12, 20)}, bytes(20))),
        "overlap": ("two tensors share bytes",
                    safetensors_file({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12))),
        "beyond_file": ("a tensor ends after the file",
                        safetensors_file({"a": entry(0, 8), "b": entry(8, 16)}, bytes(12))),
        "trailing_bytes": ("bytes after the last tensor",
                           safetensors_file({"a": entry(0, 8)}, bytes(12))),
        "reversed_offsets": ("a tensor ends before it begins",
                             safetensors_file({"a": entry(8, 0)}, bytes(8))),
        "wrong_size": ("offsets disagree with shape and type",
                       safetensors_file({"a": entry(0, 16, shape=[3])}, data)),
        "overflow": ("a shape whose size overflows 64 bits",
                     safetensors_file({"a": entry(0, 0, shape=[2**62, 4])}, b"")),
        "negative_extent": ("a negative extent",
                            safetensors_file({"a": entry(0, 8, shape=[-2])}, bytes(8))),
        "fractional_extent": ("an extent that is no integer",
                              safetensors_file({"a": entry(0, 8, shape=[2.5])}, bytes(8))),
        "unknown_dtype": ("an element type that does not exist",
                          safetensors_file({"a": entry(0, 8, dtype="F33")}, bytes(8))),
        "missing_field": ("a tensor without a shape",
                          safetensors_file({"a": {"dtype": "F32", "data_offsets": [0, 8]}},
                                           bytes(8))),
        "duplicate_name": ("one name twice", safetensors_file(two.encode(), data)),
        "header_not_json": ("a header that is no JSON", safetensors_file(b"{broken", b"")),
        "header_not_object": ("a header that is a JSON list", safetensors_file(b"[1, 2]", b"")),
        "header_not_utf8": ("a header that is no UTF-8", safetensors_file(b'{"\xff":1}', b"")),
        "header_beyond_file": ("a header longer than the file",
                               struct.pack("<Q", 1000) + b'{"a":1}'),
        "header_huge": ("a header length of 2^64 - 1", b"\xff" * 8 + b"{}"),
        "metadata_not_text": ("__metadata__ with a number as value",
                              safetensors_file({"__metadata__": {"epoch": 3}}, b"")),
        "short_file": ("fewer than 8 bytes", b"\x02\x00\x00"),
        "empty_file": ("a file of no bytes", b""),
        "deep_header": ("a header of 10,000 nested lists",
                        safetensors_file(b'{"a":' + b"[" * 10000 + b"]" * 10000 + b"}", b"")),
    }
    for name, (about, content) in refused.items():
        folder.add(f"{name}.safetensors", about, content, error=name.replace("_", " "))


def check(folder: Folder) -> None:
    """What PyTorch and the safetensors package say of the files, where they can say something."""
    for name, file in folder.files.items():
        content = (folder.path / name).read_bytes()
        try:
            if name.endswith(".pt"):
                # PyTorch's safe unpickler lacks protocols 4 and 5: it judges hostile files only.
                safely = file["error"] is not None
                tensors = contents(torch.load(io.BytesIO(content), weights_only=safely))[0]
            else:
                loaded = safetensors.torch.load(content)
                tensors = [described([key], value) for key, value in loaded.items()]
        except Exception as error:
            if file["error"] is None:
                raise AssertionError(f"{name} cannot be read: {error}")
            continue
        if file["error"]:
            print(f"  {name}: read by its own package, refused by us ({file['error']})")
            continue
        found = {tuple(t["path"]): (t["dtype"], t["shape"], t["hex"]) for t in tensors}
        wanted = {tuple(t["path"]): (t["dtype"], t["shape"], t["hex"]) for t in file["tensors"]}
        assert found == wanted, name


def main() -> None:
    pytorch = Folder("pt")
    add_readable_pytorch_files(pytorch)
    add_refused_pytorch_files(pytorch)
    flat = Folder("safetensors")
    add_readable_safetensors_files(flat)
    add_refused_safetensors_files(flat)
    for folder in (pytorch, flat):
        folder.write_expected()
        check(folder)


if __name__ == "__main__":
    main()
