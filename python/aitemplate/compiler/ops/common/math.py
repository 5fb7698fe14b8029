"""Functions of single elements, by the names of torch: ``ops.relu(x)``."""

from __future__ import annotations

from typing import Any, Callable

from aitemplate.compiler.base import Tensor
from aitemplate.compiler.ops.common.elementwise import elementwise
from aitemplate.compiler.ops.common.epilogue import FuncEnum

__all__ = [
    "abs",
    "celu",
    "cos",
    "elu",
    "exp",
    "fast_gelu",
    "floor",
    "floor_div",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "log",
    "log1p",
    "max",
    "min",
    "nan_to_num",
    "pow",
    "reciprocal",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softplus",
    "softsign",
    "sqrt",
    "tanh",
]


def _function(name: str, function: FuncEnum, formula: str) -> Callable[..., Tensor]:
    def apply(*operands: Any) -> Tensor:
        return elementwise(function)(*operands)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"{formula}, element by element."
    return apply


abs = _function("abs", FuncEnum.ABS, "|x|")
celu = _function(
    "celu", FuncEnum.CELU, "max(0, x) + min(0, a (exp(x / a) - 1)); a is 1 unless given"
)
cos = _function("cos", FuncEnum.COS, "cos(x)")
elu = _function("elu", FuncEnum.ELU, "x, or a (exp(x) - 1) below 0; a is 1 unless given")
exp = _function("exp", FuncEnum.EXP, "exp(x)")
fast_gelu = _function("fast_gelu", FuncEnum.FASTGELU, "GELU by the hyperbolic tangent")
floor = _function("floor", FuncEnum.FLOOR, "The greatest integer not above x")
floor_div = _function("floor_div", FuncEnum.FLOOR_DIV, "The greatest integer not above x / y")
gelu = _function("gelu", FuncEnum.GELU, "x / 2 (1 + erf(x / sqrt(2)))")
log = _function("log", FuncEnum.LOGE, "The natural logarithm")
log1p = _function("log1p", FuncEnum.LOG1P, "log(1 + x)")
max = _function("max", FuncEnum.MAX, "The greater; NaN if one is")
min = _function("min", FuncEnum.MIN, "The lesser; NaN if one is")
nan_to_num = _function("nan_to_num", FuncEnum.NAN_TO_NUM, "x, NaN and infinities replaced")
pow = _function("pow", FuncEnum.POW, "x to the power of y")
reciprocal = _function("reciprocal", FuncEnum.RECIPROCAL, "1 / x")
relu = _function("relu", FuncEnum.RELU, "max(0, x)")
sigmoid = _function("sigmoid", FuncEnum.SIGMOID, "1 / (1 + exp(-x))")
sign = _function("sign", FuncEnum.SIGN, "-1, 0 or 1")
silu = _function("silu", FuncEnum.SILU, "x sigmoid(x)")
sin = _function("sin", FuncEnum.SIN, "sin(x)")
softplus = _function("softplus", FuncEnum.SOFTPLUS, "log(1 + exp(b x)) / b, x above a threshold")
softsign = _function("softsign", FuncEnum.SOFTSIGN, "x / (1 + |x|)")
sqrt = _function("sqrt", FuncEnum.SQRT, "The square root")
tanh = _function("tanh", FuncEnum.TANH, "tanh(x)")


def leaky_relu(tensor: Any, negative_slope: Any = 0.01) -> Tensor:
    """x, or ``negative_slope`` times x below 0."""
    return elementwise(FuncEnum.LRELU)(tensor, negative_slope)


def hardtanh(tensor: Any, min_val: Any = -1, max_val: Any = 1) -> Tensor:
    """x, kept between two bounds."""
    return elementwise(FuncEnum.HARDTANH)(tensor, min_val, max_val)
