"""What models are compiled for."""

from aitemplate.backend import target

__all__ = ["target"]
