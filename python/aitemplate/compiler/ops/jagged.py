"""Operators on jagged tensors: sequences of several lengths, one after the other in memory.

A jagged tensor is dense to the compiler; where its sequences lie is said by tensors of offsets,
which these classes pass along.
"""

from __future__ import annotations

from typing import Any, List, Union

from aitemplate.compiler.base import IntVar, JaggedDim, JaggedIntVar, Tensor
from aitemplate.compiler.ops import catalog


class make_jagged(catalog.Operator):  # noqa: N801
    """A tensor as a jagged one: ``make_jagged(batch_dim, jagged_dims)(source, offsets)``.

    Args:
        batch_dim: how many sequences there are.
        jagged_dims: bounds of their lengths, one for each level.
        check_sequence_lengths: kept for AITemplate's programs; positions are always checked.
    """

    def __init__(
        self,
        batch_dim: IntVar,
        jagged_dims: List[JaggedDim],
        check_sequence_lengths: bool = True,
    ) -> None:
        if not jagged_dims or not all(isinstance(dim, JaggedDim) for dim in jagged_dims):
            raise TypeError(
                f"jagged_dim must be a non-empty list of JaggedDims, but given {jagged_dims}."
            )
        super().__init__()
        self._attrs.update(
            batch_dim=batch_dim,
            jagged_dims=list(jagged_dims),
            check_sequence_lengths=check_sequence_lengths,
        )

    def __call__(
        self, source: Union[Tensor, List[Tensor]], offsets_list: List[Tensor]
    ) -> Union[Tensor, List[Tensor]]:
        sources = [source] if isinstance(source, Tensor) else list(source)
        if not sources:
            raise ValueError("There must be at least one source Tensor in the list.")
        for each in sources:
            if not each._attrs["shape"]:
                raise ValueError("The source Tensors must be at least rank-1, but given rank-0.")
            if isinstance(each._attrs["shape"][0], JaggedIntVar):
                return source
            if type(each._attrs["shape"][0]) is not IntVar:
                raise ValueError(
                    "The source Tensor's first dim (total_length) must be dynamic (IntVar), "
                    f"but given {each._attrs['shape']}."
                )
        total_length = sources[0]._attrs["shape"][0]
        for each in sources[1:]:
            if each._attrs["shape"][0] != total_length:
                raise ValueError(
                    "All source Tensors must have the same first (total_length) dimension, "
                    f"but got {sources[0]._attrs['shape']} and {each._attrs['shape']}."
                )
        dims = self._attrs["jagged_dims"]
        if len(offsets_list) != len(dims):
            raise ValueError(f"{len(offsets_list)} tensors of offsets for {len(dims)} levels")
        for offsets in offsets_list:
            if len(offsets._attrs["shape"]) != 1:
                raise ValueError(
                    f"The offsets Tensors must be rank-1, but given {offsets._attrs['shape']}."
                )
            if offsets._attrs["dtype"] not in ("int32", "int64"):
                raise TypeError(
                    "The offsets Tensors can be either int32 or int64, "
                    f"but given the Tensor of type {offsets._attrs['dtype']}."
                )
        for level, (dim, offsets) in enumerate(zip(dims, offsets_list)):
            if dim.offsets() is not None and dim.offsets() is not offsets:
                raise ValueError(f"JaggedDim {level} has other offsets already")
            dim._attrs["offsets"] = offsets
        jagged = JaggedIntVar(total_length, self._attrs["batch_dim"], dims)
        self._attrs["num_sources"] = len(sources)
        self._attrs["inputs"] = sources + list(offsets_list)
        self._set_depth()
        outputs = []
        for each in sources:
            # The same tensor to the compiler, under another description.
            output = Tensor([jagged] + each._attrs["shape"][1:], src_ops=[self], is_view_of=each)
            output.number = each.number
            outputs.append(output)
        self._attrs["outputs"] = outputs
        return outputs[0] if isinstance(source, Tensor) else outputs


