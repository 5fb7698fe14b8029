"""What programs are made of: dimensions, tensors and operators.

Nothing is computed here. A call of an operator asks the compiler for the types of its results and
records what is to be computed; `compile_model` turns the record into a library. The attributes in
`_attrs` are AITemplate's.
"""

from __future__ import annotations

import enum
import itertools
from numbers import Number
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from aitemplate._native import bridge
from aitemplate.compiler.dtype import get_dtype_size, normalize_dtype
from aitemplate.compiler.stable_set import StableSet
from aitemplate.compiler.symbolic import Symbolic

_counter = itertools.count()


class Node:
    """What tensors, operators and dimensions share: a dictionary of attributes."""

    def __init__(self) -> None:
        self._attrs: Dict[str, Any] = {"name": None, "depth": 0, "nop": False}

    def __repr__(self) -> str:
        return self.pseudo_code()

    __str__ = __repr__

    def pseudo_code(self, with_shape: bool = False) -> str:
        """A line of Python-like text."""
        return f"{type(self).__name__}({self._attrs['name']})"


# MARK: - Dimensions


class IntVar(Node):
    """An extent that is known only when the model runs.

    Args:
        values: the least and the greatest extent, both allowed; values between them are points at
            which kernels are tuned.
        name: the symbol's name; the same name and bounds are the same extent everywhere.
        symbolic_value: the expression that the extent is, for one computed from others.
    """

    _by_number: Dict[int, "IntVar"] = {}

    def __init__(
        self,
        values: Sequence[int],
        name: Optional[str] = None,
        symbolic_value: Any = None,
    ) -> None:
        super().__init__()
        if values is None or len(values) < 2:
            raise RuntimeError(
                f"IntVar 'values' field must have at least 2 values! values: {values}, name: {name}"
            )
        if min(values) < 0:
            raise RuntimeError(f"IntVar has < 0 value! values: {values}, name: {name}")
        self._attrs["name"] = name
        self._attrs["values"] = sorted(set(values))
        if len(self._attrs["values"]) == 1:
            self._attrs["symbolic_value"] = self._attrs["values"][0]
            self._attrs["values"] = self._attrs["values"] * 2
        elif symbolic_value is not None:
            self._attrs["symbolic_value"] = symbolic_value
        else:
            symbol = Symbolic.symbol(
                name or f"dim_{next(_counter)}", self.lower_bound(), self.upper_bound()
            )
            self._attrs["symbolic_value"] = symbol
            IntVar._by_number[symbol.number] = self

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, IntVar)
            and self._attrs["symbolic_value"] == other._attrs["symbolic_value"]
        )

    def __hash__(self) -> int:
        return hash(self._attrs["symbolic_value"])

    def lower_bound(self) -> int:
        """The least extent."""
        return self._attrs["values"][0]

    def upper_bound(self) -> int:
        """The greatest extent."""
        return self._attrs["values"][-1]

    def symbolic_value(self) -> Any:
        """The expression that the extent is: a number, or a `Symbolic`."""
        return self._attrs["symbolic_value"]

    def pseudo_code(self, with_shape: bool = False) -> str:
        """The name, or the expression."""
        name = self._attrs["name"]
        return name if name is not None else f"IntVar({self._attrs['values']})"

    # Arithmetic is the compiler's; bounds below 0 are no extents.

    def _combine(self, function: str, other: Any, reverse: bool = False) -> "IntVar":
        if isinstance(other, IntVar):
            other = other._attrs["symbolic_value"]
        elif not isinstance(other, Number):
            raise NotImplementedError(f"Unable to {function} {self} and {other}")
        left, right = self._attrs["symbolic_value"], other
        if reverse:
            left, right = right, left
        return int_var_of(Symbolic.combine(function, left, right))

    def __add__(self, other: Any) -> "IntVar":
        return self._combine("add", other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "IntVar":
        return self._combine("subtract", other)

    def __rsub__(self, other: Any) -> "IntVar":
        return self._combine("subtract", other, reverse=True)

    def __mul__(self, other: Any) -> "IntVar":
        return self._combine("multiply", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "IntVar":
        return self._combine("divide", other)

    def __rtruediv__(self, other: Any) -> "IntVar":
        return self._combine("divide", other, reverse=True)

    __floordiv__ = __truediv__
    __rfloordiv__ = __rtruediv__


class IntImm(IntVar):
    """An extent that is known when compiling."""

    def __init__(self, value: int, name: Optional[str] = None) -> None:
        if not isinstance(value, int):
            raise RuntimeError(
                f"IntImm only takes an int value! Name: {name}, current value: {value}"
            )
        Node.__init__(self)
        self._attrs["name"] = name
        self._attrs["values"] = [value]
        self._attrs["symbolic_value"] = value

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, int):
            return self.value() == other
        return isinstance(other, IntImm) and self.value() == other.value()

    __hash__ = IntVar.__hash__

    def value(self) -> int:
        """The extent."""
        return self._attrs["values"][0]

    def pseudo_code(self, with_shape: bool = False) -> str:
        """The number."""
        return str(self.value())


def int_var_of(value: Union[int, Symbolic]) -> IntVar:
    """The dimension that an expression is; the user's own object for a symbol of the user's."""
    if not isinstance(value, Symbolic):
        return IntImm(max(0, value))
    known = IntVar._by_number.get(value.number)
    if known is None:
        bounds = [max(0, value.lower), max(0, value.upper)]
        if bounds[0] == bounds[1]:
            return IntImm(bounds[0])
        known = IntVar(bounds, symbolic_value=value)
        IntVar._by_number[value.number] = known
    return known


class JaggedDim(Node):
    """One level of a jagged dimension: the bounds of the lengths of its sequences.

    Args:
        min_value: the least length.
        max_value: the greatest length.
    """

    def __init__(self, min_value: Union[int, IntVar], max_value: Union[int, IntVar]) -> None:
        super().__init__()
        if isinstance(min_value, int):
            min_value = IntImm(min_value)
        if isinstance(max_value, int):
            max_value = IntImm(max_value)
        if min_value.lower_bound() < 0:
            raise ValueError(f"{min_value=}, but must be non-negative.")
        if min_value.lower_bound() > max_value.upper_bound():
            raise ValueError(f"{min_value=} can't be larger than {max_value=}.")
        self._attrs["values"] = [min_value, max_value]
        self._attrs["offsets"] = None

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, JaggedDim)
            and self.min_value() == other.min_value()
            and self.max_value() == other.max_value()
            and self.offsets() is other.offsets()
        )

    def __hash__(self) -> int:
        return hash((self.min_value(), self.max_value()))

    def min_value(self) -> IntVar:
        """The least length."""
        return self._attrs["values"][0]

    def max_value(self) -> IntVar:
        """The greatest length."""
        return self._attrs["values"][1]

    def offsets(self) -> Optional["Tensor"]:
        """Where the sequences begin, [B + 1]; set by `make_jagged`."""
        return self._attrs["offsets"]

    def pseudo_code(self, with_shape: bool = False) -> str:
        """The bounds."""
        return f"JaggedDim({self.min_value().pseudo_code()}, {self.max_value().pseudo_code()})"


