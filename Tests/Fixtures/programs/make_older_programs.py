"""Writes one program in the layouts of older versions of torch, `older_2_5.pt2` and so on, and what
PyTorch computes to `older.safetensors`.

    python3 make_older_programs.py        # torch 2.13

The parts are made by torch 2.13's serialiser, which still writes them, and are put together as
`torch.export.save` of 2.5.1, 2.6.0 and 2.8.0 do. Fields that came later are taken out. Extents of
2.5 are as sympy prints them, under version 7.3 of the schema.
"""

import json
import re
import zipfile

import torch
from make_programs import HERE, write_safetensors
from torch import nn
from torch._export.serde.serialize import serialize

LATER = {"kind", "is_hop_single_tensor_return", "sym_float_values", "guards_code"}


class Older(nn.Module):
    """Weights of several kinds: transposed, tied, a buffer, one that is not saved, a constant."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 4)
        self.first.weight = nn.Parameter(torch.randn(6, 4).t())
        self.second = nn.Linear(4, 6, bias=False)
        self.tied = nn.Linear(4, 6, bias=False)
        self.tied.weight = self.second.weight
        self.register_buffer("scale", torch.linspace(0.5, 2, 4))
        self.register_buffer("shift", torch.linspace(-1, 1, 4), persistent=False)
        self.table = torch.arange(6, dtype=torch.float32) / 3

    def forward(self, x):
        y = torch.tanh(self.first(x)) * self.scale + self.shift
        both = torch.cat([self.second(y), self.tied(y) + self.table])
        return both, both.reshape(-1), both.reshape(x.shape[0], 12).sum(1)


def without_later_fields(value):
    """The same, as an older version writes it."""
    if isinstance(value, dict):
        return {key: without_later_fields(each) for key, each in value.items() if key not in LATER}
    if isinstance(value, list):
        return [without_later_fields(each) for each in value]
    return value


def printed(value):
    """The same, with extents as sympy prints them."""
    if isinstance(value, dict):
        if "expr_str" in value:
            import sympy

            names = set(re.findall(r"Symbol\('(\w+)'", value["expr_str"]))
            symbols = {name: sympy.Symbol(name, integer=True) for name in names}
            expression = sympy.sympify(value["expr_str"])
            known = {symbol: symbols[symbol.name] for symbol in expression.free_symbols}
            return value | {"expr_str": str(expression.subs(known))}
        return {key: printed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [printed(each) for each in value]
    return value


def main():
    """Writes the archives."""
    torch.manual_seed(3)
    model = Older().eval()
    x = torch.randn(3, 6)
    sizes = ({0: torch.export.Dim("batch", min=2, max=32)},)
    with torch.no_grad():
        program = torch.export.export(model, (x,), dynamic_shapes=sizes).run_decompositions({})
    parts = serialize(program)
    text = without_later_fields(json.loads(parts.exported_program))
    for name, version in [("older_2_5", (7, 3)), ("older_2_6", (8, 2)), ("older_2_8", (8, 8))]:
        text["schema_version"] = {"major": version[0], "minor": version[1]}
        text["torch_version"] = name[6:].replace("_", ".") + ".0"
        model_text = json.dumps(printed(text) if version[0] == 7 else text).encode()
        with zipfile.ZipFile(f"{HERE}/{name}.pt2", "w") as archive:
            if version < (8, 8):
                archive.writestr("serialized_exported_program.json", model_text)
                archive.writestr("serialized_state_dict.pt", parts.state_dict)
                archive.writestr("serialized_constants.pt", parts.constants)
                archive.writestr("serialized_example_inputs.pt", parts.example_inputs)
                archive.writestr("version", ".".join(map(str, version)))
            else:
                archive.writestr(f"{name}/archive_format", "pt2")
                archive.writestr(f"{name}/models/model.json", model_text)
                archive.writestr(f"{name}/data/weights/model.pt", parts.state_dict)
                archive.writestr(f"{name}/data/constants/model.pt", parts.constants)
                archive.writestr(f"{name}/data/sample_inputs/model.pt", parts.example_inputs)
                archive.writestr(f"{name}/version", "3\n")
                archive.writestr(f"{name}/archive_version", "0")
                archive.writestr(f"{name}/byteorder", "little")
    given = torch.cat([x, x[:1]])
    tensors = {"in.x": given} | {f"out.{index}": each for index, each in enumerate(model(given))}
    write_safetensors(f"{HERE}/older.safetensors", tensors)


if __name__ == "__main__":
    main()
