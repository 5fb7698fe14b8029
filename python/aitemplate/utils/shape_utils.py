"""Sizes of tensors, fixed and symbolic."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple, Union

from aitemplate.compiler.base import IntImm, IntVar, IntVarTensor, Tensor

__all__ = [
    "all_static_dimensions",
    "convert_IntVar_to_int",
    "convert_shape_to_IntVar",
    "convert_shape_to_IntVarTensor",
    "gen_int_var",
    "gen_int_var_min_max",
    "get_broadcast_max_shape",
    "get_num_rightmost_static_elements",
    "get_static_stride",
    "is_empty_rank1_tensor",
    "is_same_shape",
    "is_singleton_dimension",
    "is_static_dimension",
]

Shape = Sequence[IntVar]


def gen_int_var(
    values: Sequence[int], name: Optional[str] = None, symbolic_value: Any = None
) -> IntVar:
    """A size that takes one of some values: fixed, if they are all the same."""
    distinct = sorted(set(values))
    if not distinct:
        raise RuntimeError(f"Unsupported dim definition: {values}")
    if len(distinct) == 1:
        return IntImm(distinct[0], name=name)
    return IntVar(distinct, name=name, symbolic_value=symbolic_value)


def gen_int_var_min_max(
    values: Sequence[int], name: Optional[str] = None, symbolic_value: Any = None
) -> IntVar:
    """A size between the least and the greatest of some values: fixed, if they are the same."""
    return gen_int_var([min(values), max(values)], name=name, symbolic_value=symbolic_value)


def get_broadcast_max_shape(shape1: Shape, shape2: Shape) -> Tuple[bool, Optional[List[IntVar]]]:
    """Whether two shapes can be broadcast to one, and that one."""
    longer = list(shape1 if len(shape1) > len(shape2) else shape2)
    for back in range(1, min(len(shape1), len(shape2)) + 1):
        first, second = shape1[-back], shape2[-back]
        if first == second or second == IntImm(1):
            longer[-back] = first
        elif first == IntImm(1):
            longer[-back] = second
        else:
            return False, None
    return True, longer


def get_num_rightmost_static_elements(
    shape: Shape, num_rightmost_dims: Optional[int] = None
) -> int:
    """The product of the last sizes up to one that is not fixed, of at most so many."""
    product = 1
    dims = list(reversed(shape))
    for dim in dims if num_rightmost_dims is None else dims[:num_rightmost_dims]:
        if not isinstance(dim, IntImm):
            break
        product *= dim.value()
    return product


def all_static_dimensions(shape: Shape, from_dim: int = 0) -> bool:
    """Whether all sizes from a dimension on are fixed."""
    return all(isinstance(dim, IntImm) for dim in shape[from_dim:])


def is_static_dimension(shape: Shape, dim: int) -> bool:
    """Whether there is a dimension, and its size is fixed."""
    return dim < len(shape) and isinstance(shape[dim], IntImm)


def convert_shape_to_IntVar(shape: Sequence[Union[int, IntVar, IntVarTensor]]) -> List[IntVar]:
    """Sizes, whatever they are given as."""
    result: List[IntVar] = []
    for dim in shape:
        if isinstance(dim, int):
            result.append(IntImm(dim))
        elif isinstance(dim, IntVar):
            result.append(dim)
        elif isinstance(dim, IntVarTensor):
            result.append(dim._attrs["int_var"])
        else:
            raise TypeError(f"a size is an int, an IntVar or an IntVarTensor, not {type(dim)}")
    return result


def convert_shape_to_IntVarTensor(tensor: Tensor) -> List[Any]:
    """The sizes of a tensor; symbolic ones as the operands that its operator took for them."""
    operands = {
        operand._attrs["int_var"]: operand
        for source in tensor.src_ops()
        for operand in source._attrs["inputs"]
        if isinstance(operand, IntVarTensor)
    }
    return [dim if isinstance(dim, IntImm) else operands.get(dim, dim) for dim in tensor.shape()]


def _size(dim: Union[IntVar, IntVarTensor]) -> IntVar:
    return dim._attrs["int_var"] if isinstance(dim, IntVarTensor) else dim


def convert_IntVar_to_int(var: Union[int, IntVar, IntVarTensor]) -> int:
    """A size that is fixed, as an int.

    Raises:
        ValueError: it is not fixed.
    """
    if isinstance(var, int):
        return var
    dim = _size(var)
    if dim.upper_bound() != dim.lower_bound():
        raise ValueError(f"Cannot convert IntVar to int: {dim}")
    return dim.upper_bound()


def is_singleton_dimension(dim: Union[int, IntVar, IntVarTensor]) -> bool:
    """Whether a size is 1."""
    if isinstance(dim, int):
        return dim == 1
    return _size(dim).upper_bound() == _size(dim).lower_bound() == 1


def is_same_shape(shapes1: Shape, shapes2: Shape) -> bool:
    """Whether all sizes are the same."""
    return len(shapes1) == len(shapes2) and all(a == b for a, b in zip(shapes1, shapes2))


def get_static_stride(shape: Shape, dim: int) -> Optional[int]:
    """How many elements lie between two along a dimension; None if it is not fixed."""
    if not all_static_dimensions(shape, dim + 1):
        return None
    return get_num_rightmost_static_elements(shape[dim + 1 :])


def is_empty_rank1_tensor(shape: Shape) -> bool:
    """Whether there is one dimension, of size 0."""
    return len(shape) == 1 and isinstance(shape[0], IntImm) and shape[0].value() == 0
