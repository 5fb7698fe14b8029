"""What the tests of the package share: models of one graph, compiled once and run with numpy."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from typing import Any, Dict, List, Optional, Union

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

os.environ.setdefault("AIT_TARGET", "cpu:native")

_folder: Optional[tempfile.TemporaryDirectory] = None


def folder() -> str:
    """A folder for compiled models, removed when the tests end."""
    global _folder
    if _folder is None:
        _folder = tempfile.TemporaryDirectory(prefix="aitemplate-tests-")
    return _folder.name


def mark_outputs(tensors: Any) -> List[Any]:
    """Makes tensors outputs, called "output_0" and so on unless they have names."""
    outputs = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    for index, tensor in enumerate(outputs):
        tensor._attrs["is_output"] = True
        if tensor._attrs["name"] is None:
            tensor._attrs["name"] = f"output_{index}"
    return outputs


def compiled(
    tensors: Any, name: str, constants: Optional[Dict[str, Any]] = None, **kwargs: Any
) -> Any:
    """The model that computes tensors."""
    from aitemplate.compiler import compile_model
    from aitemplate.testing import detect_target

    outputs = mark_outputs(tensors)
    return compile_model(outputs, detect_target(), folder(), name, constants=constants, **kwargs)


class CompilerTestCase(unittest.TestCase):
    """Tests that compile; they are skipped where there is no compiler or no numpy."""

    @classmethod
    def setUpClass(cls) -> None:
        try:
            import numpy  # noqa: F401
        except ImportError as error:
            raise unittest.SkipTest("numpy is not installed") from error
        from aitemplate._native import bridge

        try:
            bridge.version()
        except (ImportError, OSError) as error:
            raise unittest.SkipTest(f"there is no compiler: {error}") from error

    def assert_close(self, actual: Any, expected: Any, tolerance: float = 1e-4) -> None:
        """That arrays agree up to a share of their values, and as much absolutely."""
        import numpy

        numpy.testing.assert_allclose(
            numpy.asarray(actual, "float32"),
            numpy.asarray(expected, "float32"),
            rtol=tolerance,
            atol=tolerance,
        )

    def run_model(
        self,
        tensors: Any,
        inputs: Union[Dict[str, Any], List[Any]],
        constants: Optional[Dict[str, Any]] = None,
    ) -> List[Any]:
        """The outputs of a graph, compiled under the name of the test."""
        name = self.id().rpartition(".")[2]
        with compiled(tensors, name, constants) as model:
            outputs = model.run_with_tensors(inputs)
            return [outputs[key] for key in model.get_output_name_to_index_map()]