class JaggedIntVar(IntVar):
    """The first dimension of a jagged tensor: sequences of several lengths, one after the other.

    Made by the operator `make_jagged`.

    Args:
        total_length: the extent of the dimension in memory.
        batch_dim: how many sequences there are.
        jagged_dims: the levels, outermost first, with offsets.
    """

    def __init__(
        self, total_length: IntVar, batch_dim: IntVar, jagged_dims: List[JaggedDim]
    ) -> None:
        if total_length is None or type(total_length) is not IntVar:
            raise TypeError(
                "total_length must be dynamic (IntVar), "
                f"but given {type(total_length).__name__}."
            )
        if not jagged_dims or not all(isinstance(dim, JaggedDim) for dim in jagged_dims):
            raise TypeError(
                f"jagged_dims must be a non-empty list of JaggedDims, but given {jagged_dims}."
            )
        types = set()
        for level, dim in enumerate(jagged_dims):
            if dim.offsets() is None:
                raise ValueError(
                    f"JaggedDim {level} in the jagged_dims list has no associated offsets: "
                    "jagged tensors are made by the operator make_jagged"
                )
            types.add(dim.offsets()._attrs["dtype"])
        if not types <= {"int32", "int64"}:
            raise TypeError(f"offsets are int32 or int64, but given {sorted(types)}.")
        if len(types) > 1:
            raise TypeError(f"all offsets have one type, but given {sorted(types)}.")
        super().__init__(
            total_length._attrs["values"],
            total_length._attrs["name"],
            total_length._attrs["symbolic_value"],
        )
        self._attrs["batch_dim"] = batch_dim
        self._attrs["jagged_dims"] = jagged_dims
        self._attrs["offsets_type"] = f"{types.pop()}_t"
        self._total_length = total_length

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, JaggedIntVar)
            and self.total_length() == other.total_length()
            and self.batch_dim() == other.batch_dim()
            and self.jagged_dims() == other.jagged_dims()
        )

    __hash__ = IntVar.__hash__

    def total_length(self) -> IntVar:
        """The extent of the dimension in memory."""
        return self._total_length

    def batch_dim(self) -> IntVar:
        """How many sequences there are."""
        return self._attrs["batch_dim"]

    def jagged_dims(self) -> List[JaggedDim]:
        """The levels, outermost first."""
        return self._attrs["jagged_dims"]

    def offsets_type(self) -> str:
        """The C type of the offsets."""
        return self._attrs["offsets_type"]

    def get_max_dense_shape(self) -> List[IntVar]:
        """The extents of the padded tensor: the batch, then the greatest length of each level."""
        return [self.batch_dim()] + [dim.max_value() for dim in self.jagged_dims()]


