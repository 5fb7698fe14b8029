"""Functions of single elements of broadcast tensors, jagged ones among them."""

from __future__ import annotations

from typing import Any, List

from aitemplate.compiler.base import IntVar, IntVarTensor, JaggedIntVar, Tensor
from aitemplate.compiler.ops import catalog
from aitemplate.compiler.ops.common.epilogue import FuncEnum


class elementwise(catalog.CatalogOperator):  # noqa: N801
    """A function of elements: ``elementwise(FuncEnum.ADD)(x, y)``.

    Operands are tensors or numbers and broadcast. Of a jagged operand and a dense one, the dense
    one is taken where the sequences lie.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> elementwise:
        if not cls.entry:
            cls.entry = catalog.entries()["elementwise"]
        return super().__new__(cls)

    def __init__(self, func_enum: FuncEnum) -> None:
        catalog.Operator.__init__(self)
        self._attributes = {"func_enum": func_enum}
        self._attrs.update(op="elementwise", func=func_enum)

    def __call__(self, *args: Any) -> Tensor:
        if not args:
            raise RuntimeError(f"elementwise {self._attrs['func'].name} without operands")
        operands: List[Any] = []
        for operand in args:
            if isinstance(operand, IntVarTensor):
                operand = _number(operand._attrs["int_var"])
            elif isinstance(operand, IntVar):
                operand = _number(operand)
            operands.append(operand)
        if not any(isinstance(operand, Tensor) for operand in operands):
            raise RuntimeError(f"elementwise {self._attrs['func'].name} of {args}: no tensor")
        self._attrs["args"] = operands
        return self._apply({"args": _on_sequences(operands)})

    def _get_op_attributes(self) -> Any:
        return {"func_enum": self._attrs["func"]}

    def _args_for_pseudo_code(self) -> List[str]:
        return [f"func={self._attrs['func']}"]


def _number(dim: IntVar) -> int:
    if dim.lower_bound() != dim.upper_bound():
        raise RuntimeError(
            f"elementwise with the dimension {dim.pseudo_code()}, which is known at run time only: "
            "use int_elementwise for sums and products of dimensions"
        )
    return dim.lower_bound()


def _on_sequences(operands: List[Any]) -> List[Any]:
    """The operands, dense ones with a batch in front taken where the sequences lie."""
    jagged = [x for x in operands if isinstance(x, Tensor) and x.is_jagged()]
    if not jagged:
        return operands
    dim: JaggedIntVar = jagged[0]._attrs["shape"][0]
    for other in jagged[1:]:
        if other._attrs["shape"][0] != dim:
            raise ValueError(
                f"elementwise of jagged tensors with different sequences: {jagged[0]}, {other}"
            )
    inner_rank = max(x._rank() for x in jagged) - 1
    levels = len(dim.jagged_dims())

    def taken(operand: Any) -> Any:
        if not isinstance(operand, Tensor) or operand.is_jagged() or operand.is_a_const_num():
            return operand
        shape = operand._attrs["shape"]
        if shape and shape[0] == dim.total_length():
            return operand
        if operand._rank() <= inner_rank:
            return operand
        if operand._rank() > inner_rank + 1 + levels:
            raise ValueError(
                f"elementwise of a jagged tensor {jagged[0]} and {operand}: at most "
                f"{inner_rank + 1 + levels} axes broadcast"
            )
        from aitemplate.compiler.ops.jagged import dense_on_sequences

        return dense_on_sequences(operand, dim, inner_rank)

    return [taken(operand) for operand in operands]
