"""What tests of models share: which of them run here, tensors, questions about graphs."""

from __future__ import annotations

import contextlib
import os
import unittest
from enum import Enum
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Type

from aitemplate.compiler.base import IntImm, IntVar, Operator, Tensor
from aitemplate.compiler.dtype import normalize_dtype
from aitemplate.compiler.ops.b2b_bmm.b2b_bmm_base import CausalType
from aitemplate.testing.benchmark_pt import benchmark_torch_function
from aitemplate.testing.detect_target import detect_target
from aitemplate.utils.graph_utils import get_sorted_ops
from aitemplate.utils.torch_utils import string_to_torch_dtype


class TestEnv(Enum):
    """What a test needs of a machine. A processor does what CUDA_SM80 asks."""

    # pytest would take the class for a test.
    __test__ = False

    CUDA_LESS_THAN_SM80 = 1
    CUDA_SM80 = 2
    CUDA_SM90 = 3
    ROCM = 100


_SUFFIXES = {
    TestEnv.CUDA_SM80: ("bf16", "sm80"),
    TestEnv.CUDA_SM90: ("sm90",),
    TestEnv.ROCM: ("rocm",),
}

_COMPATIBLE: Dict[TestEnv, Set[TestEnv]] = {
    TestEnv.CUDA_LESS_THAN_SM80: {TestEnv.CUDA_LESS_THAN_SM80},
    TestEnv.CUDA_SM80: {TestEnv.CUDA_LESS_THAN_SM80, TestEnv.CUDA_SM80},
    TestEnv.CUDA_SM90: {TestEnv.CUDA_LESS_THAN_SM80, TestEnv.CUDA_SM80, TestEnv.CUDA_SM90},
    TestEnv.ROCM: {TestEnv.ROCM},
}


def _environment() -> TestEnv:
    target = detect_target()
    capability = int(target._arch)
    if target.name() == "cpu" or 80 <= capability < 90:
        return TestEnv.CUDA_SM80
    return TestEnv.CUDA_SM90 if capability >= 90 else TestEnv.CUDA_LESS_THAN_SM80


def _needs(test_name: str) -> TestEnv:
    for environment, suffixes in _SUFFIXES.items():
        if test_name.endswith(suffixes):
            return environment
    return TestEnv.CUDA_LESS_THAN_SM80


def filter_test_cases_by_params(params: Dict[TestEnv, List[Tuple[Any, ...]]]) -> Dict[str, Any]:
    """The parameters of tests that run on this machine, as arguments of `parameterized.expand`."""
    compatible = _COMPATIBLE[_environment()]
    values = [value for needed, group in params.items() if needed in compatible for value in group]
    return {"input": values, "skip_on_empty": True}


def filter_test_cases_by_test_env(cls: Type[unittest.TestCase]) -> None:
    """Removes the tests of a class that this machine cannot run, by the endings of their names.

    "bf16" and "sm80" need what CUDA_SM80 has, "sm90" what CUDA_SM90 has, "rocm" a GPU of AMD.
    """
    compatible = _COMPATIBLE[_environment()]
    for name in list(cls.__dict__):
        if name.startswith("test_") and _needs(name) not in compatible:
            delattr(cls, name)


@contextlib.contextmanager
def env_variables(**kwargs: Any) -> Iterator[None]:
    """Environment variables set inside of `with`, and as before after it; None removes one."""
    before = {name: os.environ.get(name) for name in kwargs}

    def apply(values: Dict[str, Any]) -> None:
        for name, value in values.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = str(value)

    apply(kwargs)
    try:
        yield
    finally:
        apply(before)


# Tensors


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _torch_tensor(make: Callable[..., Any], shape: Sequence[int], dtype: str) -> Any:
    torch_dtype = string_to_torch_dtype(normalize_dtype(dtype))
    return make(shape, device=_device(), dtype=torch_dtype)


def get_random_torch_tensor(shape: Sequence[int], dtype: str = "float16") -> Any:
    """A torch tensor of normal distribution; of bool, true in about two thirds of the places."""
    import torch

    if dtype == "bool":
        return _torch_tensor(torch.randn, shape, "float32") < 0.5
    return _torch_tensor(torch.randn, shape, dtype)


def get_torch_empty_tensor(shape: Sequence[int], dtype: str = "float16") -> Any:
    """A torch tensor whose values are not set."""
    import torch

    return _torch_tensor(torch.empty, shape, dtype)


def get_torch_zeros_tensor(shape: Sequence[int], dtype: str = "float16") -> Any:
    """A torch tensor of zeros."""
    import torch

    return _torch_tensor(torch.zeros, shape, dtype)