def get_aligned_size(shape: List[IntVar], dtype: str, alignment: int = 64) -> int:
    """The bytes of a tensor of the greatest extents, rounded up to a multiple."""
    size = get_dtype_size(dtype)
    for dim in shape:
        size *= dim.upper_bound()
    return (size + alignment - 1) // alignment * alignment


# MARK: - Elements of constants


class _ConstantTensorData:
    """Elements that a tensor is bound to; they stay in memory until the model is compiled."""

    def __init__(self, dtype: str) -> None:
        self.dtype = normalize_dtype(dtype)

    def to_bytes(self) -> bytes:
        """A copy of the elements."""
        raise NotImplementedError

    def address(self) -> int:
        """Where the elements lie, in the memory of the host."""
        raise NotImplementedError

    def size(self) -> int:
        """The number of bytes."""
        raise NotImplementedError

    def is_dtype(self, dtype: str) -> bool:
        """Whether the elements are of a type."""
        return self.dtype == normalize_dtype(dtype)

    def __len__(self) -> int:
        return self.size()


class _HostConstantTensorData(_ConstantTensorData):
    """Elements as bytes."""

    def __init__(self, data: bytes, dtype: str = "float16") -> None:
        super().__init__(dtype)
        import ctypes

        self._size = len(data)
        self._buffer = ctypes.create_string_buffer(data, max(1, len(data)))

    def to_bytes(self) -> bytes:
        return self._buffer.raw[: self._size]

    def address(self) -> int:
        import ctypes

        return ctypes.addressof(self._buffer)

    def size(self) -> int:
        return self._size


class _TorchConstantTensorData(_ConstantTensorData):
    """Elements of a torch tensor; a copy only where it is on a GPU or not contiguous."""

    def __init__(self, tensor: Any) -> None:
        from aitemplate.utils.torch_utils import torch_dtype_to_string

        super().__init__(torch_dtype_to_string(tensor.dtype))
        self.tensor = tensor.detach().cpu().contiguous()

    def to_bytes(self) -> bytes:
        import ctypes

        return ctypes.string_at(self.tensor.data_ptr(), self.size()) if self.size() else b""

    def address(self) -> int:
        return self.tensor.data_ptr()

    def size(self) -> int:
        return self.tensor.element_size() * self.tensor.nelement()


class _NumpyConstantTensorData(_ConstantTensorData):
    """Elements of a numpy array."""

    def __init__(self, arr: Any) -> None:
        import numpy

        super().__init__(str(arr.dtype))
        self.array = numpy.ascontiguousarray(arr)

    def to_bytes(self) -> bytes:
        return self.array.tobytes()

    def address(self) -> int:
        return self.array.ctypes.data

    def size(self) -> int:
        return self.array.nbytes


