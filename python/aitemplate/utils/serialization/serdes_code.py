"""Writes graphs as Python programs, and reads them."""

from __future__ import annotations

import base64
import enum
import importlib.util
import inspect
import keyword
import os
import re
import zlib
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from aitemplate.compiler.base import IntImm, IntVar, IntVarTensor, JaggedDim, Operator, Tensor
from aitemplate.compiler.compiler import name_tensors, walk
from aitemplate.utils.serialization.ait_program import AITBasicProgram

__all__ = ["dump_program", "get_inputs_from_graph", "get_program", "strip_hardcoded_constants"]

_HEAD = '''"""A graph, as written by aitemplate.utils.serialization."""

import base64
import zlib

from aitemplate.compiler import ops
from aitemplate.compiler.base import (
    IntImm,
    IntVar,
    IntVarTensor,
    JaggedDim,
    Tensor,
    _HostConstantTensorData,
)
from aitemplate.compiler.ops.b2b_bmm.b2b_bmm_base import CausalType
from aitemplate.compiler.ops.common.epilogue import FuncEnum
from aitemplate.utils.serialization.ait_program import AITBasicProgram


def _data(text, dtype):
    return _HostConstantTensorData(zlib.decompress(base64.b85decode(text)), dtype)
'''


class _Writer:
    """The lines of a program: names of Python for tensors and symbols, in the order of use."""

    def __init__(self) -> None:
        self._names: Dict[int, str] = {}
        self._taken = {"self", "ops"}
        self._symbols: Dict[str, str] = {}
        self.symbol_lines: List[str] = []

    def variable(self, name: str) -> str:
        """A name of Python, like a name, that no other has."""
        base = re.sub(r"\W", "_", name) or "_"
        if base[0].isdigit() or keyword.iskeyword(base):
            base = "_" + base
        variable, number = base, 1
        while variable in self._taken:
            number += 1
            variable = f"{base}_{number}"
        self._taken.add(variable)
        return variable

    def bind(self, tensor: Tensor, prefix: str = "") -> str:
        """Gives a tensor a variable."""
        name = prefix + self.variable(tensor._attrs["name"] or "tensor")
        self._names[id(tensor)] = name
        return name

    def code(self, value: Any) -> str:
        """A value as an expression."""
        if isinstance(value, Tensor):
            if id(value) in self._names:
                return self._names[id(value)]
            if isinstance(value, IntVarTensor):
                return f"IntVarTensor({self.code(value._attrs['int_var'])})"
            if value.is_a_const_num():
                return repr(value._attrs["value"])
            raise RuntimeError(f"{value} is used before it is computed")
        if isinstance(value, IntImm):
            return f"IntImm({value.value()})"
        if isinstance(value, IntVar):
            return self._symbol(value)
        if isinstance(value, JaggedDim):
            return f"JaggedDim({self.code(value.min_value())}, {self.code(value.max_value())})"
        if isinstance(value, enum.Enum):
            return f"{type(value).__name__}.{value.name}"
        if isinstance(value, (list, tuple)):
            elements = ", ".join(self.code(element) for element in value)
            if isinstance(value, tuple):
                return f"({elements},)" if len(value) == 1 else f"({elements})"
            return f"[{elements}]"
        if isinstance(value, float) and value - value != 0:
            return f"float({str(value)!r})"
        if value is None or isinstance(value, (bool, int, float, str)):
            return repr(value)
        raise NotImplementedError(f"{value!r} of {type(value).__name__} cannot be written")

    def _symbol(self, dim: IntVar) -> str:
        name = str(dim.symbolic_value())
        if name not in self._symbols:
            if not name.isidentifier():
                return self._expression(name)
            variable = self.variable(name)
            self._symbols[name] = variable
            bounds = [dim.lower_bound(), dim.upper_bound()]
            self.symbol_lines.append(f"{variable} = IntVar({bounds}, name={name!r})")
        return f"self.{self._symbols[name]}"

    def _expression(self, text: str) -> str:
        def known(match: re.Match[str]) -> str:
            if match.group() not in self._symbols:
                raise NotImplementedError(f"the size {text} cannot be written")
            return f"self.{self._symbols[match.group()]}"

        return "(" + re.sub(r"[A-Za-z_]\w*", known, text) + ")"


def _call(operator: Operator, writer: _Writer) -> str:
    attributes = [
        f"{name}={writer.code(value)}"
        for name, value in operator._get_op_attributes().items()
        if value is not None
    ]
    name = operator._attrs["op"]
    if operator._attrs.get("args") is not None:
        operands = [writer.code(value) for value in operator._attrs["args"]]
    elif getattr(operator, "_operands", None) is not None:
        operands = []
        taken = getattr(operator, "call_signature", None) or inspect.Signature()
        parameters = taken.parameters or inspect.signature(operator.__call__).parameters
        for key, value in operator._operands.items():
            parameter = parameters.get(key)
            if parameter is None:
                continue
            if parameter.kind is parameter.VAR_POSITIONAL:
                operands += [writer.code(element) for element in value]
            elif value is not None:
                operands.append(f"{key}={writer.code(value)}")
    elif name == "size":
        operands = [writer.code(operator._attrs["inputs"][0])]
    elif name == "make_jagged":
        count = operator._attrs["num_sources"]
        inputs = operator._attrs["inputs"]
        attributes = [
            f"{key}={writer.code(operator._attrs[key])}" for key in ("batch_dim", "jagged_dims")
        ]
        operands = [writer.code(inputs[:count]), writer.code(inputs[count:])]
    else:
        raise NotImplementedError(f"the operator {name} cannot be written")
    return f"ops.{name}({', '.join(attributes)})({', '.join(operands)})"