def get_torch_full_tensor(shape: Sequence[int], fill_value: float, dtype: str = "float16") -> Any:
    """A torch tensor of one value."""
    import torch

    torch_dtype = string_to_torch_dtype(normalize_dtype(dtype))
    return torch.full(shape, fill_value, device=_device(), dtype=torch_dtype)


def gen_input_tensor(
    shape: List[Any], dtype: str = "float16", name: Optional[str] = None
) -> Tensor:
    """An input of a graph."""
    return Tensor(shape=shape, dtype=dtype, name=name, is_input=True)


# Graphs


def has_op(sorted_ops: List[Operator], op_name: str) -> bool:
    """Whether one of the operators has this name."""
    return count_ops(sorted_ops, op_name) > 0


def graph_has_op(graph: List[Tensor], op_name: str) -> bool:
    """Whether an operator of a sorted graph has this name."""
    return has_op(get_sorted_ops(graph), op_name)


def count_ops(sorted_ops: List[Operator], op_name: str) -> int:
    """How many of the operators have this name."""
    return sum(op._attrs["op"] == op_name for op in sorted_ops)


def get_src_op(tensor: Tensor) -> Operator:
    """The one operator that makes a tensor."""
    (source,) = tensor._attrs["src_ops"]
    return source


def get_src_op_name(tensor: Tensor) -> str:
    """The name of the one operator that makes a tensor."""
    return get_src_op(tensor)._attrs["op"]


def get_src_input(tensor: Tensor) -> Tensor:
    """The first operand of the one operator that makes a tensor."""
    inputs = get_src_op(tensor)._attrs["inputs"]
    assert len(inputs) >= 1, "the operator has no operands"
    return inputs[0]


def get_shape(shape: List[IntVar], dim_to_value_dict: Dict[str, int]) -> List[int]:
    """Sizes as ints, symbolic ones by their names."""
    return [
        dim.value() if isinstance(dim, IntImm) else dim_to_value_dict[dim._attrs["name"]]
        for dim in shape
    ]


# PyTorch


def epilogue_math_name_to_torch_fn(epilogue_math_name: str) -> Callable[[Any], Any]:
    """The function of PyTorch that an epilogue's name means: "Identity", "Sigmoid", "SiLu"..."""
    import torch

    functions = {
        "Identity": lambda x: x,
        "Sigmoid": torch.sigmoid,
        "SiLu": torch.nn.functional.silu,
        "ReLu": torch.nn.functional.relu,
        "Tanh": torch.tanh,
    }
    if epilogue_math_name not in functions:
        raise NotImplementedError(f"Unsupported epilogue_math_name={epilogue_math_name!r}!")
    return functions[epilogue_math_name]


def get_attn_mask_per_causal_type(m: int, n: int, causal_type: CausalType, torch_dtype: Any) -> Any:
    """`[m, n]` of ones where a causal attention sees a key, zeros elsewhere.

    UPPER_RIGHT_EMPTY keeps the lower triangle with its diagonal; LOWER_LEFT_EMPTY keeps the upper
    one with it.
    """
    import torch

    ones = torch.ones((m, n), dtype=torch_dtype, device=_device())
    if causal_type == CausalType.NO_CAUSAL:
        return ones
    if causal_type == CausalType.UPPER_RIGHT_EMPTY:
        return torch.tril(ones)
    if causal_type == CausalType.LOWER_LEFT_EMPTY:
        return torch.triu(ones)
    raise NotImplementedError(f"Unsupported causal_type={causal_type!r}!")


def init_random_weights(m: Any) -> None:
    """Fills the weight of a torch module with uniform numbers; for `Module.apply`."""
    import torch

    weight = getattr(m, "weight", None)
    if weight is not None:
        torch.nn.init.uniform_(weight)


def benchmark_module(
    name: str,
    inputs: Any,
    outputs: Any,
    pt_mod: Any,
    ait_mod: Any,
    iters: int = 100,
    permute_inputs: Optional[List[int]] = None,
) -> None:
    """Prints the times of a torch module and of a compiled one on the same inputs."""
    batch_size = inputs.size()[0]
    time_pt = min(benchmark_torch_function(iters, pt_mod, inputs) for _ in range(2))
    print(f"{name}_pt: batch_size: {batch_size}, {time_pt} ms")
    if permute_inputs:
        inputs = inputs.permute(permute_inputs).contiguous()
    time_ait = min(
        ait_mod.benchmark_with_tensors([inputs], [outputs], count=iters, graph_mode=False)[0]
        for _ in range(2)
    )
    print(f"{name}_ait: batch_size: {batch_size}, {time_ait} ms")