# MARK: - Tensors


class Tensor(Node):
    """A value of a program: an input, a constant, or what an operator computes.

    Args:
        shape: extents, numbers or `IntVar`.
        name: a C identifier, by which the library knows inputs, outputs and constants.
        src_ops: the operators that write it.
        dst_ops: the operators that read it.
        dtype: the element type.
        is_input: whether it is given at each run; other tensors without source are constants.
        is_output: whether the model returns it.
        value: a number, which a tensor without axes stands for.
        is_view_of: the tensor whose memory it shares.
        is_internal_constant: whether it is a constant that callers cannot set.
        skip_constant_folding: kept for AITemplate's programs; folding does not change results.
        check_nan_and_inf: kept for AITemplate's programs; `ait verify` finds such values.
        check_outputs: kept for AITemplate's programs.
        original_name: the name in the program that the weight comes from.
    """

    def __init__(
        self,
        shape: Iterable[Union[int, IntVar]],
        name: Optional[str] = None,
        src_ops: Optional[Iterable[Node]] = None,
        dst_ops: Optional[Iterable[Node]] = None,
        dtype: str = "float16",
        is_input: bool = False,
        is_output: bool = False,
        value: Any = None,
        is_view_of: Any = None,
        is_internal_constant: bool = False,
        skip_constant_folding: bool = False,
        check_nan_and_inf: bool = False,
        check_outputs: bool = False,
        original_name: Optional[str] = None,
    ) -> None:
        super().__init__()
        self._attrs.update(
            shape=self._convert_shape(shape),
            name=name,
            src_ops=StableSet(src_ops),
            dst_ops=StableSet(dst_ops),
            dtype=dtype if is_view_of is None else is_view_of._attrs["dtype"],
            is_output=is_output,
            is_input=is_input,
            is_param=False,
            is_internal_constant=is_internal_constant,
            skip_constant_folding=skip_constant_folding,
            has_output_aliases=False,
            external_tensor=None,
            is_view_of=is_view_of,
            value=value,
            offset=None,
            data=None,
            constant_folding_output_idx=None,
            check_nan_and_inf=check_nan_and_inf,
            check_outputs=check_outputs,
            original_name=original_name,
        )
        depths = [op._attrs["depth"] for op in self._attrs["src_ops"]]
        self._attrs["depth"] = max(depths) + 1 if depths else 0
        self._place = bridge.caller() if not depths else None
        self._number: Optional[int] = None

    @staticmethod
    def _convert_shape(shape: Iterable[Union[int, IntVar]]) -> List[IntVar]:
        dims = []
        for dim in shape:
            if isinstance(dim, IntVar):
                dims.append(dim)
            elif isinstance(dim, int):
                dims.append(IntImm(dim))
            else:
                raise RuntimeError(f"Unsupported dim type: {type(dim)}, dim: {dim}")
        return dims

    def __del__(self) -> None:
        number = getattr(self, "_number", None)
        if number is not None:
            _release(number)

    # What the compiler knows of the tensor.

    def number(self) -> int:
        """The compiler's number of the tensor, which is made known to it on first use."""
        if self._number is None:
            attrs = self._attrs
            dims = attrs["shape"]
            is_fixed = all(dim.lower_bound() == dim.upper_bound() for dim in dims)
            method = "tensor.input" if attrs["is_input"] or not is_fixed else "tensor.parameter"
            reply = bridge.call(
                method,
                {
                    "name": attrs["name"] or f"tensor_{next(_counter)}",
                    "dtype": normalize_dtype(attrs["dtype"]),
                    "shape": [extent_of(dim) for dim in dims],
                    "at": self._place,
                },
            )
            self._number = reply["tensor"]
        return self._number

    # AITemplate's queries.

    def shape(self) -> List[IntVar]:
        """The extents."""
        return self._attrs["shape"]

    def _rank(self) -> int:
        return len(self._attrs["shape"])

    def _size(self, dim: int) -> IntVar:
        from aitemplate.utils.tensor_utils import wrap_dim

        return self._attrs["shape"][wrap_dim(dim, self._rank())]

    def dtype(self) -> str:
        """The element type."""
        return self._attrs["dtype"]

    def src_ops(self) -> StableSet:
        """The operators that write the tensor."""
        return self._attrs["src_ops"]

    def dst_ops(self) -> StableSet:
        """The operators that read the tensor."""
        return self._attrs["dst_ops"]

    def is_a_const_num(self) -> bool:
        """Whether the tensor stands for a number."""
        return not self._attrs["shape"] and self._attrs["value"] is not None

    def is_jagged(self) -> bool:
        """Whether the first dimension is jagged."""
        shape = self._attrs["shape"]
        return bool(shape) and isinstance(shape[0], JaggedIntVar)

    def size_bytes(self, alignment: int = 1) -> int:
        """The bytes of the greatest extents, rounded up to a multiple."""
        return get_aligned_size(self._attrs["shape"], self.dtype(), alignment)

    def pseudo_code(self, with_shape: bool = True) -> str:
        """Name and shape."""
        parts = [f"name={self._attrs['name']}"]
        if with_shape:
            dims = ", ".join(dim.pseudo_code() for dim in self._attrs["shape"])
            parts.append(f"shape=[{dims}]")
        if self._attrs["data"] is not None:
            parts.append(f"data=({self._attrs['data'].size()} bytes)")
        if self.is_jagged():
            parts.append("jagged=True")
        return f"Tensor({', '.join(parts)})"

    def _bind_data(self, data: _ConstantTensorData) -> None:
        """Gives a constant its elements, of its type and size."""
        if self.src_ops():
            raise ValueError(
                f"Cannot bind tensor {self._attrs['name']}: it is computed by "
                f"{len(self.src_ops())} operators"
            )
        if not data.is_dtype(self._attrs["dtype"]):
            raise ValueError(
                f"data's dtype did not match: expected {self._attrs['dtype']}, got {data.dtype}"
            )
        size = self.size_bytes(alignment=1)
        if size != len(data):
            raise ValueError(
                f"the constant {self._attrs['name']} has {size} bytes, the data {len(data)}: "
                "check its shape and dtype"
            )
        self._attrs["data"] = data

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Tensor":
        import copy

        result = Tensor([])
        memo[id(self)] = result
        result._attrs = copy.deepcopy(self._attrs, memo)
        result._place = self._place
        return result

    def __add__(self, other: Any) -> "Tensor":
        return _elementwise("ADD", self, other)

    def __radd__(self, other: Any) -> "Tensor":
        return _elementwise("ADD", other, self)

    def __sub__(self, other: Any) -> "Tensor":
        return _elementwise("SUB", self, other)

    def __rsub__(self, other: Any) -> "Tensor":
        return _elementwise("SUB", other, self)

    def __mul__(self, other: Any) -> "Tensor":
        return _elementwise("MUL", self, other)

    def __rmul__(self, other: Any) -> "Tensor":
        return _elementwise("MUL", other, self)

    def __truediv__(self, other: Any) -> "Tensor":
        return _elementwise("DIV", self, other)

    def __rtruediv__(self, other: Any) -> "Tensor":
        return _elementwise("DIV", other, self)

    def __neg__(self) -> "Tensor":
        return _elementwise("MUL", -1, self)