class _JaggedOperator(catalog.CatalogOperator):
    def __new__(cls, *args: Any, **kwargs: Any) -> _JaggedOperator:
        cls.entry = catalog.entries()[cls.__name__]
        return super().__new__(cls)

    def __init__(self, **attributes: Any) -> None:
        catalog.Operator.__init__(self)
        self._attributes = attributes
        self._attrs.update(attributes)


class jagged_to_padded_dense(_JaggedOperator):  # noqa: N801
    """A jagged tensor [sum, D...] as a dense one [B, N..., D...], the rest filled with a number."""

    def __init__(self, padding_value: float = 0.0) -> None:
        super().__init__(padding_value=float(padding_value))

    def __call__(self, x: Tensor) -> Tensor:
        if not x.is_jagged():
            raise ValueError(f"jagged_to_padded_dense of {x}, expected a jagged tensor")
        return self._apply({"x": x})


class padded_dense_to_jagged(_JaggedOperator):  # noqa: N801
    """The sequences of a dense tensor [B, N..., D...], one after the other: [total, D...]."""

    def __init__(self, total_length: IntVar) -> None:
        if isinstance(total_length, JaggedIntVar):
            total_length = total_length.total_length()
        if type(total_length) is not IntVar:
            raise TypeError(f"total_length must be IntVar, but got {type(total_length).__name__}.")
        super().__init__(total_length=total_length)

    def __call__(self, x: Tensor, offsets_list: List[Tensor]) -> Tensor:
        shape = x.shape()
        if not offsets_list:
            raise ValueError("At least one offsets Tensor must be specified.")
        levels = len(offsets_list)
        if len(shape) < levels + 2:
            raise ValueError(
                f"padded_dense_to_jagged of {x} with {levels} levels: the axes are the batch, one "
                "for each level, and at least one within"
            )
        if type(shape[0]) is not IntVar:
            raise TypeError(f"x.shape()[0] must be IntVar, but got {type(shape[0]).__name__}.")
        source = self._apply({"x": x, "offsets_list": list(offsets_list)})
        dims = [JaggedDim(0, dim) for dim in shape[1 : 1 + levels]]
        result = make_jagged(shape[0], dims)(source, list(offsets_list))
        self._attrs["jagged_int_var"] = result._attrs["shape"][0]
        return result


class batched_dense_vec_jagged_2d_mul(_JaggedOperator):  # noqa: N801
    """Vectors [B, H, N] times jagged matrices [sum, H, D], sequence by sequence: [B, H, D]."""

    def __init__(self) -> None:
        super().__init__()

    def __call__(self, vectors: Tensor, matrices: Tensor) -> Tensor:
        if not matrices.is_jagged():
            raise ValueError(f"the matrices are {matrices}, expected a jagged tensor")
        return self._apply({"vectors": vectors, "matrices": matrices})


def dense_on_sequences(x: Tensor, dim: JaggedIntVar, inner_rank: int) -> Tensor:
    """The elements of a dense tensor where sequences lie: [B, N..., D...] as [total, D...].

    Axes that are missing in front, or have extent 1, are repeated.
    """
    from aitemplate.compiler import ops

    shape = x.shape()
    outer = list(dim.get_max_dense_shape())
    # The batch need not be the extent of any input; the offsets are one more.
    offsets, _ = catalog.offsets_of(dim)
    outer[0] = offsets[0].shape()[0] - 1
    while x._rank() < inner_rank + len(outer):
        x = ops.unsqueeze(0)(x)
        shape = x.shape()
    wanted = outer + shape[len(outer) :]
    if shape[0] != 1:
        wanted[0] = shape[0]
    if any(have != want for have, want in zip(shape, wanted)):
        x = ops.expand()(x, wanted)
    operator = padded_dense_to_jagged(dim.total_length())
    return operator._apply({"x": x, "offsets_list": offsets})
