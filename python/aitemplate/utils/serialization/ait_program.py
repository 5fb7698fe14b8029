"""The base of programs that `dump_program` writes."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union

from aitemplate.compiler.base import (
    IntVar,
    Tensor,
    _HostConstantTensorData,
    _NumpyConstantTensorData,
    _TorchConstantTensorData,
)

__all__ = ["AITBasicProgram", "convert_to_ait_const"]


def convert_to_ait_const(const: Any, dtype: str = "float16") -> Any:
    """Elements of a constant: bytes, a tensor of torch, or an array of numpy."""
    if isinstance(const, bytes):
        return _HostConstantTensorData(const, dtype)
    if hasattr(const, "data_ptr"):
        return _TorchConstantTensorData(const)
    if hasattr(const, "__array_interface__"):
        return _NumpyConstantTensorData(const)
    raise RuntimeError(f"Unknown type ({type(const)}) to convert to AIT Tensor")


class AITBasicProgram:
    """A graph as a program: its inputs and constants are attributes, `model` builds the rest."""

    def get_constants(self) -> Dict[str, List[int]]:
        """The shapes of the constants by name."""
        return {}

    def get_inputs(self) -> Dict[str, List[IntVar]]:
        """The shapes of the inputs by name."""
        return {}

    def set_constants(self, constants: Dict[str, Any]) -> None:
        """Gives constants their elements, by name."""
        for name, value in constants.items():
            tensor = getattr(self, name)
            tensor._bind_data(convert_to_ait_const(value, tensor._attrs["dtype"]))

    def set_default_constants(self) -> None:
        """Gives constants the elements that they had when the program was written."""

    def set_all_random_constants(self) -> None:
        """Gives all constants random elements; needs torch."""
        from aitemplate.testing.test_utils import get_random_torch_tensor

        for name, shape in self.get_constants().items():
            tensor = getattr(self, name)
            value = get_random_torch_tensor(shape, tensor._attrs["dtype"])
            tensor._bind_data(_TorchConstantTensorData(value))

    def model(self) -> Union[Tensor, Tuple[Tensor, ...]]:
        """Builds the graph, once, and returns its outputs."""
        raise NotImplementedError