def _elementwise(name: str, *operands: Any) -> Tensor:
    from aitemplate.compiler.ops.common.elementwise import elementwise
    from aitemplate.compiler.ops.common.epilogue import FuncEnum

    return elementwise(FuncEnum[name])(*operands)


def _int_elementwise(name: str, *operands: Any) -> "IntVarTensor":
    from aitemplate.compiler.ops.common.epilogue import FuncEnum
    from aitemplate.compiler.ops.common.int_elementwise import int_elementwise

    return int_elementwise(FuncEnum[name])(*operands)


_released: List[int] = []


def _release(number: int) -> None:
    # In batches: a call of the compiler costs more than the number.
    _released.append(number)
    if len(_released) >= 256:
        numbers, _released[:] = list(_released), []
        try:
            bridge.call("tensor.release", {"tensors": numbers})
        except (RuntimeError, TypeError, AttributeError):
            # The interpreter is ending, or the process was forked: nothing is kept for long.
            pass


def extent_of(dim: Any) -> Dict[str, int]:
    """A dimension as the compiler takes it."""
    value = dim._attrs["symbolic_value"] if isinstance(dim, IntVar) else dim
    if isinstance(value, Symbolic):
        return {"dimension": value.number}
    return {"i": int(value)}


def dim_of(reply: Dict[str, Any]) -> IntVar:
    """A dimension as the compiler gives it."""
    return int_var_of(reply["i"] if "i" in reply else Symbolic.of(reply))


