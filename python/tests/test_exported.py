"""PyTorch's programs as they are: `aitemplate.compile`, and the backend of torch.compile."""

from __future__ import annotations

import os
import tempfile
import unittest
import warnings
from typing import Any

import support  # noqa: F401 - finds the package

try:
    import torch
except ImportError:
    torch = None

if torch is not None:

    class Returning(torch.nn.Module):
        """A linear layer whose results are a dictionary and a tuple."""

        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            """Results of several kinds."""
            return {"a": self.linear(x).relu(), "b": (x + 1,)}

    class Changing(torch.nn.Module):
        """A module that changes its input."""

        def forward(self, x: Any) -> Any:
            """An update in place."""
            x.add_(1)
            return x * 2

    class Breaking(torch.nn.Module):
        """A module of two graphs, the second of which cannot be compiled."""

        def forward(self, x: Any) -> Any:
            """A branch on data, then an operator without a kernel."""
            y = x * 2
            if y.sum() > -1e9:
                y = y + 1
            return torch.linalg.inv(y @ y.T + 100 * torch.eye(x.shape[0])), y.relu()


@unittest.skipIf(torch is None, "torch is not installed")
class ExportedTests(support.CompilerTestCase):
    """`aitemplate.compile`."""

    def setUp(self) -> None:
        torch.manual_seed(0)
        self.x = torch.randn(2, 4)

    def test_modules_return_what_they_return(self) -> None:
        import aitemplate

        module = Returning().eval()
        with torch.no_grad():
            expected = module(self.x)
        with aitemplate.compile(module, self.x) as compiled:
            found = compiled(self.x)
            self.assertEqual(list(found), ["a", "b"])
            self.assertIsInstance(found["b"], tuple)
            torch.testing.assert_close(found["a"], expected["a"])
            torch.testing.assert_close(found["b"][0], expected["b"][0])
            library = compiled.library
            self.assertTrue(os.path.exists(library))
        self.assertFalse(os.path.exists(library))

    def test_batches_of_any_size(self) -> None:
        import aitemplate

        module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.GELU()).eval()
        batch = torch.export.Dim("batch", min=1, max=16)
        with aitemplate.compile(module, (self.x,), dynamic_shapes=({0: batch},)) as compiled:
            for size in (1, 5, 16):
                x = torch.randn(size, 4)
                with torch.no_grad():
                    torch.testing.assert_close(compiled(x), module(x))
            with self.assertRaises(RuntimeError):
                compiled(torch.randn(17, 4))

    def test_files(self) -> None:
        import aitemplate

        module = torch.nn.Linear(4, 2).eval()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "linear.pt2")
            torch.export.save(torch.export.export(module, (self.x,)), path)
            with aitemplate.compile(path, workdir=folder) as compiled, torch.no_grad():
                torch.testing.assert_close(compiled(self.x), module(self.x))

    def test_what_is_refused(self) -> None:
        import aitemplate

        with self.assertRaisesRegex(ValueError, "training mode"):
            aitemplate.compile(torch.nn.Linear(4, 2), self.x)
        with self.assertRaisesRegex(TypeError, "example_inputs"):
            aitemplate.compile(torch.nn.Linear(4, 2).eval())
        with self.assertRaisesRegex(RuntimeError, "changes"):
            aitemplate.compile(Changing().eval(), self.x)
        with self.assertRaisesRegex(NotImplementedError, "linalg_inv.*test_exported.py:"):
            aitemplate.compile(Inverse().eval(), (torch.eye(3),))


if torch is not None:

    class Inverse(torch.nn.Module):
        """An operator without a kernel."""

        def forward(self, x: Any) -> Any:
            """The inverse."""
            return torch.linalg.inv(x)


@unittest.skipIf(torch is None, "torch is not installed")
class BackendTests(support.CompilerTestCase):
    """`torch.compile(…, backend=…)`."""

    def setUp(self) -> None:
        from aitemplate.torch_backend import backend

        torch.manual_seed(0)
        torch._dynamo.reset()
        self.x = torch.randn(2, 4)
        self.backend = backend

    def test_each_instance_has_its_weights(self) -> None:
        first, second = Returning().eval(), Returning().eval()
        with torch.no_grad():
            for module in (first, second):
                found = torch.compile(module, backend=self.backend)(self.x)
                torch.testing.assert_close(found["a"], module(self.x)["a"])
            compiled = torch.compile(first, backend=self.backend)
            compiled(self.x)
            first.linear.weight.mul_(3)
            torch.testing.assert_close(compiled(self.x)["a"], first(self.x)["a"])

    def test_what_cannot_be_compiled_runs_in_pytorch(self) -> None:
        module = Breaking().eval()
        with torch.no_grad(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = torch.compile(module, backend=self.backend)(self.x)
            expected = module(self.x)
        for left, right in zip(found, expected):
            torch.testing.assert_close(left, right)
        self.assertTrue(any("linalg_inv" in str(each.message) for each in caught))

    def test_autocast_and_gradients_are_pytorchs(self) -> None:
        module = torch.nn.Linear(4, 4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = torch.compile(module, backend=self.backend)
            compiled(self.x).sum().backward()
            self.assertIsNotNone(module.weight.grad)
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
                self.assertEqual(compiled(self.x).dtype, torch.bfloat16)


if __name__ == "__main__":
    unittest.main()