def dump_program(
    sorted_graph: Union[Tensor, Sequence[Tensor]],
    file_path: str,
    indent: str = "    ",
    random_constants: bool = False,
) -> str:
    """Writes a graph as a Python program: a class `AITProgram` whose `model` builds it.

    Args:
        sorted_graph: the outputs of the graph, or all of its tensors.
        file_path: the file; without a name only the text is returned.
        indent: what a level of the program is indented by.
        random_constants: whether constants get random elements when the program is read, not those
            that they have.

    Returns:
        The text of the program.

    Raises:
        NotImplementedError: the graph holds what has no form as a program.
    """
    given = [sorted_graph] if isinstance(sorted_graph, Tensor) else list(sorted_graph)
    outputs = [tensor for tensor in given if tensor._attrs["is_output"]] or given
    tensors = walk(outputs)
    name_tensors(tensors)
    writer = _Writer()
    sources, inputs, constants, elements = [], {}, {}, []
    for tensor in tensors:
        attrs = tensor._attrs
        if attrs["src_ops"] or isinstance(tensor, IntVarTensor) or tensor.is_a_const_num():
            continue
        variable = writer.bind(tensor, "self.")
        sources.append(
            f"{variable} = Tensor(shape={writer.code(list(tensor.shape()))}, "
            f"name={attrs['name']!r}, dtype={attrs['dtype']!r}, is_input={attrs['is_input']})"
        )
        shape = list(tensor.shape())
        if attrs["is_input"]:
            inputs[attrs["name"]] = writer.code(shape)
            continue
        constants[attrs["name"]] = repr([dim.upper_bound() for dim in shape])
        if attrs["data"] is not None and not random_constants:
            text = base64.b85encode(zlib.compress(attrs["data"].to_bytes())).decode()
            elements.append(f"{variable}._bind_data(_data({text!r}, {attrs['dtype']!r}))")
    if random_constants:
        elements.append("self.set_all_random_constants()")

    calls = []
    written = set()
    for tensor in tensors:
        for operator in tensor._attrs["src_ops"]:
            if operator in written:
                continue
            written.add(operator)
            text = _call(operator, writer)
            results = [writer.bind(result) for result in operator._attrs["outputs"]]
            one = len(results) == 1 and not _returns_list(operator)
            target = results[0] if one else f"[{', '.join(results)}]"
            calls.append(f"{target} = {text}")
    for tensor in outputs:
        calls.append(f"{writer.code(tensor)}._attrs['name'] = {tensor._attrs['name']!r}")
        calls.append(f"{writer.code(tensor)}._attrs['is_output'] = True")
    returned = ", ".join(writer.code(tensor) for tensor in outputs)
    calls.append(f"return {returned}")

    symbols = [f"self.{line}" for line in writer.symbol_lines]
    bodies = {
        "__init__": [*symbols, *sources, "self.set_default_constants()"],
        "get_constants": [f"return {_dictionary(constants)}"],
        "get_inputs": [f"return {_dictionary(inputs)}"],
        "set_default_constants": elements or ["pass"],
        "model": calls,
    }
    lines = [_HEAD, "", "class AITProgram(AITBasicProgram):"]
    for method, body in bodies.items():
        lines.append(f"{indent}def {method}(self):")
        lines += [f"{indent * 2}{line}" for line in body]
        lines.append("")
    program = "\n".join(lines).rstrip() + "\n"
    if file_path:
        folder = os.path.dirname(file_path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(file_path, "w", encoding="utf-8") as file:
            file.write(program)
    return program


def _returns_list(operator: Operator) -> bool:
    entry = getattr(operator, "entry", None) or {}
    if entry:
        return entry.get("results", "tensor") != "tensor"
    return operator._attrs["op"] in ("size", "make_jagged")


def _dictionary(entries: Dict[str, str]) -> str:
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in entries.items()) + "}"


def _program(file_path: str, class_name: str = "AITProgram") -> AITBasicProgram:
    spec = importlib.util.spec_from_file_location("AITProgram", file_path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file_path} is no Python program")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, class_name)()


def get_inputs_from_graph(file_path: str) -> Dict[str, List[IntVar]]:
    """The shapes of the inputs of a program that `dump_program` wrote, by name."""
    return _program(file_path).get_inputs()


def get_program(file_path: str) -> Tuple[Union[Tensor, Tuple[Tensor, ...]], List[Tensor]]:
    """Builds the graph of a program that `dump_program` wrote.

    The file is run as a program: read only files that you trust.

    Returns:
        The outputs, and all tensors, operands before results.
    """
    outputs = _program(file_path).model()
    return outputs, walk([outputs] if isinstance(outputs, Tensor) else list(outputs))


def strip_hardcoded_constants(file_path: str, new_file: Optional[str] = None) -> None:
    """Writes a program anew without the elements of its constants, which become random.

    Args:
        file_path: a program that `dump_program` wrote.
        new_file: where to; the same file if it is not given.
    """
    outputs = _program(file_path).model()
    dump_program(outputs, new_file or file_path, random_constants=True)
