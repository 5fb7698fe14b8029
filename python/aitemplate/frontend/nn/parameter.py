"""The parameter of a layer: a tensor without operands, which the library knows by its name."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Union

from aitemplate.compiler.base import IntVar, Tensor


class Parameter:
    """A weight: its sizes and element type; its values go to `compile_model` or to the model.

    Args:
        shape: the sizes of the weight.
        dtype: the element type, such as "float16".
        name: the name under which the library knows it; `Module.name_parameter_tensor` gives one.
        value: kept for the caller; the compiler does not read it.
    """

    def __init__(
        self,
        shape: Sequence[Union[int, IntVar]],
        dtype: str,
        name: Optional[str] = None,
        value: Any = None,
    ) -> None:
        self._tensor = Tensor(shape=shape, dtype=dtype, name=name)
        self._value = value

    def tensor(self) -> Tensor:
        """The tensor of the graph that stands for the weight."""
        return self._tensor

    def value(self) -> Any:
        """What the constructor was given as value."""
        return self._value
