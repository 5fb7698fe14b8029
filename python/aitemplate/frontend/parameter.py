"""The parameter of a layer, under the name it has beside `nn` too."""

from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["Parameter"]
