"""What programs are made of: dimensions, tensors and operators.

Nothing is computed here. A call of an operator asks the compiler for the types of its results and
records what is to be computed; `compile_model` turns the record into a library. The attributes in
`_attrs` are AITemplate's.
"""

from __future__ import annotations

import contextlib
import copy
import enum
import itertools
from typing import Any, Dict, Iterable, List, Optional, Union

from aitemplate._native import bridge
from aitemplate.compiler.constant_data import (
    _ConstantTensorData,
    _HostConstantTensorData,
    _NumpyConstantTensorData,
    _TorchConstantTensorData,
)
from aitemplate.compiler.dimensions import (
    IntImm,
    IntVar,
    JaggedDim,
    JaggedIntVar,
    Node,
    int_var_of,
)
from aitemplate.compiler.dtype import get_dtype_size, normalize_dtype
from aitemplate.compiler.stable_set import StableSet
from aitemplate.compiler.symbolic import Symbolic

__all__ = [
    "DynamicProfileStrategy",
    "IntImm",
    "IntVar",
    "IntVarTensor",
    "JaggedDim",
    "JaggedIntVar",
    "Node",
    "Operator",
    "Tensor",
    "_ConstantTensorData",
    "_HostConstantTensorData",
    "_NumpyConstantTensorData",
    "_TorchConstantTensorData",
    "int_var_of",
]

_counter = itertools.count()


def get_aligned_size(shape: List[IntVar], dtype: str, alignment: int = 64) -> int:
    """The bytes of a tensor of the greatest extents, rounded up to a multiple."""
    size = get_dtype_size(dtype)
    for dim in shape:
        size *= dim.upper_bound()
    return (size + alignment - 1) // alignment * alignment


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

    def __copy__(self) -> Tensor:
        raise TypeError("a tensor is a value of a program: use it where it is needed again")

    def __deepcopy__(self, memo: Dict[int, Any]) -> Tensor:
        if self._attrs["src_ops"]:
            raise TypeError("a computed tensor cannot be copied: build the program anew")
        result = Tensor([])
        memo[id(self)] = result
        result._attrs = copy.deepcopy(self._attrs, memo)
        result._place = self._place
        return result

    def __add__(self, other: Any) -> Tensor:
        return _elementwise("ADD", self, other)

    def __radd__(self, other: Any) -> Tensor:
        return _elementwise("ADD", other, self)

    def __sub__(self, other: Any) -> Tensor:
        return _elementwise("SUB", self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return _elementwise("SUB", other, self)

    def __mul__(self, other: Any) -> Tensor:
        return _elementwise("MUL", self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return _elementwise("MUL", other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return _elementwise("DIV", self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _elementwise("DIV", other, self)

    def __neg__(self) -> Tensor:
        return _elementwise("MUL", -1, self)


def _elementwise(name: str, *operands: Any) -> Tensor:
    from aitemplate.compiler.ops.common.elementwise import elementwise
    from aitemplate.compiler.ops.common.epilogue import FuncEnum

    return elementwise(FuncEnum[name])(*operands)


def _int_elementwise(name: str, *operands: Any) -> IntVarTensor:
    from aitemplate.compiler.ops.common.epilogue import FuncEnum
    from aitemplate.compiler.ops.common.int_elementwise import int_elementwise

    return int_elementwise(FuncEnum[name])(*operands)


_released: List[int] = []


def _release(number: int) -> None:
    # In batches: a call of the compiler costs more than the number.
    _released.append(number)
    if len(_released) >= 256:
        numbers = []
        with contextlib.suppress(IndexError):
            while True:
                numbers.append(_released.pop())
        # The interpreter may be ending, or the process was forked: nothing is kept for long.
        with contextlib.suppress(RuntimeError, TypeError, AttributeError):
            bridge.call("tensor.release", {"tensors": numbers})


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

    def __deepcopy__(self, memo: Dict[int, Any]) -> IntVarTensor:
        result = IntVarTensor(self._attrs["int_var"])
        memo[id(self)] = result
        return result

    def __add__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("ADD", self, other)

    def __radd__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("ADD", other, self)

    def __sub__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("SUB", self, other)

    def __rsub__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("SUB", other, self)

    def __mul__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("MUL", self, other)

    def __rmul__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("MUL", other, self)

    def __truediv__(self, other: Any) -> IntVarTensor:
        return _int_elementwise("DIV", self, other)

    def __rtruediv__(self, other: Any) -> IntVarTensor:
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