class IntVarTensor(Tensor):
    """A dimension in the place of a tensor: what `size` returns, and `reshape` takes."""

    def __init__(
        self,
        int_var: IntVar,
        name: Optional[str] = None,
        src_ops: Optional[Iterable[Node]] = None,
        dst_ops: Optional[Iterable[Node]] = None,
        dtype: str = "float16",
        is_input: bool = False,
        is_output: bool = False,
        value: Any = None,
        is_view_of: Any = None,
    ) -> None:
        super().__init__([], name, src_ops, dst_ops, dtype, is_input, is_output)
        self._attrs["int_var"] = int_var
        self._attrs["symbolic_value"] = int_var._attrs["symbolic_value"]

    def pseudo_code(self, with_shape: bool = True) -> str:
        """The dimension."""
        return f"IntVarTensor({self._attrs['int_var'].pseudo_code()})"

    def __deepcopy__(self, memo: Dict[int, Any]) -> "IntVarTensor":
        result = IntVarTensor(self._attrs["int_var"])
        memo[id(self)] = result
        return result

    def __add__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("ADD", self, other)

    def __radd__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("ADD", other, self)

    def __sub__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("SUB", self, other)

    def __rsub__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("SUB", other, self)

    def __mul__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("MUL", self, other)

    def __rmul__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("MUL", other, self)

    def __truediv__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("DIV", self, other)

    def __rtruediv__(self, other: Any) -> "IntVarTensor":
        return _int_elementwise("DIV", other, self)


def _create_host_zero_tensor(
    shape: List[Union[int, IntVar]],
    name: Optional[str] = None,
    dst_ops: Optional[Iterable[Node]] = None,
    dtype: str = "float16",
    is_output: bool = False,
    is_internal_constant: bool = True,
) -> Tensor:
    """A constant of zeros."""
    tensor = Tensor(shape, name, dst_ops=dst_ops, dtype=dtype, is_output=is_output)
    tensor._attrs["is_internal_constant"] = is_internal_constant
    tensor._bind_data(_HostConstantTensorData(bytes(tensor.size_bytes()), dtype))
    return tensor


# MARK: - Operators


class DynamicProfileStrategy(enum.Enum):
    """The extents at which kernels are tuned; kept for AITemplate's programs.

    The compiler measures several points of a range, and the library chooses by the extent of a run.
    """

    MIN = 1
    MAX = 2
    HINTS = 3


class Operator(Node):
    """The base of all operators: what stays the same over calls is given to the constructor."""

    def __init__(self) -> None:
        super().__init__()
        self._attrs["inputs"] = None
        self._attrs["outputs"] = None
        self._attrs["op"] = type(self).__name__
        self._attrs["has_profiler"] = False

    def __call__(self, *args: Any) -> Any:
        raise NotImplementedError

    def _set_depth(self) -> None:
        """Notes the operator at its inputs, and how far it is from the inputs of the program."""
        inputs = [tensor for tensor in self._attrs["inputs"] or [] if isinstance(tensor, Tensor)]
        self._attrs["depth"] = 1 + max((x._attrs["depth"] for x in inputs), default=-1)
        for tensor in inputs:
            tensor._attrs["dst_ops"].add(self)

    def pseudo_code(self, with_shape: bool = True) -> str:
        """A line of Python-like text: results, name, operands."""
        outputs = ", ".join(x.pseudo_code(with_shape) for x in self._attrs["outputs"] or [])
        inputs = ", ".join(x.pseudo_code(with_shape) for x in self._attrs["inputs"] or [])
        return f"({outputs}) = {self._attrs['op']}({inputs})"

    def _get_op_attributes(self) -> Dict[str, Any]:
        return {}
