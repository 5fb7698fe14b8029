"""What models are written with: layers, tensors, sizes that are known only when a model runs."""

from aitemplate.compiler.base import DynamicProfileStrategy, IntImm, IntVar, Tensor
from aitemplate.frontend import nn
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["nn", "DynamicProfileStrategy", "IntImm", "IntVar", "Parameter", "Tensor"]
